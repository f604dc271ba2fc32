#include "auth/verifier.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <openssl/evp.h>

#include "auth/claims.h"
#include "auth/jwks.h"
#include "auth/jwks_url.h"
#include "auth/jws.h"
#include "auth/token_cache.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"

struct issuer {
    struct issuer_config config; /* strings in the verifier's arena */
    struct key_set *keys;        /* of a file; NULL: */
    struct jwks_url *url;
};

struct verifier {
    atomic_uint references;
    struct arena *arena;
    struct issuer *issuers;
    size_t issuer_count;
    const char *identity_claim;
    struct token_cache *cache;
    EVP_MD *sha256; /* fetched once: a fetch for each request would cost more than the hash */
};

/* -- making -- */

static void cleanup_verifier(struct verifier **verifier)
{
    verifier_release(*verifier);
}

/* All copies below are checked at once: `*ok` stays false after the first that failed. */
static const char *copy_text(struct arena *arena, const char *text, bool *ok)
{
    const char *copy = arena_strdup(arena, text);

    *ok = *ok && (copy || !text);
    return copy;
}

static struct name_list copy_names(struct arena *arena, const struct name_list *list, bool *ok)
{
    const char **names = list->count ? arena_array(arena, const char *, list->count) : NULL;

    if (!names) {
        *ok = *ok && list->count == 0;
        return (struct name_list){0};
    }
    for (size_t i = 0; i < list->count; i++)
        names[i] = copy_text(arena, list->names[i], ok);
    return (struct name_list){names, list->count};
}

static const struct role_mapping *copy_role_map(struct arena *arena, const struct role_mapping *map,
                                                size_t count, bool *ok)
{
    /* a map without rows is not the same as no map: it grants nothing */
    struct role_mapping *copies = map ? arena_array(arena, struct role_mapping, count ? count : 1) : NULL;

    if (!copies) {
        *ok = *ok && !map;
        return NULL;
    }
    for (size_t i = 0; i < count && *ok; i++) {
        struct grant *grants = arena_array(arena, struct grant, map[i].grant_count ? map[i].grant_count : 1);

        *ok = *ok && grants;
        for (size_t k = 0; grants && k < map[i].grant_count; k++)
            grants[k] =
                (struct grant){map[i].grants[k].role, copy_text(arena, map[i].grants[k].environment, ok)};
        copies[i] = (struct role_mapping){copy_text(arena, map[i].from, ok), grants, map[i].grant_count};
    }
    return copies;
}

static int copy_issuer(struct arena *arena, const struct issuer_config *from, struct issuer_config *to,
                       struct err *err)
{
    bool ok = true;

    *to = *from;
    to->issuer = copy_text(arena, from->issuer, &ok);
    to->audiences = copy_names(arena, &from->audiences, &ok);
    to->algorithms = copy_names(arena, &from->algorithms, &ok);
    to->key_location = copy_text(arena, from->key_location, &ok);
    to->jwks_ca_file = copy_text(arena, from->jwks_ca_file, &ok);
    to->types = copy_names(arena, &from->types, &ok);
    to->roles_claim = copy_text(arena, from->roles_claim, &ok);
    to->role_map = copy_role_map(arena, from->role_map, from->role_map_count, &ok);
    to->mfa_acr_values = copy_names(arena, &from->mfa_acr_values, &ok);
    to->mfa_amr_values = copy_names(arena, &from->mfa_amr_values, &ok);
    return ok ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for issuers");
}

/* What the verifier before had fetched of the same place stays in force. */
static int load_keys(struct issuer *issuer, const struct verifier *before, struct err *err)
{
    if (issuer->config.key_source != KEY_JWKS_URL)
        return key_set_load(&issuer->config, &issuer->keys, err);
    for (size_t i = 0; before && i < before->issuer_count; i++) {
        struct jwks_url *url = before->issuers[i].url;

        if (url && jwks_url_fits(url, &issuer->config)) {
            issuer->url = jwks_url_hold(url);
            return 0;
        }
    }
    return jwks_url_new(&issuer->config, &issuer->url, err);
}

