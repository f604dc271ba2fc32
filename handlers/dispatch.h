/* Between the dispatcher's files: judging a head, and saying no. Not for handlers. */
#pragma once
#include "handlers/request.h"

/* Who is it? Sets req->principal, or UNAUTHENTICATED, INVALID_TOKEN. Public routes ask nobody. */
int authenticate(struct request *req, struct err *err);
/* The problem, its challenges, its audit row, its counters and its line in the log. */
void refuse(struct request *req, struct http_reply *reply, struct err *err, const char *allow);
/* recoverd_http_*: one request that has ended. */
void count_request(const struct request *req, const struct http_request *http,
                   const struct http_outcome *outcome);
void count_auth_failure(const struct err *err);
void count_declare(void);
