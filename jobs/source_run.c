/* Steps that are split by the files of a source. */
#include "base/json.h"
#include "engine/work.h"
#include "jobs/source_internal.h"

static int go(void *arg, struct err *err)
{
    return work_go(arg, err);
}

int source_work_check(struct work *work, struct source *source, const struct source_file *file,
                      enum source_depth depth, struct source_sums *ret_sums, struct err *err)
{
    int result;

    if (work_memory_take(work, ROOT_CHUNK, err) < 0)
        return -1;
    result = source_file_check(source, file, depth, go, work, ret_sums, err);
    work_memory_give(work, ROOT_CHUNK);
    return result;
}

int source_split(struct work *work, const struct source *source, size_t parts, struct err *err)
{
    size_t each = (source->file_count + parts - 1) / parts;
    char identity[HEX_SIZE(32)];

    hex_encode(source->identity.bytes, sizeof(source->identity.bytes), identity);
    for (size_t from = 0; from < source->file_count; from += each) {
        size_t to = from + each < source->file_count ? from + each : source->file_count;
        json_auto_t *spec =
            json_pack("{s:I,s:I,s:s}", "from", (json_int_t)from, "to", (json_int_t)to, "source", identity);
        char name[64];

        if (!spec)
            return source_no_memory(err);
        snprintf(name, sizeof(name), "files %zu-%zu", from, to - 1);
        if (work_split(work, name, spec, err) < 0)
            return -1;
    }
    return 0;
}

int source_run_of(struct work *work, const struct source *source, struct source_run *ret_run, struct err *err)
{
    const char *identity = json_get_text(work->part_spec, "source");
    int64_t next = json_get_int(work->part_spec, "from", 0);
    int64_t to = json_get_int(work->part_spec, "to", 0);
    char now[HEX_SIZE(32)];

    hex_encode(source->identity.bytes, sizeof(source->identity.bytes), now);
    if (!str_is(identity, now) || to < 0 || (size_t)to > source->file_count)
        return err_set(err, ERR_SOURCE_UNREADABLE, "the source has changed since its files were divided");
    if (work->part->cursor.len && !int_parse(work->part->cursor, &next))
        return err_set(err, ERR_INTERNAL, "the cursor of part %s is not one of ours", work->part->name);
    if (next < 0)
        return err_set(err, ERR_INTERNAL, "the cursor of part %s is not one of ours", work->part->name);
    *ret_run = (struct source_run){(size_t)next, (size_t)to};
    return 0;
}

void source_run_cursor(const struct source_run *run, char ret_cursor[32])
{
    snprintf(ret_cursor, 32, "%zu", run->next + 1);
}

int source_run_advance(struct work *work, const struct source_run *run, int64_t items, int64_t bytes,
                       struct err *err)
{
    char cursor[32];
    struct advance advance = {.items = items, .bytes = bytes};

    source_run_cursor(run, cursor);
    advance.cursor = bytes_of(cursor);
    return work_advance(work, &advance, err);
}
