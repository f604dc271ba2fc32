/*
 * backup.table, the scan: one part a segment. Its unit of resume is a file: pages go into the open file until
 * it is full, then it is sealed, placed, and recorded together with the cursor behind its last page. What a
 * crash leaves unsealed is read again.
 */
#include <math.h>

#include "item/page.h"
#include "jobs/backup_table_internal.h"
#include "jobs/read_rate.h"
#include "jobs/scan_course.h"

struct segment {
    struct work *work;
    struct arena *arena; /* of the file in hand: a table has any number of files */
    struct root *root;
    struct data_writer *writer;
    struct item_scratch *scratch;
    struct item_page page;
    struct buffer start_key; /* raw; empty: from the beginning */
    struct scan_course course;
    struct item_sample sample;
    struct buffer sample_text; /* as it is recorded with each file */
    const char *table;
    int number, total;
    int64_t provisioned; /* read units; 0: on demand */
    bool at_end;
};

static void segment_done(struct segment *s)
{
    data_writer_free(s->writer);
    root_close(s->root);
    item_scratch_free(s->scratch);
    item_page_done(&s->page);
    buffer_done(&s->start_key);
    buffer_done(&s->sample_text);
    scan_course_done(&s->course);
    arena_free(s->arena);
}

/* -- the cursor: "<number of the next file> <1 at the segment's end>", a line feed, and the raw start key --
 */

static int cursor_write(struct segment *s, struct buffer *out, struct err *err)
{
    buffer_printf(out, "%lld %d\n", (long long)data_writer_number(s->writer), s->at_end);
    if (!s->at_end)
        buffer_add_bytes(out, buffer_bytes(&s->start_key));
    return buffer_ok(out, "the cursor of a scan", err);
}

static int cursor_read(struct segment *s, int64_t *ret_file, struct err *err)
{
    struct bytes cursor = s->work->part->cursor;
    const char *feed = cursor.len ? memchr(cursor.data, '\n', cursor.len) : NULL;
    size_t head = feed ? (size_t)(feed - cursor.data) : 0;

    *ret_file = 0;
    if (!cursor.len)
        return 0;
    if (head < 3 || !int_parse((struct bytes){cursor.data, head - 2}, ret_file))
        return err_set(err, ERR_INTERNAL, "the cursor of part %s is not one of ours", s->work->part->name);
    s->at_end = cursor.data[head - 1] == '1';
    buffer_add(&s->start_key, feed + 1, cursor.len - head - 1);
    return buffer_ok(&s->start_key, "a LastEvaluatedKey", err);
}

/* -- one page -- */

static double units_per_second(struct segment *s)
{
    return (double)read_rate(json_get_int(s->work->spec, "read_units_per_second", 0),
                             work_rate_limit(s->work, false), s->provisioned);
}

static int keep_items(struct segment *s, struct err *err)
{
    int64_t before = data_writer_raw(s->writer);

    if (data_writer_add(s->writer, &s->page, err) < 0)
        return -1;
    work_progress(s->work, (int64_t)s->page.count, data_writer_raw(s->writer) - before);
    return 0;
}

static int move_on(struct segment *s, struct err *err)
{
    struct bytes key = s->page.last_evaluated_key;

    s->at_end = !key.data;
    if (key.data && scan_goes_round(&s->course, buffer_bytes(&s->start_key), key))
        return err_set(err, ERR_AWS_LIED, "Scan of %s goes on at a key where it has been", s->table);
    buffer_clear(&s->start_key);
    buffer_add_bytes(&s->start_key, key);
    return buffer_ok(&s->start_key, "a LastEvaluatedKey", err);
}

static int take_page(struct segment *s, const struct aws_reply *reply, double *ret_units, struct err *err)
{
    struct bytes body = buffer_bytes(&reply->answer.body);

    if (body.len > PAGE_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "a page of %s has %zu bytes", s->table, body.len);
    if (item_page_read(&s->page, s->scratch, body, err) < 0 || keep_items(s, err) < 0 || move_on(s, err) < 0)
        return -1;
    *ret_units = s->page.capacity_units > 0 ? s->page.capacity_units : ceil((double)body.len / 4096);
    return 0;
}

