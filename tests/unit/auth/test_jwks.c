#include "tests/unit/auth/token_maker.h"

#include "tests/support/certificate.h"

/* Takes the text. -1 with the message in `message`, or the number of keys. */
static int load(char *text, const struct name_list *algorithms, char *message, size_t size)
{
    struct err err = ERR_INIT;
    struct key_set *set = NULL;
    int rc = key_set_from_jwks(bytes_of(text), algorithms, "set", &set, &err);
    int count = rc < 0 ? -1 : (int)key_set_count(set);

    free(text);
    str_copy(message, size, err.message);
    key_set_free(set);
    return count;
}

static int load_two(json_t *first, json_t *second, const struct name_list *algorithms)
{
    char message[600];

    return load(jwks_text(first, second), algorithms, message, sizeof(message));
}

static json_t *with(json_t *jwk, const char *name, json_t *value)
{
    json_object_set_new(jwk, name, value);
    return jwk;
}

static bool check(const struct key_set *set, enum jws_alg alg, enum key_name name, const char *kid)
{
    char header[128];
    struct arena *arena = arena_new(1 * MIB);
    struct err err = ERR_INIT;
    struct jws jws;
    const struct jws_key *key;
    size_t index = 0;
    bool good = false;

    if (kid)
        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", jws_alg_info(alg)->name, kid);
    else
        snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", jws_alg_info(alg)->name);
    char *token = sign_token(alg, test_key(name), header, "{}", (struct sign_options){0});
    assert_int_equal(jws_parse(bytes_of(token), arena, &jws, &err), 0);
    while ((key = key_set_next(set, jws.alg, jws.kid, &index)))
        good = good || jws_verify(&jws, key);
    free(token);
    arena_free(arena);
    return good;
}

static void test_each_kind_of_jwk_verifies_what_its_private_half_signed(void **state)
{
    static const enum key_name names[] = {RSA_A, P256_A, P384_A, P521_A, ED_A};
    const struct name_list all = ALL_ALGS;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct err err = ERR_INIT;
        struct key_set *set = NULL;
        char *text = jwks_text(jwk_of(names[i], "k1", NULL), NULL);

        if (key_set_from_jwks(bytes_of(text), &all, "set", &set, &err) < 0)
            fail_msg("%s", err.message);
        for (unsigned alg = JWS_RS256; alg < JWS_ALG_COUNT; alg++) {
            assert_int_equal(check(set, alg, key_for(alg), "k1"), key_for(alg) == names[i]);
            assert_int_equal(check(set, alg, key_for(alg), NULL), key_for(alg) == names[i]);
            assert_false(check(set, alg, key_for(alg), "k2"));
        }
        key_set_free(set);
        free(text);
    }
}

static void test_a_jwk_with_alg_serves_that_one_only_when_the_issuer_lists_it(void **state)
{
    const struct name_list all = ALL_ALGS;
    const struct name_list rs = NAMES("RS256", "PS512");
    struct err err = ERR_INIT;
    struct key_set *set = NULL;
    char *text = jwks_text(jwk_of(RSA_A, "k", "PS256"), NULL);

    (void)state;
    assert_int_equal(key_set_from_jwks(bytes_of(text), &all, "set", &set, &err), 0);
    for (unsigned alg = JWS_RS256; alg <= JWS_PS512; alg++)
        assert_int_equal(check(set, alg, RSA_A, "k"), alg == JWS_PS256);
    key_set_free(set);
    assert_int_equal(key_set_from_jwks(bytes_of(text), &rs, "set", &set, &err), -1);
    free(text);
    /* without alg: what the issuer lists of the key's kind */
    text = jwks_text(jwk_of(RSA_A, "k", NULL), NULL);
    err = ERR_INIT;
    assert_int_equal(key_set_from_jwks(bytes_of(text), &rs, "set", &set, &err), 0);
    for (unsigned alg = JWS_RS256; alg <= JWS_PS512; alg++)
        assert_int_equal(check(set, alg, RSA_A, "k"), alg == JWS_RS256 || alg == JWS_PS512);
    key_set_free(set);
    free(text);
}

static void test_an_rsa_jwk_without_alg_never_serves_hmac(void **state)
{
    /* CVE-2026-44699 and the classic confusion: the token says HS256, the key is public */
    const struct name_list all = ALL_ALGS;
    struct err err = ERR_INIT;
    struct key_set *set = NULL;
    char *text = jwks_text(jwk_of(RSA_A, NULL, NULL), NULL);
    size_t index = 0;

    (void)state;
    assert_int_equal(key_set_from_jwks(bytes_of(text), &all, "set", &set, &err), 0);
    for (unsigned alg = JWS_HS256; alg <= JWS_HS512; alg++, index = 0)
        assert_null(key_set_next(set, alg, NULL, &index));
    key_set_free(set);
    free(text);
}

