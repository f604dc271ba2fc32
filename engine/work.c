/* What step functions call: the fence, durable state, audit pairs, progress, and the things they wait for. */
#include "base/clock.h"
#include "engine/internal.h"

/* -- the signal -- */

static enum err_code asked(void *arg)
{
    struct work_private *private = arg;
    int signal = atomic_load(&private->signal);

    if (signal == ERR_NONE && clock_boot_ms() >= atomic_load(&private->lease_until))
        return ERR_LEASE_LOST; /* nobody renewed it in time: another process may hold the part */
    return (enum err_code)signal;
}

int work_go(struct work *work, struct err *err)
{
    enum err_code code = asked(work->private);

    if (code == ERR_NONE)
        return 0;
    if (code == ERR_CANCELLED && work->step && step_always(work->engine, work->job->kind, work->step->name))
        return 0; /* what gives back is not cancelled half-way */
    return err_set(err, code, "%s",
                   code == ERR_CANCELLED  ? "cancelled"
                   : code == ERR_DRAINING ? "the server is shutting down"
                                          : "the lease is lost");
}

static enum err_code asked_by_call(void *arg)
{
    struct work *work = arg;
    struct err err = ERR_INIT;

    work_go(work, &err);
    return err.code;
}

struct http_interrupt work_interrupt(struct work *work)
{
    return (struct http_interrupt){asked_by_call, work};
}

void work_session_open(struct work *work, struct aws *aws, struct http_client *client)
{
    struct aws_session *session = &work->private->session;

    aws_session_init(session, aws, client);
    session->interrupt = work_interrupt(work);
    session->attempted = engine_count_aws;
    work->aws = session;
}

void work_session_close(struct work *work)
{
    aws_session_done(work->aws);
    work->aws = NULL;
}

int work_sleep(struct work *work, int64_t ms, struct err *err)
{
    struct http_interrupt interrupt = work_interrupt(work);

    if (http_client_sleep(work->private->worker->client, ms, &interrupt, err) < 0)
        return -1;
    return work_go(work, err);
}

/* -- fenced transactions -- */

struct fenced {
    struct work *work;
    store_fn *fn;
    void *ctx;
};

static int fenced_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct fenced *f = ctx;

    if (tx_part_check(tx, &f->work->private->lease, err) < 0)
        return -1;
    return f->fn(tx, f->ctx, err);
}

int work_tx(struct work *work, const char *name, store_fn *fn, void *ctx, struct err *err)
{
    struct fenced fenced = {work, fn, ctx};

    return store_tx(work->engine->store, name, fenced_tx, &fenced, err);
}

/* -- durable state -- */

struct document {
    struct work *work;
    const char *name;
    struct bytes json;
};

static int document_get(struct tx *tx, void *ctx, struct err *err)
{
    struct document *d = ctx;

    return tx_document_get(tx, d->work->job->key, d->name, d->work->arena, &d->json, err);
}

static int document_put(struct tx *tx, void *ctx, struct err *err)
{
    struct document *d = ctx;

    return tx_document_put(tx, d->work->job->key, d->name, d->json, err);
}

static int parse_document(struct bytes text, json_t **ret_value, struct err *err)
{
    static const struct json_limits limits = {.max_depth = DOCUMENT_DEPTH};

    *ret_value = NULL;
    return text.data ? json_parse(text, &limits, ret_value, err) : 0;
}

int work_state_get(struct work *work, const char *name, json_t **ret_value, struct err *err)
{
    struct document d = {.work = work, .name = arena_printf(work->arena, "state.%s", name)};

    if (!d.name)
        return err_set(err, ERR_NO_MEMORY, "no memory for state %s", name);
    if (store_read(work->engine->store, document_get, &d, err) < 0)
        return -1;
    return parse_document(d.json, ret_value, err);
}

int work_state_put(struct work *work, const char *name, const json_t *value, struct err *err)
{
    struct document d = {work, arena_printf(work->arena, "state.%s", name),
                         bytes_of(json_canonical(work->arena, value))};

    if (!d.name || !d.json.data)
        return err_set(err, ERR_NO_MEMORY, "no memory for state %s", name);
    if (d.json.len > DOCUMENT_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "state %s: more than %lld bytes", name, DOCUMENT_MAX);
    return work_tx(work, "state", document_put, &d, err);
}

