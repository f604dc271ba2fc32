/* The progress line. */
#include "ctl/progress.h"

#include "tests/unit/ctl/harness.h"

static void draw(const char *job, int width, char line[PROGRESS_LINE_MAX])
{
    json_auto_t *value = json_loads(job, 0, NULL);

    assert_non_null(value);
    progress_line(value, width, false, line);
}

static void a_running_job_shows_share_rate_and_what_is_left(void **state)
{
    char line[PROGRESS_LINE_MAX];

    (void)state;
    draw(JOB("running", ""), 100, line);
    assert_has(line, "scan [");
    assert_has(line, "###");
    assert_has(line, " 25%");
    assert_has(line, "250/1,000 items");
    assert_has(line, "50/s");
    assert_has(line, "2.0 KiB/s");
    assert_has(line, "ETA 0:15 (a guess)");
}

static void an_eta_that_is_no_guess_does_not_say_so(void **state)
{
    char line[PROGRESS_LINE_MAX];

    (void)state;
    draw("{\"state\":\"running\",\"progress\":{\"phase\":\"load\",\"done\":1,\"total\":2,\"unit\":\"items\","
         "\"eta_seconds\":3700}}",
         100, line);
    assert_has(line, "ETA 1:01:40");
    assert_lacks(line, "guess");
}

static void a_waiting_job_says_for_what(void **state)
{
    char line[PROGRESS_LINE_MAX];

    (void)state;
    draw(JOB("queued", ",\"waiting_for\":{\"reason\":\"conflict\"}"), 100, line);
    assert_has(line, "queued, waits for conflict");
}

static void without_a_total_there_is_no_bar(void **state)
{
    char line[PROGRESS_LINE_MAX];

    (void)state;
    draw("{\"state\":\"running\",\"progress\":{\"phase\":\"verify\",\"done\":7,\"total\":null,\"unit\":"
         "\"files\"}}",
         100, line);
    assert_has(line, "verify  7 files");
    assert_lacks(line, "[");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    char line[PROGRESS_LINE_MAX];

    (void)state;
    for (int width = 20; width <= 200; width++) {
        draw(JOB("running", ""), width, line);
        assert_true((int)strlen(line) < width);
        draw(JOB("queued", ",\"waiting_for\":{\"reason\":\"conflict\"},\"cancel_requested_at\":\"x\""), width,
             line);
        assert_true((int)strlen(line) < width);
    }
}

static void a_phase_cannot_command_the_terminal(void **state)
{
    char line[PROGRESS_LINE_MAX];

    (void)state;
    draw("{\"state\":\"running\",\"progress\":{\"phase\":\"a\\u001b[2Jb\",\"done\":1,\"total\":2,\"unit\":"
         "\"\\u0007\"}}",
         100, line);
    assert_null(strchr(line, '\033'));
    assert_null(strchr(line, '\a'));
    assert_has(line, "a?[2Jb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_job_shows_share_rate_and_what_is_left),
        cmocka_unit_test(an_eta_that_is_no_guess_does_not_say_so),
        cmocka_unit_test(a_waiting_job_says_for_what),
        cmocka_unit_test(without_a_total_there_is_no_bar),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(a_phase_cannot_command_the_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
