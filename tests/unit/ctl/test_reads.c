/* What reads: exit codes, the token, lists, files, contexts, check. */
#include "ctl/commands.h"

#include <glob.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/ctl/harness.h"

static struct outcome outcome;

/* -- exit codes -- */

static void each_refusal_has_its_exit_code_and_says_what_to_do(void **state)
{
    static const struct {
        struct scripted_reply reply;
        enum exit_code code;
    } rows[] = {
        {{REPLY_PROBLEM(400, "INVALID_QUERY")}, EXIT_USAGE},
        {{REPLY_PROBLEM(422, "INVALID_SPEC")}, EXIT_USAGE},
        {{REPLY_PROBLEM(401, "INVALID_TOKEN")}, EXIT_LOGIN},
        {{REPLY_PROBLEM(401, "MFA_REQUIRED")}, EXIT_LOGIN},
        {{REPLY_PROBLEM(403, "FORBIDDEN")}, EXIT_FORBIDDEN},
        {{REPLY_PROBLEM(404, "NOT_FOUND")}, EXIT_NOT_FOUND},
        {{REPLY_PROBLEM(409, "JOB_STATE")}, EXIT_CONFLICT},
        {{REPLY_PROBLEM(412, "PRECONDITION_FAILED")}, EXIT_CONFLICT},
        {{REPLY_PROBLEM(428, "PLAN_REQUIRED")}, EXIT_CONFLICT},
        {{REPLY_PROBLEM(429, "RATE_LIMITED")}, EXIT_UNREACHABLE},
        {{REPLY_PROBLEM(429, "OTP_LOCKED")}, EXIT_LOGIN},
        {{REPLY_PROBLEM(500, "INTERNAL")}, EXIT_UNREACHABLE},
        {{REPLY_PROBLEM(503, "BUSY")}, EXIT_UNREACHABLE},
    };

    (void)state;
    harness_write("token", "t");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scripted_server *server = scripted_server_start(&rows[i].reply, 1);

        run(server, ARGS("-q", "me"), &outcome);
        assert_int_equal(outcome.code, rows[i].code);
        assert_string_equal(outcome.out, "");
        assert_has(outcome.err, "A title: a detail");
        assert_has(outcome.err, "hint: ");
        assert_has(outcome.err, "request req-1");
        end(server);
    }
}

static void each_final_state_has_its_exit_code(void **state)
{
    (void)state;
    assert_int_equal(exit_of_state("succeeded"), 0);
    assert_int_equal(exit_of_state("failed"), 1);
    assert_int_equal(exit_of_state("partial"), 7);
    assert_int_equal(exit_of_state("awaiting_approval"), 10);
    assert_int_equal(exit_of_state("cancelled"), 11);
    assert_int_equal(exit_of_state("running"), EXIT_STILL_RUNNING);
    assert_int_equal(exit_of_state("a state of tomorrow"), EXIT_STILL_RUNNING);
}

