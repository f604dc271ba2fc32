/*
 * The one way to data. Transactions, not connections, are what callers see.
 *
 * SQLite backend (DESIGN.md section 3, Store): WAL, synchronous=FULL. One thread with one connection does
 * every write and every checkpoint; store_tx hands a function to it and waits. Several functions share one
 * commit, and when one fails they are run again, each in a savepoint; when SQLite has left the transaction
 * (full, I/O error, no memory) the group is run again one by one. An error from commit or sync ends the
 * process: nobody knows then what is on the disk.
 *
 * Rules for a store_fn: it may run zero to several times, on another thread; it uses only tx_* calls, the
 * caller's memory and arena; no other I/O, no lock, no clock that matters twice; what it writes through ctx
 * counts only after store_tx returned 0. It returns 0, or -1 with err, and then nothing of it remains.
 *
 * Errors of store_tx itself: STORE_FULL, STORE_UNAVAILABLE, STORE_CORRUPT, NO_MEMORY, DRAINING after
 * store_close began. Thread rule: any thread but the writer's. SQL is of the portable subset of REFERENCE.md
 * section 4.5.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

struct store;
struct tx;

struct store_options {
    const char *url;              /* sqlite:/path/recoverd.db */
    const char *data_dir;         /* locked, so that no second process works in it */
    int64_t min_free_bytes;       /* with less free here or beside the database store_accepting says no */
    void (*on_commit)(void *arg); /* after each commit, on the writer's thread, where no store_* may be
                                     called: wakes long polls and workers */
    void *on_commit_arg;
    bool migrate_only; /* nothing else will be asked of it: it takes no ballast */
};

/* Opens, takes the process locks (STORE_UNAVAILABLE when another process has one), checks application_id,
 * refuses a newer schema (SCHEMA_UNKNOWN) or a migration whose checksum differs from the one recorded, and
 * applies what is missing. CONFIG for a url of no backend. The caller closes. */
int store_open(const struct store_options *options, struct store **ret_store, struct err *err);
void store_close(struct store *store); /* after what is queued is done; nobody may read; accepts NULL */

typedef int store_fn(struct tx *tx, void *ctx, struct err *err);
int store_tx(struct store *store, const char *name, store_fn *fn, void *ctx, struct err *err);
/* One read transaction on a lent read-only connection (waits for one). Never across socket or AWS I/O. */
int store_read(struct store *store, store_fn *fn, void *ctx, struct err *err);
/* The same on the connection kept for the ops listener. */
int store_read_ops(struct store *store, store_fn *fn, void *ctx, struct err *err);

/* 0, or -1 with STORE_FULL (too little is free, or the ballast was given up and there is no room for a new
 * one): asked before a new job is accepted. */
int store_accepting(struct store *store, struct err *err);
int64_t store_free_bytes(struct store *store); /* the smaller of data_dir's and the database's */
/* The metric recoverd_store_commit_duration_seconds is the store's own. */

/* -- small durable values -- */

/* In arena; data NULL when absent. */
int tx_setting_get(struct tx *tx, const char *name, struct arena *arena, struct bytes *ret_value,
                   struct err *err);
int tx_setting_put(struct tx *tx, const char *name, struct bytes value, struct err *err);