static int scan_page(struct segment *s, struct err *err)
{
    struct dynamodb_scan scan = {.table = s->table,
                                 .segment = s->number,
                                 .total_segments = s->total,
                                 .start_key = buffer_bytes(&s->start_key),
                                 .consistent = true};
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    double units = 0;
    int result;

    if (work_memory_take(s->work, PAGE_MAX, err) < 0)
        return -1;
    result = dynamodb_scan(s->work->aws, &scan, &reply, err);
    if (result < 0 && err->code == ERR_AWS_NOT_FOUND)
        err->code = ERR_TABLE_NOT_FOUND;
    if (result == 0)
        result = take_page(s, &reply, &units, err);
    work_memory_give(s->work, PAGE_MAX);
    /* what it cost is known now; who spends too much waits before the next page, holding no memory */
    return result < 0 ? -1 : work_rate_take(s->work, s->table, false, units, units_per_second(s), err);
}

/* -- one file -- */

static int place_audited(struct segment *s, struct data_file *ret_file, struct err *err)
{
    struct work *work = s->work;
    char *path = data_writer_path(s->writer);
    struct effect effect = {.action = "s3:PutObject"};
    struct err other = ERR_INIT;
    int sealed;

    if (!root_is_remote(s->root))
        return data_writer_seal(s->writer, ret_file, err);
    effect.object = path ? arena_printf(s->arena, "%s/%s", root_uri(s->root), path) : NULL;
    if (!effect.object)
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    if (work_intent(work, &effect, err) < 0)
        return -1;
    sealed = data_writer_seal(s->writer, ret_file, err);
    if (work_outcome(work, &effect, sealed < 0 ? err : NULL, root_request_id(s->root),
                     sealed < 0 ? &other : err) < 0)
        return -1;
    return sealed;
}

/* -- the sample of its items: kept with the cursor, so that it covers what the cursor covers -- */

static char *sample_name(const struct segment *s)
{
    return arena_printf(s->arena, BACKUP_SAMPLE, s->number);
}

static int sample_read(struct segment *s, struct err *err)
{
    char *name = sample_name(s);
    json_auto_t *state = NULL;

    if (!name)
        return err_set(err, ERR_NO_MEMORY, "no memory for a sample");
    if (!s->work->part->cursor.len) /* nothing is recorded yet */
        return 0;
    if (work_state_get(s->work, name, &state, err) < 0)
        return -1;
    return item_sample_read(json_object_get(state, "items"), &s->sample)
               ? 0
               : err_set(err, ERR_INTERNAL, "the state %s is not one of ours", name);
}

struct sampling {
    struct segment *segment;
    struct bytes text;
};

static int sample_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct sampling *sampling = ctx;
    char name[64];

    snprintf(name, sizeof(name), "state." BACKUP_SAMPLE, sampling->segment->number);
    return tx_document_put(tx, sampling->segment->work->job->key, name, sampling->text, err);
}

static int sample_text(struct segment *s, struct err *err)
{
    struct json_writer w;

    buffer_clear(&s->sample_text);
    json_put_begin(&w, &s->sample_text);
    json_put_object(&w, NULL);
    item_sample_write(&s->sample, &w, "items");
    json_put_object_end(&w);
    return buffer_ok(&s->sample_text, "a sample", err);
}

static int record(struct segment *s, const struct data_file *file, struct err *err)
{
    _cleanup_(buffer_done) struct buffer cursor = BUFFER_INIT(PART_CURSOR_MAX);
    struct sampling sampling = {.segment = s};
    struct advance advance = {.file = file, .more = sample_tx, .more_ctx = &sampling};

    if (sample_text(s, err) < 0)
        return -1;
    sampling.text = buffer_bytes(&s->sample_text);
    if (file) {
        advance.items = file->items;
        advance.bytes = file->raw_size;
    }
    if (cursor_write(s, &cursor, err) < 0)
        return -1;
    advance.cursor = buffer_bytes(&cursor);
    return work_advance(s->work, &advance, err);
}

