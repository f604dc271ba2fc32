#include "tests/unit/auth/token_maker.h"

#include "auth/failure.h"

#define PAYLOAD "{\"iss\":\"i\",\"sub\":\"s\"}"

static const char *reason_of(const char *token, size_t len)
{
    struct arena *arena = arena_new(1 * MIB);
    struct err err = ERR_INIT;
    struct jws jws;
    int rc = jws_parse((struct bytes){token, len}, arena, &jws, &err);

    arena_free(arena);
    return rc == 0 ? "ok" : auth_failure_reason(&err);
}

/* Parses and verifies with every key of the set that serves the alg. */
static bool accepted(const char *token, const struct key_set *set)
{
    struct arena *arena = arena_new(1 * MIB);
    struct err err = ERR_INIT;
    struct jws jws;
    const struct jws_key *key;
    size_t index = 0;
    bool good = false;

    if (jws_parse(bytes_of(token), arena, &jws, &err) == 0)
        while ((key = key_set_next(set, jws.alg, jws.kid, &index)))
            good = good || jws_verify(&jws, key);
    arena_free(arena);
    return good;
}

/* The same, but the key's algorithms are not asked about: what jws_verify itself lets through. */
static bool verified_by(const char *token, const struct jws_key *key)
{
    struct arena *arena = arena_new(1 * MIB);
    struct err err = ERR_INIT;
    struct jws jws;
    bool good = jws_parse(bytes_of(token), arena, &jws, &err) == 0 && jws_verify(&jws, key);

    arena_free(arena);
    return good;
}

static void test_each_algorithm_verifies_with_its_key_and_with_no_other(void **state)
{
    (void)state;
    for (unsigned name = 0; name < KEY_NAMES; name++) {
        struct key_set *set = set_of(name);

        for (unsigned alg = JWS_RS256; alg < JWS_ALG_COUNT; alg++) {
            char *token = plain_token(alg, key_for(alg), PAYLOAD);

            if (accepted(token, set) != (key_for(alg) == name))
                fail_msg("alg %s, key %u", jws_alg_info(alg)->name, name);
            free(token);
        }
        key_set_free(set);
    }
}

static void test_a_key_serves_only_its_own_algorithms(void **state)
{
    (void)state;
    struct jws_key rsa = {.algs = JWS_BIT(JWS_RS256), .pkey = test_key(RSA_A)->pkey};

    for (unsigned alg = JWS_RS256; alg <= JWS_PS512; alg++) {
        char *token = plain_token(alg, RSA_A, PAYLOAD);

        assert_int_equal(verified_by(token, &rsa), alg == JWS_RS256);
        free(token);
    }
    struct jws_key hmac = {.algs = JWS_BIT(JWS_HS512), .secret = test_key(HMAC_A)->secret, .secret_len = 64};
    for (unsigned alg = JWS_HS256; alg <= JWS_HS512; alg++) {
        char *token = plain_token(alg, HMAC_A, PAYLOAD);

        assert_int_equal(verified_by(token, &hmac), alg == JWS_HS512);
        free(token);
    }
}

static void test_a_short_secret_or_an_absent_one_verifies_nothing(void **state)
{
    (void)state;
    char *token = plain_token(JWS_HS256, HMAC_A, PAYLOAD);
    struct jws_key key = {.algs = JWS_BIT(JWS_HS256), .secret = test_key(HMAC_A)->secret, .secret_len = 64};

    assert_true(verified_by(token, &key));
    /* signed with the short secret itself */
    for (size_t len = HMAC_SECRET_MIN - 1; len <= HMAC_SECRET_MIN; len++) {
        uint8_t mac[32];
        size_t head = (size_t)(strrchr(token, '.') - token);
        char *short_token = NULL;

        HMAC(EVP_sha256(), key.secret, (int)len, (uint8_t *)token, head, mac, NULL);
        char *signature = b64(mac, sizeof(mac));
        assert_true(asprintf(&short_token, "%.*s.%s", (int)head, token, signature) > 0);
        key.secret_len = len;
        assert_int_equal(verified_by(short_token, &key), len >= HMAC_SECRET_MIN);
        free(signature);
        free(short_token);
    }
    key = (struct jws_key){.algs = JWS_BIT(JWS_HS256) | JWS_BIT(JWS_RS256)};
    assert_false(verified_by(token, &key));
    free(token);
    token = plain_token(JWS_RS256, RSA_A, PAYLOAD);
    assert_false(verified_by(token, &key));
    free(token);
}

