/* auth.issuers: who may say who asks. */
#include "base/config_internal.h"

#define ISSUER(name_, type_, field, ...)                                                                     \
    {                                                                                                        \
        .name = (name_), .type = (type_), .offset = offsetof(struct issuer_config, field), ##__VA_ARGS__     \
    }
#define MINUTE_MS 60000LL
#define DAY_MS (24 * 60 * MINUTE_MS)

static void take_role_map(struct loader *l, const struct yaml_node *node, void *object);
static void take_mfa(struct loader *l, const struct yaml_node *node, void *object);
static void take_key_source(struct loader *l, const struct yaml_node *node, void *object);

static const struct config_key issuer_keys[] = {
    ISSUER("issuer", CONFIG_TEXT, issuer, .required = true, .valid = valid_issuer,
           .wanted = "an https url without query and fragment (http on loopback only), or a plain name"),
    ISSUER("audiences", CONFIG_TEXTS, audiences, .required = true, .min = 1, .max = CONFIG_LIST_MAX),
    ISSUER("algorithms", CONFIG_TEXTS, algorithms, .required = true, .min = 1, .max = 16,
           .valid = valid_algorithm,
           .wanted = "one of RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA HS256 HS384 HS512"),
    {.name = "jwks_url", .type = CONFIG_SPECIAL, .take = take_key_source},
    ISSUER("jwks_ca_file", CONFIG_FILE, jwks_ca_file),
    {.name = "jwks_file", .type = CONFIG_SPECIAL, .take = take_key_source},
    {.name = "public_key_file", .type = CONFIG_SPECIAL, .take = take_key_source},
    {.name = "secret_file", .type = CONFIG_SPECIAL, .take = take_key_source},
    ISSUER("types", CONFIG_TEXTS, types, .min = 1, .max = 16),
    ISSUER("max_lifetime", CONFIG_DURATION, max_lifetime_ms, .min = MINUTE_MS, .max = DAY_MS),
    ISSUER("roles_claim", CONFIG_TEXT, roles_claim, .valid = valid_claim,
           .wanted = "a claim's name, or a JSON pointer that begins with /"),
    {.name = "role_map", .type = CONFIG_SPECIAL, .take = take_role_map},
    {.name = "mfa", .type = CONFIG_SPECIAL, .take = take_mfa},
    {.type = CONFIG_END},
};

static const struct config_key mfa_keys[] = {
    ISSUER("acr_values", CONFIG_TEXTS, mfa_acr_values, .min = 1, .max = CONFIG_LIST_MAX),
    ISSUER("amr_values", CONFIG_TEXTS, mfa_amr_values, .min = 1, .max = CONFIG_LIST_MAX),
    ISSUER("max_age", CONFIG_DURATION, mfa_max_age_ms, .min = 10000, .max = DAY_MS),
    {.type = CONFIG_END},
};

static const struct config_key key_sources[] = {
    [KEY_JWKS_URL] = {.name = "jwks_url", .type = CONFIG_TEXT},
    [KEY_JWKS_FILE] = {.name = "jwks_file", .type = CONFIG_FILE},
    [KEY_PUBLIC_FILE] = {.name = "public_key_file", .type = CONFIG_FILE},
    [KEY_SECRET_FILE] = {.name = "secret_file", .type = CONFIG_SECRET, .min = HMAC_SECRET_MIN},
};

static void take_jwks_url(struct loader *l, const struct yaml_node *node, struct issuer_config *issuer)
{
    if (!config_text(l, node))
        return;
    if (!valid_jwks_url(node->text))
        config_fault(l, node->place, "`jwks_url` must be an https url (http on loopback only)");
    else
        issuer->key_location = node->text;
}

static void take_key_source(struct loader *l, const struct yaml_node *node, void *object)
{
    struct issuer_config *issuer = object;
    size_t source = 0;
    while (strcmp(key_sources[source].name, node->name) !=
           0) /* the keys that come here are those of the table */
        source++;
    issuer->key_source = (enum key_source)source;
    if (source == KEY_JWKS_URL)
        take_jwks_url(l, node, issuer);
    else
        config_take_file(l, &key_sources[source], node, &issuer->key_location);
}

static void take_mfa(struct loader *l, const struct yaml_node *node, void *object)
{
    struct issuer_config *issuer = object;
    config_take(l, mfa_keys, node, object);
    if (node->type != YAML_MAP)
        return;
    if (!yaml_get(node, "acr_values") && !yaml_get(node, "amr_values"))
        config_fault(l, config_place(node), "`mfa` needs `acr_values` or `amr_values`");
    issuer->mfa = true;
}

/* -- roles -- */

/* role@environment, where a bare role is @*. */
static bool take_grant(struct loader *l, const struct yaml_node *node, struct grant *grant)
{
    if (!config_text(l, node))
        return false;
    const char *at = strchr(node->text, '@');
    size_t len = at ? (size_t)(at - node->text) : strlen(node->text);
    char role[32];
    bool whole = bytes_copy(role, sizeof role, (struct bytes){node->text, len});
    grant->environment = at ? at + 1 : "*";
    if (!whole || !role_parse(role, &grant->role)) {
        config_fault(
            l, node->place,
            "`%.*s` is no role; roles are viewer, operator, BackupAdministrator, auditor, data_reader",
            (int)(len < 80 ? len : 80), node->text);
        return false;
    }
    if (strcmp(grant->environment, "*") != 0 && !yaml_get(l->environments, grant->environment)) {
        config_fault(l, node->place, "`%.80s` names an environment that is not configured", node->text);
        return false;
    }
    return true;
}

