#include "base/metrics.h"

#include <math.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/metrics_internal.h"

struct writer {
    struct buffer *out;
    bool openmetrics;
};

/* The shortest decimal text that reads back as the same double. */
static void write_number(struct buffer *out, double value)
{
    if (isnan(value)) {
        buffer_add_str(out, "NaN");
    } else if (isinf(value)) {
        buffer_add_str(out, value > 0 ? "+Inf" : "-Inf");
    } else if (fabs(value) < 1e15 && value == trunc(value)) {
        buffer_printf(out, "%.0f", value + 0.0); /* + 0.0: no -0 */
    } else {
        char text[DOUBLE_SIZE];
        buffer_add(out, text, double_format(value, text));
    }
}

static void write_escaped_run(struct buffer *out, const char *text, size_t len, bool quotes)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\')
            buffer_add_str(out, "\\\\");
        else if (text[i] == '\n')
            buffer_add_str(out, "\\n");
        else if (text[i] == '"' && quotes)
            buffer_add_str(out, "\\\"");
        else
            buffer_add_char(out, text[i]);
    }
}

/* Both formats are UTF-8 throughout: a bad byte becomes U+FFFD, or the whole scrape would be refused. */
static void write_escaped(struct buffer *out, const char *text, bool quotes)
{
    struct bytes rest = bytes_of(text);
    while (rest.len > 0) {
        size_t good = utf8_valid_until(rest);
        write_escaped_run(out, rest.data, good, quotes);
        if (good == rest.len)
            return;
        buffer_add_str(out, "\xef\xbf\xbd");
        rest.data += good + 1;
        rest.len -= good + 1;
    }
}

/* `le` is the bound of a bucket, or NULL. */
static void write_labels(const struct writer *w, const struct metric *metric,
                         const struct metric_series *series, const double *le)
{
    const char *before = "{";
    for (size_t i = 0; i < metric->label_count; i++) {
        buffer_printf(w->out, "%s%s=\"", before, metric->labels[i]);
        write_escaped(w->out, series->values[i], true);
        buffer_add_char(w->out, '"');
        before = ",";
    }
    if (le) {
        buffer_printf(w->out, "%sle=\"", before);
        write_number(w->out, *le);
        if (w->openmetrics && isfinite(*le) && *le == trunc(*le))
            buffer_add_str(w->out, ".0"); /* OpenMetrics' canonical form of a whole number */
        buffer_add_char(w->out, '"');
    }
    if (metric->label_count > 0 || le)
        buffer_add_char(w->out, '}');
}

static void write_sample(const struct writer *w, const struct metric *metric, const char *suffix,
                         const struct metric_series *series, const double *le, double value)
{
    buffer_add_str(w->out, metric->name);
    buffer_add_str(w->out, suffix);
    write_labels(w, metric, series, le);
    buffer_add_char(w->out, ' ');
    write_number(w->out, value);
    buffer_add_char(w->out, '\n');
}

/* The count is the sum of the buckets read here, so that +Inf and _count agree whatever is observed
 * meanwhile. */
static void write_histogram(const struct writer *w, const struct metric *metric,
                            const struct metric_series *series)
{
    const double infinite = INFINITY;
    uint64_t count = 0;
    for (size_t i = 0; i <= metric->bound_count; i++) {
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        const double *le = i < metric->bound_count ? &metric->bounds[i] : &infinite;
        write_sample(w, metric, "_bucket", series, le, (double)count);
    }
    double sum = metric_double(atomic_load_explicit(&series->value_bits, memory_order_relaxed));
    write_sample(w, metric, "_sum", series, NULL, sum);
    write_sample(w, metric, "_count", series, NULL, (double)count);
}

static void write_header(const struct writer *w, const struct metric *metric)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    static const char *const units[] = {"seconds", "bytes", "ratio"};
    size_t len = strlen(metric->name);
    if (w->openmetrics && metric->type == METRIC_COUNTER)
        len -= strlen("_total"); /* there a family of counters is named without it */
    struct bytes name = {metric->name, len};
    buffer_add_str(w->out, "# HELP ");
    buffer_add_bytes(w->out, name);
    buffer_add_char(w->out, ' ');
    write_escaped(w->out, metric->help, w->openmetrics);
    buffer_add_str(w->out, "\n# TYPE ");
    buffer_add_bytes(w->out, name);
    buffer_printf(w->out, " %s\n", types[metric->type]);
    for (size_t i = 0; w->openmetrics && i < COUNT_OF(units); i++) {
        size_t unit = strlen(units[i]);
        if (len > unit + 1 && name.data[len - unit - 1] == '_' &&
            memcmp(name.data + len - unit, units[i], unit) == 0) {
            buffer_add_str(w->out, "# UNIT ");
            buffer_add_bytes(w->out, name);
            buffer_printf(w->out, " %s\n", units[i]);
        }
    }
}

static void write_family(const struct metric *metric, void *arg)
{
    const struct writer *w = arg;
    if (metric->series_count == 0)
        return;
    write_header(w, metric);
    for (size_t i = 0; i < metric->series_count; i++) {
        const struct metric_series *series = metric->series[i];
        if (metric->type == METRIC_HISTOGRAM)
            write_histogram(w, metric, series);
        else
            write_sample(w, metric, "", series, NULL,
                         metric_double(atomic_load_explicit(&series->value_bits, memory_order_relaxed)));
    }
}

void metrics_write_text(struct buffer *out)
{
    struct writer w = {.out = out};
    metrics_scrape(write_family, &w);
}

void metrics_write_openmetrics(struct buffer *out)
{
    struct writer w = {.out = out, .openmetrics = true};
    metrics_scrape(write_family, &w);
    buffer_add_str(out, "# EOF\n");
}
