/* Before a call that changes something the lease is made to outlast it, with all its retries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/internal.h"
#include "tests/support/world.h"

static const struct intent {
    const char *action;
    int64_t budget_ms;
} intents[] = {{"dynamodb:CreateTable", AWS_BUDGET_MS}, {"s3:PutObject", AWS_BODY_BUDGET_MS}};
/* How long the lease is: before any intent; behind each, from before it was said and from after it. */
static int64_t at_first_ms, from_before_ms[COUNT_OF(intents)], from_after_ms[COUNT_OF(intents)];

static int64_t held_from(const struct work *work, int64_t boot_ms)
{
    return atomic_load(&work->private->lease_until) - boot_ms;
}

static int run(struct work *work, struct err *err)
{
    at_first_ms = held_from(work, clock_boot_ms());
    for (size_t i = 0; i < COUNT_OF(intents); i++) {
        struct effect effect = {.action = intents[i].action, .object = "an object"};
        int64_t before = clock_boot_ms();

        if (work_intent(work, &effect, err) < 0 || work_outcome(work, &effect, NULL, NULL, err) < 0)
            return -1;
        from_before_ms[i] = held_from(work, before);
        from_after_ms[i] = held_from(work, clock_boot_ms());
    }
    return 0;
}

static const struct field spec[] = {FIELD_END};
static const struct job_kind kind = {.name = "test.intent",
                                     .summary = "Says what it is about to do",
                                     KIND_HARMLESS,
                                     .spec = spec,
                                     .result = spec,
                                     .max_attempts = 1,
                                     .check = world_check,
                                     .plan = world_plan,
                                     .steps = {{.name = "run", .run = run}}};
static const struct job_kind *const kinds[] = {&kind, NULL};

static void the_lease_outlasts_the_call_and_its_retries(void **state)
{
    struct world *w = world_new(kinds, NULL);
    struct job *job = world_accept(w, "test.intent", "{}");

    (void)state;
    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
    assert_true(at_first_ms <= 5000); /* the lease of the configuration */
    for (size_t i = 0; i < COUNT_OF(intents); i++) {
        assert_true(from_before_ms[i] >= intents[i].budget_ms);
        assert_true(from_after_ms[i] <= intents[i].budget_ms + 5000);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_lease_outlasts_the_call_and_its_retries)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
