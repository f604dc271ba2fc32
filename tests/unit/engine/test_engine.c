#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/chain.h"
#include "auth/totp.h"
#include "store/audit_log.h"
#include "base/clock.h"
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
    world_free(*state);
    return 0;
}

static void assert_code(enum err_code wanted, const struct err *err)
{
    assert_string_equal(err_info(wanted)->name, err_info(err->code)->name);
}

static void a_job_runs_its_steps_in_order_and_its_parts_all(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":20}");

    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_SUCCEEDED);
    assert_int_equal(ran_first, 1);
    assert_int_equal(ran_part, 20);
    assert_int_equal(ran_always, 1);
    assert_string_equal(world_document(w, job, "result"), "{\"parts\":20}");
    assert_null(world_document(w, job, "error"));
    assert_true(job->started_at >= job->created_at && job->finished_at >= job->started_at);
}

static void a_failed_step_fails_the_job_and_what_gives_back_still_runs(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"first\"}");

    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_FAILED);
    assert_string_equal(job->error_code, "MISMATCH");
    assert_non_null(strstr(world_document(w, job, "error"), "it was asked to fail"));
    assert_int_equal(ran_first, 1);
    assert_int_equal(ran_part, 0);
    assert_int_equal(ran_always, 1);
}

static void what_may_go_away_is_tried_again_up_to_the_kind_s_limit(void **state)
{
    struct world *w = *state;
    struct job *once = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"retry once\"}");
    struct job *often = world_accept(w, "test.harmless", "{\"table\":\"T2x\",\"fail\":\"retryable\"}");

    assert_int_equal(world_wait(w, &once->id)->state, JOB_SUCCEEDED);
    often = world_wait(w, &often->id);
    assert_int_equal(often->state, JOB_FAILED);
    assert_string_equal(often->error_code, "AWS_UNAVAILABLE");
    assert_int_equal(ran_first, 2 + 2);
}

static void what_moves_on_between_its_failures_is_tried_as_often_as_it_takes(void **state)
{
    struct world *w = *state;
    struct job *job;

    fail_left = 4; /* twice the kind's limit */
    job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"now and then\"}");
    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
    assert_int_equal(entered, 5);
}

static void where_nobody_answers_it_is_tried_for_longer(void **state)
{
    struct world *w = *state;
    struct job *job;

    fail_left = 3; /* the kind's limit is 2 */
    job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"no answer\"}");
    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
    assert_int_equal(entered, 4);
}

static void one_failed_part_ends_the_step_and_a_retry_does_only_the_rest(void **state)
{
    struct world *w = *state;
    struct job *job =
        world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":12,\"fail\":\"part 3\"}");
    struct submit submit;
    struct accepted accepted;
    struct err err = ERR_INIT;
    int before;

    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_FAILED);
    before = ran_part;
    assert_true(before < 12);
    submit = world_submit(w, "test.harmless", "{}");
    submit.retry_of = job->id;
    assert_int_equal(engine_submit(w->engine, &submit, &accepted, &err), 0);
    assert_true(id_equal(&accepted.job->origin_id, &job->id));
    assert_int_equal(world_wait(w, &accepted.job->id)->state, JOB_SUCCEEDED);
    assert_int_equal(ran_part, 12);
    assert_int_equal(ran_first, 1); /* its state was taken over */
    submit = world_submit(w, "test.harmless", "{}");
    submit.retry_of = job->id;
    assert_int_equal(engine_submit(w->engine, &submit, &accepted, &err), -1);
    assert_code(ERR_NOT_RETRYABLE, &err);
}

/* How a job of this kind ended, and then the same of its retry. */
static struct job *tried_again(struct world *w, const char *spec_json, enum job_state ended)
{
    struct job *job = world_accept(w, "test.again", spec_json);
    struct submit submit;
    struct accepted accepted;
    struct err err = ERR_INIT;

    assert_int_equal(world_wait(w, &job->id)->state, ended);
    submit = world_submit(w, "test.again", "{}");
    submit.retry_of = job->id;
    assert_int_equal(engine_submit(w->engine, &submit, &accepted, &err), 0);
    return world_wait(w, &accepted.job->id);
}

static void what_was_found_wrong_is_done_again_and_what_stands_on_it(void **state)
{
    struct world *w = *state;
    struct job *again = tried_again(w, "{\"table\":\"T1x\",\"parts\":12,\"fail\":\"part 3\"}", JOB_FAILED);

    assert_int_equal(again->state, JOB_SUCCEEDED);
    assert_false(id_equal(&again->origin_id, &again->id));
    assert_int_equal(ran_first, 1);
    assert_int_equal(ran_last, 1);
    assert_true(ran_part > 12); /* all of them, whatever was done before */
}

