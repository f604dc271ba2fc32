/*
 * Errors on the wire: RFC 9457 application/problem+json from a struct err. Type is /problems/CODE, title,
 * status, retryable and hint come from base/errors.def. The message of INTERNAL stays inside: it is for the
 * log. Thread rule: the connection's thread.
 */
#pragma once
#include "base/faults.h"
#include "base/json.h"
#include "http/problem_members.h"
#include "http/reply.h"

struct http_problem_extra {
    const struct faults *faults;         /* NULL, or errors[] (when empty: the err's own pointer makes one) */
    const char *const *www_authenticate; /* one header each; NULL: none */
    size_t www_authenticate_count;
    const char *allow;                                 /* of a 405; NULL: none */
    void (*members)(struct json_writer *w, void *arg); /* more members, such as changes[]; may be NULL */
    void *members_arg;
};

/* Replaces whatever the reply holds. extra may be NULL. Never fails: without memory the body is shorter. */
void http_problem(struct http_reply *reply, const struct http_request *request, const struct err *err,
                  const struct http_problem_extra *extra);
