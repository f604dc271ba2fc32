#include "auth/claims.h"

#include <math.h>
#include <strings.h>

#include "auth/failure.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define DATE_MAX_S 253402300799LL /* 9999-12-31T23:59:59Z */

/* -- dates -- */

/* NumericDate (RFC 7519 2): seconds since 1970, integer or not. Returns 1, 0 when absent, -1 when it is none.
 */
static int read_date(const json_t *payload, const char *name, int64_t *ret_ms)
{
    const json_t *value = json_object_get(payload, name);

    if (!value)
        return 0;
    if (json_is_integer(value)) {
        json_int_t seconds = json_integer_value(value);

        if (seconds < 0 || seconds > DATE_MAX_S)
            return -1;
        *ret_ms = (int64_t)seconds * 1000;
        return 1;
    }
    double seconds = json_is_real(value) ? json_real_value(value) : -1;
    if (!(seconds >= 0 && seconds <= (double)DATE_MAX_S))
        return -1;
    *ret_ms = (int64_t)floor(seconds * 1000);
    return 1;
}

static int check_dates(const json_t *payload, int64_t max_lifetime_ms, int64_t now_ms,
                       struct claims_window *ret_window, struct err *err)
{
    int64_t exp = 0, nbf = 0, iat = 0;
    int has_nbf = read_date(payload, "nbf", &nbf);
    int has_iat = read_date(payload, "iat", &iat);

    if (read_date(payload, "exp", &exp) != 1)
        return auth_fail(err, AUTH_FAILURE_EXP);
    if (has_nbf < 0)
        return auth_fail(err, AUTH_FAILURE_NBF);
    if (has_iat < 0)
        return auth_fail(err, AUTH_FAILURE_IAT);
    if (now_ms >= exp) /* no skew here: a token ends when its issuer said */
        return auth_fail(err, AUTH_FAILURE_EXPIRED);
    if (has_nbf && nbf - JWT_SKEW_MS > now_ms)
        return auth_fail(err, AUTH_FAILURE_NOT_YET);
    if (has_iat && iat - JWT_SKEW_MS > now_ms)
        return auth_fail(err, AUTH_FAILURE_IAT_FUTURE);
    /* a token that does not say when it was issued may lie at most this far ahead */
    if (exp - (has_iat ? iat : now_ms) > max_lifetime_ms)
        return auth_fail(err, AUTH_FAILURE_LIFETIME);
    int64_t from = nbf > iat ? nbf : iat;
    ret_window->from_ms = from > JWT_SKEW_MS ? from - JWT_SKEW_MS : 0;
    ret_window->until_ms = exp;
    return 0;
}

/* -- audience, type, texts -- */

static bool is_listed(const struct name_list *list, const json_t *value)
{
    struct bytes text = {json_string_value(value), json_string_length(value)};

    for (size_t i = 0; text.data && i < list->count; i++)
        if (bytes_is(text, list->names[i]))
            return true;
    return false;
}

/* A string, or an array with a string in it, that the list has. */
static bool any_listed(const struct name_list *list, const json_t *value)
{
    size_t i;
    const json_t *entry;

    if (!json_is_array(value))
        return is_listed(list, value);
    json_array_foreach((json_t *)value, i, entry) {
        if (is_listed(list, entry))
            return true;
    }
    return false;
}

static const char *without_application(const char *type)
{
    static const char prefix[] = "application/";

    return strncasecmp(type, prefix, sizeof(prefix) - 1) == 0 ? type + sizeof(prefix) - 1 : type;
}

bool claims_type_listed(const char *typ, const struct name_list *types)
{
    static const char *const initial[] = {"JWT", "at+jwt"};
    const struct name_list list = types->count ? *types : (struct name_list){initial, COUNT_OF(initial)};

    typ = without_application(typ ? typ : "JWT");
    for (size_t i = 0; i < list.count; i++)
        if (strcasecmp(typ, without_application(list.names[i])) == 0)
            return true;
    return false;
}

bool claim_pointer_token(const char *from, size_t len, char *to, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = from[i];

        if (c == '~') {
            if (i + 1 == len || (from[i + 1] != '0' && from[i + 1] != '1'))
                return false;
            c = from[++i] == '0' ? '~' : '/';
        }
        if (n + 1 == size)
            return false;
        to[n++] = c;
    }
    to[n] = '\0';
    return true;
}

static const json_t *step_into(const json_t *value, const char *token)
{
    uint64_t index;

    if (json_is_object(value))
        return json_object_get(value, token);
    if (json_is_array(value) && uint_parse(bytes_of(token), &index))
        return json_array_get(value, (size_t)index);
    return NULL;
}

/* The claim by name, or by JSON pointer (RFC 6901) when it begins with a slash. Borrowed; NULL when absent.
 */
static const json_t *claim_find(const json_t *payload, const char *name)
{
    const json_t *value = payload;

    if (name[0] != '/')
        return json_object_get(payload, name);
    for (const char *at = name; value && *at == '/';) {
        size_t len = strcspn(at + 1, "/");
        char token[CLAIM_TEXT_MAX];

        if (!claim_pointer_token(at + 1, len, token, sizeof(token)))
            return NULL;
        value = step_into(value, token);
        at += 1 + len;
    }
    return value;
}

/* -- roles -- */

struct grant_list {
    struct grant *grants; /* room for GRANTS_MAX */
    size_t count;
};

static void add_grant(struct grant_list *list, const struct grant *grant)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->grants[i].role == grant->role &&
            strcmp(list->grants[i].environment, grant->environment) == 0)
            return;
    /* what is over the limit gives no right; nothing is ever granted by leaving something out */
    if (list->count < GRANTS_MAX)
        list->grants[list->count++] = *grant;
}

