#include "tests/unit/auth/verifier_room.h"

#include <jwt.h>

static struct room room;

static json_t *good(void)
{
    return room_claims("https://rsa");
}

static char *good_text(void)
{
    json_t *claims = good();
    char *text = json_dumps(claims, JSON_COMPACT);

    json_decref(claims);
    return text;
}

static json_t *with(json_t *claims, const char *name, json_t *value)
{
    json_object_set_new(claims, name, value);
    return claims;
}

static json_t *without(json_t *claims, const char *name)
{
    json_object_del(claims, name);
    return claims;
}

static void expect(json_t *claims, const char *reason)
{
    char *text = json_dumps(claims, JSON_COMPACT);
    const char *got = room_judge(&room, claims);

    if (strcmp(got, reason) != 0)
        fail_msg("%s: %s instead of %s", text, got, reason);
    free(text);
}

/* The principal of a token; the caller frees the arena. */
static struct principal *principal_of(char *token, struct arena *arena)
{
    struct err err = ERR_INIT;
    struct principal *principal = NULL;

    if (verifier_check(room.verifier, bytes_of(token), "192.0.2.1", arena, &principal, &err) < 0)
        fail_msg("%s", err.message);
    free(token); /* nothing of the principal may lie in it */
    return principal;
}

static void test_a_good_token_makes_the_principal_that_it_names(void **state)
{
    (void)state;
    for (int pass = 0; pass < 2; pass++) { /* checked, then from the cache */
        struct arena *arena = arena_new(1 * MIB);
        struct principal *p =
            principal_of(room_token(with(good(), "jti", json_string("t-0")), JWS_RS256, ""), arena);

        assert_string_equal(p->issuer, "https://rsa");
        assert_string_equal(p->subject, "u-1");
        assert_string_equal(p->identity, "a@x.org");
        assert_string_equal(p->token_id, "t-0");
        assert_string_equal(p->address, "192.0.2.1");
        assert_string_equal(p->channel, "rest");
        assert_int_equal(p->grant_count, 2);
        assert_true(principal_may(p, ROLE_OPERATOR, "production"));
        assert_false(principal_may(p, ROLE_ADMIN, "production"));
        assert_false(principal_may(p, ROLE_OPERATOR, "staging"));
        assert_true(principal_may(p, ROLE_AUDITOR, "*"));
        assert_false(p->mfa_by_token);
        assert_int_equal(p->auth_time_ms, 0);
        assert_int_equal(p->mfa_max_age_ms, 300000);
        arena_free(arena);
    }
}

static void test_every_probe_that_libjwt_gets_wrong_is_answered_right(void **state)
{
    /* REFERENCE.md section 2.1, row by row */
    static const struct {
        const char *header;
        enum jws_alg alg;
        const char *reason;
    } rows[] = {
        {"{\"alg\":\"none\"}", JWS_RS256, "algorithm"},
        {"{\"alg\":\"HS256\"}", JWS_RS256, "key"},
        {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", JWS_RS256, "ok"},
        {"{\"alg\":\"RS256\",\"typ\":\"application/AT+JWT\"}", JWS_RS256, "ok"},
        {"{\"alg\":\"RS256\",\"typ\":\"jwt\"}", JWS_RS256, "ok"},
        {"{\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}", JWS_RS256, "type"},
        {"{\"alg\":\"RS256\",\"crit\":[\"x\"],\"x\":1}", JWS_RS256, "header"},
        {"{\"alg\":\"rs256\"}", JWS_RS256, "algorithm"},
        {"{\"alg\":\"RS256\"}", JWS_RS384, "signature"},
        {"{\"alg\":\"PS256\"}", JWS_RS256, "signature"},
        {"{\"alg\":\"ES256\"}", JWS_ES384, "key"}, /* the curve is the key's */
    };
    char *payload = good_text();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *token = sign_token(rows[i].alg, test_key(key_for(rows[i].alg)), rows[i].header, payload,
                                 (struct sign_options){0});

        if (strcmp(room_check(&room, token), rows[i].reason) != 0)
            fail_msg("%s: %s", rows[i].header, room_check(&room, token));
        free(token);
    }
    /* a signature of nothing, or of garbage; alg none with no signature at all */
    char *token = room_token(good(), JWS_RS256, "");
    *strrchr(token, '.') = '\0';
    char *bare = NULL;
    assert_true(asprintf(&bare, "%s.", token) > 0);
    assert_string_equal(room_check(&room, bare), "malformed");
    free(bare);
    assert_true(asprintf(&bare, "%s.AAAA", token) > 0);
    assert_string_equal(room_check(&room, bare), "signature");
    free(bare);
    free(token);
    /* twice the same claim */
    assert_true(asprintf(&token, "%.*s,\"sub\":\"root\"}", (int)strlen(payload) - 1, payload) > 0);
    char *twice = plain_token(JWS_RS256, RSA_A, token);
    assert_string_equal(room_check(&room, twice), "payload");
    free(twice);
    free(token);
    free(payload);
}

