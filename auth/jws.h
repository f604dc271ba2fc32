/*
 * Compact JWS (RFC 7515) as tokens use it: taken apart strictly, verified with a key whose algorithms are the
 * key's own (RFC 8725 3.1, 3.2). Nothing that the token says chooses how it is checked: its alg must be one
 * that the key serves. 8 KiB, exactly three parts, strict base64url, no header that brings keys or changes
 * the rules. Thread rule: a parsed token belongs to one thread; keys are immutable and may be shared.
 */
#pragma once
#include <jansson.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum jws_alg {
    JWS_NONE, /* no algorithm; never accepted */
    JWS_RS256,
    JWS_RS384,
    JWS_RS512,
    JWS_PS256,
    JWS_PS384,
    JWS_PS512,
    JWS_ES256,
    JWS_ES384,
    JWS_ES512,
    JWS_EDDSA, /* Ed25519 (RFC 8037) */
    JWS_HS256,
    JWS_HS384,
    JWS_HS512,
    JWS_ALG_COUNT
};

enum jws_family {
    JWS_FAMILY_NONE,
    JWS_FAMILY_RSA,
    JWS_FAMILY_PSS,
    JWS_FAMILY_EC,
    JWS_FAMILY_OKP,
    JWS_FAMILY_HMAC
};

struct jws_alg_info {
    const char *name;
    enum jws_family family;
    const char *digest;    /* OpenSSL's name; NULL where the scheme has its own */
    const char *curve;     /* OpenSSL's group name of an EC algorithm */
    const char *crv;       /* the same as a JWK says it */
    size_t coordinate_len; /* bytes of r, of s, and of each coordinate */
};

const struct jws_alg_info *jws_alg_info(enum jws_alg alg); /* never NULL; JWS_NONE for what is out of range */
enum jws_alg jws_alg_by_name(struct bytes name);           /* exact case; JWS_NONE when unknown */
#define JWS_BIT(alg) (1U << (alg))

/* One key. Secret and public keys never mix: a key with a secret serves HS algorithms only, and the other way
 * round. */
struct jws_key {
    uint32_t algs;                    /* JWS_BIT of each algorithm that it serves */
    const char *kid;                  /* NULL: it has none */
    EVP_PKEY *pkey;                   /* made once; OpenSSL allows verifying with it from many threads */
    EVP_MD_CTX *ready[JWS_ALG_COUNT]; /* of a public key: a check that has begun, to be copied; or NULL */
    uint8_t *secret;
    size_t secret_len;
};

struct jws {
    enum jws_alg alg;
    const char *kid;          /* NULL: absent */
    const char *typ;          /* NULL: absent */
    struct bytes signed_text; /* header and payload as they stand; borrowed from the token */
    struct bytes signature;   /* decoded */
    const json_t *payload;    /* an object; NOT verified until jws_verify said so */
};

/* Takes the token apart. INVALID_TOKEN with the check that failed, or NO_MEMORY. `ret_jws` lives in the arena
 * and borrows the token's bytes. */
int jws_parse(struct bytes token, struct arena *arena, struct jws *ret_jws, struct err *err);
/* Begins a check of each algorithm that a public key serves, once and for all: OpenSSL spends a fifth of a
 * check on looking up what it needs. What cannot be begun now is begun at each check. Before the key is used;
 * the caller frees with jws_key_unready. */
void jws_key_ready(struct jws_key *key);
void jws_key_unready(struct jws_key *key);
/* True only when the key serves the token's alg and the signature is its. */
bool jws_verify(const struct jws *jws, const struct jws_key *key);

/* A string's text; NULL when value is NULL, no string, empty, longer than max, or has a NUL or a control
 * character. */
const char *jws_text(const json_t *value, size_t max);
