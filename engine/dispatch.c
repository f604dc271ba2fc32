/*
 * One dispatcher hands parts to idle workers; one heart renews their leases and writes progress. Nobody polls
 * the store while nothing changes: the dispatcher looks when it was woken, when a delay ends, or every few
 * seconds.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/internal.h"

#define LOOK_MAX_MS 5000
#define HEART_MS 500

static struct timespec in_ms(int64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

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
    part->lease_until = c->until;
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

static int find_idle(struct engine *engine, struct worker **ret_idle)
{
    int count = 0;

    for (int i = 0; i < engine->worker_count; i++)
        if (!engine->workers[i].part && engine->workers[i].started)
            ret_idle[count++] = &engine->workers[i];
    return count;
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
        struct timespec until = in_ms(sleep_ms);

        while (!engine->dirty && !engine->closing && sleep_ms > 0)
            if (pthread_cond_timedwait(&engine->look, &engine->lock, &until) == ETIMEDOUT)
                break;
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

/* -- the heart -- */

struct beat {
    struct lease lease;
    int64_t job_key;
    enum err_code verdict; /* ERR_NONE: go on */
};

struct beats {
    struct arena *arena;
    struct beat *beats;
    size_t count;
    int64_t until;
    struct moved *moved;
};

struct moved {
    struct moved *next;
    int64_t job_key;
    struct progress progress;
};

static void collect_progress(void *arg, int64_t job_key, const struct progress *progress)
{
    struct beats *b = arg;
    struct moved *moved = arena_make(b->arena, struct moved);

    if (!moved)
        return;
    *moved = (struct moved){b->moved, job_key, *progress};
    moved->progress.phase = arena_strdup(b->arena, progress->phase);
    moved->progress.unit = arena_strdup(b->arena, progress->unit);
    b->moved = moved;
}

static int beat_one(struct tx *tx, struct beat *beat, int64_t until, struct err *err)
{
    bool cancelled = false;

    beat->verdict = ERR_NONE;
    if (tx_part_heartbeat(tx, &beat->lease, until, &cancelled, err) < 0) {
        if (err->code != ERR_LEASE_LOST)
            return -1;
        err_clear(err); /* expected: the part ended a moment ago, or somebody else holds it */
        beat->verdict = ERR_LEASE_LOST;
    } else if (cancelled) {
        beat->verdict = ERR_CANCELLED;
    }
    return 0;
}

static int beat_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct beats *b = ctx;

    for (size_t i = 0; i < b->count; i++)
        if (beat_one(tx, &b->beats[i], b->until, err) < 0)
            return -1;
    for (struct moved *m = b->moved; m; m = m->next)
        if (tx_job_set_progress(tx, m->job_key, &m->progress, err) < 0)
            return -1;
    return 0;
}

static void collect_leases(struct engine *engine, struct beats *b)
{
    pthread_mutex_lock(&engine->lock);
    b->until = clock_boot_ms() + realm_config(engine->realm)->lease_ms;
    b->beats = arena_array(b->arena, struct beat, (size_t)engine->worker_count);
    for (int i = 0; b->beats && i < engine->worker_count; i++)
        if (engine->workers[i].running)
            b->beats[b->count++] = (struct beat){engine->workers[i].running->lease,
                                                 engine->workers[i].running->job_key, ERR_NONE};
    pthread_mutex_unlock(&engine->lock);
}

/* Attempts are found again by their lease: the one that was asked for may have ended meanwhile. */
static void tell_verdicts(struct engine *engine, const struct beats *b)
{
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < b->count; i++)
        for (int n = 0; n < engine->worker_count; n++) {
            struct work_private *running = engine->workers[n].running;

            if (!running || running->lease.part_key != b->beats[i].lease.part_key ||
                running->lease.epoch != b->beats[i].lease.epoch)
                continue;
            if (b->beats[i].verdict == ERR_NONE) {
                lease_extend(running, b->until);
            } else {
                signal_work(running, b->beats[i].verdict);
                http_client_wake(engine->workers[n].client);
            }
        }
    pthread_mutex_unlock(&engine->lock);
}

static bool beat(struct engine *engine, bool leases)
{
    struct beats b = {.arena = arena_new(4 * MIB)};
    struct err err = ERR_INIT;
    bool done = true;

    if (!b.arena)
        return false;
    progress_flush(engine->progress, collect_progress, &b);
    if (leases)
        collect_leases(engine, &b);
    if (b.count > 0 || b.moved)
        done = store_tx(engine->store, "heartbeat", beat_tx, &b, &err) == 0;
    if (done)
        tell_verdicts(engine, &b);
    else
        log_err(LOG_ERROR, "leases could not be renewed", &err, NULL);
    arena_free(b.arena);
    return done;
}

void *heart_main(void *arg)
{
    struct engine *engine = arg;
    int64_t last = clock_boot_ms();

    for (;;) {
        struct timespec until = in_ms(HEART_MS);
        int64_t lease_ms;
        bool over;
        bool due;

        pthread_mutex_lock(&engine->lock);
        while (!(engine->stopping && engine->busy == 0))
            if (pthread_cond_timedwait(&engine->over, &engine->lock, &until) == ETIMEDOUT)
                break;
        over = engine->stopping && engine->busy == 0;
        lease_ms = realm_config(engine->realm)->lease_ms;
        pthread_mutex_unlock(&engine->lock);
        if (over)
            return NULL;
        due = clock_boot_ms() - last >= lease_ms / 3;
        if (beat(engine, due) && due)
            last = clock_boot_ms();
    }
}

static int weight(int code)
{
    static const enum err_code order[] = {ERR_NONE, ERR_CANCELLED, ERR_DRAINING, ERR_LEASE_LOST};
    int i = 0;

    while (i < (int)COUNT_OF(order) - 1 && (int)order[i] != code)
        i++;
    return i;
}

void signal_work(struct work_private *private, enum err_code code)
{
    int was = atomic_load(&private->signal);

    while (weight(was) < weight((int)code) &&
           !atomic_compare_exchange_weak(&private->signal, &was, (int)code))
        continue;
}

void lease_extend(struct work_private *private, int64_t until_boot_ms)
{
    int64_t was = atomic_load(&private->lease_until);

    while (was < until_boot_ms && !atomic_compare_exchange_weak(&private->lease_until, &was, until_boot_ms))
        continue;
}

void signal_running(struct engine *engine, int64_t job_key, enum err_code code)
{
    for (int i = 0; i < engine->worker_count; i++) {
        struct work_private *running = engine->workers[i].running;

        if (!running || (job_key && running->job_key != job_key))
            continue;
        signal_work(running, code);
        http_client_wake(engine->workers[i].client);
    }
}