static void test_the_public_pem_is_no_hmac_secret(void **state)
{
    /* HS256 over the bytes of the PEM that the server holds as a public key */
    char *pem = pem_public(test_key(RSA_A)->pkey);
    char *payload = good_text();
    char *h = b64("{\"alg\":\"HS256\"}", 15);
    char *p = b64(payload, strlen(payload));
    char *text = NULL, *token = NULL;
    uint8_t mac[64];
    unsigned len;

    (void)state;
    assert_true(asprintf(&text, "%s.%s", h, p) > 0);
    HMAC(EVP_sha256(), pem, (int)strlen(pem), (uint8_t *)text, strlen(text), mac, &len);
    char *s = b64(mac, len);
    assert_true(asprintf(&token, "%s.%s", text, s) > 0);
    assert_string_equal(room_check(&room, token), "key");
    free(s), free(token), free(text), free(h), free(p), free(payload), free(pem);
}

static void test_each_claim_that_is_wrong_is_named(void **state)
{
    (void)state;
    expect(good(), "ok");
    expect(without(good(), "iss"), "issuer");
    expect(with(good(), "iss", json_string("https://rsa/")), "issuer");
    expect(with(good(), "iss", json_string("HTTPS://rsa")), "issuer");
    expect(with(good(), "iss", json_string("")), "issuer");
    expect(with(good(), "iss", json_stringn("https://rsa\0x", 13)), "payload");
    expect(with(good(), "iss", json_pack("[s]", "https://rsa")), "issuer");
    expect(with(good(), "iss", json_string("https://map")), "type"); /* its list has only at+jwt */
    expect(with(good(), "iss", json_string("https://hs")), "key");
    expect(without(good(), "aud"), "audience");
    expect(with(good(), "aud", json_string("other")), "audience");
    expect(with(good(), "aud", json_string("recoverd ")), "audience");
    expect(with(good(), "aud", json_stringn("recoverd\0", 9)), "payload");
    expect(with(good(), "aud", json_array()), "audience");
    expect(with(good(), "aud", json_pack("[s,i,n]", "other", 4)), "audience");
    expect(with(good(), "aud", json_pack("{s:s}", "recoverd", "recoverd")), "audience");
    expect(with(good(), "aud", json_pack("[s,s]", "other", "recoverd-two")), "ok");
    expect(without(good(), "sub"), "claims");
    expect(with(good(), "sub", json_string("")), "claims");
    expect(with(good(), "sub", json_integer(7)), "claims");
    expect(with(good(), "sub", json_string("a\nb")), "claims");
    expect(with(good(), "sub", json_stringn("a\0b", 3)), "payload");
    expect(without(good(), "email"), "claims");
    expect(with(good(), "email", json_string("")), "claims");
    expect(with(good(), "email", json_pack("[s]", "a@x.org")), "claims");
    expect(with(good(), "jti", json_integer(4)), "claims");
    expect(without(good(), "jti"), "ok");
    expect(with(good(), "auth_time", json_string("now")), "claims");
    expect(with(good(), "auth_time", json_integer(NOW_S + 61)), "claims");
    expect(with(good(), "auth_time", json_integer(NOW_S + 60)), "ok");
}

