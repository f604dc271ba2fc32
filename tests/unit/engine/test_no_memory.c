/* Memory runs out at each allocation in turn: what the engine then says is done has been done, and what it
 * compares it does not take for equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/internal.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/world.h"

#define TRIES 400 /* more than any of these allocates */

/* -- what a step says of its job -- */

static struct world *world;
static int swept, lost; /* calls that ended well though an allocation failed; and whose words are not there */

static int arm_tx(struct tx *tx, void *ctx, struct err *err)
{
    (void)tx;
    (void)err;
    alloc_fail_at(*(long *)ctx);
    return 0;
}

static int disarm_tx(struct tx *tx, void *ctx, struct err *err)
{
    (void)tx;
    (void)err;
    alloc_fail_at(0);
    *(bool *)ctx = alloc_failed();
    return 0;
}

static int say_left(struct work *work, const char *word, struct err *err)
{
    return work_left_behind(work, word, err);
}

static int say_result(struct work *work, const char *word, struct err *err)
{
    json_auto_t *members = json_pack("{s:b}", word, 1);

    return work_result(work, members, err);
}

static int say_partial(struct work *work, const char *word, struct err *err)
{
    return work_partial(work, word, ERR_INCOMPLETE, "a message", err);
}

static const struct saying {
    int (*say)(struct work *work, const char *word, struct err *err);
    const char *document;
} sayings[] = {{say_left, "left_behind"}, {say_result, "result"}, {say_partial, "conditions"}};

/* The transaction runs on the writer's thread, so it is there that its n-th allocation is to fail. */
static bool try_saying(struct work *work, const struct saying *saying, long n)
{
    struct store *store = work->engine->store;
    struct err err = ERR_INIT, mine = ERR_INIT;
    const char *document;
    bool failed = false;
    char word[24];
    int said;

    snprintf(word, sizeof(word), "word-%ld", n);
    store_tx(store, "arm", arm_tx, &n, &mine);
    said = saying->say(work, word, &err);
    mine = ERR_INIT;
    store_tx(store, "disarm", disarm_tx, &failed, &mine);
    document = world_document(world, work->job, saying->document);
    swept += failed;
    lost += said == 0 && !(document && strstr(document, word));
    return failed;
}

static int run(struct work *work, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < COUNT_OF(sayings); i++)
        for (long n = 1; n < TRIES && try_saying(work, &sayings[i], n);)
            n++;
    return 0;
}

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

static const struct field spec[] = {FIELD_END};
static const struct job_kind kind = {.name = "test.starved",
                                     .summary = "Says much with little memory",
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

static void what_a_step_has_said_is_there(void **state)
{
    struct job *job;

    (void)state;
    swept = lost = 0;
    world = world_new(NULL, NULL);
    world_start_engine(world, kinds);
    job = world_accept(world, "test.starved", "{}");
    assert_int_equal(world_wait(world, &job->id)->state, JOB_PARTIAL);
    assert_true(swept > 15);
    assert_int_equal(lost, 0);
    world_free(world);
}

/* -- the errors of a step -- */

struct failing {
    struct world *w;
    const struct job *job;
    long n;
    bool failed;
    int64_t recorded;
};

static int error_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct err failure = ERR_INIT;
    struct failing *f = ctx;
    struct step **steps;
    size_t count;
    int result;

    if (tx_steps_of(tx, f->job->key, f->w->arena, &steps, &count, err) < 0)
        return -1;
    err_set(&failure, ERR_AWS_UNREACHABLE, "nobody answers");
    alloc_fail_at(f->n);
    result = tx_step_error(tx, steps[0], &failure, false, f->w->arena, err);
    alloc_fail_at(0);
    f->failed = alloc_failed();
    return result;
}

/* What is recorded: so many errors, each in all three places. */
static int read_tx(struct tx *tx, void *ctx, struct err *err)
{
    static const struct json_limits limits = {.max_depth = 16};
    struct failing *f = ctx;
    json_auto_t *errors = NULL;
    struct step **steps;
    size_t count;

    if (tx_steps_of(tx, f->job->key, f->w->arena, &steps, &count, err) < 0)
        return -1;
    f->recorded = 0;
    if (!steps[0]->errors.data)
        return 0;
    if (json_parse(steps[0]->errors, &limits, &errors, err) < 0)
        return -1;
    f->recorded = json_get_int(json_object_get(errors, "by_code"), "AWS_UNREACHABLE", 0);
    count = (size_t)f->recorded;
    if (json_array_size(json_object_get(errors, "first")) != (count < 3 ? count : 3) ||
        json_array_size(json_object_get(errors, "last")) != (count < 10 ? count : 10))
        return err_set(err, ERR_STORE_CORRUPT, "an error is not recorded whole");
    return 0;
}

