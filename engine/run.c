/* One attempt: a claimed part becomes a work, its function runs, and one transaction says how it ended. */
#include <stdlib.h>

#include "base/clock.h"
#include "engine/internal.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS 300000
#define LIMIT_WAIT_MS 120000
#define NO_ANSWER_ATTEMPTS 3 /* more than the kind says: with these it goes on for about a minute */

struct attempt {
    struct work work;
    struct work_private private;
    struct principal principal;
    struct grant grant;
    const struct step_kind *step_kind;
    bool splitting;
    int result; /* of the function */
    struct err failure;
    int64_t delay_ms;    /* until it may run again */
    bool counts;         /* against max_attempts */
    struct arena *arena; /* of the verdict: the attempt's own may be used up, and that must be told too */
    struct ending ending;
    struct progress progress; /* as the attempt left it: an ended job shows its last numbers */
    bool has_progress;
};

/* -- reading what the attempt needs -- */

struct loading {
    struct work *work;
    struct bytes spec;
    int64_t items, bytes;
};

static int load_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct loading *l = ctx;
    struct work *work = l->work;

    if (tx_job_by_key(tx, work->part->job_key, work->arena, &work->job, err) < 0 ||
        tx_step_get(tx, work->part->step_key, work->arena, &work->step, err) < 0 ||
        tx_document_get(tx, work->part->job_key, "spec", work->arena, &l->spec, err) < 0)
        return -1;
    return tx_step_sums(tx, work->part->step_key, &l->items, &l->bytes, err);
}

static int find_kind(struct attempt *a, struct engine *engine, struct err *err)
{
    struct work *work = &a->work;

    work->kind = kind_find(engine->kinds, work->job->kind);
    if (!work->kind)
        return err_set(err, ERR_UNKNOWN_KIND, "this version has no kind %s", work->job->kind);
    a->step_kind = step_kind_of(work->kind, work->step->name);
    if (!a->step_kind)
        return err_set(err, ERR_INTERNAL, "kind %s has no step %s", work->job->kind, work->step->name);
    a->splitting = a->step_kind->split && work->part->seq == 0;
    return 0;
}

static void act_for(struct attempt *a)
{
    const struct job *job = a->work.job;

    a->grant = (struct grant){a->work.kind->role, job->environment};
    a->principal = (struct principal){.issuer = job->created_issuer,
                                      .subject = job->created_subject,
                                      .identity = job->created_by,
                                      .address = job->created_from,
                                      .channel = "engine",
                                      .grants = &a->grant,
                                      .grant_count = 1};
    a->work.principal = &a->principal;
}

static int open_aws(struct attempt *a, struct worker *worker, struct err *err)
{
    struct work *work = &a->work;
    struct http_interrupt interrupt = work_interrupt(work);
    struct aws *aws;

    work->config = realm_config(a->private.realm);
    work->environment = config_environment(work->config, work->job->environment);
    if (!work->environment)
        return err_set(err, ERR_UNKNOWN_ENVIRONMENT,
                       "the environment %s is not in the configuration any more", work->job->environment);
    if (realm_aws(a->private.realm, work->environment, worker->client, &interrupt, &aws, err) < 0)
        return -1;
    work_session_open(work, aws, worker->client);
    return 0;
}

static int prepare(struct attempt *a, struct worker *worker, struct err *err)
{
    struct work *work = &a->work;
    struct loading l = {.work = work};

    if (store_read(worker->engine->store, load_tx, &l, err) < 0)
        return -1;
    id_format(&work->job->id, work->id);
    id_format(&work->job->origin_id, work->origin);
    log_context_job(work->id);
    if (work->job->cancel_requested_at) /* between the claim and our being heard of */
        signal_work(&a->private, ERR_CANCELLED);
    if (work->part->crashes >= CRASHES_MAX)
        return err_set(err, ERR_CRASHED_REPEATEDLY, "%d processes ended in part %s of step %s",
                       work->part->crashes, work->part->name, work->step->name);
    if (find_kind(a, worker->engine, err) < 0 || spec_parse(l.spec, work->arena, &work->spec, err) < 0 ||
        spec_parse(work->part->spec, work->arena, &work->part_spec, err) < 0)
        return -1;
    act_for(a);
    progress_open(worker->engine->progress, work->job->key, work->step->name, l.items, l.bytes);
    return open_aws(a, worker, err);
}

/* -- how it ended -- */