static void test_dates_are_judged_to_the_second(void **state)
{
    (void)state;
    expect(without(good(), "exp"), "claims");
    expect(with(good(), "exp", json_string("1900000600")), "claims");
    expect(with(good(), "exp", json_null()), "claims");
    expect(with(good(), "exp", json_true()), "claims");
    expect(with(good(), "exp", json_integer(-1)), "claims");
    expect(with(good(), "exp", json_real(1e300)), "claims");
    expect(with(good(), "exp", json_integer(INT64_MAX)), "claims");
    expect(with(good(), "exp", json_integer(1)), "expired");
    expect(with(good(), "exp", json_integer(NOW_S)), "expired");
    expect(with(good(), "exp", json_integer(NOW_S + 1)), "ok");
    expect(with(good(), "exp", json_real((double)NOW_S + 0.5)), "ok");
    expect(with(good(), "exp", json_real((double)NOW_S - 0.5)), "expired");
    expect(with(good(), "exp", json_real(1.9000006e9)), "ok");
    expect(with(good(), "nbf", json_integer(NOW_S + 60)), "ok");
    expect(with(good(), "nbf", json_integer(NOW_S + 61)), "not_yet_valid");
    expect(with(good(), "nbf", json_string("x")), "claims");
    expect(with(good(), "iat", json_integer(NOW_S + 60)), "ok");
    expect(with(good(), "iat", json_integer(NOW_S + 61)), "not_yet_valid");
    expect(with(good(), "iat", json_string("x")), "claims");
    /* the ceiling: exp - iat at most an hour */
    expect(with(with(good(), "iat", json_integer(NOW_S)), "exp", json_integer(NOW_S + 3600)), "ok");
    expect(with(with(good(), "iat", json_integer(NOW_S)), "exp", json_integer(NOW_S + 3601)), "lifetime");
    expect(with(with(good(), "iat", json_integer(NOW_S - 3600)), "exp", json_integer(NOW_S + 1)), "lifetime");
    expect(with(with(good(), "iat", json_integer(0)), "exp", json_integer(NOW_S + 1)), "lifetime");
    /* without iat: from now */
    expect(with(without(good(), "iat"), "exp", json_integer(NOW_S + 3600)), "ok");
    expect(with(without(good(), "iat"), "exp", json_integer(NOW_S + 3601)), "lifetime");
}

static size_t grants_of(json_t *claims, enum jws_alg alg, const char *header, struct arena *arena,
                        const struct grant **ret)
{
    struct principal *p = principal_of(room_token(claims, alg, header), arena);

    *ret = p->grants;
    return p->grant_count;
}

static void test_roles_come_from_one_claim_and_unknown_ones_give_no_right(void **state)
{
    static const struct {
        const char *roles;  /* JSON */
        const char *grants; /* what comes of it */
    } rows[] = {
        {"\"viewer operator@staging\"", "viewer@* operator@staging "},
        {"\"  viewer   viewer \"", "viewer@* "},
        {"[\"BackupAdministrator@production\",\"BackupAdministrator@production\"]",
         "BackupAdministrator@production "},
        {"[\"admin\",\"Viewer\",\"VIEWER\",\"any\",\"public\",\"unset\",\"viewer@\",\"@production\",\"@\","
         "\"\"]",
         ""},
        {"[\"viewer@a@b\",\"viewer \",\" viewer\",\"viewer@*\",7,null,[\"operator\"],{\"a\":1}]",
         "viewer@* "},
        {"[\"viewerx\",\"data_reader@x\"]", "data_reader@x "},
        {"[\"operator viewer\"]", ""},
        {"{\"operator\":true}", ""},
        {"true", ""},
        {"null", ""},
        {"[]", ""},
        {"\"\"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_new(1 * MIB);
        const struct grant *grants;
        size_t count = grants_of(
            with(good(), "roles", json_loads(rows[i].roles, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)),
            JWS_RS256, "", arena, &grants);
        char text[400] = "";

        for (size_t k = 0; k < count; k++)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s@%s ", role_name(grants[k].role),
                     grants[k].environment);
        assert_string_equal(text, rows[i].grants);
        arena_free(arena);
    }
    /* another claim gives nothing */
    struct arena *arena = arena_new(1 * MIB);
    const struct grant *grants;
    assert_int_equal(grants_of(with(without(good(), "roles"), "groups", json_pack("[s]", "operator")),
                               JWS_RS256, "", arena, &grants),
                     0);
    arena_free(arena);
}

