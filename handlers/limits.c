/* PUT /v1/environments/{name}/limits: rates of an environment, in force at once for what runs. */
#include "handlers/environment_tables.h"
#include "handlers/handlers.h"

#include "audit/log.h"
#include "http/header.h"

const struct field limits_put_fields[] = {
    FIELD_INTEGER("read_units_per_second", 0, LIVE_RATE_MAX, "per table; 0: as configured", .initial = "0"),
    FIELD_INTEGER("write_units_per_second", 0, LIVE_RATE_MAX, "per table; 0: as configured", .initial = "0"),
    FIELD_END,
};

struct putting {
    struct request *req;
    const struct environment *environment;
    struct environment_limits before, after;
};

/* If-Match against the version, "0" where nothing was ever put; If-None-Match: * where nothing was. */
static int judge(const struct putting *p, struct err *err)
{
    struct bytes match = http_request_header(p->req->http, "If-Match");
    struct bytes none = http_request_header(p->req->http, "If-None-Match");
    char etag[32];

    snprintf(etag, sizeof(etag), "\"%lld\"", (long long)p->before.version);
    if (match.data && http_if_match(match, etag) != HTTP_MATCH_YES)
        return err_set(err, ERR_PRECONDITION_FAILED, "the limits have version %lld",
                       (long long)p->before.version);
    if (none.data && p->before.version != 0)
        return err_set(err, ERR_PRECONDITION_FAILED, "limits were put already, their version is %lld",
                       (long long)p->before.version);
    return 0;
}

static int put_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct putting *p = ctx;
    struct audit_entry entry = audit_entry_by(p->req->principal, AUDIT_LIMITS_CHANGED, "ok");
    char detail[256];

    if (tx_environment_limits_get(tx, p->environment->name, &p->before, err) < 0 || judge(p, err) < 0)
        return -1;
    p->after.version = p->before.version + 1;
    if (tx_environment_limits_put(tx, p->environment->name, &p->after, err) < 0 ||
        tx_environment_limits_get(tx, p->environment->name, &p->after, err) < 0)
        return -1;
    snprintf(detail, sizeof(detail),
             "{\"before\":{\"read\":%lld,\"write\":%lld},\"after\":{\"read\":%lld,\"write\":%lld}}",
             (long long)p->before.read_units_per_second, (long long)p->before.write_units_per_second,
             (long long)p->after.read_units_per_second, (long long)p->after.write_units_per_second);
    entry.environment = p->environment->name;
    entry.object = "limits";
    entry.request_id = p->req->http->id;
    entry.detail = detail;
    return tx_audit(tx, p->req->app->node, &entry, err);
}

int limits_put(struct request *req, struct http_reply *reply, struct err *err)
{
    struct putting p = {.req = req};
    struct json_writer w;

    if (request_environment(req, req->params[0], ROLE_OPERATOR, &p.environment, err) < 0)
        return -1;
    p.after.read_units_per_second = json_get_int(req->body, "read_units_per_second", 0);
    p.after.write_units_per_second = json_get_int(req->body, "write_units_per_second", 0);
    if (store_tx(req->app->store, "limits", put_tx, &p, err) < 0)
        return -1;
    reply_json(reply, 200, &w);
    reply_etag_version(reply, p.after.version);
    limits_write(&w, NULL, p.environment, &p.after);
    return 0;
}
