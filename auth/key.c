#include "auth/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/cleanup.h"
#include "base/limits.h"

#define RSA_BYTES_MAX (RSA_BITS_MAX / 8)
#define COORDINATE_MAX 66

static void cleanup_bn(BIGNUM **number)
{
    BN_free(*number);
}

static void cleanup_pkey_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static void cleanup_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

static void cleanup_params(OSSL_PARAM **params)
{
    OSSL_PARAM_free(*params);
}

/* -- what a key serves -- */

static uint32_t family_algs(enum jws_family family)
{
    uint32_t algs = 0;

    for (unsigned i = JWS_NONE + 1; i < JWS_ALG_COUNT; i++)
        if (jws_alg_info((enum jws_alg)i)->family == family)
            algs |= JWS_BIT(i);
    return algs;
}

static uint32_t curve_algs(const EVP_PKEY *pkey, const char *what, struct err *err)
{
    char group[64] = "";

    EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL);
    for (unsigned i = JWS_NONE + 1; i < JWS_ALG_COUNT; i++) {
        const struct jws_alg_info *info = jws_alg_info((enum jws_alg)i);

        if (info->curve && strcmp(info->curve, group) == 0)
            return JWS_BIT(i);
    }
    err_set(err, ERR_CONFIG, "%s: the curve is not P-256, P-384 or P-521", what);
    return 0;
}

/* Size and exponent of an RSA key: 1 and even exponents make signatures that anyone can write. */
static bool rsa_sound(const EVP_PKEY *pkey, const char *what, struct err *err)
{
    BIGNUM *exponent = NULL;
    int bits = EVP_PKEY_get_bits(pkey);

    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
        err_set(err, ERR_CONFIG, "%s: an RSA key of %d bits; %d to %d are allowed", what, bits, RSA_BITS_MIN,
                RSA_BITS_MAX);
        return false;
    }
    bool got = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
    _cleanup_(cleanup_bn) BIGNUM *e = exponent;
    if (!got || BN_num_bits(e) < 2 || BN_num_bits(e) > 64 || !BN_is_odd(e)) {
        err_set(err, ERR_CONFIG, "%s: the RSA key's exponent is not an odd number of 2 to 64 bits", what);
        return false;
    }
    return true;
}

static bool point_sound(EVP_PKEY *pkey, const char *what, struct err *err)
{
    _cleanup_(cleanup_pkey_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

    if (context && EVP_PKEY_public_check(context) == 1)
        return true;
    err_set(err, ERR_CONFIG, "%s: the public key is not a point of its curve", what);
    return false;
}

uint32_t key_algs(const EVP_PKEY *pkey, const char *what, struct err *err)
{
    if (EVP_PKEY_is_a(pkey, "RSA"))
        return rsa_sound(pkey, what, err) ? family_algs(JWS_FAMILY_RSA) | family_algs(JWS_FAMILY_PSS) : 0;
    if (EVP_PKEY_is_a(pkey, "RSA-PSS"))
        return rsa_sound(pkey, what, err) ? family_algs(JWS_FAMILY_PSS) : 0;
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return JWS_BIT(JWS_EDDSA);
    if (EVP_PKEY_is_a(pkey, "EC")) {
        uint32_t algs = curve_algs(pkey, what, err);

        return algs && point_sound((EVP_PKEY *)pkey, what, err) ? algs : 0;
    }
    err_set(err, ERR_CONFIG, "%s: the key is not RSA, EC or Ed25519", what);
    return 0;
}

/* -- from a JWK -- */

/* The octets of member `name`, strict base64url, 1..max bytes; -1 when absent or malformed. */
static long key_member(const json_t *jwk, const char *name, uint8_t *ret_data, size_t max)
{
    const json_t *value = json_object_get(jwk, name);
    struct bytes text = {json_string_value(value), json_string_length(value)};

    if (!text.data || text.len == 0 || text.len > (4 * max + 2) / 3)
        return -1;
    long len = base64url_decode(text, ret_data);
    return len > 0 && (size_t)len <= max ? len : -1;
}

static EVP_PKEY *from_params(const char *type, const OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    _cleanup_(cleanup_pkey_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (!context || !params || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)params) != 1)
        return NULL;
    return pkey;
}

static EVP_PKEY *from_rsa(const json_t *jwk)
{
    uint8_t n_data[RSA_BYTES_MAX + 4], e_data[16];
    long n_len = key_member(jwk, "n", n_data, RSA_BYTES_MAX);
    long e_len = key_member(jwk, "e", e_data, 8);

    if (n_len < 0 || e_len < 0)
        return NULL;
    _cleanup_(cleanup_bn) BIGNUM *n = BN_bin2bn(n_data, (int)n_len, NULL);
    _cleanup_(cleanup_bn) BIGNUM *e = BN_bin2bn(e_data, (int)e_len, NULL);
    _cleanup_(cleanup_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        return NULL;
    _cleanup_(cleanup_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    return from_params("RSA", params);
}

const struct jws_alg_info *key_curve(const json_t *jwk)
{
    const char *crv = jws_text(json_object_get(jwk, "crv"), 16);

    for (unsigned i = JWS_NONE + 1; i < JWS_ALG_COUNT; i++) {
        const struct jws_alg_info *info = jws_alg_info((enum jws_alg)i);

        if (info->crv && crv && strcmp(info->crv, crv) == 0)
            return info;
    }
    return NULL;
}

/* RFC 7518 6.2.1.2: coordinates are as long as the field, zeros in front included; nothing else is taken. */
static EVP_PKEY *from_ec(const json_t *jwk, const struct jws_alg_info *info)
{
    uint8_t point[1 + 2 * (COORDINATE_MAX + 2)];
    size_t len = info->coordinate_len;

    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    if (key_member(jwk, "x", point + 1, len) != (long)len ||
        key_member(jwk, "y", point + 1 + len, len) != (long)len)
        return NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)info->curve, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len),
        OSSL_PARAM_construct_end(),
    };
    return from_params("EC", params);
}

static EVP_PKEY *from_okp(const json_t *jwk, const struct jws_alg_info *info)
{
    uint8_t x[32 + 4];

    if (key_member(jwk, "x", x, info->coordinate_len) != (long)info->coordinate_len)
        return NULL;
    return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x, info->coordinate_len);
}

EVP_PKEY *key_from_jwk(const json_t *jwk, const char *what, struct err *err)
{
    const char *kty = jws_text(json_object_get(jwk, "kty"), 16);
    const struct jws_alg_info *info = key_curve(jwk);
    EVP_PKEY *pkey = NULL;

    if (kty && strcmp(kty, "RSA") == 0)
        pkey = from_rsa(jwk);
    else if (kty && strcmp(kty, "EC") == 0 && info && info->family == JWS_FAMILY_EC)
        pkey = from_ec(jwk, info);
    else if (kty && strcmp(kty, "OKP") == 0 && info && info->family == JWS_FAMILY_OKP)
        pkey = from_okp(jwk, info);
    if (!pkey)
        err_set(err, ERR_CONFIG, "%s: not a usable public key", what);
    return pkey;
}
