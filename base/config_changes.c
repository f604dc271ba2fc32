/* What differs between two snapshots: what needs a restart, and what an auditor wants to know. */
#include "base/config_internal.h"

#include "base/json.h"

/* -- keys that take effect at a restart only -- */

static bool same_address(const struct address_config *a, const struct address_config *b)
{
    return a->port == b->port && str_is(a->host, b->host);
}

static bool same_listen(const struct config *a, const struct config *b)
{
    return same_address(&a->listen, &b->listen);
}

static bool same_ops_listen(const struct config *a, const struct config *b)
{
    return same_address(&a->ops_listen, &b->ops_listen);
}

static bool same_http(const struct config *a, const struct config *b)
{
    return a->http_connections == b->http_connections && a->http_waiters == b->http_waiters;
}

static bool same_data_dir(const struct config *a, const struct config *b)
{
    return str_is(a->data_dir, b->data_dir);
}

static bool same_store(const struct config *a, const struct config *b)
{
    return str_is(a->store, b->store);
}

/* Certificates are changed under way; whether there is TLS at all is not. */
static bool same_tls(const struct config *a, const struct config *b)
{
    return !a->tls_certificate_file == !b->tls_certificate_file;
}

/* The listener takes them when it starts. */
static bool same_proxies(const struct config *a, const struct config *b)
{
    const struct name_list *one = &a->trusted_proxies, *other = &b->trusted_proxies;
    size_t same = 0;
    while (same < one->count && same < other->count && str_is(one->names[same], other->names[same]))
        same++;
    return same == one->count && same == other->count;
}

/* The lease and the time to drain count from the next look on. */
static bool same_workers(const struct config *a, const struct config *b)
{
    return a->worker_threads == b->worker_threads && a->worker_memory == b->worker_memory &&
           a->min_free_bytes == b->min_free_bytes;
}

static bool same_totp(const struct config *a, const struct config *b)
{
    return str_is(a->totp_key_file, b->totp_key_file);
}

static bool same_node(const struct config *a, const struct config *b)
{
    return str_is(a->node, b->node);
}

static const struct {
    const char *key;
    bool (*same)(const struct config *a, const struct config *b);
} restart_keys[] = {
    {"listen", same_listen}, {"ops_listen", same_ops_listen}, {"trusted_proxies", same_proxies},
    {"http", same_http},     {"data_dir", same_data_dir},     {"store", same_store},
    {"tls", same_tls},       {"workers", same_workers},       {"node", same_node},
    {"totp", same_totp},
};

const char *config_restart_keys(const struct config *now, const struct config *next, struct arena *arena)
{
    const char *keys = "";
    for (size_t i = 0; keys && i < COUNT_OF(restart_keys); i++) {
        if (!restart_keys[i].same(now, next))
            keys = arena_printf(arena, "%s%s%s", keys, *keys ? " " : "", restart_keys[i].key);
    }
    return keys;
}

/* -- what counts for security -- */

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *texts(const struct name_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->names[i]));
    return array;
}

static json_t *address(const struct address_config *address)
{
    return json_sprintf(strchr(address->host, ':') ? "[%s]:%d" : "%s:%d", address->host, address->port);
}

static json_t *roles(const struct issuer_config *issuer)
{
    json_t *map = json_object();
    for (size_t i = 0; i < issuer->role_map_count; i++) {
        const struct role_mapping *from = &issuer->role_map[i];
        json_t *grants = json_array();
        for (size_t g = 0; g < from->grant_count; g++)
            json_array_append_new(
                grants, json_sprintf("%s@%s", role_name(from->grants[g].role), from->grants[g].environment));
        json_object_set_new(map, from->from, grants);
    }
    return map;
}

