/* What the globs of an environment match, and whose account it is, are known before any job asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/scripted_server.h"
#include "tests/support/world.h"
#include "tests/unit/engine/kinds.h"

static struct world *world_at(const struct scripted_server *server, const char *tables, const char *account)
{
    char extra[500];

    test_kinds_reset();
    snprintf(
        extra, sizeof(extra),
        "  there:\n    region: us-east-1\n    tables: [%s]\n    endpoint_url: %s\n%s    recovery_points: "
        "file:///tmp/recoverd-nowhere\n    allow_unencrypted: true\n",
        tables, scripted_server_url(server), account);
    return world_new(test_kinds, extra);
}

static size_t found(struct world *w, struct name_list *tables)
{
    struct err err = ERR_INIT;

    *tables = (struct name_list){0};
    assert_int_equal(engine_tables_found(w->engine, "there", w->arena, tables, &err), 0);
    return tables->count;
}

/* At most 20 s. */
static void wait_for_tables(struct world *w, size_t count, struct name_list *tables)
{
    for (int i = 0; i < 2000 && found(w, tables) != count; i++)
        usleep(10000);
    assert_int_equal(tables->count, count);
}

static void what_globs_match_is_known_from_the_start_over_all_pages(void **state)
{
    struct scripted_server *server =
        SCRIPTED({.expect = "DynamoDB_20120810.ListTables",
                  .body = "{\"TableNames\":[\"Sale-1\",\"Other\"],\"LastEvaluatedTableName\":\"Other\"}"},
                 {.expect = "\"ExclusiveStartTableName\":\"Other\"",
                  .body = "{\"TableNames\":[\"Sale-2\",\"Zale-3\"]}"});
    struct world *w = world_at(server, "\"Sale-*\"", "");
    struct name_list tables;

    (void)state;
    wait_for_tables(w, 2, &tables);
    assert_string_equal(tables.names[0], "Sale-1");
    assert_string_equal(tables.names[1], "Sale-2");
    assert_null(scripted_server_fault(server));
    world_free(w);
    scripted_server_stop(server);
}

static void without_globs_no_table_is_listed_but_the_account_is_asked_for(void **state)
{
    struct scripted_server *server = SCRIPTED(
        {.expect = "Action=GetCallerIdentity",
         .headers = "Content-Type: text/xml\r\n",
         .body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:me</Arn><UserId>U</UserId>"
                 "<Account>210987654321</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"});
    struct world *w = world_at(server, "Sales", "    account: \"123456789012\"\n");
    struct environment_state known = {0};
    struct name_list tables;
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < 2000 && !known.checked; i++) {
        usleep(10000);
        assert_int_equal(engine_environment_state(w->engine, "there", &known, &err), 0);
    }
    assert_true(known.checked && !known.usable);
    assert_int_equal(known.err.code, ERR_ACCOUNT_MISMATCH);
    assert_int_equal(found(w, &tables), 0);
    assert_int_equal(scripted_server_requests(server), 1);
    world_free(w);
    scripted_server_stop(server);
}

static void a_reload_looks_again(void **state)
{
    struct scripted_server *server = SCRIPTED(
        {.expect = "ListTables", .body = "{\"TableNames\":[\"Sale-1\"]}"},
        {.expect = "ListTables", .body = "{\"TableNames\":[\"Sale-1\",\"Sale-2\"]}", .repeat = true});
    struct world *w = world_at(server, "\"Sale-*\"", "");
    struct name_list tables;
    struct err err = ERR_INIT;

    (void)state;
    wait_for_tables(w, 1, &tables);
    assert_int_equal(engine_reload(w->engine, w->config, &err), 0);
    wait_for_tables(w, 2, &tables);
    world_free(w);
    scripted_server_stop(server);
}

/* A list that is cut would be a table without an alert. */
static void tables_that_there_is_no_memory_for_are_not_left_out(void **state)
{
    struct scripted_server *server =
        SCRIPTED({.expect = "ListTables", .body = "{\"TableNames\":[\"Sale-1\",\"Sale-2\"]}"});
    struct world *w = world_at(server, "\"Sale-*\"", "");
    struct name_list tables;
    int full = 0;

    (void)state;
    wait_for_tables(w, 2, &tables);
    for (size_t limit = 1; limit < 400; limit++) {
        struct arena *arena = arena_new(limit);
        struct err err = ERR_INIT;

        if (engine_tables_found(w->engine, "there", arena, &tables, &err) < 0) {
            assert_int_equal(err.code, ERR_NO_MEMORY);
            full++;
        } else {
            assert_int_equal(tables.count, 2);
            assert_string_equal(tables.names[1], "Sale-2");
        }
        arena_free(arena);
    }
    assert_in_range(full, 1, 398);
    world_free(w);
    scripted_server_stop(server);
}

/* The test would hang, and the runner end it. */
static void a_stop_does_not_wait_for_an_aws_that_says_nothing(void **state)
{
    struct scripted_server *server = SCRIPTED({.cut = CUT_HANG, .repeat = true});
    struct world *w = world_at(server, "\"Sale-*\"", "    account: \"123456789012\"\n");

    (void)state;
    for (int i = 0; i < 2000 && scripted_server_requests(server) == 0; i++)
        usleep(10000);
    assert_int_equal(scripted_server_requests(server), 1);
    world_stop_engine(w);
    assert_int_equal(scripted_server_requests(server), 1);
    world_free(w);
    scripted_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_globs_match_is_known_from_the_start_over_all_pages),
        cmocka_unit_test(without_globs_no_table_is_listed_but_the_account_is_asked_for),
        cmocka_unit_test(a_reload_looks_again),
        cmocka_unit_test(tables_that_there_is_no_memory_for_are_not_left_out),
        cmocka_unit_test(a_stop_does_not_wait_for_an_aws_that_says_nothing),
    };

    setenv("AWS_ACCESS_KEY_ID", "testing", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "testing", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
