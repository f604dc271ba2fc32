/* Gauges that are facts of the store and the engine, read at each scrape (CONTRACT.md section 6). */
#include "handlers/handlers.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "handlers/dispatch.h"
#include "store/audit_log.h"

static struct metric *build_info, *jobs, *oldest_start, *queue_oldest, *points, *backup_last, *proof_last,
    *backup_size, *free_bytes, *busy, *expiry, *skew, *audit_entries, *reload_ok, *connections, *retry_quota;

struct facts {
    struct arena *arena;
    struct job_count *jobs;
    size_t job_count;
    struct point_count *points;
    size_t point_count;
    struct point_latest *latest;
    size_t latest_count;
    int64_t audit_entries;
};

static int read_facts(struct tx *tx, void *ctx, struct err *err)
{
    struct facts *facts = ctx;

    if (tx_jobs_count(tx, facts->arena, &facts->jobs, &facts->job_count, err) < 0 ||
        tx_points_count(tx, facts->arena, &facts->points, &facts->point_count, err) < 0 ||
        tx_points_latest(tx, facts->arena, &facts->latest, &facts->latest_count, err) < 0)
        return -1;
    return tx_audit_count(tx, &facts->audit_entries, err);
}

/* -- label sets that are known from the start -- */

static void zero_jobs(const struct app *app, const struct config *config)
{
    static const enum job_state open[] = {JOB_AWAITING_APPROVAL, JOB_QUEUED, JOB_RUNNING};
    const struct job_kind *const *kinds = engine_kinds(app->engine);

    for (size_t k = 0; kinds[k]; k++)
        for (size_t e = 0; e < config->environment_count; e++)
            for (size_t s = 0; s < COUNT_OF(open); s++)
                metric_set(
                    jobs, 0,
                    METRIC_LABELS(kinds[k]->name, config->environments[e].name, job_state_name(open[s])));
}

/* resource takes configured names, and what their globs match; 0 is never. */
static void zero_backups(const struct environment *environment, const struct name_list *tables)
{
    char resource[300];

    for (size_t t = 0; t < tables->count; t++) {
        if (is_glob(tables->names[t]))
            continue;
        snprintf(resource, sizeof(resource), "table/%s", tables->names[t]);
        metric_set(backup_last, 0, METRIC_LABELS(environment->name, resource, "scan"));
        metric_set(backup_size, 0, METRIC_LABELS(environment->name, resource, "scan"));
        metric_set(proof_last, 0, METRIC_LABELS(environment->name, resource));
    }
}

static void zero_found(const struct app *app, const struct environment *environment, struct arena *arena)
{
    struct name_list tables;
    struct err err = ERR_INIT;

    if (arena && engine_tables_found(app->engine, environment->name, arena, &tables, &err) == 0)
        zero_backups(environment, &tables);
}

static void zero_points(const struct environment *environment)
{
    for (int status = 0; status < POINT_STATUS_COUNT; status++)
        metric_set(points, 0,
                   METRIC_LABELS(environment->name, "table", point_status_name((enum point_status)status)));
}

static void zero(const struct app *app, const struct config *config, struct arena *arena)
{
    struct metric *const families[] = {jobs,       oldest_start, points, backup_last,
                                       proof_last, backup_size,  expiry, skew};

    for (size_t i = 0; i < COUNT_OF(families); i++)
        metric_forget(families[i]);
    zero_jobs(app, config);
    for (size_t e = 0; e < config->environment_count; e++) {
        zero_backups(&config->environments[e], &config->environments[e].tables);
        zero_found(app, &config->environments[e], arena);
        zero_points(&config->environments[e]);
    }
}

/* -- facts -- */

static double seconds(int64_t wall_ms)
{
    return (double)wall_ms / 1000;
}

static void set_jobs(const struct facts *facts)
{
    int64_t oldest = 0;

    for (size_t i = 0; i < facts->job_count; i++) {
        const struct job_count *count = &facts->jobs[i];
        const char *const *labels =
            METRIC_LABELS(count->kind, count->environment, job_state_name(count->state));

        metric_set(jobs, (double)count->count, labels);
        if (count->oldest_start > 0)
            metric_set(oldest_start, seconds(count->oldest_start), labels);
        if (count->state == JOB_QUEUED && (oldest == 0 || count->oldest_created < oldest))
            oldest = count->oldest_created;
    }
    metric_set(queue_oldest, seconds(oldest), METRIC_NO_LABELS);
}

/* A name that is not configured (a table a job made, an environment that is gone) would be one more label set
 * for ever. */
static bool configured(const struct config *config, const char *environment, const char *resource)
{
    const struct environment *found = config_environment(config, environment);

    return found && str_starts(resource, "table/") &&
           environment_lists_table(found, resource + strlen("table/"));
}

