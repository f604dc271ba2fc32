/* The steps of a copy: check the source, make the table, fill it, read it again, compare. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "jobs/capsule.h"
#include "jobs/table_copy_internal.h"
#include "jobs/table_load.h"
#include "jobs/table_sum.h"

#define SUM "target"
#define ADVANCE_FIRST_MS 50 /* an attempt shows progress soon, then records it less often */
#define ADVANCE_MS 1000
#define ADVANCE_LINES 100
#define GO_LINES 1024            /* that are passed over before it is asked whether to go on */
#define STRIPE_LINES 25          /* a batch */
#define STRIPE_BYTES (512 * KIB) /* stored; a smaller file is not worth being read more than once */
#define STRIPES_MAX 8
#define LOAD_PARTS_MAX 512

/* -- the source is checked -- */

int copy_verify_split(struct work *work, struct err *err)
{
    _cleanup_(copy_close) struct copy copy = {0};

    if (copy_open(work, &copy, err) < 0)
        return -1;
    work_progress_total(work, copy.source->items, false, "items");
    return source_split(work, copy.source, LOAD_PARTS_MAX, err);
}

int copy_verify_files(struct work *work, struct err *err)
{
    _cleanup_(copy_close) struct copy copy = {0};
    struct source_run run;

    if (copy_open(work, &copy, err) < 0 || source_run_of(work, copy.source, &run, err) < 0)
        return -1;
    for (; run.next < run.to; run.next++) {
        const struct source_file *file = &copy.source->files[run.next];
        struct source_sums sums = {0};

        if (source_work_check(work, copy.source, file, SOURCE_BYTES, &sums, err) < 0)
            return -1;
        if (file->foreign && copy_file_remember(&copy, run.next, &sums.fingerprint, err) < 0)
            return -1;
        work_progress(work, sums.items, sums.raw_bytes);
        if (source_run_advance(work, &run, sums.items, sums.raw_bytes, err) < 0)
            return -1;
    }
    return WORK_DONE;
}

/* -- the table -- */

int copy_is_empty(struct aws_session *aws, const char *table, bool *ret_empty, struct err *err)
{
    struct dynamodb_scan scan = {.table = table, .limit = 1, .consistent = true, .select = "COUNT"};
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    json_auto_t *answer = NULL;
    struct err failed = ERR_INIT;

    if (dynamodb_scan(aws, &scan, &reply, err) < 0)
        return -1;
    if (json_parse(buffer_bytes(&reply.answer.body), &(struct json_limits){.max_depth = 64}, &answer,
                   &failed) < 0 &&
        failed.code != ERR_INVALID_JSON)
        return err_set(err, failed.code, "%s", failed.message);
    if (json_get_int(answer, "Count", -1) < 0)
        return err_set(err, ERR_AWS_LIED, "Scan of table %s answered without a count", table);
    *ret_empty = json_get_int(answer, "Count", -1) == 0 && !json_object_get(answer, "LastEvaluatedKey");
    return 0;
}

/* A table that was there: it must be ACTIVE, have the keys of the source, and hold nothing. */
static int take_empty(struct copy *copy, struct err *err)
{
    struct work *work = copy->work;
    json_auto_t *state = NULL;
    struct dynamodb_table table;
    struct err failed = ERR_INIT;
    bool empty;

    if (work_state_get(work, "table", &state, err) < 0)
        return -1;
    if (state)
        return WORK_DONE;
    if (dynamodb_describe_table(work->aws, copy->target, work->arena, &table, &failed) < 0) {
        *err = failed;
        if (failed.code == ERR_AWS_NOT_FOUND)
            err->code = ERR_TABLE_NOT_FOUND;
        return -1;
    }
    if (!table_ready(&table))
        return err_set(err, ERR_TABLE_NOT_ACTIVE, "table %s is %s", copy->target, table.status);
    if (copy_same_keys(copy->capsule, &table, err) < 0 ||
        copy_is_empty(work->aws, copy->target, &empty, err) < 0)
        return -1;
    if (!empty)
        return err_set(err, ERR_TARGET_NOT_EMPTY, "table %s holds items", copy->target);
    state = json_pack("{s:s,s:b,s:I,s:s*,s:s*}", "name", copy->target, "found", 1, "created_at",
                      (json_int_t)table.created_ms, "arn", table.arn, "table_id", table.table_id);
    return state ? work_state_put(work, "table", state, err)
                 : err_set(err, ERR_NO_MEMORY, "no memory for a table");
}

