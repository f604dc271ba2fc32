/*
 * Tokens made on the spot, for `recoverctl token mint` and for tests: HS from the issuer's secret_file, RS or
 * ES from a PEM private key whose public half the issuer's key source has. libjwt signs; it never verifies
 * here (REFERENCE.md section 2.1). At most 15 minutes, always `amr: ["local"]`. Thread rule: any thread.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct config;
struct issuer_config;

struct mint_request {
    const char *subject;
    const char *identity;     /* NULL: the subject */
    const char *const *roles; /* as the roles claim says them (before role_map) */
    size_t role_count;
    int64_t lifetime_ms;   /* 0: the most, 15 minutes or the issuer's max_lifetime */
    const char *kid;       /* NULL: none */
    const char *algorithm; /* NULL: the first that the issuer lists and the key can do */
    /* Whether the holder of the command may claim this at all is the caller's to decide (only loopback
     * endpoints). */
    bool mfa; /* adds auth_time now, and the first acr_value or amr_value that the issuer's mfa accepts */
};

/* *ret_token in arena. LIMIT_EXCEEDED for more than 15 minutes; INVALID_BODY for a missing subject
 * or a text that is not UTF-8;
 * UNSUPPORTED_HERE when the issuer's types do not have JWT, when the key, the issuer's algorithms and libjwt
 * have no algorithm in common, or the issuer accepts no MFA that a token could claim; CONFIG for files that
 * cannot be read. `key_file` NULL: the issuer's secret_file. */
int mint_token(const struct issuer_config *issuer, const char *identity_claim, const char *key_file,
               const struct mint_request *request, struct arena *arena, const char **ret_token,
               struct err *err);
/* The same from bytes: a secret (hmac true) or a PEM private key. */
int mint_token_with(const struct issuer_config *issuer, const char *identity_claim, struct bytes key,
                    bool hmac, const struct mint_request *request, struct arena *arena,
                    const char **ret_token, struct err *err);
