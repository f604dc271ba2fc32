#include "jobs/names.h"

#include "base/cleanup.h"
#include "engine/engine.h"

struct made {
    const char *environment;
    const char *table;
    bool exists;
};

static int read_made(struct tx *tx, void *ctx, struct err *err)
{
    struct made *made = ctx;
    return tx_made_table_exists(tx, made->environment, made->table, &made->exists, err);
}

int names_table(struct ask *ask, const char *table, const char *pointer, struct err *err)
{
    struct made made = {.environment = ask->environment->name, .table = table};

    if (environment_lists_table(ask->environment, table))
        return 0;
    if (store_read(engine_store(ask->engine), read_made, &made, err) < 0)
        return -1;
    if (!made.exists)
        fault_add_code(ask->faults, ERR_RESOURCE_NOT_IN_ENVIRONMENT, pointer,
                       "table %s is not listed in environment %s, and none of its jobs made it", table,
                       ask->environment->name);
    return 0;
}

int names_new_table(struct ask *ask, const char *table, const char *pointer, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < ask->config->environment_count; i++) {
        const struct environment *other = &ask->config->environments[i];

        if (!str_is(other->name, ask->environment->name) && environment_lists_table(other, table)) {
            /* The other's name is not said: the caller may not be one who sees it. */
            fault_add_code(ask->faults, ERR_RESOURCE_NOT_IN_ENVIRONMENT, pointer,
                           "the name %s belongs to another environment", table);
            return 0;
        }
    }
    return 0;
}

/* A resource that is named twice is one touch; writing is the stronger one. */
static int touch(struct ask *ask, const char *resource, bool write, struct err *err)
{
    if (!resource)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request");
    for (size_t i = 0; i < ask->touch_count; i++)
        if (str_is(ask->touches[i].resource, resource)) {
            ask->touches[i].write |= write;
            return 0;
        }
    if (ask->touch_count == COUNT_OF(ask->touches))
        return err_set(err, ERR_LIMIT_EXCEEDED, "a job touches more than %zu things", COUNT_OF(ask->touches));
    ask->touches[ask->touch_count++] = (struct touch){resource, write};
    return 0;
}

int names_touch_table(struct ask *ask, const char *table, bool write, struct err *err)
{
    /* Without an account the peer is an emulator on loopback: its tables are those of its region. */
    const char *account = ask->environment->account ? ask->environment->account : "local";

    return touch(
        ask, arena_printf(ask->arena, "dynamodb:%s:%s:table/%s", account, ask->environment->region, table),
        write, err);
}

int names_touch_point(struct ask *ask, const char *id, bool write, struct err *err)
{
    return touch(ask, arena_printf(ask->arena, "point:%s", id), write, err);
}

int names_resource(struct ask *ask, const char *table, struct err *err)
{
    ask->resource = arena_printf(ask->arena, "table/%s", table);
    return ask->resource ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a request");
}
