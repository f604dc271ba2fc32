/* What the engine counts (CONTRACT.md section 6). Families are declared once, before threads start. */
#include "base/metrics.h"

#include "base/clock.h"
#include "engine/internal.h"

static struct metric *finished, *duration, *retries, *lost, *aws_requests;

static void start_at_zero(const char *kind, const char *environment, enum job_state state)
{
    const char *const *labels = METRIC_LABELS(kind, environment, job_state_name(state));

    metric_touch(finished, labels);
    metric_touch(duration, labels);
}

void engine_metrics_declare(void)
{
    static const double bounds[] = {1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400};

    finished = metric_declare("recoverd_jobs_finished_total", METRIC_COUNTER,
                              "Jobs that reached a final state.", "kind environment outcome");
    duration = metric_declare_histogram("recoverd_job_duration_seconds", "Time from start to end of a job.",
                                        "kind environment outcome", bounds, COUNT_OF(bounds));
    retries = metric_declare("recoverd_job_retries_total", METRIC_COUNTER,
                             "Attempts at a part that failed and will be made again.", "kind");
    lost = metric_declare("recoverd_lease_lost_total", METRIC_COUNTER,
                          "Leases that were lost while a worker held them.", "");
    aws_requests = metric_declare("recoverd_aws_requests_total", METRIC_COUNTER,
                                  "Requests sent to AWS, every attempt.", "service operation outcome");
}

void engine_metrics_begin(const struct job_kind *const *kinds, const struct config *config)
{
    metric_touch(lost, METRIC_NO_LABELS);
    for (size_t k = 0; kinds[k]; k++) {
        metric_touch(retries, METRIC_LABELS(kinds[k]->name));
        for (size_t e = 0; e < config->environment_count; e++)
            for (int state = JOB_SUCCEEDED; state < JOB_STATE_COUNT; state++)
                start_at_zero(kinds[k]->name, config->environments[e].name, (enum job_state)state);
    }
}

void engine_count_aws(void *arg, const struct aws_attempt *attempt)
{
    (void)arg;
    metric_add(aws_requests, 1, METRIC_LABELS(attempt->service, attempt->operation, attempt->outcome));
}

void engine_count_retry(const char *kind)
{
    metric_add(retries, 1, METRIC_LABELS(kind));
}

void engine_count_lost(void)
{
    metric_add(lost, 1, METRIC_NO_LABELS);
}

void engine_count_end(const struct ending *ending)
{
    const char *const *labels =
        METRIC_LABELS(ending->kind, ending->environment, job_state_name(ending->state));
    int64_t took_ms = clock_wall_ms() - ending->started_at;

    metric_add(finished, 1, labels);
    if (ending->started_at) /* of rows, which a restart outlives: so by the wall, which may have been put back
                             */
        metric_observe(duration, took_ms > 0 ? (double)took_ms / 1000 : 0, labels);
}
