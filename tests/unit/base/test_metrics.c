#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/limits.h"

extern char **environ;

static struct buffer text_of(void (*write)(struct buffer *out))
{
    struct buffer out = BUFFER_INIT(4 * MIB);
    write(&out);
    assert_false(out.failed);
    return out;
}

static void assert_written(void (*write)(struct buffer *out), const char *wanted)
{
    _cleanup_(buffer_done) struct buffer out = text_of(write);
    if (!strstr(out.data, wanted))
        fail_msg("not written:\n%s\nin:\n%s", wanted, out.data);
}

static void assert_not_written(void (*write)(struct buffer *out), const char *unwanted)
{
    _cleanup_(buffer_done) struct buffer out = text_of(write);
    if (strstr(out.data, unwanted))
        fail_msg("written: %s", unwanted);
}

static void a_counter_is_named_as_each_format_wants_it(void **state)
{
    (void)state;
    struct metric *metric = metric_declare("t_requests_total", METRIC_COUNTER, "Requests.", "route status");
    metric_add(metric, 1, METRIC_LABELS("/v1/jobs", "200"));
    metric_add(metric, 2, METRIC_LABELS("/v1/jobs", "200"));
    metric_add(metric, -5, METRIC_LABELS("/v1/jobs", "200")); /* a counter never falls */
    metric_add(metric, NAN, METRIC_LABELS("/v1/jobs", "200"));
    metric_touch(metric, METRIC_LABELS("/v1/me", "500"));
    assert_written(metrics_write_text, "# HELP t_requests_total Requests.\n# TYPE t_requests_total counter\n"
                                       "t_requests_total{route=\"/v1/jobs\",status=\"200\"} 3\n"
                                       "t_requests_total{route=\"/v1/me\",status=\"500\"} 0\n");
    assert_written(metrics_write_openmetrics, "# HELP t_requests Requests.\n# TYPE t_requests counter\n"
                                              "t_requests_total{route=\"/v1/jobs\",status=\"200\"} 3\n");
    assert_not_written(metrics_write_text, "# EOF");
    assert_not_written(metrics_write_openmetrics, "_created");
}

static void openmetrics_ends_with_eof_and_names_units(void **state)
{
    (void)state;
    metric_set(metric_declare("t_size_bytes", METRIC_GAUGE, "Size.", ""), 0.1, METRIC_NO_LABELS);
    _cleanup_(buffer_done) struct buffer out = text_of(metrics_write_openmetrics);
    assert_string_equal(out.data + out.len - 6, "# EOF\n");
    assert_non_null(
        strstr(out.data, "# TYPE t_size_bytes gauge\n# UNIT t_size_bytes bytes\nt_size_bytes 0.1\n"));
}

static void a_histogram_is_cumulative_and_its_count_is_its_last_bucket(void **state)
{
    (void)state;
    static const double bounds[] = {0.005, 1, 10};
    struct metric *metric = metric_declare_histogram("t_duration_seconds", "How long.", "kind", bounds, 3);
    static const double values[] = {0.005, 0.5, 1, 9, 11, INFINITY, NAN};
    for (size_t i = 0; i < COUNT_OF(values); i++)
        metric_observe(metric, values[i], METRIC_LABELS("backup"));
    assert_written(metrics_write_text, "# TYPE t_duration_seconds histogram\n"
                                       "t_duration_seconds_bucket{kind=\"backup\",le=\"0.005\"} 1\n"
                                       "t_duration_seconds_bucket{kind=\"backup\",le=\"1\"} 3\n"
                                       "t_duration_seconds_bucket{kind=\"backup\",le=\"10\"} 4\n"
                                       "t_duration_seconds_bucket{kind=\"backup\",le=\"+Inf\"} 5\n"
                                       "t_duration_seconds_sum{kind=\"backup\"} 21.505\n"
                                       "t_duration_seconds_count{kind=\"backup\"} 5\n");
    assert_written(metrics_write_openmetrics, "t_duration_seconds_bucket{kind=\"backup\",le=\"10.0\"} 4\n");
}

static void help_and_label_values_are_escaped_and_made_utf8(void **state)
{
    (void)state;
    struct metric *metric = metric_declare("t_odd", METRIC_GAUGE, "a \"b\" \\ c\nd", "name");
    metric_set(metric, -1.5, METRIC_LABELS("q\" b\\ n\n \xff \xc3\xa9"));
    assert_written(metrics_write_text, "# HELP t_odd a \"b\" \\\\ c\\nd\n# TYPE t_odd gauge\n"
                                       "t_odd{name=\"q\\\" b\\\\ n\\n \xef\xbf\xbd \xc3\xa9\"} -1.5\n");
    assert_written(metrics_write_openmetrics, "# HELP t_odd a \\\"b\\\" \\\\ c\\nd\n");
}