static void test_the_alg_name_is_taken_byte_by_byte(void **state)
{
    static const char *const algs[] = {"none",   "None",   "NONE",   "nOnE",    "rs256",
                                       "RS256 ", " RS256", "RS2560", "HS1",     "RS25",
                                       "ES256K", "EdDSA ", "eddsa",  "Ed25519", "A128KW"};
    struct key_set *set = set_of(RSA_A);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        char header[128];

        snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", algs[i]);
        char *token = sign_token(JWS_RS256, test_key(RSA_A), header, PAYLOAD, (struct sign_options){0});
        assert_false(accepted(token, set));
        assert_string_equal(reason_of(token, strlen(token)), "algorithm");
        free(token);
    }
    key_set_free(set);
}

static void test_headers_that_change_the_rules_or_bring_keys_are_refused(void **state)
{
    static const struct {
        const char *header;
        const char *reason;
    } rows[] = {
        {"{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", "header"},
        {"{\"alg\":\"RS256\",\"crit\":[]}", "header"},
        {"{\"alg\":\"RS256\",\"crit\":null}", "header"},
        {"{\"alg\":\"RS256\",\"b64\":true}", "header"},
        {"{\"alg\":\"RS256\",\"b64\":false}", "header"},
        {"{\"alg\":\"RS256\",\"jwk\":{}}", "header"},
        {"{\"alg\":\"RS256\",\"jku\":\"https://x\"}", "header"},
        {"{\"alg\":\"RS256\",\"x5u\":\"https://x\"}", "header"},
        {"{\"alg\":\"RS256\",\"x5c\":[]}", "header"},
        {"{\"alg\":\"RS256\",\"zip\":\"DEF\"}", "header"},
        {"{\"alg\":\"RS256\",\"alg\":\"RS256\"}", "header"},
        {"{\"alg\":\"RS256\",\"a\":{\"b\":1,\"b\":2}}", "header"},
        {"{\"alg\":[\"RS256\"]}", "header"},
        {"{\"alg\":256}", "header"},
        {"{\"typ\":\"JWT\"}", "header"},
        {"{\"alg\":\"RS256\\u0000\"}", "header"},
        {"{\"alg\":\"RS256\",\"kid\":7}", "header"},
        {"{\"alg\":\"RS256\",\"kid\":\"a\\u0000b\"}", "header"},
        {"{\"alg\":\"RS256\",\"kid\":\"\"}", "header"},
        {"{\"alg\":\"RS256\",\"typ\":1}", "header"},
        {"[\"RS256\"]", "header"},
        {"\"RS256\"", "header"},
        {"null", "header"},
        {"{\"alg\":\"RS256\"", "header"},
        {"{\"alg\":\"RS256\"} x", "header"},
        {"{\"alg\":\"RS256\",\"x5t\":\"aa\",\"kid\":\"k\",\"typ\":\"JWT\"}", "ok"},
        {" {\"alg\" : \"RS256\"} ", "ok"},
    };
    struct key_set *set = set_of(RSA_A);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *token =
            sign_token(JWS_RS256, test_key(RSA_A), rows[i].header, PAYLOAD, (struct sign_options){0});

        if (strcmp(reason_of(token, strlen(token)), rows[i].reason) != 0)
            fail_msg("%s: %s", rows[i].header, reason_of(token, strlen(token)));
        assert_int_equal(accepted(token, set), strcmp(rows[i].reason, "ok") == 0);
        free(token);
    }
    key_set_free(set);
}

