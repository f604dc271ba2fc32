/*
 * Inside of http/: the state that hangs off one connection. It is made when libmicrohttpd announces the
 * connection and freed when it says CLOSED, which always comes (REFERENCE.md section 1.4); what belongs to
 * one request is reset in between. Thread rule: the connection's thread; `deadline` is the watch's, under its
 * lock.
 */
#pragma once
#include <microhttpd.h>
#include <pthread.h>

#include "http/address.h"
#include "http/certificate.h"
#include "http/server.h"

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon;
    struct acceptor *acceptor;
    struct deadlines *deadlines;
    struct network *networks;
    size_t network_count;
    int port;
    int listen_fd;
    bool draining; /* atomic */
    bool tls;
    pthread_mutex_t certificate_lock;
    struct certificate *certificate; /* under the lock once the daemon runs */
};

enum exchange_step {
    STEP_NONE,
    STEP_HEAD, /* the first line was seen */
    STEP_BODY, /* begin was called, or has refused a small body that is being read away */
    STEP_REPLY,
};

struct http_connection {
    struct deadline deadline;
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct certificate *certificate; /* of this connection's handshake */
    char peer[ADDRESS_SIZE];

    enum exchange_step step;
    bool refused;          /* the reply is ready before the body */
    bool linger;           /* unread bytes may be on their way: read them away, or the reset eats our reply */
    const char *target_at; /* in libmicrohttpd's buffer */
    size_t target_len;
    bool target_cut;
    struct http_request request;
    struct http_reply reply;
    struct buffer body;
    struct buffer packed; /* the reply's body, gzipped */
    struct http_outcome outcome;
    int64_t started_us;
    char target[HTTP_TARGET_MAX + 1];
};

struct http_connection *connection_of(struct MHD_Connection *mhd);
/* Ends the request in hand, if any, and frees what it had. */
void exchange_end(struct http_connection *connection, bool complete);

/* libmicrohttpd's callbacks. */
void *exchange_first_line(void *arg, const char *target, struct MHD_Connection *mhd);
enum MHD_Result exchange_call(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
                              const char *version, const char *data, size_t *data_len, void **context);
void exchange_completed(void *arg, struct MHD_Connection *mhd, void **context,
                        enum MHD_RequestTerminationCode code);
/* Queues connection->reply. */
enum MHD_Result send_reply(struct http_connection *connection);
