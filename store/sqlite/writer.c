/*
 * The thread that does every write. What has queued up while it was syncing shares the next commit. First
 * without savepoints, which cost a page copied for each page written; when a function fails, the group is
 * undone and run again with a savepoint for each. Savepoints do not isolate when SQLite itself leaves the
 * transaction (REFERENCE.md section 12): then nothing of the group remains, and each function is run again
 * alone.
 */
#include "store/sqlite/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "store/query.h"

static int command(struct tx *tx, const char *sql, struct err *err)
{
    return query_run(tx, sql, NO_VALUES, err);
}

static int tx_begin(struct tx *tx, struct err *err)
{
    static const char sql[] = "BEGIN IMMEDIATE";
    return command(tx, sql, err);
}

static bool in_transaction(const struct tx *tx)
{
    return !sqlite3_get_autocommit(((struct connection *)tx->connection)->db);
}

/* Nobody knows what is on the disk after an error from commit or sync; a new process finds out by recovery.
 */
static _Noreturn void die(const char *what, const struct err *err)
{
    log_err(LOG_ERROR, "the store cannot go on, the process ends", err, "while", what, NULL);
    _exit(3);
}

static void tx_rollback(struct tx *tx)
{
    static const char sql[] = "ROLLBACK";
    struct err err = ERR_INIT;

    if (in_transaction(tx) && command(tx, sql, &err) < 0 && in_transaction(tx))
        die("rollback", &err);
}

/* 0, or -1 when the disk is full and nothing was committed: SQLITE_FULL comes from a write that did not end,
 * so the frame that closes the transaction is not in the WAL. Any other error leaves that open. */
static int tx_commit(struct sqlite_store *store, struct tx *tx, struct err *err)
{
    static const char sql[] = "COMMIT";
    struct err failed = ERR_INIT; /* `err` may hold what a function has met and got over */
    int64_t from = clock_boot_us();

    if (command(tx, sql, &failed) < 0) {
        if (failed.code != ERR_STORE_FULL)
            die("commit", &failed);
        tx_rollback(tx);
        *err = failed;
        return -1;
    }
    atomic_fetch_add(&store->commits, 1);
    metric_observe(store->commit_seconds, (double)(clock_boot_us() - from) / 1e6, METRIC_NO_LABELS);
    return 0;
}

static void run_function(struct tx *tx, struct work *work)
{
    work->err = ERR_INIT;
    work->result = work->fn(tx, work->ctx, &work->err);
    if (work->result < 0 && work->err.code == ERR_NONE)
        err_set(&work->err, ERR_INTERNAL, "%s failed without a cause", work->name);
    if (work->result == 0 && !in_transaction(tx)) /* it went on after an error that it should have returned */
        work->result =
            err_set(&work->err, ERR_STORE_UNAVAILABLE, "the transaction was lost in %s", work->name);
}

/* Runs one function in its savepoint. False: the group's transaction is gone or cannot be trusted. */
static bool run_in_savepoint(struct tx *tx, struct work *work)
{
    static const char savepoint[] = "SAVEPOINT one", release[] = "RELEASE one", undo[] = "ROLLBACK TO one";
    struct err err = ERR_INIT;

    if (command(tx, savepoint, &err) < 0)
        return false;
    run_function(tx, work);
    if (!in_transaction(tx) || work->err.code == ERR_STORE_FULL)
        return false;
    if (work->result < 0 && command(tx, undo, &err) < 0)
        return false;
    return command(tx, release, &err) == 0;
}

/* Runs one function with nothing to fall back to. False: it failed, and what it has written must go with the
 * others'. */
static bool run_bare(struct tx *tx, struct work *work)
{
    run_function(tx, work);
    return work->result == 0;
}

static bool run_together(struct sqlite_store *store, struct work *group,
                         bool (*run)(struct tx *tx, struct work *work))
{
    struct tx tx = {&store->store, &store->writer.connection};
    struct err err = ERR_INIT;
    bool whole = tx_begin(&tx, &err) == 0;

    for (struct work *work = group; work && whole; work = work->next)
        whole = run(&tx, work);
    if (whole && tx_commit(store, &tx, &err) == 0)
        return true;
    tx_rollback(&tx);
    return false;
}

static void run_alone_once(struct sqlite_store *store, struct work *work)
{
    struct tx tx = {&store->store, &store->writer.connection};

    work->err = ERR_INIT;
    work->result = tx_begin(&tx, &work->err);
    if (work->result == 0)
        run_function(&tx, work);
    if (work->result == 0)
        work->result = tx_commit(store, &tx, &work->err);
    if (work->result < 0)
        tx_rollback(&tx);
}

