#include "base/metrics.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/metrics_internal.h"
#include "base/str.h"

/* The one mutable global besides the log: what a process counts is the process's. */
static struct {
    pthread_mutex_t families_lock; /* the list of families and of collectors */
    pthread_mutex_t scrape_lock;   /* collectors forget and set again: two scrapes must not interleave */
    struct metric *families;
    struct {
        void (*collect)(void *arg);
        void *arg;
    } collectors[METRIC_COLLECTORS_MAX];
    size_t collector_count;
} registry = {.families_lock = PTHREAD_MUTEX_INITIALIZER, .scrape_lock = PTHREAD_MUTEX_INITIALIZER};

/* A declaration is code, not input: a wrong one is a bug that the first start shows. */
static _Noreturn void cannot_declare(const char *name, const char *why)
{
    fprintf(stderr, "metric %s: %s\n", name ? name : "(null)", why);
    abort();
}

static bool is_metric_name(const char *name, bool label)
{
    if (!name || !*name || isdigit((unsigned char)*name))
        return false;
    for (const char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '_' && (label || *c != ':'))
            return false;
    }
    return true;
}

static void take_labels(struct metric *metric, const char *labels)
{
    metric->label_words = strdup(labels ? labels : "");
    if (!metric->label_words)
        cannot_declare(metric->name, "no memory");
    char *at = metric->label_words;
    while (*(at += strspn(at, " "))) {
        if (metric->label_count == METRIC_LABELS_MAX)
            cannot_declare(metric->name, "too many labels");
        metric->labels[metric->label_count++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    for (size_t i = 0; i < metric->label_count; i++) {
        if (!is_metric_name(metric->labels[i], true) || strcmp(metric->labels[i], "le") == 0)
            cannot_declare(metric->name, "a label has a name that cannot be used");
    }
}

static void take_bounds(struct metric *metric, const double *bounds, size_t bound_count)
{
    if (bound_count == 0)
        return;
    double *copy = calloc(bound_count, sizeof *copy);
    if (!copy)
        cannot_declare(metric->name, "no memory");
    for (size_t i = 0; i < bound_count; i++) {
        if (!isfinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1]))
            cannot_declare(metric->name, "the bounds do not rise");
        copy[i] = bounds[i];
    }
    metric->bounds = copy;
    metric->bound_count = bound_count;
}

static struct metric *family_new(const char *name, enum metric_type type, const char *help,
                                 const char *labels, const double *bounds, size_t bound_count)
{
    if (!is_metric_name(name, false))
        cannot_declare(name, "the name cannot be used");
    if ((type == METRIC_COUNTER) != str_ends(name, "_total"))
        cannot_declare(name, "counters, and only they, end in _total");
    struct metric *metric = calloc(1, sizeof *metric);
    if (!metric)
        cannot_declare(name, "no memory");
    metric->name = strdup(name);
    metric->help = strdup(help ? help : "");
    if (!metric->name || !metric->help || pthread_rwlock_init(&metric->lock, NULL) != 0)
        cannot_declare(name, "no memory");
    metric->type = type;
    take_labels(metric, labels);
    take_bounds(metric, bounds, bound_count);
    return metric;
}

static struct metric *declare(const char *name, enum metric_type type, const char *help, const char *labels,
                              const double *bounds, size_t bound_count)
{
    pthread_mutex_lock(&registry.families_lock);
    struct metric **at = &registry.families;
    while (*at && strcmp((*at)->name, name) < 0)
        at = &(*at)->next;
    struct metric *metric = *at;
    if (!metric || strcmp(metric->name, name) != 0) {
        metric = family_new(name, type, help, labels, bounds, bound_count);
        metric->next = *at;
        *at = metric;
    } else if (metric->type != type) {
        cannot_declare(name, "declared before with another type");
    }
    pthread_mutex_unlock(&registry.families_lock);
    if (metric->label_count == 0)
        metric_touch(metric, METRIC_NO_LABELS); /* its only set is known from the start */
    return metric;
}