/* -- splits and advances -- */

int work_split(struct work *work, const char *name, const json_t *spec, struct err *err)
{
    struct split *split = arena_make(work->arena, struct split);

    if (work->private->split_count >= PARTS_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "more than %d parts", PARTS_MAX);
    if (!split || !(split->name = arena_strdup(work->arena, name)) ||
        !(split->spec = bytes_of(json_canonical(work->arena, spec))).data)
        return err_set(err, ERR_NO_MEMORY, "no memory for parts");
    split->next = work->private->splits;
    work->private->splits = split;
    work->private->split_count++;
    return 0;
}

struct advancing {
    struct work *work;
    const struct advance *advance;
};

static int advance_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct advancing *a = ctx;
    const struct advance *adv = a->advance;

    if (tx_part_advance(tx, &a->work->private->lease, adv->cursor, adv->items, adv->bytes, adv->file ? 1 : 0,
                        err) < 0)
        return -1;
    if (adv->file && tx_data_file_insert(tx, a->work->job->key, adv->file, err) < 0)
        return -1;
    return adv->more ? adv->more(tx, adv->more_ctx, err) : 0;
}

int work_advance(struct work *work, const struct advance *advance, struct err *err)
{
    struct advancing a = {work, advance};

    if (work_go(work, err) < 0 || work_tx(work, "advance", advance_tx, &a, err) < 0)
        return -1;
    work->part->attempts = 0; /* as in the row: what fails now and then, and moves on, does not fail */
    work->private->pending_items -= advance->items;
    work->private->pending_bytes -= advance->bytes;
    return 0;
}

int work_again(struct work *work, int64_t ms, const char *reason)
{
    work->private->again_ms = ms;
    work->private->again_reason = reason;
    return WORK_AGAIN;
}

/* -- progress -- */

void work_progress(struct work *work, int64_t items, int64_t bytes)
{
    work->private->pending_items += items;
    work->private->pending_bytes += bytes;
    progress_add(work->engine->progress, work->job->key, items, bytes);
}

void work_progress_total(struct work *work, int64_t total, bool guess, const char *unit)
{
    progress_set_total(work->engine->progress, work->job->key, total, guess, unit);
}

/* -- what is shown on the job -- */

struct detail {
    int64_t step_key;
    const char *text;
};

static int detail_tx(struct tx *tx, void *ctx, struct err *err)
{
    const struct detail *d = ctx;

    return tx_step_set_detail(tx, d->step_key, d->text, err);
}

int work_detail(struct work *work, const char *text, struct err *err)
{
    struct detail d = {work->step->key, text};

    return work_tx(work, "detail", detail_tx, &d, err);
}

/* Reads a document of the job, changes it, writes it: in one transaction. */
enum { AS_IT_WAS, CHANGED };
struct change {
    struct work *work;
    const char *name;
    int (*apply)(json_t **value, const void *arg); /* CHANGED, AS_IT_WAS; -1 without memory */
    const void *arg;
    bool partial;
};

static int change_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct change *c = ctx;
    json_auto_t *value = NULL;
    struct bytes text;
    char *written;
    int changed;

    if (tx_document_get(tx, c->work->job->key, c->name, c->work->arena, &text, err) < 0 ||
        parse_document(text, &value, err) < 0)
        return -1;
    if (c->partial && tx_job_set_partial(tx, c->work->job->key, err) < 0)
        return -1;
    changed = c->apply(&value, c->arg);
    if (changed == AS_IT_WAS)
        return 0;
    written = changed < 0 ? NULL : json_canonical(c->work->arena, value);
    if (!written)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", c->name);
    if (tx_document_put(tx, c->work->job->key, c->name, bytes_of(written), err) < 0)
        return -1;
    return tx_job_bump_version(tx, c->work->job->key, err);
}

static int merge(json_t **value, const void *arg)
{
    if (!*value)
        *value = json_object();
    return json_object_update(*value, (json_t *)(uintptr_t)arg) < 0 ? -1 : CHANGED;
}

int work_result(struct work *work, const json_t *members, struct err *err)
{
    struct change c = {work, "result", merge, members, false};

    return work_tx(work, "result", change_tx, &c, err);
}

