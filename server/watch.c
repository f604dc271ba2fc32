#include "server/watch.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/engine.h"
#include "handlers/app.h"

#define LOOK_BUDGET_MS 4000
#define LOOK_EVERY_S 60

struct watch {
    struct engine *engine;
    struct app *app;
    enum err_code said[CONFIG_ISSUERS_MAX]; /* of each issuer's keys; the thread's own */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    bool again, ending;
};

/* Opening a session asks for the account, unless that is known already. */
static void look_at(struct engine *engine, const char *name)
{
    struct engine_session *session = NULL;
    struct environment_state before = {0};
    struct err err = ERR_INIT;

    if (engine_environment_state(engine, name, &before, &err) < 0 || before.usable)
        return;
    if (engine_session_open(engine, name, LOOK_BUDGET_MS, &session, &err) == 0)
        log_write(LOG_INFO, "environment can be used", "environment", name, NULL);
    else if (err.code != before.err.code) /* said once, not every minute */
        log_err(LOG_WARN, "environment cannot be used", &err, "environment", name, NULL);
    engine_session_done(session);
}

/* Keys that cannot be fetched, and that they can be again: each said once. */
static void look_at_issuers(struct watch *watch)
{
    struct verifier *verifier = app_verifier_hold(watch->app);
    struct issuer_state state;

    for (size_t i = 0; i < COUNT_OF(watch->said) && verifier_issuer(verifier, i, &state); i++) {
        if (state.err.code == watch->said[i])
            continue;
        watch->said[i] = state.err.code;
        if (state.err.code == ERR_NONE)
            log_write(LOG_INFO, "the keys of an issuer are there", "issuer", state.issuer, NULL);
        else
            log_err(LOG_WARN, "the keys of an issuer cannot be fetched", &state.err, "issuer", state.issuer,
                    "last_good_set", state.loaded ? "in force" : "none", NULL);
    }
    verifier_release(verifier);
}

static bool is_ending(struct watch *watch)
{
    bool ending;

    pthread_mutex_lock(&watch->lock);
    ending = watch->ending;
    pthread_mutex_unlock(&watch->lock);
    return ending;
}

static void look_at_all(struct watch *watch)
{
    const struct config *config = engine_config_hold(watch->engine);

    for (size_t i = 0; i < config->environment_count && !is_ending(watch); i++)
        look_at(watch->engine, config->environments[i].name);
    config_release((struct config *)(uintptr_t)config);
}

/* Until it is time to look again; false at the end. */
static bool pause_watch(struct watch *watch)
{
    struct timespec until;
    bool ending;
    int result = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_EVERY_S;
    pthread_mutex_lock(&watch->lock);
    while (!watch->again && !watch->ending && result == 0)
        result = pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
    watch->again = false;
    ending = watch->ending;
    pthread_mutex_unlock(&watch->lock);
    return !ending;
}

static void *watch_main(void *arg)
{
    struct watch *watch = arg;

    do {
        look_at_all(watch);
        look_at_issuers(watch);
    } while (pause_watch(watch));
    return NULL;
}

int watch_begin(struct engine *engine, struct app *app, struct watch **ret_watch, struct err *err)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    pthread_condattr_t attributes;

    if (!watch)
        return err_set(err, ERR_NO_MEMORY, "no memory to watch environments");
    watch->engine = engine;
    watch->app = app;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&watch->thread, NULL, watch_main, watch) != 0) {
        free(watch);
        return err_set(err, ERR_NO_MEMORY, "no thread to watch environments");
    }
    *ret_watch = watch;
    return 0;
}

static void signal_watch(struct watch *watch, bool ending)
{
    pthread_mutex_lock(&watch->lock);
    watch->again = true;
    watch->ending |= ending;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

void watch_again(struct watch *watch)
{
    if (watch)
        signal_watch(watch, false);
}

void watch_end(struct watch *watch)
{
    if (!watch)
        return;
    signal_watch(watch, true);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}
