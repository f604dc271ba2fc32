/* The command line as data. */
#include "ctl/flags.h"

#include "tests/unit/ctl/harness.h"

static const struct flag own[] = {{"name", 'n', "NAME", "help", false, NULL},
                                  {"many", 0, "A", "help", true, NULL},
                                  {"on", 0, NULL, "help", false, NULL},
                                  {0}};
static const struct flag *const tables[] = {own, NULL};

static int parse(struct args *args, struct err *err, const char *const *argv)
{
    *args = (struct args){0};
    *err = ERR_INIT;
    return args_parse(tables, harness_argc(argv), (char *const *)(uintptr_t)argv, args, NULL, NULL, err);
}

static void flags_take_their_value_in_every_form(void **state)
{
    struct args args;
    struct err err;

    (void)state;
    assert_int_equal(parse(&args, &err, ARGS("--name", "a", "word", "--many=b", "--many", "c", "--on")), 0);
    assert_string_equal(args_get(&args, "name"), "a");
    assert_string_equal(args_get(&args, "many"), "c");
    assert_true(args_on(&args, "on"));
    assert_int_equal(args.value_count, 4);
    assert_int_equal(args.word_count, 2);
    assert_int_equal(parse(&args, &err, ARGS("-n", "a", "--on=false", "--", "--name")), 0);
    assert_string_equal(args_get(&args, "name"), "a");
    assert_false(args_on(&args, "on"));
    assert_string_equal(args.words[1], "--name");
}

static void what_cannot_be_meant_is_refused(void **state)
{
    const struct {
        const char *const *argv;
        const char *says;
    } rows[] = {
        {ARGS("--nmae", "a"), "unknown flag --nmae"},
        {ARGS("--name"), "wants a value"},
        {ARGS("--name", "a", "--name", "b"), "twice"},
        {ARGS("--on=maybe"), "true or false"},
        {ARGS("-x"), "unknown flag -x"},
    };
    struct args args;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(&args, &err, rows[i].argv), -1);
        assert_has(err.message, rows[i].says);
    }
}

static void flags_of_others_are_left_for_them(void **state)
{
    const char *const argv[] = {"backup", "--other", "x", "-n", "a", "--", "--name", NULL};
    const char *rest[8];
    struct args args = {0};
    struct err err = ERR_INIT;
    int count = 0;

    (void)state;
    assert_int_equal(args_parse(tables, 7, (char *const *)(uintptr_t)argv, &args, rest, &count, &err), 0);
    assert_int_equal(count, 5);
    assert_string_equal(rest[1], "--other");
    assert_string_equal(rest[3], "--");
    assert_string_equal(args_get(&args, "name"), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_take_their_value_in_every_form),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(flags_of_others_are_left_for_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
