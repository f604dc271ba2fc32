#include "http/reply.h"

#include <stdarg.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "http/header.h"

void http_reply_init(struct http_reply *reply, struct arena *arena)
{
    *reply =
        (struct http_reply){.arena = arena, .status = 200, .fd = -1, .body = BUFFER_INIT(HTTP_REPLY_MAX)};
}

void http_reply_done(struct http_reply *reply)
{
    buffer_done(&reply->body);
    if (reply->fd >= 0)
        close(reply->fd);
    reply->fd = -1;
}

void http_reply_reset(struct http_reply *reply)
{
    http_reply_done(reply);
    http_reply_init(reply, reply->arena);
}

static bool is_field_value(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

bool http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
{
    char *value = NULL;
    char *copy;
    va_list list;
    int len;

    va_start(list, format);
    len = vasprintf(&value, format, list);
    va_end(list);
    if (len < 0)
        return false;
    copy = is_field_value(value) && reply->header_count < HTTP_REPLY_HEADERS_MAX
               ? arena_strdup(reply->arena, value)
               : NULL;
    free(value);
    if (!copy)
        return false;
    reply->headers[reply->header_count++] = (struct http_reply_header){name, copy};
    return true;
}

bool http_reply_etag(struct http_reply *reply, const char *tag)
{
    for (const char *c = tag; *c; c++)
        if (*c <= ' ' || *c == '"' || *c >= 0x7f)
            return false;
    reply->etag = arena_printf(reply->arena, "\"%s\"", tag);
    return reply->etag != NULL;
}

static void into_304(struct http_reply *reply)
{
    buffer_done(&reply->body);
    reply->body = BUFFER_INIT(HTTP_REPLY_MAX);
    if (reply->fd >= 0)
        close(reply->fd);
    reply->fd = -1;
    reply->status = 304;
    reply->content_type = NULL;
}

void http_reply_not_modified(struct http_reply *reply, const struct http_request *request)
{
    if (reply->status != 200 || !reply->etag || (strcmp(request->method, "GET") != 0 && !request->is_head))
        return;
    if (http_if_none_match(http_request_header(request, "If-None-Match"), reply->etag) == HTTP_MATCH_YES)
        into_304(reply);
}

/* If-Range holds one strong tag; a date is never a strong enough promise here, so it means "all of it". */
static bool range_applies(const struct http_request *request, const char *etag)
{
    struct bytes if_range = http_request_header(request, "If-Range");

    return !if_range.data || (etag && bytes_is(http_trim(if_range), etag));
}

void http_reply_file(struct http_reply *reply, const struct http_request *request, int fd, int64_t size_bytes,
                     const char *etag, const char *content_type)
{
    enum http_range_result range = HTTP_RANGE_ALL;

    reply->fd = fd;
    reply->offset = 0;
    reply->length = size_bytes;
    reply->content_type = content_type;
    reply->plain = true;
    if (etag)
        http_reply_etag(reply, etag);
    http_reply_header(reply, "Accept-Ranges", "bytes");
    http_reply_not_modified(reply, request);
    if (reply->status != 200)
        return;
    if (strcmp(request->method, "GET") == 0 && range_applies(request, reply->etag))
        range = http_range(http_request_header(request, "Range"), size_bytes, &reply->offset, &reply->length);
    if (range == HTTP_RANGE_PART) {
        reply->status = 206;
        http_reply_header(reply, "Content-Range", "bytes %lld-%lld/%lld", (long long)reply->offset,
                          (long long)(reply->offset + reply->length - 1), (long long)size_bytes);
    } else if (range == HTTP_RANGE_UNSATISFIABLE) {
        close(reply->fd);
        reply->fd = -1;
        reply->status = 416;
        reply->content_type = NULL;
        http_reply_header(reply, "Content-Range", "bytes */%lld", (long long)size_bytes);
    }
}