struct metric *metric_declare(const char *name, enum metric_type type, const char *help, const char *labels)
{
    if (type == METRIC_HISTOGRAM)
        cannot_declare(name, "a histogram needs bounds");
    return declare(name, type, help, labels, NULL, 0);
}

struct metric *metric_declare_histogram(const char *name, const char *help, const char *labels,
                                        const double *bounds, size_t bound_count)
{
    if (bound_count == 0)
        cannot_declare(name, "a histogram needs bounds");
    return declare(name, METRIC_HISTOGRAM, help, labels, bounds, bound_count);
}

/* -- sets of label values -- */

/* Brings what the caller gave to exactly label_count texts: the rest is "", what is too much is dropped. */
static void settle_values(const struct metric *metric, const char *const *values, const char **ret_values)
{
    bool ended = !values;
    for (size_t i = 0; i < metric->label_count; i++) {
        ended = ended || !values[i];
        ret_values[i] = ended ? "" : values[i];
    }
}

/* FNV-1a, each value closed by its NUL, so that ("ab","c") and ("a","bc") differ. */
static uint64_t hash_values(const struct metric *metric, const char *const *values)
{
    uint64_t hash = 14695981039346656037ULL;
    for (size_t i = 0; i < metric->label_count; i++) {
        const char *c = values[i];
        do {
            hash = (hash ^ (unsigned char)*c) * 1099511628211ULL;
        } while (*c++);
    }
    return hash;
}

static struct metric_series *find_series(const struct metric *metric, const char *const *values,
                                         uint64_t hash)
{
    for (struct metric_series *at = metric->hash[hash % METRIC_HASH_SIZE]; at; at = at->next) {
        size_t same = 0;
        /* values has label_count entries */
        // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage)
        while (at->hash == hash && same < metric->label_count && strcmp(at->values[same], values[same]) == 0)
            same++;
        if (at->hash == hash && same == metric->label_count)
            return at;
    }
    return NULL;
}

static struct metric_series *series_new(const struct metric *metric, const char *const *values)
{
    size_t bucket_count = metric->type == METRIC_HISTOGRAM ? metric->bound_count + 1 : 0;
    size_t head = sizeof(struct metric_series) + bucket_count * sizeof(uint64_t);
    size_t size = head;
    for (size_t i = 0; i < metric->label_count; i++)
        size += strlen(values[i]) + 1; // NOLINT(clang-analyzer-core.CallAndMessage)
    struct metric_series *series = calloc(1, size);
    if (!series)
        return NULL;
    char *text = (char *)series + head;
    for (size_t i = 0; i < metric->label_count; i++) {
        size_t len = strlen(values[i]) + 1;
        series->values[i] = memcpy(text, values[i], len);
        text += len;
    }
    return series;
}

static bool room_for_one(struct metric *metric)
{
    if (metric->series_count < metric->series_size)
        return true;
    size_t size = metric->series_size ? metric->series_size * 2 : 8;
    struct metric_series **series = realloc(metric->series, size * sizeof(struct metric_series *));
    if (!series)
        return false;
    metric->series = series;
    metric->series_size = size;
    return true;
}

/* Under the write lock. NULL without memory: that observation is lost, the process goes on. */
static struct metric_series *add_series(struct metric *metric, const char *const *values, uint64_t hash)
{
    struct metric_series *series = find_series(metric, values, hash);
    if (series)
        return series;
    if (!room_for_one(metric) || !(series = series_new(metric, values)))
        return NULL;
    series->hash = hash;
    series->next = metric->hash[hash % METRIC_HASH_SIZE];
    metric->hash[hash % METRIC_HASH_SIZE] = series;
    metric->series[metric->series_count++] = series;
    return series;
}

/* Returns the set with the family's lock held (for reading, or for writing when it is new): series_put ends
 * it. */
