/* What a step says of its job may hold text of AWS, of a file system, or a message that was cut within a
 * character: it is told all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/internal.h"
#include "tests/support/world.h"

static int check(struct ask *ask, struct err *err)
{
    (void)err;
    ask->resource = "table/T1x";
    return 0;
}

static int plan(struct ask *ask, struct planning *planning, struct err *err)
{
    (void)ask;
    (void)planning;
    (void)err;
    return 0;
}

static int run(struct work *work, struct err *err)
{
    if (work_left_behind(work, "folder caf\xc3", err) < 0 ||
        work_left_behind(work, "folder caf\xc3", err) < 0 || work_left_behind(work, "folder b", err) < 0 ||
        work_left_behind(work, "folder c\xff", err) < 0)
        return -1;
    if (work_not_left_behind(work, "folder c\xff", err) < 0 ||
        work_not_left_behind(work, "none such", err) < 0)
        return -1;
    return work_partial(work, "Said", ERR_INCOMPLETE, "the tag na\xc3", err);
}

static const struct field spec[] = {FIELD_END};
static const struct job_kind kind = {.name = "test.said",
                                     .summary = "Says what is no UTF-8",
                                     .role = ROLE_OPERATOR,
                                     .mfa = MFA_NONE,
                                     .may_destroy = DESTROYS_NEVER,
                                     .spec_version = 1,
                                     .spec = spec,
                                     .result = spec,
                                     .max_attempts = 1,
                                     .check = check,
                                     .plan = plan,
                                     .steps = {{.name = "run", .run = run}}};
static const struct job_kind *const kinds[] = {&kind, NULL};

static void what_is_no_utf8_is_told_all_the_same(void **state)
{
    struct world *w = world_new(kinds, NULL);
    struct job *job = world_accept(w, "test.said", "{}");

    (void)state;
    assert_int_equal(world_wait(w, &job->id)->state, JOB_PARTIAL);
    assert_string_equal(world_document(w, job, "left_behind"), "[\"folder caf\xef\xbf\xbd\",\"folder b\"]");
    assert_non_null(strstr(world_document(w, job, "conditions"), "\"the tag na\xef\xbf\xbd\""));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_no_utf8_is_told_all_the_same)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
