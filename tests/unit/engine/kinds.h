/* Kinds of the tests: what they do is said in their spec and counted here. One process a test file: kinds and
 * their counters are the test's own. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

#include "engine/work.h"
#include "tests/support/world.h"

static _Atomic int ran_first, ran_last, ran_part, ran_always, ran_again, at_once, most_at_once, plan_version;
static _Atomic int entered, fail_left, zombies,
    zombie_code;         /* parts that are to fail; that hang; what hanging ones were told */
static atomic_bool gate; /* opens what waits for it */
static const struct config *_Atomic last_config; /* that the step `last` saw */

static void test_kinds_reset(void)
{
    ran_first = ran_last = ran_part = ran_always = ran_again = at_once = most_at_once = plan_version = 0;
    entered = fail_left = zombies = zombie_code = 0;
    gate = false;
}

/* At most 20 s. */
static __attribute__((unused)) void until(const _Atomic int *counter, int wanted)
{
    for (int i = 0; i < 4000 && *counter < wanted; i++)
        usleep(5000);
    assert_true(*counter >= wanted);
}

static const struct field spec[] = {
    FIELD_TABLE("table", "the table", REQUIRED),
    FIELD_INTEGER("parts", 1, 1000, "parts of the second step", .initial = "1"),
    FIELD_TEXT("fail", "which step fails, and how"),
    FIELD_TEXT("pad", "makes the spec long", .max_length = 100000),
    FIELD_INTEGER("sleep_ms", 0, 60000, "how long a part takes", .initial = "0"),
    FIELD_END,
};
static const struct field result[] = {FIELD_INTEGER("parts", 0, 1e9, "how many parts ran"), FIELD_END};

static int check(struct ask *ask, struct err *err)
{
    const char *table = json_get_text(ask->spec, "table");

    ask->resource = arena_printf(ask->arena, "table/%s", table);
    if (!ask->resource)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    ask->touches[ask->touch_count++] =
        (struct touch){ask->resource, ask->kind->may_destroy != DESTROYS_NEVER};
    if (!str_starts(table, "T"))
        fault_add_code(ask->faults, ERR_RESOURCE_NOT_IN_ENVIRONMENT, "/spec/table", "%s is not listed",
                       table);
    return 0;
}

static int plan(struct ask *ask, struct planning *planning, struct err *err)
{
    (void)err;
    json_object_set_new(planning->identities, ask->resource,
                        json_pack("{s:i}", "version", (int)plan_version));
    json_array_append_new(planning->effects, json_pack("{s:s,s:s,s:i,s:b}", "resource", ask->resource,
                                                       "action", "touch", "count", 1, "destructive", 0));
    return 0;
}

static bool fails(struct work *work, const char *how)
{
    return str_is(json_get_text(work->spec, "fail"), how);
}

/* Hangs where no signal reaches it, then writes as if nothing had happened. */
static int hang(struct work *work, const struct advance *advance, struct err *err)
{
    int written;

    zombies++;
    while (!gate)
        poll(NULL, 0, 5);
    written = work_advance(work, advance, err);
    zombie_code = (int)err->code;
    zombies--;
    return written;
}

static int first_hostile(struct work *work, struct err *err)
{
    if (fails(work, "memory")) {
        while (arena_alloc(work->arena, 1 << 20))
            continue;
        while (arena_alloc(work->arena, 16))
            continue;
        return err_set(err, ERR_NO_MEMORY, "its arena is used up");
    }
    if (fails(work, "lost") && ran_first == 1)
        return err_set(err, ERR_LEASE_LOST, "it believes that its lease is lost");
    if (fails(work, "partial"))
        return work_partial(work, "First", ERR_INCOMPLETE, "it was asked to be partial", err);
    if (fails(work, "again late")) {
        while (!gate)
            poll(NULL, 0, 5);
        return work_again(work, 600000, "aws");
    }
    if (fails(work, "gate") && !gate)
        return work_again(work, 3000, "aws");
    return 0;
}

