/*
 * Looks at each environment once after the start and again while it cannot be used, so that /readyz and the
 * list of environments tell of a wrong account or missing credentials before a job does; and says in the log
 * when an issuer's keys cannot be fetched. Thread rule: begin
 * and end on the main thread.
 */
#pragma once
#include "base/err.h"

struct app;
struct engine;
struct watch;

/* Starts its thread. The engine and the app outlive it. */
int watch_begin(struct engine *engine, struct app *app, struct watch **ret_watch, struct err *err);
/* Look again now: the configuration was reloaded. Accepts NULL. */
void watch_again(struct watch *watch);
/* Returns when the look in hand has ended, which its time budget bounds. Accepts NULL. */
void watch_end(struct watch *watch);
