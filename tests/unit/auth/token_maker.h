/* Keys made on the spot and tokens signed by hand, so that the tests can also make what no library would. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include "auth/jwks.h"
#include "auth/jws.h"
#include "auth/verifier.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/limits.h"

#define NAMES(...)                                                                                           \
    ((struct name_list){(const char *const[]){__VA_ARGS__},                                                  \
                        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)})
#define ALL_ALGS                                                                                             \
    NAMES("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", \
          "HS384", "HS512")

enum key_name {
    RSA_A,
    RSA_B,
    P256_A,
    P256_B,
    P384_A,
    P384_B,
    P521_A,
    P521_B,
    ED_A,
    ED_B,
    HMAC_A,
    HMAC_B,
    KEY_NAMES
};

struct test_key {
    EVP_PKEY *pkey;
    uint8_t secret[64];
};

static inline struct test_key *test_key(enum key_name name)
{
    static struct test_key keys[KEY_NAMES];
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    struct test_key *key = &keys[name];

    if (name >= HMAC_A) {
        if (!key->secret[0]) {
            RAND_bytes(key->secret, sizeof(key->secret));
            key->secret[0] = (uint8_t)(1 + name);
        }
    } else if (!key->pkey) {
        if (name <= RSA_B)
            key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
        else if (name <= P521_B)
            key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[(name - P256_A) / 2]);
        else
            key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        assert_non_null(key->pkey);
    }
    return key;
}

static inline void test_keys_free(void)
{
    for (unsigned i = 0; i < HMAC_A; i++) {
        EVP_PKEY_free(test_key(i)->pkey);
        test_key(i)->pkey = NULL;
    }
}

static inline enum key_name key_for(enum jws_alg alg)
{
    static const enum key_name keys[] = {
        [JWS_RS256] = RSA_A,  [JWS_RS384] = RSA_A, [JWS_RS512] = RSA_A,  [JWS_PS256] = RSA_A,
        [JWS_PS384] = RSA_A,  [JWS_PS512] = RSA_A, [JWS_ES256] = P256_A, [JWS_ES384] = P384_A,
        [JWS_ES512] = P521_A, [JWS_EDDSA] = ED_A,  [JWS_HS256] = HMAC_A, [JWS_HS384] = HMAC_A,
        [JWS_HS512] = HMAC_A,
    };
    return keys[alg];
}

/* Base64url of bytes, heap. */
static inline char *b64(const void *data, size_t len)
{
    char *text = calloc(1, BASE64_SIZE(len));

    base64url_encode(data, len, text);
    return text;
}

/* r||s from DER, each `size` long. */
static inline size_t der_to_fixed(const uint8_t *der, size_t len, size_t size, uint8_t *out)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);

    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, (int)size);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + size, (int)size);
    ECDSA_SIG_free(pair);
    return 2 * size;
}

struct sign_options {
    int pss_salt; /* 0: as long as the digest */
    bool der;     /* ECDSA left as DER */
};

static inline size_t sign_raw(enum jws_alg alg, const struct test_key *key, const char *text,
                              struct sign_options options, uint8_t *out)
{
    const struct jws_alg_info *info = jws_alg_info(alg);
    uint8_t signature[1024];
    size_t len = sizeof(signature);
    unsigned mac_len = 0;
    EVP_PKEY_CTX *parameters;

