#include "server/compose.h"

#include <errno.h>
#include <sys/stat.h>
#include <openssl/crypto.h>

#include "audit/log.h"
#include "auth/secret_file.h"
#include "auth/totp.h"
#include "aws/endpoint.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "jobs/kinds.h"
#include "server/embedded.h"
#include "server/options.h"

#define OPS_STOP_MS 1000
#define OPS_PATIENCE_MS 250 /* whoever scrapes or probes is near; a crowd there must not hide us */

/* -- making -- */

static int make_folder(const char *path, struct err *err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_CONFIG, "data folder %s: %s", path, strerrordesc_np(errno));
    return 0;
}

static int make_folders(const struct config *config, struct err *err)
{
    char spool[4096];

    snprintf(spool, sizeof(spool), "%s/spool", config->data_dir);
    return make_folder(config->data_dir, err) < 0 ? -1 : make_folder(spool, err);
}

static void on_commit(void *arg)
{
    wait_hub_wake(arg);
}

static int open_store(struct server *server, struct err *err)
{
    struct store_options options = {.url = server->config->store,
                                    .data_dir = server->config->data_dir,
                                    .min_free_bytes = server->config->min_free_bytes,
                                    .on_commit = on_commit,
                                    .on_commit_arg = server->hub};

    return store_open(&options, &server->store, err);
}

static int make_engine(struct server *server, const uint8_t totp_key[TOTP_KEY_SIZE], struct err *err)
{
    struct engine_options options = {.store = server->store,
                                     .config = server->config,
                                     .kinds = job_kinds,
                                     .node = server->config->node,
                                     .has_totp = server->config->totp_key_file != NULL};
    int result;

    memcpy(options.totp_key, totp_key, sizeof(options.totp_key));
    result = engine_new(&options, &server->engine, err);
    OPENSSL_cleanse(&options, sizeof(options));
    return result;
}

static int make_app(struct server *server, struct verifier *verifier, const uint8_t totp_key[TOTP_KEY_SIZE],
                    struct err *err)
{
    struct app_options options = {.store = server->store,
                                  .engine = server->engine,
                                  .hub = server->hub,
                                  .node = server->config->node,
                                  .verifier = verifier,
                                  .has_totp = server->config->totp_key_file != NULL,
                                  .openapi = embedded_openapi()};
    int result;

    memcpy(options.totp_key, totp_key, sizeof(options.totp_key));
    result = app_new(&options, &server->app, err);
    OPENSSL_cleanse(&options, sizeof(options));
    return result;
}

/* What the configuration names must be readable before the store is touched. */
static int load_secrets(const struct config *config, struct verifier **ret_verifier,
                        uint8_t ret_totp_key[TOTP_KEY_SIZE], struct err *err)
{
    memset(ret_totp_key, 0, TOTP_KEY_SIZE);
    if (config->totp_key_file && totp_key_load(config->totp_key_file, ret_totp_key, err) < 0)
        return -1;
    return verifier_new(config, NULL, ret_verifier, err);
}

int server_compose(struct server *server, struct config *config, struct err *err)
{
    uint8_t totp_key[TOTP_KEY_SIZE];
    struct verifier *verifier = NULL;
    int code = EXIT_INTERNAL;

    *server = (struct server){.config = config};
    if (load_secrets(config, &verifier, totp_key, err) < 0 || make_folders(config, err) < 0) {
        code = EXIT_CONFIG;
    } else if (!(server->hub = wait_hub_new(config->http_waiters))) {
        err_set(err, ERR_NO_MEMORY, "no memory for %d waiters", config->http_waiters);
    } else if (open_store(server, err) < 0) {
        code = EXIT_STORE;
    } else if (make_engine(server, totp_key, err) == 0 &&
               make_app(server, TAKE(verifier), totp_key, err) == 0) {
        app_metrics_declare(server->app);
        code = 0;
    }
    verifier_release(verifier);
    OPENSSL_cleanse(totp_key, sizeof(totp_key));
    return code;
}

/* -- listening -- */

int tls_files_read(const struct config *config, struct tls_files *ret_files, struct err *err)
{
    *ret_files = (struct tls_files){0};
    if (!config->tls_certificate_file)
        return 0;
    if (secret_file_read(config->tls_certificate_file, PEM_MAX, &ret_files->certificate, err) == 0 &&
        secret_file_read(config->tls_key_file, PEM_MAX, &ret_files->key, err) == 0)
        return 0;
    tls_files_done(ret_files);
    return -1;
}

void tls_files_done(struct tls_files *files)
{
    buffer_done(&files->certificate);
    buffer_done(&files->key);
}

static void on_http_log(void *arg, const char *text)
{
    (void)arg;
    log_write(LOG_DEBUG, "http", "text", text, NULL);
}

int server_check(const struct config *config, struct err *err)
{
    uint8_t totp_key[TOTP_KEY_SIZE];
    struct verifier *verifier = NULL;
    struct tls_files tls;
    int result = load_secrets(config, &verifier, totp_key, err);

    verifier_release(verifier);
    OPENSSL_cleanse(totp_key, sizeof(totp_key));
    if (result < 0 || tls_files_read(config, &tls, err) < 0)
        return -1;
    tls_files_done(&tls);
    return 0;
}

static int listen_on(struct http_server_options *options, const struct address_config *address,
                     struct http_server **ret_server, struct err *err)
{
    options->host = address->host;
    options->port = address->port;
    options->on_log = on_http_log;
    if (http_server_start(options, ret_server, err) == 0)
        return 0;
    return err->code == ERR_CONFLICT ? EXIT_ADDRESS : err->code == ERR_CONFIG ? EXIT_CONFIG : EXIT_INTERNAL;
}

