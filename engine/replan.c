/* The plan is made again when the first destructive step starts: what was approved must still be what would
 * happen. */
#include "engine/internal.h"

struct lookup {
    struct work *work;
    struct plan_row *row;
};

static int find(struct tx *tx, void *ctx, struct err *err)
{
    struct lookup *l = ctx;

    return tx_plan_get(tx, &l->work->job->plan_hash, l->work->arena, &l->row, err);
}

static int compare(struct work *work, const struct plan_row *row, struct err *err)
{
    _cleanup_(planning_done_p) struct planning planning = {0};
    struct faults faults;
    struct bytes changes = {0};
    struct ask ask = {.engine = work->engine,
                      .kind = work->kind,
                      .principal = work->principal,
                      .config = work->config,
                      .environment = work->environment,
                      .arena = work->arena,
                      .spec = work->spec,
                      .faults = &faults,
                      .aws = work->aws};

    faults_init(&faults, work->arena);
    if (planning_init(&planning, err) < 0)
        return -1;
    if (work->kind->check(&ask, err) < 0 || faults_end(&faults, ERR_PLAN_STALE, err) < 0 ||
        work->kind->plan(&ask, &planning, err) < 0 || faults_end(&faults, ERR_PLAN_STALE, err) < 0)
        return -1;
    return plan_compare(row, &planning, work->arena, &changes, err);
}

int work_replan(struct work *work, struct err *err)
{
    struct lookup l = {.work = work};
    json_auto_t *done = NULL;
    json_auto_t *yes = json_true();

    if (!work->job->has_plan || !id_equal(&work->job->origin_id, &work->job->id))
        return 0; /* a retry's own half-made table is in the way of its plan: judged when it was accepted */
    if (work_state_get(work, "replanned", &done, err) < 0)
        return -1;
    if (done)
        return 0;
    if (store_read(work->engine->store, find, &l, err) < 0 || compare(work, l.row, err) < 0)
        return -1;
    return work_state_put(work, "replanned", yes, err);
}