static void test_more_grants_than_the_limit_are_left_out(void **state)
{
    struct arena *arena = arena_new(1 * MIB);
    const struct grant *grants;
    json_t *roles = json_array();

    (void)state;
    for (int i = 0; i < GRANTS_MAX + 10; i++)
        json_array_append_new(roles, json_sprintf("viewer@e%d", i));
    assert_int_equal(grants_of(with(good(), "roles", roles), JWS_RS256, "", arena, &grants), GRANTS_MAX);
    arena_free(arena);
}

static void test_a_role_map_is_the_only_way_when_there_is_one(void **state)
{
    static const struct {
        const char *roles;
        size_t count;
    } rows[] = {
        {"{\"a/b\":{\"roles\":[\"devs\"]}}", 2},
        {"{\"a/b\":{\"roles\":[\"devs\",\"backup-admins\",\"devs\"]}}", 3},
        {"{\"a/b\":{\"roles\":\"backup-admins x\"}}", 1},
        {"{\"a/b\":{\"roles\":[\"BackupAdministrator@production\",\"operator\"]}}", 0},
        {"{\"a/b\":{\"roles\":[\"devsx\",\"Devs\"]}}", 0},
        {"{\"a/b\":{\"other\":[\"devs\"]}}", 0},
        {"{\"a/b\":[\"devs\"]}", 0},
        {"{\"a\":{\"b\":{\"roles\":[\"devs\"]}}}", 0},
        {"[\"devs\"]", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_new(1 * MIB);
        const struct grant *grants;
        json_t *claims =
            with(room_claims("https://map"), "realm", json_loads(rows[i].roles, JSON_ALLOW_NUL, NULL));

        assert_int_equal(grants_of(claims, JWS_ES256, ",\"kid\":\"e1\",\"typ\":\"at+jwt\"", arena, &grants),
                         rows[i].count);
        arena_free(arena);
    }
}

static bool mfa_of(json_t *claims)
{
    struct arena *arena = arena_new(1 * MIB);
    struct principal *p = principal_of(room_token(claims, JWS_RS256, ""), arena);
    bool mfa = p->mfa_by_token && principal_mfa_fresh(p, room_now_ms);

    arena_free(arena);
    return mfa;
}

static void test_mfa_needs_an_accepted_value_and_a_recent_auth_time(void **state)
{
    (void)state;
    json_int_t recent = NOW_S - 100;

    assert_true(mfa_of(with(with(good(), "acr", json_string("urn:mfa")), "auth_time", json_integer(recent))));
    assert_true(mfa_of(
        with(with(good(), "amr", json_pack("[s,s]", "pwd", "hwk")), "auth_time", json_integer(recent))));
    assert_false(
        mfa_of(with(with(good(), "acr", json_string("urn:MFA")), "auth_time", json_integer(recent))));
    assert_false(
        mfa_of(with(with(good(), "acr", json_pack("[s]", "urn:mfa")), "auth_time", json_integer(recent))));
    assert_false(mfa_of(with(with(good(), "acr", json_string("otp")), "auth_time", json_integer(recent))));
    assert_false(
        mfa_of(with(with(good(), "amr", json_pack("[s]", "urn:mfa")), "auth_time", json_integer(recent))));
    assert_false(
        mfa_of(with(with(good(), "amr", json_pack("[s]", "mfa")), "auth_time", json_integer(recent))));
    assert_false(mfa_of(with(good(), "acr", json_string("urn:mfa"))));
    assert_false(
        mfa_of(with(with(good(), "acr", json_string("urn:mfa")), "auth_time", json_integer(NOW_S - 361))));
    assert_false(mfa_of(with(good(), "auth_time", json_integer(recent))));
    /* an issuer without mfa never satisfies it */
    struct arena *arena = arena_new(1 * MIB);
    struct principal *p =
        principal_of(room_token(with(with(room_claims("https://hs"), "acr", json_string("urn:mfa")),
                                     "auth_time", json_integer(recent)),
                                JWS_HS256, ""),
                     arena);
    assert_false(p->mfa_by_token);
    arena_free(arena);
}

static void test_a_token_is_checked_with_its_issuers_keys_alone(void **state)
{
    static const char at[] = ",\"typ\":\"at+jwt\"";
    char *token = room_token(room_claims("https://map"), JWS_ES256, ",\"kid\":\"e1\",\"typ\":\"at+jwt\"");

    (void)state;
    assert_string_equal(room_check(&room, token), "ok");
    free(token);
    token = room_token(room_claims("https://map"), JWS_ES256,
                       ",\"kid\":\"e2\",\"typ\":\"at+jwt\""); /* the other's kid */
    assert_string_equal(room_check(&room, token), "signature");
    free(token);
    token = room_token(room_claims("https://map"), JWS_ES256, ",\"kid\":\"e3\",\"typ\":\"at+jwt\"");
    assert_string_equal(room_check(&room, token), "key");
    free(token);
    token = room_token(room_claims("https://map"), JWS_ES256, at); /* no kid: each key is tried */
    assert_string_equal(room_check(&room, token), "ok");
    free(token);
    token = room_token(room_claims("https://ed"), JWS_EDDSA, at);
    assert_string_equal(room_check(&room, token), "ok");
    free(token);
    /* a key of one issuer signs for no other */
    token = room_token(room_claims("https://map"), JWS_EDDSA, at);
    assert_string_equal(room_check(&room, token), "key");
    free(token);
    token = room_token(room_claims("https://hs"), JWS_RS256, "");
    assert_string_equal(room_check(&room, token), "key");
    free(token);
}

static void test_messages_never_hold_a_part_of_the_token(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"SECRETVALUE\"}",
                                          "{\"alg\":\"RS256\",\"kid\":[\"SECRETVALUE\"]}",
                                          "{\"alg\":\"RS256\",\"SECRETVALUE\":1,\"SECRETVALUE\":2}",
                                          "{\"alg\":\"RS256\",\"typ\":\"SECRETVALUE\"}", "SECRETVALUE"};
    static const char *const payloads[] = {"{\"iss\":\"SECRETVALUE\"}",
                                           "{\"SECRETVALUE\":1,\"SECRETVALUE\":1}", "SECRETVALUE",
                                           "{\"iss\":\"https://rsa\",\"exp\":\"SECRETVALUE\"}"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(headers) + COUNT_OF(payloads); i++) {
        const char *header = i < COUNT_OF(headers) ? headers[i] : "{\"alg\":\"RS256\"}";
        const char *payload =
            i < COUNT_OF(headers) ? "{\"iss\":\"https://rsa\"}" : payloads[i - COUNT_OF(headers)];
        char *token = sign_token(JWS_RS256, test_key(RSA_A), header, payload, (struct sign_options){0});
        struct arena *arena = arena_new(1 * MIB);
        struct err err = ERR_INIT;
        struct principal *principal = NULL;

        assert_int_equal(verifier_check(room.verifier, bytes_of(token), "a", arena, &principal, &err), -1);
        assert_int_equal(err.code, ERR_INVALID_TOKEN);
        assert_null(strstr(err.message, "SECRETVALUE"));
        assert_string_equal(err.pointer, "");
        arena_free(arena);
        free(token);
    }
}

