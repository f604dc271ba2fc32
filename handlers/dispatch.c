/* The way of every request of the API listener: route, caller, role, headers; then the body; then the
 * handler. */
#include "handlers/dispatch.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "http/header.h"
#include "http/problem.h"

/* -- the head -- */

/* Names that the route knows, once each unless they are marked. */
static int judge_query(const struct request *req, struct err *err)
{
    const char *known = req->route->query ? req->route->query : "";
    char repeatable[HTTP_SEGMENT_MAX];

    for (size_t i = 0; i < req->http->query_count; i++) {
        const char *name = req->http->query[i].name;

        snprintf(repeatable, sizeof(repeatable), "%.900s*", name);
        if (str_listed(known, repeatable) && !strchr(name, '*') && name[0])
            continue;
        if (!name[0] || !str_listed(known, name) || strchr(name, '*'))
            return err_set(err, ERR_INVALID_QUERY, "no query parameter %.64s is known here",
                           name[0] ? name : "(empty)");
        for (size_t k = 0; k < i; k++)
            if (strcmp(req->http->query[k].name, name) == 0)
                return err_set(err, ERR_INVALID_QUERY, "the query parameter %.64s was sent twice", name);
    }
    return 0;
}

static int judge_accept(struct request *req, struct err *err)
{
    const char *produces = req->route->produces ? req->route->produces : "application/json";
    char *list = arena_strdup(req->arena, produces);
    const char *offers[ROUTE_OFFERS_MAX];
    size_t count = 0;
    char *next;

    if (!list)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    for (char *word = strtok_r(list, " ", &next); word && count < ROUTE_OFFERS_MAX;
         word = strtok_r(NULL, " ", &next))
        offers[count++] = word;
    req->offer = http_accept(http_request_header(req->http, "Accept"), offers, count);
    if (req->offer < 0)
        return err_set(err, ERR_NOT_ACCEPTABLE, "what there is here: %s", produces);
    return 0;
}

static int judge_preconditions(const struct request *req, struct err *err)
{
    struct bytes match = http_request_header(req->http, "If-Match");
    struct bytes none = http_request_header(req->http, "If-None-Match");

    if (!req->route->if_match)
        return 0;
    if (!match.data && !none.data)
        return err_set(err, ERR_PRECONDITION_REQUIRED,
                       "send If-Match with the ETag, or If-None-Match: * to create");
    if (none.data && !bytes_is(http_trim(none), "*"))
        return err_set(err, ERR_INVALID_HEADER, "If-None-Match can only be * here");
    if (http_if_match(match, "\"0\"") == HTTP_MATCH_BAD)
        return err_set(err, ERR_INVALID_HEADER, "If-Match is not a list of entity tags");
    return 0;
}

static int judge_head(struct request *req, struct err *err)
{
    if (authenticate(req, err) < 0)
        return -1;
    if (!principal_may(req->principal, req->route->role, NULL))
        return err_set(err, ERR_FORBIDDEN, "this needs the role %s", role_name(req->route->role));
    if (judge_query(req, err) < 0 || judge_accept(req, err) < 0 || judge_preconditions(req, err) < 0)
        return -1;
    if (req->http->content_length > 0 && req->route->body && !http_request_is_json(req->http))
        return err_set(err, ERR_UNSUPPORTED_MEDIA_TYPE, "the body's Content-Type must be application/json");
    return 0;
}

static struct request *request_new(struct app *app, struct http_request *http)
{
    struct request *req = arena_make(http->arena, struct request);

    if (!req)
        return NULL;
    req->app = app;
    req->http = http;
    req->arena = http->arena;
    faults_init(&req->faults, req->arena);
    req->config = engine_config_hold(app->engine);
    http->user = req;
    return req;
}

static int answer_options(struct http_reply *reply, const struct buffer *allow)
{
    reply->status = 204;
    reply->content_type = NULL;
    http_reply_header(reply, "Allow", "%s", allow->data);
    return -1; /* the reply is ready: no body is read */
}

