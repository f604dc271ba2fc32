#include "base/config.h"

#include <limits.h>
#include <stdatomic.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "base/config_internal.h"

/* A configuration and what keeps it alive; all of it, this struct too, lies in the arena. */
struct snapshot {
    struct config config; /* first: a config is its snapshot */
    struct arena *arena;
    atomic_uint references;
};

#define KEY(name_, type_, field, ...)                                                                        \
    {                                                                                                        \
        .name = (name_), .type = (type_), .offset = offsetof(struct config, field), ##__VA_ARGS__            \
    }
#define LATER(name_)                                                                                         \
    {                                                                                                        \
        .name = (name_), .type = CONFIG_LATER                                                                \
    }
#define OBJECT(name_, keys_, ...)                                                                            \
    {                                                                                                        \
        .name = (name_), .type = CONFIG_OBJECT, .keys = (keys_), ##__VA_ARGS__                               \
    }
#define END                                                                                                  \
    {                                                                                                        \
        .type = CONFIG_END                                                                                   \
    }

static void take_listen(struct loader *l, const struct yaml_node *node, void *config);
static void take_ops_listen(struct loader *l, const struct yaml_node *node, void *config);
static void take_store(struct loader *l, const struct yaml_node *node, void *config);

static const struct config_key http_keys[] = {
    KEY("connections", CONFIG_INT, http_connections, .min = 1, .max = 65536),
    KEY("waiters", CONFIG_INT, http_waiters, .min = 0, .max = 65536),
    END,
};
static const struct config_key log_keys[] = {
    KEY("level", CONFIG_CHOICE, log_level, .choices = "debug info warn error"),
    KEY("format", CONFIG_CHOICE, log_format, .choices = "json text"),
    END,
};
static const struct config_key tls_keys[] = {
    KEY("certificate_file", CONFIG_FILE, tls_certificate_file, .required = true),
    KEY("key_file", CONFIG_SECRET, tls_key_file, .required = true),
    END,
};
static const struct config_key workers_keys[] = {
    KEY("threads", CONFIG_INT, worker_threads, .min = 1, .max = 256),
    KEY("memory", CONFIG_SIZE, worker_memory, .min = PAGE_MAX, .max = 64 * GIB),
    KEY("lease", CONFIG_DURATION, lease_ms, .min = 5000, .max = 3600000),
    KEY("drain", CONFIG_DURATION, drain_ms, .min = 1000, .max = 600000),
    KEY("min_free", CONFIG_SIZE, min_free_bytes, .min = 0, .max = 1024 * GIB),
    END,
};
static const struct config_key auth_keys[] = {
    KEY("identity_claim", CONFIG_TEXT, identity_claim, .valid = valid_claim,
        .wanted = "a claim's name, or a JSON pointer that begins with /"),
    {.name = "issuers", .type = CONFIG_SPECIAL, .required = true, .take = config_take_issuers},
    END,
};
static const struct config_key totp_keys[] = {
    KEY("key_file", CONFIG_SECRET, totp_key_file, .required = true, .min = 32),
    END,
};
static const struct config_key root_keys[] = {
    {.name = "listen", .type = CONFIG_SPECIAL, .take = take_listen},
    {.name = "ops_listen", .type = CONFIG_SPECIAL, .take = take_ops_listen},
    KEY("public_url", CONFIG_TEXT, public_url, .valid = valid_public_url, .wanted = "an http or https url"),
    KEY("trusted_proxies", CONFIG_TEXTS, trusted_proxies, .max = CONFIG_LIST_MAX, .valid = valid_cidr,
        .wanted = "a network such as 10.0.0.0/8"),
    OBJECT("http", http_keys),
    KEY("plain_http", CONFIG_FLAG, plain_http),
    KEY("data_dir", CONFIG_PATH, data_dir),
    {.name = "store", .type = CONFIG_SPECIAL, .take = take_store},
    OBJECT("log", log_keys),
    OBJECT("tls", tls_keys),
    OBJECT("workers", workers_keys),
    KEY("node", CONFIG_TEXT, node, .valid = valid_name, .wanted = "1 to 64 of a-zA-Z0-9_.-"),
    OBJECT("auth", auth_keys, .required = true),
    OBJECT("totp", totp_keys),
    {.name = "environments", .type = CONFIG_SPECIAL, .required = true, .take = config_take_environments},
    LATER("audit"),
    LATER("schedules"),
    LATER("retention"),
    LATER("alerts"),
    LATER("slack"),
    LATER("metrics"),
    LATER("dashboard"),
    LATER("rate_limits"),
    LATER("cors"),
    LATER("rules"),
    LATER("openpgp"),
    END,
};

static void take_address(struct loader *l, const struct yaml_node *node, struct address_config *to)
{
    if (config_text(l, node) && !address_parse(l, node->text, to))
        config_fault(l, node->place,
                     "`%s` must be a numeric address and a port such as 127.0.0.1:8480 or [::1]:8480",
                     node->name);
}

static void take_listen(struct loader *l, const struct yaml_node *node, void *config)
{
    take_address(l, node, &((struct config *)config)->listen);
}

static void take_ops_listen(struct loader *l, const struct yaml_node *node, void *config)
{
    take_address(l, node, &((struct config *)config)->ops_listen);
}

