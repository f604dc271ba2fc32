#include "auth/jws.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "auth/failure.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"

#define COORDINATE_MAX 66
/* SEQUENCE of two INTEGERs of at most 67 bytes each, with their heads */
#define ECDSA_DER_MAX (2 * (COORDINATE_MAX + 4) + 4)
#define ED25519_SIGNATURE 64

static const struct jws_alg_info algs[JWS_ALG_COUNT] = {
    [JWS_NONE] = {"none", JWS_FAMILY_NONE, NULL, NULL, NULL, 0},
    [JWS_RS256] = {"RS256", JWS_FAMILY_RSA, "SHA256", NULL, NULL, 0},
    [JWS_RS384] = {"RS384", JWS_FAMILY_RSA, "SHA384", NULL, NULL, 0},
    [JWS_RS512] = {"RS512", JWS_FAMILY_RSA, "SHA512", NULL, NULL, 0},
    [JWS_PS256] = {"PS256", JWS_FAMILY_PSS, "SHA256", NULL, NULL, 0},
    [JWS_PS384] = {"PS384", JWS_FAMILY_PSS, "SHA384", NULL, NULL, 0},
    [JWS_PS512] = {"PS512", JWS_FAMILY_PSS, "SHA512", NULL, NULL, 0},
    [JWS_ES256] = {"ES256", JWS_FAMILY_EC, "SHA256", "prime256v1", "P-256", 32},
    [JWS_ES384] = {"ES384", JWS_FAMILY_EC, "SHA384", "secp384r1", "P-384", 48},
    [JWS_ES512] = {"ES512", JWS_FAMILY_EC, "SHA512", "secp521r1", "P-521", COORDINATE_MAX},
    [JWS_EDDSA] = {"EdDSA", JWS_FAMILY_OKP, NULL, NULL, "Ed25519", 32},
    [JWS_HS256] = {"HS256", JWS_FAMILY_HMAC, "SHA256", NULL, NULL, 0},
    [JWS_HS384] = {"HS384", JWS_FAMILY_HMAC, "SHA384", NULL, NULL, 0},
    [JWS_HS512] = {"HS512", JWS_FAMILY_HMAC, "SHA512", NULL, NULL, 0},
};

const struct jws_alg_info *jws_alg_info(enum jws_alg alg)
{
    return &algs[(unsigned)alg < JWS_ALG_COUNT ? alg : JWS_NONE];
}

enum jws_alg jws_alg_by_name(struct bytes name)
{
    for (unsigned i = JWS_NONE + 1; i < JWS_ALG_COUNT; i++)
        if (bytes_is(name, algs[i].name))
            return (enum jws_alg)i;
    return JWS_NONE;
}

/* -- parsing -- */

const char *jws_text(const json_t *value, size_t max)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (!text || len == 0 || len > max)
        return NULL;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return NULL;
    return text;
}

static int split(struct bytes token, struct bytes parts[3], struct err *err)
{
    const char *at = token.data;
    const char *end = token.data + token.len;

    for (int i = 0; i < 3; i++) {
        const char *dot = memchr(at, '.', (size_t)(end - at));

        if (!dot != (i == 2))
            return auth_fail(err, AUTH_FAILURE_PARTS);
        parts[i] = (struct bytes){at, (size_t)((dot ? dot : end) - at)};
        if (parts[i].len == 0)
            return auth_fail(err, AUTH_FAILURE_PARTS);
        at = dot ? dot + 1 : end;
    }
    return 0;
}

static int decode(struct bytes part, struct arena *arena, struct bytes *ret_decoded, struct err *err)
{
    char *data = arena_alloc(arena, part.len + 1);

    if (!data)
        return err_set(err, ERR_NO_MEMORY, "no memory for a token");
    long len = base64url_decode(part, data);
    if (len <= 0)
        return auth_fail(err, AUTH_FAILURE_BASE64);
    *ret_decoded = (struct bytes){data, (size_t)len};
    return 0;
}

