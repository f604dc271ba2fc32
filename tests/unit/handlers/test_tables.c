/* The tables of an environment: more than an answer tells of are not left out in silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "handlers/environment_tables.h"
#include "tests/support/scripted_server.h"
#include "tests/support/world.h"
#include "tests/unit/engine/kinds.h"

/* ListTables answers so many names; nothing else is known of any. */
static struct table_list list_of(int count, struct world **ret_world, struct scripted_server **ret_server)
{
    static char names[64 * 1024];
    size_t len = (size_t)snprintf(names, sizeof(names), "{\"TableNames\":[");
    const struct environment *environment;
    struct table_list list = {0};
    struct err err = ERR_INIT;
    char extra[400];

    test_kinds_reset();
    for (int i = 0; i < count; i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s\"Sale-%d\"", i ? "," : "", i);
    snprintf(names + len, sizeof(names) - len, "]}");
    *ret_server = SCRIPTED({.expect = "ListTables", .body = names},
                           {.expect = "DescribeTable",
                            .status = 400,
                            .body = "{\"__type\":\"com.amazonaws#ResourceNotFoundException\"}",
                            .repeat = true});
    snprintf(extra, sizeof(extra),
             "  there:\n    region: us-east-1\n    tables: [Named, \"Sale-*\"]\n    endpoint_url: %s\n"
             "    recovery_points: file:///tmp/recoverd-nowhere\n    allow_unencrypted: true\n",
             scripted_server_url(*ret_server));
    *ret_world = world_new(NULL, extra);
    struct engine_options options = {
        .store = (*ret_world)->store, .config = (*ret_world)->config, .kinds = test_kinds, .node = "test"};
    assert_int_equal(engine_new(&options, &(*ret_world)->engine, &err),
                     0); /* not started: nobody else asks */
    environment = config_environment((*ret_world)->config, "there");
    assert_int_equal(table_list_read((*ret_world)->engine, environment, clock_boot_ms() + 60000,
                                     (*ret_world)->arena, &list, &err),
                     0);
    return list;
}

static void all_that_can_be_shown_are(void **state)
{
    struct scripted_server *server;
    struct world *w;
    struct table_list list = list_of(ENVIRONMENT_TABLES_MAX - 1, &w, &server);

    (void)state;
    assert_int_equal(list.count, ENVIRONMENT_TABLES_MAX);
    assert_string_equal(list.tables[0].name, "Named");
    assert_int_equal(list.err.code, ERR_NONE);
    world_free(w);
    scripted_server_stop(server);
}

static void that_there_are_more_is_said(void **state)
{
    struct scripted_server *server;
    struct world *w;
    struct table_list list = list_of(ENVIRONMENT_TABLES_MAX, &w, &server);

    (void)state;
    assert_int_equal(list.count, ENVIRONMENT_TABLES_MAX);
    assert_int_equal(list.err.code, ERR_LIMIT_EXCEEDED);
    assert_false(list.complete);
    world_free(w);
    scripted_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_can_be_shown_are),
        cmocka_unit_test(that_there_are_more_is_said),
    };

    setenv("AWS_ACCESS_KEY_ID", "testing", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "testing", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