static int load_issuers(struct verifier *verifier, const struct config *config, const struct verifier *before,
                        struct err *err)
{
    verifier->issuers =
        arena_array(verifier->arena, struct issuer, config->issuer_count ? config->issuer_count : 1);
    verifier->identity_claim =
        arena_strdup(verifier->arena, config->identity_claim ? config->identity_claim : "sub");
    if (!verifier->issuers || !verifier->identity_claim)
        return err_set(err, ERR_NO_MEMORY, "no memory for issuers");
    for (size_t i = 0; i < config->issuer_count; i++) {
        struct issuer *issuer = &verifier->issuers[i];

        if (copy_issuer(verifier->arena, &config->issuers[i], &issuer->config, err) < 0)
            return -1;
        if (load_keys(issuer, before, err) < 0)
            return err_wrap(err, "issuer %s", issuer->config.issuer);
        verifier->issuer_count++;
    }
    return 0;
}

int verifier_new(const struct config *config, struct verifier *before, struct verifier **ret_verifier,
                 struct err *err)
{
    _cleanup_(cleanup_verifier) struct verifier *verifier = calloc(1, sizeof(*verifier));

    if (!verifier)
        return err_set(err, ERR_NO_MEMORY, "no memory for issuers");
    atomic_init(&verifier->references, 1);
    verifier->arena = arena_new(VERIFIER_ARENA_MAX);
    verifier->cache = token_cache_new();
    verifier->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!verifier->arena || !verifier->cache || !verifier->sha256)
        return err_set(err, ERR_NO_MEMORY, "no memory for issuers");
    if (load_issuers(verifier, config, before, err) < 0)
        return -1;
    *ret_verifier = TAKE(verifier);
    return 0;
}

int verifier_start(struct verifier *verifier, struct err *err)
{
    for (size_t i = 0; i < verifier->issuer_count; i++)
        if (verifier->issuers[i].url && jwks_url_start(verifier->issuers[i].url, err) < 0)
            return -1;
    return 0;
}

struct verifier *verifier_hold(struct verifier *verifier)
{
    atomic_fetch_add_explicit(&verifier->references, 1, memory_order_relaxed);
    return verifier;
}

