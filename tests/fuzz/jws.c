/* Tokens. What jws_verify takes was signed by one of our keys over exactly those bytes: an oracle that shares
 * only OpenSSL's one-shot calls says so. A token that we sign is taken, and no other signature of it is. */
#include "tests/fuzz/fuzz.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/jws.h"

static const uint8_t secret[32] = "a secret of thirty-two bytes !!";
static const uint8_t seed[32] = "the seed of an Ed25519 key .....";

static struct jws_key keys[2];

static void make_keys(void)
{
    if (keys[0].secret)
        return;
    keys[0] = (struct jws_key){
        .algs = JWS_BIT(JWS_HS256), .secret = (uint8_t *)secret, .secret_len = sizeof secret};
    keys[1] =
        (struct jws_key){.algs = JWS_BIT(JWS_EDDSA),
                         .pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed)};
    HOLDS(keys[1].pkey);
}

/* The signature that the key makes of these bytes; both schemes are deterministic. */
static size_t sign(int which, struct bytes text, uint8_t signature[64])
{
    size_t size = 64;
    unsigned len = 0;
    EVP_MD_CTX *context;

    if (which == 0) {
        HOLDS(
            HMAC(EVP_sha256(), secret, sizeof secret, (const uint8_t *)text.data, text.len, signature, &len));
        return len;
    }
    context = EVP_MD_CTX_new();
    HOLDS(context && EVP_DigestSignInit(context, NULL, NULL, NULL, keys[1].pkey) == 1 &&
          EVP_DigestSign(context, signature, &size, (const uint8_t *)text.data, text.len) == 1);
    EVP_MD_CTX_free(context);
    return size;
}

static void verify_raw(struct bytes token)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    struct err err = ERR_INIT;
    struct jws jws;
    int rc = jws_parse(token, arena, &jws, &err);

    judge(rc, &err);
    if (rc < 0)
        return;
    HOLDS(json_is_object(jws.payload) && jws.alg != JWS_NONE);
    HOLDS(jws.signed_text.data == token.data && jws.signed_text.len < token.len);
    for (int i = 0; i < 2; i++) {
        uint8_t right[64];

        if (!jws_verify(&jws, &keys[i]))
            continue;
        HOLDS(jws.alg == (i == 0 ? JWS_HS256 : JWS_EDDSA));
        HOLDS(bytes_equal(jws.signature, (struct bytes){(char *)right, sign(i, jws.signed_text, right)}));
    }
}

static bool taken(struct bytes token, int which)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    struct err err = ERR_INIT;
    struct jws jws;

    return jws_parse(token, arena, &jws, &err) == 0 && jws_verify(&jws, &keys[which]);
}

/* The payload signed by us; then one byte of the token is another. */
static void verify_signed(struct input *in)
{
    static const char *const headers[] = {"{\"alg\":\"HS256\"}", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}"};
    int which = input_byte(in) & 1;
    size_t place = (size_t)input_u64(in);
    unsigned change = input_byte(in);
    struct bytes payload = input_rest(in);
    char *token = malloc(BASE64_SIZE(payload.len) + 512);
    uint8_t signature[64];
    size_t len;

    HOLDS(token);
    len = base64url_encode(headers[which], strlen(headers[which]), token);
    token[len++] = '.';
    len += base64url_encode(payload.data, payload.len, token + len);
    size_t size = sign(which, (struct bytes){token, len}, signature);
    token[len++] = '.';
    len += base64url_encode(signature, size, token + len);

    char *copy = exact_copy((struct bytes){token, len});
    bool whole = taken((struct bytes){copy, len}, which);
    if (whole)
        HOLDS(!taken((struct bytes){copy, len}, 1 - which));
    if (change) {
        copy[place % len] = (char)((unsigned)copy[place % len] ^ change);
        HOLDS(!taken((struct bytes){copy, len}, which));
    }
    free(copy);
    free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};

    make_keys();
    if (input_byte(&in) & 1)
        verify_signed(&in);
    else
        verify_raw(input_rest(&in));
    return 0;
}
