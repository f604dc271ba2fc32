#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "base/fields.h"
#include "jobs/kinds.h"
#include "jobs/settings.h"

static void the_table_of_kinds_is_sound(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(kinds_sound(job_kinds, &err), 0);
}

static void the_kinds_of_this_version_are_there(void **state)
{
    static const char *const names[] = {"backup.table", "restore.table", "validate.backup", "validate.table"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_non_null(kind_find(job_kinds, names[i]));
    assert_null(kind_find(job_kinds, "backup.full"));
}

static void a_restore_needs_an_administrator_with_fresh_mfa(void **state)
{
    const struct job_kind *kind = kind_find(job_kinds, "restore.table");

    (void)state;
    assert_int_equal(kind->role, ROLE_ADMIN);
    assert_int_equal(kind->mfa, MFA_FRESH);
}

static void every_setting_that_a_spec_can_name_is_a_row_that_can_be_applied(void **state)
{
    char words[] = SETTINGS_CHOICES;
    char *at = words, *word;
    int count = 0;

    (void)state;
    while ((word = strsep(&at, " "))) {
        assert_non_null(setting_find(word));
        assert_non_null(setting_find(word)->apply);
        count++;
    }
    for (const struct setting *s = settings; s->name; s++)
        if (s->apply)
            count--;
    assert_int_equal(count, 0);
}

static void ttl_is_the_last_setting_and_billing_the_first_after_loading(void **state)
{
    const struct setting *last = settings, *first = NULL;

    (void)state;
    for (; last[1].name; last++)
        if (!first && last->use == SETTING_AFTER)
            first = last;
    assert_string_equal(last->name, "ttl");
    assert_string_equal(first->name, "billing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_kinds_is_sound),
        cmocka_unit_test(the_kinds_of_this_version_are_there),
        cmocka_unit_test(a_restore_needs_an_administrator_with_fresh_mfa),
        cmocka_unit_test(every_setting_that_a_spec_can_name_is_a_row_that_can_be_applied),
        cmocka_unit_test(ttl_is_the_last_setting_and_billing_the_first_after_loading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