static int insert_splits(struct tx *tx, struct attempt *a, struct err *err)
{
    struct split **list = arena_array(a->arena, struct split *, (size_t)a->private.split_count + 1);
    int n = a->private.split_count;

    if (!list)
        return err_set(err, ERR_NO_MEMORY, "no memory for %d parts", n);
    for (struct split *s = a->private.splits; s; s = s->next)
        list[--n] = s;
    for (int i = 0; i < a->private.split_count; i++) {
        struct part part = {.job_key = a->work.job->key,
                            .step_key = a->work.step->key,
                            .seq = i + 1,
                            .name = list[i]->name,
                            .spec = list[i]->spec,
                            .state = PART_READY};

        if (tx_part_insert(tx, &part, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_always(const struct attempt *a)
{
    return a->step_kind && a->step_kind->always;
}

static int end_part(struct tx *tx, struct attempt *a, enum part_state state, struct err *err)
{
    struct work *work = &a->work;
    struct step *step;
    int64_t open;

    a->ending = (struct ending){0};
    if (tx_part_end(tx, &a->private.lease, state, &open, err) < 0)
        return -1;
    if (a->has_progress && tx_job_set_progress(tx, work->part->job_key, &a->progress, err) < 0)
        return -1;
    if (tx_step_get(tx, work->part->step_key, a->arena, &step, err) < 0)
        return -1;
    if (state != PART_DONE && !is_always(a))
        return tx_step_cut(tx, work->engine, step, &a->ending, err);
    return step->open_parts == 0 ? tx_job_go_on(tx, work->engine, work->part->job_key, &a->ending, err) : 0;
}

static int done_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct attempt *a = ctx;

    if (tx_part_check(tx, &a->private.lease, err) < 0 ||
        tx_job_set_waiting(tx, a->work.job->key, NULL, 0, err) < 0)
        return -1;
    if (a->splitting && insert_splits(tx, a, err) < 0)
        return -1;
    return end_part(tx, a, PART_DONE, err);
}

/* In a job that is cancelled, or has failed elsewhere, nothing waits for another turn. */
static int is_over(struct tx *tx, struct attempt *a, bool *ret_over, struct err *err)
{
    struct job *job;

    if (tx_part_check(tx, &a->private.lease, err) < 0 ||
        tx_job_by_key(tx, a->work.part->job_key, a->arena, &job, err) < 0)
        return -1;
    *ret_over = (job->cancel_requested_at || job->error_code) && !is_always(a);
    return 0;
}

static int again_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct attempt *a = ctx;
    bool over;

    if (is_over(tx, a, &over, err) < 0)
        return -1;
    if (over)
        return end_part(tx, a, PART_CANCELLED, err);
    if (tx_part_release(tx, &a->private.lease, clock_boot_ms() + a->private.again_ms, false, err) < 0)
        return -1;
    return tx_job_set_waiting(tx, a->work.job->key, a->private.again_reason,
                              clock_wall_ms() + a->private.again_ms, err);
}

static int retry_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct attempt *a = ctx;
    bool over;

    if (is_over(tx, a, &over, err) < 0 ||
        tx_step_error(tx, a->work.step, &a->failure, false, a->arena, err) < 0)
        return -1;
    if (over)
        return end_part(tx, a, PART_CANCELLED, err);
    if (tx_part_release(tx, &a->private.lease, clock_boot_ms() + a->delay_ms, a->counts, err) < 0)
        return -1;
    return tx_job_set_waiting(tx, a->work.job->key, "aws", clock_wall_ms() + a->delay_ms, err);
}

static int hand_back_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct attempt *a = ctx;

    return tx_part_release(tx, &a->private.lease, 0, false, err);
}

/* Not even what it is could be read: there is nothing to record it on. */
static int unread_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct attempt *a = ctx;

    return tx_part_release(tx, &a->private.lease, clock_boot_ms() + a->delay_ms, true, err);
}

static int cancelled_tx(struct tx *tx, void *ctx, struct err *err)
{
    return end_part(tx, ctx, PART_CANCELLED, err);
}

/* The first error is the job's: what cleans up does not hide why it failed. */
static int failed_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct attempt *a = ctx;
    struct job *job;

    if (tx_part_check(tx, &a->private.lease, err) < 0 ||
        tx_step_error(tx, a->work.step, &a->failure, true, a->arena, err) < 0 ||
        tx_job_by_key(tx, a->work.part->job_key, a->arena, &job, err) < 0 ||
        tx_job_error(tx, job, &a->failure, a->arena, err) < 0)
        return -1;
    return end_part(tx, a, PART_FAILED, err);
}

/* Full jitter over an exponential ceiling. */
static int64_t backoff_ms(int attempts)
{
    int64_t ceiling = BACKOFF_FIRST_MS;
    uint32_t random;

    for (int i = 0; i < attempts && ceiling < BACKOFF_MAX_MS; i++)
        ceiling *= 2;
    if (ceiling > BACKOFF_MAX_MS)
        ceiling = BACKOFF_MAX_MS;
    random_bytes(&random, sizeof(random));
    return BACKOFF_FIRST_MS / 4 + (int64_t)((double)ceiling * random / UINT32_MAX);
}

