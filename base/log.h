/*
 * The structured log: one JSON object a line on stderr, or text on a terminal. Library rooms do not log; the
 * server and the worker log once, where an error stops. The thread's request and job id are added by
 * themselves. Values are escaped; the caller never passes a secret or an item. Thread rule: any thread; lines
 * come whole and in the order of the calls.
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_JSON, LOG_TEXT };

void log_setup(enum log_level level, enum log_format format);

/* `message` is a constant of the program: it alone is left of a line longer than LOG_LINE_MAX.
 * log_write(LOG_INFO, "job accepted", "kind", kind, "job", id, NULL): pairs of name and text; a NULL value is
 * left out. */
void log_write(enum log_level level, const char *message, ...) __attribute__((sentinel));
/* The same with the error's code, message, and what AWS said. */
void log_err(enum log_level level, const char *message, const struct err *err, ...) __attribute__((sentinel));

/* For lines so frequent that a write for each would cost more than what they tell of: kept until the next
 * line that does not wait, until there are LOG_KEPT_MAX bytes of them, or log_flush. */
void log_write_later(enum log_level level, const char *message, ...) __attribute__((sentinel));
void log_flush(void);

/* Ids of what this thread is doing; copied. NULL leaves them out again. */
void log_context_request(const char *request_id);
void log_context_job(const char *job_id);
