/* Read-only connections, lent for one read transaction each. */
#include "store/sqlite/backend.h"

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
static int end_read(struct tx *tx, struct err *err)
{
    static const char commit[] = "COMMIT";

    return sqlite3_get_autocommit(((struct connection *)tx->connection)->db)
               ? 0
               : query_run(tx, commit, NO_VALUES, err);
}

static int read_on(struct sqlite_store *store, struct connection *connection, store_fn *fn, void *ctx,
                   struct err *err)
{
    static const char begin[] = "BEGIN";
    struct tx tx = {&store->store, connection};
    struct err ignored = ERR_INIT;
    int result;

    if (end_read(&tx, err) < 0 || query_run(&tx, begin, NO_VALUES, err) < 0)
        return -1;
    result = fn(&tx, ctx, err);
    end_read(&tx, &ignored);
    return result;
}

int readers_read(struct store *base, bool ops, store_fn *fn, void *ctx, struct err *err)
{
    struct sqlite_store *store = sqlite_store_of(base);
    int at = lend(&store->readers, ops);
    int result = read_on(store, &store->readers.connections[at], fn, ctx, err);

    take_back(&store->readers, at);
    return result;
}