static void run_alone(struct sqlite_store *store, struct work *work)
{
    run_alone_once(store, work);
    if (work->result < 0 && work->err.code == ERR_STORE_FULL && ballast_give_up(&store->ballast))
        run_alone_once(store, work);
}

/* Copies the frames of the WAL into the database between commits, on the one connection that may. */
static void checkpoint(struct sqlite_store *store)
{
    struct writer *writer = &store->writer;
    bool big = writer->connection.wal_pages >= STORE_TRUNCATE_PAGES;
    struct err err = ERR_INIT;
    int rc;

    if (writer->connection.wal_pages < writer->pages_before) /* SQLite has started it anew */
        writer->checkpoint_at = STORE_CHECKPOINT_PAGES;
    writer->pages_before = writer->connection.wal_pages;
    if (writer->connection.wal_pages < writer->checkpoint_at)
        return;
    readers_let_go(store);
    sqlite3_busy_timeout(writer->connection.db, STORE_TRUNCATE_WAIT_MS);
    rc = sqlite3_wal_checkpoint_v2(writer->connection.db, NULL,
                                   big ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    sqlite3_busy_timeout(writer->connection.db, STORE_BUSY_TIMEOUT_MS);
    if (rc == SQLITE_FULL)
        ballast_give_up(&store->ballast); /* the WAL still has everything; tried again later */
    else if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_NOMEM) {
        sqlite_fail(writer->connection.db, rc, &err);
        die("checkpoint", &err);
    }
    /* where readers keep it from starting anew it grows on, and is not copied commit by commit */
    writer->checkpoint_at = writer->connection.wal_pages + STORE_CHECKPOINT_PAGES;
}

static struct work *take_group(struct writer *writer)
{
    struct work *group, *last;

    pthread_mutex_lock(&writer->lock);
    while (!writer->first && !writer->closing)
        pthread_cond_wait(&writer->wake, &writer->lock);
    group = last = writer->first;
    for (int i = 1; last && last->next && i < STORE_GROUP_MAX; i++)
        last = last->next;
    if (last) {
        writer->first = last->next;
        last->next = NULL;
    }
    if (!writer->first)
        writer->last = &writer->first;
    pthread_mutex_unlock(&writer->lock);
    return group;
}

static void run_group(struct sqlite_store *store, struct work *group)
{
    if (group->next && (run_together(store, group, run_bare) || run_together(store, group, run_in_savepoint)))
        return;
    for (struct work *work = group; work; work = work->next)
        run_alone(store, work);
}

static void *writer_main(void *arg)
{
    struct sqlite_store *store = arg;
    struct work *group, *next;

    while ((group = take_group(&store->writer))) {
        run_group(store, group);
        if (store->on_commit)
            store->on_commit(store->on_commit_arg);
        for (struct work *work = group; work; work = next) {
            next = work->next; /* it is its owner's again after the post */
            sem_post(&work->done);
        }
        checkpoint(store);
    }
    return NULL;
}

int writer_tx(struct store *base, const char *name, store_fn *fn, void *ctx, struct err *err)
{
    struct writer *writer = &sqlite_store_of(base)->writer;
    struct work work = {.name = name, .fn = fn, .ctx = ctx, .result = -1};
    bool closing;

    sem_init(&work.done, 0, 0);
    pthread_mutex_lock(&writer->lock);
    closing = writer->closing;
    if (!closing) {
        *writer->last = &work;
        writer->last = &work.next;
        pthread_cond_signal(&writer->wake);
    }
    pthread_mutex_unlock(&writer->lock);
    while (!closing && sem_wait(&work.done) < 0 && errno == EINTR)
        continue;
    sem_destroy(&work.done);
    if (closing)
        return err_set(err, ERR_DRAINING, "the store is closing");
    if (work.result < 0 && err && err->code == ERR_NONE)
        *err = work.err;
    return work.result;
}

int writer_start(struct sqlite_store *store, struct err *err)
{
    struct writer *writer = &store->writer;
    int rc = pthread_create(&writer->thread, NULL, writer_main, store);

    if (rc != 0)
        return err_set(err, ERR_NO_MEMORY, "start the writer: %s", strerrordesc_np(rc));
    writer->running = true;
    return 0;
}

void writer_stop(struct sqlite_store *store)
{
    struct writer *writer = &store->writer;

    if (!writer->running)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->closing = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    writer->running = false;
}