/* `role@environment`, a bare role being @*. False for anything else; the environment is borrowed from `text`.
 */
static bool grant_parse(const char *text, struct grant *ret_grant)
{
    char role[64];
    const char *at = strchr(text, '@');
    const char *environment = at ? at + 1 : "*";
    size_t len = at ? (size_t)(at - text) : strlen(text);
    enum role parsed;

    if (len >= sizeof(role) || *environment == '\0' || strlen(environment) > ROLE_TEXT_MAX ||
        strchr(environment, '@'))
        return false;
    memcpy(role, text, len);
    role[len] = '\0';
    if (!role_parse(role, &parsed))
        return false;
    *ret_grant = (struct grant){parsed, environment};
    return true;
}

/* One value of the roles claim. An unknown one gives no right and is no error: tokens carry roles of other
 * services. */
static int add_role(struct bytes value, const struct issuer_config *issuer, struct arena *arena,
                    struct grant_list *list, struct err *err)
{
    struct grant grant;

    if (value.len == 0 || value.len > ROLE_TEXT_MAX || memchr(value.data, '\0', value.len))
        return 0;
    if (!issuer->role_map) {
        const char *text = arena_strndup(arena, value.data, value.len);

        if (!text)
            return err_set(err, ERR_NO_MEMORY, "no memory for a token's roles");
        if (grant_parse(text, &grant))
            add_grant(list, &grant);
        return 0;
    }
    for (size_t i = 0; i < issuer->role_map_count; i++)
        if (bytes_is(value, issuer->role_map[i].from))
            for (size_t k = 0; k < issuer->role_map[i].grant_count; k++)
                add_grant(list, &issuer->role_map[i].grants[k]);
    return 0;
}

static int add_words(struct bytes words, const struct issuer_config *issuer, struct arena *arena,
                     struct grant_list *list, struct err *err)
{
    const char *end = words.data + words.len;

    for (const char *at = words.data; at < end;) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        const char *stop = space ? space : end;

        if (add_role((struct bytes){at, (size_t)(stop - at)}, issuer, arena, list, err) < 0)
            return -1;
        at = stop + 1;
    }
    return 0;
}

static int read_roles(const json_t *payload, const struct issuer_config *issuer, struct arena *arena,
                      struct principal *principal, struct err *err)
{
    struct grant_list list = {.grants = arena_array(arena, struct grant, GRANTS_MAX)};
    const json_t *claim = claim_find(payload, issuer->roles_claim ? issuer->roles_claim : "roles");
    size_t i;
    const json_t *entry;

    if (!list.grants)
        return err_set(err, ERR_NO_MEMORY, "no memory for a token's roles");
    if (json_is_string(claim) &&
        add_words((struct bytes){json_string_value(claim), json_string_length(claim)}, issuer, arena, &list,
                  err) < 0)
        return -1;
    if (json_is_array(claim))
        json_array_foreach((json_t *)claim, i, entry) {
            struct bytes text = {json_string_value(entry), json_string_length(entry)};

            if (text.data && add_role(text, issuer, arena, &list, err) < 0)
                return -1;
        }
    principal->grants = list.grants;
    principal->grant_count = list.count;
    return 0;
}

/* -- multi-factor authentication -- */

static int read_mfa(const json_t *payload, const struct issuer_config *issuer, int64_t now_ms,
                    struct principal *principal, struct err *err)
{
    int64_t auth_time = 0;

    /* one in the future would stay fresh until then */
    if (read_date(payload, "auth_time", &auth_time) < 0 || auth_time - JWT_SKEW_MS > now_ms)
        return auth_fail(err, AUTH_FAILURE_AUTH_TIME);
    principal->auth_time_ms = auth_time;
    principal->mfa_max_age_ms = issuer->mfa_max_age_ms;
    principal->mfa_by_token =
        issuer->mfa && (is_listed(&issuer->mfa_acr_values, json_object_get(payload, "acr")) ||
                        any_listed(&issuer->mfa_amr_values, json_object_get(payload, "amr")));
    return 0;
}

int claims_check(const json_t *payload, const struct issuer_config *issuer, const char *identity_claim,
                 int64_t now_ms, struct arena *arena, struct principal *ret_principal,
                 struct claims_window *ret_window, struct err *err)
{
    struct principal principal = {.issuer = issuer->issuer};
    struct claims_window window;

    if (check_dates(payload, issuer->max_lifetime_ms, now_ms, &window, err) < 0)
        return -1;
    if (!any_listed(&issuer->audiences, json_object_get(payload, "aud")))
        return auth_fail(err, AUTH_FAILURE_AUDIENCE);
    principal.subject = jws_text(json_object_get(payload, "sub"), CLAIM_TEXT_MAX);
    if (!principal.subject)
        return auth_fail(err, AUTH_FAILURE_SUBJECT);
    principal.identity = jws_text(claim_find(payload, identity_claim), CLAIM_TEXT_MAX);
    if (!principal.identity)
        return auth_fail(err, AUTH_FAILURE_IDENTITY);
    principal.token_id = jws_text(json_object_get(payload, "jti"), CLAIM_TEXT_MAX);
    if (!principal.token_id && json_object_get(payload, "jti"))
        return auth_fail(err, AUTH_FAILURE_TOKEN_ID);
    if (read_mfa(payload, issuer, now_ms, &principal, err) < 0 ||
        read_roles(payload, issuer, arena, &principal, err) < 0)
        return -1;
    *ret_principal = principal;
    *ret_window = window;
    return 0;
}
