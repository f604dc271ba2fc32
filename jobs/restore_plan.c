/* The plan of restore.table: what is there, what would happen, what it may take. Reads only. */
#include "base/cleanup.h"
#include "engine/engine.h"
#include "jobs/capsule.h"
#include "jobs/history.h"
#include "jobs/restore_settings.h"
#include "jobs/restore_table.h"
#include "jobs/settings.h"
#include "jobs/table_copy_internal.h"

/* Rough: on-demand write request units in us-east-1 (AWS price list, 2026-11); other regions differ by up to
 * a half. */
#define USD_PER_MILLION_WRITES 0.625

struct planned {
    struct ask *ask;
    struct planning *planning;
    struct source *source;
    json_t *capsule;
    const char *target;
    bool empty; /* into: empty */
    struct dynamodb_table table;
    bool there;
    bool own;           /* what is there is the table of the job that is tried again, */
    bool settings_only; /* which has filled and proven it: some settings are left */
};

static void planned_done(struct planned *p)
{
    source_close(p->source);
    json_decref(p->capsule);
}

/* -- what a failed job left, when it is tried again -- */

struct old_state {
    const struct ask *ask;
    struct bytes text;
};

static int old_state_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct old_state *o = ctx;

    return tx_document_get(tx, o->ask->retry_of->key, "state.table", o->ask->arena, &o->text, err);
}

/* Is the table that is there the one that the job before this one made, or was filling? */
static int find_own(struct planned *p, struct err *err)
{
    struct old_state o = {.ask = p->ask};
    json_auto_t *state = NULL;
    char origin[ID_SIZE];

    if (!p->ask->retry_of)
        return 0;
    if (store_read(engine_store(p->ask->engine), old_state_tx, &o, err) < 0)
        return -1;
    if (!o.text.data)
        return 0;
    if (json_parse(o.text, &(struct json_limits){.max_depth = 64}, &state, err) < 0)
        return -1;
    id_format(&p->ask->retry_of->origin_id, origin);
    if (!json_get_bool(state, "found", false))
        return table_is_made(p->ask->aws, state, origin, &p->table, &p->own, err);
    p->own = table_same(state, &p->table);
    return 0;
}

/* -- the target -- */

static int look_at_target(struct planned *p, struct err *err)
{
    struct err failed = ERR_INIT;

    if (dynamodb_describe_table(p->ask->aws, p->target, p->ask->arena, &p->table, &failed) == 0) {
        p->there = true;
        return 0;
    }
    if (failed.code == ERR_AWS_NOT_FOUND)
        return 0;
    *err = failed;
    return -1;
}

static int judge_new(struct planned *p, struct err *err)
{
    if (p->there && !p->own)
        return err_set_at(err, ERR_TARGET_EXISTS, "/spec/target_table", "table %s is there already",
                          p->target);
    if (!p->capsule)
        fault_add_code(p->ask->faults, ERR_KEY_SCHEMA_REQUIRED, "/spec/overrides/key_schema",
                       "the source does not say what the keys of table %s are", p->target);
    return 0;
}

static int judge_empty(struct planned *p, struct err *err)
{
    bool empty;

    if (!p->there)
        return err_set_at(err, ERR_TABLE_NOT_FOUND, "/spec/target_table", "there is no table %s", p->target);
    if (!str_is(p->table.status, "ACTIVE"))
        return err_set_at(err, ERR_TABLE_NOT_ACTIVE, "/spec/target_table", "table %s is %s", p->target,
                          p->table.status);
    if (copy_same_keys(p->capsule, &p->table, err) < 0)
        return -1;
    if (p->own) /* it holds what the job before this one has written */
        return 0;
    if (copy_is_empty(p->ask->aws, p->target, &empty, err) < 0)
        return -1;
    return empty ? 0
                 : err_set_at(err, ERR_TARGET_NOT_EMPTY, "/spec/target_table", "table %s holds items",
                              p->target);
}

static json_t *target_identity(const struct planned *p)
{
    json_t *identity;

    if (!p->there)
        return json_pack("{s:b}", "absent", 1);
    identity = table_identity(&p->table);
    if (identity && !p->empty)
        json_object_set_new(identity, "made_by_retried_job", json_true());
    return identity;
}

static int judge_target(struct planned *p, struct err *err)
{
    if (look_at_target(p, err) < 0 || (p->there && find_own(p, err) < 0))
        return -1;
    if (p->settings_only && !p->own)
        return err_set_at(err, p->there ? ERR_TABLE_REPLACED : ERR_TABLE_NOT_FOUND, "/spec/target_table",
                          "the table %s that the job filled is %s: restore it anew", p->target,
                          p->there ? "another one by now" : "gone");
    if ((p->empty ? judge_empty : judge_new)(p, err) < 0)
        return -1;
    return json_object_set_new(p->planning->identities, p->ask->resource, target_identity(p)) < 0
               ? err_set(err, ERR_NO_MEMORY, "no memory for a plan")
               : 0;
}

/* -- effects and what they take -- */

static int64_t raw_bytes(const struct source *source)
{
    int64_t sum = 0;

    for (size_t i = 0; i < source->file_count; i++)
        sum += source->files[i].foreign ? source->files[i].size : source->files[i].expected.raw_size;
    return sum;
}

static size_t settings_taken(const struct planned *p)
{
    size_t count = 0;

    for (const struct setting *s = settings; s->name; s++)
        count += capsule_value(p->capsule, s->name) && restore_takes_setting(p->ask->spec, s->name);
    return count;
}