static void an_error_of_a_step_is_recorded_whole_or_not_at_all(void **state)
{
    struct world *w = world_new(NULL, NULL);
    struct failing f = {.w = w, .n = 1, .failed = true};

    (void)state;
    world_start_engine(w, kinds);
    f.job = world_accept(w, "test.starved", "{}");
    world = w;
    world_wait(w, &f.job->id);
    for (; f.n < TRIES && f.failed; f.n++) {
        struct err err = ERR_INIT, reading = ERR_INIT;
        int64_t before = f.recorded;
        int result = store_tx(w->store, "error", error_tx, &f, &err);

        assert_int_equal(store_read(w->store, read_tx, &f, &reading), 0);
        assert_int_equal(f.recorded, before + (result == 0));
        assert_int_equal(err.code, result == 0 ? ERR_NONE : ERR_NO_MEMORY);
    }
    assert_in_range(f.n, 20, TRIES - 1);
    world_free(w);
}

/* -- plans -- */

static json_t *effect_of(const char *action)
{
    return json_pack("{s:s,s:s,s:i,s:b}", "resource", "table/T1x", "action", action, "count", 1,
                     "destructive", 1);
}

static void fill(struct planning *planning, const char *table_id)
{
    json_object_set_new(planning->identities, "table/T1x", json_pack("{s:s}", "table_id", table_id));
    json_array_append_new(planning->effects, effect_of("overwrite"));
}

static void another_table_is_never_taken_for_the_planned_one(void **state)
{
    _cleanup_(planning_done_p) struct planning was = {0}, is = {0};
    _cleanup_(arena_free_p) struct arena *arena = arena_new(16 * MIB);
    struct plan_row row = {.body = BYTES("{\"effects\":[{\"destructive\":true,\"count\":1}]}")};
    struct bytes changes = {0};
    struct err err = ERR_INIT;
    bool failed = true;
    long n;

    (void)state;
    assert_int_equal(planning_init(&was, &err), 0);
    assert_int_equal(planning_init(&is, &err), 0);
    fill(&was, "one");
    fill(&is, "another");
    row.identities = bytes_of(planning_canonical(&was, arena));
    assert_non_null(row.identities.data);
    assert_int_equal(plan_compare(&row, &was, arena, &changes, &err), 0);
    for (n = 1; n < TRIES && failed; n++) {
        int result;

        err = ERR_INIT;
        alloc_fail_at(n);
        result = plan_compare(&row, &is, arena, &changes, &err);
        alloc_fail_at(0);
        failed = alloc_failed();
        assert_int_equal(result, -1);
        assert_true(err.code == ERR_PLAN_STALE || (failed && err.code == ERR_NO_MEMORY));
    }
    assert_in_range(n, 20, TRIES - 1);
    assert_non_null(strstr(changes.data, "another"));
}

static void no_action_is_missing_from_what_is_hashed(void **state)
{
    _cleanup_(planning_done_p) struct planning planning = {0};
    _cleanup_(arena_free_p) struct arena *arena = arena_new(16 * MIB);
    struct err err = ERR_INIT;
    bool failed = true;
    char *whole;
    long n;

    (void)state;
    assert_int_equal(planning_init(&planning, &err), 0);
    fill(&planning, "one");
    whole = planning_canonical(&planning, arena);
    for (n = 1; n < TRIES && failed; n++) {
        char *text;

        alloc_fail_at(n);
        text = planning_canonical(&planning, arena);
        alloc_fail_at(0);
        failed = alloc_failed();
        if (text)
            assert_string_equal(text, whole);
    }
    assert_in_range(n, 10, TRIES - 1);
    json_array_append_new(planning.effects, json_pack("{s:s}", "resource", "table/T2x"));
    assert_null(planning_canonical(&planning, arena)); /* whatever it does there, nobody could agree to it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_step_has_said_is_there),
        cmocka_unit_test(an_error_of_a_step_is_recorded_whole_or_not_at_all),
        cmocka_unit_test(another_table_is_never_taken_for_the_planned_one),
        cmocka_unit_test(no_action_is_missing_from_what_is_hashed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
