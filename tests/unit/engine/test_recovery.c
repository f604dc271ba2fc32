/* The worst days: processes that die, workers that come back from the dead, cancels that race, chains of
 * retries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/audit_log.h"
#include "tests/support/world.h"
#include "tests/unit/engine/kinds.h"

static int begin(void **state)
{
    test_kinds_reset();
    *state = world_new(test_kinds, NULL);
    return 0;
}

static int end(void **state)
{
    gate = true; /* nothing may hang at the end */
    world_free(*state);
    return 0;
}

static int begin_process(struct tx *tx, void *ctx, struct err *err)
{
    return tx_process_begin(tx, "test", clock_wall_ms(), ctx, err);
}

/* What the store sees when the process dies and the next one begins; what ran goes on as a zombie. */
static void die(struct world *w)
{
    struct err err = ERR_INIT;
    int64_t owner;

    assert_int_equal(store_tx(w->store, "process", begin_process, &owner, &err), 0);
    engine_wake(w->engine);
}

struct sums {
    int64_t job_key, items;
    struct step **steps;
    size_t step_count;
    struct arena *arena;
};

static int sums_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct sums *s = ctx;
    int64_t bytes;

    if (tx_steps_of(tx, s->job_key, s->arena, &s->steps, &s->step_count, err) < 0)
        return -1;
    return tx_step_sums(tx, s->steps[1]->key, &s->items, &bytes, err);
}

struct looked {
    int64_t step_key;
    struct part **parts;
    size_t count;
    struct arena *arena;
};

static int parts_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct looked *l = ctx;

    return tx_parts_of_step(tx, l->step_key, l->arena, &l->parts, &l->count, err);
}

static struct sums sums_of(struct world *w, const struct job *job)
{
    struct sums s = {.job_key = job->key, .arena = w->arena};
    struct err err = ERR_INIT;

    assert_int_equal(store_read(w->store, sums_tx, &s, &err), 0);
    return s;
}

/* Until the only part of a step has failed once and waits for its second attempt; at most 20 s. */
static void until_tried_once(struct world *w, const struct job *job, size_t step)
{
    struct looked l = {.step_key = sums_of(w, job).steps[step]->key, .arena = w->arena};
    struct err err = ERR_INIT;

    for (int i = 0;
         i < 4000 && !(l.count == 1 && l.parts[0]->attempts == 1 && l.parts[0]->state == PART_READY); i++) {
        usleep(5000);
        assert_int_equal(store_read(w->store, parts_tx, &l, &err), 0);
    }
    assert_true(l.count == 1 && l.parts[0]->attempts == 1);
}

static struct job *accept_guarded(struct world *w, const char *spec_json)
{
    struct submit submit = world_submit(w, "test.guarded", spec_json);
    struct plan_row *plan;
    struct accepted accepted;
    struct err err = ERR_INIT;

    assert_int_equal(engine_plan(w->engine, &submit, &plan, &err), 0);
    submit.plan_hash = plan->hash;
    submit.has_plan_hash = true;
    assert_int_equal(engine_submit(w->engine, &submit, &accepted, &err), 0);
    return accepted.job;
}

static int try_retry(struct world *w, const struct job *job, struct job **ret_job, struct err *err)
{
    struct submit submit = world_submit(w, "test.harmless", "{}");
    struct accepted accepted;

    submit.retry_of = job->id;
    if (engine_submit(w->engine, &submit, &accepted, err) < 0)
        return -1;
    *ret_job = accepted.job;
    return 0;
}

static struct job *retry(struct world *w, const struct job *job)
{
    struct err err = ERR_INIT;
    struct job *again = NULL;

    assert_int_equal(try_retry(w, job, &again, &err), 0);
    return again;
}

static void cancel(struct world *w, const struct job *job)
{
    struct err err = ERR_INIT;
    struct job *now;

    assert_int_equal(engine_cancel(w->engine, &w->principal, &job->id, NULL, w->arena, &now, &err), 0);
}

/* -- processes that die -- */

