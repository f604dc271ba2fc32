#include "tests/unit/store/explain.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "base/limits.h"

/* -- functions that wait in the queue together -- */

enum kind { GOOD, FAILS, FILLS, LOSES };

struct queued {
    struct fixture *f;
    enum kind kind;
    struct job job;
    int ran, result;
    struct err err;
    pthread_t thread;
};

static int queued_fn(struct tx *tx, void *ctx, struct err *err)
{
    struct queued *queued = ctx;
    struct step step;

    queued->ran++;
    queued->job = job_of("backup.table", "shop", "table/Sales");
    if (tx_job_insert(tx, &queued->job, err) < 0)
        return -1;
    step = (struct step){.job_key = queued->job.key, .name = "scan"};
    if (tx_step_insert(tx, &step, err) < 0)
        return -1;
    for (int i = 0; queued->kind == FILLS && i < 8; i++) {
        static const char big[1000000];
        char name[16];

        snprintf(name, sizeof(name), "d%d", i);
        if (tx_document_put(tx, queued->job.key, name, (struct bytes){big, sizeof(big)}, err) < 0)
            return -1;
    }
    if (queued->kind == LOSES) /* as SQLite does on its own after some errors, and nobody says so */
        return connection_exec(tx->connection, "ROLLBACK", err);
    return queued->kind == FAILS ? err_set(err, ERR_CONFLICT, "no") : 0;
}

static void *queued_main(void *arg)
{
    struct queued *queued = arg;

    queued->result = store_tx(queued->f->store, "queued", queued_fn, queued, &queued->err);
    return NULL;
}

static size_t queue_length(struct fixture *f)
{
    struct writer *writer = &sqlite_store_of(f->store)->writer;
    size_t length = 0;

    pthread_mutex_lock(&writer->lock);
    for (struct work *work = writer->first; work; work = work->next)
        length++;
    pthread_mutex_unlock(&writer->lock);
    return length;
}

/* Runs functions of these kinds in one group: the writer is held until all of them wait. */
static void run_group(struct fixture *f, struct queued *queued, const enum kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        queued[i] = (struct queued){.f = f, .kind = kinds[i]};
        assert_int_equal(pthread_create(&queued[i].thread, NULL, queued_main, &queued[i]), 0);
        while (queue_length(f) <= i)
            usleep(100);
    }
    commit(f);
    for (size_t i = 0; i < count; i++)
        pthread_join(queued[i].thread, NULL);
}

static int64_t count_rows(struct fixture *f, const char *sql)
{
    struct session session;
    int64_t count = -1;

    session_begin_on(&session, f->store, true);
    assert_int_equal(connection_pragma(session.tx->connection, sql, &count, &f->err), 0);
    session_end_on(&session, 0);
    return count;
}

static bool job_exists(struct fixture *f, const struct id *id)
{
    struct session session;
    struct job *job;
    struct err err = ERR_INIT;
    bool exists;

    session_begin_on(&session, f->store, true);
    exists = tx_job_by_id(session.tx, id, f->arena, &job, &err) == 0;
    session_end_on(&session, 0);
    return exists;
}

static void allow_pages_more(struct fixture *f, struct tx *tx, int more)
{
    char sql[64];
    int64_t pages;

    ok(connection_pragma(tx->connection, "PRAGMA page_count", &pages, &f->err));
    snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %d", (int)pages + more);
    ok(connection_exec(tx->connection, sql, &f->err));
}

static void a_function_that_fails_leaves_nothing_and_its_neighbours_stay(void **state)
{
    struct fixture *f = *state;
    struct queued queued[3];

    begin(f);
    run_group(f, queued, (enum kind[]){GOOD, FAILS, GOOD}, 3);
    assert_int_equal(queued[0].result, 0);
    assert_int_equal(queued[1].result, -1);
    assert_int_equal(queued[1].err.code, ERR_CONFLICT);
    assert_int_equal(queued[2].result, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(queued[i].ran, i == 2 ? 1 : 2); /* in one group, and again with savepoints */
        assert_int_equal(job_exists(f, &queued[i].job.id), i != 1);
    }
    assert_int_equal(count_rows(f, "SELECT count(*) FROM step"), 2);
}

