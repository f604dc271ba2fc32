/*
 * One heart renews the leases of all that runs here at a third of their time, writes progress, and tells
 * attempts what became of theirs: a lost lease, a drain, a cancel.
 */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "engine/internal.h"

#define HEART_MS 500

struct timespec engine_in_ms(int64_t ms)
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

/* -- beats -- */

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
    struct beats b = {.arena = arena_new(BEAT_ARENA_MAX)};
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
        struct timespec until = engine_in_ms(HEART_MS);
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

/* -- signals -- */

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