static void what_ran_in_a_dead_process_is_done_once_by_the_next(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":8,\"sleep_ms\":400}");

    until(&at_once, 4);
    die(w);
    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_SUCCEEDED);
    assert_int_equal(sums_of(w, job).items, 80); /* each part counts once, however often it ran */
    assert_int_equal(ran_first, 1);
    assert_int_equal(ran_always, 1);
}

static void five_deaths_without_progress_end_the_job(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"sleep_ms\":60000}");

    for (int death = 1; death <= CRASHES_MAX; death++) {
        until(&entered, death); /* zombies are told by the heartbeat, so there is a worker soon */
        die(w);
    }
    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_FAILED);
    assert_string_equal(job->error_code, "CRASHED_REPEATEDLY");
    assert_int_equal(ran_part, 0);
    assert_int_equal(ran_always, 1);
}

static void a_zombie_can_neither_write_nor_end_the_job(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"hang\"}");

    until(&zombies, 1);
    die(w);
    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_SUCCEEDED);
    gate = true;
    while (zombies > 0)
        usleep(1000);
    assert_int_equal(zombie_code, ERR_LEASE_LOST);
    assert_int_equal(sums_of(w, job).items, 10);
    assert_int_equal(world_job(w, &job->id)->version, job->version);
}

static void a_part_whose_lease_ran_out_is_taken_up_again(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"lost\"}");

    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
    assert_int_equal(ran_first, 2);
}

static void an_attempt_without_memory_still_ends(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"memory\"}");

    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_FAILED);
    assert_string_equal(job->error_code, "NO_MEMORY");
    assert_non_null(strstr(world_document(w, job, "error"), "arena is used up"));
    assert_int_equal(ran_always, 1);
}

static void a_job_of_a_kind_that_is_gone_fails_and_frees_its_touches(void **state)
{
    static const struct job_kind *const others[] = {&guarded, NULL};
    struct world *w = *state;
    struct job *job;

    engine_stop(w->engine, clock_boot_ms() + 10000);
    job = world_accept(w, "test.harmless", "{\"table\":\"T1x\"}");
    world_stop_engine(w);
    world_start_engine(w, others);
    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_FAILED);
    assert_string_equal(job->error_code, "UNKNOWN_KIND");
    assert_non_null(strstr(world_document(w, job, "error"), "test.harmless"));
    assert_int_equal(world_wait(w, &accept_guarded(w, "{\"table\":\"T1x\"}")->id)->state, JOB_SUCCEEDED);
}

/* -- cancels -- */

#define AGAIN_LATE                                                                                           \
    "{\"table\":\"T1x\",\"fail\":\"again late\"}" /* the first step asks for a delay behind the gate */

static void a_cancel_is_not_kept_waiting_by_a_long_delay(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", AGAIN_LATE);

    gate = true;
    for (int i = 0; i < 2000 && !job->waiting_reason; i++) {
        usleep(10000);
        job = world_job(w, &job->id);
    }
    assert_string_equal(job->waiting_reason, "aws");
    cancel(w, job);
    assert_int_equal(world_wait(w, &job->id)->state, JOB_CANCELLED);
    assert_int_equal(ran_first, 1);
    assert_int_equal(ran_always, 1);
}

static void a_step_that_was_cancelled_meanwhile_gets_no_delay(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", AGAIN_LATE);

    until(&ran_first, 1);
    cancel(w, job);
    gate = true;
    assert_int_equal(world_wait(w, &job->id)->state, JOB_CANCELLED);
    assert_int_equal(ran_first, 1);
    assert_int_equal(ran_always, 1);
}

static void cancel_and_completion_at_once_leave_one_end(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 20; i++) {
        struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":3}");
        struct err err = ERR_INIT;
        struct job *now;
        int cancelled;

        usleep((useconds_t)(i * 700));
        cancelled = engine_cancel(w->engine, &w->principal, &job->id, NULL, w->arena, &now, &err);
        job = world_wait(w, &job->id);
        assert_true(cancelled == 0 || (err.code == ERR_JOB_STATE && job->state == JOB_SUCCEEDED));
        assert_true(job->state == JOB_CANCELLED || job->state == JOB_SUCCEEDED);
        if (job->state == JOB_SUCCEEDED)
            assert_non_null(world_document(w, job, "result"));
        assert_null(job->error_code);
    }
}