static int add_condition(json_t **value, const void *arg)
{
    const json_t *condition = arg;
    json_t *other;
    size_t i;

    if (!*value)
        *value = json_array();
    json_array_foreach(*value, i, other)
        if (str_is(json_get_text(other, "type"), json_get_text(condition, "type")))
            return json_array_set(*value, i, (json_t *)(uintptr_t)condition) < 0 ? -1 : CHANGED;
    return json_array_append(*value, (json_t *)(uintptr_t)condition) < 0 ? -1 : CHANGED;
}

int work_partial(struct work *work, const char *type, enum err_code reason, const char *message,
                 struct err *err)
{
    json_auto_t *condition = NULL;
    struct change c = {.work = work, .name = "conditions", .apply = add_condition, .partial = true};
    char at[TIME_SIZE];

    time_format(clock_wall_ms(), at);
    condition = json_pack("{s:s,s:s,s:s,s:o,s:s,s:s}", "type", type, "status", "False", "reason",
                          err_info(reason)->name, "message", json_of_text(message), "at", at, "step",
                          work->step->name);
    if (!condition)
        return err_set(err, ERR_NO_MEMORY, "no memory for a condition");
    c.arg = condition;
    return work_tx(work, "condition", change_tx, &c, err);
}

/* Where it stands in the list; its size when it does not. */
static size_t place_of(const json_t *list, const json_t *text)
{
    size_t i = 0;

    while (i < json_array_size(list) && !json_equal(json_array_get(list, i), text))
        i++;
    return i;
}

static int add_text(json_t **value, const void *arg)
{
    if (!*value)
        *value = json_array();
    if (place_of(*value, arg) < json_array_size(*value))
        return AS_IT_WAS;
    return json_array_append(*value, (json_t *)(uintptr_t)arg) < 0 ? -1 : CHANGED;
}

static int remove_text(json_t **value, const void *arg)
{
    return json_array_remove(*value, place_of(*value, arg)) < 0 ? AS_IT_WAS : CHANGED;
}

static int change_left_behind(struct work *work, int (*apply)(json_t **value, const void *arg),
                              const char *text, struct err *err)
{
    json_auto_t *said = json_of_text(text);
    struct change c = {work, "left_behind", apply, said, false};

    if (!said)
        return err_set(err, ERR_NO_MEMORY, "no memory for what is left behind");
    return work_tx(work, "left behind", change_tx, &c, err);
}

int work_left_behind(struct work *work, const char *text, struct err *err)
{
    return change_left_behind(work, add_text, text, err);
}

int work_not_left_behind(struct work *work, const char *text, struct err *err)
{
    return change_left_behind(work, remove_text, text, err);
}

/* -- memory and rates -- */

int work_memory_take(struct work *work, int64_t bytes, struct err *err)
{
    while (!budget_take(&work->engine->memory, bytes))
        if (work_go(work, err) < 0)
            return -1;
    work->private->memory += bytes;
    return 0;
}

void work_memory_give(struct work *work, int64_t bytes)
{
    work->private->memory -= bytes;
    budget_give(&work->engine->memory, bytes);
}

int work_rate_take(struct work *work, const char *table, bool write, double units, double units_per_second,
                   struct err *err)
{
    char key[400];
    int64_t wait_ms;

    snprintf(key, sizeof(key), "%s/%s/%s", work->environment->name, table, write ? "write" : "read");
    wait_ms = rates_spend(work->engine->rates, key, units, units_per_second);
    if (wait_ms < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for the rate of %s", key);
    return wait_ms > 0 ? work_sleep(work, wait_ms, err) : 0;
}

struct limits {
    const char *environment;
    struct environment_limits limits;
};

static int limits_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct limits *l = ctx;

    return tx_environment_limits_get(tx, l->environment, &l->limits, err);
}

int64_t work_rate_limit(struct work *work, bool write)
{
    struct limits l = {.environment = work->environment->name};
    struct err err = ERR_INIT;
    int64_t live;

    if (store_read(work->engine->store, limits_tx, &l, &err) < 0)
        l.limits =
            (struct environment_limits){0}; /* the configured ones hold when the live ones cannot be read */
    live = write ? l.limits.write_units_per_second : l.limits.read_units_per_second;
    if (live)
        return live;
    return write ? work->environment->write_units_per_second : work->environment->read_units_per_second;
}
