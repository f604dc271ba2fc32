/*
 * A job, from the words to its end: planned where its kind needs it, shown, agreed to, posted under an
 * idempotency key, followed. Thread rule: one thread.
 */
#pragma once
#include "ctl/ctl.h"

extern const struct flag submit_flags[]; /* of every command that makes a job */

struct order {
    const char *kind;
    const char *environment;
    const json_t *spec;
    const char *retry_of; /* NULL: a new job; else kind, environment and spec are that job's */
    bool needs_plan;
};

/* Only the plan, as the result. */
enum exit_code submit_plan(struct ctl *ctl, const struct order *order);
enum exit_code submit_job(struct ctl *ctl, const struct order *order, const struct args *args);