static void numbers_read_back_as_they_were(void **state)
{
    (void)state;
    struct metric *metric = metric_declare("t_number", METRIC_GAUGE, "Numbers.", "n");
    static const struct {
        double value;
        const char *text;
    } rows[] = {{1.0 / 3, "0.3333333333333333"}, {1e300, "1e+300"},  {-0.0, "0"},
                {123456789012, "123456789012"},  {INFINITY, "+Inf"}, {-INFINITY, "-Inf"},
                {1795436941.25, "1795436941.25"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char wanted[80];
        snprintf(wanted, sizeof wanted, "t_number{n=\"x\"} %s\n", rows[i].text);
        metric_set(metric, rows[i].value, METRIC_LABELS("x"));
        assert_written(metrics_write_text, wanted);
    }
    metric_set(metric, NAN, METRIC_LABELS("x"));
    assert_written(metrics_write_text, "t_number{n=\"x\"} NaN\n");
    metric_forget(metric);
}

static void past_the_bound_of_sets_the_rest_is_other(void **state)
{
    (void)state;
    struct metric *metric = metric_declare("t_many", METRIC_GAUGE, "Many.", "a b");
    for (int i = 0; i < METRIC_SETS_MAX + 50; i++) {
        char name[20];
        snprintf(name, sizeof name, "n%d", i);
        metric_add(metric, 1, METRIC_LABELS(name, "x"));
    }
    assert_written(metrics_write_text, "t_many{a=\"n999\",b=\"x\"} 1\n");
    assert_not_written(metrics_write_text, "a=\"n1000\"");
    assert_written(metrics_write_text, "t_many{a=\"other\",b=\"other\"} 50\n");
    metric_forget(metric);
    assert_not_written(metrics_write_text, "t_many");
    metric_add(metric, 1, METRIC_LABELS("again")); /* b is left out: empty */
    assert_written(metrics_write_text, "t_many{a=\"again\",b=\"\"} 1\n");
}

static void sets_that_only_join_to_the_same_text_stay_apart(void **state)
{
    (void)state;
    struct metric *metric = metric_declare("t_apart", METRIC_GAUGE, "Apart.", "a b");
    metric_set(metric, 1, METRIC_LABELS("ab", "c"));
    metric_set(metric, 2, METRIC_LABELS("a", "bc"));
    assert_written(metrics_write_text, "t_apart{a=\"ab\",b=\"c\"} 1\nt_apart{a=\"a\",b=\"bc\"} 2\n");
}

static void declaring_again_gives_the_same_family(void **state)
{
    (void)state;
    struct metric *metric = metric_declare("t_again_total", METRIC_COUNTER, "Again.", "");
    assert_ptr_equal(metric_declare("t_again_total", METRIC_COUNTER, "Again.", ""), metric);
    assert_written(metrics_write_text, "t_again_total 0\n"); /* without labels it is there from the start */
}

static void collect_marks(void *arg)
{
    ++*(int *)arg;
    metric_set(metric_declare("t_marks", METRIC_GAUGE, "Marks.", ""), *(int *)arg, METRIC_NO_LABELS);
}

static void collectors_run_at_each_scrape_before_writing(void **state)
{
    (void)state;
    static int scrapes; /* the registry keeps the pointer */
    metrics_on_collect(collect_marks, &scrapes);
    assert_written(metrics_write_text, "t_marks 1\n");
    assert_written(metrics_write_openmetrics, "t_marks 2\n");
}

static void the_process_set_comes_from_proc(void **state)
{
    (void)state;
    metrics_process();
    metrics_process();
    _cleanup_(cleanup_close) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    _cleanup_(buffer_done) struct buffer out = text_of(metrics_write_text);
    static const char *const names[] = {"process_resident_memory_bytes", "process_virtual_memory_bytes",
                                        "process_start_time_seconds", "process_max_fds"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char line[80];
        snprintf(line, sizeof line, "\n%s ", names[i]);
        const char *at = strstr(out.data, line);
        assert_non_null(at);
        assert_true(strtod(at + strlen(line), NULL) > 0);
    }
    assert_non_null(strstr(out.data, "# TYPE process_cpu_seconds_total counter\n"));
    assert_non_null(strstr(out.data, "\nprocess_threads 1\n"));
    const char *fds = strstr(out.data, "\nprocess_open_fds ");
    assert_non_null(fds);
    assert_true(strtod(fds + strlen("\nprocess_open_fds "), NULL) >= 4); /* 0, 1, 2 and fd */
}

static void *add_many(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        metric_add(arg, 0.5, METRIC_LABELS(i % 2 ? "odd" : "even"));
        if (i % 5000 == 0) {
            _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(4 * MIB);
            metrics_write_text(&out);
        }
    }
    return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
    (void)state;
    struct metric *metric = metric_declare("t_threads_total", METRIC_COUNTER, "Threads.", "which");
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, metric), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_written(metrics_write_text, "t_threads_total{which=\"even\"} 20000\n");
    assert_written(metrics_write_text, "t_threads_total{which=\"odd\"} 20000\n");
}

/* promtool reads stdin and says on stdout and stderr what it finds; 0 when it finds nothing. */
static void promtool_finds_nothing_wrong(void **state)
{
    (void)state;
    metrics_process();
    _cleanup_(buffer_done) struct buffer out = text_of(metrics_write_text);
    char path[] = "/tmp/recoverd-metrics-XXXXXX";
    _cleanup_(cleanup_close) int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, out.data, out.len), out.len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    char name[] = "promtool", check[] = "check", what[] = "metrics";
    char *const argv[] = {name, check, what, NULL};
    pid_t pid;
    int rc = posix_spawnp(&pid, "promtool", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        fail_msg("promtool cannot be run (package prometheus): %s", strerror(rc));
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_is_named_as_each_format_wants_it),
        cmocka_unit_test(openmetrics_ends_with_eof_and_names_units),
        cmocka_unit_test(a_histogram_is_cumulative_and_its_count_is_its_last_bucket),
        cmocka_unit_test(help_and_label_values_are_escaped_and_made_utf8),
        cmocka_unit_test(numbers_read_back_as_they_were),
        cmocka_unit_test(past_the_bound_of_sets_the_rest_is_other),
        cmocka_unit_test(sets_that_only_join_to_the_same_text_stay_apart),
        cmocka_unit_test(declaring_again_gives_the_same_family),
        cmocka_unit_test(collectors_run_at_each_scrape_before_writing),
        cmocka_unit_test(the_process_set_comes_from_proc),
        cmocka_unit_test(nothing_is_lost_between_threads),
        cmocka_unit_test(promtool_finds_nothing_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
