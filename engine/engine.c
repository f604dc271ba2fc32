/* The engine's life: made from a store, a configuration and the table of kinds; started, reloaded, drained,
 * freed. */
#include <stdlib.h>
#include <time.h>
#include <openssl/crypto.h>

#include "base/clock.h"
#include "engine/internal.h"

static void init_locks(struct engine *engine)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->look, &attr);
    pthread_cond_init(&engine->given, &attr);
    pthread_cond_init(&engine->over, &attr);
    pthread_condattr_destroy(&attr);
}

static int make_workers(struct engine *engine, struct err *err)
{
    engine->workers = calloc((size_t)engine->worker_count, sizeof(*engine->workers));
    if (!engine->workers)
        return err_set(err, ERR_NO_MEMORY, "no memory for %d workers", engine->worker_count);
    for (int i = 0; i < engine->worker_count; i++) {
        struct worker *worker = &engine->workers[i];

        worker->engine = engine;
        worker->arena = arena_new(JOB_ARENA_MAX);
        worker->client = http_client_new(err);
        if (!worker->arena || !worker->client)
            return err_set(err, ERR_NO_MEMORY, "no memory for %d workers", engine->worker_count);
    }
    return 0;
}

int engine_new(const struct engine_options *options, struct engine **ret_engine, struct err *err)
{
    struct engine *engine;

    if (kinds_sound(options->kinds, err) < 0)
        return -1;
    engine = calloc(1, sizeof(*engine));
    if (!engine)
        return err_set(err, ERR_NO_MEMORY, "no memory for the engine");
    init_locks(engine);
    engine->store = options->store;
    engine->kinds = options->kinds;
    str_copy(engine->node, sizeof(engine->node), options->node);
    memcpy(engine->totp_key, options->totp_key, sizeof(engine->totp_key));
    engine->has_totp = options->has_totp;
    engine->worker_count = options->config->worker_threads;
    budget_init(&engine->memory, options->config->worker_memory);
    engine->rates = rates_new();
    engine->progress = progress_new();
    engine->surveyor_client = http_client_new(err);
    if (!engine->rates || !engine->progress || !engine->surveyor_client ||
        realm_new(options->config, &engine->realm, err) < 0 || make_workers(engine, err) < 0) {
        engine_free(engine);
        return err_set(err, ERR_NO_MEMORY, "no memory for the engine");
    }
    engine_metrics_declare();
    engine_metrics_begin(engine->kinds, options->config);
    *ret_engine = engine;
    return 0;
}

struct beginning {
    struct engine *engine;
    int64_t now, owner;
};

static int begin_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct beginning *b = ctx;

    return tx_process_begin(tx, b->engine->node, b->now, &b->owner, err);
}

/* All, or false; those that did start end in engine_stop. */
static bool start_threads(struct engine *engine)
{
    bool all = true;

    pthread_mutex_lock(&engine->lock);
    for (int i = 0; i < engine->worker_count; i++) {
        struct worker *worker = &engine->workers[i];

        worker->started = pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
        all &= worker->started;
    }
    pthread_mutex_unlock(&engine->lock);
    engine->heart_started = pthread_create(&engine->heart, NULL, heart_main, engine) == 0;
    engine->dispatcher_started = pthread_create(&engine->dispatcher, NULL, dispatcher_main, engine) == 0;
    engine->surveyor_started = pthread_create(&engine->surveyor, NULL, survey_main, engine) == 0;
    return all && engine->heart_started && engine->dispatcher_started && engine->surveyor_started;
}

int engine_start(struct engine *engine, struct err *err)
{
    struct beginning b = {.engine = engine, .now = clock_wall_ms()};

    if (store_tx(engine->store, "process", begin_tx, &b, err) < 0)
        return -1;
    engine->owner = b.owner;
    engine->dirty = true;
    return start_threads(engine) ? 0 : err_set(err, ERR_NO_MEMORY, "not all threads could be started");
}

static bool wait_idle(struct engine *engine, int64_t deadline_boot_ms)
{
    while (engine->busy > 0) {
        struct timespec until = engine_in_ms(100);

        if (clock_boot_ms() >= deadline_boot_ms)
            return false;
        pthread_cond_timedwait(&engine->over, &engine->lock, &until);
    }
    return true;
}

