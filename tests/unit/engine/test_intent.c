/* Before a call that changes something the lease is made to outlast it, with all its retries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/internal.h"
#include "tests/support/world.h"

static int64_t held_ms[3]; /* before any intent, and behind one of each sort */

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

static int64_t held(const struct work *work)
{
    return atomic_load(&work->private->lease_until) - clock_boot_ms();
}

static int run(struct work *work, struct err *err)
{
    static const char *const actions[] = {"dynamodb:CreateTable", "s3:PutObject"};

    held_ms[0] = held(work);
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        struct effect effect = {.action = actions[i], .object = "an object"};

        if (work_intent(work, &effect, err) < 0 || work_outcome(work, &effect, NULL, NULL, err) < 0)
            return -1;
        held_ms[i + 1] = held(work);
    }
    return 0;
}

static const struct field spec[] = {FIELD_END};
static const struct job_kind kind = {.name = "test.intent",
                                     .summary = "Says what it is about to do",
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

static void the_lease_outlasts_the_call_and_its_retries(void **state)
{
    struct world *w = world_new(kinds, NULL);
    struct job *job = world_accept(w, "test.intent", "{}");

    (void)state;
    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
    assert_in_range(held_ms[0], 1, 5000); /* the lease of the configuration */
    assert_in_range(held_ms[1], AWS_BUDGET_MS, AWS_BUDGET_MS + 5000);
    assert_in_range(held_ms[2], AWS_BODY_BUDGET_MS, AWS_BODY_BUDGET_MS + 5000);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_lease_outlasts_the_call_and_its_retries)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