/* -- the cache -- */

static void test_a_cached_token_ends_at_its_exp(void **state)
{
    struct room own;
    char *token;

    (void)state;
    room_open(&own);
    token = room_token(room_claims("https://rsa"), JWS_RS256, "");
    assert_string_equal(room_check(&own, token), "ok");
    assert_int_equal(verifier_cached(own.verifier), 1);
    assert_string_equal(room_check(&own, token), "ok");
    room_now_ms = (NOW_S + 600) * 1000 - 1;
    assert_string_equal(room_check(&own, token), "ok");
    room_now_ms = (NOW_S + 600) * 1000;
    assert_string_equal(room_check(&own, token), "expired");
    assert_int_equal(verifier_cached(own.verifier), 0);
    /* and before its window, should the clock be set back */
    room_now_ms = NOW_S * 1000;
    assert_string_equal(room_check(&own, token), "ok");
    room_now_ms = (NOW_S - 10 - 61) * 1000;
    assert_string_equal(room_check(&own, token), "not_yet_valid");
    free(token);
    room_close(&own);
    room_now_ms = NOW_S * 1000;
}

static void test_the_cache_knows_the_whole_token_and_only_good_ones(void **state)
{
    struct room own;

    (void)state;
    room_open(&own);
    char *token = room_token(room_claims("https://rsa"), JWS_RS256, "");
    assert_string_equal(room_check(&own, token), "ok");
    for (size_t bit = 0; bit < 8 * strlen(token); bit += 3) {
        token[bit / 8] = (char)(token[bit / 8] ^ (1 << (bit % 8)));
        if (token[bit / 8])
            assert_string_not_equal(room_check(&own, token), "ok");
        token[bit / 8] = (char)(token[bit / 8] ^ (1 << (bit % 8)));
    }
    assert_int_equal(verifier_cached(own.verifier), 1);
    free(token);
    room_close(&own);
}