static void test_keys_that_are_not_for_this_are_skipped(void **state)
{
    const struct name_list all = ALL_ALGS;

    (void)state;
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), json_pack("{s:s}", "kty", "AKP"), &all), 1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), json_pack("{s:i}", "kty", 7), &all), 1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), json_object(), &all), 1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "use", json_string("enc")), &all),
        1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "use", json_integer(1)), &all), 1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "use", json_string("sig")), &all),
        2);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), jwk_of(RSA_B, "b", "RSA-OAEP"), &all), 1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), jwk_of(RSA_B, "b", "none"), &all), 1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL),
                              with(jwk_of(P256_A, "b", NULL), "crv", json_string("secp256k1")), &all),
                     1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(ED_A, "b", NULL), "crv", json_string("X25519")), &all),
        1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL),
                              with(jwk_of(RSA_B, "b", NULL), "key_ops", json_pack("[s]", "encrypt")), &all),
                     1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL),
                              with(jwk_of(RSA_B, "b", NULL), "key_ops", json_pack("[s]", "verify")), &all),
                     2);
    /* an alg of another kind serves nothing */
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), jwk_of(RSA_B, "b", "ES256"), &all), 1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), jwk_of(P384_A, "b", "ES256"), &all), 1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), jwk_of(RSA_B, "b", "HS256"), &all), 1);
}

static json_t *small_rsa(void)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    json_t *jwk = json_pack("{s:s}", "kty", "RSA");

    jwk_bn(jwk, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0);
    jwk_bn(jwk, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
    EVP_PKEY_free(pkey);
    return jwk;
}

/* x and y swapped is a point off the curve. */
static json_t *off_curve(enum key_name name)
{
    json_t *jwk = jwk_of(name, NULL, NULL);
    json_t *x = json_incref(json_object_get(jwk, "x"));

    json_object_set(jwk, "x", json_object_get(jwk, "y"));
    json_object_set_new(jwk, "y", x);
    return jwk;
}

static void test_broken_weak_and_private_keys_refuse_the_whole_set(void **state)
{
    const struct name_list all = ALL_ALGS;
    char text[2000];

    (void)state;
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), small_rsa(), &all), -1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), off_curve(P256_A), &all), -1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), off_curve(P384_A), &all), -1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), off_curve(P521_A), &all), -1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "e", json_string("AQ")), &all),
        -1); /* 1 */
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "e", json_string("Ag")), &all),
        -1); /* 2 */
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "e", json_string("")), &all), -1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "n", json_string("AQAB=")), &all),
        -1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "n", json_null()), &all), -1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "d", json_string("AQAB")), &all),
        -1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(RSA_B, "b", NULL), "kid", json_integer(4)), &all), -1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(P256_A, "b", NULL), "x", json_string("AQAB")), &all),
        -1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL),
                              with(jwk_of(P256_A, "b", NULL), "crv", json_string("P-384")), &all),
                     -1);
    assert_int_equal(
        load_two(jwk_of(RSA_A, "a", NULL), with(jwk_of(ED_A, "b", NULL), "x", json_string("AQAB")), &all),
        -1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), json_string("key"), &all), -1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), json_null(), &all), -1);
    assert_int_equal(load_two(jwk_of(HMAC_A, "a", NULL), NULL, &all), -1);
    assert_int_equal(load_two(jwk_of(RSA_A, "a", NULL), jwk_of(HMAC_A, "b", "HS256"), &all), -1);
    load(jwks_text(small_rsa(), NULL), &all, text, sizeof(text));
    assert_non_null(strstr(text, "keys[0]"));
    assert_non_null(strstr(text, "1024 bits"));
}

static void test_a_set_is_bounded_and_one_object_with_keys(void **state)
{
    static const char *const texts[] = {
        "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[],\"keys\":[]}", "null", "{\"keys\":"};
    const struct name_list all = ALL_ALGS;
    char message[600];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_int_equal(load(strdup(texts[i]), &all, message, sizeof(message)), -1);
    for (int count = JWKS_KEYS_MAX; count <= JWKS_KEYS_MAX + 1; count++) {
        json_t *root = json_pack("{s:[]}", "keys");

        for (int i = 0; i < count; i++)
            json_array_append_new(json_object_get(root, "keys"), jwk_of(P256_A, NULL, NULL));
        assert_int_equal(load(json_dumps(root, 0), &all, message, sizeof(message)),
                         count == JWKS_KEYS_MAX ? count : -1);
        json_decref(root);
    }
    /* those that would be skipped count as well */
    json_t *skipped = json_pack("{s:[]}", "keys");
    json_array_append_new(json_object_get(skipped, "keys"), jwk_of(P256_A, NULL, NULL));
    for (int i = 0; i < JWKS_KEYS_MAX; i++)
        json_array_append_new(json_object_get(skipped, "keys"), json_object());
    assert_int_equal(load(json_dumps(skipped, 0), &all, message, sizeof(message)), -1);
    json_decref(skipped);
    size_t size = JWKS_MAX + 1;
    char *large = malloc(size + 1);
    char *good = jwks_text(jwk_of(P256_A, NULL, NULL), NULL);
    memset(large, ' ', size);
    memcpy(large, good, strlen(good));
    large[size] = '\0';
    assert_int_equal(load(strdup(large), &all, message, sizeof(message)), -1);
    large[size - 1] = '\0';
    assert_int_equal(load(large, &all, message, sizeof(message)), 1);
    free(good);
}

