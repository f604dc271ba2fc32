/*
 * One dispatcher hands parts to idle workers. Nobody polls the store while nothing changes: the dispatcher
 * looks when it was woken, when a delay ends, or every few seconds.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/internal.h"

#define LOOK_MAX_MS 5000
#define COMPANY_MS 10 /* that jobs which no worker waits for are given to start in one transaction */

/* -- claiming -- */

struct claiming {
    struct engine *engine;
    struct arena *arena;
    struct starting starting;
    struct worker **idle; /* to be given a part each, while there are any */
    struct part **parts;
    int wanted, claimed;
    int64_t now, until, next_ms;
    int64_t expired; /* leases that ran out */
};

static int claim_one(struct tx *tx, struct claiming *c, struct arena *arena, struct part **ret_part,
                     struct err *err)
{
    struct part *part;

    if (tx_part_claim(tx, c->engine->owner, c->now, c->until, arena, &part, &c->next_ms, err) < 0)
        return -1;
    *ret_part = part;
    if (!part)
        return 0;
    return tx_job_count_attempt(tx, part->job_key, err);
}

static int start_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct claiming *c = ctx;

    arena_reset(c->arena);
    if (tx_leases_expire(tx, c->now, &c->expired, err) < 0)
        return -1;
    return tx_jobs_start(tx, c->engine, &c->starting, c->arena, err);
}

struct failing {
    struct claiming *c;
    const struct err *failure;
    struct ending ending;
};

static int fail_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct failing *f = ctx;
    struct job *job;

    f->ending = (struct ending){0};
    arena_reset(f->c->arena);
    if (tx_job_by_key(tx, f->c->starting.culprit, f->c->arena, &job, err) < 0)
        return -1;
    if (job->state != JOB_QUEUED)
        return 0;
    if (tx_job_error(tx, job, f->failure, f->c->arena, err) < 0)
        return -1;
    return tx_job_end(tx, f->c->engine, job, JOB_FAILED, &f->ending, err);
}

/* A job that cannot be started must not keep the others from it: it fails. What may go away is tried again.
 */
static void start_failed(struct claiming *c, const struct err *failure)
{
    struct failing failing = {.c = c, .failure = failure};
    struct err err = ERR_INIT;

    log_err(LOG_ERROR, "jobs could not be started", failure, NULL);
    if (!c->starting.culprit || err_info(failure->code)->retryable || failure->code == ERR_STORE_CORRUPT)
        return;
    if (store_tx(c->engine->store, "fail", fail_tx, &failing, &err) < 0)
        log_err(LOG_ERROR, "a job that cannot be started could not be ended", &err, NULL);
    else
        job_ended(c->engine, &failing.ending);
}

/* Looks at one stretch of the queue; true when there is more of it. */
static bool start_jobs(struct claiming *c)
{
    struct err err = ERR_INIT;

    if (store_tx(c->engine->store, "start", start_tx, c, &err) < 0) {
        start_failed(c, &err);
        c->starting.skip = 0;
        return false;
    }
    if (c->expired > 0)
        log_write(LOG_WARN, "leases ran out; their parts are taken up again", NULL);
    c->starting.skip = c->starting.next_skip;
    return c->starting.skip > 0;
}

static int claim_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct claiming *c = ctx;

    c->claimed = 0;
    c->next_ms = 0;
    while (c->claimed < c->wanted) {
        struct part *part;

        arena_reset(c->idle[c->claimed]->arena);
        if (claim_one(tx, c, c->idle[c->claimed]->arena, &part, err) < 0)
            return -1;
        if (!part)
            return 0;
        c->parts[c->claimed++] = part;
    }
    return 0;
}

static bool is_idle(const struct worker *worker)
{
    return !worker->part && worker->started;
}

static int find_idle(struct engine *engine, struct worker **ret_idle)
{
    int count = 0;

    for (int i = 0; i < engine->worker_count; i++)
        if (is_idle(&engine->workers[i]))
            ret_idle[count++] = &engine->workers[i];
    return count;
}

