/* The row of backup.table, its judgement and plan, and what its steps share. */
#include "jobs/backup_table.h"

#include "jobs/backup_table_internal.h"
#include "jobs/history.h"
#include "jobs/names.h"
#include "jobs/read_rate.h"
#include "jobs/table_make.h"

/* A read request unit of the Standard class, us-east-1, since November 2024:
 * aws.amazon.com/dynamodb/pricing/on-demand.
 */
#define ON_DEMAND_USD 0.000000125

static const struct field spec[] = {
    FIELD_TABLE("table", "the table to back up", REQUIRED),
    FIELD_CHOICE("method", "\"scan\"", "scan", "how the items are read"),
    FIELD_INTEGER("segments", 1, 1000, "how many parallel scans; else by the table's size"),
    FIELD_INTEGER("read_units_per_second", 1, 10000000,
                  "at most this many read units a second; the environment's limit holds as well"),
    FIELD_MAP("tags", "kept with the recovery point"),
    FIELD_END,
};

static const struct field result[] = {
    FIELD_ID("recovery_point", "the recovery point"),
    FIELD_INTEGER("items", 0, 9e15, "items in it"),
    FIELD_INTEGER("bytes", 0, 9e15, "bytes of its lines before compression"),
    FIELD_TEXT("fingerprint", "v1:count:sum over the canonical items"),
    FIELD_END,
};

static int check(struct ask *ask, struct err *err)
{
    const char *table = json_get_text(ask->spec, "table");

    if (names_table(ask, table, "/spec/table", err) < 0 || names_resource(ask, table, err) < 0)
        return -1;
    return names_touch_table(ask, table, false, err);
}

/* -- plan -- */

/* As the scan will (backup_table_scan.c), but for a live limit (PUT /v1/environments/{name}/limits). */
static int64_t units_per_second(const struct ask *ask, const struct dynamodb_table *table)
{
    return read_rate(json_get_int(ask->spec, "read_units_per_second", 0),
                     ask->environment->read_units_per_second, table->on_demand ? 0 : table->read_units);
}

/* What the reads cost and how long they take at least: known before a first run has made any history. */
static int estimate_reads(const struct ask *ask, const struct dynamodb_table *table, int64_t units,
                          json_t *estimates, struct err *err)
{
    int64_t rate = units_per_second(ask, table);
    json_t *cost = table->on_demand ? json_real((double)units * ON_DEMAND_USD) : json_integer(0);

    return json_object_set_new(estimates, "read_units", json_integer(units)) < 0 ||
                   json_object_set_new(estimates, "read_units_per_second", json_integer(rate)) < 0 ||
                   json_object_set_new(estimates, "duration_at_least_seconds",
                                       json_integer((units + rate - 1) / rate)) < 0 ||
                   json_object_set_new(estimates, "cost_usd", cost) < 0 ||
                   json_object_set_new(estimates, "cost_of",
                                       json_string(table->on_demand
                                                       ? "on-demand reads at us-east-1's list price"
                                                       : "reads that are provisioned already")) < 0
               ? err_set(err, ERR_NO_MEMORY, "no memory for a plan")
               : 0;
}

