/*
 * What is answered: status, headers, and a body from memory or from a file. The layer above fills it; the
 * server adds X-Request-Id, security headers, gzip, HEAD and the connection's end. Thread rule: the
 * connection's thread.
 */
#pragma once
#include "base/buffer.h"
#include "base/err.h"
#include "base/limits.h"
#include "http/request.h"

struct http_reply_header {
    const char *name;
    const char *value;
};

struct http_reply {
    struct arena *arena; /* the request's */
    int status;          /* 200 to 599 */
    struct http_reply_header headers[HTTP_REPLY_HEADERS_MAX];
    size_t header_count;
    const char *content_type;  /* static or in arena; NULL: no body */
    const char *etag;          /* with its quotes, in arena; NULL: none. A gzipped body gets "...-gzip" */
    const char *cache_control; /* default no-store */
    struct buffer body;        /* at most HTTP_REPLY_MAX; the server frees it */
    int fd;                    /* -1, or the body's file: taken, closed by the server */
    int64_t offset, length;    /* of the file's part */
    bool plain; /* never gzip: data that is compressed already, or secrets beside what a client chose */
    bool close; /* end the connection after this reply */
};

void http_reply_init(struct http_reply *reply, struct arena *arena);
void http_reply_done(struct http_reply *reply); /* frees the body, closes fd */
/* Back to the state after init, so that a problem can take the place of what was begun. */
void http_reply_reset(struct http_reply *reply);
/* Adds a header; the value is copied. What holds a control character, or does not fit, is left out: false. */
bool http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Sets the ETag from text without quotes (visible ASCII without `"`). */
bool http_reply_etag(struct http_reply *reply, const char *tag);

/*
 * Answers with a file: Range and If-Range (strong ETag), If-None-Match, 206, 304, 416 and Accept-Ranges.
 * Takes fd, also on failure. `etag` without quotes, or NULL (then no conditions are heard). size_bytes is
 * what fstat said.
 */
void http_reply_file(struct http_reply *reply, const struct http_request *request, int fd, int64_t size_bytes,
                     const char *etag, const char *content_type);
/* If the request's If-None-Match has reply->etag: empties the reply into a 304 (200 replies to GET and HEAD
 * only). */
void http_reply_not_modified(struct http_reply *reply, const struct http_request *request);