int copy_same_keys(const json_t *capsule, const struct dynamodb_table *table, struct err *err)
{
    struct dynamodb_key key;

    if (!capsule)
        return 0; /* lines without a capsule go by the table's keys */
    if (capsule_key(capsule, &key, err) < 0)
        return -1;
    if (!str_is(key.hash, table->key.hash) || !str_is(key.range, table->key.range) ||
        key.hash_type != table->key.hash_type || (key.range && key.range_type != table->key.range_type))
        return err_set(err, ERR_MISMATCH, "table %s has other keys than the source", table->name);
    return 0;
}

/* Of a proof only what items meet matters: keys, indexes, encryption. */
static bool proof_skips(const void *spec, const char *setting)
{
    (void)spec;
    return !str_is(setting, "key_schema") && !str_is(setting, "indexes") && !str_is(setting, "sse");
}

int copy_create(struct work *work, struct err *err)
{
    _cleanup_(copy_close) struct copy copy = {0};
    bool proof = !json_get_text(work->spec, "target_table");
    struct dynamodb_table table;

    if (!copy_wanted(work))
        return WORK_DONE;
    if (copy_open(work, &copy, err) < 0)
        return -1;
    if (str_is(json_get_text(work->spec, "into"), "empty"))
        return take_empty(&copy, err);
    if (!copy.capsule)
        return err_set(err, ERR_KEY_SCHEMA_REQUIRED, "the source does not say what the keys are");
    return table_make(
        work, &(struct table_make){copy.target, copy.capsule, proof ? proof_skips : copy_skips, work->spec},
        &table, err);
}

/* -- loading -- */

/* A few large files are each read by several parts, which share its lines by batches: one writer alone waits
 * for AWS most of its time. */
static int64_t stripes_of(const struct work *work, const struct source *source, size_t number)
{
    int64_t wanted = work->config->worker_threads / (int64_t)source->file_count;
    int64_t worth = source->files[number].size / STRIPE_BYTES + 1;

    if (wanted > worth)
        wanted = worth;
    if (wanted > STRIPES_MAX)
        wanted = STRIPES_MAX;
    return wanted < 1 ? 1 : wanted;
}

static int split_files(struct work *work, int64_t from, int64_t to, int64_t stripes, struct err *err)
{
    for (int64_t i = 0; i < stripes; i++) {
        json_auto_t *part = json_pack("{s:I,s:I,s:I,s:I}", "from", (json_int_t)from, "to", (json_int_t)to,
                                      "stripe", (json_int_t)i, "stripes", (json_int_t)stripes);
        char name[96];

        if (!part)
            return err_set(err, ERR_NO_MEMORY, "no memory for parts");
        snprintf(name, sizeof(name), stripes > 1 ? "files %lld-%lld, %lld of %lld" : "files %lld-%lld",
                 (long long)from, (long long)to - 1, (long long)i + 1, (long long)stripes);
        if (work_split(work, name, part, err) < 0)
            return -1;
    }
    return 0;
}

int copy_load_split(struct work *work, struct err *err)
{
    _cleanup_(copy_close) struct copy copy = {0};
    size_t count, each;

    if (!copy_wanted(work))
        return WORK_DONE;
    if (copy_open(work, &copy, err) < 0)
        return -1;
    count = copy.source->file_count;
    each = count / LOAD_PARTS_MAX + 1;
    work_progress_total(work, copy.source->items, false, "items");
    for (size_t i = 0; i < count; i += each) {
        size_t to = i + each < count ? i + each : count;

        if (split_files(work, (int64_t)i, (int64_t)to, each > 1 ? 1 : stripes_of(work, copy.source, i), err) <
            0)
            return -1;
    }
    return 0;
}

struct loading {
    struct copy *copy;
    struct table_load *load;
    int64_t stripe, stripes;
    int64_t file, to; /* of the part */
    int64_t done;     /* lines of this file that are in the table */
    int64_t advanced_ms, advanced_line, interval_ms;
    struct table_load_sums before; /* at the last advance */
    bool told_expired;
};

/* A table that the job made itself is not bound by the environment's limit. 0: no cap. */
static int64_t units_per_second(struct work *work)
{
    int64_t asked = json_get_int(work->spec, "write_units_per_second", 0);
    int64_t limit = str_is(json_get_text(work->spec, "into"), "empty") ? work_rate_limit(work, true) : 0;

    return asked > 0 && (limit == 0 || asked < limit) ? asked : limit;
}

