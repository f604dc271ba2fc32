/* backup.table, before the manifest: was an item read twice? Segments that overlap are seen here; a gap
 * nobody can see who has only read. */
#include <stdlib.h>

#include "jobs/backup_table_internal.h"
#include "jobs/item_sample.h"
#include "store/jobs.h"

struct samples {
    struct work *work;
    unsigned char (*digests)[ITEM_SAMPLE_BYTES];
    size_t count, segments;
};

static int count_segments(struct tx *tx, void *ctx, struct err *err)
{
    struct samples *samples = ctx;
    struct step **steps;
    int64_t done;
    size_t count;

    samples->segments = 0;
    if (tx_steps_of(tx, samples->work->job->key, samples->work->arena, &steps, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (str_is(steps[i]->name, "scan")) {
            if (tx_step_count_parts(tx, steps[i]->key, PART_DONE, &done, err) < 0)
                return -1;
            samples->segments = done > 0 ? (size_t)done - 1 : 0; /* the first part only split */
        }
    return 0;
}

/* A segment that was given no item has none. */
static int add_sample(struct samples *samples, size_t segment, struct item_sample *room, struct err *err)
{
    char *name = arena_printf(samples->work->arena, BACKUP_SAMPLE, (int)segment);
    json_auto_t *state = NULL;

    if (!name)
        return err_set(err, ERR_NO_MEMORY, "no memory for a sample");
    if (work_state_get(samples->work, name, &state, err) < 0)
        return -1;
    if (!item_sample_read(json_object_get(state, "items"), room))
        return err_set(err, ERR_INTERNAL, "the state %s is not one of ours", name);
    memcpy(samples->digests[samples->count], room->digests, room->count * ITEM_SAMPLE_BYTES);
    samples->count += room->count;
    return 0;
}

static int gather(struct samples *samples, struct err *err)
{
    _cleanup_(cleanup_free) struct item_sample *room = malloc(sizeof(*room));

    samples->digests = calloc(samples->segments * ITEM_SAMPLE_MAX + 1, ITEM_SAMPLE_BYTES);
    if (!room || !samples->digests)
        return err_set(err, ERR_NO_MEMORY, "no memory for samples");
    for (size_t i = 0; i < samples->segments; i++)
        if (add_sample(samples, i, room, err) < 0)
            return -1;
    return 0;
}

static void samples_done(struct samples *samples)
{
    free(samples->digests);
}

int backup_nothing_twice(struct work *work, const char *table, struct err *err)
{
    _cleanup_(samples_done) struct samples samples = {.work = work};
    size_t twice;

    if (store_read(engine_store(work->engine), count_segments, &samples, err) < 0 ||
        gather(&samples, err) < 0)
        return -1;
    twice = item_sample_twice(samples.digests, samples.count);
    if (twice == 0)
        return 0;
    return err_set(err, ERR_AWS_LIED, "Scan of %s gave %zu of %zu sampled items twice: its segments overlap",
                   table, twice, samples.count);
}
