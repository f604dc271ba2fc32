#include "server/reload.h"

#include "audit/log.h"
#include "base/cleanup.h"
#include "base/log.h"

/* What the new configuration needs, made before anything is swapped. */
struct next {
    struct config *config;
    struct verifier *verifier;
    struct tls_files tls;
};

static void next_done(struct next *next)
{
    config_release(next->config);
    verifier_release(next->verifier);
    tls_files_done(&next->tls);
}

void report_faults(const struct faults *faults, const struct err *err)
{
    for (size_t i = 0; i < faults->count; i++)
        fprintf(stderr, "%s: %s\n", faults->list[i].place, faults->list[i].detail);
    if (faults->total > faults->count)
        fprintf(stderr, "and %zu more\n", faults->total - faults->count);
    if (faults->count == 0)
        fprintf(stderr, "recoverd: %s\n", err->message);
}

static int read_config(const char *path, struct next *next, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(CONFIG_ARENA_MAX);
    struct faults faults;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for a configuration");
    faults_init(&faults, arena);
    next->config = config_load(path, &faults, err);
    if (next->config)
        return 0;
    for (size_t i = 0; i < faults.count; i++)
        log_write(LOG_ERROR, "configuration fault", "place", faults.list[i].place, "detail",
                  faults.list[i].detail, NULL);
    return err->code == ERR_NONE ? err_set(err, ERR_CONFIG, "the configuration has faults") : -1;
}

static int prepare(const struct server *server, struct next *next, struct err *err)
{
    struct verifier *before = app_verifier_hold(server->app);
    int result = read_config(server->config->path, next, err) < 0 ||
                         verifier_new(next->config, before, &next->verifier, err) < 0
                     ? -1
                     : 0;

    verifier_release(before);
    if (result < 0)
        return -1;
    /* tls that comes or goes needs a restart, as its keys say; certificates are read again where it stays */
    if (server->config->tls_certificate_file && next->config->tls_certificate_file)
        return tls_files_read(next->config, &next->tls, err);
    return 0;
}

static int swap_certificate(struct server *server, const struct next *next, struct err *err)
{
    if (!next->tls.certificate.data)
        return 0;
    return http_server_replace_certificate(server->api, buffer_bytes(&next->tls.certificate),
                                           buffer_bytes(&next->tls.key), err);
}

static int record_reload(struct server *server, const struct next *next, const char *restart, struct err *err)
{
    json_auto_t *detail = json_pack("{s:s,s:s,s:s,s:o}", "before_sha256", server->config->sha256,
                                    "configuration_sha256", next->config->sha256, "needs_restart", restart,
                                    "security", config_security_changes(server->config, next->config));

    if (!detail)
        return err_set(err, ERR_NO_MEMORY, "no memory for an audit row");
    return server_audit(server, AUDIT_CONFIG_RELOADED, "ok", detail, err);
}

static void refuse(struct server *server, const struct err *cause)
{
    json_auto_t *detail =
        json_pack("{s:s,s:s}", "in_force_sha256", server->config->sha256, "fault", cause->message);
    struct err err = ERR_INIT;

    app_reloaded(server->app, false);
    log_err(LOG_ERROR, "the configuration was not reloaded; the old one stays in force", cause, NULL);
    if (server_audit(server, AUDIT_CONFIG_REFUSED, "refused", detail, &err) < 0)
        log_err(LOG_ERROR, "the refused reload could not be recorded in the audit trail", &err, NULL);
}

/* What fails most easily comes first: a certificate that does not fit its key. Then the row, so that nothing
 * is in force that was not recorded, and the swaps. A good certificate stays also when the row cannot be
 * written. */
static int take(struct server *server, struct next *next, const char *restart, struct err *err)
{
    if (swap_certificate(server, next, err) < 0 || record_reload(server, next, restart, err) < 0 ||
        verifier_start(next->verifier, err) < 0 || engine_reload(server->engine, next->config, err) < 0)
        return -1;
    app_verifier_replace(server->app, TAKE(next->verifier));
    config_release(server->config);
    server->config = TAKE(next->config);
    log_setup(server->config->log_level, server->config->log_format);
    app_reloaded(server->app, true);
    server->said = (struct issuers_said){0};
    return 0;
}

void server_reload(struct server *server)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(MIB);
    _cleanup_(next_done) struct next next = {0};
    struct err err = ERR_INIT;
    const char *restart;

    if (prepare(server, &next, &err) < 0) {
        refuse(server, &err);
        return;
    }
    restart = arena ? config_restart_keys(server->config, next.config, arena) : NULL;
    if (!restart)
        err_set(&err, ERR_NO_MEMORY, "no memory to compare the configurations");
    if (!restart || take(server, &next, restart, &err) < 0) {
        refuse(server, &err);
        return;
    }
    log_write(LOG_INFO, "configuration reloaded", "sha256", server->config->sha256, "needs_restart",
              restart[0] ? restart : NULL, NULL);
}
