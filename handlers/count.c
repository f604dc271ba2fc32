/* What requests count: recoverd_http_* and recoverd_auth_failures_total (CONTRACT.md section 6). */
#include "handlers/dispatch.h"

#include "base/metrics.h"

static struct metric *requests, *durations, *failures;

static const char *known_method(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};

    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return methods[i];
    return "other";
}

void count_auth_failure(const struct err *err)
{
    metric_add(failures, 1, METRIC_LABELS(auth_failure_reason(err)));
}

void count_request(const struct request *req, const struct http_request *http,
                   const struct http_outcome *outcome)
{
    const char *route = req && req->route ? req->route->path : "other";
    const char *method = known_method(http->method);
    char status[INT_SIZE];

    int_format(outcome->status, status);
    metric_add(requests, 1, METRIC_LABELS(route, method, status));
    metric_observe(durations, (double)outcome->duration_us / 1e6, METRIC_LABELS(route, method));
}

void count_declare(void)
{
    static const double bounds[] = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60};
    const char *const *reasons = auth_failure_reasons();
    char status[INT_SIZE];

    requests = metric_declare("recoverd_http_requests_total", METRIC_COUNTER,
                              "Requests to the API that have ended.", "route method status");
    durations = metric_declare_histogram("recoverd_http_request_duration_seconds",
                                         "Time from the end of a request's head to the end of its reply.",
                                         "route method", bounds, COUNT_OF(bounds));
    failures = metric_declare("recoverd_auth_failures_total", METRIC_COUNTER,
                              "Requests refused for want of authentication.", "reason");
    for (size_t i = 0; reasons[i]; i++)
        metric_touch(failures, METRIC_LABELS(reasons[i]));
    for (const struct route *route = routes; route->method; route++) {
        int_format(route->status, status);
        metric_touch(requests, METRIC_LABELS(route->path, route->method, status));
        metric_touch(durations, METRIC_LABELS(route->path, route->method));
    }
}
