/* A plan holds a thread and asks AWS: a few are made at a time, and nobody has all of them, however long the
 * name is that he goes by. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/internal.h"
#include "tests/support/world.h"

static atomic_int inside;
static atomic_bool gate;

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
    inside++;
    while (!gate)
        poll(NULL, 0, 5);
    return 0;
}

static int run(struct work *work, struct err *err)
{
    (void)work;
    (void)err;
    return 0;
}

static const struct field spec[] = {FIELD_END};
static const struct job_kind kind = {.name = "test.slow",
                                     .summary = "Its plan takes as long as the test likes",
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

struct asker {
    struct world *w;
    struct principal principal;
    struct arena *arena;
    struct err err;
    pthread_t thread;
};

static void *ask(void *arg)
{
    struct asker *asker = arg;
    struct faults faults;
    struct plan_row *row;
    struct submit submit = {.principal = &asker->principal,
                            .arena = asker->arena,
                            .faults = &faults,
                            .kind = "test.slow",
                            .environment = "test",
                            .request_id = "00000000-0000-7000-8000-000000000000"};

    faults_init(&faults, asker->arena);
    engine_plan(asker->w->engine, &submit, &row, &asker->err);
    return NULL;
}

static void begin(struct asker *asker, struct world *w, const char *identity)
{
    *asker = (struct asker){.w = w, .principal = w->principal, .arena = arena_new(MIB)};
    asker->principal.identity = identity;
    assert_int_equal(pthread_create(&asker->thread, NULL, ask, asker), 0);
}

static enum err_code end(struct asker *asker)
{
    pthread_join(asker->thread, NULL);
    arena_free(asker->arena);
    return asker->err.code;
}

/* At most 20 s. */
static void wait_inside(int count)
{
    for (int i = 0; i < 2000 && inside < count; i++)
        poll(NULL, 0, 10);
    assert_int_equal(inside, count);
}

static void nobody_makes_more_than_his_share_of_plans(const char *one, const char *other)
{
    struct world *w = world_new(kinds, NULL);
    struct asker askers[PLANS_OF_ONE], more, others;

    inside = 0;
    gate = false;
    for (size_t i = 0; i < COUNT_OF(askers); i++)
        begin(&askers[i], w, one);
    wait_inside(PLANS_OF_ONE);
    begin(&more, w, one);
    begin(&others, w, other);
    wait_inside(PLANS_OF_ONE + 1);
    gate = true;
    assert_int_equal(end(&more), ERR_BUSY);
    assert_true(more.err.retry_after_s > 0);
    assert_int_equal(end(&others), ERR_NONE);
    for (size_t i = 0; i < COUNT_OF(askers); i++)
        assert_int_equal(end(&askers[i]), ERR_NONE);
    world_free(w);
}

static void nobody_has_all_the_plans(void **state)
{
    (void)state;
    nobody_makes_more_than_his_share_of_plans("ann", "bob");
}

/* As long as a claim may be; the two differ in their last byte. */
static void nor_has_who_goes_by_a_long_name(void **state)
{
    char one[CLAIM_TEXT_MAX + 1], other[CLAIM_TEXT_MAX + 1];

    (void)state;
    memset(one, 'a', sizeof(one) - 1);
    one[sizeof(one) - 1] = '\0';
    memcpy(other, one, sizeof(other));
    other[sizeof(other) - 2] = 'b';
    nobody_makes_more_than_his_share_of_plans(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_has_all_the_plans),
        cmocka_unit_test(nor_has_who_goes_by_a_long_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