static int estimate(struct ask *ask, const struct dynamodb_table *table, json_t *estimates, struct err *err)
{
    int64_t units = table->bytes / 4096 + 1; /* a consistent read of 4 KiB is one unit */
    int64_t p95_ms;

    if (history_estimate(ask, estimates, &p95_ms, err) < 0)
        return -1;
    if (json_object_set_new(estimates, "items", json_integer(table->items)) < 0 ||
        json_object_set_new(estimates, "bytes", json_integer(table->bytes)) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    return estimate_reads(ask, table, units, estimates, err);
}

static int plan(struct ask *ask, struct planning *planning, struct err *err)
{
    struct dynamodb_table table;
    json_t *identity;

    if (backup_describe(ask->aws, json_get_text(ask->spec, "table"), ask->arena, &table, err) < 0)
        return -1;
    identity = json_pack("{s:s,s:s*}", "arn", table.arn, "table_id", table.table_id);
    if (json_object_set_new(planning->identities, ask->resource, identity) < 0 ||
        json_array_append_new(planning->effects,
                              json_pack("{s:s,s:s,s:I,s:I,s:b,s:s}", "resource", ask->resource, "action",
                                        "read", "count", (json_int_t)table.items, "bytes",
                                        (json_int_t)table.bytes, "destructive", 0, "reversible",
                                        "nothing is changed")) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    return estimate(ask, &table, planning->estimates, err);
}

/* -- the end: what became of the recovery point -- */

static int ended(struct tx *tx, const struct job *job, enum job_state state, struct arena *arena,
                 struct err *err)
{
    struct recovery_point *point;
    struct err none = ERR_INIT;

    if (state != JOB_FAILED && state != JOB_CANCELLED)
        return 0;
    if (tx_point_by_job(tx, &job->origin_id, arena, &point, &none) < 0)
        return none.code == ERR_NOT_FOUND
                   ? 0
                   : err_set(err, none.code, "%s", none.message); /* it failed before it began one */
    if (str_is(job->error_code, err_info(ERR_RECOVERY_POINT_DAMAGED)->name))
        return tx_point_set_status(tx, &point->id, POINT_DAMAGED, job->finished_at, err);
    /* What was not read back is not done, whole as it may be; what another job has verified meanwhile is. */
    if (point->status != POINT_WRITING && point->status != POINT_AVAILABLE)
        return 0;
    return tx_point_set_status(tx, &point->id, POINT_FAILED, job->finished_at, err);
}

/* Files that were found wrong, a table that is another one by now, and what a peer said that contradicts
 * itself are no ground to go on from. */
static bool anew(const struct job *old)
{
    static const enum err_code codes[] = {ERR_RECOVERY_POINT_DAMAGED, ERR_TABLE_REPLACED, ERR_AWS_LIED};

    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (str_is(old->error_code, err_info(codes[i])->name))
            return true;
    return false;
}

const struct job_kind backup_table = {
    .name = "backup.table",
    .summary = "Back up one table",
    .role = ROLE_OPERATOR,
    .mfa = MFA_NONE,
    .may_destroy = DESTROYS_NEVER,
    .spec_version = 1,
    .spec = spec,
    .result = result,
    .max_attempts = 5,
    .takes_over = true,
    .anew = anew,
    .check = check,
    .plan = plan,
    .ended = ended,
    .steps =
        {
            {.name = "prepare", .run = backup_prepare},
            {.name = "scan", .split = backup_split, .part = backup_segment},
            {.name = "finish", .run = backup_finish},
            {.name = "read_back", .split = backup_read_back_split, .part = backup_read_back},
            {.name = "close", .run = backup_close},
        },
};

/* -- shared by the steps -- */

int backup_state(struct work *work, const char *name, json_t **ret_value, struct err *err)
{
    if (work_state_get(work, name, ret_value, err) < 0)
        return -1;
    return *ret_value ? 0 : err_set(err, ERR_INTERNAL, "the job has no state %s", name);
}

int backup_describe(struct aws_session *aws, const char *table, struct arena *arena,
                    struct dynamodb_table *ret_table, struct err *err)
{
    if (dynamodb_describe_table(aws, table, arena, ret_table, err) < 0) {
        if (err->code == ERR_AWS_NOT_FOUND)
            err->code = ERR_TABLE_NOT_FOUND;
        return -1;
    }
    if (!table_usable(ret_table))
        return err_set(err, ERR_TABLE_NOT_ACTIVE, "table %s is %s", table, ret_table->status);
    return 0;
}

int backup_root(struct work *work, struct root **ret_root, struct err *err)
{
    struct root_options options = root_options_of(work);
    json_auto_t *tree = NULL;
    const char *location;

    if (backup_state(work, "tree", &tree, err) < 0)
        return -1;
    location = json_get_text(tree, "location");
    return location ? root_open(&options, location, ret_root, err)
                    : err_set(err, ERR_INTERNAL, "the tree has no location");
}

struct change_file {
    const char *action;
    const char *path;
    struct bytes content;
    int (*run)(struct root *root, const struct change_file *change, struct err *err);
};

/* What changes at AWS has its pair of audit rows; a file on our own disk has none. */
static int audited(struct work *work, struct root *root, const struct change_file *change, struct err *err)
{
    struct effect effect = {.action = change->action,
                            .object = arena_printf(work->arena, "%s/%s", root_uri(root), change->path)};
    struct err other = ERR_INIT;
    int ran;

    if (!root_is_remote(root))
        return change->run(root, change, err);
    if (!effect.object)
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    if (work_intent(work, &effect, err) < 0)
        return -1;
    ran = change->run(root, change, err);
    if (work_outcome(work, &effect, ran < 0 ? err : NULL, root_request_id(root), ran < 0 ? &other : err) < 0)
        return -1;
    return ran;
}

static int put_file(struct root *root, const struct change_file *change, struct err *err)
{
    return root_put(root, change->path, change->content, err);
}

int backup_put(struct work *work, struct root *root, const char *path, struct bytes content, struct err *err)
{
    return audited(work, root, &(struct change_file){"s3:PutObject", path, content, put_file}, err);
}

static int delete_file(struct root *root, const struct change_file *change, struct err *err)
{
    return root_delete(root, change->path, err);
}

int backup_delete(struct work *work, struct root *root, const char *path, struct err *err)
{
    return audited(work, root, &(struct change_file){"s3:DeleteObject", path, {0}, delete_file}, err);
}

struct point_change {
    struct work *work;
    void (*apply)(struct recovery_point *point, const void *arg);
    const void *arg;
};

static int change_point(struct tx *tx, void *ctx, struct err *err)
{
    struct point_change *c = ctx;
    struct recovery_point *point;

    if (tx_point_by_job(tx, &c->work->job->origin_id, c->work->arena, &point, err) < 0)
        return -1;
    c->apply(point, c->arg);
    return tx_point_update(tx, point, err);
}

int backup_point_change(struct work *work, void (*apply)(struct recovery_point *point, const void *arg),
                        const void *arg, struct err *err)
{
    struct point_change change = {work, apply, arg};

    return work_tx(work, "recovery point", change_point, &change, err);
}

int backup_leftover(struct work *work, bool left, struct err *err)
{
    json_auto_t *tree = NULL;
    char *text;

    if (backup_state(work, "tree", &tree, err) < 0)
        return -1;
    text = arena_printf(work->arena,
                        "%s: an unfinished recovery point, without a manifest and never restored from",
                        json_get_text(tree, "location"));
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for a leftover");
    return left ? work_left_behind(work, text, err) : work_not_left_behind(work, text, err);
}