/* Everything up to `line` is in the table. */
static int advance(struct loading *l, int64_t file, int64_t line, struct err *err)
{
    struct table_load_sums now;
    char cursor[64];

    if (table_load_flush(l->load, err) < 0)
        return -1;
    now = table_load_sums(l->load);
    if (now.expired && !l->told_expired) {
        json_auto_t *yes = json_object();

        if (!yes || work_state_put(l->copy->work, "expired", yes, err) < 0)
            return -1;
        l->told_expired = true;
    }
    snprintf(cursor, sizeof(cursor), "%lld %lld", (long long)file, (long long)line);
    if (work_advance(l->copy->work,
                     &(struct advance){.cursor = bytes_of(cursor),
                                       .items = now.items - l->before.items,
                                       .bytes = now.bytes - l->before.bytes},
                     err) < 0)
        return -1;
    table_load_cap(l->load, units_per_second(l->copy->work)); /* the limit may have been changed */
    l->before = now;
    l->advanced_ms = clock_boot_ms();
    l->advanced_line = line;
    l->interval_ms = l->interval_ms * 2 < ADVANCE_MS ? l->interval_ms * 2 : ADVANCE_MS;
    return 0;
}

static int load_item(void *arg, struct bytes item, int64_t line, struct err *err)
{
    struct loading *l = arg;

    if (line <= l->done || (line - 1) / STRIPE_LINES % l->stripes != l->stripe)
        return line % GO_LINES ? 0 : work_go(l->copy->work, err);
    if (table_load_add(l->load, item, err) < 0)
        return err_wrap(err, "line %lld", (long long)line);
    if (line - l->advanced_line >= ADVANCE_LINES && clock_boot_ms() - l->advanced_ms > l->interval_ms)
        return advance(l, l->file, line, err);
    return 0;
}

/* Nothing of a file is written before all of it was read and found to be what it was. */
static int check_file(struct loading *l, const struct source_file *file, struct err *err)
{
    struct source_sums sums = {0};
    struct fingerprint known;
    struct err unknown = ERR_INIT;

    if (source_work_check(l->copy->work, l->copy->source, file, SOURCE_LINES, &sums, err) < 0)
        return -1;
    if (!file->foreign)
        return 0;
    if (copy_file_sum(l->copy, (size_t)l->file, &known, &unknown) < 0)
        return unknown.code == ERR_INTERNAL
                   ? copy_file_remember(l->copy, (size_t)l->file, &sums.fingerprint, err)
                   : err_set(err, unknown.code, "%s", unknown.message);
    return fingerprint_equal(&known, &sums.fingerprint)
               ? 0
               : err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s has changed since it was checked", file->path);
}

static int write_file(struct loading *l, const struct source_file *file, struct err *err)
{
    struct work *work = l->copy->work;
    json_auto_t *detail = json_pack("{s:s}", "file", file->path);
    struct effect effect = {
        .action = "dynamodb:BatchWriteItem", .object = table_object(work, l->copy->target), .detail = detail};
    struct table_load_sums before = table_load_sums(l->load);
    struct err failed = ERR_INIT;
    int result;

    if (work_intent(work, &effect, err) < 0)
        return -1;
    result = source_file_items(l->copy->source, file, load_item, l, &failed);
    if (result == 0)
        result = advance(l, l->file + 1, 0, &failed);
    json_object_set_new(detail, "items", json_integer(table_load_sums(l->load).items - before.items));
    if (work_outcome(work, &effect, result < 0 ? &failed : NULL, NULL, err) < 0)
        return -1;
    if (result < 0)
        *err = failed;
    return result;
}

static int read_cursor(struct loading *l, struct err *err)
{
    const struct work *work = l->copy->work;
    struct bytes cursor = work->part->cursor;
    const char *space = cursor.len ? memchr(cursor.data, ' ', cursor.len) : NULL;

    l->file = json_get_int(work->part_spec, "from", 0);
    l->to = json_get_int(work->part_spec, "to", 0);
    l->stripe = json_get_int(work->part_spec, "stripe", 0);
    l->stripes = json_get_int(work->part_spec, "stripes", 1);
    if (cursor.len &&
        (!space || !int_parse((struct bytes){cursor.data, (size_t)(space - cursor.data)}, &l->file) ||
         !int_parse((struct bytes){space + 1, cursor.len - (size_t)(space + 1 - cursor.data)}, &l->done)))
        return err_set(err, ERR_INTERNAL, "the cursor of part %s is not one of ours", work->part->name);
    if (l->file < 0 || (size_t)l->to > l->copy->source->file_count)
        return err_set(err, ERR_SOURCE_UNREADABLE, "the source has changed since its files were divided");
    l->advanced_line = l->done;
    l->advanced_ms = clock_boot_ms();
    l->interval_ms = ADVANCE_FIRST_MS;
    return 0;
}

