/*
 * The keys of one issuer, from a JWK set (RFC 7517), a PEM public key or certificate, or a secret. Immutable
 * once made. Each key knows the algorithms that it serves: those of its own kind that the issuer lists, or
 * the one its `alg` says when the issuer lists it. Thread rule: make on one thread, read from any.
 */
#pragma once
#include "auth/jws.h"
#include "base/buffer.h"
#include "base/config.h"

struct key_set;

/* Loads the issuer's key source, which is a file (a url is auth/jwks_url.h's). CONFIG with the file and what
 * is wrong with it; NO_MEMORY. The caller frees.
 */
int key_set_load(const struct issuer_config *issuer, struct key_set **ret_set, struct err *err);
struct key_set *key_set_hold(struct key_set *set); /* one more reference */
void key_set_free(struct key_set *set); /* accepts NULL; the last reference frees and wipes secrets */

/* The same from bytes; `algorithms` are the issuer's, `what` names the source in messages.
 * A JWK set: at most 256 KiB and 64 keys; unknown kty, other use, key_ops without verify and algorithms that
 * the issuer does not list are skipped; a key that is broken, weak, private or a secret refuses the whole
 * set, and so does one without a key that is left. */
int key_set_from_jwks(struct bytes text, const struct name_list *algorithms, const char *what,
                      struct key_set **ret_set, struct err *err);
/* SubjectPublicKeyInfo or a certificate; a private key is refused. */
int key_set_from_pem(struct bytes text, const struct name_list *algorithms, const char *what,
                     struct key_set **ret_set, struct err *err);
/* At least 32 bytes. */
int key_set_from_secret(struct bytes secret, const struct name_list *algorithms, const char *what,
                        struct key_set **ret_set, struct err *err);

bool key_set_has_kid(const struct key_set *set, const char *kid); /* kid NULL: false */
size_t key_set_count(const struct key_set *set);
/* The next key that may check a token with this alg and kid (NULL: none in the token), beginning at *index,
 * which is moved past it; NULL at the end. A kid in the token must be the key's, or the key has none.
 * Borrowed from the set. */
const struct jws_key *key_set_next(const struct key_set *set, enum jws_alg alg, const char *kid,
                                   size_t *index);
