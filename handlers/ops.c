/* The ops listener: /metrics /healthz /readyz /version, up even when the API is full, for whoever can reach
 * it. */
#include <sqlite3.h>

#include "handlers/handlers.h"

#include "aws/endpoint.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "http/header.h"
#include "http/problem.h"
#include "store/audit_log.h"

/* A handler gets no principal here: the table is of its own kind. */
struct ops_route {
    const char *path;
    void (*answer)(struct app *app, const struct http_request *http, struct http_reply *reply);
};

/* -- /metrics -- */

static void metrics(struct app *app, const struct http_request *http, struct http_reply *reply)
{
    static const char *const offers[] = {"text/plain", "application/openmetrics-text"};
    bool open = http_accept(http_request_header(http, "Accept"), offers, COUNT_OF(offers)) == 1;

    (void)app;
    reply->content_type = open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                               : "text/plain; version=0.0.4; charset=utf-8";
    (open ? metrics_write_openmetrics : metrics_write_text)(&reply->body);
}

/* -- /healthz: the process answers -- */

static void healthz(struct app *app, const struct http_request *http, struct http_reply *reply)
{
    (void)app;
    (void)http;
    reply->content_type = "application/json";
    buffer_add_str(&reply->body, "{\"status\":\"ok\"}");
}

/* -- /readyz: may requests be sent here -- */

static int look_tx(struct tx *tx, void *ctx, struct err *err)
{
    return tx_audit_count(tx, ctx, err);
}

static void put_check(struct json_writer *w, const char *name, const struct err *err)
{
    json_put_object(w, NULL);
    json_put_text(w, "name", name);
    json_put_flag(w, "ok", err->code == ERR_NONE);
    if (err->code != ERR_NONE) {
        json_put_text(w, "code", err_info(err->code)->name);
        json_put_text(w, "detail", err->message);
    }
    json_put_object_end(w);
}