static struct metric_series *series_get(struct metric *metric, const char *const *given)
{
    static const char *const others[METRIC_LABELS_MAX] = {"other", "other", "other", "other"};
    const char *values[METRIC_LABELS_MAX];
    settle_values(metric, given, values);
    uint64_t hash = hash_values(metric, values);
    pthread_rwlock_rdlock(&metric->lock);
    struct metric_series *series = find_series(metric, values, hash);
    if (series)
        return series;
    pthread_rwlock_unlock(&metric->lock);
    pthread_rwlock_wrlock(&metric->lock);
    series = find_series(metric, values, hash);
    if (series)
        return series;
    if (metric->series_count >= METRIC_SETS_MAX)
        return add_series(metric, others, hash_values(metric, others));
    return add_series(metric, values, hash);
}

static void series_put(struct metric *metric)
{
    pthread_rwlock_unlock(&metric->lock);
}

static void add_double(_Atomic uint64_t *bits, double amount)
{
    uint64_t old = atomic_load_explicit(bits, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(bits, &old, metric_bits(metric_double(old) + amount),
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

void metric_add(struct metric *metric, double amount, const char *const *values)
{
    if (metric->type == METRIC_HISTOGRAM || !isfinite(amount) ||
        (metric->type == METRIC_COUNTER && amount < 0))
        return;
    struct metric_series *series = series_get(metric, values);
    if (series)
        add_double(&series->value_bits, amount);
    series_put(metric);
}

void metric_set(struct metric *metric, double value, const char *const *values)
{
    if (metric->type == METRIC_HISTOGRAM)
        return;
    struct metric_series *series = series_get(metric, values);
    if (series)
        atomic_store_explicit(&series->value_bits, metric_bits(value), memory_order_relaxed);
    series_put(metric);
}

void metric_observe(struct metric *metric, double value, const char *const *values)
{
    if (metric->type != METRIC_HISTOGRAM || !isfinite(value))
        return;
    size_t bucket = 0;
    while (bucket < metric->bound_count && value > metric->bounds[bucket])
        bucket++;
    struct metric_series *series = series_get(metric, values);
    if (series) {
        atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
        add_double(&series->value_bits, value);
    }
    series_put(metric);
}

void metric_touch(struct metric *metric, const char *const *values)
{
    series_get(metric, values);
    series_put(metric);
}

void metric_forget(struct metric *metric)
{
    if (metric->type != METRIC_GAUGE)
        return;
    pthread_rwlock_wrlock(&metric->lock);
    for (size_t i = 0; i < metric->series_count; i++)
        free(metric->series[i]);
    metric->series_count = 0;
    memset(metric->hash, 0, sizeof metric->hash);
    pthread_rwlock_unlock(&metric->lock);
}

/* -- scraping -- */

void metrics_on_collect(void (*collect)(void *arg), void *arg)
{
    pthread_mutex_lock(&registry.families_lock);
    if (registry.collector_count == METRIC_COLLECTORS_MAX)
        cannot_declare("(collector)", "too many collectors");
    registry.collectors[registry.collector_count].collect = collect;
    registry.collectors[registry.collector_count++].arg = arg;
    pthread_mutex_unlock(&registry.families_lock);
}

void metrics_scrape(void (*each)(const struct metric *metric, void *arg), void *arg)
{
    pthread_mutex_lock(&registry.scrape_lock);
    pthread_mutex_lock(&registry.families_lock);
    size_t collector_count = registry.collector_count;
    pthread_mutex_unlock(&registry.families_lock);
    for (size_t i = 0; i < collector_count; i++) /* without families_lock: a collector may declare */
        registry.collectors[i].collect(registry.collectors[i].arg);
    pthread_mutex_lock(&registry.families_lock);
    for (struct metric *metric = registry.families; metric; metric = metric->next) {
        pthread_rwlock_rdlock(&metric->lock);
        each(metric, arg);
        pthread_rwlock_unlock(&metric->lock);
    }
    pthread_mutex_unlock(&registry.families_lock);
    pthread_mutex_unlock(&registry.scrape_lock);
}