/* Where nobody answers at all, the way there is down: that lasts a minute sooner than a few seconds, and a
 * backup of hours should outlast it. */
static int attempts_max(const struct attempt *a)
{
    enum err_code code = a->failure.code;
    bool no_answer = code == ERR_AWS_UNREACHABLE || code == ERR_AWS_TIMEOUT;

    return a->work.kind->max_attempts + (no_answer ? NO_ANSWER_ATTEMPTS : 0);
}

/* Throttling and AWS's ceilings cost no attempt: the job slows down and says what it waits for. */
static store_fn *verdict_of_failure(struct attempt *a)
{
    enum err_code code = a->failure.code;
    int attempts = a->work.part->attempts;

    if (code == ERR_CANCELLED)
        return cancelled_tx;
    if (code == ERR_DRAINING)
        return hand_back_tx;
    a->counts =
        code != ERR_AWS_THROTTLED && code != ERR_AWS_LIMIT && code != ERR_DISK_FULL && code != ERR_STORE_FULL;
    a->delay_ms = code == ERR_AWS_LIMIT ? LIMIT_WAIT_MS : backoff_ms(attempts);
    if (!a->work.job || !a->work.step)
        return unread_tx;
    if (err_info(code)->retryable && a->work.kind && (!a->counts || attempts + 1 < attempts_max(a)))
        return retry_tx;
    return failed_tx;
}

static void conclude(struct attempt *a, struct worker *worker)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(VERDICT_ARENA_MAX);
    struct err err = ERR_INIT;
    store_fn *verdict;

    if (a->result < 0 && a->failure.code == ERR_LEASE_LOST)
        return engine_count_lost(); /* nothing of ours remains; the holder goes on */
    if (!arena)                     /* the lease runs out, and somebody takes the part up */
        return log_write(LOG_ERROR, "no memory to record the end of a part; it will run again", NULL);
    a->arena = arena;
    if (a->result == WORK_DONE)
        verdict = done_tx;
    else if (a->result == WORK_AGAIN)
        verdict = again_tx;
    else
        verdict = verdict_of_failure(a);
    if (a->result < 0 && verdict != hand_back_tx && verdict != cancelled_tx)
        log_err(verdict == failed_tx ? LOG_ERROR : LOG_WARN, "a step failed", &a->failure, "step",
                a->work.step ? a->work.step->name : NULL, "part", a->work.part->name, NULL);
    a->has_progress = progress_now(worker->engine->progress, a->private.job_key, arena, &a->progress);
    if (verdict == retry_tx)
        engine_count_retry(a->work.kind->name);
    if (store_tx(worker->engine->store, "end of part", verdict, a, &err) < 0 && err.code != ERR_LEASE_LOST)
        log_err(LOG_ERROR, "the end of a part could not be recorded; it will run again", &err, NULL);
    if (err.code == ERR_NONE)
        job_ended(worker->engine, &a->ending);
}

static int call(struct attempt *a, struct err *err)
{
    if (a->step_kind->replan && work_replan(&a->work, err) < 0)
        return -1;
    if (a->splitting)
        return a->step_kind->split(&a->work, err);
    return (a->step_kind->split ? a->step_kind->part : a->step_kind->run)(&a->work, err);
}

static void set_running(struct worker *worker, struct work_private *private)
{
    pthread_mutex_lock(&worker->engine->lock);
    worker->running = private;
    if (private && worker->engine->closing) /* it was told before we could hear it */
        signal_work(private, ERR_DRAINING);
    pthread_mutex_unlock(&worker->engine->lock);
}

void worker_run(struct worker *worker, struct part *part)
{
    struct attempt a = {.work = {.engine = worker->engine, .arena = worker->arena, .part = part}};

    a.work.private = &a.private;
    a.private.worker = worker;
    a.private.lease = part->lease;
    a.private.job_key = part->job_key;
    a.private.lease_until = part->lease_until;
    a.private.realm = engine_realm_hold(worker->engine);
    set_running(worker, &a.private);
    a.result = prepare(&a, worker, &a.failure);
    if (a.result == 0) /* told to stop before it began */
        a.result = work_go(&a.work, &a.failure);
    if (a.result == 0)
        a.result = call(&a, &a.failure);
    if (a.result < 0) /* pages that no cursor covers will be read again */
        progress_add(worker->engine->progress, part->job_key, -a.private.pending_items,
                     -a.private.pending_bytes);
    if (a.work.aws)
        work_session_close(&a.work);
    set_running(worker, NULL);
    conclude(&a, worker);
    budget_give(&worker->engine->memory, a.private.memory);
    realm_release(a.private.realm);
    log_context_job(NULL);
}
