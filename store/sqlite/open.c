#include "store/sqlite/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define SCHEME "sqlite:"

static char *dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static struct sqlite_store *store_new(const struct store_options *options)
{
    static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                    0.1,    0.25,  0.5,    1,     2.5,  5};
    struct sqlite_store *store = calloc(1, sizeof(*store));

    if (!store)
        return NULL;
    store->store.ops = &store_sqlite;
    store->lock_beside = store->lock_data = -1;
    store->on_commit = options->on_commit;
    store->on_commit_arg = options->on_commit_arg;
    store->path = strdup(options->url + strlen(SCHEME));
    store->database_dir = dir_of(options->url + strlen(SCHEME));
    store->data_dir = strdup(options->data_dir);
    store->writer.last = &store->writer.first;
    store->writer.checkpoint_at = STORE_CHECKPOINT_PAGES;
    pthread_mutex_init(&store->writer.lock, NULL);
    pthread_cond_init(&store->writer.wake, NULL);
    pthread_mutex_init(&store->readers.lock, NULL);
    pthread_cond_init(&store->readers.wake, NULL);
    pthread_cond_init(&store->readers.wake_ops, NULL);
    store->commit_seconds = metric_declare_histogram("recoverd_store_commit_duration_seconds",
                                                     "Time that a commit of the store took, sync included.",
                                                     "", bounds, COUNT_OF(bounds));
    return store;
}

/* Accepts what is half open. */
static void sqlite_close(struct store *base)
{
    struct sqlite_store *store = sqlite_store_of(base);

    writer_stop(store);
    readers_close(store);
    connection_close(&store->writer.connection); /* the last to close: checkpoints and removes the WAL */
    ballast_done(&store->ballast);
    cleanup_close(&store->lock_data);
    cleanup_close(&store->lock_beside);
    pthread_cond_destroy(&store->readers.wake_ops);
    pthread_cond_destroy(&store->readers.wake);
    pthread_mutex_destroy(&store->readers.lock);
    pthread_cond_destroy(&store->writer.wake);
    pthread_mutex_destroy(&store->writer.lock);
    free(store->path);
    free(store->database_dir);
    free(store->data_dir);
    free(store);
}

/* One beside the database and one in data_dir: no other process may have either. They are one file where the
 * database is data_dir/recoverd. */
static int take_locks(struct sqlite_store *store, struct err *err)
{
    _cleanup_(cleanup_free) char *beside = NULL;
    _cleanup_(cleanup_free) char *data = NULL;

    if (asprintf(&beside, "%s.lock", store->path) < 0)
        beside = NULL;
    if (asprintf(&data, "%s/recoverd.lock", store->data_dir) < 0)
        data = NULL;
    if (!beside || !data)
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    if (lock_take(beside, &store->lock_beside, err) < 0)
        return -1;
    return lock_is_on(store->lock_beside, data) ? 0 : lock_take(data, &store->lock_data, err);
}

/* Made before SQLite sees it, so that it and the files beside it, which copy its mode, are the owner's alone.
 */
static int create_private(const char *path, const char *dir, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool synced;

    if (fd < 0)
        return err_set(err, ERR_STORE_UNAVAILABLE, "open %s: %s", path, strerrordesc_np(errno));
    cleanup_close(&fd); /* no lock of SQLite's is open yet that this could drop */
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    synced = fd >= 0 && fsync(fd) == 0; /* SQLite syncs the folder for its journals, not for a new database */
    if (!synced)
        err_set(err, ERR_STORE_UNAVAILABLE, "sync %s: %s", dir, strerrordesc_np(errno));
    cleanup_close(&fd);
    return synced ? 0 : -1;
}

static int open_files(struct sqlite_store *store, const struct store_options *options, struct err *err)
{
    if (take_locks(store, err) < 0 || create_private(store->path, store->database_dir, err) < 0 ||
        ballast_init(&store->ballast, store, options, err) < 0 ||
        connection_open(store->path, true, &store->writer.connection, err) < 0)
        return -1;
    if (migrate_check_owner(&store->writer.connection, err) < 0 ||
        connection_write(&store->writer.connection, err) < 0 ||
        migrate(&store->writer.connection, sqlite_migrations, sqlite_migration_count, err) < 0)
        return err_wrap(err, "store %s", store->path);
    return readers_open(store, err);
}

static int sqlite_open(const struct store_options *options, struct store **ret_store, struct err *err)
{
    struct sqlite_store *store;

    /* Counting the bytes of each allocation takes a lock that every connection would meet at. Refused, and
     * not missed, when SQLite has been used already. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    store = store_new(options);
    if (!store || !store->path || !store->database_dir || !store->data_dir)
        err_set(err, ERR_NO_MEMORY, "no memory for the store");
    else if (open_files(store, options, err) == 0 && writer_start(store, err) == 0) {
        *ret_store = &store->store;
        return 0;
    }
    if (store)
        sqlite_close(&store->store);
    return -1;
}

static int sqlite_accepting(struct store *store, struct err *err)
{
    return ballast_check(&sqlite_store_of(store)->ballast, err);
}

static int64_t sqlite_free_bytes(struct store *store)
{
    return ballast_free_bytes(&sqlite_store_of(store)->ballast);
}

const struct store_ops store_sqlite = {
    .scheme = SCHEME,
    .open = sqlite_open,
    .close = sqlite_close,
    .tx = writer_tx,
    .read = readers_read,
    .accepting = sqlite_accepting,
    .free_bytes = sqlite_free_bytes,
    .begin = statement_begin,
    .next = statement_next,
    .column = statement_column,
    .changes = statement_changes,
    .done = statement_done,
};