static void test_payloads_that_are_no_plain_object_are_refused(void **state)
{
    static const char *const payloads[] = {"[1]",
                                           "1",
                                           "null",
                                           "\"x\"",
                                           "{\"a\":1,\"a\":2}",
                                           "{\"a\":1",
                                           "{}x",
                                           "{\"a\":{\"b\":1,\"b\":1}}",
                                           "{\"a\":\"\xff\"}",
                                           "{'a':1}",
                                           "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        char *token = plain_token(JWS_RS256, RSA_A, payloads[i]);

        assert_string_equal(reason_of(token, strlen(token)), "payload");
        free(token);
    }
}

static void test_a_token_is_three_strict_parts_of_at_most_8_kib(void **state)
{
    char *token = plain_token(JWS_ES256, P256_A, PAYLOAD);
    size_t len = strlen(token);
    char *copy = calloc(1, 2 * JWT_MAX + len + 2);
    static const char *const bad_ends[] = {"=", "==", "!", " ", "\n", ".", ".a", "+", "/", "\x80"};

    (void)state;
    assert_string_equal(reason_of(token, len), "ok");
    assert_string_equal(reason_of(token, 0), "malformed");
    assert_string_equal(reason_of(NULL, 0), "malformed");
    for (size_t i = 0; i < COUNT_OF(bad_ends); i++) {
        snprintf(copy, len + 8, "%s%s", token, bad_ends[i]);
        assert_string_equal(reason_of(copy, strlen(copy)), "malformed");
        snprintf(copy, len + 8, "%s%s", bad_ends[i], token);
        assert_string_equal(reason_of(copy, strlen(copy)), "malformed");
    }
    /* each part missing; only two parts; a NUL inside */
    static const char *const shapes[] = {"",     ".",    "..",      "a",   "a.b",     "a..c",
                                         ".b.c", "a.b.", "a.b.c.d", "...", "e30.e30."};
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        assert_string_equal(reason_of(shapes[i], strlen(shapes[i])), "malformed");
    memcpy(copy, token, len + 1);
    copy[len / 2] = '\0';
    assert_string_equal(reason_of(copy, len), "malformed");
    memset(copy, 'A', 2 * JWT_MAX);
    assert_string_equal(reason_of(copy, JWT_MAX + 1), "malformed");
    free(copy);
    free(token);
}

static void test_the_last_character_of_a_part_has_no_spare_bits(void **state)
{
    (void)state;
    /* 64 bytes of ES256 end in a character of which two bits count: the 15 others of its group must not
     * verify */
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct key_set *set = set_of(P256_A);
    char *token = plain_token(JWS_ES256, P256_A, PAYLOAD);
    char *last = token + strlen(token) - 1;
    char right = *last;

    for (size_t i = 0; i < 64; i++) {
        *last = alphabet[i];
        assert_int_equal(accepted(token, set), *last == right);
    }
    free(token);
    key_set_free(set);
}

static void test_ecdsa_signatures_have_one_form_only(void **state)
{
    (void)state;
    struct key_set *set = set_of(P256_A);
    const char *header = "{\"alg\":\"ES256\"}";
    char *der = sign_token(JWS_ES256, test_key(P256_A), header, PAYLOAD, (struct sign_options){.der = true});

    assert_false(accepted(der, set));
    free(der);
    /* zeros, r or s as they stand in no signature */
    uint8_t zero[64] = {0};
    char *good = sign_token(JWS_ES256, test_key(P256_A), header, PAYLOAD, (struct sign_options){0});
    assert_true(accepted(good, set));
    for (size_t len = 1; len <= 64; len++) {
        char *signature = b64(zero, len);
        char *token = NULL;
        int head = (int)(strrchr(good, '.') - good);

        assert_true(asprintf(&token, "%.*s.%s", head, good, signature) > 0);
        assert_false(accepted(token, set));
        free(signature);
        free(token);
    }
    free(good);
    key_set_free(set);
}

