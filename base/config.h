/*
 * The configuration of recoverd: YAML text to an immutable, counted snapshot (CONTRACT.md section 2).
 * config_load reports every fault of meaning in one run, each with file:line:column; syntax stops at the
 * first. A key of a later version is the fault `not in this version`. Relative paths are relative to the
 * file. Secrets are not in here: only the paths of the files that hold them, with their modes checked. Thread
 * rule: load on one thread; a snapshot may be read by any.
 */
#pragma once
#include <jansson.h>

#include "base/environment.h"
#include "base/faults.h"
#include "base/json.h"
#include "base/log.h"
#include "base/principal.h"

struct role_mapping {
    const char *from; /* the claim's value */
    const struct grant *grants;
    size_t grant_count;
};

enum key_source { KEY_JWKS_URL, KEY_JWKS_FILE, KEY_PUBLIC_FILE, KEY_SECRET_FILE };

struct issuer_config {
    const char *issuer;
    struct name_list audiences;
    struct name_list algorithms; /* RS256 ... EdDSA, HS512 */
    enum key_source key_source;
    const char *key_location;            /* path or url */
    const char *jwks_ca_file;            /* PEM that alone is trusted for jwks_url; NULL: the system's */
    struct name_list types;              /* default: JWT and at+jwt */
    int64_t max_lifetime_ms;             /* exp - iat ceiling; default 1h */
    const char *roles_claim;             /* default "roles"; a JSON pointer when it begins with / */
    const struct role_mapping *role_map; /* NULL: roles are taken as named */
    size_t role_map_count;
    bool mfa; /* false: this issuer never satisfies MFA */
    struct name_list mfa_acr_values;
    struct name_list mfa_amr_values;
    int64_t mfa_max_age_ms; /* default 5m */
};

struct address_config {
    const char *host; /* numeric */
    int port;
    bool loopback;
};

struct config {
    const char *path;
    char sha256[65]; /* of the file's bytes */
    struct address_config listen;
    struct address_config ops_listen;
    const char *public_url;
    struct name_list trusted_proxies; /* CIDR */
    int http_connections;
    int http_waiters;
    bool plain_http;
    const char *data_dir;
    const char *store; /* sqlite:/path */
    enum log_level log_level;
    enum log_format log_format;
    const char *tls_certificate_file; /* NULL: no TLS */
    const char *tls_key_file;
    int worker_threads;
    int64_t worker_memory;
    int64_t lease_ms;
    int64_t drain_ms;
    int64_t min_free_bytes;
    const char *node;
    const char *identity_claim; /* default "sub" */
    const struct issuer_config *issuers;
    size_t issuer_count;
    const char *totp_key_file; /* NULL: no TOTP */
    const struct environment *environments;
    size_t environment_count;
    int64_t loaded_at_ms;
};

/* Reads and checks. NULL with faults (at least one) when anything is wrong; `err` then holds the first. */
struct config *config_load(const char *path, struct faults *faults, struct err *err);
struct config *config_hold(const struct config *config); /* one more reference */
void config_release(struct config *config);              /* accepts NULL; the last one frees */
const struct environment *config_environment(const struct config *config,
                                             const char *name); /* NULL when unknown */
/* Names, space-separated, of the keys that differ and take effect only at a restart; "" when none. In arena;
 * NULL without memory. */
const char *config_restart_keys(const struct config *now, const struct config *next, struct arena *arena);
/* What changed for security between two snapshots (issuers, roles, roots, listeners), as a JSON object for
 * the audit row, which the caller owns; `before` may be NULL. NULL without memory: never a part of it. */
json_t *config_security_changes(const struct config *before, const struct config *after);
/* Writes DIR/recoverd.yaml (commented), keys and folders, modes 0700/0600; refuses a DIR that has a
 * recoverd.yaml. Below /etc, data and points go to /var/lib/recoverd, which the service may write. */
int config_init(const char *dir, struct err *err);
