/*
 * Errors: one struct on the caller's stack, one table of codes.
 *
 * A function that can fail takes `struct err *err` last and returns 0 or -1. The first cause wins: err_set on
 * an err that already has a code keeps it. HTTP status, title, hint and "may the same job be tried again"
 * come only from errors.def. Nothing here allocates. Thread rule: an err belongs to one thread at a time.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum err_code {
    ERR_NONE,
#define ERROR(name, status, retryable, title, hint) ERR_##name,
#include "base/errors.def"
#undef ERROR
    ERR_COUNT
};

/* What AWS said, when it was AWS that failed. Empty strings otherwise. Sizes hold every value AWS documents.
 */
struct err_aws {
    char service[24];
    char operation[48];
    char code[80];
    char request_id[80];
    int http_status;
};

struct err {
    enum err_code code;
    int retry_after_s; /* 0: say nothing */
    char message[600]; /* operator's text: lower case, no full stop, values included, never a secret or an
                          item */
    char pointer[160]; /* JSON pointer into the request's body, or "" */
    struct err_aws aws;
};

#define ERR_INIT ((struct err){0})

struct err_info {
    const char *name; /* UPPER_SNAKE, as in problem+json `code` */
    int status;
    bool retryable;
    const char *title;
    const char *hint; /* "" when there is nothing to do */
};

/* Sets code and message unless a code is there already. Returns -1 always, so that a failure is one line. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Like err_set, with a JSON pointer to the member at fault. */
int err_set_at(struct err *err, enum err_code code, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts "what: " before the message. Returns -1. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Forgets everything; the caller says in a comment why it can go on. */
void err_clear(struct err *err);

/* Never NULL; ERR_NONE and unknown values give the INTERNAL row. */
const struct err_info *err_info(enum err_code code);
/* ERR_NONE when no row has this name. */
enum err_code err_code_by_name(const char *name);