static void test_the_cache_is_bounded_and_a_new_verifier_starts_empty(void **state)
{
    struct room own;

    (void)state;
    room_open(&own);
    for (int i = 0; i < 3 * TOKEN_CACHE_MAX; i++) {
        char *token =
            room_token(with(room_claims("https://hs"), "jti", json_sprintf("t%d", i)), JWS_HS256, "");

        assert_string_equal(room_check(&own, token), "ok");
        free(token);
    }
    assert_in_range(verifier_cached(own.verifier), TOKEN_CACHE_MAX / 2, TOKEN_CACHE_MAX);
    struct verifier *next = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(verifier_new(&own.config, NULL, &next, &err), 0);
    assert_int_equal(verifier_cached(next), 0);
    verifier_release(next);
    room_close(&own);
}

static void test_a_principal_outlives_the_verifier_that_made_it(void **state)
{
    struct room own;
    struct arena *arenas[2] = {arena_new(1 * MIB), arena_new(1 * MIB)};
    struct principal *principals[2];
    struct err err = ERR_INIT;

    (void)state;
    room_open(&own);
    char *token = room_token(room_claims("https://rsa"), JWS_RS256, "");
    for (int i = 0; i < 2; i++)
        assert_int_equal(verifier_check(own.verifier, bytes_of(token), "a", arenas[i], &principals[i], &err),
                         0);
    free(token);
    room_close(&own);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(principals[i]->issuer, "https://rsa");
        assert_string_equal(principals[i]->grants[0].environment, "production");
        arena_free(arenas[i]);
    }
}

static void test_one_bad_issuer_makes_no_verifier(void **state)
{
    struct room own;
    struct verifier *verifier = NULL;
    struct err err = ERR_INIT;

    (void)state;
    room_open(&own);
    own.issuers[4].key_location = "/nonexistent";
    assert_int_equal(verifier_new(&own.config, NULL, &verifier, &err), -1);
    assert_null(verifier);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.message, "https://ed"));
    assert_non_null(strstr(err.message, "/nonexistent"));
    room_close(&own);
}

/* -- the oracle -- */