static int begin(void *arg, struct http_request *http, size_t *ret_body_limit, struct http_reply *reply)
{
    _cleanup_(buffer_done) struct buffer allow = BUFFER_INIT(256);
    struct request *req = request_new(arg, http);
    struct err err = ERR_INIT;

    log_context_request(http->id);
    if (!req) {
        err_set(&err, ERR_NO_MEMORY, "request arena");
        http_problem(reply, http, &err, NULL);
        return -1;
    }
    req->route = route_find(routes, http->method, http->segments, http->segment_count, req->arena,
                            req->params, &allow, &err);
    if (!req->route && allow.len > 0 && strcmp(http->method, "OPTIONS") == 0)
        return answer_options(reply, &allow);
    if (!req->route || judge_head(req, &err) < 0) {
        refuse(req, reply, &err, err.code == ERR_METHOD_NOT_ALLOWED ? allow.data : NULL);
        return -1;
    }
    *ret_body_limit = req->route->body ? (size_t)HTTP_BODY_MAX : 0;
    return 0;
}

/* -- the body -- */

static int parse_body(struct request *req, struct err *err)
{
    static const struct json_limits limits = {.max_depth = HTTP_BODY_DEPTH};
    json_auto_t *sent = NULL;
    json_t *checked;

    if (!req->route->body || (req->http->body.len == 0 && req->route->body_optional))
        return 0;
    if (req->http->body.len == 0)
        return err_set(err, ERR_INVALID_JSON, "the body is empty");
    if (json_parse(req->http->body, &limits, &sent, err) < 0)
        return -1;
    if (!json_is_object(sent)) {
        fault_add(&req->faults, "", "the body must be an object");
        return faults_end(&req->faults, ERR_INVALID_BODY, err);
    }
    checked = fields_check(req->route->body, sent, "", &req->faults);
    if (!checked)
        return faults_end(&req->faults, ERR_INVALID_BODY, err);
    if (arena_defer(req->arena, json_decref_p, checked) < 0)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    req->body = checked;
    return 0;
}

static void respond(void *arg, struct http_request *http, struct http_reply *reply)
{
    struct request *req = http->user;
    struct err err = ERR_INIT;

    (void)arg;
    if (parse_body(req, &err) < 0 || req->route->handle(req, reply, &err) < 0)
        refuse(req, reply, &err, NULL);
    else
        http_reply_not_modified(reply, http);
}

/* -- the end -- */

/* Whom nobody knows gets so many lines a minute; app_tick tells of the rest. */
static bool worth_a_line(struct app *app, const struct request *req)
{
    return (req && req->principal) || atomic_fetch_add(&app->strangers, 1) < STRANGER_LINES_A_MINUTE;
}

/* Microseconds as milliseconds with three decimals: 12.345 */
static void put_ms(int64_t us, char ret_text[INT_SIZE + 4])
{
    size_t len = int_format(us / 1000, ret_text);
    int rest = (int)(us % 1000);
    const char decimals[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                             (char)('0' + rest % 10), '\0'};

    memcpy(ret_text + len, decimals, sizeof(decimals));
}

static void log_request(const struct request *req, const struct http_request *http,
                        const struct http_outcome *outcome)
{
    char status[INT_SIZE], bytes[INT_SIZE], took[INT_SIZE + 4];

    int_format(outcome->status, status);
    int_format(outcome->bytes, bytes);
    put_ms(outcome->duration_us, took);
    log_write_later(LOG_INFO, "request", "method", http->method, "path", http->path, "status", status,
                    "bytes", bytes, "duration_ms", took, "address", http->address, "identity",
                    req && req->principal ? req->principal->identity : NULL, "operation",
                    req && req->route ? req->route->operation : NULL, "complete",
                    outcome->complete ? NULL : "no", NULL);
}

static void done(void *arg, struct http_request *http, const struct http_outcome *outcome)
{
    struct request *req = http->user;

    log_context_request(http->id);
    count_request(req, http, outcome);
    if (worth_a_line(arg, req))
        log_request(req, http, outcome);
    if (req)
        config_release((struct config *)(uintptr_t)req->config);
    http->user = NULL;
    log_context_request(NULL);
}

struct http_handler app_handler(struct app *app)
{
    return (struct http_handler){begin, respond, done, app};
}
