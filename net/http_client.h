/*
 * The one wrapper of curl: one request at a time on one thread, interruptible from any other.
 *
 * A request is put on the wire at most once a call. libcurl 7.88 silently repeats a request whose reused
 * connection died without a reply (lib/transfer.c, Curl_retry_request); here a body goes by a read function
 * whose seek refuses, or, when it is small, in one piece with the head and past a callback that refuses the
 * second request of a call: either turns the repetition into an error. A method other than GET and HEAD
 * without a body goes over a fresh connection. GET and HEAD without a body may be repeated so by libcurl: a
 * read does no harm. TLS 1.2 or later, HTTP/1.1, no redirects, no netrc, no cookies, no Accept-Encoding. The
 * proxy is HTTPS_PROXY with NO_PROXY; loopback and link-local hosts are never asked for through it.
 * AWS_CA_BUNDLE replaces the system's certificates. Both are read when the client is made. Thread rule: a
 * client belongs to one thread at a time; http_client_wake may be called from any.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/str.h"

struct http_client;

struct http_client *http_client_new(struct err *err);
/* The same for peers that are not AWS: trusts the certificates of `ca_file` (PEM, copied) and no others, or
 * the system's when it is NULL; AWS_CA_BUNDLE is not looked at. */
struct http_client *http_client_new_trusting(const char *ca_file, struct err *err);
void http_client_free(struct http_client *client); /* accepts NULL */
/* Makes a running call (or http_client_sleep) ask its `interrupted` at once. */
void http_client_wake(struct http_client *client);

struct http_header {
    const char *name;
    const char *value;
};

/* ERR_NONE: go on. Anything else ends the call with that code. Asked on every wake and at least once a
 * second. */
struct http_interrupt {
    enum err_code (*asked)(void *arg); /* NULL: never interrupted */
    void *arg;
};

/* Bytes that are not in memory. read returns how many it put (0 at the end), or -1. */
struct http_source {
    long (*read)(void *arg, char *to, size_t size);
    void *arg;
    int64_t len; /* exactly as many bytes as read will give */
};

/* Takes a part of the body of a 2xx answer; false ends the call with ERR_IO, or with the code already in the
 * caller's err. Bodies of other answers go to answer->body. */
struct http_sink {
    bool (*write)(void *arg, const char *data, size_t len);
    void *arg;
};

struct http_call {
    const char *method;
    const char *url;                   /* absolute; http only to loopback and link-local hosts */
    const struct http_header *headers; /* Host, Content-Type and so on; an empty value is sent as one */
    size_t header_count;
    struct bytes body; /* with data NULL: source, and without that no body */
    const struct http_source *source;
    const struct http_sink *sink; /* NULL: the body goes to answer->body */
    size_t reply_max;   /* bytes of a body in memory, or of all that goes to the sink (0: no limit there) */
    int64_t timeout_ms; /* whole call; 0: none, then slower than 1 KiB/s for 30 s ends it */
    int64_t connect_timeout_ms; /* 0: 3 s */
    bool fresh_connection;
    struct http_interrupt interrupt;
};

/* Filled also on failure, as far as it came. Begins as HTTP_ANSWER_INIT, may go from call to call, is
 * released with http_answer_done. */
struct http_answer {
    int status;            /* 0: none came */
    struct buffer headers; /* name NUL value NUL ..., names in lower case */
    struct buffer body;
    int64_t received;   /* bytes of the body, sink included */
    int64_t head_at_ms; /* wall clock when the status line came; 0 without one */
    int64_t latency_us;
    bool may_have_effect; /* the request, or a part of it, may have reached the server */
};

#define HTTP_ANSWER_INIT ((struct http_answer){0})

/* 0: an answer came, whatever its status. -1: AWS_UNREACHABLE, AWS_TIMEOUT, LIMIT_EXCEEDED (the answer is too
 * large), IO (source or sink failed), NO_MEMORY, the interrupt's code, INVALID_HEADER for one with a line
 * break, or INVALID_BODY for a url that is not allowed. */
int http_client_send(struct http_client *client, const struct http_call *call, struct http_answer *answer,
                     struct err *err);
/* Waits; -1 with the interrupt's code when it was interrupted. */
int http_client_sleep(struct http_client *client, int64_t ms, const struct http_interrupt *interrupt,
                      struct err *err);

/* Borrowed from the answer; the first of that name (any case), or NULL. */
const char *http_answer_header(const struct http_answer *answer, const char *name);
void http_answer_done(struct http_answer *answer);

/* 127.0.0.0/8 (also written as IPv6), ::1 and localhost; `host` may carry brackets. */
bool http_host_is_loopback(struct bytes host);
/* Also 169.254.0.0/16 and fd00:ec2::/32 (metadata, container credentials). */
bool http_host_is_local(struct bytes host);
/* The host of an absolute URL, without port; brackets kept. data NULL when it is none, or names a user. */
struct bytes http_url_host(const char *url);
