/* What is done on the server itself or without any: tokens, tickets, the audit trail. */
#include "ctl/commands.h"

#include "audit/row_json.h"
#include "auth/ticket.h"
#include "base/clock.h"
#include "tests/unit/ctl/harness.h"

static struct outcome outcome;

static void write_config(const char *endpoint)
{
    char text[2048];

    snprintf(text, sizeof(text),
             "listen: 127.0.0.1:0\nops_listen: 127.0.0.1:0\ndata_dir: %s/data\ntotp: {key_file: totp.key}\n"
             "auth:\n  issuers:\n    - issuer: https://idp.test/\n      audiences: [recoverd]\n      "
             "algorithms: [HS256]\n"
             "      secret_file: issuer.secret\n      mfa: {amr_values: [mfa], max_age: 5m}\n"
             "environments:\n  production:\n    region: us-east-1\n    account: \"123456789012\"\n    "
             "tables: [Sales]\n%s"
             "    recovery_points: file://%s/points\n    allow_unencrypted: true\n",
             harness_home, endpoint, harness_home);
    harness_write("recoverd.yaml", text);
    harness_write("issuer.secret", "0123456789abcdef0123456789abcdef");
    harness_write("totp.key", "0123456789abcdef0123456789abcdef");
    chmod(harness_path("issuer.secret"), 0600);
    chmod(harness_path("totp.key"), 0600);
    mkdir(harness_path("points"), 0700);
}

#define LOOPBACK "    endpoint_url: http://127.0.0.1:1\n"
#define MINT "token", "mint", "--config", harness_path("recoverd.yaml"), "--subject", "ann"

/* The claims of the token on stdout, as JSON. */
static json_t *claims_of(char *token)
{
    char text[8192];
    char *middle = strchr(token, '.');
    char *last = middle ? strchr(middle + 1, '.') : NULL;
    long len;

    assert_non_null(last);
    len = base64url_decode((struct bytes){middle + 1, (size_t)(last - middle - 1)}, text);
    assert_true(len > 0);
    return json_loadb(text, (size_t)len, 0, NULL);
}

