/* What an error keeps on its way up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void the_first_cause_wins(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(err_set_at(&err, ERR_CONFLICT, "/a", "first %d", 1), -1);
    assert_int_equal(err_set(&err, ERR_INTERNAL, "second"), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_string_equal(err.message, "first 1");
    assert_string_equal(err.pointer, "/a");
}

/* The end of a message is where the hint stands. */
static void a_wrapped_message_is_cut_only_where_it_does_not_fit(void **state)
{
    struct err err = ERR_INIT;
    char text[sizeof(err.message)];

    (void)state;
    memset(text, 'm', sizeof(text));
    text[sizeof(text) - 10] = '\0';
    err_set(&err, ERR_IO, "%s", text);
    assert_int_equal(err_wrap(&err, "what"), -1);
    assert_int_equal(strlen(err.message), strlen(text) + 6);
    assert_memory_equal(err.message, "what: mmm", 9);
    err_wrap(&err, "x");
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    assert_memory_equal(err.message, "x: what: ", 9);
    memset(text, 'w', sizeof(text));
    err_wrap(&err, "%.599s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    assert_non_null(strstr(err.message, "www: x: what: mmm"));
}

static void each_code_has_a_row_and_a_name_of_its_own(void **state)
{
    (void)state;
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        const struct err_info *info = err_info((enum err_code)code);

        assert_int_equal(err_code_by_name(info->name), code);
        assert_true(info->title[0] != '\0' && info->status >= 400 && info->status < 600);
    }
    assert_string_equal(err_info(ERR_COUNT)->name, "INTERNAL");
    assert_int_equal(err_code_by_name("NO_SUCH_CODE"), ERR_NONE);
    assert_int_equal(err_code_by_name(NULL), ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_cause_wins),
        cmocka_unit_test(a_wrapped_message_is_cut_only_where_it_does_not_fit),
        cmocka_unit_test(each_code_has_a_row_and_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
