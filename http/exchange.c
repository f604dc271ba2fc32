/* One request and its reply, driven by libmicrohttpd's callbacks: declared in http/connection.h. */
#include <poll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "http/connection.h"
#include "http/gate.h"
#include "http/header.h"
#include "http/problem.h"
#include "http/target.h"

#define LINGER_BYTES (1 * MIB)

struct http_connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

void *exchange_first_line(void *arg, const char *target, struct MHD_Connection *mhd)
{
    struct http_connection *c = connection_of(mhd);

    (void)arg;
    if (!c)
        return NULL;
    exchange_end(c, false); /* nothing, unless libmicrohttpd forgot to say that the last one had ended */
    c->step = STEP_HEAD;
    c->target_at = target;
    c->target_len = strlen(target);
    c->target_cut = c->target_len > HTTP_TARGET_MAX;
    if (!c->target_cut)
        memcpy(c->target, target, c->target_len + 1);
    deadline_phase(c->server->deadlines, &c->deadline, DEADLINE_HEAD);
    return c;
}

struct header_list {
    struct http_field *headers;
    size_t count;
    bool cut;
};

static enum MHD_Result collect_header(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                      const char *value, size_t value_len)
{
    struct header_list *list = arg;

    (void)kind;
    if (list->count == HTTP_HEADERS_MAX) {
        list->cut = true;
        return MHD_NO;
    }
    list->headers[list->count++] =
        (struct http_field){{name, name_len}, {value ? value : "", value ? value_len : 0}};
    return MHD_YES;
}