static void a_partial_job_does_again_what_can_do_the_rest_alone(void **state)
{
    struct world *w = *state;
    struct job *again = tried_again(w, "{\"table\":\"T1x\",\"parts\":3,\"fail\":\"partial\"}", JOB_PARTIAL);

    assert_int_equal(again->state,
                     JOB_PARTIAL); /* what the first step said still holds: it was not done again */
    assert_int_equal(ran_first, 1);
    assert_int_equal(ran_part, 3);
    assert_int_equal(ran_last, 2);
}

static void what_is_no_ground_to_go_on_from_begins_anew(void **state)
{
    struct world *w = *state;
    struct job *again = tried_again(w, "{\"table\":\"T1x\",\"fail\":\"retryable\"}", JOB_FAILED);

    assert_true(id_equal(&again->origin_id, &again->id));
    assert_int_equal(ran_first, 2 + 2);
}

static void two_writers_of_one_resource_run_one_after_the_other(void **state)
{
    struct world *w = *state;
    struct job *jobs[3];

    for (int i = 0; i < 3; i++) {
        struct submit submit = world_submit(w, "test.guarded", "{\"table\":\"T1x\",\"sleep_ms\":100}");
        struct plan_row *plan;
        struct accepted accepted;
        struct err err = ERR_INIT;

        assert_int_equal(engine_plan(w->engine, &submit, &plan, &err), 0);
        submit.plan_hash = plan->hash;
        submit.has_plan_hash = true;
        assert_int_equal(engine_submit(w->engine, &submit, &accepted, &err), 0);
        jobs[i] = accepted.job;
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(world_wait(w, &jobs[i]->id)->state, JOB_SUCCEEDED);
    assert_int_equal(most_at_once, 1);
    assert_int_equal(ran_part, 3);
}

static void cancel(struct world *w, const struct id *id)
{
    struct job *job;
    struct err err = ERR_INIT;

    assert_int_equal(engine_cancel(w->engine, &w->principal, id, NULL, w->arena, &job, &err), 0);
}

static void parts_run_on_as_many_workers_as_there_are(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":16,\"sleep_ms\":60000}");

    until(&at_once, 4);
    cancel(w, &job->id);
    assert_int_equal(world_wait(w, &job->id)->state, JOB_CANCELLED);
    assert_int_equal(most_at_once, 4);
}

static void a_running_job_is_cancelled_in_the_middle_of_a_wait(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":50,\"sleep_ms\":60000}");

    until(&at_once, 4);
    cancel(w, &job->id);
    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_CANCELLED);
    assert_int_equal(ran_part, 0);
    assert_int_equal(ran_always, 1);
    cancel(w, &job->id); /* asking again changes nothing and is no error */
}

static void a_job_that_has_ended_cannot_be_cancelled(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\"}");
    struct err err = ERR_INIT;

    world_wait(w, &job->id);
    assert_int_equal(engine_cancel(w->engine, &w->principal, &job->id, NULL, w->arena, &job, &err), -1);
    assert_code(ERR_JOB_STATE, &err);
}

static void a_step_that_asks_for_it_is_called_again(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"fail\":\"again\"}");

    assert_int_equal(world_wait(w, &job->id)->state, JOB_SUCCEEDED);
    assert_int_equal(ran_first, 6); /* more often than the kind's attempts: it is no failure */
}

/* -- who may, plans, MFA -- */

static enum err_code refusal(struct world *w, struct submit *submit)
{
    struct accepted accepted;
    struct err err = ERR_INIT;

    return engine_submit(w->engine, submit, &accepted, &err) == 0 ? ERR_NONE : err.code;
}

static void what_needs_mfa_needs_a_plan_that_fits(void **state)
{
    struct world *w = *state;
    struct submit submit = world_submit(w, "test.guarded", "{\"table\":\"T1x\"}");
    struct plan_row *plan;
    struct err err = ERR_INIT;

    assert_int_equal(refusal(w, &submit), ERR_PLAN_REQUIRED);
    assert_int_equal(engine_plan(w->engine, &submit, &plan, &err), 0);
    submit.has_plan_hash = true;
    submit.plan_hash = plan->hash;
    submit.plan_hash.bytes[0] ^= 1;
    assert_int_equal(refusal(w, &submit), ERR_PLAN_NOT_FOUND);
    submit.plan_hash = plan->hash;
    json_object_set_new(submit.spec, "parts", json_integer(2));
    assert_int_equal(refusal(w, &submit), ERR_PLAN_MISMATCH);
    json_object_del(submit.spec, "parts");
    plan_version = 1; /* the world moves on */
    assert_int_equal(refusal(w, &submit), ERR_PLAN_STALE);
    assert_non_null(strstr(submit.changes.data, "version"));
    plan_version = 0;
    w->principal.identity = "bob"; /* somebody else's plan */
    assert_int_equal(refusal(w, &submit), ERR_PLAN_NOT_FOUND);
    w->principal.identity = "ann";
    assert_int_equal(refusal(w, &submit), ERR_NONE);
    assert_int_equal(refusal(w, &submit), ERR_PLAN_SPENT);
}