static void take_mapping(struct loader *l, const struct yaml_node *node, struct role_mapping *mapping)
{
    mapping->from = node->name;
    if (!config_is(l, node, YAML_LIST))
        return;
    if (node->count > GRANTS_MAX) {
        config_fault(l, node->place, "`%.80s` has more than %d grants", node->name, GRANTS_MAX);
        return;
    }
    struct grant *grants = config_array(l, node, sizeof *grants);
    mapping->grants = grants;
    for (const struct yaml_node *entry = node->first; grants && entry; entry = entry->next) {
        if (take_grant(l, entry, &grants[mapping->grant_count]))
            mapping->grant_count++;
    }
}

static void take_role_map(struct loader *l, const struct yaml_node *node, void *object)
{
    struct issuer_config *issuer = object;
    if (!config_is(l, node, YAML_MAP))
        return;
    if (node->count == 0 || node->count > CONFIG_LIST_MAX) {
        config_fault(l, node->place, "`role_map` must have 1 to %d entries", CONFIG_LIST_MAX);
        return;
    }
    struct role_mapping *map = config_array(l, node, sizeof *map);
    issuer->role_map = map;
    for (const struct yaml_node *member = node->first; map && member; member = member->next)
        take_mapping(l, member, &map[issuer->role_map_count++]);
}

/* -- what must fit together -- */

static bool is_key_source(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(key_sources); i++) {
        if (strcmp(key_sources[i].name, name) == 0)
            return true;
    }
    return false;
}

static void check_key_source(struct loader *l, const struct yaml_node *node)
{
    const struct yaml_node *found = NULL;
    for (const struct yaml_node *at = node->first; at; at = at->next) {
        if (!is_key_source(at->name))
            continue;
        if (found)
            config_fault(l, at->name_place, "`%s` beside `%s`: an issuer has exactly one key source",
                         at->name, found->name);
        else
            found = at;
    }
    const struct yaml_node *ca = yaml_get(node, "jwks_ca_file");
    if (ca && !yaml_get(node, "jwks_url"))
        config_fault(l, ca->name_place, "`jwks_ca_file` goes with `jwks_url`");
    if (!found)
        config_fault(l, node->place,
                     "the issuer needs one of jwks_url, jwks_file, public_key_file, secret_file");
}

/* With one kind of key an attacker could otherwise choose the algorithm: the public key's bytes as an HMAC
 * secret. */
static void check_algorithms(struct loader *l, const struct yaml_node *node)
{
    const struct yaml_node *list = yaml_get(node, "algorithms");
    bool secret = yaml_get(node, "secret_file") != NULL;
    for (const struct yaml_node *entry = list && list->type == YAML_LIST ? list->first : NULL; entry;
         entry = entry->next) {
        if (entry->type != YAML_TEXT || !valid_algorithm(entry->text) ||
            str_starts(entry->text, "HS") == secret)
            continue;
        if (secret)
            config_fault(l, entry->place,
                         "`%s` does not fit a secret_file, which takes HS256, HS384 and HS512 only",
                         entry->text);
        else
            config_fault(l, entry->place, "`%s` needs a secret_file", entry->text);
    }
}

static bool take_issuer(struct loader *l, const struct yaml_node *node, struct issuer_config *issuer)
{
    static const char *const default_types[] = {"JWT", "at+jwt"};
    *issuer = (struct issuer_config){
        .types = {default_types, COUNT_OF(default_types)},
        .max_lifetime_ms = 60 * MINUTE_MS,
        .roles_claim = "roles",
        .mfa_max_age_ms = 5 * MINUTE_MS,
    };
    if (!config_is(l, node, YAML_MAP))
        return false;
    config_take(l, issuer_keys, node, issuer);
    check_key_source(l, node);
    check_algorithms(l, node);
    return issuer->issuer != NULL;
}

void config_take_issuers(struct loader *l, const struct yaml_node *node, void *object)
{
    struct config *config = object;
    if (!config_is(l, node, YAML_LIST))
        return;
    if (node->count == 0 || node->count > CONFIG_ISSUERS_MAX) {
        config_fault(l, node->place, "`issuers` must have 1 to %d entries", CONFIG_ISSUERS_MAX);
        return;
    }
    struct issuer_config *issuers = config_array(l, node, sizeof *issuers);
    config->issuers = issuers;
    for (const struct yaml_node *entry = node->first; issuers && entry; entry = entry->next) {
        struct issuer_config *issuer = &issuers[config->issuer_count];
        if (!take_issuer(l, entry, issuer))
            continue;
        for (size_t i = 0; i < config->issuer_count; i++) {
            if (strcmp(issuers[i].issuer, issuer->issuer) == 0)
                config_fault(l, yaml_get(entry, "issuer")->place, "issuer `%.120s` stands twice",
                             issuer->issuer);
        }
        config->issuer_count++;
    }
}
