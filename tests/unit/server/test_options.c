#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "server/embedded.h"
#include "server/options.h"

struct line {
    const char *words[5];
    int code;
    enum action action;
    const char *config, *dir;
};

static int parse(const char *const words[5], struct options *options)
{
    char *argv[7] = {(char *)(uintptr_t) "recoverd"};
    int argc = 1;

    for (; argc < 6 && words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    return options_parse(argc, argv, options);
}

static void each_command_line_means_one_thing_or_is_refused(void **state)
{
    static const struct line lines[] = {
        {{"--config", "f"}, 0, ACTION_RUN, "f", NULL},
        {{"--config=f"}, 0, ACTION_RUN, "f", NULL},
        {{"--config", "f", "--check"}, 0, ACTION_CHECK, "f", NULL},
        {{"--check", "--config", "f"}, 0, ACTION_CHECK, "f", NULL},
        {{"--migrate", "--config", "f"}, 0, ACTION_MIGRATE, "f", NULL},
        {{"--init", "d"}, 0, ACTION_INIT, NULL, "d"},
        {{"--version"}, 0, ACTION_VERSION, NULL, NULL},
        {{"--help"}, 0, ACTION_HELP, NULL, NULL},
        {{NULL}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"--check"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"--config"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"--config="}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"--config", "--check"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"--init"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"--config", "f", "--check", "--online"}, 0, ACTION_CHECK, "f", NULL},
        {{"--online", "--check", "--config", "f"}, 0, ACTION_CHECK, "f", NULL},
        {{"--config", "f", "--online"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"--config", "f", "--migrate", "--online"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"--config", "f", "--check=1"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"--config", "f", "--check", "--migrate"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"f"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
        {{"-h"}, EXIT_CONFIG, ACTION_RUN, NULL, NULL},
    };

    (void)state;
    unsetenv("RECOVERD_CONFIG");
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct options options = {0};
        int code = parse(lines[i].words, &options);

        if (code != lines[i].code)
            fail_msg("line %zu: %d", i, code);
        if (code != 0)
            continue;
        assert_int_equal(options.action, lines[i].action);
        assert_true(str_is(options.config, lines[i].config));
        assert_true(str_is(options.dir, lines[i].dir));
        assert_int_equal(options.online,
                         strcmp(lines[i].words[0], "--online") == 0 ||
                             (lines[i].words[3] && strcmp(lines[i].words[3], "--online") == 0));
    }
}

static void the_variable_stands_in_for_the_option(void **state)
{
    static const char *const none[5] = {NULL}, *const given[5] = {"--config", "f"};
    struct options options = {0};

    (void)state;
    setenv("RECOVERD_CONFIG", "from the variable", 1);
    assert_int_equal(parse(none, &options), 0);
    assert_string_equal(options.config, "from the variable");
    assert_int_equal(parse(given, &options), 0);
    assert_string_equal(options.config, "f");
    setenv("RECOVERD_CONFIG", "", 1);
    assert_int_equal(parse(none, &options), EXIT_CONFIG);
    unsetenv("RECOVERD_CONFIG");
}

static void the_binary_carries_the_document(void **state)
{
    struct bytes document = embedded_openapi();

    (void)state;
    assert_true(document.len > 1000);
    assert_true(bytes_starts(document, "openapi: 3.1.0\n"));
    assert_int_equal(document.data[document.len], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_line_means_one_thing_or_is_refused),
        cmocka_unit_test(the_variable_stands_in_for_the_option),
        cmocka_unit_test(the_binary_carries_the_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
