/* The pair of audit rows round each mutation at AWS: intent before, outcome after (DESIGN.md section 7). */
#include "base/clock.h"
#include "engine/internal.h"

struct pair {
    struct work *work;
    const struct effect *effect;
    enum audit_action action;
    const char *outcome;
    const char *aws_request_id;
    struct bytes detail;
    const char *state_name;
    struct bytes state;
    int64_t until;
};

static int row(struct tx *tx, const struct pair *p, struct err *err)
{
    const struct job *job = p->work->job;
    struct audit_entry entry = audit_entry_by(p->work->principal, p->action, p->outcome);
    char plan[HEX_SIZE(32)];

    hex_encode(job->plan_hash.bytes, 32, plan);
    entry.object = p->effect->object;
    entry.environment = job->environment;
    entry.job_id = p->work->id;
    entry.plan_hash = job->has_plan ? plan : NULL;
    entry.aws_request_id = p->aws_request_id && *p->aws_request_id ? p->aws_request_id : NULL;
    entry.detail = p->detail.data;
    return tx_audit(tx, p->work->engine->node, &entry, err);
}

static int intent_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct pair *p = ctx;
    bool cancelled = false;

    if (tx_part_heartbeat(tx, &p->work->private->lease, p->until, &cancelled, err) < 0)
        return -1;
    if (p->state_name && tx_document_put(tx, p->work->job->key, p->state_name, p->state, err) < 0)
        return -1;
    return row(tx, p, err);
}

static int outcome_tx(struct tx *tx, void *ctx, struct err *err)
{
    return row(tx, ctx, err);
}

static int detail_of(struct work *work, const struct effect *effect, bool outcome, const struct err *failure,
                     struct bytes *ret_detail, struct err *err)
{
    json_auto_t *detail = json_pack("{s:s,s:s}", "action", effect->action, "step", work->step->name);

    if (effect->detail)
        json_object_set(detail, "detail", (json_t *)(uintptr_t)effect->detail);
    if (outcome && strcmp(work->aws->first_request_id, work->aws->last_request_id) != 0)
        json_object_set_new(detail, "first_request_id", json_string(work->aws->first_request_id));
    if (failure)
        json_object_set_new(
            detail, "code",
            json_string(failure->aws.code[0] ? failure->aws.code : err_info(failure->code)->name));
    *ret_detail = bytes_of(detail ? json_canonical(work->arena, detail) : NULL);
    return ret_detail->data ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for an audit row");
}

/* How long the call and its retries may take: the lease must outlast them. Objects of S3 may be large. */
static int64_t budget_ms(const struct effect *effect)
{
    return str_starts(effect->action, "s3:") ? AWS_BODY_BUDGET_MS : AWS_BUDGET_MS;
}

int work_intent(struct work *work, const struct effect *effect, struct err *err)
{
    struct pair p = {.work = work, .effect = effect, .action = AUDIT_AWS_INTENT, .outcome = "intended"};

    if (work_go(work, err) < 0 || detail_of(work, effect, false, NULL, &p.detail, err) < 0)
        return -1;
    if (effect->name) {
        p.state_name = arena_printf(work->arena, "state.%s", effect->name);
        p.state = bytes_of(json_canonical(work->arena, effect->state));
        if (!p.state_name || !p.state.data)
            return err_set(err, ERR_NO_MEMORY, "no memory for an intent");
    }
    aws_session_forget_ids(work->aws); /* the outcome's ids are those of what comes now */
    p.until = clock_boot_ms() + work->config->lease_ms + budget_ms(effect);
    if (store_tx(work->engine->store, "intent", intent_tx, &p, err) < 0)
        return -1;
    lease_extend(work->private, p.until);
    return 0;
}

/* Whether the call had an effect is not always known; then the row says so. */
static const char *outcome_word(const struct err *failure)
{
    if (!failure)
        return "ok";
    return failure->code == ERR_AWS_TIMEOUT || failure->code == ERR_AWS_UNREACHABLE ||
                   failure->code == ERR_LEASE_LOST || failure->code == ERR_CANCELLED ||
                   failure->code == ERR_DRAINING
               ? "unknown"
               : "failed";
}

int work_outcome(struct work *work, const struct effect *effect, const struct err *failure,
                 const char *aws_request_id, struct err *err)
{
    struct pair p = {.work = work,
                     .effect = effect,
                     .action = AUDIT_AWS_OUTCOME,
                     .outcome = outcome_word(failure),
                     .aws_request_id = aws_request_id};

    if (failure && failure->aws.request_id[0])
        p.aws_request_id = failure->aws.request_id;
    else if (!aws_request_id)
        p.aws_request_id = work->aws->last_request_id;

    if (detail_of(work, effect, true, failure, &p.detail, err) < 0)
        return -1;
    /* Not fenced: what happened at AWS is told even when the lease was lost over it. */
    return store_tx(work->engine->store, "outcome", outcome_tx, &p, err);
}