static char *certificate_of(EVP_PKEY *pkey)
{
    X509 *certificate = certificate_make(pkey, "test", NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;

    PEM_write_bio_X509(bio, certificate);
    long len = BIO_get_mem_data(bio, &data);
    char *text = text_copy(data, (size_t)len);
    BIO_free(bio);
    X509_free(certificate);
    return text;
}

static void test_pem_may_be_a_public_key_or_a_certificate_and_nothing_else(void **state)
{
    const struct name_list all = ALL_ALGS;
    struct err err = ERR_INIT;
    struct key_set *set = NULL;
    EVP_PKEY *weak = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    EVP_PKEY *odd = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
    char *texts[] = {pem_private(test_key(RSA_A)->pkey),
                     strdup("hello"),
                     strdup(""),
                     pem_public(weak),
                     pem_public(odd),
                     strdup("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")};
    char *certificate = certificate_of(test_key(RSA_A)->pkey);

    (void)state;
    assert_int_equal(key_set_from_pem(bytes_of(certificate), &all, "pem", &set, &err), 0);
    assert_true(check(set, JWS_PS384, RSA_A, "any"));
    assert_false(check(set, JWS_PS384, RSA_B, "any"));
    key_set_free(set);
    free(certificate);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        err = ERR_INIT;
        assert_int_equal(key_set_from_pem(bytes_of(texts[i]), &all, "pem", &set, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        free(texts[i]);
    }
    /* a key that none of the issuer's algorithms can use is a fault, not an empty set */
    const struct name_list es = NAMES("ES256");
    char *pem = pem_public(test_key(RSA_A)->pkey);
    assert_int_equal(key_set_from_pem(bytes_of(pem), &es, "pem", &set, &err), -1);
    free(pem);
    EVP_PKEY_free(weak);
    EVP_PKEY_free(odd);
}

static void test_secrets_are_at_least_32_bytes_and_a_final_newline_is_not_one(void **state)
{
    struct issuer_config issuer = {
        .issuer = "i", .algorithms = NAMES("HS256"), .key_source = KEY_SECRET_FILE};
    static const struct {
        const char *content;
        size_t len;
        bool good;
    } rows[] = {
        {"0123456789abcdef0123456789abcdef", 32, true},
        {"0123456789abcdef0123456789abcdef\n", 33, true},
        {"0123456789abcdef0123456789abcde\n", 32, false},
        {"0123456789abcdef0123456789abcde\r\n", 33, false},
        {"\x01"
         "123456789abcdef0123456789abcde\n",
         32, true}, /* not text: the newline is a byte like others */
        {"short", 5, false},
        {"", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *path = temp_file(rows[i].content, rows[i].len);
        struct err err = ERR_INIT;
        struct key_set *set = NULL;

        issuer.key_location = path;
        assert_int_equal(key_set_load(&issuer, &set, &err), rows[i].good ? 0 : -1);
        assert_null(strstr(err.message, "abcdef"));
        key_set_free(set);
        drop_file(path);
    }
}

static void test_files_that_cannot_be_keys_are_faults_with_their_path(void **state)
{
    static const char *const paths[] = {"/nonexistent/key", "/tmp", "/dev/zero"};
    static const enum key_source sources[] = {KEY_JWKS_FILE, KEY_PUBLIC_FILE, KEY_SECRET_FILE};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        for (size_t k = 0; k < COUNT_OF(sources); k++) {
            struct issuer_config issuer = {
                .issuer = "i", .algorithms = ALL_ALGS, .key_source = sources[k], .key_location = paths[i]};
            struct err err = ERR_INIT;
            struct key_set *set = NULL;

            assert_int_equal(key_set_load(&issuer, &set, &err), -1);
            assert_int_equal(err.code, ERR_CONFIG);
            assert_non_null(strstr(err.message, paths[i]));
        }
    }
    struct issuer_config url = {
        .issuer = "i", .algorithms = ALL_ALGS, .key_source = KEY_JWKS_URL, .key_location = "https://x"};
    struct err err = ERR_INIT;
    struct key_set *set = NULL;
    assert_int_equal(key_set_load(&url, &set, &err), -1); /* a url's are fetched: jwks_url.h */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_of_jwk_verifies_what_its_private_half_signed),
        cmocka_unit_test(test_a_jwk_with_alg_serves_that_one_only_when_the_issuer_lists_it),
        cmocka_unit_test(test_an_rsa_jwk_without_alg_never_serves_hmac),
        cmocka_unit_test(test_keys_that_are_not_for_this_are_skipped),
        cmocka_unit_test(test_broken_weak_and_private_keys_refuse_the_whole_set),
        cmocka_unit_test(test_a_set_is_bounded_and_one_object_with_keys),
        cmocka_unit_test(test_pem_may_be_a_public_key_or_a_certificate_and_nothing_else),
        cmocka_unit_test(test_secrets_are_at_least_32_bytes_and_a_final_newline_is_not_one),
        cmocka_unit_test(test_files_that_cannot_be_keys_are_faults_with_their_path),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    test_keys_free();
    return failed;
}
