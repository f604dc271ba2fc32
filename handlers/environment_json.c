/* Tables of an environment as JSON: declared in handlers/environment_tables.h. */
#include "handlers/environment_tables.h"

#include "http/problem.h"

void put_failure(struct json_writer *w, const char *name, const struct err *failure)
{
    json_put_object(w, name);
    http_problem_members(w, failure);
    json_put_object_end(w);
}

static void put_billing(struct json_writer *w, const struct table_state *table)
{
    json_put_object(w, "billing");
    json_put_text(w, "mode", table->on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
    if (!table->on_demand) {
        json_put_int(w, "read_units", table->read_units);
        json_put_int(w, "write_units", table->write_units);
    }
    json_put_object_end(w);
}

static void put_pitr(struct json_writer *w, const struct table_state *state)
{
    if (state->pitr_err.code != ERR_NONE) {
        put_failure(w, "pitr_error", &state->pitr_err);
        return;
    }
    json_put_object(w, "pitr");
    json_put_flag(w, "enabled", state->pitr);
    if (state->pitr_days > 0)
        json_put_int(w, "recovery_period_days", state->pitr_days);
    json_put_time_opt(w, "earliest_restorable_at", state->pitr_earliest_ms);
    json_put_time_opt(w, "latest_restorable_at", state->pitr_latest_ms);
    json_put_object_end(w);
}

static void put_table(struct json_writer *w, const struct table_state *state)
{
    json_put_object(w, NULL);
    json_put_text(w, "name", state->name);
    if (state->known) {
        json_put_text(w, "status", state->status);
        json_put_text(w, "arn", state->arn);
        json_put_text(w, "table_id", state->table_id);
        json_put_time(w, "created_at", state->created_ms);
        json_put_int(w, "items", state->items);
        json_put_int(w, "bytes", state->bytes);
        put_billing(w, state);
        json_put_text(w, "table_class", state->table_class);
        json_put_flag(w, "deletion_protection", state->deletion_protection);
        put_pitr(w, state);
    } else {
        json_put_null(w, "status");
        if (state->err.code != ERR_NONE)
            put_failure(w, "error", &state->err);
    }
    json_put_object_end(w);
}

void table_list_write(struct json_writer *w, const struct table_list *list)
{
    json_put_array(w, "tables");
    for (size_t i = 0; i < list->count; i++)
        put_table(w, &list->tables[i]);
    json_put_array_end(w);
    json_put_flag(w, "complete", list->complete);
    json_put_array(w, "unknown");
    for (size_t i = 0; i < list->count; i++)
        if (!list->tables[i].known)
            json_put_text(w, NULL, list->tables[i].name);
    json_put_array_end(w);
    if (list->err.code != ERR_NONE)
        put_failure(w, "tables_error", &list->err);
}
