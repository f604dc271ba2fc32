/* The one way in: judged, planned where the kind needs it, approved, and accepted in one transaction. */
#include "base/clock.h"
#include "engine/internal.h"

static bool has_scope(const struct submit *submit)
{
    static const struct hash none;

    return memcmp(&submit->idempotency_scope, &none, sizeof(none)) != 0;
}

/* -- replay -- */

struct lookup {
    struct submit *submit;
    struct idempotency_row *row;
};

static int find_original(struct tx *tx, void *ctx, struct err *err)
{
    struct lookup *lookup = ctx;

    return tx_idempotency_get(tx, &lookup->submit->idempotency_scope, lookup->submit->arena, &lookup->row,
                              err);
}

/* The stored answer is for who may see the job today, and for the same bytes only. */
static int replay(struct engine *engine, struct submit *submit, const struct idempotency_row *row,
                  struct accepted *ret_accepted, struct err *err)
{
    if (memcmp(&row->body, &submit->body_sha256, sizeof(row->body)) != 0)
        return err_set(err, ERR_IDEMPOTENCY_KEY_REUSED, "the key was first used with another body");
    if (engine_job(engine, submit->principal, &row->job, submit->arena, &ret_accepted->job, err) < 0)
        return -1;
    ret_accepted->replayed = true;
    ret_accepted->original = row;
    return 0;
}

/* -- accepting -- */

struct acceptance {
    struct engine *engine;
    struct submit *submit;
    const struct ask *ask;
    struct job *job;
    struct bytes spec;
    struct bytes detail; /* of the audit row */
    int64_t totp_step;
    int64_t now;
    struct step **steps; /* STEPS_MAX of them */
    size_t step_count;
    const struct idempotency_row *original; /* somebody was faster with the same key */
};

static int insert_steps(struct tx *tx, struct acceptance *a, struct err *err)
{
    const struct step_kind *rows = a->ask->kind->steps;

    for (a->step_count = 0; a->step_count < STEPS_MAX && rows[a->step_count].name; a->step_count++) {
        struct step *step = arena_make(a->submit->arena, struct step);

        if (!step)
            return err_set(err, ERR_NO_MEMORY, "no memory for a job");
        *step = (struct step){.job_key = a->job->key,
                              .seq = (int)a->step_count,
                              .name = rows[a->step_count].name,
                              .state = STEP_WAITING};
        if (tx_step_insert(tx, step, err) < 0)
            return -1;
        a->steps[a->step_count] = step;
    }
    return 0;
}

/* A retry that takes over has the old job's steps; one that does not starts anew. */
static int insert_job(struct tx *tx, struct acceptance *a, struct err *err)
{
    const struct job *old = a->ask->retry_of;
    struct job *job = a->job;

    job->key = 0;
    job->root_key = 0;
    a->step_count = 0;
    if (!id_is_zero(&a->submit->retry_of) && tx_job_claim_retry(tx, &a->submit->retry_of, err) < 0)
        return -1;
    if (tx_job_insert(tx, job, err) < 0 || tx_document_put(tx, job->key, "spec", a->spec, err) < 0)
        return -1;
    return old ? tx_take_over(tx, a->ask->kind, old, job, a->submit->arena, err) : insert_steps(tx, a, err);
}

static int spend_approval(struct tx *tx, const struct acceptance *a, struct err *err)
{
    if (a->submit->has_plan_hash && tx_plan_spend(tx, &a->submit->plan_hash, &a->job->id, err) < 0)
        return -1;
    if (a->totp_step < 0)
        return 0;
    if (tx_mfa_spend(tx, a->submit->principal, a->totp_step, err) < 0)
        return -1;
    return tx_audit_job(tx, a->engine, a->job, AUDIT_MFA_ACCEPTED, "ok", a->submit->request_id,
                        (struct bytes){0}, err);
}

static int store_answer(struct tx *tx, const struct acceptance *a, struct err *err)
{
    char id[ID_SIZE];
    struct idempotency_row row = {.scope = a->submit->idempotency_scope,
                                  .body = a->submit->body_sha256,
                                  .job = a->job->id,
                                  .status = 202,
                                  .created_at = a->now,
                                  .expires_at = a->now + IDEMPOTENCY_KEPT_MS};

    if (!has_scope(a->submit))
        return 0;
    id_format(&a->job->id, id);
    row.location = arena_printf(a->submit->arena, "/v1/jobs/%s", id);
    if (!row.location)
        return err_set(err, ERR_NO_MEMORY, "no memory for a location");
    if (a->submit->answer(tx, a->job, a->submit->arena, &row.answer, err) < 0)
        return -1;
    return tx_idempotency_store(tx, &row, err);
}

/* Runs on the writer's thread, perhaps more than once: only tx_ calls and the caller's arena. */
static int accept_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct acceptance *a = ctx;
    struct idempotency_row *original = NULL;

    a->original = NULL;
    if (has_scope(a->submit) && tx_idempotency_expire(tx, a->now, err) < 0)
        return -1;
    if (has_scope(a->submit) &&
        tx_idempotency_claim(tx, &a->submit->idempotency_scope, &a->submit->body_sha256, a->now,
                             a->submit->arena, &original, err) < 0)
        return -1;
    a->original = original;
    if (original)
        return 0;
    if (insert_job(tx, a, err) < 0 || spend_approval(tx, a, err) < 0 ||
        tx_touches_want(tx, a->job->key, a->ask->touches, a->ask->touch_count, err) < 0)
        return -1;
    if (tx_event(tx, a->job->key, "accepted", BYTES("{}"), a->now, err) < 0 ||
        tx_audit_job(tx, a->engine, a->job,
                     id_is_zero(&a->submit->retry_of) ? AUDIT_JOB_ACCEPTED : AUDIT_JOB_RETRIED, "ok",
                     a->submit->request_id, a->detail, err) < 0)
        return -1;
    return store_answer(tx, a, err);
}

