/*
 * An HTTP/1.1 server for tests that says what a script tells it: expect this request, answer these bytes, cut
 * the line, wait. It listens on 127.0.0.1 at a port of its own; each connection has a thread, requests take
 * the lines of the script in the order in which they arrive. A test asserts on its own thread: the server
 * only remembers.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum scripted_cut {
    CUT_NONE,
    CUT_BEFORE_REPLY, /* the request is read, then the connection is reset */
    CUT_IN_BODY,      /* half of the body goes out, then the connection is closed */
    CUT_HANG,         /* no answer until the server stops */
};

struct scripted_reply {
    const char
        *expect; /* POSIX extended regular expression for the whole request, head and body; NULL: any */
    int status;  /* 0: 200 */
    const char *headers; /* extra lines, each with \r\n; NULL: none */
    const char *body;    /* NULL: empty */
    size_t body_len;     /* 0: strlen */
    int delay_ms;        /* before the answer */
    bool hold;           /* no answer before scripted_server_let_go */
    enum scripted_cut cut;
    bool close;  /* close after the answer, without saying so in a header */
    bool repeat; /* this line answers everything from here on */
};

struct scripted_server;

/* The script is borrowed until scripted_server_stop. Never NULL: the test program ends when no server can be
 * made. */
struct scripted_server *scripted_server_start(const struct scripted_reply *script, size_t count);
#define SCRIPTED(...)                                                                                        \
    scripted_server_start((const struct scripted_reply[]){__VA_ARGS__},                                      \
                          sizeof((const struct scripted_reply[]){__VA_ARGS__}) /                             \
                              sizeof(struct scripted_reply))
/* What is held is answered, and from now on nothing is held. */
void scripted_server_let_go(struct scripted_server *server);
/* Ends every connection and joins every thread. */
void scripted_server_stop(struct scripted_server *server);

const char *scripted_server_url(const struct scripted_server *server); /* http://127.0.0.1:PORT */
int scripted_server_port(const struct scripted_server *server);
size_t scripted_server_requests(struct scripted_server *server);    /* read whole so far */
size_t scripted_server_connections(struct scripted_server *server); /* accepted so far */
/* The n-th request, head and body, NUL-terminated; "" when there is none. Lives until stop. */
const char *scripted_server_request(struct scripted_server *server, size_t n);
/* The first request that did not fit its line, or came after the script's end; NULL: none. Lives until stop.
 */
const char *scripted_server_fault(struct scripted_server *server);