static int start_api(struct server *server, struct err *err)
{
    const struct config *config = server->config;
    _cleanup_(tls_files_done) struct tls_files tls;
    struct http_server_options options = {.connection_limit = config->http_connections,
                                          .handler = app_handler(server->app),
                                          .hub = server->hub,
                                          .trusted_proxies = config->trusted_proxies};

    if (tls_files_read(config, &tls, err) < 0)
        return EXIT_CONFIG;
    if (tls.certificate.data) {
        options.certificate_pem = buffer_bytes(&tls.certificate);
        options.key_pem = buffer_bytes(&tls.key);
    }
    return listen_on(&options, &config->listen, &server->api, err);
}

static int start_ops(struct server *server, struct err *err)
{
    struct http_server_options options = {.connection_limit = OPS_CONNECTIONS,
                                          .handler = app_ops_handler(server->app),
                                          .deadlines = {.patience_ms = OPS_PATIENCE_MS}};

    return listen_on(&options, &server->config->ops_listen, &server->ops, err);
}

/* -- the record -- */

struct record {
    struct server *server;
    enum audit_action action;
    const char *outcome;
    const char *detail;
};

static int record_tx(struct tx *tx, void *ctx, struct err *err)
{
    const struct record *record = ctx;
    struct audit_entry entry = audit_entry_by(NULL, record->action, record->outcome);

    entry.detail = record->detail;
    return tx_audit(tx, record->server->config->node, &entry, err);
}

int server_audit(struct server *server, enum audit_action action, const char *outcome, const json_t *detail,
                 struct err *err)
{
    _cleanup_(cleanup_free) char *text = detail ? json_dumped(detail, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    struct record record = {server, action, outcome, text};

    if (detail && !text)
        return err_set(err, ERR_NO_MEMORY, "no memory for an audit row");
    return store_tx(server->store, "server", record_tx, &record, err);
}

static int record_start(struct server *server, struct err *err)
{
    json_auto_t *detail =
        json_pack("{s:s,s:s,s:o}", "version", RECOVERD_VERSION, "configuration_sha256",
                  server->config->sha256, "security", config_security_changes(NULL, server->config));

    if (!detail)
        return err_set(err, ERR_NO_MEMORY, "no memory for an audit row");
    return server_audit(server, AUDIT_SERVER_STARTED, "ok", detail, err);
}

static void log_endpoints(const struct config *config)
{
    for (size_t e = 0; e < config->environment_count; e++)
        for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
            struct aws_endpoint endpoint;
            struct err err = ERR_INIT;

            if (aws_endpoint_find(&config->environments[e], (enum aws_service_id)i, &endpoint, &err) < 0)
                log_err(LOG_WARN, "an endpoint cannot be used", &err, "environment",
                        config->environments[e].name, NULL);
            else if (endpoint.custom)
                log_write(LOG_INFO, "endpoint override", "environment", config->environments[e].name,
                          "service", aws_service((enum aws_service_id)i)->name, "url", endpoint.url, NULL);
        }
}

static void log_start(const struct server *server)
{
    const struct config *config = server->config;
    char listen[128], ops[128];

    snprintf(listen, sizeof(listen), "%s:%d", config->listen.host, http_server_port(server->api));
    snprintf(ops, sizeof(ops), "%s:%d", config->ops_listen.host, http_server_port(server->ops));
    log_endpoints(config);
    log_write(LOG_INFO, "ready", "version", RECOVERD_VERSION, "node", config->node, "listen", listen,
              "ops_listen", ops, "tls", config->tls_certificate_file ? "yes" : "no", "configuration",
              config->path, "sha256", config->sha256, NULL);
}

int server_start(struct server *server, struct err *err)
{
    struct verifier *verifier = app_verifier_hold(server->app);
    int code = verifier_start(verifier, err) < 0 ? EXIT_INTERNAL : start_ops(server, err);

    verifier_release(verifier);
    if (code != 0)
        return code;
    if (record_start(server, err) < 0)
        return EXIT_STORE;
    /* Before the workers: a start that fails, again and again perhaps, must not take up parts and count as a
     * crash in them. */
    code = start_api(server, err);
    if (code != 0)
        return code;
    if (engine_start(server->engine, err) < 0)
        return EXIT_INTERNAL;
    app_listener(server->app, server->api);
    log_start(server);
    return 0;
}

/* -- ending -- */

static int64_t left_ms(int64_t deadline_boot_ms)
{
    int64_t left = deadline_boot_ms - clock_boot_ms();

    return left > 0 ? left : 0;
}

void server_drain(struct server *server, int64_t deadline_boot_ms)
{
    struct http_server *api = server->api;
    struct err err = ERR_INIT;

    app_drain(server->app);
    if (api)
        http_server_drain_begin(api);
    engine_stop(server->engine, deadline_boot_ms);
    app_listener(server->app, NULL);
    server->api = NULL;
    http_server_stop(api, left_ms(deadline_boot_ms));
    app_tick(server->app, true);
    if (server_audit(server, AUDIT_SERVER_STOPPED, "ok", NULL, &err) < 0)
        log_err(LOG_ERROR, "the end could not be recorded in the audit trail", &err, NULL);
}

void server_done(struct server *server)
{
    if (server->app)
        app_listener(server->app, NULL);
    http_server_stop(server->api, 0);
    http_server_stop(server->ops, OPS_STOP_MS);
    if (server->engine)
        engine_stop(server->engine,
                    clock_boot_ms() + server->config->drain_ms); /* after a start that failed */
    app_free(server->app);
    engine_free(server->engine);
    store_close(server->store);
    wait_hub_free(server->hub);
    config_release(server->config);
    *server = (struct server){0};
}