static void what_cannot_be_reached_is_6_and_what_is_no_recoverd_is_said(void **state)
{
    struct scripted_server *server = SCRIPTED({.headers = "Content-Type: text/html\r\n", .body = "<html>"});

    (void)state;
    harness_write("token", "t");
    run(NULL, ARGS("me"), &outcome);
    assert_int_equal(outcome.code, EXIT_UNREACHABLE);
    assert_has(outcome.err, "cannot reach http://127.0.0.1:1");
    run(server, ARGS("me"), &outcome);
    assert_int_equal(outcome.code, EXIT_UNREACHABLE);
    assert_has(outcome.err, "is it a recoverd");
    run(NULL, ARGS("me", "--server", "http://example.com"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "https://");
    end(server);
}

static void a_control_character_of_the_server_does_not_reach_the_terminal(void **state)
{
    struct scripted_server *server =
        SCRIPTED({REPLY_JSON("{\"identity\":\"a\\u001b]0;x\\u0007\\u009b2Jb\"}")},
                 {.status = 404,
                  .headers = PROBLEM_HEAD,
                  .body = "{\"title\":\"t\\u001b[2J\",\"code\":\"NOT_FOUND\"}"});

    (void)state;
    harness_write("token", "t");
    run(server, ARGS("me"), &outcome);
    assert_string_equal(outcome.out, "identity: a?]0;x??2Jb\n");
    run(server, ARGS("me"), &outcome);
    assert_null(strchr(outcome.err, '\033'));
    end(server);
}

/* -- the token -- */

static void on_401_the_token_file_is_read_again(void **state)
{
    struct scripted_server *server =
        SCRIPTED({.expect = "Bearer old", REPLY_PROBLEM(401, "INVALID_TOKEN"), .hold = true},
                 {.expect = "Bearer new", REPLY_JSON("{\"identity\":\"ann\"}")});
    pid_t child;

    (void)state;
    harness_write("token", "old\n");
    child = harness_start(server, NULL, ARGS("-o", "id", "me"));
    while (scripted_server_requests(server) == 0)
        poll(NULL, 0, 5);
    harness_write("token", "new\n");
    scripted_server_let_go(server);
    harness_finish(child, &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_string_equal(outcome.out, "ann\n");
    end(server);
}

static void the_same_token_is_not_sent_twice_to_be_refused(void **state)
{
    struct scripted_server *server = SCRIPTED({REPLY_PROBLEM(401, "INVALID_TOKEN")});

    (void)state;
    harness_write("token", "old\n");
    run(server, ARGS("me"), &outcome);
    assert_int_equal(outcome.code, EXIT_LOGIN);
    assert_int_equal(scripted_server_requests(server), 1);
    assert_lacks(outcome.err, "old");
    end(server);
}

static void a_token_that_cannot_be_a_header_is_never_sent(void **state)
{
    struct scripted_server *server = SCRIPTED({.body = ""});

    (void)state;
    harness_write("token", "a\r\nX-Evil: b\n");
    run(server, ARGS("me"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_int_equal(scripted_server_requests(server), 0);
    end(server);
}

static void a_token_that_is_too_long_is_never_sent_cut(void **state)
{
    static char token[9000];
    struct scripted_server *server = SCRIPTED({.body = ""});

    (void)state;
    memset(token, 'a', sizeof(token) - 1);
    harness_token = token;
    run(server, ARGS("me"), &outcome);
    harness_token = NULL;
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "the token is longer than");
    assert_int_equal(scripted_server_requests(server), 0);
    end(server);
}

/* -- lists -- */

static void filters_become_the_query_and_all_follows_the_cursor(void **state)
{
    struct scripted_server *server = SCRIPTED(
        {.expect = "GET "
                   "/v1/"
                   "jobs\\?kind=backup.table&state=failed&state=partial&resource=table%2FSales&limit=500&"
                   "environment=e%201 ",
         REPLY_JSON("{\"items\":[{\"id\":\"1\"}],\"next_cursor\":\"a+b\"}")},
        {.expect = "&cursor=a%2Bb ", REPLY_JSON("{\"items\":[{\"id\":\"2\"}],\"next_cursor\":null}")});

    (void)state;
    harness_write("token", "t");
    run(server,
        ARGS("-o", "json", "jobs", "--kind", "backup.table", "--state", "failed", "--state", "partial",
             "--resource", "table/Sales", "--all", "-e", "e 1"),
        &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_string_equal(outcome.out, "{\"items\":[{\"id\":\"1\"},{\"id\":\"2\"}],\"next_cursor\":null}\n");
    end(server);
}

static void each_form_of_a_list_is_what_it_says(void **state)
{
    static const char page[] =
        "{\"items\":[{\"id\":\"p1\",\"resource\":\"table/A\",\"items\":1234567,\"bytes\":2048,"
        "\"created_at\":\"2026-11-23T12:37:43.390Z\"},{\"id\":\"p2\"}],\"next_cursor\":null}";
    struct scripted_server *server = SCRIPTED({REPLY_JSON(page), .repeat = true});

    (void)state;
    harness_write("token", "t");
    run(server, ARGS("-o", "json", "points"), &outcome);
    assert_int_equal(strncmp(outcome.out, page, strlen(page)), 0);
    run(server, ARGS("-o", "id", "points"), &outcome);
    assert_string_equal(outcome.out, "p1\np2\n");
    run(server, ARGS("-o", "jsonl", "points"), &outcome);
    assert_has(outcome.out, "}\n{\"id\":\"p2\"}\n");
    run(server, ARGS("points"), &outcome);
    assert_has(outcome.out, "1,234,567");
    assert_has(outcome.out, "2.0 KiB");
    assert_has(outcome.out, "2026-11-23 12:37:43");
    end(server);
}

/* What `audit verify` is to read holds every row: those of one environment are no chain. */
static void the_trail_as_lines_is_of_every_environment(void **state)
{
    struct scripted_server *server =
        SCRIPTED({.expect = "GET /v1/audit\\?limit=500 ",
                  REPLY_JSON("{\"items\":[{\"seq\":2},{\"seq\":1}],\"next_cursor\":null}")},
                 {.expect = "GET /v1/audit\\?environment=production ",
                  REPLY_JSON("{\"items\":[],\"next_cursor\":null}")});

    (void)state;
    harness_write("token", "t");
    run(server, ARGS("-e", "production", "audit", "--ndjson"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_string_equal(outcome.out, "{\"seq\":2}\n{\"seq\":1}\n");
    run(server, ARGS("-e", "production", "audit"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    end(server);
}

static void a_long_text_is_shown_whole_and_a_long_cell_says_that_it_is_cut(void **state)
{
    static char job[2048], page[2048], text[600];
    struct scripted_server *server = SCRIPTED({REPLY_JSON(job)}, {REPLY_JSON(page)});

    (void)state;
    harness_write("token", "t");
    memset(text, 'x', sizeof(text) - 2);
    text[sizeof(text) - 2] = '!';
    snprintf(job, sizeof(job), "{\"id\":\"i\",\"error\":{\"detail\":\"%s\"}}", text);
    snprintf(page, sizeof(page), "{\"items\":[{\"id\":\"%s\"}],\"next_cursor\":null}", text);
    run(server, ARGS("job", ID_JOB), &outcome);
    assert_has(outcome.out, "xxx!\n");
    run(server, ARGS("jobs"), &outcome);
    assert_has(outcome.out, "xxx..  ");
    end(server);
}

/* -- files -- */

#define SUM_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void a_file_appears_when_its_sum_is_right(void **state)
{
    struct scripted_server *server =
        SCRIPTED({.expect = "GET /v1/recovery-points/" ID_POINT "/files/tables/a%20b/x.gz ",
                  .headers = "ETag: \"" SUM_OF_ABC "\"\r\n",
                  .body = "abc"});

    (void)state;
    harness_write("token", "t");
    run(server, ARGS("get", ID_POINT, "tables/a b/x.gz", "-O", harness_path("file")), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    harness_read(harness_path("file"), outcome.out);
    assert_string_equal(outcome.out, "abc");
    end(server);
}

static void a_file_with_another_sum_does_not_appear(void **state)
{
    static const struct scripted_reply replies[] = {
        {.headers = "ETag: \"" SUM_OF_ABC "\"\r\n", .body = "abd"},
        {.headers = "ETag: \"x\"\r\n", .body = "abc"},
        {.headers = "ETag: \"" SUM_OF_ABC "\"\r\n", .body = "abcabcabc", .cut = CUT_IN_BODY},
        {REPLY_PROBLEM(409, "RECOVERY_POINT_DAMAGED")},
    };

    (void)state;
    harness_write("token", "t");
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct scripted_server *server = scripted_server_start(&replies[i], 1);

        run(server, ARGS("get", ID_POINT, "f", "-O", harness_path("file")), &outcome);
        assert_int_not_equal(outcome.code, EXIT_DONE);
        assert_int_equal(access(harness_path("file"), F_OK), -1);
        scripted_server_stop(server);
    }
}

static void a_file_that_cannot_be_written_is_not_said_of_the_server(void **state)
{
    static char body[64 * 1024];
    struct scripted_server *server = SCRIPTED({.headers = "ETag: \"" SUM_OF_ABC "\"\r\n", .body = body});
    struct rlimit before, small;

    (void)state;
    harness_write("token", "t");
    memset(body, 'a', sizeof(body) - 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    run(server, ARGS("get", ID_POINT, "f", "-O", harness_path("file")), &outcome);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(outcome.code, EXIT_UNREACHABLE);
    assert_has(outcome.err, "File too large");
    assert_lacks(outcome.err, "cannot reach");
    assert_int_equal(access(harness_path("file"), F_OK), -1);
    scripted_server_stop(server);
}

static void ctrl_c_leaves_no_half_of_a_file(void **state)
{
    struct scripted_server *server = SCRIPTED({.cut = CUT_HANG});
    glob_t found;
    pid_t child;

    (void)state;
    harness_write("token", "t");
    child = harness_start(server, NULL, ARGS("get", ID_POINT, "f", "-O", harness_path("file")));
    while (scripted_server_requests(server) == 0)
        poll(NULL, 0, 5);
    assert_int_equal(kill(child, SIGINT), 0);
    harness_finish(child, &outcome);
    assert_int_equal(outcome.code, EXIT_DETACHED);
    assert_int_equal(glob(harness_path("file*"), 0, NULL, &found), GLOB_NOMATCH);
    scripted_server_stop(server);
}

/* -- settings -- */

static void a_context_says_where_unless_a_flag_says_otherwise(void **state)
{
    struct scripted_server *server = SCRIPTED({REPLY_JSON("{\"identity\":\"ann\"}"), .repeat = true});
    char text[512];

    (void)state;
    harness_write("token", "t");
    mkdir(harness_path(".config"), 0700);
    mkdir(harness_path(".config/recoverd"), 0700);
    snprintf(text, sizeof(text), "contexts:\n  here: {server: \"%s/\"}\n  bad: {sever: x}\n",
             scripted_server_url(server));
    harness_write(".config/recoverd/config.yaml", text);
    run(NULL, ARGS("--context", "here", "me"), &outcome); /* RECOVERD_URL is stronger */
    assert_int_equal(outcome.code, EXIT_UNREACHABLE);
    run(NULL, ARGS("--server", scripted_server_url(server), "me"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    run(server, ARGS("--context", "bad", "me"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "config.yaml:3:9: unknown key sever");
    run(server, ARGS("--context", "other", "me"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    harness_write(".config/recoverd/config.yaml", "context:\n  here: {environment: e}\n");
    run(server, ARGS("me"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "config.yaml:1:1: unknown key context");
    end(server);
}

static void check_says_what_is_wrong_and_what_to_do(void **state)
{
    struct scripted_server *server = SCRIPTED(
        {.expect = "GET /v1/me ", REPLY_JSON("{\"identity\":\"ann\",\"grants\":[{\"role\":\"viewer\"}]}")},
        {.expect = "GET /v1/environments ", REPLY_JSON("{\"items\":[{\"name\":\"a\"},{\"name\":\"b\"}]}")},
        {.expect = "GET /v1/environments/a ",
         REPLY_JSON("{\"name\":\"a\",\"state\":\"usable\",\"tables\":[{\"name\":\"T\"}]}")},
        {.expect = "GET /v1/environments/b ",
         REPLY_JSON("{\"name\":\"b\",\"state\":\"unusable\",\"error\":{\"detail\":\"no credentials\"}}")});

    (void)state;
    harness_write("token", "t");
    run(server, ARGS("check"), &outcome);
    assert_int_equal(outcome.code, EXIT_FAILED);
    assert_has(outcome.out, "environment a  yes");
    assert_has(outcome.out, "environment b  no   no credentials");
    assert_has(outcome.err, "recoverctl environment b");
    end(server);
    run(NULL, ARGS("check"), &outcome);
    assert_int_equal(outcome.code, EXIT_UNREACHABLE);
}

static void an_environment_whose_tables_are_not_known_is_not_well(void **state)
{
    struct scripted_server *server = SCRIPTED(
        {REPLY_JSON("{\"identity\":\"ann\",\"grants\":[{\"role\":\"viewer\"}]}")},
        {REPLY_JSON("{\"items\":[{\"name\":\"a\"},{\"name\":\"b\"}]}")},
        {REPLY_JSON("{\"name\":\"a\",\"state\":\"usable\",\"tables\":[],\"complete\":false,\"unknown\":[],"
                    "\"tables_error\":{\"detail\":\"ListTables is denied\"}}")},
        {REPLY_JSON("{\"name\":\"b\",\"state\":\"usable\",\"tables\":[{\"name\":\"T\",\"status\":null}],"
                    "\"complete\":false,\"unknown\":[\"T\"]}")});

    (void)state;
    harness_write("token", "t");
    run(server, ARGS("check"), &outcome);
    assert_int_equal(outcome.code, EXIT_FAILED);
    assert_has(outcome.out, "environment a  no   ListTables is denied");
    assert_has(outcome.out, "environment b  no   not every table could be asked in time");
    end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_refusal_has_its_exit_code_and_says_what_to_do, harness_begin,
                                        harness_end),
        cmocka_unit_test(each_final_state_has_its_exit_code),
        cmocka_unit_test_setup_teardown(what_cannot_be_reached_is_6_and_what_is_no_recoverd_is_said,
                                        harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(a_control_character_of_the_server_does_not_reach_the_terminal,
                                        harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(on_401_the_token_file_is_read_again, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(the_same_token_is_not_sent_twice_to_be_refused, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(a_token_that_cannot_be_a_header_is_never_sent, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(a_token_that_is_too_long_is_never_sent_cut, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(filters_become_the_query_and_all_follows_the_cursor, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(the_trail_as_lines_is_of_every_environment, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(a_long_text_is_shown_whole_and_a_long_cell_says_that_it_is_cut,
                                        harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(each_form_of_a_list_is_what_it_says, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(a_file_appears_when_its_sum_is_right, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(a_file_with_another_sum_does_not_appear, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(ctrl_c_leaves_no_half_of_a_file, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_is_not_said_of_the_server,
                                        harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(an_environment_whose_tables_are_not_known_is_not_well, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(a_context_says_where_unless_a_flag_says_otherwise, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(check_says_what_is_wrong_and_what_to_do, harness_begin, harness_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
