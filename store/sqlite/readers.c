/*
 * Read-only connections, lent for one read each. A view of the database stays open for the next reads as long
 * as nothing was committed: to begin and to end one costs two calls of the kernel for its lock.
 */
#include "store/sqlite/backend.h"

#include "base/clock.h"
#include "store/query.h"

int readers_open(struct sqlite_store *store, struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(store->readers.connections); i++)
        if (connection_open(store->path, false, &store->readers.connections[i], err) < 0)
            return -1;
    return 0;
}

void readers_close(struct sqlite_store *store)
{
    for (size_t i = 0; i < COUNT_OF(store->readers.connections); i++)
        connection_close(&store->readers.connections[i]);
}

/* The index of a free one of the range, or -1. */
static int free_one(const struct readers *readers, bool ops)
{
    for (int i = ops ? READER_OPS : 0; i < (ops ? READER_OPS + 1 : STORE_READERS); i++)
        if (!readers->lent[i])
            return i;
    return -1;
}

static int lend(struct readers *readers, bool ops)
{
    int at;

    pthread_mutex_lock(&readers->lock);
    while ((at = free_one(readers, ops)) < 0)
        pthread_cond_wait(ops ? &readers->wake_ops : &readers->wake, &readers->lock);
    readers->lent[at] = true;
    pthread_mutex_unlock(&readers->lock);
    return at;
}

static void take_back(struct readers *readers, int at)
{
    pthread_mutex_lock(&readers->lock);
    readers->lent[at] = false;
    pthread_cond_signal(at == READER_OPS ? &readers->wake_ops : &readers->wake);
    pthread_mutex_unlock(&readers->lock);
}

/* An error may have ended it already. Nothing was written, so what can fail is memory; then the transaction
 * stays, holds its view of the database, and is ended before the next one. */
static int end_view(struct tx *tx, struct err *err)
{
    static const char commit[] = "COMMIT";

    return sqlite3_get_autocommit(((struct connection *)tx->connection)->db)
               ? 0
               : query_run(tx, commit, NO_VALUES, err);
}

/* Of the newest state of the database, or newer than what anyone was told of. Its age is bounded for what
 * another program may have written. */
static int begin_view(struct sqlite_store *store, struct tx *tx, struct err *err)
{
    static const char begin[] = "BEGIN";
    struct connection *connection = tx->connection;
    uint64_t commits = atomic_load(&store->commits);
    int64_t now = clock_boot_ms();

    if (!sqlite3_get_autocommit(connection->db) && connection->view_commits == commits &&
        now - connection->view_ms < STORE_VIEW_MS)
        return 0;
    connection->view_commits = commits;
    connection->view_ms = now;
    return end_view(tx, err) < 0 ? -1 : query_run(tx, begin, NO_VALUES, err);
}

static int read_on(struct sqlite_store *store, struct connection *connection, store_fn *fn, void *ctx,
                   struct err *err)
{
    struct tx tx = {&store->store, connection};
    struct err ignored = ERR_INIT;
    int result = begin_view(store, &tx, err);

    if (result == 0)
        result = fn(&tx, ctx, err);
    if (result < 0)
        end_view(&tx, &ignored);
    return result;
}

void readers_let_go(struct sqlite_store *store)
{
    struct readers *readers = &store->readers;
    struct err ignored = ERR_INIT;

    pthread_mutex_lock(&readers->lock);
    for (size_t i = 0; i < COUNT_OF(readers->connections); i++) {
        struct tx tx = {&store->store, &readers->connections[i]};

        if (!readers->lent[i] && readers->connections[i].db)
            end_view(&tx, &ignored);
    }
    pthread_mutex_unlock(&readers->lock);
}

int readers_read(struct store *base, bool ops, store_fn *fn, void *ctx, struct err *err)
{
    struct sqlite_store *store = sqlite_store_of(base);
    int at = lend(&store->readers, ops);
    int result = read_on(store, &store->readers.connections[at], fn, ctx, err);

    take_back(&store->readers, at);
    return result;
}