static int put_effect(struct planned *p, const char *action, int64_t count, int64_t bytes,
                      const char *reversible, struct err *err)
{
    json_t *effect =
        json_pack("{s:s,s:s,s:I,s:I,s:b,s:s}", "resource", p->ask->resource, "action", action, "count",
                  (json_int_t)count, "bytes", (json_int_t)bytes, "destructive", 0, "reversible", reversible);

    return json_array_append_new(p->planning->effects, effect) < 0
               ? err_set(err, ERR_NO_MEMORY, "no memory for a plan")
               : 0;
}

static int put_effects(struct planned *p, struct err *err)
{
    const char *undo = p->empty ? "the items can be deleted" : "the table can be deleted";
    int64_t items = p->source->items >= 0 ? p->source->items : 0;

    if (!p->empty && !p->own && put_effect(p, "create table", 1, 0, undo, err) < 0)
        return -1;
    if (!p->settings_only && put_effect(p, "put items", items, raw_bytes(p->source), undo, err) < 0)
        return -1;
    return p->capsule ? put_effect(p, "apply settings", (int64_t)settings_taken(p), 0,
                                   "each can be changed again", err)
                      : 0;
}

/* Every write also goes to each global index; a unit is 1 KiB. */
static int64_t write_units(const struct planned *p)
{
    int64_t bytes = raw_bytes(p->source) / KIB + 1, items = p->source->items >= 0 ? p->source->items : 0;
    const json_t *index;
    int64_t copies = 1;
    size_t i;

    json_array_foreach(capsule_value(p->capsule, "indexes"), i, index)
        copies += str_is(json_get_text(index, "type"), "global");
    return (bytes > items ? bytes : items) * copies;
}

static int put_estimates(struct planned *p, struct err *err)
{
    json_t *to = p->planning->estimates;
    int64_t units = p->settings_only ? 0 : write_units(p), rto_ms = p->ask->environment->rto_critical_ms;
    int64_t p95_ms;

    if (history_estimate(p->ask, to, &p95_ms, err) < 0)
        return -1;
    if (p95_ms > 0 && rto_ms > 0)
        json_object_set_new(to, "within_rto", json_boolean(p95_ms <= rto_ms));
    if (rto_ms > 0)
        json_object_set_new(to, "rto_seconds", json_integer(rto_ms / 1000));
    if (p->source->items >= 0)
        json_object_set_new(to, "items", json_integer(p->source->items));
    json_object_set_new(to, "bytes", json_integer(raw_bytes(p->source)));
    json_object_set_new(to, "write_units", json_integer(units));
    json_object_set_new(to, "aws_cost_usd", json_real((double)units / 1e6 * USD_PER_MILLION_WRITES));
    return 0;
}

/* -- warnings -- */

static void warn(struct planned *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct planned *p, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_array_append_new(p->planning->warnings, json_string(text));
}

static void put_warnings(struct planned *p)
{
    const json_t *ttl = capsule_value(p->capsule, "ttl");

    if (!p->source->point)
        warn(p, "the source is not in the catalogue: nothing but its own manifest, if it has one, vouches "
                "for it");
    if (p->source->files && p->source->file_count > 0 && p->source->files[0].foreign)
        warn(p, "the source has no sums of its own: items are compared with what the file holds when the job "
                "begins");
    if (json_is_string(ttl) &&
        !json_is_true(json_object_get(json_object_get(p->ask->spec, "settings"), "ttl")))
        warn(p,
             "TTL on %.255s comes last, and not at all when items have expired already, unless settings.ttl "
             "is true",
             json_string_value(ttl));
    for (const struct setting *s = settings; s->name; s++) {
        if (capsule_state(p->capsule, s->name) == CAPSULE_UNREADABLE)
            warn(p, "the setting %s could not be read when the backup was made; it will not be restored",
                 s->name);
        else if (setting_is_set(capsule_value(p->capsule, s->name)) && s->use >= SETTING_WHEN_NAMED &&
                 !restore_takes_setting(p->ask->spec, s->name))
            warn(p, "the setting %s is recorded but not put on the table%s", s->name,
                 s->use == SETTING_WHEN_NAMED ? " unless settings.apply names it" : "");
    }
}

int restore_table_plan(struct ask *ask, struct planning *planning, struct err *err)
{
    struct root_options options = {ask->environment, ask->aws, ask->arena, ask->config->data_dir};
    _cleanup_(planned_done) struct planned p = {.ask = ask,
                                                .planning = planning,
                                                .target = json_get_text(ask->spec, "target_table"),
                                                .empty = str_is(json_get_text(ask->spec, "into"), "empty"),
                                                .settings_only =
                                                    ask->retry_of && ask->retry_of->state == JOB_PARTIAL};
    char identity[HEX_SIZE(32)];

    if (source_open(&options, engine_store(ask->engine), json_object_get(ask->spec, "source"), &p.source,
                    err) < 0 ||
        copy_settings(p.source->capsule, ask->spec, &p.capsule, err) < 0 || judge_target(&p, err) < 0)
        return -1;
    hex_encode(p.source->identity.bytes, 32, identity);
    if (json_object_set_new(planning->identities, p.source->uri,
                            json_pack("{s:s}", "manifest_sha256", identity)) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    if (put_effects(&p, err) < 0 || put_estimates(&p, err) < 0)
        return -1;
    put_warnings(&p);
    return 0;
}
