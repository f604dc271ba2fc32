/*
 * POST, GET and DELETE /v1/me/totp. A token alone must never give itself a second factor: enrolling needs
 * fresh MFA by token, or a ticket that was made on the server; replacing and removing also take a valid
 * present code.
 */
#include "handlers/handlers.h"

#include <openssl/crypto.h>

#include "audit/log.h"
#include "auth/ticket.h"
#include "base/clock.h"

const struct field totp_create_fields[] = {
    FIELD_TEXT("ticket", "made on the server by recoverctl totp enrol", .max_length = TICKET_SIZE),
    FIELD_END,
};

struct change {
    struct request *req;
    int64_t now;
    bool fresh;      /* MFA by token */
    bool has_ticket; /* a good one */
    int64_t ticket_made;
    const char *otp;
    bool remove;
    uint8_t sealed[TOTP_SEALED_SIZE];
    /* out */
    bool allowed;
    bool tried;
    struct totp_state state;
    enum totp_outcome outcome;
};

static int need_totp(const struct request *req, struct err *err)
{
    return req->app->has_totp ? 0
                              : err_set(err, ERR_UNSUPPORTED_HERE, "the configuration has no totp.key_file");
}

/* A wrong code is counted in this transaction, which then changes nothing else. */
static int try_code(struct tx *tx, struct change *c, struct totp_row *row, struct err *err)
{
    uint8_t secret[TOTP_SECRET_SIZE];

    if (totp_unseal(c->req->app->totp_key, row->identity, row->sealed, secret, err) < 0)
        return -1;
    c->tried = true;
    c->state = (struct totp_state){(int)row->failures, row->locked_until, row->last_step};
    c->outcome = totp_try(&c->state, secret, bytes_of(c->otp), c->now);
    OPENSSL_cleanse(secret, sizeof(secret));
    c->allowed = c->outcome == TOTP_ACCEPTED;
    if (c->allowed)
        return 0;
    row->failures = c->state.failures;
    row->locked_until = c->state.locked_until_ms;
    return tx_totp_put(tx, row, err);
}

static int judge(struct tx *tx, struct change *c, struct totp_row *row, struct err *err)
{
    c->tried = false;
    /* a ticket counts once: not after an enrolment that is younger than it */
    c->allowed = c->fresh || (c->has_ticket && (!row || row->created_at < c->ticket_made));
    if (c->allowed || !row || !c->otp)
        return 0;
    return try_code(tx, c, row, err);
}

static int change_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct change *c = ctx;
    const struct principal *principal = c->req->principal;
    struct audit_entry entry =
        audit_entry_by(principal, c->remove ? AUDIT_TOTP_REMOVED : AUDIT_TOTP_ENROLLED, "ok");
    struct totp_row fresh = {.identity = principal->identity,
                             .sealed = {(const char *)c->sealed, sizeof(c->sealed)},
                             .last_step = -1,
                             .created_at = c->now};
    struct totp_row *row;

    if (tx_totp_get(tx, principal->identity, c->req->arena, &row, err) < 0)
        return -1;
    if (c->remove && !row)
        return err_set(err, ERR_NOT_FOUND, "no one-time codes are enrolled for you");
    if (judge(tx, c, row, err) < 0)
        return -1;
    if (!c->allowed)
        return 0;
    if ((c->remove ? tx_totp_delete(tx, principal->identity, err) : tx_totp_put(tx, &fresh, err)) < 0)
        return -1;
    entry.object = "totp";
    entry.request_id = c->req->http->id;
    entry.detail = c->fresh ? "{\"by\":\"token\"}" : c->tried ? "{\"by\":\"code\"}" : "{\"by\":\"ticket\"}";
    return tx_audit(tx, c->req->app->node, &entry, err);
}

/* What the request brings with it to be allowed. */
static int change_of(struct change *c, struct err *err)
{
    struct request *req = c->req;
    const char *ticket = json_get_text(req->body, "ticket");

    if (need_totp(req, err) < 0)
        return -1;
    c->fresh = principal_mfa_fresh(req->principal, c->now);
    c->otp = request_header_text(req, "Recoverd-OTP");
    c->has_ticket = ticket && ticket_check(req->app->totp_key, req->principal->identity, bytes_of(ticket),
                                           c->now, &c->ticket_made);
    if (ticket && !c->has_ticket)
        return err_set_at(err, ERR_OTP_INVALID, "/ticket",
                          "the ticket is not yours, or its five minutes are over");
    return 0;
}

static int make_change(struct change *c, struct err *err)
{
    if (store_tx(c->req->app->store, "totp", change_tx, c, err) < 0)
        return -1;
    if (c->allowed)
        return 0;
    if (c->tried)
        return totp_outcome_err(c->outcome, &c->state, c->now, err);
    if (c->has_ticket)
        return err_set_at(err, ERR_OTP_INVALID, "/ticket", "the ticket was used already");
    return err_set(err, ERR_MFA_REQUIRED,
                   "this needs a token with fresh multi-factor authentication, or a ticket: recoverctl totp "
                   "enrol on the server");
}

int totp_create(struct request *req, struct http_reply *reply, struct err *err)
{
    uint8_t secret[TOTP_SECRET_SIZE];
    char text[TOTP_BASE32_SIZE];
    _cleanup_(buffer_done) struct buffer uri = BUFFER_INIT(TOTP_URI_MAX);
    struct json_writer w;
    struct change c = {.req = req, .now = clock_wall_ms()};
    int result;

    if (change_of(&c, err) < 0)
        return -1;
    totp_secret_new(secret);
    result = totp_seal(req->app->totp_key, req->principal->identity, secret, c.sealed, err);
    if (result == 0)
        result = make_change(&c, err);
    if (result == 0) {
        totp_base32(secret, text);
        totp_uri(secret, req->principal->identity, &uri);
        reply->plain = true;
        reply->body.secret = true;
        reply_json(reply, 201, &w);
        json_put_object(&w, NULL);
        json_put_flag(&w, "enrolled", true);
        json_put_time(&w, "created_at", c.now);
        json_put_text(&w, "secret", text);
        json_put_text(&w, "uri", uri.data);
        json_put_object_end(&w);
        OPENSSL_cleanse(text, sizeof(text));
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return result;
}

int totp_delete(struct request *req, struct http_reply *reply, struct err *err)
{
    struct change c = {.req = req, .now = clock_wall_ms(), .remove = true};

    if (change_of(&c, err) < 0)
        return -1;
    if (make_change(&c, err) < 0)
        return -1;
    reply->status = 204;
    reply->content_type = NULL;
    return 0;
}

/* -- looking -- */

struct look {
    struct request *req;
    struct totp_row *row;
};

static int look_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct look *look = ctx;

    return tx_totp_get(tx, look->req->principal->identity, look->req->arena, &look->row, err);
}

int totp_get(struct request *req, struct http_reply *reply, struct err *err)
{
    struct look look = {.req = req};
    struct json_writer w;

    if (request_read(req, look_tx, &look, err) < 0)
        return -1;
    reply_json(reply, 200, &w);
    json_put_object(&w, NULL);
    json_put_flag(&w, "available", req->app->has_totp);
    json_put_flag(&w, "enrolled", look.row != NULL);
    json_put_time(&w, "created_at", look.row ? look.row->created_at : 0);
    json_put_time(&w, "locked_until",
                  look.row && look.row->locked_until > clock_wall_ms() ? look.row->locked_until : 0);
    json_put_object_end(&w);
    return 0;
}