static void without_fresh_mfa_nothing_guarded_is_accepted(void **state)
{
    struct world *w = *state;
    struct submit submit = world_submit(w, "test.guarded", "{\"table\":\"T1x\"}");
    struct plan_row *plan;
    struct err err = ERR_INIT;

    assert_int_equal(engine_plan(w->engine, &submit, &plan, &err), 0);
    submit.has_plan_hash = true;
    submit.plan_hash = plan->hash;
    w->principal.auth_time_ms -= 3600000;
    assert_int_equal(refusal(w, &submit), ERR_MFA_REQUIRED);
    w->principal.auth_time_ms += 3600000;
    w->principal.mfa_by_token = false;
    assert_int_equal(refusal(w, &submit), ERR_MFA_REQUIRED);
    submit.otp = "123456";
    assert_int_equal(refusal(w, &submit), ERR_OTP_INVALID);
    w->principal.mfa_by_token = true;
    submit.otp = NULL;
    assert_int_equal(refusal(w, &submit), ERR_NONE);
}

struct enrolling {
    struct totp_row row;
};

static int enrol_tx(struct tx *tx, void *ctx, struct err *err)
{
    return tx_totp_put(tx, &((struct enrolling *)ctx)->row, err);
}

static void a_one_time_code_is_spent_once_and_locks_after_five_wrong_ones(void **state)
{
    struct world *w = *state;
    uint8_t key[32];
    uint8_t secret[TOTP_SECRET_SIZE] = "12345678901234567890";
    uint8_t sealed[TOTP_SEALED_SIZE];
    struct enrolling enrolling = {
        {.identity = "ann", .sealed = {(char *)sealed, sizeof(sealed)}, .created_at = 1}};
    struct submit submit = world_submit(w, "test.guarded", "{\"table\":\"T1x\"}");
    struct plan_row *plan;
    struct err err = ERR_INIT;
    char code[8];

    memset(key, 7, sizeof(key));
    assert_int_equal(totp_seal(key, "ann", secret, sealed, &err), 0);
    assert_int_equal(store_tx(w->store, "enrol", enrol_tx, &enrolling, &err), 0);
    w->principal.mfa_by_token = false;
    snprintf(code, sizeof(code), "%06u", totp_code(secret, clock_wall_ms() / TOTP_STEP_MS));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(engine_plan(w->engine, &submit, &plan, &err), 0);
        submit.has_plan_hash = true;
        submit.plan_hash = plan->hash;
        submit.otp = code;
        assert_int_equal(refusal(w, &submit), round == 0 ? ERR_NONE : ERR_OTP_INVALID); /* a replayed code */
    }
    submit.otp = "abcdef";
    for (int failures = 2; failures <= TOTP_TRIES; failures++) /* the replay was the first */
        assert_int_equal(refusal(w, &submit), failures < TOTP_TRIES ? ERR_OTP_INVALID : ERR_OTP_LOCKED);
    submit.otp = code;
    assert_int_equal(refusal(w, &submit), ERR_OTP_LOCKED);
}

static void role_and_environment_are_asked_for_every_job(void **state)
{
    struct world *w = *state;
    struct submit submit = world_submit(w, "test.harmless", "{\"table\":\"T1x\"}");

    w->grant.role = ROLE_VIEWER;
    assert_int_equal(refusal(w, &submit), ERR_FORBIDDEN);
    w->grant = (struct grant){ROLE_ADMIN, "elsewhere"};
    assert_int_equal(refusal(w, &submit), ERR_UNKNOWN_ENVIRONMENT);
    w->grant = (struct grant){ROLE_ADMIN, "test"};
    submit.environment = "nowhere";
    assert_int_equal(refusal(w, &submit), ERR_UNKNOWN_ENVIRONMENT);
    submit.environment = "test";
    submit.kind = "test.none";
    assert_int_equal(refusal(w, &submit), ERR_UNKNOWN_KIND);
    submit = world_submit(w, "test.harmless", "{\"table\":\"Other\"}");
    assert_int_equal(refusal(w, &submit), ERR_RESOURCE_NOT_IN_ENVIRONMENT);
    submit = world_submit(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":0}");
    assert_int_equal(refusal(w, &submit), ERR_INVALID_SPEC);
}

