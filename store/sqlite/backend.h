/*
 * What the files of the SQLite backend share (DESIGN.md section 3 Store; REFERENCE.md sections 4.1, 4.2 and
 * 12). Nothing else in the program includes sqlite3.h.
 */
#pragma once
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "store/driver.h"

#define SQLITE_APPLICATION_ID 0x52435644 /* "RCVD" */

/* -- connection.c, statements.c -- */

struct statement {
    struct statement *next; /* of the same slot */
    const char *sql;
    sqlite3_stmt *prepared;
    bool busy;
    bool extra; /* there are enough of this text: not kept */
};

#define STATEMENT_SLOTS 256
struct connection {
    sqlite3 *db;
    struct statement *slots[STATEMENT_SLOTS]; /* by the address of the text */
    int wal_pages;                            /* after the last commit; the writer's only */
    uint64_t view_commits;                    /* readers' only: store->commits when its view began */
    int64_t view_ms;                          /* and when that was, by the boot clock */
};

int connection_open(const char *path, bool writer, struct connection *ret_connection, struct err *err);
/* Makes it the one connection that writes: WAL, synchronous FULL, no checkpoint at commit. Changes the file.
 */
int connection_write(struct connection *connection, struct err *err);
void connection_close(struct connection *connection); /* accepts one that was never opened */
int connection_exec(struct connection *connection, const char *sql, struct err *err);
int connection_pragma(struct connection *connection, const char *sql, int64_t *ret_value, struct err *err);
/* Turns SQLite's result code into the program's; always -1. */
int sqlite_fail(sqlite3 *db, int rc, struct err *err);

int statement_begin(struct tx *tx, const char *sql, const struct value *values, size_t count,
                    void **ret_statement, struct err *err);
int statement_next(struct tx *tx, void *statement, struct err *err);
struct value statement_column(void *statement, int column);
int64_t statement_changes(struct tx *tx);
void statement_done(struct tx *tx, void *statement);
void statements_free(struct connection *connection);

/* -- migrate.c, migrations.c -- */

struct migration {
    int number;
    const char *name;
    const char *sql; /* closed by NUL */
    const char *end;
};
extern const struct migration sqlite_migrations[];
extern const size_t sqlite_migration_count;

/* Is the file ours, or empty? Writes nothing. */
int migrate_check_owner(struct connection *writer, struct err *err);
/* Applies what is missing of `migrations` to the writer's connection; refuses what store_open refuses. */
int migrate(struct connection *writer, const struct migration *migrations, size_t count, struct err *err);

/* -- ballast.c -- */

struct ballast {
    char *path;
    const char *data_dir, *database_dir; /* borrowed from the store */
    int64_t min_free_bytes;
    bool wanted; /* not where a store is only migrated */
    pthread_mutex_t lock;
    bool there; /* guarded by it */
};

struct sqlite_store;
int ballast_init(struct ballast *ballast, const struct sqlite_store *store,
                 const struct store_options *options, struct err *err);
void ballast_done(struct ballast *ballast); /* the file stays */
/* Gives the file up, so that there is room for what must be recorded. Was there one? */
bool ballast_give_up(struct ballast *ballast);
/* STORE_FULL below the floor or without ballast; makes the ballast again when there is room. */
int ballast_check(struct ballast *ballast, struct err *err);
int64_t ballast_free_bytes(const struct ballast *ballast); /* the smaller of data_dir's and the database's */

/* -- the store -- */

/* One function waiting for the writer; lives on the stack of the thread that waits. */
struct work {
    struct work *next;
    const char *name;
    store_fn *fn;
    void *ctx;
    struct err err;
    int result;
    sem_t done;
};

struct writer {
    struct connection connection;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    struct work *first, **last;
    bool closing;
    int pages_before;  /* of the WAL, at the commit before */
    int checkpoint_at; /* pages at which the next checkpoint is due */
};

#define READER_OPS STORE_READERS /* the index of the ops listener's */
struct readers {
    pthread_mutex_t lock;
    pthread_cond_t wake, wake_ops;
    struct connection connections[STORE_READERS + 1];
    bool lent[STORE_READERS + 1];
};

struct sqlite_store {
    struct store store; /* first */
    char *path;
    char *database_dir;
    char *data_dir;
    int lock_beside, lock_data;
    struct writer writer;
    struct readers readers;
    struct ballast ballast;
    _Atomic uint64_t commits; /* of this process; counted before anyone is told of one */
    void (*on_commit)(void *arg);
    void *on_commit_arg;
    struct metric *commit_seconds;
};

static inline struct sqlite_store *sqlite_store_of(struct store *store)
{
    return (struct sqlite_store *)store;
}

int writer_start(struct sqlite_store *store, struct err *err);
void writer_stop(struct sqlite_store *store); /* after what is queued; accepts one that never started */
int writer_tx(struct store *store, const char *name, store_fn *fn, void *ctx, struct err *err);

int readers_open(struct sqlite_store *store, struct err *err);
void readers_close(struct sqlite_store *store);
int readers_read(struct store *store, bool ops, store_fn *fn, void *ctx, struct err *err);
/* Ends the views of those that are not lent: they would keep the WAL from being copied and started anew. */
void readers_let_go(struct sqlite_store *store);

/* Takes the exclusive lock of a file and writes the pid into it. STORE_UNAVAILABLE when another has it. */
int lock_take(const char *path, int *ret_fd, struct err *err);
bool lock_is_on(int fd, const char *path); /* does this open lock's file go by that name? */