static int first(struct work *work, struct err *err)
{
    json_auto_t *seen = json_pack("{s:b}", "seen", 1);
    int hostile;

    ran_first++;
    hostile = first_hostile(work, err);
    if (hostile)
        return hostile;
    if (fails(work, "first"))
        return err_set(err, ERR_MISMATCH, "it was asked to fail");
    if (fails(work, "retryable"))
        return err_set(err, ERR_AWS_UNAVAILABLE, "it was asked to fail for a while");
    if (fails(work, "retry once") && work->part->attempts == 0)
        return err_set(err, ERR_AWS_UNAVAILABLE, "it was asked to fail once");
    if (fails(work, "again") && ran_again++ < 5)
        return work_again(work, 20, "aws");
    return work_state_put(work, "first", seen, err);
}

static int split(struct work *work, struct err *err)
{
    int64_t count = json_get_int(work->spec, "parts", 1);

    for (int64_t i = 0; i < count; i++) {
        json_auto_t *part = json_pack("{s:I}", "n", (json_int_t)i);

        if (work_split(work, "p", part, err) < 0)
            return -1;
    }
    return 0;
}

static int part(struct work *work, struct err *err)
{
    struct advance advance = {.cursor = BYTES("done"), .items = 10, .bytes = 100};
    int now = ++at_once;
    int64_t n = json_get_int(work->part_spec, "n", -1);
    int slept;

    entered++;
    while (now > most_at_once)
        most_at_once = now;
    slept = work_sleep(work, json_get_int(work->spec, "sleep_ms", 0), err);
    at_once--;
    if (slept < 0)
        return -1;
    if (fails(work, "hang") && work->part->crashes == 0)
        return hang(work, &advance, err);
    if (fails(work, "now and then") && fail_left-- > 0)
        return work_advance(work, &advance, err) < 0
                   ? -1
                   : err_set(err, ERR_AWS_UNREACHABLE, "it was asked to fail");
    if (fails(work, "no answer") && fail_left-- > 0)
        return err_set(err, ERR_AWS_UNREACHABLE, "it was asked to fail");
    if (fails(work, "some") && fail_left-- > 0)
        return err_set(err, ERR_MISMATCH, "one of some failures");
    if (!work->environment || !str_is(work->environment->name, "test")) /* of the attempt's own snapshot */
        return err_set(err, ERR_INTERNAL, "the snapshot is gone");
    if (fails(work, "part 3") && n == 3 && id_is_zero(&work->job->retry_of))
        return err_set(err, ERR_MISMATCH, "part 3 was asked to fail");
    work_progress(work, 10, 100);
    ran_part++;
    return work_advance(work, &advance, err);
}

static int last(struct work *work, struct err *err)
{
    json_auto_t *members = json_pack("{s:i}", "parts", (int)ran_part);

    ran_last++;
    last_config = work->config;
    return work_result(work, members, err);
}

static int always(struct work *work, struct err *err)
{
    ran_always++;
    if (fails(work, "tidy once") && work->part->attempts == 0)
        return err_set(err, ERR_AWS_UNAVAILABLE, "it was asked to fail once");
    return work_go(work, err);
}

#define STEPS                                                                                                \
    {                                                                                                        \
        {.name = "first", .run = first}, {.name = "parts", .split = split, .part = part},                    \
            {.name = "last", .run = last}, {.name = "tidy", .run = always, .always = true},                  \
    }

#define COMMON                                                                                               \
    .spec = spec, .result = result, .max_attempts = 2, .takes_over = true, .check = check, .plan = plan

static const struct job_kind harmless = {
    .name = "test.harmless", .summary = "Does nothing", KIND_HARMLESS, COMMON, .steps = STEPS};
static const struct job_kind guarded = {
    .name = "test.guarded", .summary = "Needs a plan and MFA", KIND_GUARDED, COMMON, .steps = STEPS};

/* Does its parts again when what they did was wrong, its last step when that was not all, and everything when
 * AWS was not there. */
static bool from_scratch(const struct job *old)
{
    return str_is(old->error_code, "AWS_UNAVAILABLE");
}

static const struct job_kind doubtful = {
    .name = "test.again",
    .summary = "Does some of it again",
    KIND_HARMLESS,
    COMMON,
    .anew = from_scratch,
    .steps = {{.name = "first", .run = first},
              {.name = "parts", .split = split, .part = part, .again = AGAIN_AFTER_MISMATCH},
              {.name = "last", .run = last, .again = AGAIN_AFTER_MISMATCH | AGAIN_AFTER_PARTIAL}}};

static __attribute__((unused))
const struct job_kind *const test_kinds[] = {&harmless, &guarded, &doubtful, NULL};