void engine_stop(struct engine *engine, int64_t deadline_boot_ms)
{
    bool idle;

    pthread_mutex_lock(&engine->lock);
    engine->closing = true;
    signal_running(engine, 0, ERR_DRAINING);
    pthread_cond_broadcast(&engine->look);
    pthread_mutex_unlock(&engine->lock);
    if (engine->dispatcher_started)
        pthread_join(engine->dispatcher, NULL);
    engine->dispatcher_started = false;
    http_client_wake(engine->surveyor_client);
    if (engine->surveyor_started)
        pthread_join(engine->surveyor, NULL);
    engine->surveyor_started = false;
    pthread_mutex_lock(&engine->lock);
    engine->stopping = true;
    signal_running(engine, 0, ERR_DRAINING); /* also what was handed over meanwhile */
    pthread_cond_broadcast(&engine->given);
    pthread_cond_broadcast(&engine->over);
    idle = wait_idle(engine, deadline_boot_ms);
    pthread_mutex_unlock(&engine->lock);
    if (!idle) {
        /* A call that does not end holds its worker: its lease runs out, and the next process takes the part.
         */
        log_write(LOG_WARN, "workers were still busy at the deadline", NULL);
        return;
    }
    for (int i = 0; i < engine->worker_count; i++) {
        if (engine->workers[i].started)
            pthread_join(engine->workers[i].thread, NULL);
        engine->workers[i].started = false;
    }
    if (engine->heart_started)
        pthread_join(engine->heart, NULL);
    engine->heart_started = false;
}

static bool threads_left(const struct engine *engine)
{
    for (int i = 0; engine->workers && i < engine->worker_count; i++)
        if (engine->workers[i].started)
            return true;
    return engine->heart_started || engine->dispatcher_started || engine->surveyor_started;
}

void engine_free(struct engine *engine)
{
    if (!engine ||
        threads_left(engine)) /* a thread that would not end still uses it: the process is about to exit */
        return;
    for (int i = 0; engine->workers && i < engine->worker_count; i++) {
        http_client_free(engine->workers[i].client);
        arena_free(engine->workers[i].arena);
    }
    free(engine->workers);
    http_client_free(engine->surveyor_client);
    realm_release(engine->realm);
    progress_free(engine->progress);
    rates_free(engine->rates);
    budget_done(&engine->memory);
    pthread_cond_destroy(&engine->look);
    pthread_cond_destroy(&engine->given);
    pthread_cond_destroy(&engine->over);
    pthread_mutex_destroy(&engine->lock);
    OPENSSL_cleanse(engine->totp_key, sizeof(engine->totp_key));
    free(engine);
}

int engine_reload(struct engine *engine, const struct config *config, struct err *err)
{
    struct realm *fresh;
    struct realm *old;

    if (realm_new(config, &fresh, err) < 0)
        return -1;
    engine_metrics_begin(engine->kinds, config);
    pthread_mutex_lock(&engine->lock);
    old = engine->realm;
    engine->realm = fresh;
    engine->dirty = true;
    pthread_cond_signal(&engine->look);
    pthread_mutex_unlock(&engine->lock);
    http_client_wake(engine->surveyor_client);
    realm_release(old);
    return 0;
}

void engine_wake(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->dirty = true;
    pthread_cond_signal(&engine->look);
    pthread_mutex_unlock(&engine->lock);
}

const struct job_kind *const *engine_kinds(const struct engine *engine)
{
    return engine->kinds;
}

struct store *engine_store(const struct engine *engine)
{
    return engine->store;
}

struct realm *engine_realm_hold(struct engine *engine)
{
    struct realm *realm;

    pthread_mutex_lock(&engine->lock);
    realm = realm_hold(engine->realm);
    pthread_mutex_unlock(&engine->lock);
    return realm;
}

const struct config *engine_config_hold(struct engine *engine)
{
    const struct config *config;

    pthread_mutex_lock(&engine->lock);
    config = config_hold(realm_config(engine->realm));
    pthread_mutex_unlock(&engine->lock);
    return config;
}

int engine_workers_busy(struct engine *engine)
{
    int busy;

    pthread_mutex_lock(&engine->lock);
    busy = engine->busy;
    pthread_mutex_unlock(&engine->lock);
    return busy;
}
