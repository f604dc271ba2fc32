/* Help, manual page and completion come from one table: every flag is in each of them. */
#include "ctl/commands.h"

#include "ctl/settings.h"
#include "ctl/submit.h"
#include "tests/unit/ctl/harness.h"

/* Of the whole of ctl_main, so that what a user sees is what is looked at. */
static void each_command(void (*look)(const struct command *command, const char *text))
{
    static struct outcome outcome;

    for (const struct command *command = commands; command->words; command++) {
        char first[32] = "", second[32] = "";

        sscanf(command->words, "%31s %31s", first, second);
        run(NULL, second[0] ? ARGS("help", first, second) : ARGS("help", first), &outcome);
        assert_int_equal(outcome.code, EXIT_DONE);
        assert_string_equal(outcome.err, "");
        look(command, outcome.out);
    }
}

static void look_in_help(const struct command *command, const char *text)
{
    char name[64];

    assert_has(text, command->words);
    assert_has(text, command->summary);
    for (size_t i = 0; i < COMMAND_TABLES_MAX && command->tables[i]; i++)
        for (const struct flag *flag = command->tables[i]; flag->name; flag++) {
            snprintf(name, sizeof(name), "--%s", flag->name);
            assert_has(text, name);
            assert_has(text, flag->help);
        }
}

static void every_flag_is_in_the_help_of_its_command(void **state)
{
    (void)state;
    each_command(look_in_help);
}

static void roff_of(const char *name, char text[128])
{
    size_t len = 0;

    text[len++] = '-';
    for (const char *at = "-"; *at; at++)
        text[len++] = *at;
    for (; *name; name++)
        text[len++] = *name;
    text[len] = '\0';
}

/* roff writes each hyphen behind a backslash */
static void without_backslashes(char *text)
{
    char *to = text;

    for (; *text; text++)
        if (*text != '\\')
            *to++ = *text;
    *to = '\0';
}

static void look_in_man(const char *man, const struct flag *flags)
{
    char name[128];

    for (; flags->name; flags++) {
        roff_of(flags->name, name);
        assert_has(man, name);
    }
}

static void every_flag_command_variable_and_exit_code_is_in_the_manual_page(void **state)
{
    static struct outcome outcome;

    (void)state;
    run(NULL, ARGS("man"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    without_backslashes(outcome.out);
    look_in_man(outcome.out, global_flags);
    look_in_man(outcome.out, submit_flags);
    for (const struct command *command = commands; command->words; command++) {
        assert_has(outcome.out, command->words);
        for (size_t i = 0; i < COMMAND_TABLES_MAX && command->tables[i]; i++)
            look_in_man(outcome.out, command->tables[i]);
    }
    for (const struct variable *variable = variables; variable->name; variable++)
        assert_has(outcome.out, variable->name);
    for (const struct exit_row *row = exit_rows; row->help; row++)
        assert_has(outcome.out, row->help);
}

static void complete(const struct command *command, char *text)
{
    static struct outcome outcome;
    char first[32] = "", second[32] = "";

    sscanf(command->words, "%31s %31s", first, second);
    run(NULL, second[0] ? ARGS("complete", "--", first, second, "") : ARGS("complete", "--", first, ""),
        &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    snprintf(text, OUTCOME_MAX + 1, "\n%s", outcome.out);
}

static void every_flag_is_completed(void **state)
{
    static char text[OUTCOME_MAX + 1];
    char name[64];

    (void)state;
    for (const struct command *command = commands; command->words; command++) {
        complete(command, text);
        for (size_t i = 0; i < COMMAND_TABLES_MAX && command->tables[i]; i++)
            for (const struct flag *flag = command->tables[i]; flag->name; flag++) {
                snprintf(name, sizeof(name), "\n--%s\n", flag->name);
                assert_has(text, name);
            }
    }
}

static void the_words_of_kinds_are_completed_from_the_cache(void **state)
{
    static struct outcome outcome;
    struct scripted_server *server = SCRIPTED({.expect = "GET /v1/kinds", REPLY_JSON(KINDS)});

    (void)state;
    harness_write("token", "t\n");
    run(server, ARGS("help", "backup", "table"), &outcome);
    assert_int_equal(outcome.code, EXIT_DONE);
    assert_has(outcome.out, "--segments NUMBER");
    assert_has(outcome.out, "keep it (no: --ttl=false)");
    assert_has(outcome.out, "usage: recoverctl [plan] backup table TABLE");
    run(server, ARGS("complete", "--", ""), &outcome);
    assert_has(outcome.out, "backup\n");
    run(server, ARGS("complete", "--", "plan", "backup", "t"), &outcome);
    assert_has(outcome.out, "table\n");
    run(server, ARGS("complete", "--", "backup", "table", "--"), &outcome);
    assert_has(outcome.out, "--segments\n");
    assert_has(outcome.out, "--no-wait\n");
    run(server, ARGS("complete", "--", "jobs", "--state", ""), &outcome);
    assert_has(outcome.out, "partial\n");
    run(server,
        ARGS("complete", "--", "backup", "table", "Sales", "--tags", "a=1", "--tags", "b=2", "--tags", "c=3",
             "--tags", "d=4", "--note", "a line of many words", "--timeout", "1h", "--otp", "--segments", "4",
             "--no-"),
        &outcome);
    assert_has(outcome.out, "--no-wait\n");
    assert_int_equal(scripted_server_requests(server), 1);
    end(server);
}

static void each_shell_has_a_script(void **state)
{
    static struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        static const char *const shells[] = {"bash", "zsh", "fish"};

        run(NULL, ARGS("completion", shells[i]), &outcome);
        assert_int_equal(outcome.code, EXIT_DONE);
        assert_has(outcome.out, "recoverctl complete --");
    }
    run(NULL, ARGS("completion", "tcsh"), &outcome);
    assert_int_equal(outcome.code, EXIT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_flag_is_in_the_help_of_its_command, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(every_flag_command_variable_and_exit_code_is_in_the_manual_page,
                                        harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(every_flag_is_completed, harness_begin, harness_end),
        cmocka_unit_test_setup_teardown(the_words_of_kinds_are_completed_from_the_cache, harness_begin,
                                        harness_end),
        cmocka_unit_test_setup_teardown(each_shell_has_a_script, harness_begin, harness_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
