/*
 * What every request shares: the store, the engine, who may come in, and how to wait for a change. One for
 * the process, made by server/ before the listeners and freed after them. Thread rule: any thread; app_tick
 * from one.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "auth/verifier.h"
#include "base/config.h"
#include "engine/engine.h"
#include "http/server.h"
#include "http/wait.h"

struct app_options {
    struct store *store;
    struct engine *engine;
    struct wait_hub *hub;
    const char *node;
    struct verifier *verifier; /* taken */
    uint8_t totp_key[32];
    bool has_totp;
    struct bytes openapi; /* the document that GET /openapi.yaml answers; static */
};

struct app {
    struct store *store;
    struct engine *engine;
    struct wait_hub *hub;
    struct bytes openapi;
    char node[128];
    uint8_t cursor_key[32]; /* kept in the store's settings: cursors outlive a restart */
    uint8_t totp_key[32];
    bool has_totp;
    int64_t started_at;

    pthread_mutex_t lock;
    struct verifier *verifier;    /* under the lock */
    struct http_server *listener; /* under the lock; for the number of connections */

    atomic_bool draining;
    atomic_int looking;         /* at environments, which asks AWS */
    atomic_int reading;         /* files of recovery points */
    atomic_int unauthenticated; /* since the last summary */
    atomic_int strangers;       /* requests without a principal since the last summary */
    atomic_int denials;         /* rows about refused principals since the last summary */
    int64_t summed_at;          /* boot clock; app_tick's own */
    atomic_bool reload_ok;
};

int app_new(const struct app_options *options, struct app **ret_app, struct err *err);
void app_free(struct app *app); /* accepts NULL; after both listeners have stopped */

struct verifier *app_verifier_hold(struct app *app);
/* Swaps in the verifier of a new configuration (taken). */
void app_verifier_replace(struct app *app, struct verifier *verifier);
/* For recoverd_http_connections; NULL before and after. */
void app_listener(struct app *app, struct http_server *listener);
/* /readyz says no from now on. */
void app_drain(struct app *app);
/* recoverd_config_reload_success */
void app_reloaded(struct app *app, bool ok);

/* About once a second: the summary audit rows and log line of what was too much for one each, at most once a
 * minute. `last`: now. */
void app_tick(struct app *app, bool last);

/* Declares the metrics of requests and the gauges read from the store. Before threads start, after
 * engine_new. */
void app_metrics_declare(struct app *app);

/* The API's listener and the ops listener. */
struct http_handler app_handler(struct app *app);
struct http_handler app_ops_handler(struct app *app);