void verifier_release(struct verifier *verifier)
{
    if (!verifier || atomic_fetch_sub_explicit(&verifier->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < verifier->issuer_count; i++) {
        key_set_free(verifier->issuers[i].keys);
        jwks_url_release(verifier->issuers[i].url);
    }
    EVP_MD_free(verifier->sha256);
    token_cache_free(verifier->cache);
    arena_free(verifier->arena);
    free(verifier);
}

/* -- checking -- */

/* Does a key of this issuer verify the token? A token without kid is tried with few keys, so that a stranger
 * cannot buy 64 signature checks with one request. */
static int check_keys(const struct jws *jws, const struct key_set *keys, struct err *err)
{
    const struct jws_key *key;
    size_t index = 0;
    size_t tried = 0;

    while ((key = key_set_next(keys, jws->alg, jws->kid, &index))) {
        if (tried++ == TOKEN_KEYS_TRIED_MAX)
            return auth_fail(err, jws->kid ? AUTH_FAILURE_SIGNATURE : AUTH_FAILURE_KEYS_AMBIGUOUS);
        if (jws_verify(jws, key))
            return 0;
    }
    return auth_fail(err, tried ? AUTH_FAILURE_SIGNATURE : AUTH_FAILURE_KEY);
}

static void cleanup_keys(struct key_set **keys)
{
    key_set_free(*keys);
}

/* With keys that are fetched, a token that none of them fits may be of a key that came after them. A kid that
 * is there says that it is not. */
static int check_fetched(const struct jws *jws, struct jwks_url *url, struct err *err)
{
    _cleanup_(cleanup_keys) struct key_set *keys = jwks_url_keys(url);
    struct err first = ERR_INIT;

    if (!keys)
        auth_fail(&first, AUTH_FAILURE_KEYS_UNKNOWN);
    else if (check_keys(jws, keys, &first) == 0)
        return 0;
    if (!keys || !key_set_has_kid(keys, jws->kid)) {
        _cleanup_(cleanup_keys) struct key_set *newer = jwks_url_renewed(url, keys);

        if (newer)
            return check_keys(jws, newer, err);
    }
    return err_set(err, first.code, "%s", first.message);
}

static int check_issuer(const struct jws *jws, const struct issuer *issuer, struct err *err)
{
    if (!claims_type_listed(jws->typ, &issuer->config.types))
        return auth_fail(err, AUTH_FAILURE_TYPE);
    return issuer->url ? check_fetched(jws, issuer->url, err) : check_keys(jws, issuer->keys, err);
}

/* The one whose name is iss, byte by byte (the configuration has no name twice); NULL: none. */
static const struct issuer *find_issuer(const struct verifier *verifier, const struct jws *jws)
{
    const json_t *iss = json_object_get(jws->payload, "iss");
    const struct bytes name = {json_string_value(iss), json_string_length(iss)};

    for (size_t i = 0; name.data && i < verifier->issuer_count; i++) {
        const struct issuer *issuer = &verifier->issuers[i];

        if (bytes_is(name, issuer->config.issuer))
            return issuer;
    }
    return NULL;
}

static int check_fresh(struct verifier *verifier, struct bytes token, const uint8_t *key, int64_t now_ms,
                       struct arena *arena, struct principal *ret_principal, struct err *err)
{
    const struct issuer *issuer;
    struct claims_window window;
    struct jws jws;

    if (jws_parse(token, arena, &jws, err) < 0)
        return -1;
    if (!(issuer = find_issuer(verifier, &jws)))
        return auth_fail(err, AUTH_FAILURE_ISSUER);
    if (check_issuer(&jws, issuer, err) < 0 ||
        claims_check(jws.payload, &issuer->config, verifier->identity_claim, now_ms, arena, ret_principal,
                     &window, err) < 0)
        return -1;
    token_cache_put(verifier->cache, key, ret_principal, &window);
    return 0;
}

static void release_verifier(void *verifier)
{
    verifier_release(verifier);
}

/* What check_fresh makes points into the verifier, and a request may outlive a reload. (What comes from the
 * cache is counted by itself.) */
static int keep_verifier(struct verifier *verifier, struct arena *arena, struct err *err)
{
    if (arena_defer(arena, release_verifier, verifier_hold(verifier)) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a principal");
    return 0;
}

/* A token that was verified with keys which the issuer has since withdrawn must not be found. */
static void mix_generation(const struct verifier *verifier, uint8_t key[EVP_MAX_MD_SIZE])
{
    uint64_t sum = 0;

    for (size_t i = 0; i < verifier->issuer_count; i++)
        sum += verifier->issuers[i].url ? jwks_url_generation(verifier->issuers[i].url) : 0;
    for (size_t i = 0; i < sizeof(sum); i++)
        key[16 + i] ^= (uint8_t)(sum >> 8 * i);
}

int verifier_check(struct verifier *verifier, struct bytes token, const char *address, struct arena *arena,
                   struct principal **ret_principal, struct err *err)
{
    uint8_t key[EVP_MAX_MD_SIZE];
    int64_t now_ms = clock_wall_ms();

    if (!token.data || token.len == 0 || token.len > JWT_MAX)
        return auth_fail(err, AUTH_FAILURE_LENGTH);
    struct principal *principal = arena_make(arena, struct principal);
    const char *where = arena_strdup(arena, address);
    if (!principal || (address && !where))
        return err_set(err, ERR_NO_MEMORY, "no memory for a principal");
    if (EVP_Digest(token.data, token.len, key, NULL, verifier->sha256, NULL) != 1)
        return err_set(err, ERR_INTERNAL, "sha-256 is not available");
    mix_generation(verifier, key);
    int found = token_cache_find(verifier->cache, key, now_ms, arena, principal, err);
    if (found == 0 && keep_verifier(verifier, arena, err) == 0)
        found = check_fresh(verifier, token, key, now_ms, arena, principal, err) < 0 ? -1 : 1;
    if (found != 1)
        return -1;
    principal->address = where;
    principal->channel = "rest";
    *ret_principal = principal;
    return 0;
}

size_t verifier_cached(struct verifier *verifier)
{
    return token_cache_count(verifier->cache);
}

bool verifier_issuer(struct verifier *verifier, size_t n, struct issuer_state *ret_state)
{
    if (n >= verifier->issuer_count)
        return false;
    const struct issuer *issuer = &verifier->issuers[n];

    *ret_state = (struct issuer_state){.issuer = issuer->config.issuer, .loaded = true};
    if (issuer->url) {
        struct jwks_url_state state = jwks_url_look(issuer->url);

        ret_state->loaded = state.loaded;
        ret_state->loaded_at_ms = state.loaded_at_ms;
        ret_state->err = state.err;
    }
    return true;
}
