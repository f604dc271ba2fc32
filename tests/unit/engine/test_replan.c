/* What was approved must still be what would happen: the plan is made again when the first destructive step
 * starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tests/support/world.h"
#include "tests/unit/engine/kinds.h"

static _Atomic int destroyed;

static int destroy(struct work *work, struct err *err)
{
    (void)work;
    (void)err;
    destroyed++;
    return 0;
}

static const struct job_kind replanned = {
    .name = "test.replanned",
    .summary = "Destroys what its plan says",
    KIND_GUARDED,
    COMMON,
    .steps = {{.name = "first", .run = first}, {.name = "destroy", .run = destroy, .replan = true}},
};
static const struct job_kind *const kinds[] = {&harmless, &guarded, &replanned, NULL};
#define GATED "{\"table\":\"T1x\",\"fail\":\"gate\"}" /* the first step waits for the gate */

static void begin(void)
{
    test_kinds_reset();
    destroyed = 0;
}

static struct job *run_planned(struct world *w, int moved)
{
    struct submit submit = world_submit(w, "test.replanned", GATED);
    struct plan_row *row;
    struct accepted accepted;
    struct err err = ERR_INIT;

    assert_int_equal(engine_plan(w->engine, &submit, &row, &err), 0);
    submit.plan_hash = row->hash;
    submit.has_plan_hash = true;
    assert_int_equal(engine_submit(w->engine, &submit, &accepted, &err), 0);
    plan_version += moved; /* the world moves on behind the approval */
    gate = true;
    return world_wait(w, &accepted.job->id);
}

static void a_world_that_moved_since_the_approval_is_not_touched(void **state)
{
    (void)state;
    begin();
    struct world *w = world_new(kinds, NULL);
    const struct job *job = run_planned(w, 1);

    assert_int_equal(job->state, JOB_FAILED);
    assert_string_equal(job->error_code, "PLAN_STALE");
    /* and it says what moved */
    assert_non_null(strstr(world_document(w, job, "error"),
                           "1 things differ from the plan; the first: table/T1x version"));
    assert_int_equal(destroyed, 0);
    world_free(w);
}

static void a_world_that_stayed_is(void **state)
{
    (void)state;
    begin();
    struct world *w = world_new(kinds, NULL);
    const struct job *job = run_planned(w, 0);

    assert_int_equal(job->state, JOB_SUCCEEDED);
    assert_int_equal(destroyed, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_world_that_moved_since_the_approval_is_not_touched),
        cmocka_unit_test(a_world_that_stayed_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
