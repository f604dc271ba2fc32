#include "base/clock.h"
#include "engine/internal.h"

struct look {
    const struct principal *principal;
    const struct id *id;
    struct arena *arena;
    struct job *job;
};

int tx_job_visible(struct tx *tx, const struct principal *principal, const struct id *id, struct arena *arena,
                   struct job **ret_job, struct err *err)
{
    struct job *job;

    if (tx_job_by_id(tx, id, arena, &job, err) < 0)
        return -1;
    if (!principal_may(principal, ROLE_VIEWER, job->environment))
        return err_set(err, ERR_NOT_FOUND, "no such job");
    *ret_job = job;
    return 0;
}

static int look_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct look *look = ctx;

    return tx_job_visible(tx, look->principal, look->id, look->arena, &look->job, err);
}

int engine_job(struct engine *engine, const struct principal *principal, const struct id *id,
               struct arena *arena, struct job **ret_job, struct err *err)
{
    struct look look = {.principal = principal, .id = id, .arena = arena};

    if (store_read(engine->store, look_tx, &look, err) < 0)
        return -1;
    *ret_job = look.job;
    return 0;
}

struct cancelling {
    struct engine *engine;
    struct arena *arena;
    const struct job *seen;
    const struct principal *principal;
    const char *request_id;
    int64_t now;
    struct ending ending;
};

/* What waits for a worker is cancelled here; what runs is told, and ends itself. */
static int cancel_running(struct tx *tx, struct cancelling *c, struct err *err)
{
    struct step **steps;
    size_t count;

    if (tx_steps_of(tx, c->seen->key, c->arena, &steps, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (steps[i]->state == STEP_RUNNING && !step_always(c->engine, c->seen->kind, steps[i]->name))
            return tx_step_cut(tx, c->engine, steps[i], &c->ending, err);
    return 0;
}

static int cancel_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct cancelling *c = ctx;
    struct job *job;

    c->ending = (struct ending){0};
    if (tx_job_by_key(tx, c->seen->key, c->arena, &job, err) < 0)
        return -1;
    if (job->state == JOB_CANCELLED || job->cancel_requested_at)
        return 0;
    if (job_state_final(job->state))
        return err_set(err, ERR_JOB_STATE, "the job is %s already", job_state_name(job->state));
    if (tx_job_request_cancel(tx, job->key, c->now, err) < 0)
        return -1;
    if (tx_audit_job_by(tx, c->engine, job, c->principal, AUDIT_JOB_CANCEL_REQUESTED, c->request_id, err) < 0)
        return -1;
    if (job->state == JOB_RUNNING)
        return cancel_running(tx, c, err);
    return tx_job_end(tx, c->engine, job, JOB_CANCELLED, &c->ending, err);
}

int engine_cancel(struct engine *engine, const struct principal *principal, const struct id *id,
                  const char *request_id, struct arena *arena, struct job **ret_job, struct err *err)
{
    struct cancelling c = {.engine = engine,
                           .arena = arena,
                           .principal = principal,
                           .request_id = request_id,
                           .now = clock_wall_ms()};
    const struct job_kind *kind;
    struct job *job;

    if (engine_job(engine, principal, id, arena, &job, err) < 0)
        return -1;
    kind = kind_find(engine->kinds, job->kind);
    if (!principal_may(principal, kind ? kind->role : ROLE_ADMIN, job->environment))
        return err_set(err, ERR_FORBIDDEN, "cancelling needs the role %s@%s",
                       role_name(kind ? kind->role : ROLE_ADMIN), job->environment);
    c.seen = job;
    if (store_tx(engine->store, "cancel", cancel_tx, &c, err) < 0)
        return -1;
    job_ended(engine, &c.ending);
    pthread_mutex_lock(&engine->lock);
    signal_running(engine, job->key, ERR_CANCELLED);
    pthread_mutex_unlock(&engine->lock);
    engine_wake(engine);
    return engine_job(engine, principal, id, arena, ret_job, err);
}
