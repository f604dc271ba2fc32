/*
 * Fresh MFA: from the token, or from a TOTP code. A wrong code is counted at once, in its own transaction; a
 * right one is spent in the transaction that accepts the job (tx_mfa_spend), so a code that led to nothing
 * can be sent again.
 */
#include <openssl/crypto.h>

#include "auth/totp.h"
#include "base/clock.h"
#include "engine/internal.h"

struct trial {
    struct engine *engine;
    const char *identity;
    const char *otp;
    struct arena *arena;
    int64_t now;
    struct totp_state state;
    enum totp_outcome outcome;
    bool enrolled;
};

static int try_code(struct tx *tx, void *ctx, struct err *err)
{
    struct trial *trial = ctx;
    uint8_t secret[TOTP_SECRET_SIZE];
    struct totp_row *row;

    if (tx_totp_get(tx, trial->identity, trial->arena, &row, err) < 0)
        return -1;
    trial->enrolled = row != NULL;
    if (!row)
        return 0;
    if (totp_unseal(trial->engine->totp_key, trial->identity, row->sealed, secret, err) < 0)
        return -1;
    trial->state = (struct totp_state){(int)row->failures, row->locked_until, row->last_step};
    trial->outcome = totp_try(&trial->state, secret, bytes_of(trial->otp), trial->now);
    OPENSSL_cleanse(secret, sizeof(secret));
    if (trial->outcome == TOTP_ACCEPTED)
        return 0;
    row->failures = trial->state.failures;
    row->locked_until = trial->state.locked_until_ms;
    return tx_totp_put(tx, row, err);
}

int mfa_check(struct engine *engine, const struct submit *submit, int64_t *ret_totp_step, struct err *err)
{
    struct trial trial = {.engine = engine,
                          .identity = submit->principal->identity,
                          .otp = submit->otp,
                          .arena = submit->arena,
                          .now = clock_wall_ms()};

    *ret_totp_step = -1;
    if (principal_mfa_fresh(submit->principal, trial.now))
        return 0;
    if (!submit->otp)
        return err_set(err, ERR_MFA_REQUIRED, "this needs multi-factor authentication that is fresh");
    if (!engine->has_totp)
        return err_set(err, ERR_OTP_INVALID, "this server takes no one-time codes");
    if (store_tx(engine->store, "totp", try_code, &trial, err) < 0)
        return -1;
    if (!trial.enrolled)
        return err_set(err, ERR_OTP_INVALID, "no one-time codes are enrolled for you");
    if (trial.outcome != TOTP_ACCEPTED)
        return totp_outcome_err(trial.outcome, &trial.state, trial.now, err);
    *ret_totp_step = trial.state.last_step;
    return 0;
}

int tx_mfa_spend(struct tx *tx, const struct principal *principal, int64_t totp_step, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = NULL;
    struct totp_row *row;

    if (totp_step < 0)
        return 0;
    arena = arena_new(64 * KIB);
    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for a one-time code");
    if (tx_totp_get(tx, principal->identity, arena, &row, err) < 0)
        return -1;
    if (!row || row->last_step >= totp_step)
        return err_set(err, ERR_OTP_INVALID, "the one-time code was used already");
    row->last_step = totp_step;
    row->failures = 0;
    row->locked_until = 0;
    return tx_totp_put(tx, row, err);
}
