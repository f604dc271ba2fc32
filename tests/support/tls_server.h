/*
 * An HTTPS server for tests: a self-made certificate (its PEM file is what a client must trust), one answer
 * at a time, which the test changes as it goes. Each connection carries one request.
 * Thread rule: start, say and stop on the test's thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct tls_server;

struct tls_reply {
    int status;          /* 0: the connection is cut after the handshake */
    const char *headers; /* extra lines, each with \r\n; NULL: none */
    const char *body;    /* copied; NULL: empty */
    bool hold;           /* no answer until another reply is said */
};

/* Never NULL: the test program ends when no server can be made. It begins with status 0. */
struct tls_server *tls_server_start(void); /* for 127.0.0.1, every version of TLS */
/* With a certificate for other `names` (as certificate.h takes them), up to this version; 0: every one. */
struct tls_server *tls_server_start_as(const char *names, int max_version);
void tls_server_stop(struct tls_server *server);
void tls_server_say(struct tls_server *server, struct tls_reply reply); /* from the next request on */
const char *tls_server_url(const struct tls_server *server);            /* https://127.0.0.1:PORT/jwks */
const char *tls_server_ca(const struct tls_server *server);             /* a PEM file, until stop */
int tls_server_requests(struct tls_server *server);                     /* read so far */