static int answer(struct tx *tx, const struct job *job, struct arena *arena, struct bytes *ret_body,
                  struct err *err)
{
    (void)tx, (void)job, (void)arena, (void)err;
    *ret_body = BYTES("{\"the\":\"answer\"}");
    return 0;
}

static void the_same_key_and_body_give_the_same_job(void **state)
{
    struct world *w = *state;
    struct submit submit = world_submit(w, "test.harmless", "{\"table\":\"T1x\"}");
    struct accepted first_time;
    struct accepted again;
    struct err err = ERR_INIT;

    submit.idempotency_scope.bytes[0] = 1;
    submit.body_sha256.bytes[0] = 1;
    submit.answer = answer;
    assert_int_equal(engine_submit(w->engine, &submit, &first_time, &err), 0);
    assert_int_equal(engine_submit(w->engine, &submit, &again, &err), 0);
    assert_true(again.replayed && !first_time.replayed);
    assert_true(id_equal(&again.job->id, &first_time.job->id));
    assert_true(bytes_is(again.original->answer, "{\"the\":\"answer\"}"));
    submit.body_sha256.bytes[0] = 2;
    assert_int_equal(refusal(w, &submit), ERR_IDEMPOTENCY_KEY_REUSED);
    world_wait(w, &first_time.job->id);
    assert_int_equal(ran_first, 1);
}

/* -- the end of the process -- */

static void a_drain_hands_parts_back_and_the_next_process_finishes_them(void **state)
{
    struct world *w = *state;
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\",\"parts\":8,\"sleep_ms\":300}");

    until(&at_once, 4);
    world_stop_engine(w);
    world_start_engine(w, test_kinds);
    job = world_wait(w, &job->id);
    assert_int_equal(job->state, JOB_SUCCEEDED);
    assert_int_equal(ran_part, 8);
    assert_int_equal(ran_first, 1);
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
    struct audit_query query = {.page = {.visible_all = true, .limit = 500}, .oldest_first = true};

    return tx_audit_list(tx, &query, t->arena, &t->rows, &t->keys, &t->count, &t->more, err);
}

static void every_job_leaves_a_sound_chain_of_rows(void **state)
{
    struct world *w = *state;
    struct trail t = {.arena = w->arena};
    struct job *job = world_accept(w, "test.harmless", "{\"table\":\"T1x\"}");
    struct err err = ERR_INIT;

    world_wait(w, &job->id);
    assert_int_equal(store_read(w->store, trail_tx, &t, &err), 0);
    assert_int_equal(t.count, 2);
    assert_string_equal(t.rows[0]->action, "job.accepted");
    assert_string_equal(t.rows[1]->action, "job.finished");
    assert_string_equal(t.rows[1]->outcome, "succeeded");
    assert_memory_equal(t.rows[1]->prev_hash.bytes, t.rows[0]->hash.bytes, 32);
    assert_int_equal(t.rows[1]->seq, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_job_runs_its_steps_in_order_and_its_parts_all),
        T(a_failed_step_fails_the_job_and_what_gives_back_still_runs),
        T(what_may_go_away_is_tried_again_up_to_the_kind_s_limit),
        T(what_moves_on_between_its_failures_is_tried_as_often_as_it_takes),
        T(where_nobody_answers_it_is_tried_for_longer),
        T(one_failed_part_ends_the_step_and_a_retry_does_only_the_rest),
        T(what_was_found_wrong_is_done_again_and_what_stands_on_it),
        T(a_partial_job_does_again_what_can_do_the_rest_alone),
        T(what_is_no_ground_to_go_on_from_begins_anew),
        T(two_writers_of_one_resource_run_one_after_the_other),
        T(parts_run_on_as_many_workers_as_there_are),
        T(a_running_job_is_cancelled_in_the_middle_of_a_wait),
        T(a_job_that_has_ended_cannot_be_cancelled),
        T(a_step_that_asks_for_it_is_called_again),
        T(what_needs_mfa_needs_a_plan_that_fits),
        T(without_fresh_mfa_nothing_guarded_is_accepted),
        T(a_one_time_code_is_spent_once_and_locks_after_five_wrong_ones),
        T(role_and_environment_are_asked_for_every_job),
        T(the_same_key_and_body_give_the_same_job),
        T(a_drain_hands_parts_back_and_the_next_process_finishes_them),
        T(every_job_leaves_a_sound_chain_of_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