static bool any_idle(const struct engine *engine)
{
    for (int i = 0; i < engine->worker_count; i++)
        if (is_idle(&engine->workers[i]))
            return true;
    return false;
}

/* Claims for whoever is idle; returns how long the dispatcher may sleep. Called without the lock. */
static int64_t look_once(struct claiming *c)
{
    struct engine *engine = c->engine;
    struct err err = ERR_INIT;
    int64_t sleep_ms = LOOK_MAX_MS;
    bool more;

    c->now = clock_boot_ms();
    more = start_jobs(c);
    pthread_mutex_lock(&engine->lock);
    c->wanted = find_idle(engine, c->idle);
    c->until = c->now + realm_config(engine->realm)->lease_ms;
    pthread_mutex_unlock(&engine->lock);
    if (c->wanted == 0) /* a worker that ends wakes us */
        return more ? 0 : LOOK_MAX_MS;
    if (store_tx(engine->store, "claim", claim_tx, c, &err) < 0) {
        log_err(LOG_ERROR, "no work could be claimed", &err, NULL);
        return 1000;
    }
    pthread_mutex_lock(&engine->lock);
    for (int i = 0; i < c->claimed; i++) {
        c->idle[i]->part = c->parts[i];
        engine->busy++;
    }
    pthread_cond_broadcast(&engine->given);
    pthread_mutex_unlock(&engine->lock);
    if (more || c->claimed == c->wanted)
        return 0;
    if (c->next_ms > 0)
        sleep_ms = c->next_ms > c->now ? c->next_ms - c->now : 10;
    return sleep_ms < LOOK_MAX_MS ? sleep_ms : LOOK_MAX_MS;
}

/* A start of its own for each accepted job would make the next one's accept wait for one sync more. */
static void wait_for_company(struct engine *engine)
{
    struct timespec until = engine_in_ms(COMPANY_MS);

    while (!engine->closing && !any_idle(engine))
        if (pthread_cond_timedwait(&engine->look, &engine->lock, &until) == ETIMEDOUT)
            break;
}

void *dispatcher_main(void *arg)
{
    struct engine *engine = arg;
    struct claiming c = {.engine = engine, .arena = arena_new(JOB_ARENA_MAX)};
    int64_t sleep_ms = 0;

    c.idle = calloc((size_t)engine->worker_count, sizeof(struct worker *));
    c.parts = calloc((size_t)engine->worker_count, sizeof(struct part *));
    if (!c.arena || !c.idle || !c.parts)
        abort();
    pthread_mutex_lock(&engine->lock);
    while (!engine->closing) {
        struct timespec until = engine_in_ms(sleep_ms);

        while (!engine->dirty && !engine->closing && sleep_ms > 0)
            if (pthread_cond_timedwait(&engine->look, &engine->lock, &until) == ETIMEDOUT)
                break;
        if (engine->dirty)
            wait_for_company(engine);
        if (engine->closing)
            break;
        engine->dirty = false;
        pthread_mutex_unlock(&engine->lock);
        sleep_ms = look_once(&c);
        pthread_mutex_lock(&engine->lock);
    }
    pthread_mutex_unlock(&engine->lock);
    arena_free(c.arena);
    free(c.idle);
    free(c.parts);
    return NULL;
}

void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct engine *engine = worker->engine;

    pthread_mutex_lock(&engine->lock);
    for (;;) {
        struct part *part;

        while (!worker->part && !engine->stopping)
            pthread_cond_wait(&engine->given, &engine->lock);
        part = worker->part;
        if (!part)
            break;
        pthread_mutex_unlock(&engine->lock);
        worker_run(worker, part);
        pthread_mutex_lock(&engine->lock);
        worker->part = NULL;
        engine->busy--;
        engine->dirty = true;
        pthread_cond_signal(&engine->look);
        pthread_cond_broadcast(&engine->over);
    }
    pthread_mutex_unlock(&engine->lock);
    return NULL;
}
