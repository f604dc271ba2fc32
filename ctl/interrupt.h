/*
 * Ctrl-C: a thread takes SIGINT. Where a command has said that it can stop by itself (grace), the first one
 * only raises a flag and wakes the call in flight and the question on the terminal; otherwise, and the second
 * time, the process ends at once with 130. Thread rule: the functions belong to the main thread.
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "net/http_client.h"

struct interrupt;

/* Blocks SIGINT for every thread made later. NULL with err. `client` must outlive it. */
struct interrupt *interrupt_start(struct http_client *client, struct err *err);
void interrupt_stop(struct interrupt *interrupt); /* accepts NULL */
void interrupt_grace(struct interrupt *interrupt, bool on);
bool interrupt_raised(const struct interrupt *interrupt); /* false for NULL */
/* Becomes readable when raised. */
int interrupt_fd(const struct interrupt *interrupt);
/* For http_call.interrupt; arg is the struct interrupt. CANCELLED when raised. */
enum err_code interrupt_asked(void *arg);
