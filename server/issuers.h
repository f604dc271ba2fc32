/*
 * Says in the log when an issuer's keys cannot be fetched, and when they can be again: each once. Never
 * blocks. Thread rule: the main thread, about once a second.
 */
#pragma once
#include "base/err.h"
#include "base/limits.h"

struct app;

/* What was said last of each issuer's keys. Zeroed: nothing, which is what is said of keys that are there. */
struct issuers_said {
    enum err_code codes[CONFIG_ISSUERS_MAX];
};
void issuers_look(struct app *app, struct issuers_said *said);