static void a_cancel_does_not_keep_what_gives_back_from_running(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"tidy once\"}");

    until_tried_once(w, job, 3);
    cancel(w, job);
    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED); /* everything else was done already */
    assert_int_equal(ran_always, 2);
}

struct trail {
    struct arena *arena;
    struct audit_record **rows;
    int64_t *keys;
    size_t count;
    bool more;
};

static int trail_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct trail *t = ctx;
    struct audit_query query = {.page = {.visible_all = true, .limit = 500}};
    const char *const action = "job.cancel_requested";

    query.action = (struct filter){&action, 1};
    return tx_audit_list(tx, &query, t->arena, &t->rows, &t->keys, &t->count, &t->more, err);
}

static void the_row_of_a_cancel_names_who_cancelled(void **state)
{
    struct world *w = *state;
    struct trail t = {.arena = w->arena};
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":4,\"sleep_ms\":60000}");
    struct err err = ERR_INIT;

    w->principal.identity = "bob \"the\", \"by\":\"ann";
    w->principal.issuer = "https://other.test/";
    w->principal.address = "127.0.0.9";
    cancel(w, job);
    assert_int_equal(world_wait(w, &job->id)->state, JOB_CANCELLED);
    assert_int_equal(store_read(w->store, trail_tx, &t, &err), 0);
    assert_int_equal(t.count, 1);
    assert_string_equal(t.rows[0]->actor, "bob \"the\", \"by\":\"ann");
    assert_string_equal(t.rows[0]->issuer, "https://other.test/");
    assert_string_equal(t.rows[0]->address, "127.0.0.9");
}

/* -- chains of retries -- */

static void a_chain_of_retries_does_each_part_once(void **state)
{
    struct world *w = *state;
    struct job *first_job, *second_job, *third_job;
    struct job *none;
    struct err err = ERR_INIT;

    fail_left = 1;
    first_job =
        world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":30,\"fail\":\"some\",\"sleep_ms\":5}");
    assert_int_equal(world_wait(w, &first_job->id)->state, JOB_FAILED);
    fail_left = 1;
    second_job = retry(w, first_job);
    assert_int_equal(world_wait(w, &second_job->id)->state, JOB_FAILED);
    third_job = retry(w, second_job);
    third_job = world_wait(w, &third_job->id);
    assert_int_equal(third_job->state, JOB_SUCCEEDED);
    assert_true(id_equal(&third_job->origin_id, &first_job->id));
    assert_int_equal(ran_part, 30);
    assert_int_equal(sums_of(w, third_job).items, 300);
    assert_int_equal(ran_always, 3); /* each job gives back what it made for itself */
    assert_int_equal(try_retry(w, first_job, &none, &err), -1);
    assert_int_equal(err.code, ERR_NOT_RETRYABLE);
}

static void a_retry_of_a_partial_job_does_the_work_anew(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"partial\"}");

    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_PARTIAL);
    job = retry(w, job);
    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_PARTIAL); /* nothing has changed: it must not be called a success */
    assert_int_equal(ran_first, 2);
    assert_true(id_equal(&job->origin_id, &job->id));
}

/* -- who waits for whom -- */

static void every_end_frees_what_the_job_had_touched(void **state)
{
    struct world *w = *state;
    struct job *job;

    assert_int_equal(world_wait(w, &accept_guarded(w, "{\"table\":\"T1x\"}")->id)->state, JOB_SUCCEEDED);
    job = accept_guarded(w, "{\"table\":\"T1x\",\"fail\":\"first\"}");
    assert_int_equal(world_wait(w, &job->id)->state, JOB_FAILED);
    job = accept_guarded(w, "{\"table\":\"T1x\",\"sleep_ms\":60000}");
    until(&at_once, 1);
    struct job *behind = accept_guarded(w, "{\"table\":\"T1x\"}");
    cancel(w, behind); /* queued */
    assert_int_equal(world_wait(w, &behind->id)->state, JOB_CANCELLED);
    cancel(w, job); /* running */
    assert_int_equal(world_wait(w, &job->id)->state, JOB_CANCELLED);
    job = accept_guarded(w, "{\"table\":\"T1x\",\"fail\":\"partial\"}");
    assert_int_equal(world_wait(w, &job->id)->state, JOB_PARTIAL);
    assert_int_equal(world_wait(w, &accept_guarded(w, "{\"table\":\"T1x\"}")->id)->state, JOB_SUCCEEDED);
}

