#include "base/principal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/environment.h"

static struct principal with_grant(const struct grant *grant)
{
    return (struct principal){.grants = grant, .grant_count = 1};
}

static void each_role_contains_what_the_contract_says_and_no_more(void **state)
{
    (void)state;
    static const struct {
        enum role has;
        bool may[ROLE_DATA_READER + 1];
    } rows[] = {
        {ROLE_UNSET, {[ROLE_PUBLIC] = true}},
        {ROLE_PUBLIC, {[ROLE_PUBLIC] = true}},
        {ROLE_ANY, {[ROLE_PUBLIC] = true}},
        {ROLE_VIEWER, {[ROLE_PUBLIC] = true, [ROLE_ANY] = true, [ROLE_VIEWER] = true}},
        {ROLE_OPERATOR,
         {[ROLE_PUBLIC] = true, [ROLE_ANY] = true, [ROLE_VIEWER] = true, [ROLE_OPERATOR] = true}},
        {ROLE_ADMIN,
         {[ROLE_PUBLIC] = true,
          [ROLE_ANY] = true,
          [ROLE_VIEWER] = true,
          [ROLE_OPERATOR] = true,
          [ROLE_ADMIN] = true}},
        {ROLE_AUDITOR, {[ROLE_PUBLIC] = true, [ROLE_ANY] = true, [ROLE_AUDITOR] = true}},
        {ROLE_DATA_READER, {[ROLE_PUBLIC] = true, [ROLE_ANY] = true, [ROLE_DATA_READER] = true}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct grant grant = {rows[i].has, "production"};
        struct principal principal = with_grant(&grant);
        for (int role = ROLE_UNSET; role <= ROLE_DATA_READER; role++) {
            assert_int_equal(principal_may(&principal, (enum role)role, "production"), rows[i].may[role]);
            bool elsewhere = role == ROLE_PUBLIC;
            assert_int_equal(principal_may(&principal, (enum role)role, "staging"), elsewhere);
            assert_int_equal(principal_may(&principal, (enum role)role, "*"), elsewhere);
        }
        assert_false(principal_may(&principal, (enum role)99, "production"));
    }
}

static void a_grant_at_the_star_reaches_every_environment(void **state)
{
    (void)state;
    struct grant grant = {ROLE_OPERATOR, "*"};
    struct principal principal = with_grant(&grant);
    assert_true(principal_may(&principal, ROLE_VIEWER, "anything"));
    assert_true(principal_may(&principal, ROLE_OPERATOR, "*"));
    assert_true(principal_may(&principal, ROLE_OPERATOR, NULL));
    assert_false(principal_may(&principal, ROLE_ADMIN, NULL));
    assert_true(principal_sees(&principal, "anything"));
}

static void nobody_may_only_what_is_public(void **state)
{
    (void)state;
    struct principal empty = {0};
    assert_true(principal_may(NULL, ROLE_PUBLIC, NULL));
    assert_false(principal_may(NULL, ROLE_ANY, NULL));
    assert_false(principal_may(NULL, ROLE_VIEWER, NULL));
    assert_true(principal_may(&empty, ROLE_ANY, NULL));
    assert_false(principal_may(&empty, ROLE_ANY, "production"));
    assert_false(principal_may(&empty, ROLE_VIEWER, NULL));
    assert_false(principal_sees(&empty, "production"));
    assert_false(principal_sees(NULL, "production"));
}

static void only_roles_that_can_be_granted_are_parsed(void **state)
{
    (void)state;
    static const char *const good[] = {"viewer", "operator", "BackupAdministrator", "auditor", "data_reader"};
    static const char *const bad[] = {"",      "unset",  "public",  "any",
                                      "admin", "Viewer", "viewer ", "backupadministrator"};
    enum role role = ROLE_UNSET;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(role_parse(good[i], &role));
        assert_string_equal(role_name(role), good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(role_parse(bad[i], &role));
    assert_false(role_parse(NULL, &role));
    assert_string_equal(role_name((enum role)77), "unset");
}

static void mfa_is_fresh_only_within_its_age_and_the_skew(void **state)
{
    (void)state;
    const int64_t now = 1700000000000, minute = 60000;
    const struct {
        bool by_token;
        int64_t auth_time, max_age;
        bool fresh;
    } rows[] = {
        {true, now, 5 * minute, true},
        {true, now - 6 * minute, 5 * minute, true}, /* the skew */
        {true, now - 6 * minute - 1, 5 * minute, false},
        {true, now + minute, 5 * minute, true},
        {true, now + minute + 1, 5 * minute, false},
        {false, now, 5 * minute, false},
        {true, 0, 5 * minute, false},
        {true, -5, INT64_MAX, false},
        {true, now, 0, false},
        {true, INT64_MAX, 5 * minute, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct principal principal = {.mfa_by_token = rows[i].by_token,
                                      .auth_time_ms = rows[i].auth_time,
                                      .mfa_max_age_ms = rows[i].max_age};
        assert_int_equal(principal_mfa_fresh(&principal, now), rows[i].fresh);
    }
    assert_false(principal_mfa_fresh(NULL, now));
}

static void an_environment_lists_its_names_and_what_its_globs_match(void **state)
{
    (void)state;
    static const char *const names[] = {"Sales", "Buyers-*"};
    struct environment environment = {.name = "production", .tables = {names, 2}};
    assert_true(environment_lists_table(&environment, "Sales"));
    assert_true(environment_lists_table(&environment, "Buyers-2"));
    assert_false(environment_lists_table(&environment, "Sales2"));
    assert_false(environment_lists_table(&environment, "sales"));
    assert_false(environment_lists_table(&environment, ""));
    assert_false(environment_lists_table(NULL, "Sales"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_contains_what_the_contract_says_and_no_more),
        cmocka_unit_test(a_grant_at_the_star_reaches_every_environment),
        cmocka_unit_test(nobody_may_only_what_is_public),
        cmocka_unit_test(only_roles_that_can_be_granted_are_parsed),
        cmocka_unit_test(mfa_is_fresh_only_within_its_age_and_the_skew),
        cmocka_unit_test(an_environment_lists_its_names_and_what_its_globs_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
