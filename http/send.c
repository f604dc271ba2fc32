/* A struct http_reply to libmicrohttpd's response: declared in http/connection.h. */
#include "base/cleanup.h"
#include "base/limits.h"
#include "http/connection.h"
#include "http/gzip.h"
#include "http/header.h"
#include "http/problem.h"

static const struct http_reply_header standard[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
};

static bool has_header(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (http_name_is(bytes_of(reply->headers[i].name), name))
            return true;
    return false;
}

static bool is_text(const char *content_type)
{
    return content_type &&
           (str_starts(content_type, "text/") || str_starts(content_type, "application/json") ||
            str_starts(content_type, "application/problem+json") ||
            str_starts(content_type, "application/yaml") ||
            str_starts(content_type, "application/x-ndjson") ||
            str_starts(content_type, "application/openmetrics-text"));
}

static bool may_gzip(const struct http_reply *reply)
{
    return !reply->plain && reply->fd < 0 && is_text(reply->content_type);
}

static bool try_gzip(struct http_connection *c)
{
    if (!may_gzip(&c->reply) || c->reply.body.len < (size_t)HTTP_GZIP_MIN ||
        !http_accepts_coding(http_request_header(&c->request, "Accept-Encoding"), "gzip"))
        return false;
    c->packed = BUFFER_INIT(HTTP_REPLY_MAX);
    return gzip_body(buffer_bytes(&c->reply.body), &c->packed);
}

/* A large reply takes memory for as long as its reader likes: it is counted, and refused without room. */
static bool hold(struct http_connection *c, bool gzip)
{
    size_t bytes;

    if (gzip) { /* the packed one is what is sent */
        buffer_done(&c->reply.body);
        c->reply.body = BUFFER_INIT(HTTP_REPLY_MAX);
    }
    buffer_fit(gzip ? &c->packed : &c->reply.body);
    bytes = c->reply.body.size + c->packed.size + (c->request.arena ? arena_used(c->request.arena) : 0);
    return bytes < (size_t)HTTP_HELD_MIN || deadline_hold(c->server->deadlines, &c->deadline, (int64_t)bytes);
}

static void refuse_for_room(struct http_connection *c)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_BUSY, "too many large replies wait for their readers");
    buffer_done(&c->packed);
    c->packed = (struct buffer){0};
    http_problem(&c->reply, &c->request, &err, NULL);
}

/* The bytes stay in the connection until the request has ended, so nothing is copied. */
static struct MHD_Response *make_response(struct http_connection *c, bool gzip)
{
    struct http_reply *reply = &c->reply;
    struct buffer *body = gzip ? &c->packed : &reply->body;
    struct MHD_Response *response;

    if (reply->fd >= 0 && reply->length > 0) {
        response = MHD_create_response_from_fd_at_offset64((uint64_t)reply->length, reply->fd,
                                                           (uint64_t)reply->offset);
        c->outcome.bytes = reply->length;
        if (response)
            reply->fd = -1;
        return response;
    }
    c->outcome.bytes = (int64_t)body->len;
    return MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_PERSISTENT);
}

static void add_etag(struct MHD_Response *response, const struct http_reply *reply, bool gzip)
{
    char *tag = NULL;

    if (!reply->etag)
        return;
    if (!gzip) {
        MHD_add_response_header(response, "ETag", reply->etag);
    } else if (asprintf(&tag, "%.*s-gzip\"", (int)strlen(reply->etag) - 1, reply->etag) >= 0) {
        MHD_add_response_header(response, "ETag", tag);
        free(tag);
    }
}

static void add_headers(struct http_connection *c, struct MHD_Response *response, bool gzip)
{
    const struct http_reply *reply = &c->reply;

    MHD_add_response_header(response, "X-Request-Id", c->request.id);
    if (reply->content_type)
        MHD_add_response_header(response, "Content-Type", reply->content_type);
    MHD_add_response_header(response, "Cache-Control",
                            reply->cache_control ? reply->cache_control : "no-store");
    add_etag(response, reply, gzip);
    if (may_gzip(reply))
        MHD_add_response_header(response, "Vary", "Accept-Encoding");
    if (gzip)
        MHD_add_response_header(response, "Content-Encoding", "gzip");
    for (size_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    for (size_t i = 0; i < COUNT_OF(standard); i++)
        if (!has_header(reply, standard[i].name))
            MHD_add_response_header(response, standard[i].name, standard[i].value);
    if (reply->close || c->linger || http_server_draining(c->server))
        MHD_add_response_header(response, "Connection", "close");
}

enum MHD_Result send_reply(struct http_connection *c)
{
    bool gzip = try_gzip(c);
    struct MHD_Response *response;
    enum MHD_Result result;

    if (!hold(c, gzip)) {
        refuse_for_room(c);
        gzip = false;
    }
    response = make_response(c, gzip);
    if (!response)
        return MHD_NO;
    add_headers(c, response, gzip);
    if (c->request.is_head)
        c->outcome.bytes = 0;
    c->outcome.status = c->reply.status;
    c->step = STEP_REPLY;
    deadline_phase(c->server->deadlines, &c->deadline, DEADLINE_REPLY);
    result = MHD_queue_response(c->mhd, (unsigned)c->reply.status, response);
    MHD_destroy_response(response);
    return result;
}
