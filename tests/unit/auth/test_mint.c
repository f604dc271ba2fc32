#include "tests/unit/auth/verifier_room.h"

#include "auth/mint.h"
#include "base/id.h"

static struct room room;
static const char *const roles[] = {"operator@production", "viewer"};

static struct mint_request request(void)
{
    return (struct mint_request){.subject = "a@x.org", .roles = roles, .role_count = 2};
}

/* Minted and accepted by the verifier; the caller frees the arena. */
static struct principal *accept(const char *token, struct arena *arena)
{
    struct err err = ERR_INIT;
    struct principal *principal = NULL;

    if (verifier_check(room.verifier, bytes_of(token), "a", arena, &principal, &err) < 0)
        fail_msg("%s", err.message);
    return principal;
}

static const char *mint(const struct issuer_config *issuer, const char *key_file,
                        const struct mint_request *asked, struct arena *arena, struct err *err)
{
    const char *token = NULL;

    return mint_token(issuer, IDENTITY_CLAIM, key_file, asked, arena, &token, err) < 0 ? NULL : token;
}

static json_t *payload_of(const char *token, struct arena *arena)
{
    struct err err = ERR_INIT;
    struct jws jws;

    assert_int_equal(jws_parse(bytes_of(token), arena, &jws, &err), 0);
    return (json_t *)jws.payload;
}

static void test_a_minted_token_is_accepted_for_each_kind_of_key(void **state)
{
    static const struct {
        size_t issuer;
        int key; /* -1: secret_file */
        const char *algorithm;
    } rows[] = {{2, -1, NULL}, {2, -1, "HS512"}, {0, RSA_A, NULL}, {0, RSA_A, "RS512"}, {3, P256_B, NULL}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_new(1 * MIB);
        struct err err = ERR_INIT;
        char *pem = rows[i].key < 0 ? NULL : pem_private(test_key((unsigned)rows[i].key)->pkey);
        char *path = pem ? temp_file(pem, strlen(pem)) : NULL;
        struct mint_request asked = request();

        asked.algorithm = rows[i].algorithm;
        const char *token = mint(&room.issuers[rows[i].issuer], path, &asked, arena, &err);
        if (!token)
            fail_msg("%s", err.message);
        struct principal *p = accept(token, arena);
        assert_string_equal(p->subject, "a@x.org");
        assert_string_equal(p->identity, "a@x.org");
        assert_int_equal(p->grant_count, room.issuers[rows[i].issuer].role_map ? 0 : 2);
        assert_false(p->mfa_by_token);
        assert_int_equal(p->auth_time_ms, 0);
        struct id id;
        assert_true(id_parse(bytes_of(p->token_id), &id));
        assert_int_equal(id.bytes[6] >> 4, 7);
        arena_free(arena);
        if (path)
            drop_file(path);
        free(pem);
    }
}

static void test_a_minted_token_lives_15_minutes_at_most_and_says_local(void **state)
{
    static const struct {
        int64_t asked_ms;
        int64_t got_s;
    } rows[] = {{0, 900}, {900000, 900}, {60000, 60}, {900001, -1}, {3600000, -1}, {-1, -1}, {999, -1}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_new(1 * MIB);
        struct err err = ERR_INIT;
        struct mint_request asked = request();

        asked.lifetime_ms = rows[i].asked_ms;
        const char *token = mint(&room.issuers[2], NULL, &asked, arena, &err);
        assert_int_equal(token == NULL, rows[i].got_s < 0);
        if (token) {
            json_t *payload = payload_of(token, arena);
            json_int_t iat = json_integer_value(json_object_get(payload, "iat"));

            assert_int_equal(iat, NOW_S);
            assert_int_equal(json_integer_value(json_object_get(payload, "exp")) - iat, rows[i].got_s);
            assert_int_equal(json_array_size(json_object_get(payload, "amr")), 1);
            assert_string_equal(json_string_value(json_array_get(json_object_get(payload, "amr"), 0)),
                                "local");
            assert_null(json_object_get(payload, "auth_time"));
            assert_null(json_object_get(payload, "acr"));
        } else {
            assert_int_equal(err.code, ERR_LIMIT_EXCEEDED);
        }
        arena_free(arena);
    }
}

