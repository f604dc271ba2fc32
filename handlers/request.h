/*
 * One request as a handler sees it: who asks, judged and parsed; and the helpers that make looking things up
 * and answering one line each. Everything lives in the request's arena. Thread rule: the connection's thread.
 */
#pragma once
#include "base/cleanup.h"
#include "base/faults.h"
#include "base/json.h"
#include "handlers/app.h"
#include "handlers/route.h"
#include "store/plans.h"
#include "store/points.h"

struct request {
    struct app *app;
    struct http_request *http;
    const struct route *route;
    const char *params[ROUTE_PARAMS_MAX]; /* in the order of the path */
    const struct principal *principal;    /* NULL on a public route */
    const struct config *config;          /* held until the request ends */
    struct arena *arena;
    const json_t *body; /* checked and normalised; NULL: none was sent */
    struct faults faults;
    int offer; /* index into route->produces: what Accept likes best */
    const char
        *environment;     /* what a refusal's audit row names; only after it was found in the configuration */
    const char *object;   /* the same */
    struct bytes changes; /* of a stale plan: a JSON array */
};

/* The path's first parameter as an id, or NOT_FOUND: what is no id is the id of nothing. */
int request_id_param(struct request *req, struct id *ret_id, struct err *err);
/* The same as 64 hex digits. */
int request_hash_param(struct request *req, struct hash *ret_hash, struct err *err);
/* The environment of this name where the caller has `role`: NOT_FOUND when he does not see it, FORBIDDEN when
 * he does. */
int request_environment(struct request *req, const char *name, enum role role,
                        const struct environment **ret_environment, struct err *err);
/* The role at an environment that the caller is known to see. FORBIDDEN. */
int request_role(struct request *req, enum role role, const char *environment, struct err *err);
const char *request_query(const struct request *req, const char *name); /* NULL when absent */
/* A header as text in the arena; NULL when absent (or without memory). */
const char *request_header_text(struct request *req, const char *name);
/* The job of the path's first parameter, if the caller may look at it: NOT_FOUND otherwise. A refusal then
 * names it and its environment. */
int request_job(struct request *req, struct job **ret_job, struct err *err);

/* The scope and body digest of an Idempotency-Key; a scope of zeros when none was sent. INVALID_HEADER. */
int request_idempotency(struct request *req, struct hash *ret_scope, struct hash *ret_body, struct err *err);

/* Begins a JSON reply; the writer writes into its body. */
void reply_json(struct http_reply *reply, int status, struct json_writer *ret_writer);
void reply_etag_version(struct http_reply *reply, int64_t version);
void reply_location_job(struct http_reply *reply, const struct id *id);
void json_put_id(struct json_writer *w, const char *name, const struct id *id);
void json_put_id_opt(struct json_writer *w, const char *name, const struct id *id); /* zero: left out */
void json_put_hash(struct json_writer *w, const char *name, const struct hash *hash);

/* Reads in one transaction. */
int request_read(struct request *req, store_fn *fn, void *ctx, struct err *err);
