/*
 * Why a token is not accepted: the one table of checks. Every text is a constant, so nothing of a token can
 * reach a log line or a reply; every reason is one of a few words, so the label of
 * recoverd_auth_failures_total is bounded. Thread rule: any thread.
 */
#pragma once
#include "base/err.h"

/* name, reason (the metric's word), text (problem detail, log, error_description) */
#define AUTH_FAILURES(X)                                                                                     \
    X(LENGTH, "malformed", "the token is empty or longer than 8 KiB")                                        \
    X(PARTS, "malformed", "the token is not three base64url parts joined by dots")                           \
    X(BASE64, "malformed", "a part of the token is not strict base64url")                                    \
    X(HEADER, "header", "the token's header is not a JSON object without repeated members")                  \
    X(HEADER_REFUSED, "header", "the token's header has crit, b64, jwk, jku, x5u, x5c or zip")               \
    X(HEADER_MEMBER, "header", "alg, kid or typ in the token's header is not usable text")                   \
    X(PAYLOAD, "payload", "the token's payload is not a JSON object without repeated members")               \
    X(ALGORITHM, "algorithm", "the token's alg is none that this server knows")                              \
    X(ISSUER, "issuer", "the token's iss is not a configured issuer")                                        \
    X(TYPE, "type", "the token's typ is not one that its issuer may use")                                    \
    X(KEY, "key", "no key of the issuer fits the token's kid and alg")                                       \
    X(KEYS_AMBIGUOUS, "key", "the token has no kid and too many keys of the issuer fit its alg")             \
    X(KEYS_UNKNOWN, "key", "the keys of the token's issuer could not be fetched yet")                        \
    X(SIGNATURE, "signature", "the token's signature does not verify")                                       \
    X(EXP, "claims", "the token's exp is missing or not a date")                                             \
    X(EXPIRED, "expired", "the token has expired")                                                           \
    X(NBF, "claims", "the token's nbf is not a date")                                                        \
    X(NOT_YET, "not_yet_valid", "the token is not valid yet (nbf)")                                          \
    X(IAT, "claims", "the token's iat is not a date")                                                        \
    X(IAT_FUTURE, "not_yet_valid", "the token was issued in the future (iat)")                               \
    X(LIFETIME, "lifetime", "the token lives longer than its issuer's max_lifetime (exp minus iat)")         \
    X(AUDIENCE, "audience", "the token's aud does not name this server")                                     \
    X(SUBJECT, "claims", "the token's sub is missing, empty or not usable text")                             \
    X(IDENTITY, "claims", "the token's identity claim is missing, empty or not usable text")                 \
    X(TOKEN_ID, "claims", "the token's jti is not usable text")                                              \
    X(AUTH_TIME, "claims", "the token's auth_time is not a date, or lies in the future")

enum auth_failure {
#define AUTH_FAILURE_NAME(name, reason, text) AUTH_FAILURE_##name,
    AUTH_FAILURES(AUTH_FAILURE_NAME)
#undef AUTH_FAILURE_NAME
        AUTH_FAILURE_COUNT
};

/* Sets INVALID_TOKEN with the row's text. Returns -1. */
int auth_fail(struct err *err, enum auth_failure failure);
/* The metric's word for a failed request: the row's reason; `no_token`, `mfa`, `otp`, `otp_locked` for their
 * codes; `other` for anything else. Never NULL. */
const char *auth_failure_reason(const struct err *err);
/* Every word that auth_failure_reason can return, NULL at the end: the label sets that start at 0. */
const char *const *auth_failure_reasons(void);
