/* GET /v1/environments and one of them: what is configured, and what AWS says of it right now. */
#include "handlers/environment_tables.h"
#include "handlers/handlers.h"

#include "base/clock.h"

struct looking {
    struct request *req;
    const struct environment *environment;
    struct environment_limits limits;
};

static int limits_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct looking *looking = ctx;

    return tx_environment_limits_get(tx, looking->environment->name, &looking->limits, err);
}

/* -- what is known without asking -- */

static void put_names(struct json_writer *w, const char *name, const struct name_list *names)
{
    json_put_array(w, name);
    for (size_t i = 0; i < names->count; i++)
        json_put_text(w, NULL, names->names[i]);
    json_put_array_end(w);
}

static void put_rate(struct json_writer *w, const char *name, int64_t live, int64_t configured)
{
    int64_t rate = live > 0 ? live : configured;

    if (rate > 0)
        json_put_int(w, name, rate);
    else
        json_put_null(w, name);
}

void limits_write(struct json_writer *w, const char *name, const struct environment *environment,
                  const struct environment_limits *limits)
{
    json_put_object(w, name);
    put_rate(w, "read_units_per_second", limits->read_units_per_second, environment->read_units_per_second);
    put_rate(w, "write_units_per_second", limits->write_units_per_second,
             environment->write_units_per_second);
    json_put_object(w, "configured");
    put_rate(w, "read_units_per_second", 0, environment->read_units_per_second);
    put_rate(w, "write_units_per_second", 0, environment->write_units_per_second);
    json_put_object_end(w);
    json_put_int(w, "version", limits->version);
    json_put_object_end(w);
}

static void put_state(struct json_writer *w, const struct environment *environment,
                      const struct environment_state *state)
{
    json_put_text(w, "state", environment_state_word(state));
    json_put_object(w, "account");
    json_put_text(w, "configured", environment->account);
    json_put_text(w, "found", state->account[0] ? state->account : NULL);
    json_put_text(w, "arn", state->arn[0] ? state->arn : NULL);
    json_put_time(w, "checked_at", state->checked_at);
    json_put_object_end(w);
    json_put_object(w, "credentials");
    json_put_text(w, "source", state->source[0] ? state->source : NULL);
    json_put_time(w, "expires_at", state->credentials_expire_at);
    json_put_object_end(w);
    json_put_int(w, "clock_offset_ms", state->clock_offset_ms);
    if (state->err.code != ERR_NONE)
        put_failure(w, "error", &state->err);
}

static void put_objectives(struct json_writer *w, const struct environment *environment)
{
    const struct {
        const char *name;
        int64_t ms;
    } objectives[] = {{"rto_critical_seconds", environment->rto_critical_ms},
                      {"rto_full_seconds", environment->rto_full_ms},
                      {"rpo_tables_seconds", environment->rpo_tables_ms},
                      {"rpo_buckets_seconds", environment->rpo_buckets_ms}};

    json_put_object(w, "objectives");
    for (size_t i = 0; i < COUNT_OF(objectives); i++)
        if (objectives[i].ms > 0)
            json_put_int(w, objectives[i].name, objectives[i].ms / 1000);
    json_put_object_end(w);
}

static void put_configured(struct json_writer *w, const struct environment *environment)
{
    json_put_text(w, "name", environment->name);
    json_put_text(w, "region", environment->region);
    json_put_text(w, "endpoint_url", environment->endpoint_url);
    put_names(w, "configured_tables", &environment->tables);
    json_put_text(w, "recovery_points", environment->recovery_points);
    put_names(w, "uri_roots", &environment->uri_roots);
    put_objectives(w, environment);
    json_put_object(w, "tags");
    for (size_t i = 0; i < environment->tag_count; i++)
        json_put_text(w, environment->tag_names[i], environment->tag_values[i]);
    json_put_object_end(w);
}

/* -- the list -- */

static int put_summary(struct request *req, struct json_writer *w, const struct environment *environment,
                       struct err *err)
{
    struct looking looking = {.req = req, .environment = environment};
    struct environment_state state = {0};

    if (request_read(req, limits_tx, &looking, err) < 0 ||
        engine_environment_state(req->app->engine, environment->name, &state, err) < 0)
        return -1;
    json_put_object(w, NULL);
    put_configured(w, environment);
    put_state(w, environment, &state);
    limits_write(w, "limits", environment, &looking.limits);
    json_put_object_end(w);
    return 0;
}

int environments_list(struct request *req, struct http_reply *reply, struct err *err)
{
    struct json_writer w;

    reply_json(reply, 200, &w);
    json_put_object(&w, NULL);
    json_put_array(&w, "items");
    for (size_t i = 0; i < req->config->environment_count; i++) {
        const struct environment *environment = &req->config->environments[i];

        if (principal_may(req->principal, ROLE_VIEWER, environment->name) &&
            put_summary(req, &w, environment, err) < 0)
            return -1;
    }
    json_put_array_end(&w);
    json_put_null(&w, "next_cursor");
    json_put_object_end(&w);
    return 0;
}

/* -- one, with its tables -- */

static int look_at_tables(struct request *req, const struct environment *environment,
                          struct table_list *ret_tables, struct err *err)
{
    int64_t deadline = clock_boot_ms() + ENVIRONMENT_LOOK_BUDGET_MS;
    int result;

    if (atomic_fetch_add(&req->app->looking, 1) >= ENVIRONMENT_LOOKS_AT_ONCE) {
        atomic_fetch_sub(&req->app->looking, 1);
        return err_set(err, ERR_BUSY, "%d environments are being looked at already",
                       ENVIRONMENT_LOOKS_AT_ONCE);
    }
    result = table_list_read(req->app->engine, environment, deadline, req->arena, ret_tables, err);
    atomic_fetch_sub(&req->app->looking, 1);
    return result;
}

/* The version of the live limits is the only thing here that can be changed by PUT. It is no validator for
 * the whole answer, which is AWS's: so the header is set without making a 304 possible. */
static void put_limits_etag(struct http_reply *reply, const struct environment_limits *limits)
{
    http_reply_header(reply, "ETag", "\"%lld\"", (long long)limits->version);
}

int environments_get(struct request *req, struct http_reply *reply, struct err *err)
{
    struct looking looking = {.req = req};
    struct environment_state state = {0};
    struct table_list tables;
    struct json_writer w;

    if (request_environment(req, req->params[0], ROLE_VIEWER, &looking.environment, err) < 0 ||
        request_read(req, limits_tx, &looking, err) < 0 ||
        look_at_tables(req, looking.environment, &tables, err) < 0 ||
        engine_environment_state(req->app->engine, looking.environment->name, &state, err) < 0)
        return -1;
    reply_json(reply, 200, &w);
    put_limits_etag(reply, &looking.limits);
    json_put_object(&w, NULL);
    put_configured(&w, looking.environment);
    put_state(&w, looking.environment, &state);
    limits_write(&w, "limits", looking.environment, &looking.limits);
    table_list_write(&w, &tables);
    json_put_raw(&w, "frozen", BYTES("[]"));
    json_put_object_end(&w);
    return 0;
}