static void when_sqlite_leaves_the_transaction_each_function_is_run_again_alone(void **state)
{
    struct fixture *f = *state;
    struct queued queued[3];

    allow_pages_more(f, begin(f), 50);
    run_group(f, queued, (enum kind[]){GOOD, FILLS, GOOD}, 3);
    assert_int_equal(queued[0].ran, 3); /* in one group, with savepoints, alone */
    assert_int_equal(queued[0].result, 0);
    assert_int_equal(queued[1].result, -1);
    assert_int_equal(queued[1].err.code, ERR_STORE_FULL);
    assert_int_equal(queued[2].result, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(job_exists(f, &queued[i].job.id), i != 1);
    assert_int_equal(count_rows(f, "SELECT count(*) FROM job"), 2);
    assert_int_equal(count_rows(f, "SELECT count(*) FROM step"), 2);
}

static void a_function_that_hides_a_lost_transaction_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct queued queued[3];

    begin(f);
    run_group(f, queued, (enum kind[]){LOSES}, 1);
    assert_int_equal(queued[0].result, -1);
    assert_string_equal(queued[0].err.message, "the transaction was lost in queued");
    begin(f);
    run_group(f, queued, (enum kind[]){GOOD, LOSES, GOOD}, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(queued[i].result, i == 1 ? -1 : 0);
        assert_int_equal(job_exists(f, &queued[i].job.id), i != 1);
    }
    assert_int_equal(queued[0].ran, 3);
    assert_int_equal(count_rows(f, "SELECT count(*) FROM job"), 2);
}

static void when_none_fails_each_function_of_a_group_runs_once(void **state)
{
    struct fixture *f = *state;
    struct queued queued[3];

    begin(f);
    run_group(f, queued, (enum kind[]){GOOD, GOOD, GOOD}, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(queued[i].result, 0);
        assert_int_equal(queued[i].ran, 1);
        assert_true(job_exists(f, &queued[i].job.id));
    }
}

static void *close_main(void *arg)
{
    store_close(arg);
    return NULL;
}

static void who_comes_while_the_store_closes_is_sent_away_and_who_waited_is_served(void **state)
{
    struct fixture *f = *state;
    struct queued waits = {.f = f};
    pthread_t closer;
    struct err err = ERR_INIT;

    begin(f);
    pthread_create(&waits.thread, NULL, queued_main, &waits);
    while (queue_length(f) == 0)
        usleep(100);
    assert_int_equal(pthread_create(&closer, NULL, close_main, f->store), 0);
    while (!({
        pthread_mutex_lock(&sqlite_store_of(f->store)->writer.lock);
        bool closing = sqlite_store_of(f->store)->writer.closing;
        pthread_mutex_unlock(&sqlite_store_of(f->store)->writer.lock);
        closing;
    }))
        usleep(100);
    assert_int_equal(store_tx(f->store, "late", queued_fn, &waits, &err), -1);
    assert_int_equal(err.code, ERR_DRAINING);
    commit(f);
    pthread_join(waits.thread, NULL);
    pthread_join(closer, NULL);
    assert_int_equal(waits.result, 0);
    fixture_open(f);
    assert_true(job_exists(f, &waits.job.id));
}

/* -- a disk that is full: a tmpfs of our own -- */

#define DISK (24 * MIB)