/* A part of the signature, or more than it, with the same head. Takes neither. */
static char *resized(const char *token, size_t signature_len, size_t len)
{
    uint8_t signature[1024] = {0};
    const char *last = strrchr(token, '.') + 1;
    char *text = NULL;

    assert_int_equal(base64url_decode(bytes_of(last), signature), signature_len);
    char *encoded = b64(signature, len);
    assert_true(asprintf(&text, "%.*s%s", (int)(last - token), token, encoded) > 0);
    free(encoded);
    return text;
}

static void test_a_signature_that_is_cut_or_longer_is_none(void **state)
{
    static const struct {
        enum jws_alg alg;
        size_t len;
    } rows[] = {{JWS_HS256, 32},  {JWS_ES256, 64},  {JWS_ES512, 132},
                {JWS_RS256, 256}, {JWS_PS256, 256}, {JWS_EDDSA, 64}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct key_set *set = set_of(key_for(rows[i].alg));
        char *token = plain_token(rows[i].alg, key_for(rows[i].alg), PAYLOAD);

        for (size_t len = rows[i].len - 2; len <= rows[i].len + 2; len++) {
            char *other = resized(token, rows[i].len, len);

            assert_int_equal(accepted(other, set), len == rows[i].len);
            free(other);
        }
        free(token);
        key_set_free(set);
    }
    /* one that ends in a zero byte must not be taken without it */
    struct key_set *set = set_of(P256_A);
    bool tried = false;
    for (int i = 0; i < 20000 && !tried; i++) {
        char *token = plain_token(JWS_ES256, P256_A, PAYLOAD);
        uint8_t signature[66];

        base64url_decode(bytes_of(strrchr(token, '.') + 1), signature);
        if (signature[63] == 0) {
            char *cut = resized(token, 64, 63);

            tried = true;
            assert_false(accepted(cut, set));
            free(cut);
        }
        free(token);
    }
    assert_true(tried);
    key_set_free(set);
}

static void test_a_token_of_8_kib_is_taken_and_none_that_is_longer(void **state)
{
    struct key_set *set = set_of(HMAC_A);
    bool longest = false;

    (void)state;
    for (size_t size = 6060; size < 6100; size++) {
        char payload[7000];

        memset(payload, ' ', size);
        memcpy(payload, "{}", 2);
        payload[size] = '\0';
        char *token = plain_token(JWS_HS256, HMAC_A, payload);
        assert_int_equal(accepted(token, set), strlen(token) <= JWT_MAX);
        longest = longest || strlen(token) == JWT_MAX;
        free(token);
    }
    assert_true(longest);
    key_set_free(set);
}

static void test_pss_takes_only_a_salt_as_long_as_the_digest(void **state)
{
    (void)state;
    struct key_set *set = set_of(RSA_A);
    static const int salts[] = {20, 31, 33, 64};

    for (size_t i = 0; i < COUNT_OF(salts); i++) {
        char *token = sign_token(JWS_PS256, test_key(RSA_A), "{\"alg\":\"PS256\"}", PAYLOAD,
                                 (struct sign_options){.pss_salt = salts[i]});

        assert_false(accepted(token, set));
        free(token);
    }
    char *token = sign_token(JWS_PS256, test_key(RSA_A), "{\"alg\":\"PS256\"}", PAYLOAD,
                             (struct sign_options){.pss_salt = 32});
    assert_true(accepted(token, set));
    free(token);
    key_set_free(set);
}

static void test_no_single_bit_of_a_token_can_be_flipped(void **state)
{
    static const enum jws_alg algs[] = {JWS_RS256, JWS_PS256, JWS_ES256, JWS_EDDSA, JWS_HS256, JWS_HS512};

    (void)state;
    for (size_t a = 0; a < COUNT_OF(algs); a++) {
        struct key_set *set = set_of(key_for(algs[a]));
        char *token = plain_token(algs[a], key_for(algs[a]), PAYLOAD);

        assert_true(accepted(token, set));
        for (size_t bit = 0; bit < 8 * strlen(token); bit++) {
            token[bit / 8] = (char)(token[bit / 8] ^ (1 << (bit % 8)));
            if (token[bit / 8] != '\0' && accepted(token, set))
                fail_msg("%s: bit %zu", jws_alg_info(algs[a])->name, bit);
            token[bit / 8] = (char)(token[bit / 8] ^ (1 << (bit % 8)));
        }
        free(token);
        key_set_free(set);
    }
}

