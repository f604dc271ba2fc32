/* A verifier with five issuers and a clock that the test sets: the process has it from the first room on. */
#pragma once
#include "tests/unit/auth/token_maker.h"

#include <stdatomic.h>

#define NOW_S 1900000000LL
#define IDENTITY_CLAIM "email"

static _Atomic int64_t room_now_ms = NOW_S * 1000;

static inline int64_t room_wall(void)
{
    return room_now_ms;
}

#define STATIC_NAMES(name, ...)                                                                              \
    static const char *const name##_words[] = {__VA_ARGS__};                                                 \
    static const struct name_list name = {name##_words, COUNT_OF(name##_words)}

struct room {
    struct issuer_config issuers[5];
    struct config config;
    char *files[5];
    struct verifier *verifier;
};

static const struct grant room_admin[] = {{ROLE_ADMIN, "production"}};
static const struct grant room_devs[] = {{ROLE_OPERATOR, "production"}, {ROLE_VIEWER, "*"}};
static const struct role_mapping room_map[] = {{"backup-admins", room_admin, 1}, {"devs", room_devs, 2}};

static inline char *room_jwks(void)
{
    char *text = jwks_text(jwk_of(P256_A, "e1", NULL), jwk_of(P256_B, "e2", "ES256"));
    char *path = temp_file(text, strlen(text));

    free(text);
    return path;
}

static inline char *room_pem(enum key_name name)
{
    char *text = pem_public(test_key(name)->pkey);
    char *path = temp_file(text, strlen(text));

    free(text);
    return path;
}

static inline void room_open(struct room *room)
{
    STATIC_NAMES(audiences, "recoverd", "recoverd-two");
    STATIC_NAMES(acr_values, "urn:mfa");
    STATIC_NAMES(amr_values, "otp", "hwk");
    STATIC_NAMES(types, "at+jwt");
    STATIC_NAMES(algorithms, "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
                 "EdDSA", "HS256", "HS384", "HS512");
    struct err err = ERR_INIT;

    *room = (struct room){0};
    clock_replace(room_wall, room_wall);
    room_now_ms = NOW_S * 1000;
    room->files[0] = room_pem(RSA_A);
    room->files[1] = room_jwks();
    room->files[2] = temp_file(test_key(HMAC_A)->secret, 64);
    room->files[3] = room_pem(P256_B);
    room->files[4] = room_pem(ED_A);
    const struct issuer_config common = {
        .audiences = audiences,
        .max_lifetime_ms = 3600 * 1000,
        .mfa = true,
        .mfa_acr_values = acr_values,
        .mfa_amr_values = amr_values,
        .mfa_max_age_ms = 300000,
    };
    static const char *const names[] = {"https://rsa", "https://map", "https://hs", "https://ec",
                                        "https://ed"};
    static const enum key_source sources[] = {KEY_PUBLIC_FILE, KEY_JWKS_FILE, KEY_SECRET_FILE,
                                              KEY_PUBLIC_FILE, KEY_PUBLIC_FILE};
    for (size_t i = 0; i < 5; i++) {
        room->issuers[i] = common;
        room->issuers[i].issuer = names[i];
        room->issuers[i].key_source = sources[i];
        room->issuers[i].key_location = room->files[i];
        room->issuers[i].algorithms = algorithms;
        room->issuers[i].roles_claim = "roles";
    }
    room->issuers[1].roles_claim = "/realm/a~1b/roles";
    room->issuers[3].roles_claim = "/realm/a~1b/roles";
    room->issuers[3].role_map = room_map;
    room->issuers[3].role_map_count = 2;
    room->issuers[1].role_map = room_map;
    room->issuers[1].role_map_count = 2;
    room->issuers[1].types = types;
    room->issuers[2].mfa = false;
    room->config =
        (struct config){.identity_claim = IDENTITY_CLAIM, .issuers = room->issuers, .issuer_count = 5};
    if (verifier_new(&room->config, NULL, &room->verifier, &err) < 0)
        fail_msg("%s", err.message);
}

static inline void room_close(struct room *room)
{
    verifier_release(room->verifier);
    for (size_t i = 0; i < 5; i++)
        drop_file(room->files[i]);
}

/* Claims of a good token of this issuer; the test changes them. */
static inline json_t *room_claims(const char *issuer)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:[s, s]}", "iss", issuer, "aud", "recoverd", "sub",
                     "u-1", "email", "a@x.org", "iat", (json_int_t)NOW_S - 10, "exp", (json_int_t)NOW_S + 600,
                     "jti", "t-1", "roles", "operator@production", "auditor");
}

/* Takes the claims. */
static inline char *room_token(json_t *claims, enum jws_alg alg, const char *extra_header)
{
    char *payload = json_dumps(claims, JSON_COMPACT);
    char header[256];

    snprintf(header, sizeof(header), "{\"alg\":\"%s\"%s}", jws_alg_info(alg)->name, extra_header);
    char *token = sign_token(alg, test_key(key_for(alg)), header, payload, (struct sign_options){0});
    free(payload);
    json_decref(claims);
    return token;
}

/* "ok" or the reason. */
static inline const char *room_check(struct room *room, const char *token)
{
    struct arena *arena = arena_new(1 * MIB);
    struct err err = ERR_INIT;
    struct principal *principal = NULL;
    int rc = verifier_check(room->verifier, bytes_of(token), "192.0.2.1", arena, &principal, &err);

    if (rc == 0)
        assert_non_null(principal);
    else
        assert_null(principal);
    arena_free(arena);
    return rc == 0 ? "ok" : auth_failure_reason(&err);
}

static inline const char *room_judge(struct room *room, json_t *claims)
{
    char *token = room_token(claims, JWS_RS256, ",\"typ\":\"JWT\"");
    const char *reason = room_check(room, token);

    free(token);
    return reason;
}
