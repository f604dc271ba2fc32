#include "jobs/table_sum.h"

#include "aws/dynamodb.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "item/page.h"
#include "jobs/read_rate.h"
#include "jobs/scan_course.h"

#define ITEMS_A_SEGMENT 5000
#define ADVANCE_MS 500

/* -- parts -- */

int table_sum_split(struct work *work, const struct table_sum *sum, struct err *err)
{
    int64_t threads = work->config->worker_threads, wanted = sum->items / ITEMS_A_SEGMENT + 1;
    int64_t segments = sum->items < 0 || wanted > 4 * threads ? 4 * threads : wanted;
    json_auto_t *state = NULL;

    if (segments > SEGMENTS_MAX)
        segments = SEGMENTS_MAX;
    state = json_pack("{s:I}", "segments", (json_int_t)segments);
    if (!state)
        return err_set(err, ERR_NO_MEMORY, "no memory to scan table %s", sum->table);
    for (int64_t i = 0; i < segments; i++) {
        json_auto_t *part = json_pack("{s:s,s:s,s:I,s:I,s:I}", "sum", sum->name, "table", sum->table,
                                      "segment", (json_int_t)i, "segments", (json_int_t)segments,
                                      "provisioned", (json_int_t)sum->provisioned);

        if (!part)
            return err_set(err, ERR_NO_MEMORY, "no memory to scan table %s", sum->table);
        if (work_split(work, arena_printf(work->arena, "%s %lld", sum->table, (long long)i), part, err) < 0)
            return -1;
    }
    work_progress_total(work, sum->items, true, "items");
    return work_state_put(work, sum->name, state, err);
}

/* -- one segment -- */

struct segment {
    struct work *work;
    const char *table;
    int number, total;
    int64_t provisioned; /* as in struct table_sum */
    struct item_scratch *scratch;
    struct item_page page;
    struct fingerprint sum;
    struct buffer start_key; /* raw; empty: from the beginning */
    struct scan_course course;
    bool at_end;
    int64_t items, bytes; /* since the last advance */
    int64_t advanced_ms;
};

static void segment_done(struct segment *s)
{
    item_scratch_free(s->scratch);
    item_page_done(&s->page);
    buffer_done(&s->start_key);
    scan_course_done(&s->course);
}

/* The cursor: fingerprint, line feed, raw start key; without a key the segment is at its end. */
static int read_cursor(struct segment *s, struct err *err)
{
    struct bytes cursor = s->work->part->cursor;
    const char *feed = cursor.len ? memchr(cursor.data, '\n', cursor.len) : NULL;

    if (!cursor.len)
        return 0;
    if (!feed || !fingerprint_parse((struct bytes){cursor.data, (size_t)(feed - cursor.data)}, &s->sum))
        return err_set(err, ERR_INTERNAL, "the cursor of part %s is not one of ours", s->work->part->name);
    buffer_add(&s->start_key, feed + 1, cursor.len - (size_t)(feed + 1 - cursor.data));
    s->at_end = s->start_key.len == 0;
    return buffer_ok(&s->start_key, "a LastEvaluatedKey", err);
}

static int advance(struct segment *s, struct err *err)
{
    _cleanup_(buffer_done) struct buffer cursor = BUFFER_INIT(PART_CURSOR_MAX);
    char text[FINGERPRINT_SIZE];

    fingerprint_format(&s->sum, text);
    buffer_printf(&cursor, "%s\n", text);
    buffer_add_bytes(&cursor, buffer_bytes(&s->start_key));
    if (buffer_ok(&cursor, "the cursor of a scan", err) < 0 ||
        work_advance(s->work,
                     &(struct advance){.cursor = buffer_bytes(&cursor), .items = s->items, .bytes = s->bytes},
                     err) < 0)
        return -1;
    s->items = s->bytes = 0;
    s->advanced_ms = clock_boot_ms();
    return 0;
}

static int take_page(struct segment *s, struct bytes body, struct err *err)
{
    if (body.len > PAGE_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "a page of %s has %zu bytes", s->table, body.len);
    if (item_page_read(&s->page, s->scratch, body, err) < 0)
        return -1;
    for (size_t i = 0; i < s->page.count; i++)
        fingerprint_add_digest(&s->sum, s->page.digests[i]);
    s->at_end = !s->page.last_evaluated_key.data;
    if (!s->at_end && scan_goes_round(&s->course, buffer_bytes(&s->start_key), s->page.last_evaluated_key))
        return err_set(err, ERR_AWS_LIED, "Scan of %s goes on at a key where it has been", s->table);
    buffer_clear(&s->start_key);
    buffer_add_bytes(&s->start_key, s->page.last_evaluated_key);
    s->items += (int64_t)s->page.count;
    s->bytes += (int64_t)body.len;
    work_progress(s->work, (int64_t)s->page.count, (int64_t)body.len);
    return buffer_ok(&s->start_key, "a LastEvaluatedKey", err);
}

