#include "handlers/environment_tables.h"

#include "aws/dynamodb.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"

/* -- names -- */

static bool has(const struct table_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->tables[i].name, name) == 0)
            return true;
    return false;
}

static void add(struct table_list *list, const char *name)
{
    if (has(list, name))
        return;
    if (list->count < ENVIRONMENT_TABLES_MAX)
        list->tables[list->count++] = (struct table_state){.name = name};
    else
        err_set(&list->err, ERR_LIMIT_EXCEEDED, "more than %d tables; the others are not shown",
                ENVIRONMENT_TABLES_MAX);
}

/* One more than can be shown, so that it is known when there are more. What was found before a failure is
 * shown. */
static void expand(struct aws_session *aws, const struct environment *environment, struct arena *arena,
                   struct table_list *list)
{
    struct name_list found;

    dynamodb_tables_of(aws, environment, ENVIRONMENT_TABLES_MAX + 1, arena, &found, &list->err);
    for (size_t i = 0; i < found.count; i++)
        add(list, found.names[i]);
}

/* -- asking -- */

/* What outlives the next question, whose answer takes the scratch. */
static void keep(struct table_state *state, const struct dynamodb_table *table, struct arena *arena)
{
    state->arn = arena_strdup(arena, table->arn);
    state->table_id = arena_strdup(arena, table->table_id);
    state->status = arena_strdup(arena, table->status);
    state->table_class = arena_strdup(arena, table->table_class);
    state->created_ms = table->created_ms;
    state->items = table->items;
    state->bytes = table->bytes;
    state->on_demand = table->on_demand;
    state->read_units = table->read_units;
    state->write_units = table->write_units;
    state->deletion_protection = table->deletion_protection;
    state->known = state->status != NULL;
}

static void ask(struct aws_session *aws, struct table_state *state, struct arena *scratch,
                struct arena *arena)
{
    struct dynamodb_table table;
    struct dynamodb_pitr pitr;

    arena_reset(scratch);
    if (dynamodb_describe_table(aws, state->name, scratch, &table, &state->err) < 0)
        return;
    keep(state, &table, arena);
    if (dynamodb_describe_pitr(aws, state->name, &pitr, &state->pitr_err) < 0)
        return;
    state->pitr = pitr.enabled;
    state->pitr_days = pitr.period_days;
    state->pitr_earliest_ms = pitr.earliest_ms;
    state->pitr_latest_ms = pitr.latest_ms;
}

static void ask_all(struct aws_session *aws, int64_t deadline_boot_ms, struct arena *arena,
                    struct table_list *list)
{
    _cleanup_(arena_free_p) struct arena *scratch = arena_new(AWS_CONTROL_REPLY_MAX);

    list->complete = scratch && list->err.code == ERR_NONE;
    for (size_t i = 0; scratch && i < list->count; i++) {
        if (clock_boot_ms() >= deadline_boot_ms)
            err_set(&list->tables[i].err, ERR_AWS_TIMEOUT, "not asked: the time for this answer was over");
        else
            ask(aws, &list->tables[i], scratch, arena);
        list->complete &= list->tables[i].known;
    }
}

int table_list_read(struct engine *engine, const struct environment *environment, int64_t deadline_boot_ms,
                    struct arena *arena, struct table_list *ret_list, struct err *err)
{
    _cleanup_(engine_session_done_p) struct engine_session *session = NULL;
    struct table_list list = {.tables = arena_array(arena, struct table_state, ENVIRONMENT_TABLES_MAX)};

    if (!list.tables)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    for (size_t i = 0; i < environment->tables.count; i++)
        if (!is_glob(environment->tables.names[i]))
            add(&list, environment->tables.names[i]);
    if (engine_session_open(engine, environment->name, deadline_boot_ms - clock_boot_ms(), &session,
                            &list.err) == 0) {
        if (environment_has_globs(environment))
            expand(engine_session_aws(session), environment, arena, &list);
        ask_all(engine_session_aws(session), deadline_boot_ms, arena, &list);
    }
    *ret_list = list;
    return 0;
}