static void test_mfa_is_claimed_only_when_asked_and_when_the_issuer_takes_it(void **state)
{
    struct arena *arena = arena_new(1 * MIB);
    struct err err = ERR_INIT;
    struct mint_request asked = request();
    char *pem = pem_private(test_key(RSA_A)->pkey);
    char *path = temp_file(pem, strlen(pem));

    (void)state;
    asked.mfa = true;
    struct principal *p = accept(mint(&room.issuers[0], path, &asked, arena, &err), arena);
    assert_true(p->mfa_by_token);
    assert_int_equal(p->auth_time_ms, NOW_S * 1000);
    struct issuer_config amr_only = room.issuers[0];
    amr_only.mfa_acr_values = (struct name_list){0};
    p = accept(mint(&amr_only, path, &asked, arena, &err), arena);
    assert_true(p->mfa_by_token);
    assert_null(mint(&room.issuers[2], NULL, &asked, arena, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED_HERE);
    drop_file(path);
    free(pem);
    arena_free(arena);
}

static void test_roles_go_where_the_issuer_looks_for_them(void **state)
{
    static const char *const groups[] = {"devs", "backup-admins"};
    struct arena *arena = arena_new(1 * MIB);
    struct err err = ERR_INIT;
    struct mint_request asked = {
        .subject = "s", .identity = "other@x.org", .roles = groups, .role_count = 2, .kid = "e1"};
    char *pem = pem_private(test_key(P256_B)->pkey);
    const char *token;

    (void)state;
    assert_int_equal(
        mint_token_with(&room.issuers[3], IDENTITY_CLAIM, bytes_of(pem), false, &asked, arena, &token, &err),
        0);
    struct principal *p = accept(token, arena);
    assert_int_equal(p->grant_count, 3);
    assert_string_equal(p->identity, "other@x.org");
    free(pem);
    arena_free(arena);
}

static void test_what_cannot_be_minted_is_said(void **state)
{
    struct arena *arena = arena_new(1 * MIB);
    struct mint_request asked = request();
    char *ed = pem_private(test_key(ED_A)->pkey);
    char *p384 = pem_private(test_key(P384_A)->pkey);
    char *public = pem_public(test_key(RSA_A)->pkey);
    struct issuer_config es256 = room.issuers[0];
    const struct name_list only = NAMES("ES256");
    const struct {
        const struct issuer_config *issuer;
        const char *key;
        bool hmac;
        enum err_code code;
    } rows[] = {
        {&room.issuers[0], ed, false, ERR_UNSUPPORTED_HERE},
        {&es256, p384, false, ERR_UNSUPPORTED_HERE},
        {&room.issuers[0], public, false, ERR_CONFIG},
        {&room.issuers[0], "", false, ERR_CONFIG},
        {&room.issuers[2], "short", true, ERR_CONFIG},
        {&es256, "0123456789abcdef0123456789abcdef", true, ERR_UNSUPPORTED_HERE},
    };
    const char *token = NULL;

    (void)state;
    es256.algorithms = only;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(mint_token_with(rows[i].issuer, "sub", bytes_of(rows[i].key), rows[i].hmac, &asked,
                                         arena, &token, &err),
                         -1);
        if (err.code != rows[i].code)
            fail_msg("row %zu: %s", i, err.message);
        assert_null(token);
    }
    struct err err = ERR_INIT;
    struct issuer_config at_only = room.issuers[2]; /* libjwt writes no other typ than JWT */
    const struct name_list at = NAMES("at+jwt");
    at_only.types = at;
    assert_null(mint(&at_only, NULL, &asked, arena, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED_HERE);
    err = ERR_INIT;
    asked.subject = "";
    assert_null(mint(&room.issuers[2], NULL, &asked, arena, &err));
    assert_int_equal(err.code, ERR_INVALID_BODY);
    err = ERR_INIT;
    asked.subject = "bad\xff";
    assert_null(mint(&room.issuers[2], NULL, &asked, arena, &err));
    assert_int_equal(err.code, ERR_INVALID_BODY);
    err = ERR_INIT;
    asked.subject = "a";
    asked.roles = (const char *const[]){"viewer", "bad\xff"};
    assert_null(mint(&room.issuers[2], NULL, &asked, arena, &err)); /* and not: minted without that role */
    assert_int_equal(err.code, ERR_INVALID_BODY);
    err = ERR_INIT;
    asked.roles = roles;
    assert_null(mint(&room.issuers[0], NULL, &asked, arena, &err)); /* it has no secret_file */
    assert_int_equal(err.code, ERR_UNSUPPORTED_HERE);
    free(ed), free(p384), free(public);
    arena_free(arena);
}

static void test_mfa_that_another_claim_stands_in_the_way_of_is_not_minted_without(void **state)
{
    struct arena *arena = arena_new(1 * MIB);
    struct err err = ERR_INIT;
    struct mint_request asked = request();
    struct issuer_config amr_only = room.issuers[0];
    char *pem = pem_private(test_key(RSA_A)->pkey);
    const char *token = NULL;

    (void)state;
    asked.mfa = true;
    amr_only.mfa_acr_values = (struct name_list){0};
    assert_int_equal(mint_token_with(&amr_only, "amr", bytes_of(pem), false, &asked, arena, &token, &err),
                     -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED_HERE);
    free(pem);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_minted_token_is_accepted_for_each_kind_of_key),
        cmocka_unit_test(test_a_minted_token_lives_15_minutes_at_most_and_says_local),
        cmocka_unit_test(test_mfa_is_claimed_only_when_asked_and_when_the_issuer_takes_it),
        cmocka_unit_test(test_roles_go_where_the_issuer_looks_for_them),
        cmocka_unit_test(test_what_cannot_be_minted_is_said),
        cmocka_unit_test(test_mfa_that_another_claim_stands_in_the_way_of_is_not_minted_without),
    };
    room_open(&room);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    room_close(&room);
    test_keys_free();
    return failed;
}