static int read_head(struct http_connection *c, const char *method, const char *version, struct err *err)
{
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct http_request *request = &c->request;
    struct header_list list = {.headers = arena_array(request->arena, struct http_field, HTTP_HEADERS_MAX)};
    struct gate_head head = {.method = method,
                             .target = c->target_at,
                             .target_len = c->target_len,
                             .target_cut = c->target_cut,
                             .version = version,
                             .size = size ? size->header_size : 0};

    if (!list.headers)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, collect_header, &list);
    head.headers = list.headers;
    head.header_count = list.count;
    head.headers_cut = list.cut;
    if (gate_check(&head, &request->content_length, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        list.headers[i].value = http_trim(list.headers[i].value);
    request->headers = list.headers;
    request->header_count = list.count;
    if (target_parse((struct bytes){c->target, c->target_len}, request, err) < 0)
        return -1;
    request->address = address_of_client(request, c->server->networks, c->server->network_count);
    return 0;
}

static void begin_request(struct http_connection *c, const char *method)
{
    struct id id = id_new();

    c->request = (struct http_request){.arena = arena_new(REQUEST_ARENA_MAX),
                                       .method = method ? method : "",
                                       .path = "",
                                       .peer = c->peer,
                                       .address = c->peer,
                                       .fd = c->deadline.fd,
                                       .tls = c->server->tls,
                                       .received_boot_ms = clock_boot_ms()};
    id_format(&id, c->request.id);
    c->request.is_head = strcmp(c->request.method, "HEAD") == 0;
    c->started_us = clock_boot_us();
    c->outcome = (struct http_outcome){0};
    c->refused = c->linger = false;
    http_reply_init(&c->reply, c->request.arena);
}

/* The one reply that is made without memory. */
static enum MHD_Result send_no_memory(struct http_connection *c)
{
    static char body[] =
        "{\"type\":\"/problems/NO_MEMORY\",\"title\":\"The server is out of memory\",\"status\":503,"
        "\"code\":\"NO_MEMORY\",\"retryable\":true}";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof(body) - 1, body, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/problem+json");
    MHD_add_response_header(response, "X-Request-Id", c->request.id);
    MHD_add_response_header(response, "Retry-After", "1");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    c->outcome.status = 503;
    c->outcome.bytes = c->request.is_head ? 0 : (int64_t)sizeof(body) - 1;
    c->linger = true;
    c->step = STEP_REPLY;
    deadline_phase(c->server->deadlines, &c->deadline, DEADLINE_REPLY);
    result = MHD_queue_response(c->mhd, 503, response);
    MHD_destroy_response(response);
    return result;
}

/* libmicrohttpd closes after a reply on the first call: right for a head that cannot be trusted, and the only
 * way out before a large body. The bytes behind it are read away by linger(). */
static enum MHD_Result refuse_now(struct http_connection *c)
{
    c->linger = true;
    return send_reply(c);
}

/* A small body is read to its end first, so that the client hears the answer and may keep the connection. */
static enum MHD_Result refuse(struct http_connection *c)
{
    if (c->request.content_length > HTTP_DISCARD_MAX || http_request_header(&c->request, "Expect").data)
        return refuse_now(c);
    c->refused = true;
    return MHD_YES;
}

static enum MHD_Result on_head(struct http_connection *c, const char *method, const char *version)
{
    const struct http_handler *handler = &c->server->options.handler;
    struct err err = ERR_INIT;
    size_t limit = 0;

    begin_request(c, method);
    c->step = STEP_BODY;
    if (!c->request.arena)
        return send_no_memory(c);
    if (read_head(c, method, version, &err) < 0) {
        struct http_problem_extra extra = {.allow = err.code == ERR_METHOD_NOT_ALLOWED ? GATE_METHODS : NULL};

        http_problem(&c->reply, &c->request, &err, &extra);
        return refuse_now(c);
    }
    deadline_phase(c->server->deadlines, &c->deadline, DEADLINE_BODY);
    if (handler->begin(handler->arg, &c->request, &limit, &c->reply) < 0)
        return refuse(c);
    if ((uint64_t)c->request.content_length > limit) {
        err_set(&err, ERR_BODY_TOO_LARGE, "the body has %lld bytes, the limit here is %zu",
                (long long)c->request.content_length, limit);
        http_problem(&c->reply, &c->request, &err, NULL);
        return refuse(c);
    }
    c->body = BUFFER_INIT(limit);
    return MHD_YES;
}

static enum MHD_Result on_body(struct http_connection *c, const char *data, size_t *data_len)
{
    if (!c->refused)
        buffer_add(&c->body, data, *data_len);
    *data_len = 0;
    return MHD_YES;
}

static enum MHD_Result on_complete(struct http_connection *c)
{
    const struct http_handler *handler = &c->server->options.handler;
    struct err err = ERR_INIT;

    deadline_phase(c->server->deadlines, &c->deadline, DEADLINE_WORK);
    if (c->refused)
        return send_reply(c);
    c->request.body = buffer_bytes(&c->body);
    if (c->body.failed || (int64_t)c->request.body.len != c->request.content_length) {
        err_set(&err, ERR_NO_MEMORY, "request body");
        http_problem(&c->reply, &c->request, &err, NULL);
        return send_reply(c);
    }
    handler->respond(handler->arg, &c->request, &c->reply);
    if (c->reply.body.failed) { /* half a body must never look like a whole one */
        err_set(&err, c->reply.body.no_memory ? ERR_NO_MEMORY : ERR_INTERNAL,
                "the reply did not fit into %lld bytes or memory", (long long)HTTP_REPLY_MAX);
        http_problem(&c->reply, &c->request, &err, NULL);
    }
    return send_reply(c);
}

enum MHD_Result exchange_call(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
                              const char *version, const char *data, size_t *data_len, void **context)
{
    struct http_connection *c = *context;

    (void)arg;
    (void)url; /* decoded too early: see http/target.h */
    if (!c || c->mhd != mhd)
        return MHD_NO;
    switch (c->step) {
    case STEP_HEAD:
        return on_head(c, method, version);
    case STEP_BODY:
        return *data_len > 0 ? on_body(c, data, data_len) : on_complete(c);
    case STEP_NONE:
    case STEP_REPLY:
        break;
    }
    return MHD_NO;
}

/* Says that we are done, and reads what the client is still sending for a moment: closing a socket with
 * unread bytes sends a reset, and a reset can overtake our reply. */
static void linger(struct http_connection *c)
{
    const union MHD_ConnectionInfo *tls = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    int64_t until = clock_boot_ms() + HTTP_LINGER_MS;
    int64_t left, total = 0;
    char sink[4096];
    ssize_t got = 1;

    if (c->server->tls && tls && tls->tls_session)
        gnutls_bye(tls->tls_session, GNUTLS_SHUT_WR);
    shutdown(c->deadline.fd, SHUT_WR);
    while (got > 0 && total < LINGER_BYTES && (left = until - clock_boot_ms()) > 0) {
        struct pollfd look = {.fd = c->deadline.fd, .events = POLLIN};

        if (poll(&look, 1, (int)left) <= 0)
            break;
        got = recv(c->deadline.fd, sink, sizeof(sink), MSG_DONTWAIT);
        total += got > 0 ? got : 0;
    }
}

void exchange_end(struct http_connection *c, bool complete)
{
    const struct http_handler *handler = &c->server->options.handler;

    if (c->step == STEP_BODY || c->step == STEP_REPLY) {
        c->outcome.complete = complete;
        c->outcome.duration_us = clock_boot_us() - c->started_us;
        if (handler->done)
            handler->done(handler->arg, &c->request, &c->outcome);
        http_reply_done(&c->reply);
        buffer_done(&c->body);
        buffer_done(&c->packed);
        c->body = c->packed = (struct buffer){0};
        deadline_hold(c->server->deadlines, &c->deadline, 0);
        arena_free(c->request.arena);
        c->request = (struct http_request){0};
    }
    c->step = STEP_NONE;
}

void exchange_completed(void *arg, struct MHD_Connection *mhd, void **context,
                        enum MHD_RequestTerminationCode code)
{
    struct http_connection *c = *context;

    (void)arg;
    (void)mhd;
    if (!c)
        return;
    exchange_end(c,
                 code == MHD_REQUEST_TERMINATED_COMPLETED_OK); /* before the wait, which is no part of it */
    if (c->linger && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        linger(c);
    deadline_phase(c->server->deadlines, &c->deadline, DEADLINE_IDLE);
    *context = NULL;
}