static void test_libjwt_agrees_on_what_both_accept(void **state)
{
    static const struct {
        enum jws_alg alg;
        jwt_alg_t theirs;
    } algs[] = {{JWS_RS256, JWT_ALG_RS256}, {JWS_RS384, JWT_ALG_RS384}, {JWS_RS512, JWT_ALG_RS512},
                {JWS_ES256, JWT_ALG_ES256}, {JWS_ES384, JWT_ALG_ES384}, {JWS_ES512, JWT_ALG_ES512},
                {JWS_HS256, JWT_ALG_HS256}, {JWS_HS384, JWT_ALG_HS384}, {JWS_HS512, JWT_ALG_HS512}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(algs) * 20; i++) {
        enum jws_alg alg = algs[i % COUNT_OF(algs)].alg;
        enum key_name name = key_for(alg);
        bool hmac = name == HMAC_A;
        char *private_pem = hmac ? NULL : pem_private(test_key(name)->pkey);
        char *public_pem = hmac ? NULL : pem_public(test_key(name)->pkey);
        const unsigned char *signing = hmac ? test_key(name)->secret : (unsigned char *)private_pem;
        const unsigned char *checking = hmac ? test_key(name)->secret : (unsigned char *)public_pem;
        struct key_set *set = set_of(name);
        struct arena *arena = arena_new(1 * MIB);
        struct err err = ERR_INIT;
        struct jws jws;
        size_t index = 0;
        jwt_t *jwt = NULL;

        /* theirs is accepted here */
        assert_int_equal(jwt_new(&jwt), 0);
        jwt_add_grant(jwt, "sub", "someone");
        jwt_add_grant_int(jwt, "n", random());
        assert_int_equal(
            jwt_set_alg(jwt, algs[i % COUNT_OF(algs)].theirs, signing, hmac ? 64 : (int)strlen(private_pem)),
            0);
        char *token = jwt_encode_str(jwt);
        assert_int_equal(jws_parse(bytes_of(token), arena, &jws, &err), 0);
        assert_int_equal(jws.alg, alg);
        assert_true(jws_verify(&jws, key_set_next(set, alg, NULL, &index)));
        assert_int_equal(json_integer_value(json_object_get(jws.payload, "n")), jwt_get_grant_int(jwt, "n"));
        free(token);
        jwt_free(jwt);
        /* ours is accepted there */
        token = plain_token(alg, name, "{\"sub\":\"x\"}");
        assert_int_equal(jwt_decode(&jwt, token, checking, hmac ? 64 : (int)strlen(public_pem)), 0);
        assert_string_equal(jwt_get_grant(jwt, "sub"), "x");
        jwt_free(jwt);
        free(token);
        free(private_pem);
        free(public_pem);
        key_set_free(set);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_token_makes_the_principal_that_it_names),
        cmocka_unit_test(test_every_probe_that_libjwt_gets_wrong_is_answered_right),
        cmocka_unit_test(test_the_public_pem_is_no_hmac_secret),
        cmocka_unit_test(test_each_claim_that_is_wrong_is_named),
        cmocka_unit_test(test_dates_are_judged_to_the_second),
        cmocka_unit_test(test_roles_come_from_one_claim_and_unknown_ones_give_no_right),
        cmocka_unit_test(test_more_grants_than_the_limit_are_left_out),
        cmocka_unit_test(test_a_role_map_is_the_only_way_when_there_is_one),
        cmocka_unit_test(test_mfa_needs_an_accepted_value_and_a_recent_auth_time),
        cmocka_unit_test(test_a_token_is_checked_with_its_issuers_keys_alone),
        cmocka_unit_test(test_messages_never_hold_a_part_of_the_token),
        cmocka_unit_test(test_a_cached_token_ends_at_its_exp),
        cmocka_unit_test(test_the_cache_knows_the_whole_token_and_only_good_ones),
        cmocka_unit_test(test_the_cache_is_bounded_and_a_new_verifier_starts_empty),
        cmocka_unit_test(test_a_principal_outlives_the_verifier_that_made_it),
        cmocka_unit_test(test_one_bad_issuer_makes_no_verifier),
        cmocka_unit_test(test_libjwt_agrees_on_what_both_accept),
    };
    room_open(&room);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    room_close(&room);
    test_keys_free();
    return failed;
}
