/* JSON in, JSON out: what the small operations of the JSON services share. Private to aws/. */
#pragma once
#include "aws/call.h"
#include "base/json.h"

struct json_call {
    enum aws_service_id service;
    const char *operation;
    const char *resource;
    const char *region; /* NULL: the environment's */
    bool once;
    bool control;
    bool *ret_effect_unknown; /* may be NULL */
};

/* Sends `request` (borrowed; NULL: {}). ret_answer (may be NULL) is the caller's. AWS_LIED for an answer that
 * is no object. */
int aws_json_call(struct aws_session *session, const struct json_call *call, const json_t *request,
                  json_t **ret_answer, struct err *err);
/* The same; takes `request`, NULL being "no memory". */
int aws_json_call_take(struct aws_session *session, const struct json_call *call, json_t *request,
                       json_t **ret_answer, struct err *err);
/* AWS's JSON times are numbers of seconds with a fraction; 0 without. */
int64_t aws_json_time(const json_t *object, const char *name);
/* A copy of the named members that are there, but for null and empty arrays. NULL without memory. */
json_t *aws_json_pick(const json_t *from, const char *const *names, size_t count);
/* Parses a body that must be an object. */
int aws_json_body(struct bytes body, const char *what, json_t **ret_value, struct err *err);
/* Pages: sends request with *token as `token_name` until the answer has none, and gathers the array
 * `list_name`. Takes `request`. A token that does not move, or more than 1000 pages, is AWS_LIED. */
int aws_json_pages(struct aws_session *session, const struct json_call *call, json_t *request,
                   const char *token_name, const char *list_name, json_t **ret_list, struct err *err);
