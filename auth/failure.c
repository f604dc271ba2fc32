#include "auth/failure.h"

#include "base/cleanup.h"
#include "base/str.h"

struct failure_row {
    const char *reason;
    const char *text;
};

static const struct failure_row rows[AUTH_FAILURE_COUNT] = {
#define ROW(name, reason, text) [AUTH_FAILURE_##name] = {reason, text},
    AUTH_FAILURES(ROW)
#undef ROW
};

static const struct {
    enum err_code code;
    const char *reason;
} by_code[] = {
    {ERR_UNAUTHENTICATED, "no_token"},
    {ERR_MFA_REQUIRED, "mfa"},
    {ERR_OTP_INVALID, "otp"},
    {ERR_OTP_LOCKED, "otp_locked"},
};

int auth_fail(struct err *err, enum auth_failure failure)
{
    return err_set(err, ERR_INVALID_TOKEN, "%s", rows[failure].text);
}

const char *auth_failure_reason(const struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(by_code); i++)
        if (by_code[i].code == err->code)
            return by_code[i].reason;
    if (err->code != ERR_INVALID_TOKEN)
        return "other";
    /* by its end: a caller may have put what it was doing in front */
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_ends(err->message, rows[i].text))
            return rows[i].reason;
    return "other";
}

const char *const *auth_failure_reasons(void)
{
    static const char *const reasons[] = {
        "malformed", "header", "payload",    "algorithm",     "issuer",   "type",     "key",
        "signature", "claims", "expired",    "not_yet_valid", "lifetime", "audience", "no_token",
        "mfa",       "otp",    "otp_locked", "other",         NULL,
    };
    return reasons;
}
