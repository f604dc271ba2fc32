/* The steps of validate.table: decide what to compare with, read both, judge. */
#include "jobs/capsule.h"
#include "jobs/table_sum.h"
#include "jobs/validate_table_internal.h"
#include "jobs/verdict.h"
#include "store/points.h"

#define FILE_PARTS_MAX 512

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "no memory to validate a table");
}

/* -- what to compare with -- */

struct origin {
    struct work *work;
    const char *resource;
    struct bytes maker_spec;       /* of the newest restore into this table; data NULL: none */
    struct recovery_point *newest; /* NULL: none */
};

static int find_origin(struct tx *tx, void *ctx, struct err *err)
{
    static const char *const kinds[] = {"restore.table"};
    static const char *const states[] = {"succeeded", "partial"};
    struct origin *o = ctx;
    struct job_query query = {.page = {.visible_all = true, .limit = 1},
                              .environment = {&o->work->environment->name, 1},
                              .kind = {kinds, 1},
                              .state = {states, 2},
                              .resource = {&o->resource, 1}};
    struct err none = ERR_INIT;
    struct job **jobs;
    size_t count;
    bool more;

    if (tx_jobs_list(tx, &query, o->work->arena, &jobs, &count, &more, err) < 0)
        return -1;
    if (count > 0)
        return tx_document_get(tx, jobs[0]->key, "spec", o->work->arena, &o->maker_spec, err);
    if (tx_point_latest(tx, o->work->environment->name, o->resource, o->work->arena, &o->newest, &none) == 0)
        return 0;
    o->newest = NULL;
    return none.code == ERR_NOT_FOUND ? 0 : err_set(err, none.code, "%s", none.message);
}

static int against_origin(struct work *work, json_t **ret_state, struct err *err)
{
    struct origin o = {.work = work, .resource = work->job->resource};
    json_auto_t *made = NULL;
    char id[ID_SIZE];

    if (store_read(engine_store(work->engine), find_origin, &o, err) < 0)
        return -1;
    if (o.maker_spec.data) {
        if (json_parse(o.maker_spec, &(struct json_limits){.max_depth = 64}, &made, err) < 0)
            return -1;
        *ret_state =
            json_pack("{s:O,s:O*,s:O*,s:s}", "source", json_object_get(made, "source"), "overrides",
                      json_object_get(made, "overrides"), "settings", json_object_get(made, "settings"),
                      "note", "compared with the source of the job that made the table");
    } else if (o.newest) {
        id_format(&o.newest->id, id);
        *ret_state = json_pack("{s:{s:s},s:s}", "source", "recovery_point", id, "note",
                               "no job here made this table; it is compared with the newest recovery point "
                               "of its name, and what "
                               "was written since then counts as a difference");
    } else {
        *ret_state = json_object();
    }
    return *ret_state ? 0 : no_memory(err);
}

static int choose(struct work *work, json_t **ret_state, struct err *err)
{
    json_t *asked = json_object_get(work->spec, "against");
    const char *table = json_get_text(asked, "table");

    if (!asked)
        return against_origin(work, ret_state, err);
    *ret_state = table ? json_pack("{s:s}", "table", table) : json_pack("{s:O}", "source", asked);
    return *ret_state ? 0 : no_memory(err);
}

/* -- opening it -- */

void against_close(struct against *against)
{
    copy_close(&against->copy);
    json_decref(TAKE(against->state));
}

static int open_source(struct against *a, struct err *err)
{
    struct work *work = a->copy.work;
    struct root_options options = root_options_of(work);
    const json_t *source = json_object_get(a->state, "source");
    const char *known = json_get_text(a->state, "identity");
    char identity[HEX_SIZE(32)];

    if (!source)
        return 0;
    if (source_open(&options, engine_store(work->engine), source, &a->copy.source, err) < 0)
        return -1;
    hex_encode(a->copy.source->identity.bytes, 32, identity);
    if (known && !str_is(known, identity))
        return err_set(err, ERR_SOURCE_UNREADABLE, "the source is not what it was when the job began");
    json_object_set_new(a->state, "identity", json_string(identity));
    return copy_settings(a->copy.source->capsule, a->state, &a->copy.capsule, err);
}

