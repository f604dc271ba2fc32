/*
 * The registry of metrics: a process-wide table, filled at start, read by the ops listener. Counters and
 * histograms are atomic; gauges that are computed from facts (jobs by state, free bytes) are collected by
 * callbacks at scrape. Text 0.0.4 and OpenMetrics 1.0 are two writers (REFERENCE.md section 5.4). Thread
 * rule: any thread; families are declared before threads start. Label values are escaped; sets of label
 * values are bounded per family.
 */
#pragma once
#include "base/buffer.h"
#include "base/err.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric; /* a family */

/* `labels`: space-separated names, at most 4. Counter names are given with _total. Never NULL: a process that
 * cannot declare its metrics ends. Declaring the same name again gives the same family. */
struct metric *metric_declare(const char *name, enum metric_type type, const char *help, const char *labels);
struct metric *metric_declare_histogram(const char *name, const char *help, const char *labels,
                                        const double *bounds, size_t bound_count);

/* Values in the order of the labels; the rest NULL. Past the family's bound of sets (1000) they go to
 * `other`. */
void metric_add(struct metric *metric, double amount, const char *const *values);
void metric_set(struct metric *metric, double value, const char *const *values);
void metric_observe(struct metric *metric, double value, const char *const *values);
#define METRIC_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define METRIC_NO_LABELS ((const char *const[]){NULL})
/* Makes the set appear at 0. */
void metric_touch(struct metric *metric, const char *const *values);

/* Called at each scrape before writing, to set gauges from facts. */
void metrics_on_collect(void (*collect)(void *arg), void *arg);
/* Forgets every set of a gauge family: a collector calls it before setting the present ones. */
void metric_forget(struct metric *metric);

void metrics_write_text(struct buffer *out);
void metrics_write_openmetrics(struct buffer *out);
void metrics_process(void); /* declares and, at scrape, fills the process_* set */