/* An object with no member twice, at any level: two readers of one token must never see two claims. */
static int decode_object(struct bytes part, struct arena *arena, enum auth_failure failure,
                         const json_t **ret_object, struct err *err)
{
    static const struct json_limits limits = {.max_depth = CLAIM_DEPTH, .allow_duplicates = false};
    struct err cause = ERR_INIT; /* dropped: its message may quote the token */
    struct bytes text;
    json_t *object = NULL;

    if (decode(part, arena, &text, err) < 0)
        return -1;
    if (json_parse(text, &limits, &object, &cause) < 0)
        return cause.code == ERR_NO_MEMORY ? err_set(err, ERR_NO_MEMORY, "no memory for a token")
                                           : auth_fail(err, failure);
    if (arena_defer(arena, json_decref_p, object) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a token");
    if (!json_is_object(object))
        return auth_fail(err, failure);
    *ret_object = object;
    return 0;
}

static int read_header(const json_t *header, struct jws *jws, struct err *err)
{
    static const char *const refused[] = {"crit", "b64", "jwk", "jku", "x5u", "x5c", "zip"};
    const char *alg = jws_text(json_object_get(header, "alg"), 32);

    for (size_t i = 0; i < COUNT_OF(refused); i++)
        if (json_object_get(header, refused[i]))
            return auth_fail(err, AUTH_FAILURE_HEADER_REFUSED);
    jws->kid = jws_text(json_object_get(header, "kid"), CLAIM_TEXT_MAX);
    jws->typ = jws_text(json_object_get(header, "typ"), 64);
    if (!alg || (!jws->kid && json_object_get(header, "kid")) ||
        (!jws->typ && json_object_get(header, "typ")))
        return auth_fail(err, AUTH_FAILURE_HEADER_MEMBER);
    jws->alg = jws_alg_by_name(bytes_of(alg));
    return jws->alg == JWS_NONE ? auth_fail(err, AUTH_FAILURE_ALGORITHM) : 0;
}

int jws_parse(struct bytes token, struct arena *arena, struct jws *ret_jws, struct err *err)
{
    struct bytes parts[3];
    const json_t *header;
    struct jws jws = {0};

    if (!token.data || token.len == 0 || token.len > JWT_MAX)
        return auth_fail(err, AUTH_FAILURE_LENGTH);
    if (split(token, parts, err) < 0)
        return -1;
    if (decode_object(parts[0], arena, AUTH_FAILURE_HEADER, &header, err) < 0 ||
        read_header(header, &jws, err) < 0 || decode(parts[2], arena, &jws.signature, err) < 0 ||
        decode_object(parts[1], arena, AUTH_FAILURE_PAYLOAD, &jws.payload, err) < 0)
        return -1;
    jws.signed_text = (struct bytes){token.data, parts[0].len + 1 + parts[1].len};
    *ret_jws = jws;
    return 0;
}

/* -- verifying -- */

static void cleanup_md(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void cleanup_ecdsa(ECDSA_SIG **signature)
{
    ECDSA_SIG_free(*signature);
}

/* r and s of fixed length (RFC 7518 3.4) as the DER that OpenSSL wants. Returns its length, 0 when it is
 * none. */
static size_t ecdsa_der(struct bytes signature, size_t coordinate_len, uint8_t der[ECDSA_DER_MAX])
{
    if (signature.len != 2 * coordinate_len)
        return 0;
    _cleanup_(cleanup_ecdsa) ECDSA_SIG *pair = ECDSA_SIG_new();
    const uint8_t *data = (const uint8_t *)signature.data;
    BIGNUM *r = BN_bin2bn(data, (int)coordinate_len, NULL);
    BIGNUM *s = BN_bin2bn(data + coordinate_len, (int)coordinate_len, NULL);

    if (!pair || !r || !s || !ECDSA_SIG_set0(pair, r, s)) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    int len = i2d_ECDSA_SIG(pair, NULL);
    if (len <= 0 || len > ECDSA_DER_MAX)
        return 0;
    len = i2d_ECDSA_SIG(pair, &der);
    return len > 0 ? (size_t)len : 0;
}

static bool verify_hmac(const struct jws *jws, const struct jws_alg_info *info, const struct jws_key *key)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const EVP_MD *digest = EVP_get_digestbyname(info->digest);

    if (!key->secret || key->secret_len < HMAC_SECRET_MIN || !digest)
        return false;
    if (!HMAC(digest, key->secret, (int)key->secret_len, (const uint8_t *)jws->signed_text.data,
              jws->signed_text.len, mac, &len))
        return false;
    bool same = len == jws->signature.len && CRYPTO_memcmp(mac, jws->signature.data, len) == 0;
    OPENSSL_cleanse(mac, sizeof(mac));
    return same;
}

/* The salt is as long as the digest (RFC 7518 3.5); any other length is refused by OpenSSL. */
static bool set_pss(EVP_PKEY_CTX *context)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0;
}

