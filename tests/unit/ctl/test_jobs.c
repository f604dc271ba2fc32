/* Jobs, from the words of a kind to the exit code, against a server that says what a script tells it. */
#include "ctl/commands.h"

#include "tests/unit/ctl/harness.h"

static struct outcome outcome;

static void begin(void)
{
    harness_write("token", "token-1\n");
}

static void the_words_of_a_kind_make_its_job(void **state)
{
    static const char accepted[] = JOB("queued", ",\"version\":1");
    struct scripted_server *server =
        SCRIPTED({.expect = "GET /v1/kinds.*Authorization: Bearer token-1", REPLY_JSON(KINDS)},
                 {.expect = "POST /v1/jobs .*Idempotency-Key: "
                            "[0-9a-f-]{36}.*\"kind\":\"backup.table\",\"environment\":\"production\","
                            "\"spec\":\\{\"segments\":4,\"tags\":\\{\"a\":\"b=c\",\"d\":\"e\"\\},\"table\":"
                            "\"Sales\"\\},\"note\":\"why\"",
                  .status = 202,
                  REPLY_JSON(accepted)});

    (void)state;
    begin();
    run(server,
        ARGS("-o", "json", "-e", "production", "backup", "table", "Sales", "--segments", "4", "--tags",
             "a=b=c", "--tags", "d=e", "--note", "why", "--no-wait"),
        &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_int_equal(strncmp(outcome.out, accepted, sizeof(accepted) - 1), 0);
    assert_string_equal(outcome.out + sizeof(accepted) - 1, "\n"); /* exactly one document */
    end(server);
}

static void it_waits_and_ends_as_the_job_ends(void **state)
{
    static const struct {
        const char *job;
        enum exit_code code;
    } rows[] = {
        {JOB("succeeded", ",\"result\":{\"items\":3}"), EXIT_DONE},
        {JOB("failed", ",\"error\":{\"code\":\"AWS_ACCESS_DENIED\",\"title\":\"AWS denies "
                       "access\",\"hint\":\"Give it\"}"),
         EXIT_FAILED},
        {JOB("partial", ""), EXIT_PARTIAL},
        {JOB("cancelled", ""), EXIT_CANCELLED},
        {JOB("awaiting_approval", ""), EXIT_APPROVAL},
    };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scripted_server *server =
            SCRIPTED({REPLY_JSON(KINDS)}, {.status = 202, REPLY_JSON(JOB("queued", ""))},
                     {.expect = "GET /v1/jobs/" ID_JOB "\\?wait=", REPLY_JSON(JOB("running", ""))},
                     {.status = 503}, {REPLY_JSON(rows[i].job)});

        run(server, ARGS("-o", "id", "-e", "production", "backup", "table", "Sales"), &outcome);
        assert_int_equal(outcome.code, rows[i].code);
        assert_string_equal(outcome.out, ID_JOB "\n");
        assert_has(outcome.err, "accepted");
        if (rows[i].code == EXIT_FAILED) {
            assert_has(outcome.err, "AWS denies access");
            assert_has(outcome.err, "hint: Give it");
            assert_has(outcome.err, "recoverctl retry " ID_JOB);
        }
        end(server);
    }
}

static void after_the_timeout_the_job_goes_on(void **state)
{
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {.status = 202, REPLY_JSON(JOB("queued", ""))},
                 {REPLY_JSON(JOB("running", "")), .repeat = true});

    (void)state;
    begin();
    run(server, ARGS("-e", "production", "backup", "table", "Sales", "--timeout", "1ms"), &outcome);
    assert_int_equal(outcome.code, EXIT_STILL_RUNNING);
    assert_has(outcome.err, "recoverctl job " ID_JOB " --follow");
    end(server);
}

