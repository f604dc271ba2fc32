/*
 * The door of a listener: a thread that accepts a connection when there is room for it and hands it to
 * libmicrohttpd. Whoever finds no room waits in the kernel's line until somebody leaves; libmicrohttpd itself
 * would let him in and reset him. Not for other rooms. Thread rule: entered and left from any thread; the
 * rest from the one that starts the server.
 */
#pragma once
#include <microhttpd.h>

#include "base/err.h"

struct acceptor;

struct acceptor *acceptor_new(int limit, struct err *err);
/* From now on; listen_fd is borrowed until acceptor_stop. */
int acceptor_start(struct acceptor *acceptor, struct MHD_Daemon *daemon, int listen_fd, struct err *err);
void acceptor_entered(struct acceptor *acceptor); /* libmicrohttpd has taken the connection */
void acceptor_left(struct acceptor *acceptor);
void acceptor_stop(struct acceptor *acceptor); /* nobody comes in any more; idempotent, accepts NULL */
void acceptor_free(struct acceptor *acceptor); /* after the daemon has stopped; accepts NULL */