/* A check with this key that has begun; NULL when it cannot. The caller frees. */
static EVP_MD_CTX *begin(const struct jws_alg_info *info, EVP_PKEY *pkey)
{
    _cleanup_(cleanup_md) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters;

    if (!context ||
        EVP_DigestVerifyInit_ex(context, &parameters, info->digest, NULL, NULL, pkey, NULL) != 1 ||
        (info->family == JWS_FAMILY_PSS && !set_pss(parameters)))
        return NULL;
    return TAKE(context);
}

static EVP_MD_CTX *copy_of(const EVP_MD_CTX *ready)
{
    _cleanup_(cleanup_md) EVP_MD_CTX *context = EVP_MD_CTX_new();

    return context && EVP_MD_CTX_copy_ex(context, ready) == 1 ? TAKE(context) : NULL;
}

void jws_key_ready(struct jws_key *key)
{
    for (unsigned alg = JWS_NONE + 1; key->pkey && alg < JWS_ALG_COUNT; alg++)
        if (key->algs & JWS_BIT(alg))
            key->ready[alg] = begin(&algs[alg], key->pkey);
}

void jws_key_unready(struct jws_key *key)
{
    for (unsigned alg = 0; alg < JWS_ALG_COUNT; alg++)
        EVP_MD_CTX_free(key->ready[alg]);
    memset(key->ready, 0, sizeof(key->ready));
}

static bool verify_public(const struct jws *jws, const struct jws_alg_info *info, const struct jws_key *key)
{
    uint8_t der[ECDSA_DER_MAX];
    const uint8_t *signature = (const uint8_t *)jws->signature.data;
    size_t len = jws->signature.len;

    if (!key->pkey)
        return false;
    if (info->family == JWS_FAMILY_EC) {
        len = ecdsa_der(jws->signature, info->coordinate_len, der);
        signature = der;
        if (len == 0)
            return false;
    } else if (info->family == JWS_FAMILY_OKP ? len != ED25519_SIGNATURE
                                              : len != (size_t)EVP_PKEY_get_size(key->pkey)) {
        return false;
    }
    const EVP_MD_CTX *ready = key->ready[jws->alg];
    _cleanup_(cleanup_md) EVP_MD_CTX *context = ready ? copy_of(ready) : begin(info, key->pkey);
    return context && EVP_DigestVerify(context, signature, len, (const uint8_t *)jws->signed_text.data,
                                       jws->signed_text.len) == 1;
}

bool jws_verify(const struct jws *jws, const struct jws_key *key)
{
    const struct jws_alg_info *info = jws_alg_info(jws->alg);

    if (info->family == JWS_FAMILY_NONE || !(key->algs & JWS_BIT(jws->alg)))
        return false;
    return info->family == JWS_FAMILY_HMAC ? verify_hmac(jws, info, key) : verify_public(jws, info, key);
}