static void test_random_garbage_is_refused_and_harms_nothing(void **state)
{
    struct key_set *set = set_of(HMAC_A);
    char *good = plain_token(JWS_HS256, HMAC_A, PAYLOAD);
    size_t len = strlen(good);
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_..";

    (void)state;
    srandom(7);
    for (int round = 0; round < 20000; round++) {
        char text[300];
        size_t size = (size_t)random() % sizeof(text);

        if (round & 1) { /* of the right alphabet */
            for (size_t i = 0; i < size; i++)
                text[i] = alphabet[(size_t)random() % (sizeof(alphabet) - 1)];
        } else { /* a good token with a run of it overwritten */
            size = len < sizeof(text) - 1 ? len : sizeof(text) - 1;
            memcpy(text, good, size);
            text[(size_t)random() % size] ^= (char)(1 + random() % 127);
        }
        text[size < sizeof(text) ? size : sizeof(text) - 1] = '\0';
        assert_false(accepted(text, set));
    }
    free(good);
    key_set_free(set);
}

static void test_every_failure_has_its_own_text_and_a_listed_reason(void **state)
{
    (void)state;
    for (unsigned i = 0; i < AUTH_FAILURE_COUNT; i++) {
        struct err err = ERR_INIT;
        bool listed = false;

        assert_int_equal(auth_fail(&err, i), -1);
        assert_int_equal(err.code, ERR_INVALID_TOKEN);
        for (const char *const *reason = auth_failure_reasons(); *reason; reason++)
            listed = listed || strcmp(*reason, auth_failure_reason(&err)) == 0;
        assert_true(listed);
        assert_string_not_equal(auth_failure_reason(&err), "other");
        for (unsigned k = 0; k < i; k++) {
            struct err before = ERR_INIT;

            auth_fail(&before, k);
            assert_string_not_equal(before.message, err.message);
        }
    }
    struct err none = {.code = ERR_UNAUTHENTICATED};
    assert_string_equal(auth_failure_reason(&none), "no_token");
    none.code = ERR_BUSY;
    assert_string_equal(auth_failure_reason(&none), "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_algorithm_verifies_with_its_key_and_with_no_other),
        cmocka_unit_test(test_a_key_serves_only_its_own_algorithms),
        cmocka_unit_test(test_a_short_secret_or_an_absent_one_verifies_nothing),
        cmocka_unit_test(test_the_alg_name_is_taken_byte_by_byte),
        cmocka_unit_test(test_headers_that_change_the_rules_or_bring_keys_are_refused),
        cmocka_unit_test(test_payloads_that_are_no_plain_object_are_refused),
        cmocka_unit_test(test_a_token_is_three_strict_parts_of_at_most_8_kib),
        cmocka_unit_test(test_the_last_character_of_a_part_has_no_spare_bits),
        cmocka_unit_test(test_ecdsa_signatures_have_one_form_only),
        cmocka_unit_test(test_a_signature_that_is_cut_or_longer_is_none),
        cmocka_unit_test(test_a_token_of_8_kib_is_taken_and_none_that_is_longer),
        cmocka_unit_test(test_pss_takes_only_a_salt_as_long_as_the_digest),
        cmocka_unit_test(test_no_single_bit_of_a_token_can_be_flipped),
        cmocka_unit_test(test_random_garbage_is_refused_and_harms_nothing),
        cmocka_unit_test(test_every_failure_has_its_own_text_and_a_listed_reason),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    test_keys_free();
    return failed;
}