int against_open(struct work *work, struct against *ret_against, struct err *err)
{
    *ret_against = (struct against){.copy = {.work = work, .target = json_get_text(work->spec, "table")}};
    if (work_state_get(work, "against", &ret_against->state, err) < 0)
        return -1;
    return open_source(ret_against, err);
}

/* The job fails with what was found; the result says the verdict. */
static int say_damaged(struct work *work, struct err *err)
{
    struct err other = ERR_INIT;
    json_auto_t *result = json_pack("{s:s,s:[{s:s,s:b,s:s}]}", "verdict", "damaged", "checks", "name",
                                    "source", "ok", 0, "detail", err->message);

    if (result && err->code == ERR_RECOVERY_POINT_DAMAGED && work_result(work, result, &other) < 0)
        *err = other;
    return -1;
}

int validate_table_prepare(struct work *work, struct err *err)
{
    _cleanup_(against_close) struct against a = {
        .copy = {.work = work, .target = json_get_text(work->spec, "table")}};
    json_auto_t *state = NULL;
    struct dynamodb_table table;

    if (dynamodb_describe_table(work->aws, a.copy.target, work->arena, &table, err) < 0) {
        if (err->code == ERR_AWS_NOT_FOUND)
            err->code = ERR_TABLE_NOT_FOUND;
        return -1;
    }
    state = json_pack("{s:s,s:b,s:I,s:s*,s:s*,s:I,s:I}", "name", table.name, "found", 1, "created_at",
                      (json_int_t)table.created_ms, "arn", table.arn, "table_id", table.table_id, "items",
                      (json_int_t)table.items, "read_units",
                      (json_int_t)(table.on_demand ? 0 : table.read_units));
    if (!state)
        return no_memory(err);
    if (choose(work, &a.state, err) < 0)
        return -1;
    if (open_source(&a, err) < 0)
        return say_damaged(work, err);
    return work_state_put(work, "table", state, err) < 0 ? -1 : work_state_put(work, "against", a.state, err);
}

/* -- reading -- */

static bool all_known(const struct source *source)
{
    for (size_t i = 0; i < source->file_count; i++)
        if (source->files[i].foreign)
            return false;
    return true;
}

int validate_table_other_split(struct work *work, struct err *err)
{
    _cleanup_(against_close) struct against a = {0};
    struct dynamodb_table table;
    const char *other;

    if (against_open(work, &a, err) < 0)
        return -1;
    other = json_get_text(a.state, "table");
    if (other) {
        if (dynamodb_describe_table(work->aws, other, work->arena, &table, err) < 0) {
            if (err->code == ERR_AWS_NOT_FOUND)
                err->code = ERR_TABLE_NOT_FOUND;
            return -1;
        }
        return table_sum_split(
            work, &(struct table_sum){SUM_THEIRS, other, table.items, table.on_demand ? 0 : table.read_units},
            err);
    }
    return a.copy.source && !all_known(a.copy.source) ? source_split(work, a.copy.source, FILE_PARTS_MAX, err)
                                                      : 0;
}

int validate_table_other(struct work *work, struct err *err)
{
    _cleanup_(against_close) struct against a = {0};
    struct source_run run;

    if (json_get_text(work->part_spec, "sum"))
        return table_sum_part(work, err);
    if (against_open(work, &a, err) < 0 || source_run_of(work, a.copy.source, &run, err) < 0)
        return -1;
    for (; run.next < run.to; run.next++) {
        const struct source_file *file = &a.copy.source->files[run.next];
        struct source_sums sums = {0};

        if (source_work_check(work, a.copy.source, file, SOURCE_ITEMS, &sums, err) < 0)
            return say_damaged(work, err);
        if (copy_file_remember(&a.copy, run.next, &sums.fingerprint, err) < 0)
            return -1;
        work_progress(work, sums.items, sums.raw_bytes);
        if (source_run_advance(work, &run, sums.items, sums.raw_bytes, err) < 0)
            return -1;
    }
    return WORK_DONE;
}

int validate_table_scan_split(struct work *work, struct err *err)
{
    struct dynamodb_table table;

    if (table_made(work, &table, err) < 0)
        return -1;
    return table_sum_split(
        work, &(struct table_sum){SUM_MINE, table.name, table.items, table.on_demand ? 0 : table.read_units},
        err);
}