/* An environment that cannot be used is shown, and does not take the server out of service for the others. */
static void put_environments(struct json_writer *w, struct app *app)
{
    const struct config *config = engine_config_hold(app->engine);

    json_put_array(w, "environments");
    for (size_t i = 0; i < config->environment_count; i++) {
        const char *name = config->environments[i].name;
        struct environment_state state = {0};
        struct err err = ERR_INIT;

        if (engine_environment_state(app->engine, name, &state, &err) < 0)
            state.err = err;
        json_put_object(w, NULL);
        json_put_text(w, "name", name);
        json_put_text(w, "state", environment_state_word(&state));
        if (state.err.code != ERR_NONE)
            json_put_text(w, "code", err_info(state.err.code)->name);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    config_release((struct config *)(uintptr_t)config);
}

/* Tokens of an issuer whose keys could not be fetched yet are refused; those of the others are not. */
static void put_issuers(struct json_writer *w, struct app *app)
{
    struct verifier *verifier = app_verifier_hold(app);
    struct issuer_state state;

    json_put_array(w, "issuers");
    for (size_t i = 0; verifier_issuer(verifier, i, &state); i++) {
        json_put_object(w, NULL);
        json_put_text(w, "issuer", state.issuer);
        json_put_text(w, "state",
                      state.loaded                 ? "usable"
                      : state.err.code == ERR_NONE ? "unknown"
                                                   : "unusable");
        if (state.loaded_at_ms > 0)
            json_put_time(w, "keys_fetched_at", state.loaded_at_ms);
        if (state.err.code != ERR_NONE)
            json_put_text(w, "detail", state.err.message);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    verifier_release(verifier);
}

/* The ops listener is up first: until the API's is, a request would be refused. */
static bool listening(struct app *app)
{
    bool there;

    pthread_mutex_lock(&app->lock);
    there = app->listener != NULL;
    pthread_mutex_unlock(&app->lock);
    return there;
}

static void readyz(struct app *app, const struct http_request *http, struct http_reply *reply)
{
    struct err store = ERR_INIT, space = ERR_INIT, draining = ERR_INIT, listener = ERR_INIT;
    struct json_writer w;
    int64_t rows;
    bool ready;

    (void)http;
    store_read_ops(app->store, look_tx, &rows, &store);
    store_accepting(app->store, &space);
    if (atomic_load(&app->draining))
        err_set(&draining, ERR_DRAINING, "the server is shutting down");
    if (!listening(app))
        err_set(&listener, ERR_BUSY, "the API does not listen yet");
    ready = store.code == ERR_NONE && space.code == ERR_NONE && draining.code == ERR_NONE &&
            listener.code == ERR_NONE;
    reply_json(reply, ready ? 200 : 503, &w);
    json_put_object(&w, NULL);
    json_put_text(&w, "status", ready ? "ready" : "not ready");
    json_put_array(&w, "checks");
    put_check(&w, "store", &store);
    put_check(&w, "disk", &space);
    put_check(&w, "draining", &draining);
    put_check(&w, "listener", &listener);
    json_put_array_end(&w);
    put_environments(&w, app);
    put_issuers(&w, app);
    json_put_object_end(&w);
}

/* -- /version -- */

static void put_endpoints(struct json_writer *w, const struct environment *environment)
{
    json_put_object(w, NULL);
    json_put_text(w, "environment", environment->name);
    json_put_text(w, "region", environment->region);
    json_put_object(w, "endpoints");
    for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
        struct aws_endpoint endpoint;
        struct err err = ERR_INIT;

        /* only where traffic does not go to AWS's own place */
        if (aws_endpoint_find(environment, (enum aws_service_id)i, &endpoint, &err) == 0 && endpoint.custom)
            json_put_text(w, aws_service((enum aws_service_id)i)->name, endpoint.url);
    }
    json_put_object_end(w);
    json_put_object_end(w);
}

static void version(struct app *app, const struct http_request *http, struct http_reply *reply)
{
    const struct config *config = engine_config_hold(app->engine);
    struct json_writer w;

    (void)http;
    reply_json(reply, 200, &w);
    json_put_object(&w, NULL);
    json_put_text(&w, "version", RECOVERD_VERSION);
    json_put_text(&w, "node", app->node);
    json_put_time(&w, "started_at", app->started_at);
    json_put_text(&w, "configuration_sha256", config->sha256);
    json_put_time(&w, "configuration_loaded_at", config->loaded_at_ms);
    json_put_text(&w, "sqlite", sqlite3_libversion());
    json_put_array(&w, "environments");
    for (size_t i = 0; i < config->environment_count; i++)
        put_endpoints(&w, &config->environments[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    config_release((struct config *)(uintptr_t)config);
}

/* -- dispatch -- */

static const struct ops_route ops_routes[] = {
    {"metrics", metrics},
    {"healthz", healthz},
    {"readyz", readyz},
    {"version", version},
};

static int ops_begin(void *arg, struct http_request *http, size_t *ret_body_limit, struct http_reply *reply)
{
    static const char allow[] = "GET, HEAD, OPTIONS";
    struct http_problem_extra extra = {.allow = allow};
    struct err err = ERR_INIT;

    (void)arg;
    *ret_body_limit = 0;
    for (size_t i = 0; i < COUNT_OF(ops_routes) && http->segment_count == 1; i++) {
        if (strcmp(http->segments[0], ops_routes[i].path) != 0)
            continue;
        if (strcmp(http->method, "GET") == 0 || http->is_head) {
            http->user = (void *)(uintptr_t)&ops_routes[i];
            return 0;
        }
        if (strcmp(http->method, "OPTIONS") == 0) {
            reply->status = 204;
            http_reply_header(reply, "Allow", "%s", allow);
            return -1;
        }
        err_set(&err, ERR_METHOD_NOT_ALLOWED, "%.20s is not taken here", http->method);
        http_problem(reply, http, &err, &extra);
        return -1;
    }
    err_set(&err, ERR_NOT_FOUND, "there is nothing at this path");
    http_problem(reply, http, &err, NULL);
    return -1;
}

static void ops_respond(void *arg, struct http_request *http, struct http_reply *reply)
{
    const struct ops_route *route = http->user;

    route->answer(arg, http, reply);
}

struct http_handler app_ops_handler(struct app *app)
{
    return (struct http_handler){ops_begin, ops_respond, NULL, app};
}
