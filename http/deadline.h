/*
 * Deadlines that libmicrohttpd does not have (REFERENCE.md section 1.5): one thread looks at every connection
 * each HTTP_TICK_MS by the boot clock and shuts down the sockets of those that are too slow; the connection's
 * own thread then ends it. When connections or memory for replies run short, patience does too: those that
 * have kept us waiting longest go, silent ones first, so that a crowd of them does not keep others out. First
 * bytes and a reader's progress come from the kernel (TCP_INFO), so TLS needs nothing special. Thread rule:
 * any; an entry is removed before its fd is closed.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct http_deadlines {  /* 0: the default of base/limits.h */
    int64_t header_ms;   /* from a request's first byte to the end of its head */
    int64_t request_ms;  /* from the first byte to the end of the body */
    int64_t idle_ms;     /* without a byte of a next request */
    int64_t stall_ms;    /* in which a reader must take HTTP_REPLY_STALL_BYTES */
    int64_t patience_ms; /* that every client has for its turn, however short room is */
    int connections;     /* room is short above so many */
    int64_t held_bytes;  /* and above so many bytes of replies that wait in memory for their readers */
};

enum deadline_phase {
    DEADLINE_IDLE, /* no byte of a request yet */
    DEADLINE_HEAD,
    DEADLINE_BODY,
    DEADLINE_WORK, /* ours: no deadline here, long polls have their own */
    DEADLINE_REPLY,
};

struct deadline {
    struct deadline *next, *previous;
    int fd;
    enum deadline_phase phase;
    int64_t since_ms; /* HEAD, BODY: the first byte; IDLE: when it began; REPLY: when bytes was noted */
    int64_t turn_ms;  /* since when it keeps us waiting: when the phase began; BODY: when the head did */
    uint64_t bytes;   /* IDLE: received, REPLY: acknowledged, at since_ms */
    bool noted;       /* REPLY: the watch has been there, since_ms and bytes are its */
    int64_t held;     /* memory of a large reply */
    bool shot;
};

struct deadlines;
struct deadlines *deadlines_start(const struct http_deadlines *limits, struct err *err);
void deadlines_stop(struct deadlines *deadlines); /* all entries removed before; accepts NULL */
void deadline_add(struct deadlines *deadlines, struct deadline *deadline, int fd);
void deadline_remove(struct deadlines *deadlines, struct deadline *deadline);
void deadline_phase(struct deadlines *deadlines, struct deadline *deadline, enum deadline_phase phase);
/* A reply of so many bytes waits in memory for its reader; 0: not any more. false, and nothing is noted:
 * there is no room for it even when patience has run out (HTTP_HELD_FACTOR times held_bytes). */
bool deadline_hold(struct deadlines *deadlines, struct deadline *deadline, int64_t bytes);
void deadlines_drain(struct deadlines *deadlines); /* idle connections are closed at the next ticks */
int deadlines_count(struct deadlines *deadlines);
