/*
 * The seam below the SQL. Table files (jobs.c, parts.c ...) hold the SQL once, in the portable subset of
 * REFERENCE.md section 4.5, and reach it through query.h; a backend is one `struct store_ops`. A backend
 * embeds `struct store` as its first member and hands `struct tx` to store functions. Not for other rooms.
 */
#pragma once
#include "base/clock.h"
#include "store/jobs.h"
#include "store/store.h"

struct store_ops;

struct store {
    const struct store_ops *ops;
};

struct tx {
    struct store *store;
    void *connection; /* the backend's own */
};

enum value_type { VALUE_NULL, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BLOB };

/* A value bound to ?N or read from a column. Bytes are borrowed. */
struct value {
    enum value_type type;
    int64_t integer;
    double real;
    struct bytes bytes;
};

struct store_ops {
    const char *scheme; /* "sqlite:" */

    int (*open)(const struct store_options *options, struct store **ret_store, struct err *err);
    void (*close)(struct store *store);
    int (*tx)(struct store *store, const char *name, store_fn *fn, void *ctx, struct err *err);
    int (*read)(struct store *store, bool ops, store_fn *fn, void *ctx, struct err *err);
    int (*accepting)(struct store *store, struct err *err);
    int64_t (*free_bytes)(struct store *store);

    /* Makes the statement of this text ready, values bound from ?1 on. The text is a static array: its
     * address is what prepared statements are cached by. The values' bytes stay borrowed until done. The same
     * text may be open more than once. */
    int (*begin)(struct tx *tx, const char *sql, const struct value *values, size_t count,
                 void **ret_statement, struct err *err);
    int (*next)(struct tx *tx, void *statement, struct err *err); /* 1: a row, 0: no more */
    /* Column of the present row; bytes are borrowed until next or done. */
    struct value (*column)(void *statement, int column);
    int64_t (*changes)(struct tx *tx); /* rows that the statement just ended has written */
    void (*done)(struct tx *tx, void *statement);
};

extern const struct store_ops store_sqlite;
