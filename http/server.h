/*
 * An HTTP/1.1 listener on libmicrohttpd, one thread a connection (REFERENCE.md section 1). It knows no route,
 * no store and no token: it hands complete, checked requests to a handler and sends what the handler leaves
 * in the reply. What it refuses itself is problem+json, except what libmicrohttpd answers before we are asked
 * (HTML). The process ignores SIGPIPE. Thread rule: start and stop on one thread; the rest from any.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/environment.h"
#include "base/err.h"
#include "http/deadline.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/wait.h"

struct http_server;

struct http_outcome {
    int status;          /* 0: nothing could be answered */
    int64_t bytes;       /* of the body, as sent */
    int64_t duration_us; /* from the end of the head to the end of the reply */
    bool complete;       /* false: the connection ended before the reply did */
};

struct http_handler {
    /*
     * The head is in, the body is not. 0: go on, with at most *ret_body_limit bytes of body (it is 0 before).
     * -1: the reply says why not; the body is never seen. Authentication and limits belong here.
     */
    int (*begin)(void *arg, struct http_request *request, size_t *ret_body_limit, struct http_reply *reply);
    /* The body is complete. May block; long polls use wait_hub_wait with request->fd. */
    void (*respond)(void *arg, struct http_request *request, struct http_reply *reply);
    /* After the last byte of every reply, also of what the listener refused (path "" when there is none). For
     * the log and the metrics; frees what request->user holds. May be NULL; rarely on another thread than the
     * other two. */
    void (*done)(void *arg, struct http_request *request, const struct http_outcome *outcome);
    void *arg;
};

struct http_server_options {
    const char *host; /* numeric */
    int port;         /* 0: any free one */
    int listen_fd; /* a bound, listening socket (socket activation), taken also on failure; 0: none, bind host
                      and port */
    struct bytes certificate_pem; /* data NULL: plain HTTP. Copied; the caller wipes */
    struct bytes key_pem;
    int connection_limit;
    struct http_handler handler;
    struct wait_hub *hub;                        /* woken by a drain; NULL: none. Outlives the server */
    struct name_list trusted_proxies;            /* CIDR; the configuration bounds their number */
    struct http_deadlines deadlines;             /* zeros: the defaults */
    void (*on_log)(void *arg, const char *text); /* libmicrohttpd's own complaints; may be NULL. Any thread */
    void *log_arg;
};

/* CONFLICT when the address is in use (exit code 4), CONFIG for a bad address, certificate or network, else
 * IO. */
int http_server_start(const struct http_server_options *options, struct http_server **ret_server,
                      struct err *err);
int http_server_port(const struct http_server *server);
int http_server_connections(struct http_server *server);
bool http_server_draining(const struct http_server *server);
/* The next handshakes use it; connections that are open keep theirs. -1 leaves the old one in use. */
int http_server_replace_certificate(struct http_server *server, struct bytes certificate_pem,
                                    struct bytes key_pem, struct err *err);
/* No new connections, the listening socket closed, every reply says Connection: close, long polls end, idle
 * connections are closed. Idempotent. */
void http_server_drain_begin(struct http_server *server);
/* Drains, waits until every connection has ended or deadline_ms have passed, then cuts the rest off; waits
 * for handlers that run. Frees the server; accepts NULL. */
void http_server_stop(struct http_server *server, int64_t deadline_ms);