static struct job *new_job(const struct submit *submit, const struct ask *ask, int64_t now)
{
    struct job *job = arena_make(submit->arena, struct job);

    if (!job)
        return NULL;
    job->id = id_new();
    job->origin_id = ask->retry_of ? ask->retry_of->origin_id : job->id;
    job->retry_of = submit->retry_of;
    job->kind = ask->kind->name;
    job->spec_version = ask->kind->spec_version;
    job->environment = ask->environment->name;
    job->resource = ask->resource;
    job->state = JOB_QUEUED;
    job->created_by = submit->principal->identity;
    job->created_issuer = submit->principal->issuer;
    job->created_subject = submit->principal->subject;
    job->created_from = submit->principal->address;
    job->plan_hash = submit->plan_hash;
    job->has_plan = submit->has_plan_hash;
    job->note = submit->note;
    job->created_at = now;
    job->version = 1;
    job->progress.total = -1;
    job->progress.eta_seconds = -1;
    return job;
}

static int accept(struct engine *engine, struct submit *submit, const struct ask *ask, int64_t totp_step,
                  struct accepted *ret_accepted, struct err *err)
{
    struct acceptance a = {
        .engine = engine, .submit = submit, .ask = ask, .totp_step = totp_step, .now = clock_wall_ms()};

    a.job = new_job(submit, ask, a.now);
    a.spec = bytes_of(json_canonical(submit->arena, ask->spec));
    a.steps = arena_array(submit->arena, struct step *, STEPS_MAX);
    if (!a.job || !a.spec.data || !a.steps)
        return err_set(err, ERR_NO_MEMORY, "no memory for a job");
    a.detail = audit_detail(a.spec, submit->arena, err);
    if (!a.detail.data)
        return -1;
    if (store_tx(engine->store, "accept", accept_tx, &a, err) < 0)
        return -1;
    if (a.original)
        return replay(engine, submit, a.original, ret_accepted, err);
    engine_wake(engine);
    *ret_accepted =
        (struct accepted){.job = a.job, .spec = a.spec, .steps = a.steps, .step_count = a.step_count};
    return 0;
}

/* -- plans -- */

struct plan_lookup {
    const struct submit *submit;
    struct plan_row *row;
};

static int find_plan(struct tx *tx, void *ctx, struct err *err)
{
    struct plan_lookup *lookup = ctx;

    return tx_plan_get(tx, &lookup->submit->plan_hash, lookup->submit->arena, &lookup->row, err);
}

static int plan_matches(const struct submit *submit, const struct ask *ask, const struct plan_row *row,
                        struct err *err)
{
    const char *spec = json_canonical(submit->arena, ask->spec);

    if (!spec)
        return err_set(err, ERR_NO_MEMORY, "no memory for a spec");
    if (strcmp(row->requester, submit->principal->identity) != 0 || row->expires_at <= clock_wall_ms())
        return err_set(err, ERR_PLAN_NOT_FOUND, "there is no such plan of yours, or its day is over");
    if (!id_is_zero(&row->spent_by))
        return err_set(err, ERR_PLAN_SPENT, "a job was accepted with this plan already");
    if (strcmp(row->kind, ask->kind->name) != 0 || strcmp(row->environment, ask->environment->name) != 0 ||
        !bytes_is(row->spec, spec) || !id_equal(&row->retry_of, &submit->retry_of))
        return err_set(err, ERR_PLAN_MISMATCH,
                       "kind, environment, spec or retry_of are not those of the plan");
    return 0;
}

/* With a hash: the plan must be ours, for the same thing, and still true. Without one: only where none is
 * needed. */
static int judge_plan(struct engine *engine, struct submit *submit, struct ask *ask, bool *ret_needs_mfa,
                      struct err *err)
{
    _cleanup_(planning_done_p) struct planning planning = {0};
    struct plan_lookup lookup = {.submit = submit};
    const struct job_kind *kind = ask->kind;

    *ret_needs_mfa = kind->mfa == MFA_FRESH;
    if (!submit->has_plan_hash) {
        if (kind->mfa != MFA_FRESH && kind->may_destroy == DESTROYS_NEVER)
            return 0;
        return err_set(err, ERR_PLAN_REQUIRED, "%s needs a plan: POST the same to /v1/plans", kind->name);
    }
    if (store_read(engine->store, find_plan, &lookup, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            err->code = ERR_PLAN_NOT_FOUND;
        return -1;
    }
    if (plan_matches(submit, ask, lookup.row, err) < 0 || plan_make(engine, ask, &planning, err) < 0)
        return -1;
    *ret_needs_mfa |= planning.destructive;
    return plan_compare(lookup.row, &planning, submit->arena, &submit->changes, err);
}

int engine_submit(struct engine *engine, struct submit *submit, struct accepted *ret_accepted,
                  struct err *err)
{
    struct lookup lookup = {.submit = submit};
    int64_t totp_step = -1;
    bool needs_mfa;
    struct ask ask;

    *ret_accepted = (struct accepted){0};
    if (has_scope(submit)) {
        if (store_read(engine->store, find_original, &lookup, err) < 0)
            return -1;
        if (lookup.row)
            return replay(engine, submit, lookup.row, ret_accepted, err);
    }
    if (ask_prepare(engine, submit, &ask, err) < 0 || store_accepting(engine->store, err) < 0)
        return -1;
    if (judge_plan(engine, submit, &ask, &needs_mfa, err) < 0)
        return -1;
    if (needs_mfa && mfa_check(engine, submit, &totp_step, err) < 0)
        return -1;
    return accept(engine, submit, &ask, totp_step, ret_accepted, err);
}
