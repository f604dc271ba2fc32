/* What the registry (metrics.c) and its writers (metrics_write.c) share. Not for other files. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/metrics.h"

#define METRIC_LABELS_MAX 4
#define METRIC_HASH_SIZE 256

/* One set of label values. Doubles are kept as their bits, so that they can be added to atomically. */
struct metric_series {
    struct metric_series *next; /* in its hash bucket */
    uint64_t hash;
    const char *values[METRIC_LABELS_MAX];
    _Atomic uint64_t value_bits; /* the value, or a histogram's sum */
    _Atomic uint64_t buckets[];  /* a histogram's: one for each bound, one for +Inf; not cumulative */
};

struct metric {
    struct metric *next; /* families stand in the order of their names */
    const char *name;
    const char *help;
    enum metric_type type;
    char *label_words; /* the names, each closed by NUL */
    const char *labels[METRIC_LABELS_MAX];
    size_t label_count;
    const double *bounds;
    size_t bound_count;
    pthread_rwlock_t lock; /* read: the sets stay; write: a set comes or goes */
    struct metric_series *hash[METRIC_HASH_SIZE];
    struct metric_series **series; /* in the order in which they appeared */
    size_t series_count;
    size_t series_size;
};

static inline double metric_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t metric_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Runs the collectors, then `each` for every family, families by name. One scrape at a time. */
void metrics_scrape(void (*each)(const struct metric *metric, void *arg), void *arg);
