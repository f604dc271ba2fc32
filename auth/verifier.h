/*
 * Tokens to principals: an immutable, counted snapshot of all issuers with their keys, and the cache of what
 * it has verified. A reload builds a new one from the new configuration (all or nothing) and swaps it in; the
 * old one goes with its last request. Before the signature holds, of the token only iss, kid, alg and typ are
 * looked at, and only to choose among configured things. Thread rule: make on one thread; hold, check and
 * release on any.
 */
#pragma once
#include "auth/failure.h"
#include "base/arena.h"
#include "base/principal.h"

struct config;
struct verifier;

/* Loads every issuer's keys that lie in a file; those of a jwks_url that `before` (NULL: none) has fetched
 * are taken over, others are fetched from verifier_start on. -1 with CONFIG (the first issuer that fails, and
 * why) or NO_MEMORY; nothing is half made. What it needs of `config` is copied. The caller owns one
 * reference. */
int verifier_new(const struct config *config, struct verifier *before, struct verifier **ret_verifier,
                 struct err *err);
/* Begins to fetch keys, on threads of its own; before the first verifier_check. An issuer that cannot be
 * reached is no failure: its tokens are INVALID_TOKEN until it is. NO_MEMORY without a thread. */
int verifier_start(struct verifier *verifier, struct err *err);
struct verifier *verifier_hold(struct verifier *verifier);
void verifier_release(struct verifier *verifier); /* accepts NULL; the last one frees and wipes */

/* The principal of a bearer token, now. INVALID_TOKEN with the check that failed (auth_failure_reason gives
 * the metric's word; no part of the token is in the message), or NO_MEMORY. The principal lives in the arena
 * or is kept alive by it; its address is a copy, its channel is "rest". */
int verifier_check(struct verifier *verifier, struct bytes token, const char *address, struct arena *arena,
                   struct principal **ret_principal, struct err *err);
size_t verifier_cached(struct verifier *verifier); /* for tests and metrics */

struct issuer_state {
    const char *issuer;   /* lives as long as the verifier */
    bool loaded;          /* keys are there */
    int64_t loaded_at_ms; /* when they were last fetched; 0: never, or of a file */
    struct err err;       /* of the last fetch, when it failed */
};
/* Walks the issuers from n = 0; false behind the last. */
bool verifier_issuer(struct verifier *verifier, size_t n, struct issuer_state *ret_state);
