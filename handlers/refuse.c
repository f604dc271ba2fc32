/* What a refused request leaves: a problem for the client, rows and counts for the operator. */
#include "handlers/dispatch.h"

#include "audit/log.h"
#include "auth/challenge.h"
#include "http/problem.h"

/* -- audit: 403 and failed MFA of a verified principal are rows -- */

struct denial {
    struct request *req;
    enum audit_action action;
    const char *detail;
};

static int denial_tx(struct tx *tx, void *ctx, struct err *err)
{
    const struct denial *denial = ctx;
    struct audit_entry entry = audit_entry_by(denial->req->principal, denial->action, "denied");

    entry.environment = denial->req->environment;
    entry.object = denial->req->object;
    entry.request_id = denial->req->http->id;
    entry.detail = denial->detail;
    return tx_audit(tx, denial->req->app->node, &entry, err);
}

static bool denial_action(enum err_code code, enum audit_action *ret_action)
{
    switch (code) {
    case ERR_FORBIDDEN:
        *ret_action = AUDIT_AUTHORISATION_DENIED;
        return true;
    case ERR_MFA_REQUIRED:
    case ERR_OTP_INVALID:
        *ret_action = AUDIT_MFA_FAILED;
        return true;
    case ERR_OTP_LOCKED:
        *ret_action = AUDIT_TOTP_LOCKED;
        return true;
    default:
        return false;
    }
}

static void audit_denial(struct request *req, const struct err *cause)
{
    struct denial denial = {.req = req};
    struct err err = ERR_INIT;

    if (!req->principal || !denial_action(cause->code, &denial.action))
        return;
    /* a token that may nothing must not fill the disk: past so many a minute they are counted, and summed up
     * in one row */
    if (atomic_fetch_add(&req->app->denials, 1) >= DENIAL_ROWS_A_MINUTE)
        return;
    denial.detail = arena_printf(req->arena, "{\"operation\":\"%s\",\"code\":\"%s\"}",
                                 req->route ? req->route->operation : "", err_info(cause->code)->name);
    /* the refusal stands also when it cannot be recorded; the log then has it */
    if (store_tx(req->app->store, "denial", denial_tx, &denial, &err) < 0)
        log_err(LOG_ERROR, "a denial could not be recorded in the audit trail", &err, NULL);
}

/* -- the answer -- */

static void put_changes(struct json_writer *w, void *arg)
{
    const struct request *req = arg;

    if (req->changes.data)
        json_put_raw(w, "changes", req->changes);
}

static void count_refusal(struct request *req, const struct err *err)
{
    if (err_info(err->code)->status != 401 && err->code != ERR_OTP_LOCKED)
        return;
    count_auth_failure(err);
    if (!req->principal)
        atomic_fetch_add(&req->app->unauthenticated, 1);
}

void refuse(struct request *req, struct http_reply *reply, struct err *err, const char *allow)
{
    struct buffer challenge = BUFFER_INIT(CHALLENGE_MAX);
    const char *challenges[1];
    struct http_problem_extra extra = {
        .faults = &req->faults, .allow = allow, .members = put_changes, .members_arg = req};

    count_refusal(req, err);
    audit_denial(req, err);
    if (err_info(err->code)->status >= 500)
        log_err(LOG_WARN, "request failed", err, "method", req->http->method, "path", req->http->path, NULL);
    if (challenge_for(&challenge, err, req->config, req->principal) && !challenge.failed) {
        challenges[0] = challenge.data;
        extra.www_authenticate = challenges;
        extra.www_authenticate_count = 1;
    }
    http_problem(reply, req->http, err, &extra);
    buffer_done(&challenge);
}