static void a_lost_answer_is_asked_for_again_with_the_same_key(void **state)
{
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {.expect = "Idempotency-Key: my-key", .cut = CUT_BEFORE_REPLY},
                 {.expect = "Idempotency-Key: my-key", .status = 202, REPLY_JSON(JOB("queued", ""))});

    (void)state;
    begin();
    run(server,
        ARGS("-e", "production", "backup", "table", "Sales", "--no-wait", "--idempotency-key", "my-key"),
        &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    end(server);
}

static void the_environment_is_the_only_one_that_holds_the_table(void **state)
{
    static const char both[] = "{\"items\":[{\"name\":\"one\",\"configured_tables\":[\"Sal*\"]},"
                               "{\"name\":\"two\",\"configured_tables\":[\"Sales\",\"Other\"]}]}";
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {.expect = "GET /v1/environments ", REPLY_JSON(both)},
                 {.expect = "\"environment\":\"two\"", .status = 202, REPLY_JSON(JOB("queued", ""))},
                 {REPLY_JSON(KINDS)}, {.expect = "GET /v1/environments ", REPLY_JSON(both)},
                 {REPLY_JSON(KINDS)}, {.expect = "GET /v1/environments ", REPLY_JSON(both)});

    (void)state;
    begin();
    run(server, ARGS("backup", "table", "Other", "--no-wait"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    run(server, ARGS("backup", "table", "Sales", "--no-wait"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "one, two");
    run(server, ARGS("backup", "table", "Nothing", "--no-wait"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "one, two");
    assert_has(outcome.err, "-e ENV");
    end(server);
}

static void a_spec_from_a_file_goes_as_it_is(void **state)
{
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {.expect = "\"spec\":\\{\"table\":\"Sales\",\"new\":\\[1\\]\\}",
                                       .status = 202,
                                       REPLY_JSON(JOB("queued", ""))});

    (void)state;
    begin();
    run_with(server, "{\"table\":\"Sales\",\"new\":[1]}",
             ARGS("-e", "production", "run", "backup.table", "--spec", "-", "--no-wait"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    end(server);
}

static void half_of_a_kinds_words_leads_to_the_other_half(void **state)
{
    struct scripted_server *server = SCRIPTED({REPLY_JSON(KINDS)});

    (void)state;
    begin();
    run(server, ARGS("backup"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "recoverctl backup table ...");
    end(server);
}

static void forms_of_later_versions_are_refused_before_anything_is_sent(void **state)
{
    static const char *const sources[] = {"arn:aws:dynamodb:us-east-1:1:table/x/backup/1", "name:nightly"};

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        struct scripted_server *server = SCRIPTED({REPLY_JSON(KINDS)});

        run(server, ARGS("-e", "production", "wipe", "table", sources[i], "--target-table", "Sales"),
            &outcome);
        assert_int_equal(outcome.code, EXIT_USAGE);
        assert_has(outcome.err, "not in this version");
        assert_int_equal(scripted_server_requests(server), 1);
        end(server);
    }
}

/* -- plans -- */

#define WIPE "-e", "production", "wipe", "table", ID_POINT, "--target-table", "Sales"

static void plan_before_it_only_shows_the_plan(void **state)
{
    struct scripted_server *server = SCRIPTED(
        {REPLY_JSON(KINDS)},
        {.expect = "POST /v1/plans .*\"source\":\\{\"recovery_point\":\"" ID_POINT, REPLY_JSON(PLAN)});

    (void)state;
    begin();
    run(server, ARGS("plan", WIPE), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_has(outcome.out, "DESTRUCTIVE");
    assert_has(outcome.out, "mind the gap");
    assert_has(outcome.out, HASH);
    end(server);
}

static void what_destroys_is_not_done_without_terminal_or_hash(void **state)
{
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {.expect = "POST /v1/plans", REPLY_JSON(PLAN)});

    (void)state;
    begin();
    run(server, ARGS(WIPE), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "--plan-hash " HASH);
    assert_int_equal(scripted_server_requests(server), 2); /* no job */
    end(server);
}

static void the_hash_of_a_plan_that_was_read_agrees_to_it(void **state)
{
    struct scripted_server *server = SCRIPTED(
        {REPLY_JSON(KINDS)}, {.expect = "GET /v1/plans/" HASH, REPLY_JSON(PLAN)},
        {.expect = "POST /v1/jobs .*\"plan_hash\":\"" HASH, .status = 202, REPLY_JSON(JOB("queued", ""))});

    (void)state;
    begin();
    run(server, ARGS(WIPE, "--plan-hash", HASH, "--no-wait"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_has(outcome.err, "DESTRUCTIVE");
    end(server);
}

static void a_stale_plan_says_what_changed_and_ends_with_5(void **state)
{
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON(KINDS)}, {REPLY_JSON(PLAN)},
                 {.status = 409,
                  .headers = PROBLEM_HEAD,
                  .body = "{\"title\":\"The world has "
                          "changed\",\"code\":\"PLAN_STALE\",\"changes\":[{\"resource\":\"table/X\"}]}"});

    (void)state;
    begin();
    run(server, ARGS(WIPE, "--plan-hash", HASH, "-q"), &outcome);
    assert_int_equal(outcome.code, EXIT_CONFLICT);
    assert_has(outcome.err, "table/X");
    assert_has(outcome.err, "hint: ");
    assert_has(outcome.err, "request req-1");
    end(server);
}

static void a_code_from_standard_input_goes_into_the_header(void **state)
{
    struct scripted_server *server = SCRIPTED(
        {REPLY_JSON(KINDS)}, {REPLY_JSON(PLAN)},
        {.expect = "POST /v1/jobs .*Recoverd-OTP: 123456", .status = 202, REPLY_JSON(JOB("queued", ""))});

    (void)state;
    begin();
    run_with(server, "123456\n", ARGS(WIPE, "--plan-hash", HASH, "--otp", "--no-wait"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_lacks(outcome.err, "123456");
    end(server);
}

static void without_a_code_on_standard_input_it_says_so(void **state)
{
    struct scripted_server *server = SCRIPTED({REPLY_JSON(KINDS)}, {REPLY_JSON(PLAN)});

    (void)state;
    begin();
    run(server, ARGS(WIPE, "--plan-hash", HASH, "--otp", "-q"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "recoverctl: one-time code: there is no answer");
    end(server);
}

/* -- text -- */

static void what_is_not_utf_8_is_refused_not_left_out(void **state)
{
    static const char *const rows[][2] = {
        {"--note", "caf\xe9"}, {"--tags", "a=\xff"}, {"--skip", "a,\xff,b"}};

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scripted_server *server = SCRIPTED({REPLY_JSON(KINDS)});

        run(server, ARGS("-e", "production", "backup", "table", "Sales", rows[i][0], rows[i][1]), &outcome);
        assert_int_equal(outcome.code, EXIT_USAGE);
        assert_has(outcome.err, rows[i][0]);
        assert_int_equal(scripted_server_requests(server), 1);
        end(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_words_of_a_kind_make_its_job, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(it_waits_and_ends_as_the_job_ends, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(after_the_timeout_the_job_goes_on, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(a_lost_answer_is_asked_for_again_with_the_same_key, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(the_environment_is_the_only_one_that_holds_the_table, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(a_spec_from_a_file_goes_as_it_is, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(half_of_a_kinds_words_leads_to_the_other_half, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(forms_of_later_versions_are_refused_before_anything_is_sent,
                                        harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(plan_before_it_only_shows_the_plan, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(what_destroys_is_not_done_without_terminal_or_hash, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(the_hash_of_a_plan_that_was_read_agrees_to_it, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(a_stale_plan_says_what_changed_and_ends_with_5, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(a_code_from_standard_input_goes_into_the_header, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(without_a_code_on_standard_input_it_says_so, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(what_is_not_utf_8_is_refused_not_left_out, harness_begin,
                                        harness_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