static void fill(struct fixture *f, int64_t leave)
{
    char path[128];
    struct statvfs facts;
    static const char zeros[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/filler", f->dir);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    while (statvfs(f->dir, &facts) == 0 && (int64_t)(facts.f_bavail * facts.f_frsize) > leave)
        if (write(fd, zeros, sizeof(zeros)) < 0)
            break;
    close(fd);
}

static bool file_exists(struct fixture *f, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    return access(path, F_OK) == 0;
}

/* The database on a small disk of its own, data_dir on another. */
static char data_dir[FOLDER_SIZE];

static int small_disk_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    fixture_dir(f);
    folder_make("data", data_dir);
    f->options.data_dir = data_dir;
    assert_int_equal(unshare(CLONE_NEWNS), 0);
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    assert_int_equal(mount("tmpfs", f->dir, "tmpfs", 0, "size=24m"), 0);
    f->options.min_free_bytes = 1 * MIB;
    fixture_open(f);
    *state = f;
    return 0;
}

static int small_disk_down(void **state)
{
    struct fixture *f = *state;

    store_close(f->store);
    umount2(f->dir, MNT_DETACH);
    rmdir(f->dir);
    folder_remove(data_dir);
    arena_free(f->arena);
    free(f);
    return 0;
}

struct put {
    int64_t job_key;
    const char *name;
    size_t size;
};
static int put_fn(struct tx *tx, void *ctx, struct err *err)
{
    static const char big[1000000];
    struct put *put = ctx;

    return tx_document_put(tx, put->job_key, put->name, (struct bytes){big, put->size}, err);
}

static void on_a_full_disk_failures_are_recorded_with_the_ballasts_room_and_jobs_are_refused(void **state)
{
    struct fixture *f = *state;
    struct job job = job_of("backup.table", "shop", "table/Sales");
    struct tx *tx = begin(f);
    char filler[128];
    int64_t sum = 0;

    ok(tx_job_insert(tx, &job, &f->err));
    commit(f);
    ok(store_tx(f->store, "test", put_fn, &(struct put){job.key, "before", 100}, &f->err));
    assert_true(file_exists(f, "recoverd.db.ballast"));
    ok(store_accepting(f->store, &f->err));
    assert_true(store_free_bytes(f->store) > 10 * MIB);

    fill(f, 0);
    refused(STORE_FULL, store_accepting(f->store, &f->err));
    ok(store_tx(f->store, "test", put_fn, &(struct put){job.key, "error", 900000}, &f->err));
    assert_false(file_exists(f, "recoverd.db.ballast"));
    refused(STORE_FULL, store_accepting(f->store, &f->err));

    fill(f, 0);
    for (int i = 0; i < 6 && sum == 0; i++) { /* the WAL still has some room of its own */
        char name[16];
        snprintf(name, sizeof(name), "more%d", i);
        f->err = ERR_INIT;
        sum = store_tx(f->store, "test", put_fn, &(struct put){job.key, name, 900000}, &f->err);
    }
    assert_int_equal(sum, -1);
    assert_int_equal(f->err.code, ERR_STORE_FULL);

    snprintf(filler, sizeof(filler), "%s/filler", f->dir);
    unlink(filler);
    ok(store_accepting(f->store, &f->err));
    assert_true(file_exists(f, "recoverd.db.ballast"));
    ok(store_tx(f->store, "test", put_fn, &(struct put){job.key, "after", 900000}, &f->err));
    store_close(f->store);
    fixture_open(f);
    assert_int_equal(
        count_rows(f, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    assert_true(count_rows(f, "SELECT count(*) FROM document WHERE name IN ('before', 'error', 'after')") ==
                3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
    const struct CMUnitTest tests[] = {
        TEST(a_function_that_fails_leaves_nothing_and_its_neighbours_stay),
        TEST(when_none_fails_each_function_of_a_group_runs_once),
        TEST(when_sqlite_leaves_the_transaction_each_function_is_run_again_alone),
        TEST(a_function_that_hides_a_lost_transaction_is_not_believed),
        TEST(who_comes_while_the_store_closes_is_sent_away_and_who_waited_is_served),
        cmocka_unit_test_setup_teardown(
            on_a_full_disk_failures_are_recorded_with_the_ballasts_room_and_jobs_are_refused, small_disk_up,
            small_disk_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
