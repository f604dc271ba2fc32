/*
 * The keys of an issuer whose JWK set is fetched: by https (http on loopback only), without redirects, at
 * most 256 KiB and 64 keys. A thread of its own fetches, one fetch at a time, at most one in 30 s: when the
 * set's Cache-Control max-age (less its Age, kept within 5 minutes and 24 hours; an hour without one) has
 * passed, and when a token names a kid that the set has not. What cannot be fetched or used leaves the last
 * good set in force. Counted, so that a reload keeps what was fetched. Thread rule: start on one thread, the
 * rest on any. Sources: RFC 7517 section 5, RFC 9111 section 4.2.
 */
#pragma once
#include "auth/jwks.h"
#include "base/limits.h"

struct jwks_url;

/* Fetches nothing yet. What it needs of `issuer` is copied. CONFIG, NO_MEMORY. */
int jwks_url_new(const struct issuer_config *issuer, struct jwks_url **ret_source, struct err *err);
struct jwks_url *jwks_url_hold(struct jwks_url *source);
void jwks_url_release(struct jwks_url *source); /* accepts NULL; the last one ends the thread */
/* Was it made of the same url, certificates and algorithms? */
bool jwks_url_fits(const struct jwks_url *source, const struct issuer_config *issuer);
/* Begins to fetch, at once; again is fine. NO_MEMORY without a thread. */
int jwks_url_start(struct jwks_url *source, struct err *err);

/* What is in force, NULL before the first good fetch. Never waits. The caller frees with key_set_free. */
struct key_set *jwks_url_keys(struct jwks_url *source);
/* No key of `seen` (NULL: none were there) fits a token: the newer set, if there is one or a fetch brings
 * one. Waits for it at most JWKS_WAIT_MS, and not at all when the last fetch was less than 30 s ago or too
 * many wait. NULL: no other set. The caller frees. */
struct key_set *jwks_url_renewed(struct jwks_url *source, const struct key_set *seen);
/* Another number for each other set: what was verified under another one must be verified again. */
uint64_t jwks_url_generation(const struct jwks_url *source);

struct jwks_url_state {
    bool loaded;          /* there is a set */
    int64_t loaded_at_ms; /* wall clock of the last good fetch; 0: none */
    struct err err;       /* of the last fetch, when it failed */
};
struct jwks_url_state jwks_url_look(struct jwks_url *source);

/* The lifetime that an answer's Cache-Control and Age (NULL: absent) give a set, within the limits. Pure. */
int64_t jwks_url_lifetime_ms(const char *cache_control, const char *age);