static json_t *issuers(const struct config *config)
{
    static const char *const sources[] = {[KEY_JWKS_URL] = "jwks_url",
                                          [KEY_JWKS_FILE] = "jwks_file",
                                          [KEY_PUBLIC_FILE] = "public_key_file",
                                          [KEY_SECRET_FILE] = "secret_file"};
    json_t *map = json_object();
    for (size_t i = 0; i < config->issuer_count; i++) {
        const struct issuer_config *issuer = &config->issuers[i];
        json_t *facts = json_object();
        json_object_set_new(facts, "audiences", texts(&issuer->audiences));
        json_object_set_new(facts, "algorithms", texts(&issuer->algorithms));
        json_object_set_new(facts, sources[issuer->key_source], text_or_null(issuer->key_location));
        json_object_set_new(facts, "jwks_ca_file", text_or_null(issuer->jwks_ca_file));
        json_object_set_new(facts, "types", texts(&issuer->types));
        json_object_set_new(facts, "max_lifetime_ms", json_integer(issuer->max_lifetime_ms));
        json_object_set_new(facts, "roles_claim", json_string(issuer->roles_claim));
        json_object_set_new(facts, "role_map", roles(issuer));
        json_object_set_new(facts, "mfa", json_boolean(issuer->mfa));
        json_object_set_new(facts, "mfa_acr_values", texts(&issuer->mfa_acr_values));
        json_object_set_new(facts, "mfa_amr_values", texts(&issuer->mfa_amr_values));
        json_object_set_new(facts, "mfa_max_age_ms", json_integer(issuer->mfa_max_age_ms));
        json_object_set_new(map, issuer->issuer, facts);
    }
    return map;
}

static json_t *environments(const struct config *config)
{
    json_t *map = json_object();
    for (size_t i = 0; i < config->environment_count; i++) {
        const struct environment *environment = &config->environments[i];
        json_t *facts = json_object();
        json_object_set_new(facts, "account", text_or_null(environment->account));
        json_object_set_new(facts, "region", text_or_null(environment->region));
        json_object_set_new(facts, "tables", texts(&environment->tables));
        json_object_set_new(facts, "recovery_points", text_or_null(environment->recovery_points));
        json_object_set_new(facts, "allow_unencrypted", json_boolean(environment->allow_unencrypted));
        json_object_set_new(facts, "uri_roots", texts(&environment->uri_roots));
        json_object_set_new(facts, "profile", text_or_null(environment->profile));
        json_object_set_new(facts, "role_arn", text_or_null(environment->role_arn));
        json_object_set_new(facts, "endpoint_url", text_or_null(environment->endpoint_url));
        json_object_set_new(facts, "kms_key", text_or_null(environment->kms_key));
        json_object_set_new(map, environment->name, facts);
    }
    return map;
}

static json_t *security_facts(const struct config *config)
{
    json_t *facts = json_object();
    if (!config)
        return facts;
    json_object_set_new(facts, "listen", address(&config->listen));
    json_object_set_new(facts, "ops_listen", address(&config->ops_listen));
    json_object_set_new(facts, "plain_http", json_boolean(config->plain_http));
    json_object_set_new(facts, "trusted_proxies", texts(&config->trusted_proxies));
    json_object_set_new(facts, "tls_certificate_file", text_or_null(config->tls_certificate_file));
    json_object_set_new(facts, "tls_key_file", text_or_null(config->tls_key_file));
    json_object_set_new(facts, "totp_key_file", text_or_null(config->totp_key_file));
    json_object_set_new(facts, "identity_claim", json_string(config->identity_claim));
    json_object_set_new(facts, "store", text_or_null(config->store));
    json_object_set_new(facts, "issuers", issuers(config));
    json_object_set_new(facts, "environments", environments(config));
    return facts;
}

/* Takes what both have out of the two, so that the differences stay: mappings are gone into, lists are
 * compared whole. */
static void drop_same(json_t *before, json_t *after)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(after, next, name, value) {
        json_t *old = json_object_get(before, name);
        if (json_is_object(value) && json_is_object(old) && !json_equal(value, old))
            drop_same(old, value);
        else if (old && json_equal(value, old)) {
            json_object_del(before, name);
            json_object_del(after, name);
        }
    }
}

json_t *config_security_changes(const struct config *before, const struct config *after)
{
    json_starved_clear();
    json_t *was = security_facts(before), *is = security_facts(after), *changes = json_object();
    drop_same(was, is);
    json_object_set_new(changes, "config_sha256", text_or_null(after ? after->sha256 : NULL));
    json_object_set_new(changes, "before", before ? was : json_null());
    json_object_set_new(changes, "after", is);
    if (!before)
        json_decref(was);
    if (!json_starved())
        return changes;
    json_decref(changes);
    return NULL;
}
