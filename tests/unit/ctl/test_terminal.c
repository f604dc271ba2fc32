/* What only happens on a terminal: the bar, Ctrl-C, typed agreement, a code without echo. */
#include "ctl/commands.h"

#include "tests/unit/ctl/harness.h"

static struct outcome outcome;

static void a_job_is_followed_by_a_bar(void **state)
{
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {.status = 202, REPLY_JSON(JOB("queued", ""))},
                 {REPLY_JSON(JOB("running", ""))}, {REPLY_JSON(JOB("succeeded", ""))});

    (void)state;
    harness_write("token", "t");
    run_on_terminal(server, NULL, ARGS("-e", "production", "backup", "table", "Sales"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_has(outcome.out, "\r\033[Kscan [\033[32m####");
    assert_has(outcome.out, " 25%  250/1,000 items  50/s  2.0 KiB/s  ETA 0:15 (a guess)");
    assert_has(outcome.out, "\r\033[Kid:"); /* the bar is gone when the result comes */
    end(server);
}

static void quiet_draws_nothing(void **state)
{
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {.status = 202, REPLY_JSON(JOB("queued", ""))},
                 {REPLY_JSON(JOB("running", ""))}, {REPLY_JSON(JOB("succeeded", ""))});

    (void)state;
    harness_write("token", "t");
    run_on_terminal(server, NULL, ARGS("-q", "-o", "id", "-e", "production", "backup", "table", "Sales"),
                    &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_string_equal(outcome.out, ID_JOB "\r\n");
    end(server);
}

static void ctrl_c_detaches_and_says_how_to_come_back(void **state)
{
    const struct typing typing[] = {{"ETA 0:15", "\003"}, {NULL, NULL}};
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {.status = 202, REPLY_JSON(JOB("queued", ""))},
                 {REPLY_JSON(JOB("running", ""))}, {.cut = CUT_HANG});

    (void)state;
    harness_write("token", "t");
    run_on_terminal(server, typing, ARGS("-e", "production", "backup", "table", "Sales"), &outcome);
    assert_int_equal(outcome.code, EXIT_DETACHED);
    assert_has(outcome.out, "recoverctl job " ID_JOB " --follow");
    assert_has(outcome.out, "recoverctl cancel " ID_JOB);
    end(server);
}

#define WIPE "-e", "production", "wipe", "table", ID_POINT, "--target-table", "Sales", "--no-wait"

static void the_name_of_what_is_destroyed_is_typed(void **state)
{
    const struct typing typing[] = {{"Type the name Sales", "Sales\n"}, {NULL, NULL}};
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {REPLY_JSON(PLAN)},
                 {.expect = "POST /v1/jobs .*" HASH, .status = 202, REPLY_JSON(JOB("queued", ""))});

    (void)state;
    harness_write("token", "t");
    run_on_terminal(server, typing, ARGS(WIPE), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    end(server);
}

static void another_name_does_nothing(void **state)
{
    static const char *const answers[] = {"sales\n", "\n", "yes\n", "Sales2\n", "\004", "\003"};

    (void)state;
    harness_write("token", "t");
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const struct typing typing[] = {{"Type the name Sales", answers[i]}, {NULL, NULL}};
        struct scripted_server *server = SCRIPTED({REPLY_JSON(KINDS)}, {REPLY_JSON(PLAN)});

        run_on_terminal(server, typing, ARGS(WIPE), &outcome);
        assert_true(outcome.code == EXIT_CANCELLED || outcome.code == EXIT_USAGE ||
                    outcome.code == EXIT_DETACHED);
        assert_int_equal(scripted_server_requests(server), 2);
        end(server);
    }
}

static void a_needed_code_is_asked_for_and_not_shown(void **state)
{
    const struct typing typing[] = {
        {"Type the name Sales", "Sales\n"}, {"one-time code: ", "654321\n"}, {NULL, NULL}};
    struct scripted_server *server = SCRIPTED(
        {REPLY_JSON(KINDS)}, {REPLY_JSON(PLAN)}, {REPLY_PROBLEM(401, "MFA_REQUIRED")},
        {.expect = "POST /v1/jobs .*Recoverd-OTP: 654321", .status = 202, REPLY_JSON(JOB("queued", ""))});

    (void)state;
    harness_write("token", "t");
    run_on_terminal(server, typing, ARGS(WIPE), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_lacks(outcome.out, "654321");
    end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_job_is_followed_by_a_bar, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(quiet_draws_nothing, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(ctrl_c_detaches_and_says_how_to_come_back, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(the_name_of_what_is_destroyed_is_typed, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(another_name_does_nothing, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(a_needed_code_is_asked_for_and_not_shown, harness_begin, harness_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
