/*
 * Waiting for a change without polling: one generation that every commit moves on, a bounded number of
 * sleepers. Take a place, then as often as needed: read the generation, then what you are interested in, then
 * wait with that generation: no change is lost, and the place is kept while you look. Thread rule: any
 * thread; wait_hub_free after the last waiter has gone (http_server_stop).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct wait_hub;

enum wait_result {
    WAIT_WOKEN, /* something was committed since `seen` */
    WAIT_TIMEOUT,
    WAIT_DRAIN, /* the server is going down: answer at once */
    WAIT_GONE,  /* the client hung up */
};

struct wait_hub *wait_hub_new(int waiters); /* NULL without memory */
void wait_hub_free(struct wait_hub *hub);   /* accepts NULL */
uint64_t wait_hub_generation(struct wait_hub *hub);
void wait_hub_wake(struct wait_hub *hub);  /* after a commit; accepts NULL */
void wait_hub_drain(struct wait_hub *hub); /* every present and future wait ends at once; accepts NULL */
int wait_hub_waiters(struct wait_hub *hub);
bool wait_hub_enter(struct wait_hub *hub); /* false: no place is free, answer at once */
void wait_hub_leave(struct wait_hub *hub);
/* Inside a place: until the generation differs from `seen` or clock_boot_ms() reaches until_boot_ms. fd (or
 * -1) is looked at at least once a second for a client that has gone. */
enum wait_result wait_hub_wait(struct wait_hub *hub, int fd, uint64_t seen, int64_t until_boot_ms);
