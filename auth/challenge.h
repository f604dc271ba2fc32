/*
 * Values of WWW-Authenticate: RFC 6750 section 3 and RFC 9470 section 3. Each call appends one challenge to
 * `out`. Text that a quoted-string of RFC 6750 may not hold is replaced, so no value can break out. Thread
 * rule: pure.
 */
#pragma once
#include "base/buffer.h"
#include "base/environment.h"
#include "base/err.h"

struct config;
struct principal;

#define CHALLENGE_MAX 4096

void challenge_bare(struct buffer *out); /* no token was sent: nothing but the realm */
void challenge_invalid_token(struct buffer *out, const char *description);
void challenge_insufficient_scope(struct buffer *out, const char *description);
/* acr_values is left out when the list is empty, max_age when it is not above 0. */
void challenge_step_up(struct buffer *out, const char *description, const struct name_list *acr_values,
                       int64_t max_age_ms);

/* The challenge that belongs to a failure: UNAUTHENTICATED, INVALID_TOKEN, FORBIDDEN, MFA_REQUIRED (with what
 * the principal's issuer accepts) and OTP_INVALID. False, and nothing written, for every other code.
 * `principal` may be NULL. */
bool challenge_for(struct buffer *out, const struct err *err, const struct config *config,
                   const struct principal *principal);
