#include "store/query.h"

#include <string.h>

int no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "no memory for rows of the store");
}

int query_open(struct query *query, struct tx *tx, const char *sql, const struct value *values, size_t count,
               struct err *err)
{
    *query = (struct query){.tx = tx};
    return tx->store->ops->begin(tx, sql, values, count, &query->statement, err);
}

int query_ok(const struct query *query, struct err *err)
{
    return query->no_memory ? no_memory(err) : 0;
}

int query_next(struct query *query, struct err *err)
{
    query->column = 0;
    if (query_ok(query, err) < 0)
        return -1;
    return query->tx->store->ops->next(query->tx, query->statement, err);
}

void query_done(struct query *query)
{
    if (query->statement)
        query->tx->store->ops->done(query->tx, query->statement);
    query->statement = NULL;
}

static struct value next_column(struct query *query)
{
    return query->tx->store->ops->column(query->statement, query->column++);
}

int64_t q_int(struct query *query)
{
    return next_column(query).integer;
}

bool q_bool(struct query *query)
{
    return q_int(query) != 0;
}

double q_real(struct query *query)
{
    return next_column(query).real;
}

struct bytes q_borrow(struct query *query)
{
    return next_column(query).bytes;
}

struct bytes q_bytes(struct query *query, struct arena *arena)
{
    struct value value = next_column(query);
    struct bytes copy = {0};

    if (value.type != VALUE_TEXT && value.type != VALUE_BLOB)
        return copy;
    copy = arena_bytes(arena, value.bytes);
    if (!copy.data)
        query->no_memory = true;
    return copy;
}

char *q_text(struct query *query, struct arena *arena)
{
    struct bytes copy = q_bytes(query, arena);

    return (char *)(uintptr_t)copy.data; /* arena_bytes closes its copy with NUL */
}

struct id q_id(struct query *query)
{
    struct bytes bytes = q_borrow(query);
    struct id id = {0};

    if (bytes.data && bytes.len == sizeof(id.bytes))
        memcpy(id.bytes, bytes.data, sizeof(id.bytes));
    return id;
}

bool q_hash(struct query *query, struct hash *ret_hash)
{
    struct bytes bytes = q_borrow(query);

    *ret_hash = (struct hash){0};
    if (!bytes.data || bytes.len != sizeof(ret_hash->bytes))
        return false;
    memcpy(ret_hash->bytes, bytes.data, sizeof(ret_hash->bytes));
    return true;
}

int query_run(struct tx *tx, const char *sql, const struct value *values, size_t count, struct err *err)
{
    _query_ struct query query = QUERY_NONE;
    int more;

    if (query_open(&query, tx, sql, values, count, err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0)
        continue;
    return more;
}

int query_update(struct tx *tx, const char *sql, const struct value *values, size_t count, enum err_code none,
                 const char *what, struct err *err)
{
    if (query_run(tx, sql, values, count, err) < 0)
        return -1;
    if (tx->store->ops->changes(tx) == 0)
        return err_set(err, none, "no such %s", what);
    return 0;
}

int query_int(struct tx *tx, const char *sql, const struct value *values, size_t count, int64_t *ret_value,
              struct err *err)
{
    _query_ struct query query = QUERY_NONE;
    int64_t value;
    int more;

    if (query_open(&query, tx, sql, values, count, err) < 0 || (more = query_next(&query, err)) < 0)
        return -1;
    if (more == 0)
        return 0;
    value = q_int(&query);
    while ((more = query_next(&query, err)) > 0) /* a statement with RETURNING has done all only at its end */
        continue;
    if (more < 0)
        return -1;
    *ret_value = value;
    return 1;
}

void *array_add(struct array *array, struct err *err)
{
    if (array->count == array->room) {
        size_t room = array->room ? array->room * 2 : 16;
        char *data = arena_alloc_array(array->arena, array->element, room);

        if (!data) {
            no_memory(err);
            return NULL;
        }
        if (array->count)
            memcpy(data, array->data, array->count * array->element);
        array->data = data;
        array->room = room;
    }
    return array->data + array->element * array->count++;
}
