#include "jobs/history.h"

#include <stdlib.h>

#include "engine/engine.h"
#include "store/jobs.h"
#include "store/store.h"

struct history {
    const struct ask *ask;
    struct job_history rows[JOB_HISTORY_MAX];
    size_t count;
};

static int read_history(struct tx *tx, void *ctx, struct err *err)
{
    struct history *h = ctx;

    return tx_jobs_history(tx, h->ask->kind->name, h->ask->environment->name, h->ask->resource, h->rows,
                           &h->count, err);
}

static int by_duration(const void *a, const void *b)
{
    int64_t x = ((const struct job_history *)a)->duration_ms,
            y = ((const struct job_history *)b)->duration_ms;

    return (x > y) - (x < y);
}

int history_estimate(const struct ask *ask, json_t *estimates, int64_t *ret_p95_ms, struct err *err)
{
    struct history h = {.ask = ask};
    int64_t p50, p95;

    if (store_read(engine_store(ask->engine), read_history, &h, err) < 0)
        return -1;
    *ret_p95_ms = 0;
    if (h.count == 0)
        return 0;
    qsort(h.rows, h.count, sizeof(h.rows[0]), by_duration);
    p50 = h.rows[h.count / 2].duration_ms;
    p95 = h.rows[h.count * 95 / 100].duration_ms;
    if (json_object_set_new(estimates, "duration_p50_seconds", json_integer(p50 / 1000)) < 0 ||
        json_object_set_new(estimates, "duration_p95_seconds", json_integer(p95 / 1000)) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    *ret_p95_ms = p95;
    return 0;
}
