#include "item/sha256.h"

#include <stdlib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/cleanup.h"

struct sha256 {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

struct sha256 *sha256_new(struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = calloc(1, sizeof *sha);
    if (sha) {
        sha->md = EVP_MD_fetch(NULL, "SHA256", NULL);
        sha->ctx = EVP_MD_CTX_new();
    }
    if (!sha || !sha->md || !sha->ctx) {
        err_set(err, ERR_NO_MEMORY, "no memory for a digest");
        return NULL;
    }
    return sha256_start(sha, err) < 0 ? NULL : TAKE(sha);
}

void sha256_free(struct sha256 *sha)
{
    if (!sha)
        return;
    EVP_MD_CTX_free(sha->ctx);
    EVP_MD_free(sha->md);
    free(sha);
}

static int failed(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "openssl cannot compute SHA-256");
}

int sha256_start(struct sha256 *sha, struct err *err)
{
    return EVP_DigestInit_ex2(sha->ctx, sha->md, NULL) == 1 ? 0 : failed(err);
}

int sha256_add(struct sha256 *sha, const void *data, size_t len, struct err *err)
{
    return len == 0 || EVP_DigestUpdate(sha->ctx, data, len) == 1 ? 0 : failed(err);
}

int sha256_end(struct sha256 *sha, unsigned char ret_digest[SHA256_BYTES], struct err *err)
{
    return EVP_DigestFinal_ex(sha->ctx, ret_digest, NULL) == 1 ? 0 : failed(err);
}

int sha256_once(struct sha256 *sha, struct bytes data, unsigned char ret_digest[SHA256_BYTES],
                struct err *err)
{
    if (sha256_start(sha, err) < 0 || sha256_add(sha, data.data, data.len, err) < 0)
        return -1;
    return sha256_end(sha, ret_digest, err);
}

#define HMAC_BLOCK 64

static int padded(struct sha256 *sha, unsigned char *block, unsigned char pad, const void *data, size_t len,
                  unsigned char *ret_digest, struct err *err)
{
    for (size_t i = 0; i < HMAC_BLOCK; i++)
        block[i] ^= pad;
    if (sha256_start(sha, err) < 0 || sha256_add(sha, block, HMAC_BLOCK, err) < 0 ||
        sha256_add(sha, data, len, err) < 0)
        return -1;
    return sha256_end(sha, ret_digest, err);
}

int sha256_hmac(struct sha256 *sha, struct bytes key, struct bytes data,
                unsigned char ret_digest[SHA256_BYTES], struct err *err)
{
    unsigned char block[HMAC_BLOCK] = {0}, inner[SHA256_BYTES];
    int rc = 0;

    if (key.len > HMAC_BLOCK)
        rc = sha256_once(sha, key, block, err);
    else if (key.len > 0)
        memcpy(block, key.data, key.len);
    if (rc == 0)
        rc = padded(sha, block, 0x36, data.data, data.len, inner, err);
    if (rc == 0)
        rc = padded(sha, block, 0x36 ^ 0x5c, inner, sizeof(inner), ret_digest, err);
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(inner, sizeof(inner));
    return rc;
}