static int seal(struct segment *s, struct err *err)
{
    struct data_file file;
    int result;

    if (work_go(s->work, err) < 0 || place_audited(s, &file, err) < 0)
        return -1;
    file.part_key = s->work->part->key;
    result = record(s, &file, err);
    arena_reset(s->arena);
    return result;
}

/* -- the part -- */

/* A retry writes on in the point of the job that failed. */
static void is_written(struct recovery_point *point, const void *arg)
{
    (void)arg;
    if (point->status == POINT_FAILED)
        point->status = POINT_WRITING;
}

static int segment_open(struct segment *s, struct err *err)
{
    struct work *work = s->work;
    struct data_writer_options options = {.min_free = work->config->min_free_bytes};
    json_auto_t *source = NULL;

    s->arena = options.arena = arena_new(FILE_ARENA_MAX);
    if (!s->arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for a segment");
    s->number = (int)json_get_int(work->part_spec, "segment", 0);
    if (backup_state(work, "source", &source, err) < 0 || cursor_read(s, &options.number, err) < 0 ||
        sample_read(s, err) < 0)
        return -1;
    s->table = json_get_text(work->spec, "table");
    s->total = (int)json_get_int(work->part_spec, "segments", 1);
    s->provisioned = json_get_int(source, "read_units", 0);
    work_progress_total(work, json_get_int(source, "items", -1), true, "items");
    if (!id_is_zero(&work->job->retry_of) &&
        (backup_point_change(work, is_written, NULL, err) < 0 || backup_leftover(work, true, err) < 0))
        return -1;
    if (backup_root(work, &s->root, err) < 0)
        return -1;
    s->scratch = item_scratch_new(err);
    if (!s->scratch)
        return -1;
    options.root = s->root;
    options.table = s->table;
    options.part = s->number;
    options.sample = &s->sample;
    return data_writer_new(&options, &s->writer, err);
}

static int read_segment(struct segment *s, struct err *err)
{
    if (segment_open(s, err) < 0)
        return -1;
    while (!s->at_end) {
        if (work_go(s->work, err) < 0 || scan_page(s, err) < 0)
            return -1;
        if (!data_writer_empty(s->writer) && (s->at_end || data_writer_full(s->writer)) && seal(s, err) < 0)
            return -1;
    }
    return WORK_DONE;
}

int backup_segment(struct work *work, struct err *err)
{
    _cleanup_(segment_done) struct segment segment = {.work = work,
                                                      .page = ITEM_PAGE_INIT,
                                                      .start_key = BUFFER_INIT(PART_CURSOR_MAX - 64),
                                                      .sample_text = BUFFER_INIT(DOCUMENT_MAX),
                                                      .course = SCAN_COURSE_INIT};

    return read_segment(&segment, err);
}

/* -- the split -- */

static int64_t segments_of(struct work *work, const json_t *source)
{
    int64_t asked = json_get_int(work->spec, "segments", 0);
    int64_t least = work->config->worker_threads < 4 ? work->config->worker_threads : 4;
    int64_t by_size = json_get_int(source, "bytes", 0) / SEGMENT_BYTES + 1;

    if (asked > 0)
        return asked;
    if (by_size < least)
        by_size = least;
    return by_size < SEGMENTS_MAX ? by_size : SEGMENTS_MAX;
}

int backup_split(struct work *work, struct err *err)
{
    json_auto_t *source = NULL;
    int64_t count;

    if (backup_state(work, "source", &source, err) < 0)
        return -1;
    count = segments_of(work, source);
    for (int64_t i = 0; i < count; i++) {
        json_auto_t *spec = json_pack("{s:I,s:I}", "segment", (json_int_t)i, "segments", (json_int_t)count);
        char name[32];

        snprintf(name, sizeof(name), "segment %lld", (long long)i);
        if (work_split(work, name, spec, err) < 0)
            return -1;
    }
    return backup_leftover(work, true, err);
}