/* Looked at for each page: the limit may be changed while the job runs. 0: no cap. */
static double units_per_second(struct segment *s)
{
    if (s->provisioned == TABLE_SUM_UNCAPPED)
        return 0;
    return (double)read_rate(0, work_rate_limit(s->work, false), s->provisioned);
}

static int scan_page(struct segment *s, struct err *err)
{
    struct dynamodb_scan scan = {.table = s->table,
                                 .segment = s->number,
                                 .total_segments = s->total,
                                 .start_key = buffer_bytes(&s->start_key),
                                 .consistent = true};
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    int result;

    if (work_memory_take(s->work, PAGE_MAX, err) < 0)
        return -1;
    result = dynamodb_scan(s->work->aws, &scan, &reply, err);
    if (result < 0 && err->code == ERR_AWS_NOT_FOUND)
        err->code = ERR_TABLE_NOT_FOUND;
    if (result == 0)
        result = take_page(s, buffer_bytes(&reply.answer.body), err);
    work_memory_give(s->work, PAGE_MAX);
    return result < 0
               ? -1
               : work_rate_take(s->work, s->table, false, s->page.capacity_units, units_per_second(s), err);
}

static int finish(struct segment *s, struct err *err)
{
    char text[FINGERPRINT_SIZE];
    json_auto_t *state = NULL;
    char *name = arena_printf(s->work->arena, "%s.%d", json_get_text(s->work->part_spec, "sum"), s->number);

    fingerprint_format(&s->sum, text);
    state = json_pack("{s:s}", "fingerprint", text);
    if (!name || !state)
        return err_set(err, ERR_NO_MEMORY, "no memory for a fingerprint");
    return work_state_put(s->work, name, state, err) < 0 ? -1 : advance(s, err);
}

int table_sum_part(struct work *work, struct err *err)
{
    _cleanup_(segment_done) struct segment s = {.work = work,
                                                .table = json_get_text(work->part_spec, "table"),
                                                .number = (int)json_get_int(work->part_spec, "segment", 0),
                                                .total = (int)json_get_int(work->part_spec, "segments", 1),
                                                .provisioned =
                                                    json_get_int(work->part_spec, "provisioned", 0),
                                                .page = ITEM_PAGE_INIT,
                                                .start_key = BUFFER_INIT(PART_CURSOR_MAX),
                                                .course = SCAN_COURSE_INIT,
                                                .advanced_ms = clock_boot_ms()};

    s.scratch = item_scratch_new(err);
    if (!s.scratch || read_cursor(&s, err) < 0)
        return -1;
    while (!s.at_end) {
        if (work_go(work, err) < 0 || scan_page(&s, err) < 0)
            return -1;
        if (!s.at_end && clock_boot_ms() - s.advanced_ms > ADVANCE_MS && advance(&s, err) < 0)
            return -1;
    }
    return finish(&s, err);
}

/* -- together -- */

int table_sum_total(struct work *work, const char *name, struct fingerprint *ret_sum, struct err *err)
{
    struct fingerprint total = FINGERPRINT_EMPTY;
    json_auto_t *state = NULL;
    int64_t segments;

    if (work_state_get(work, name, &state, err) < 0)
        return -1;
    segments = json_get_int(state, "segments", -1);
    for (int64_t i = 0; i < segments; i++) {
        json_auto_t *part = NULL;
        struct fingerprint sum;
        char *of = arena_printf(work->arena, "%s.%lld", name, (long long)i);

        if (!of || work_state_get(work, of, &part, err) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for a fingerprint");
        if (!fingerprint_parse(bytes_of(json_get_text(part, "fingerprint")), &sum))
            return err_set(err, ERR_INTERNAL, "segment %lld of %s has not been scanned", (long long)i, name);
        fingerprint_merge(&total, &sum);
    }
    if (segments < 0)
        return err_set(err, ERR_INTERNAL, "%s has not been scanned", name);
    *ret_sum = total;
    return 0;
}