static void take_store(struct loader *l, const struct yaml_node *node, void *config)
{
    if (!config_text(l, node))
        return;
    if (str_starts(node->text, "postgresql:") || str_starts(node->text, "postgres:"))
        config_fault(l, node->place, "`store: postgresql://`: not in this version");
    else if (!str_starts(node->text, "sqlite:") || !node->text[7])
        config_fault(l, node->place, "`store` must be sqlite:PATH");
    else
        ((struct config *)config)->store = node->text;
}

static void check_listeners(struct loader *l, const struct yaml_node *root)
{
    const struct config *c = l->config;
    const struct yaml_node *listen = yaml_get(root, "listen"), *ops = yaml_get(root, "ops_listen");
    const struct yaml_node *http = yaml_get(root, "http");
    if (listen && !c->listen.loopback && !yaml_get(root, "tls") && !c->plain_http)
        config_fault(l, listen->place,
                     "`listen` is not loopback: it needs `tls`, or `plain_http: true` behind a proxy");
    if ((listen || ops) && c->listen.port != 0 && c->listen.port == c->ops_listen.port &&
        strcmp(c->listen.host, c->ops_listen.host) == 0)
        config_fault(l, (ops ? ops : listen)->place, "`listen` and `ops_listen` are the same address");
    if (http && c->http_waiters > c->http_connections)
        config_fault(l, config_place(http), "`http.waiters` must not exceed `http.connections`");
}

static void set_defaults(struct loader *l, struct config *c)
{
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof host - 1);
    *c = (struct config){
        .listen = {"127.0.0.1", 8480, true},
        .ops_listen = {"127.0.0.1", 9480, true},
        .http_connections = 512,
        .http_waiters = 256,
        .data_dir = "/var/lib/recoverd",
        .log_level = LOG_INFO,
        .log_format = LOG_JSON,
        .worker_threads = 16,
        .worker_memory = 64 * MIB,
        .lease_ms = 60000,
        .drain_ms = 30000,
        .min_free_bytes = 256 * MIB,
        .node = valid_name(host) ? arena_strdup(l->arena, host) : "localhost",
        .identity_claim = "sub",
        .loaded_at_ms = clock_wall_ms(),
    };
}

/* After the loop, because the default lies in data_dir wherever that key stands. */
static void settle_store(struct loader *l, struct config *c)
{
    const char *path = c->store ? config_resolve(l, c->store + strlen("sqlite:"))
                                : arena_printf(l->arena, "%s/recoverd.db", c->data_dir);
    c->store = path ? arena_printf(l->arena, "sqlite:%s", path) : NULL;
    if (!c->store || !c->path || !c->node)
        config_no_memory(l, (struct yaml_place){1, 1});
}

static void take_root(struct loader *l, const struct yaml_node *root)
{
    if (root->type != YAML_MAP) {
        config_fault(l, root->place, "the configuration must be a mapping");
        return;
    }
    const struct yaml_node *environments = yaml_get(root, "environments");
    l->environments = environments;
    config_take(l, root_keys, root, l->config);
    check_listeners(l, root);
    settle_store(l, l->config);
}

/* -- loading -- */

/* The file's own name in its folder, for a snapshot whose process may stand elsewhere later. */
static const char *absolute_path(struct loader *l)
{
    const char *slash = strrchr(l->file, '/');
    return config_resolve(l, slash ? slash + 1 : l->file);
}

static void load(struct loader *l, struct bytes text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    set_defaults(l, l->config);
    l->config->path = absolute_path(l);
    if (EVP_Digest(text.data, text.len, digest, NULL, EVP_sha256(), NULL) != 1) {
        config_fault(l, (struct yaml_place){1, 1}, "no SHA-256");
        return;
    }
    hex_encode(digest, 32, l->config->sha256);
    const struct yaml_node *root = yaml_read(text, l->file, l->arena, l->faults);
    if (root)
        take_root(l, root);
}

struct config *config_load(const char *path, struct faults *faults, struct err *err)
{
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(CONFIG_MAX + 32 * KIB);
    _cleanup_(arena_free_p) struct arena *arena = arena_new(CONFIG_ARENA_MAX);
    struct snapshot *snapshot = arena ? arena_make(arena, struct snapshot) : NULL;
    struct loader l = {.arena = arena, .faults = faults, .file = path};
    if (!snapshot) {
        fault_add_code(faults, ERR_NO_MEMORY, path, "out of memory");
    } else if (config_read(path, &text, faults) == 0) {
        l.config = &snapshot->config;
        l.dir = config_folder(&l);
        if (l.dir)
            load(&l, buffer_bytes(&text));
    }
    if (faults_end(faults, ERR_CONFIG, err) < 0 || !snapshot)
        return NULL;
    snapshot->arena = TAKE(arena);
    atomic_init(&snapshot->references, 1);
    return &snapshot->config;
}

/* -- snapshots -- */

struct config *config_hold(const struct config *config)
{
    struct snapshot *snapshot = (struct snapshot *)(uintptr_t)config;
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return &snapshot->config;
}

void config_release(struct config *config)
{
    struct snapshot *snapshot = (struct snapshot *)config;
    if (snapshot && atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) == 1)
        arena_free(snapshot->arena);
}

const struct environment *config_environment(const struct config *config, const char *name)
{
    for (size_t i = 0; name && i < config->environment_count; i++) {
        if (strcmp(config->environments[i].name, name) == 0)
            return &config->environments[i];
    }
    return NULL;
}
