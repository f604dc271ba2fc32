/*
 * Running one SQL text from a store function. Parameters are ?1.. in the order of VALUES(...); columns are
 * read in the order of the SELECT, each call takes the next one. Memory that a column needs and the arena
 * does not have is remembered: query_next or query_ok then fail with NO_MEMORY, so that readers of rows need
 * no check of their own. Not for other rooms.
 */
#pragma once
#include "base/cleanup.h"
#include "store/driver.h"

/* Zero ids and absent bytes are NULL in the database, as a NULL text is. */
static inline struct value v_int(int64_t integer)
{
    return (struct value){.type = VALUE_INT, .integer = integer};
}
static inline struct value v_real(double real)
{
    return (struct value){.type = VALUE_REAL, .real = real};
}
static inline struct value v_text(const char *text)
{
    return (struct value){.type = text ? VALUE_TEXT : VALUE_NULL, .bytes = bytes_of(text)};
}
static inline struct value v_bytes(struct bytes bytes)
{
    return (struct value){.type = bytes.data ? VALUE_BLOB : VALUE_NULL, .bytes = bytes};
}
static inline struct value v_id(const struct id *id)
{
    return (struct value){.type = id_is_zero(id) ? VALUE_NULL : VALUE_BLOB,
                          .bytes = {(const char *)id->bytes, sizeof(id->bytes)}};
}
static inline struct value v_hash(const struct hash *hash)
{
    return (struct value){.type = VALUE_BLOB, .bytes = {(const char *)hash->bytes, sizeof(hash->bytes)}};
}
static inline struct value v_hash_if(bool has, const struct hash *hash)
{
    return has ? v_hash(hash) : (struct value){.type = VALUE_NULL};
}

#define VALUES(...)                                                                                          \
    ((const struct value[]){__VA_ARGS__}),                                                                   \
        (sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value))
#define NO_VALUES NULL, 0

struct query {
    struct tx *tx;
    void *statement;
    int column; /* the next one to read */
    bool no_memory;
};
#define QUERY_NONE ((struct query){0})
#define _query_ _cleanup_(query_done)

int query_open(struct query *query, struct tx *tx, const char *sql, const struct value *values, size_t count,
               struct err *err);
int query_next(struct query *query, struct err *err); /* 1: a row, 0: no more, -1 */
int query_ok(const struct query *query, struct err *err);
void query_done(struct query *query); /* accepts QUERY_NONE */

int64_t q_int(struct query *query); /* 0 for NULL */
bool q_bool(struct query *query);
double q_real(struct query *query);
char *q_text(struct query *query, struct arena *arena);         /* NULL for NULL */
struct bytes q_bytes(struct query *query, struct arena *arena); /* data NULL for NULL */
struct id q_id(struct query *query);
bool q_hash(struct query *query, struct hash *ret_hash); /* false for NULL, and then the hash is zero */
struct bytes q_borrow(struct query *query);              /* until the next query_next */

/* Runs to the end and does not look at rows. */
int query_run(struct tx *tx, const char *sql, const struct value *values, size_t count, struct err *err);
/* Fails with `none` and "no such WHAT" when no row was written. */
int query_update(struct tx *tx, const char *sql, const struct value *values, size_t count, enum err_code none,
                 const char *what, struct err *err);
/* The first column of the first row: 1, 0 without a row, -1. */
int query_int(struct tx *tx, const char *sql, const struct value *values, size_t count, int64_t *ret_value,
              struct err *err);

/* An array that grows in an arena. */
struct array {
    struct arena *arena;
    char *data;
    size_t element, count, room;
};
#define ARRAY_OF(in_arena, type) ((struct array){.arena = (in_arena), .element = sizeof(type)})
void *array_add(struct array *array,
                struct err *err); /* a zeroed element, valid until the next array_add; NULL: NO_MEMORY */

int no_memory(struct err *err);
