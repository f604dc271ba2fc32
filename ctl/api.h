/*
 * Requests to the server. The token goes along; on 401 its file is read again and the request repeated once
 * when there is another one in it. Thread rule: one thread.
 */
#pragma once
#include "base/buffer.h"
#include "ctl/ctl.h"

struct api_call {
    const char *method;          /* NULL: GET */
    const char *path;            /* with query */
    struct bytes body;           /* JSON; data NULL: none */
    const char *idempotency_key; /* NULL: none */
    const char *otp;             /* NULL: none */
    const char *accept;          /* NULL: JSON */
    const struct http_sink *sink;
    int64_t timeout_ms; /* 0: API_TIMEOUT_MS, and with a sink none but that of a stalled line */
};

#define API_REPLY_MAX (64LL * 1024 * 1024) /* of what does not go to a sink */
#define API_TIMEOUT_MS 90000

struct api_reply {
    struct http_answer answer;
    json_t *json; /* the answer's body when it is JSON, a problem too; else NULL */
};
#define API_REPLY_INIT ((struct api_reply){.json = NULL})
void api_reply_done(struct api_reply *reply);

/* Client, Ctrl-C and token. */
enum exit_code api_open(struct ctl *ctl);
void api_close(struct ctl *ctl);
/* An answer came, whatever its status: EXIT_DONE. Else nothing was said yet, err holds why, and the code is
 * EXIT_UNREACHABLE, or EXIT_DETACHED after Ctrl-C, or EXIT_USAGE for a url that cannot be. */
enum exit_code api_send(struct ctl *ctl, const struct api_call *call, struct api_reply *reply,
                        struct err *err);
/* The same, and anything but 2xx with JSON has been explained on stderr: its exit code. */
enum exit_code api_ask(struct ctl *ctl, const struct api_call *call, struct api_reply *reply);
enum exit_code api_get(struct ctl *ctl, struct api_reply *reply, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Explains a failed answer on stderr: title, detail, pointers, what to do next, request id. */
enum exit_code api_explain(struct ctl *ctl, const struct api_reply *reply);
enum exit_code api_explain_err(struct ctl *ctl, enum exit_code code, const struct err *err);
const char *api_problem(const struct api_reply *reply); /* the problem's code, or NULL */
/* Appends text with everything but unreserved characters escaped; `keep` are let through as well ("/" in
 * paths). */
void api_escape(struct buffer *out, const char *text, const char *keep);
const char *api_escaped(struct arena *arena, const char *text, const char *keep);