int validate_table_scan(struct work *work, struct err *err)
{
    return table_sum_part(work, err);
}

/* -- judging -- */

struct judging {
    struct work *work;
    struct against a;
    struct dynamodb_table table;
    struct fingerprint mine, theirs;
    json_t *checks;
    bool known; /* there is something to compare with */
    bool differs;
};

static void judging_done(struct judging *j)
{
    against_close(&j->a);
    json_decref(j->checks);
}

static int judge_items(struct judging *j, struct err *err)
{
    char *detail;

    if (j->a.copy.source && copy_expected(&j->a.copy, &j->theirs, err) < 0)
        return -1;
    if (json_get_text(j->a.state, "table") && table_sum_total(j->work, SUM_THEIRS, &j->theirs, err) < 0)
        return -1;
    detail = arena_printf(j->work->arena, "%llu items here, %llu there", (unsigned long long)j->mine.count,
                          (unsigned long long)j->theirs.count);
    j->differs |= !fingerprint_equal(&j->mine, &j->theirs);
    if (verdict_check(j->checks, "items", j->mine.count == j->theirs.count, detail, err) < 0)
        return -1;
    return verdict_check(j->checks, "fingerprint", fingerprint_equal(&j->mine, &j->theirs),
                         "the sum over every item's canonical form", err);
}

static int judge_shape(struct judging *j, struct err *err)
{
    struct setting_view view = {j->work->aws, j->work->arena, &j->table};
    const json_t *wanted = capsule_value(j->a.copy.capsule, "indexes");
    struct err other_keys = ERR_INIT;
    json_auto_t *found = NULL;
    bool same;

    if (!j->a.copy.capsule)
        return 0;
    same = copy_same_keys(j->a.copy.capsule, &j->table, &other_keys) == 0;
    j->differs |= !same;
    if (verdict_check(j->checks, "keys", same, same ? "as in the source" : other_keys.message, err) < 0)
        return -1;
    if (!wanted || copy_skips(j->a.state, "indexes")) /* nothing says which there should be */
        return 0;
    if (setting_read_indexes(&view, &found, err) < 0)
        return -1;
    same = json_equal(wanted, found) && table_ready(&j->table);
    j->differs |= !same;
    return verdict_check(j->checks, "indexes", same,
                         same ? "as in the source, ACTIVE and filled"
                              : "other indexes than the source, or not filled yet",
                         err);
}

static int say(struct judging *j, struct err *err)
{
    const char *verdict = !j->known ? "unverifiable" : j->differs ? "mismatch" : "intact";
    char text[FINGERPRINT_SIZE];
    struct verdict told = {verdict, j->checks,  (int64_t)j->mine.count,
                           text,    "Compared", "there is nothing that the table could be compared with"};

    fingerprint_format(&j->mine, text);
    if (verdict_tell(j->work, &told, err) < 0)
        return -1;
    if (j->known && j->differs)
        return err_set(err, ERR_MISMATCH, "table %s holds %llu items and what it is compared with %llu%s",
                       j->table.name, (unsigned long long)j->mine.count, (unsigned long long)j->theirs.count,
                       fingerprint_equal(&j->mine, &j->theirs) ? ": the same, but its keys or indexes differ"
                       : j->mine.count == j->theirs.count      ? ": as many, but not the same"
                                                               : "");
    return WORK_DONE;
}

int validate_table_judge(struct work *work, struct err *err)
{
    _cleanup_(judging_done) struct judging j = {.work = work, .checks = json_array()};
    const char *note;

    if (!j.checks)
        return no_memory(err);
    if (table_made(work, &j.table, err) < 0 || against_open(work, &j.a, err) < 0 ||
        table_sum_total(work, SUM_MINE, &j.mine, err) < 0)
        return -1;
    note = json_get_text(j.a.state, "note");
    if (note && verdict_check(j.checks, "against", true, note, err) < 0)
        return -1;
    j.known = j.a.copy.source || json_get_text(j.a.state, "table");
    if (j.known && (judge_items(&j, err) < 0 || judge_shape(&j, err) < 0))
        return -1;
    return say(&j, err);
}
