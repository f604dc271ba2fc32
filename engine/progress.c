/*
 * Progress of running jobs: counted in memory, written about once a second, rebuilt from the parts after a
 * restart. The rate is an exponential mean with a time constant of 15 s; an ETA from a rate younger than 10
 * s, or towards a total that lags, is a guess and says so.
 */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/internal.h"

#define RATE_TIME_MS 15000.0
#define YOUNG_MS 10000

struct counted {
    struct counted *next;
    int64_t job_key;
    char phase[64], unit[24];
    char counting[64]; /* the phase that the numbers are of: a later one that counts nothing keeps them */
    int64_t phase_done, phase_bytes; /* what the parts of `phase` held when it began here */
    int64_t done, bytes, total;
    bool guess, changed;
    int64_t since_ms, rated_at_ms, rated_done, rated_bytes;
    double items_rate, bytes_rate;
};

struct progress_table {
    pthread_mutex_t lock;
    struct counted *first;
};

struct progress_table *progress_new(void)
{
    struct progress_table *table = calloc(1, sizeof(*table));

    if (table)
        pthread_mutex_init(&table->lock, NULL);
    return table;
}

void progress_free(struct progress_table *table)
{
    struct counted *next;

    if (!table)
        return;
    for (struct counted *c = table->first; c; c = next) {
        next = c->next;
        free(c);
    }
    pthread_mutex_destroy(&table->lock);
    free(table);
}

static struct counted *find(struct progress_table *table, int64_t job_key)
{
    struct counted *c = table->first;

    while (c && c->job_key != job_key)
        c = c->next;
    return c;
}

/* The first number of a phase: from here on the numbers are its own. */
static void count_phase(struct counted *c)
{
    int64_t now = clock_boot_ms();

    if (!strcmp(c->counting, c->phase))
        return;
    str_copy(c->counting, sizeof(c->counting), c->phase);
    str_copy(c->unit, sizeof(c->unit), "items");
    c->done = c->rated_done = c->phase_done;
    c->bytes = c->rated_bytes = c->phase_bytes;
    c->since_ms = c->rated_at_ms = now;
    c->items_rate = c->bytes_rate = 0;
    c->total = -1;
    c->guess = true;
}

void progress_open(struct progress_table *table, int64_t job_key, const char *phase, int64_t done,
                   int64_t bytes)
{
    struct counted *c;

    pthread_mutex_lock(&table->lock);
    c = find(table, job_key);
    if (!c && (c = calloc(1, sizeof(*c)))) {
        c->job_key = job_key;
        c->total = -1;
        c->next = table->first;
        table->first = c;
    }
    if (c && strcmp(c->phase, phase)) {
        str_copy(c->phase, sizeof(c->phase), phase);
        c->phase_done = done;
        c->phase_bytes = bytes;
        c->changed = true;
    }
    pthread_mutex_unlock(&table->lock);
}

void progress_add(struct progress_table *table, int64_t job_key, int64_t items, int64_t bytes)
{
    struct counted *c;

    pthread_mutex_lock(&table->lock);
    c = find(table, job_key);
    if (c && (items || bytes)) {
        count_phase(c);
        c->done += items;
        c->bytes += bytes;
        c->changed = true;
    }
    pthread_mutex_unlock(&table->lock);
}

void progress_set_total(struct progress_table *table, int64_t job_key, int64_t total, bool guess,
                        const char *unit)
{
    struct counted *c;

    pthread_mutex_lock(&table->lock);
    c = find(table, job_key);
    if (c) {
        count_phase(c);
        c->total = total;
        c->guess = guess;
        str_copy(c->unit, sizeof(c->unit), unit);
        c->changed = true;
    }
    pthread_mutex_unlock(&table->lock);
}

void progress_close(struct progress_table *table, int64_t job_key)
{
    struct counted **at = &table->first;

    pthread_mutex_lock(&table->lock);
    while (*at && (*at)->job_key != job_key)
        at = &(*at)->next;
    if (*at) {
        struct counted *gone = *at;

        *at = gone->next;
        free(gone);
    }
    pthread_mutex_unlock(&table->lock);
}

static void rate(struct counted *c, int64_t now)
{
    double elapsed = (double)(now - c->rated_at_ms);
    double weight;

    if (elapsed <= 0)
        return;
    weight = c->items_rate > 0 || c->bytes_rate > 0 ? 1 - exp(-elapsed / RATE_TIME_MS) : 1;
    c->items_rate += weight * ((double)(c->done - c->rated_done) / elapsed * 1000 - c->items_rate);
    c->bytes_rate += weight * ((double)(c->bytes - c->rated_bytes) / elapsed * 1000 - c->bytes_rate);
    c->rated_at_ms = now;
    c->rated_done = c->done;
    c->rated_bytes = c->bytes;
}

/* To thousandths: more digits say nothing, and take long to write. */
static double rounded(double a_second)
{
    return a_second > 0 ? round(a_second * 1000) / 1000 : 0;
}

static struct progress shown(const struct counted *c, int64_t now)
{
    struct progress p = {.phase = c->phase,
                         .unit = c->unit,
                         .done = c->done,
                         .total = c->total,
                         .bytes = c->bytes,
                         .items_per_second = rounded(c->items_rate),
                         .bytes_per_second = rounded(c->bytes_rate),
                         .eta_seconds = -1,
                         .updated_at = clock_wall_ms()};

    if (c->total >= 0 && c->items_rate > 0) {
        int64_t left = c->total > c->done ? c->total - c->done : 0;
        double eta = (double)left / c->items_rate;

        p.eta_seconds = eta < 1e9 ? (int64_t)ceil(eta) : -1;
        p.eta_is_guess = c->guess || now - c->since_ms < YOUNG_MS;
    }
    return p;
}

bool progress_now(struct progress_table *table, int64_t job_key, struct arena *arena,
                  struct progress *ret_progress)
{
    struct counted *c;

    pthread_mutex_lock(&table->lock);
    c = find(table, job_key);
    if (c) {
        rate(c, clock_boot_ms());
        *ret_progress = shown(c, clock_boot_ms());
        ret_progress->phase = arena_strdup(arena, c->phase);
        ret_progress->unit = arena_strdup(arena, c->unit);
    }
    pthread_mutex_unlock(&table->lock);
    return c != NULL;
}

void progress_flush(struct progress_table *table,
                    void (*write)(void *arg, int64_t job_key, const struct progress *progress), void *arg)
{
    int64_t now = clock_boot_ms();

    pthread_mutex_lock(&table->lock);
    for (struct counted *c = table->first; c; c = c->next) {
        struct progress p;

        if (!c->changed)
            continue;
        rate(c, now);
        p = shown(c, now);
        c->changed = false;
        write(arg, c->job_key, &p);
    }
    pthread_mutex_unlock(&table->lock);
}