    if (info->family == JWS_FAMILY_HMAC) {
        HMAC(EVP_get_digestbyname(info->digest), key->secret, sizeof(key->secret), (const uint8_t *)text,
             strlen(text), out, &mac_len);
        return mac_len;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(context, &parameters, info->digest, NULL, NULL, key->pkey, NULL),
                     1);
    if (info->family == JWS_FAMILY_PSS) {
        EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters,
                                         options.pss_salt ? options.pss_salt : RSA_PSS_SALTLEN_DIGEST);
    }
    assert_int_equal(EVP_DigestSign(context, signature, &len, (const uint8_t *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
    if (info->family == JWS_FAMILY_EC && !options.der)
        return der_to_fixed(signature, len, info->coordinate_len, out);
    memcpy(out, signature, len);
    return len;
}

/* A token with this header and payload, whatever they say, signed as `alg` with `key`. Heap. */
static inline char *sign_token(enum jws_alg alg, const struct test_key *key, const char *header,
                               const char *payload, struct sign_options options)
{
    char *h = b64(header, strlen(header));
    char *p = b64(payload, strlen(payload));
    char *text = NULL, *token = NULL;
    uint8_t signature[1024];

    assert_true(asprintf(&text, "%s.%s", h, p) > 0);
    size_t len = sign_raw(alg, key, text, options, signature);
    char *s = b64(signature, len);
    assert_true(asprintf(&token, "%s.%s", text, s) > 0);
    free(h);
    free(p);
    free(s);
    free(text);
    return token;
}

static inline char *plain_token(enum jws_alg alg, enum key_name key, const char *payload)
{
    char header[128];

    snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\"}", jws_alg_info(alg)->name);
    return sign_token(alg, test_key(key), header, payload, (struct sign_options){0});
}

/* A BIO's memory has no NUL behind it, which strndup may look for. */
static inline char *text_copy(const char *data, size_t len)
{
    char *text = calloc(1, len + 1);

    memcpy(text, data, len);
    return text;
}

static inline char *pem_public(const EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;

    PEM_write_bio_PUBKEY(bio, pkey);
    long len = BIO_get_mem_data(bio, &data);
    char *text = text_copy(data, (size_t)len);
    BIO_free(bio);
    return text;
}

static inline char *pem_private(const EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;

    PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    long len = BIO_get_mem_data(bio, &data);
    char *text = text_copy(data, (size_t)len);
    BIO_free(bio);
    return text;
}

static inline void jwk_bn(json_t *jwk, const char *name, const EVP_PKEY *pkey, const char *parameter,
                          size_t size)
{
    BIGNUM *number = NULL;
    uint8_t data[1024];

    assert_int_equal(EVP_PKEY_get_bn_param(pkey, parameter, &number), 1);
    size_t len = size ? size : (size_t)BN_num_bytes(number);
    BN_bn2binpad(number, data, (int)len);
    char *text = b64(data, len);
    json_object_set_new(jwk, name, json_string(text));
    free(text);
    BN_free(number);
}

/* A new JWK object of the key's public half, or of the secret. */
static inline json_t *jwk_of(enum key_name name, const char *kid, const char *alg)
{
    static const char *const crvs[] = {"P-256", "P-384", "P-521"};
    static const size_t sizes[] = {32, 48, 66};
    const struct test_key *key = test_key(name);
    json_t *jwk = json_object();

    if (name <= RSA_B) {
        json_object_set_new(jwk, "kty", json_string("RSA"));
        jwk_bn(jwk, "n", key->pkey, OSSL_PKEY_PARAM_RSA_N, 0);
        jwk_bn(jwk, "e", key->pkey, OSSL_PKEY_PARAM_RSA_E, 0);
    } else if (name <= P521_B) {
        size_t curve = (size_t)(name - P256_A) / 2;

        json_object_set_new(jwk, "kty", json_string("EC"));
        json_object_set_new(jwk, "crv", json_string(crvs[curve]));
        jwk_bn(jwk, "x", key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, sizes[curve]);
        jwk_bn(jwk, "y", key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, sizes[curve]);
    } else {
        uint8_t data[32];
        size_t len = sizeof(data);
        bool hmac = name >= HMAC_A;

        if (!hmac)
            EVP_PKEY_get_raw_public_key(key->pkey, data, &len);
        char *text = hmac ? b64(key->secret, sizeof(key->secret)) : b64(data, len);
        json_object_set_new(jwk, "kty", json_string(hmac ? "oct" : "OKP"));
        if (!hmac)
            json_object_set_new(jwk, "crv", json_string("Ed25519"));
        json_object_set_new(jwk, hmac ? "k" : "x", json_string(text));
        free(text);
    }
    if (kid)
        json_object_set_new(jwk, "kid", json_string(kid));
    if (alg)
        json_object_set_new(jwk, "alg", json_string(alg));
    return jwk;
}

/* {"keys":[...]} of the objects given (references taken), heap text. */
static inline char *jwks_text(json_t *first, json_t *second)
{
    json_t *root = json_pack("{s:[]}", "keys");

    json_array_append_new(json_object_get(root, "keys"), first);
    if (second)
        json_array_append_new(json_object_get(root, "keys"), second);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

/* A file with this content; its path is heap. */
static inline char *temp_file(const void *data, size_t len)
{
    char *path = strdup("/tmp/recoverd-auth-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
    return path;
}

static inline void drop_file(char *path)
{
    unlink(path);
    free(path);
}

/* A key set of one key, every algorithm of its kind allowed. */
static inline struct key_set *set_of(enum key_name name)
{
    struct err err = ERR_INIT;
    struct key_set *set = NULL;
    const struct name_list algs = ALL_ALGS;
    char *text = name >= HMAC_A ? NULL : pem_public(test_key(name)->pkey);
    int rc = name >= HMAC_A ? key_set_from_secret((struct bytes){(char *)test_key(name)->secret, 64}, &algs,
                                                  "secret", &set, &err)
                            : key_set_from_pem(bytes_of(text), &algs, "pem", &set, &err);

    free(text);
    if (rc < 0)
        fail_msg("%s", err.message);
    return set;
}
