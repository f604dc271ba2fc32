/* Sets of keys, as JWK set and as PEM. What is taken holds only public keys, each strong enough, each with an
 * algorithm that its kind can do. */
#include "tests/fuzz/fuzz.h"

#include <openssl/evp.h>

#include "auth/jwks.h"

static const char *const names[] = {"RS256", "RS384", "PS256", "ES256", "ES384",
                                    "ES512", "EdDSA", "HS256", "HS512"};
static const struct name_list all = {names, COUNT_OF(names)};

static void judge_key(const struct jws_key *key, enum jws_alg alg)
{
    enum jws_family family = jws_alg_info(alg)->family;
    unsigned char private_part[64];
    size_t size = sizeof private_part;

    HOLDS(key->algs & JWS_BIT(alg));
    HOLDS(!(key->algs & JWS_BIT(JWS_NONE)));
    HOLDS(!key->secret && key->pkey && family != JWS_FAMILY_HMAC);
    HOLDS(EVP_PKEY_get_raw_private_key(key->pkey, private_part, &size) != 1);
    if (family == JWS_FAMILY_RSA || family == JWS_FAMILY_PSS)
        HOLDS(EVP_PKEY_get_bits(key->pkey) >= RSA_BITS_MIN && EVP_PKEY_get_bits(key->pkey) <= RSA_BITS_MAX);
}

static void judge_set(const struct key_set *set)
{
    HOLDS(key_set_count(set) > 0 && key_set_count(set) <= JWKS_KEYS_MAX);
    for (enum jws_alg alg = JWS_NONE + 1; alg < JWS_ALG_COUNT; alg++) {
        const struct jws_key *key;
        size_t index = 0;

        while ((key = key_set_next(set, alg, NULL, &index)))
            judge_key(key, alg);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    bool pem = input_byte(&in) & 1;
    struct key_set *set = NULL;
    struct err err = ERR_INIT;
    int rc = pem ? key_set_from_pem(input_rest(&in), &all, "the input", &set, &err)
                 : key_set_from_jwks(input_rest(&in), &all, "the input", &set, &err);

    judge(rc, &err);
    if (rc == 0)
        judge_set(set);
    key_set_free(set);
    return 0;
}
