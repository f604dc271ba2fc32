/*
 * The table of routes: everything about a call that is not its work. The dispatcher does it, the handler does
 * only its own thing; openapi.yaml is compared with this table by a test. Thread rule: constant.
 */
#pragma once
#include "base/fields.h"
#include "base/principal.h"
#include "http/reply.h"

struct request;
typedef int handler_fn(struct request *req, struct http_reply *reply, struct err *err);

struct route {
    const char *method;    /* HEAD comes with GET, OPTIONS with everything */
    const char *path;      /* {name} is one segment, {name...} the rest of the path */
    const char *operation; /* operationId */
    enum role role;        /* at some environment; the handler asks for the one of the object */
    handler_fn *handle;
    const struct field *body; /* NULL: no body is taken */
    const char *query;        /* names, space-separated; with a * they may be repeated. NULL: none */
    const char *produces; /* media types, space-separated, the first is the default. NULL: application/json */
    int status;           /* of success: its metric starts at 0 */
    bool by_kind;         /* the role is that of the job's kind; the engine asks for it */
    bool body_optional;
    bool if_match;   /* If-Match or If-None-Match must be there */
    bool idempotent; /* takes Idempotency-Key */
    bool otp;        /* takes Recoverd-OTP */
};

#define ROUTE_PARAMS_MAX 4
#define ROUTE_OFFERS_MAX 4

extern const struct route routes[]; /* ends with a NULL method */

/* Is this path one of the template's? Then its parameters, decoded, in the arena. */
bool route_path_matches(const char *template, const char *const *segments, size_t count, struct arena *arena,
                        const char *ret_params[ROUTE_PARAMS_MAX]);
/* The route, or NULL: NOT_FOUND, or METHOD_NOT_ALLOWED. `allow`: the methods that this path takes, whichever
 * it is (empty for an unknown path). */
const struct route *route_find(const struct route *table, const char *method, const char *const *segments,
                               size_t count, struct arena *arena, const char *ret_params[ROUTE_PARAMS_MAX],
                               struct buffer *allow, struct err *err);
/* Has the table no row without a role, an operation or a handler? */
int routes_sound(const struct route *table, struct err *err);
