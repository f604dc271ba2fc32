/* The claims of a token whose signature holds. Whoever is let in has a name, a grant that the issuer's map
 * gives, and a token that is valid now; it names this server, and is no older than its issuer allows. */
#include "tests/fuzz/fuzz.h"

#include "auth/claims.h"
#include "base/json.h"

static const char *const audiences[] = {"recoverd"};
static const char *const methods[] = {"mfa", "hwk"};
static const struct grant grants[] = {{ROLE_OPERATOR, "orders"}, {ROLE_VIEWER, "*"}};
static const struct role_mapping map[] = {{"ops", grants, 2}};

static bool names_us(const json_t *aud)
{
    const json_t *one;
    size_t i;

    if (json_is_string(aud))
        return str_is(json_string_value(aud), audiences[0]);
    json_array_foreach(aud, i, one)
        if (str_is(json_string_value(one), audiences[0]))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct json_limits limits = {.max_depth = CLAIM_DEPTH};
    struct input in = {data, size};
    unsigned how = input_byte(&in);
    struct issuer_config issuer = {.issuer = "https://idp",
                                   .audiences = {audiences, 1},
                                   .max_lifetime_ms = 3600000,
                                   .roles_claim = how & 1 ? "/realm/roles" : "roles",
                                   .mfa = (how & 2) != 0,
                                   .mfa_amr_values = {methods, 2},
                                   .mfa_max_age_ms = 300000};
    const int64_t now = 1700000000000;
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    json_auto_t *payload = NULL;
    struct principal principal;
    struct claims_window window;
    struct err err = ERR_INIT;

    if (how & 4) {
        issuer.role_map = map;
        issuer.role_map_count = 1;
    }
    if (json_parse(input_rest(&in), &limits, &payload, &err) < 0 || !json_is_object(payload))
        return 0;
    int rc =
        claims_check(payload, &issuer, how & 8 ? "/user/mail" : "sub", now, arena, &principal, &window, &err);
    judge(rc, &err);
    if (rc < 0) {
        HOLDS(err.code == ERR_INVALID_TOKEN || err.code == ERR_NO_MEMORY);
        return 0;
    }
    HOLDS(principal.subject && principal.subject[0] && principal.identity && principal.identity[0]);
    HOLDS(names_us(json_object_get(payload, "aud")));
    HOLDS(window.from_ms <= now && now < window.until_ms &&
          window.until_ms <= now + 3600000 + 2 * JWT_SKEW_MS);
    HOLDS(principal.grant_count <= GRANTS_MAX);
    for (size_t i = 0; i < principal.grant_count; i++) {
        HOLDS(principal.grants[i].role > ROLE_ANY && principal.grants[i].environment[0]);
        HOLDS(!(how & 4) || principal.grants[i].role == ROLE_OPERATOR ||
              principal.grants[i].role == ROLE_VIEWER);
    }
    HOLDS(!principal.mfa_by_token || issuer.mfa);
    HOLDS(!principal_mfa_fresh(&principal, now) || json_object_get(payload, "auth_time"));
    return 0;
}