static void a_minted_token_says_who_and_what_for_at_most_15_minutes(void **state)
{
    json_auto_t *claims = NULL;

    (void)state;
    write_config(LOOPBACK);
    run(NULL, ARGS(MINT, "--role", "viewer@production", "--role", "auditor@*"), &outcome);
    assert_string_equal(outcome.err, "");
    assert_int_equal(outcome.code, EXIT_DONE);
    claims = claims_of(outcome.out);
    assert_string_equal(json_string_value(json_object_get(claims, "sub")), "ann");
    assert_int_equal(json_array_size(json_object_get(claims, "roles")), 2);
    assert_true(json_integer_value(json_object_get(claims, "exp")) -
                    json_integer_value(json_object_get(claims, "iat")) <=
                900);
    assert_null(json_object_get(claims, "auth_time")); /* no MFA unless asked for */
    run(NULL, ARGS(MINT, "--role", "viewer@production", "--ttl", "16m"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    run(NULL, ARGS(MINT), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "--role");
}

static void mfa_is_claimed_only_where_every_endpoint_is_loopback(void **state)
{
    json_auto_t *claims = NULL;

    (void)state;
    write_config(LOOPBACK);
    run(NULL, ARGS(MINT, "--role", "viewer@production", "--mfa"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    claims = claims_of(outcome.out);
    assert_non_null(json_object_get(claims, "auth_time"));
    write_config(""); /* AWS's own */
    run(NULL, ARGS(MINT, "--role", "viewer@production", "--mfa"), &outcome);
    assert_int_equal(outcome.code, EXIT_FORBIDDEN);
    assert_string_equal(outcome.out, "");
    run(NULL, ARGS(MINT, "--role", "viewer@production"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
}

static void a_role_too_many_is_refused_not_left_out(void **state)
{
    const char *argv[2 * 65 + 8] = {"recoverctl", MINT};
    int argc = harness_argc(argv);
    char config[128];

    (void)state;
    write_config(LOOPBACK);
    snprintf(config, sizeof(config), "%s", harness_path("recoverd.yaml"));
    argv[4] = config; /* harness_path keeps few */
    for (int i = 0; i < 65; i++) {
        argv[argc++] = "--role";
        argv[argc++] = "viewer@production";
    }
    run(NULL, argv, &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_string_equal(outcome.out, "");
    assert_has(outcome.err, "at most 64");
}

static void faults_of_the_configuration_are_all_said(void **state)
{
    (void)state;
    write_config("    no_such_key: 1\n    another: 2\n");
    run(NULL, ARGS(MINT, "--role", "viewer@production"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
    assert_has(outcome.err, "no_such_key");
    assert_has(outcome.err, "another");
}

static void enrolling_on_the_server_sends_a_ticket_for_whom_the_token_is(void **state)
{
    struct scripted_server *server = SCRIPTED(
        {.expect = "GET /v1/me ", REPLY_JSON("{\"identity\":\"ann\"}")},
        {.expect = "POST /v1/me/totp .*\"ticket\":\"", .status = 201, REPLY_JSON("{\"secret\":\"ABC\"}")});
    uint8_t key[TOTP_KEY_SIZE];
    struct err err = ERR_INIT;
    const char *ticket;
    int64_t made;

    (void)state;
    write_config(LOOPBACK);
    harness_write("token", "t");
    run(server, ARGS("totp", "enrol", "--config", harness_path("recoverd.yaml")), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_has(outcome.out, "ABC");
    ticket = strstr(scripted_server_request(server, 1), "\"ticket\":\"") + strlen("\"ticket\":\"");
    assert_int_equal(totp_key_load(harness_path("totp.key"), key, &err), 0);
    assert_true(
        ticket_check(key, "ann", (struct bytes){ticket, strcspn(ticket, "\"")}, clock_wall_ms(), &made));
    end(server);
}

/* -- the audit trail -- */

#define ROWS 5

static void write_trail(char text[OUTCOME_MAX], const char *node, int64_t from)
{
    struct buffer out = BUFFER_INIT(OUTCOME_MAX);
    struct err err = ERR_INIT;
    struct audit_row row = {
        .node = node, .actor = "ann", .action = "job.accepted", .outcome = "ok", .ts_ms = 1000};

    for (row.seq = 1; row.seq <= ROWS; row.seq++) {
        struct json_writer w;

        assert_int_equal(audit_row_hash(&row, row.hash, &err), 0);
        if (row.seq >= from) {
            json_put_begin(&w, &out);
            audit_row_write(&w, NULL, &row);
            buffer_add_char(&out, '\n');
        }
        memcpy(row.prev_hash, row.hash, sizeof(row.hash));
    }
    snprintf(text, OUTCOME_MAX, "%s", out.data);
    buffer_done(&out);
}

static void a_saved_trail_is_verified_without_a_server(void **state)
{
    static char trail[OUTCOME_MAX];

    (void)state;
    write_trail(trail, "n", 1);
    harness_write("trail", trail);
    run(NULL, ARGS("audit", "verify", harness_path("trail")), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_has(outcome.out, "verdict: sound");
    run_with(NULL, trail, ARGS("-o", "json", "audit", "verify", "-"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_has(outcome.out, "\"rows\":5");
    write_trail(trail, "n", 3);
    run_with(NULL, trail, ARGS("audit", "verify", "-"), &outcome);
    assert_has(outcome.err, "begins at row 3");
}

static void any_changed_row_breaks_the_verdict(void **state)
{
    static char trail[OUTCOME_MAX];

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        char *at = trail;

        write_trail(trail, "n", 1);
        for (int line = 0; line <= i; line++)
            at = strstr(at, "\"ann\"") + 1;
        at[0] = 'b';
        run_with(NULL, trail, ARGS("audit", "verify", "-"), &outcome);
        assert_int_equal(outcome.code, EXIT_FAILED);
        assert_has(outcome.out, "verdict: broken");
    }
}

static void the_servers_trail_is_fetched_page_by_page(void **state)
{
    static char trail[OUTCOME_MAX], first[OUTCOME_MAX * 2], second[OUTCOME_MAX * 2];
    char *half, *line;
    struct scripted_server *server;

    (void)state;
    write_trail(trail, "n", 1);
    half = trail;
    for (int i = 0; i < 2; i++)
        half = strchr(half, '\n') + 1;
    for (line = trail; (line = strchr(line, '\n')) != NULL; line++)
        *line = ','; /* rows of a JSON list */
    snprintf(second, sizeof(second), "{\"items\":[%.*s],\"next_cursor\":null}", (int)(half - trail - 1),
             trail);
    snprintf(first, sizeof(first), "{\"items\":[%.*s],\"next_cursor\":\"c\"}", (int)strlen(half) - 1, half);
    server = SCRIPTED({.expect = "GET /v1/audit\\?limit=500 ", REPLY_JSON(first)},
                      {.expect = "GET /v1/audit\\?limit=500&cursor=c ", REPLY_JSON(second)});
    harness_write("token", "t");
    run(server, ARGS("-o", "json", "audit", "verify"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_has(outcome.out, "\"last_seq\":5");
    end(server);
}

static void an_answer_without_rows_is_no_sound_trail(void **state)
{
    struct scripted_server *server = SCRIPTED({REPLY_JSON("{\"status\":\"ok\"}")});

    (void)state;
    harness_write("token", "t");
    run(server, ARGS("audit", "verify"), &outcome);
    assert_int_equal(outcome.code, EXIT_UNREACHABLE);
    assert_string_equal(outcome.out, "");
    assert_null(scripted_server_fault(server));
    scripted_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_minted_token_says_who_and_what_for_at_most_15_minutes,
                                        harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(mfa_is_claimed_only_where_every_endpoint_is_loopback, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(a_role_too_many_is_refused_not_left_out, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(faults_of_the_configuration_are_all_said, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(enrolling_on_the_server_sends_a_ticket_for_whom_the_token_is,
                                        harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(a_saved_trail_is_verified_without_a_server, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(any_changed_row_breaks_the_verdict, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(the_servers_trail_is_fetched_page_by_page, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(an_answer_without_rows_is_no_sound_trail, harness_begin, harness_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
