/*
 * SHA-256 (FIPS 180-4) on OpenSSL's EVP, with the algorithm looked up once: a look-up per item would cost as
 * much as hashing it. Thread rule: one thread at a time.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"

#define SHA256_BYTES 32

struct sha256;

struct sha256 *sha256_new(struct err *err); /* started; NULL with NO_MEMORY */
void sha256_free(struct sha256 *sha);       /* accepts NULL */
/* Begins a new digest. */
int sha256_start(struct sha256 *sha, struct err *err);
int sha256_add(struct sha256 *sha, const void *data, size_t len, struct err *err);
/* The digest of what was added; sha256_start before the next. */
int sha256_end(struct sha256 *sha, unsigned char ret_digest[SHA256_BYTES], struct err *err);
/* start, add and end. */
int sha256_once(struct sha256 *sha, struct bytes data, unsigned char ret_digest[SHA256_BYTES],
                struct err *err);

/* HMAC-SHA-256 (RFC 2104). The key is wiped from where this puts it. */
int sha256_hmac(struct sha256 *sha, struct bytes key, struct bytes data,
                unsigned char ret_digest[SHA256_BYTES], struct err *err);

static inline void sha256_free_p(struct sha256 **sha)
{
    sha256_free(*sha);
}