static void set_points(const struct facts *facts, const struct config *config)
{
    for (size_t i = 0; i < facts->point_count; i++) {
        const struct point_count *count = &facts->points[i];

        metric_set(points, (double)count->count,
                   METRIC_LABELS(count->environment, count->type, point_status_name(count->status)));
    }
    for (size_t i = 0; i < facts->latest_count; i++) {
        const struct point_latest *latest = &facts->latest[i];

        if (!configured(config, latest->environment, latest->resource))
            continue;
        metric_set(backup_last, seconds(latest->created_at),
                   METRIC_LABELS(latest->environment, latest->resource, latest->method));
        metric_set(backup_size, (double)latest->stored_bytes,
                   METRIC_LABELS(latest->environment, latest->resource, latest->method));
        if (latest->proven_at > 0)
            metric_set(proof_last, seconds(latest->proven_at),
                       METRIC_LABELS(latest->environment, latest->resource));
    }
}

static void set_environments(struct app *app, const struct config *config)
{
    double widest = 0;

    for (size_t i = 0; i < config->environment_count; i++) {
        const char *name = config->environments[i].name;
        struct environment_state state = {0};
        struct err err = ERR_INIT;
        double offset;

        if (engine_environment_state(app->engine, name, &state, &err) < 0)
            continue; /* the configuration changed in between: the next scrape shows it */
        metric_set(expiry, seconds(state.credentials_expire_at), METRIC_LABELS(name));
        offset = seconds(state.clock_offset_ms);
        if (offset * offset > widest * widest)
            widest = offset;
    }
    metric_set(skew, widest, METRIC_NO_LABELS);
}

static void set_quotas(struct app *app)
{
    const char *service;
    int left;

    for (size_t n = 0; engine_retry_quota(app->engine, n, &service, &left); n++)
        metric_set(retry_quota, left, METRIC_LABELS(service));
}

static int listener_connections(struct app *app)
{
    int count;

    pthread_mutex_lock(&app->lock);
    count = app->listener ? http_server_connections(app->listener) : 0;
    pthread_mutex_unlock(&app->lock);
    return count;
}

static void collect(void *arg)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(REQUEST_ARENA_MAX);
    struct facts facts = {.arena = arena};
    struct app *app = arg;
    const struct config *config = engine_config_hold(app->engine);
    struct err err = ERR_INIT;

    zero(app, config, arena);
    /* without the store the gauges stay at 0, and /readyz says why */
    if (arena && store_read_ops(app->store, read_facts, &facts, &err) == 0) {
        set_jobs(&facts);
        set_points(&facts, config);
        metric_set(audit_entries, (double)facts.audit_entries, METRIC_NO_LABELS);
    }
    set_environments(app, config);
    set_quotas(app);
    metric_set(free_bytes, (double)store_free_bytes(app->store), METRIC_NO_LABELS);
    metric_set(busy, engine_workers_busy(app->engine), METRIC_NO_LABELS);
    metric_set(connections, listener_connections(app), METRIC_NO_LABELS);
    metric_set(reload_ok, atomic_load(&app->reload_ok) ? 1 : 0, METRIC_NO_LABELS);
    config_release((struct config *)(uintptr_t)config);
}

void app_metrics_declare(struct app *app)
{
    const struct {
        struct metric **family;
        const char *name, *help, *labels;
    } gauges[] = {
        {&build_info, "recoverd_build_info", "1, with the version as label.", "version"},
        {&jobs, "recoverd_jobs", "Jobs that have not ended, by state.", "kind environment state"},
        {&oldest_start, "recoverd_job_oldest_start_timestamp_seconds",
         "When the oldest job of a state began.", "kind environment state"},
        {&queue_oldest, "recoverd_queue_oldest_timestamp_seconds",
         "When the oldest queued job was accepted; 0: none waits.", ""},
        {&points, "recoverd_recovery_points", "Recovery points in the catalogue.", "environment type status"},
        {&backup_last, "recoverd_backup_last_success_timestamp_seconds",
         "When the newest good backup was made; 0: never.", "environment resource method"},
        {&proof_last, "recoverd_proof_last_success_timestamp_seconds",
         "When a backup was last proven by a restore; 0: never.", "environment resource"},
        {&backup_size, "recoverd_backup_size_bytes", "Stored size of the newest good backup.",
         "environment resource method"},
        {&free_bytes, "recoverd_store_free_bytes", "Free bytes on the disk of the store.", ""},
        {&busy, "recoverd_workers_busy", "Workers that run a part now.", ""},
        {&expiry, "recoverd_aws_credentials_expiry_timestamp_seconds",
         "When the credentials end; 0: never or not known.", "environment"},
        {&skew, "recoverd_aws_clock_skew_seconds", "AWS's clock minus ours, the widest of all environments.",
         ""},
        {&retry_quota, "recoverd_aws_retry_quota", "What is left of the retry quota, 500 when all is well.",
         "service"},
        {&reload_ok, "recoverd_config_reload_success", "1 when the last reload took the configuration.", ""},
        {&connections, "recoverd_http_connections", "Open connections of the API.", ""},
    };

    for (size_t i = 0; i < COUNT_OF(gauges); i++)
        *gauges[i].family = metric_declare(gauges[i].name, METRIC_GAUGE, gauges[i].help, gauges[i].labels);
    audit_entries =
        metric_declare("recoverd_audit_entries_total", METRIC_COUNTER, "Rows in the audit trail.", "");
    metric_set(build_info, 1, METRIC_LABELS(RECOVERD_VERSION));
    count_declare();
    metrics_process();
    metrics_on_collect(collect, app);
}
