/*
 * The claims of a verified token (RFC 7519, RFC 9068) judged against one issuer's rules, and the principal
 * that they make. Thread rule: pure.
 */
#pragma once
#include "auth/jws.h"
#include "base/config.h"
#include "base/principal.h"

struct claims_window {
    int64_t from_ms;  /* before this the token is not valid (nbf, iat, with skew) */
    int64_t until_ms; /* exp: from here on it is not */
};

/* Checks exp, nbf, iat, lifetime, aud, sub, identity, jti and auth_time at `now_ms`, then reads roles and
 * acr/amr. INVALID_TOKEN with the check. The principal's strings are borrowed from the payload and from
 * `issuer`; grants are in the arena; `address` and `channel` are left NULL. */
int claims_check(const json_t *payload, const struct issuer_config *issuer, const char *identity_claim,
                 int64_t now_ms, struct arena *arena, struct principal *ret_principal,
                 struct claims_window *ret_window, struct err *err);

/* Is typ one of the list (case-insensitive, with or without application/)? An absent typ counts as JWT. An
 * empty list is JWT and at+jwt. */
bool claims_type_listed(const char *typ, const struct name_list *types);
/* One token of a JSON pointer, between two slashes, decoded (~0, ~1). False when malformed or too long. */
bool claim_pointer_token(const char *from, size_t len, char *to, size_t size);