int copy_load_files(struct work *work, struct err *err)
{
    _cleanup_(copy_close) struct copy copy = {0};
    _cleanup_(table_load_free_p) struct table_load *load = NULL;
    struct loading l = {.copy = &copy};
    struct dynamodb_table table;

    if (copy_open(work, &copy, err) < 0 || table_made(work, &table, err) < 0 || read_cursor(&l, err) < 0)
        return -1;
    if (!table_usable(&table))
        return err_set(err, ERR_TABLE_NOT_ACTIVE, "table %s is %s", copy.target, table.status);
    if (table_load_new(&(struct table_load_options){work, copy.target, &table.key, units_per_second(work),
                                                    json_string_value(capsule_value(copy.capsule, "ttl"))},
                       &load, err) < 0)
        return -1;
    l.load = load;
    for (; l.file < l.to; l.file++, l.done = 0, l.advanced_line = 0) {
        const struct source_file *file = &copy.source->files[l.file];

        if (check_file(&l, file, err) < 0 || write_file(&l, file, err) < 0)
            return -1;
    }
    return WORK_DONE;
}

/* -- reading again -- */

int copy_sum_split(struct work *work, struct err *err)
{
    _cleanup_(copy_close) struct copy copy = {0};
    struct dynamodb_table table;
    struct fingerprint expected;
    int64_t provisioned = TABLE_SUM_UNCAPPED;

    if (!copy_wanted(work))
        return WORK_DONE;
    if (copy_open(work, &copy, err) < 0 || table_made(work, &table, err) < 0 ||
        copy_expected(&copy, &expected, err) < 0)
        return -1;
    if (str_is(json_get_text(work->spec, "into"), "empty")) /* it was there, and may serve others */
        provisioned = table.on_demand ? 0 : table.read_units;
    return table_sum_split(work, &(struct table_sum){SUM, copy.target, (int64_t)expected.count, provisioned},
                           err);
}

int copy_sum_segment(struct work *work, struct err *err)
{
    return table_sum_part(work, err);
}

static int report(struct copy *copy, const struct fingerprint *found, const char *verdict, struct err *err)
{
    char text[FINGERPRINT_SIZE];
    json_auto_t *result = NULL;

    fingerprint_format(found, text);
    result = json_pack("{s:I,s:s}", "items", (json_int_t)found->count, "fingerprint", text);
    if (!result)
        return err_set(err, ERR_NO_MEMORY, "no memory for a result");
    if (json_get_text(copy->work->spec, "target_table"))
        json_object_set_new(result, "table", json_string(copy->target));
    else if (verdict)
        json_object_set_new(result, "verdict", json_string(verdict));
    return work_result(copy->work, result, err);
}

/* What was lost is there when the job is tried again, for it loads again what was found wrong. What differs
 * even then is of another kind. */
static int differs(const struct copy *copy, const struct fingerprint *expected,
                   const struct fingerprint *found, struct err *err)
{
    bool again = str_is(copy->work->kind->name, "restore.table") && !id_is_zero(&copy->work->job->retry_of);

    return err_set(err, ERR_MISMATCH, "table %s holds %llu items and the source %llu%s%s", copy->target,
                   (unsigned long long)found->count, (unsigned long long)expected->count,
                   found->count == expected->count ? ": as many, but not the same" : "",
                   again
                       ? "; it was loaded again already: somebody else writes to it, or the source holds an "
                         "item twice: restore to another table, or from another recovery point"
                       : "");
}

int copy_compare(struct work *work, struct err *err)
{
    _cleanup_(copy_close) struct copy copy = {0};
    struct fingerprint expected, found;
    struct dynamodb_table table;

    if (!copy_wanted(work))
        return WORK_DONE;
    if (copy_open(work, &copy, err) < 0 || table_made(work, &table, err) < 0 ||
        copy_expected(&copy, &expected, err) < 0 || table_sum_total(work, SUM, &found, err) < 0)
        return -1;
    if (fingerprint_equal(&expected, &found))
        return report(&copy, &found, NULL, err);
    if (report(&copy, &found, "mismatch", err) < 0)
        return -1;
    return differs(&copy, &expected, &found, err);
}