static void a_long_queue_for_one_table_holds_up_no_other(void **state)
{
    struct world *w = *state;
    struct job *job;

    accept_guarded(w, "{\"table\":\"T1x\",\"sleep_ms\":60000}");
    until(&at_once, 1);
    for (int i = 0; i < 130; i++)
        accept_guarded(w, "{\"table\":\"T1x\"}");
    job = world_accept(w, "test.harmless", "{\"table\":\"T2x\"}");
    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
}

#define WAITING 1000

static void a_thousand_waiting_jobs_hold_no_worker(void **state)
{
    struct world *w = *state;
    static struct id waiting[WAITING];
    struct job *job;

    for (int i = 0; i < WAITING; i++)
        waiting[i] = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"gate\"}")->id;
    job = world_accept(w, "test.harmless", "{\"table\":\"T2x\"}");
    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
    gate = true;
    for (int i = 0; i < WAITING; i++)
        assert_int_equal(world_wait(w, &waiting[i])->state, JOB_SUCCEEDED);
    assert_int_equal(ran_part, WAITING + 1);
    assert_int_equal(ran_always, WAITING + 1);
}

/* -- reload, and what is too long -- */

static void a_running_attempt_keeps_the_configuration_that_it_began_with(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"sleep_ms\":500}");
    struct config *fresh;
    struct faults faults;
    struct err err = ERR_INIT;
    char path[200];

    until(&at_once, 1);
    faults_init(&faults, w->arena);
    snprintf(path, sizeof(path), "%s/recoverd.yaml", w->dir);
    fresh = config_load(path, &faults, &err);
    assert_non_null(fresh);
    assert_int_equal(engine_reload(w->engine, fresh, &err), 0);
    config_release(w->config); /* only the attempt still has the old one */
    w->config = fresh;
    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
    assert_ptr_equal(last_config, fresh);
}

static void a_long_spec_is_no_reason_to_refuse_a_job(void **state)
{
    struct world *w = *state;
    char *text = malloc(100000);
    struct job *job;

    snprintf(text, 100000, "{\"table\":\"T1x\",\"pad\":\"%090000d\"}", 0);
    job = world_accept(w, "test.harmless", text);
    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
    assert_int_equal(world_wait(w, &accept_guarded(w, text)->id)->state, JOB_SUCCEEDED);
    free(text);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_ran_in_a_dead_process_is_done_once_by_the_next),
        T(five_deaths_without_progress_end_the_job),
        T(a_zombie_can_neither_write_nor_end_the_job),
        T(a_part_whose_lease_ran_out_is_taken_up_again),
        T(an_attempt_without_memory_still_ends),
        T(a_job_of_a_kind_that_is_gone_fails_and_frees_its_touches),
        T(a_cancel_is_not_kept_waiting_by_a_long_delay),
        T(a_step_that_was_cancelled_meanwhile_gets_no_delay),
        T(cancel_and_completion_at_once_leave_one_end),
        T(a_cancel_does_not_keep_what_gives_back_from_running),
        T(the_row_of_a_cancel_names_who_cancelled),
        T(a_chain_of_retries_does_each_part_once),
        T(a_retry_of_a_partial_job_does_the_work_anew),
        T(every_end_frees_what_the_job_had_touched),
        T(a_long_queue_for_one_table_holds_up_no_other),
        T(a_thousand_waiting_jobs_hold_no_worker),
        T(a_running_attempt_keeps_the_configuration_that_it_began_with),
        T(a_long_spec_is_no_reason_to_refuse_a_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
