#include "tests/unit/store/explain.h"

#include "base/limits.h"

static void a_job_comes_back_as_it_was_written(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct job job = job_of("restore.table", "shop", "table/Sales"), *back;
    struct id unknown = id_new();
    struct progress progress = {.phase = "load",
                                .unit = "items",
                                .done = 5,
                                .total = -1,
                                .bytes = 10,
                                .items_per_second = 1.5,
                                .bytes_per_second = 2.5,
                                .eta_seconds = -1,
                                .eta_is_guess = true,
                                .updated_at = 77};

    job.parent_id = id_new();
    job.retry_of = id_new();
    job.origin_id = id_new();
    job.priority = -3;
    job.created_issuer = "https://idp";
    job.created_subject = "42";
    job.created_from = "10.0.0.1";
    job.note = "why \xf0\x9f\x8c\xb1";
    job.has_plan = true;
    job.plan_hash.bytes[31] = 9;
    ok(tx_job_insert(tx, &job, &f->err));
    assert_true(job.key > 0);
    assert_int_equal(job.root_key, job.key);
    refused(CONFLICT, tx_job_insert(tx, &job, &f->err));
    ok(tx_job_by_id(tx, &job.id, f->arena, &back, &f->err));
    assert_memory_equal(back->id.bytes, job.id.bytes, 16);
    assert_memory_equal(back->origin_id.bytes, job.origin_id.bytes, 16);
    assert_memory_equal(back->parent_id.bytes, job.parent_id.bytes, 16);
    assert_memory_equal(back->retry_of.bytes, job.retry_of.bytes, 16);
    assert_string_equal(back->kind, "restore.table");
    assert_string_equal(back->environment, "shop");
    assert_string_equal(back->resource, "table/Sales");
    assert_string_equal(back->created_by, "ada");
    assert_string_equal(back->created_issuer, "https://idp");
    assert_string_equal(back->created_subject, "42");
    assert_string_equal(back->created_from, "10.0.0.1");
    assert_string_equal(back->note, job.note);
    assert_int_equal(back->priority, -3);
    assert_int_equal(back->state, JOB_QUEUED);
    assert_int_equal(back->version, 1);
    assert_true(back->has_plan);
    assert_memory_equal(back->plan_hash.bytes, job.plan_hash.bytes, 32);
    assert_null(back->progress.phase);
    assert_int_equal(back->progress.total, -1);
    assert_null(back->error_code);
    assert_null(back->waiting_reason);
    refused(NOT_FOUND, tx_job_by_id(tx, &unknown, f->arena, &back, &f->err));
    refused(NOT_FOUND, tx_job_by_key(tx, job.key + 1, f->arena, &back, &f->err));

    ok(tx_job_set_progress(tx, job.key, &progress, &f->err));
    progress.done = 6;
    ok(tx_job_set_progress(tx, job.key, &progress, &f->err));
    ok(tx_job_set_waiting(tx, job.key, "aws", 5, &f->err));
    ok(tx_job_set_partial(tx, job.key, &f->err));
    ok(tx_job_set_error_code(tx, job.key, "MISMATCH", &f->err));
    ok(tx_job_set_error_code(tx, job.key, "IO", &f->err));
    ok(tx_job_count_attempt(tx, job.key, &f->err));
    ok(tx_job_by_key(tx, job.key, f->arena, &back, &f->err));
    assert_string_equal(back->progress.phase, "load");
    assert_int_equal(back->progress.done, 6);
    assert_true(back->progress.items_per_second == 1.5);
    assert_true(back->progress.eta_is_guess);
    assert_string_equal(back->waiting_reason, "aws");
    assert_int_equal(back->waiting_until, 5);
    assert_true(back->partial);
    assert_string_equal(back->error_code, "MISMATCH");
    assert_int_equal(back->attempt, 1);
    assert_int_equal(back->version, 1);
    ok(tx_job_bump_version(tx, job.key, &f->err));
    refused(NOT_FOUND, tx_job_bump_version(tx, job.key + 1, &f->err));
    refused(NOT_FOUND, tx_job_set_partial(tx, job.key + 1, &f->err));
    refused(NOT_FOUND, tx_job_set_error_code(tx, job.key + 1, "IO", &f->err));
    refused(NOT_FOUND, tx_job_set_waiting(tx, job.key + 1, NULL, 0, &f->err));
    refused(NOT_FOUND, tx_job_set_progress(tx, job.key + 1, &progress, &f->err));
    refused(NOT_FOUND, tx_job_count_attempt(tx, job.key + 1, &f->err));
    refused(NOT_FOUND, tx_job_request_cancel(tx, job.key + 1, 1, &f->err));
    commit(f);
}

static void a_job_moves_only_as_the_table_of_moves_says(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);

    for (int from = 0; from < JOB_STATE_COUNT; from++)
        for (int to = 0; to < JOB_STATE_COUNT; to++) {
            struct job job = job_of("backup.table", "shop", "table/Sales"), *back;
            enum job_state parsed;

            job.state = (enum job_state)from;
            ok(tx_job_insert(tx, &job, &f->err));
            if (job_move_allowed(job.state, (enum job_state)to)) {
                ok(tx_job_move(tx, job.key, job.state, (enum job_state)to, 5000, &f->err));
                /* the same move again is refused: it is not in that state any more */
                refused(JOB_STATE, tx_job_move(tx, job.key, job.state, (enum job_state)to, 6000, &f->err));
                ok(tx_job_by_key(tx, job.key, f->arena, &back, &f->err));
                assert_int_equal(back->state, to);
                assert_int_equal(back->version, 2);
                assert_int_equal(back->started_at, to == JOB_RUNNING ? 5000 : 0);
                assert_int_equal(back->finished_at, job_state_final((enum job_state)to) ? 5000 : 0);
            } else {
                refused(JOB_STATE, tx_job_move(tx, job.key, job.state, (enum job_state)to, 5000, &f->err));
            }
            assert_false(job_state_final((enum job_state)from) &&
                         job_move_allowed(job.state, (enum job_state)to));
            assert_true(job_state_parse(job_state_name((enum job_state)to), &parsed) &&
                        parsed == (enum job_state)to);
        }
    refused(NOT_FOUND, tx_job_move(tx, 99999, JOB_QUEUED, JOB_RUNNING, 5000, &f->err));
    commit(f);
}

static void the_first_request_to_cancel_is_the_one_that_is_kept(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct job job = job_of("backup.table", "shop", "table/Sales"), *back;

    ok(tx_job_insert(tx, &job, &f->err));
    ok(tx_job_request_cancel(tx, job.key, 11, &f->err));
    ok(tx_job_request_cancel(tx, job.key, 12, &f->err));
    ok(tx_job_by_key(tx, job.key, f->arena, &back, &f->err));
    assert_int_equal(back->cancel_requested_at, 11);
    commit(f);
}

static void documents_are_kept_byte_for_byte_and_state_is_copied(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct job one = job_of("backup.table", "shop", "table/Sales"),
               two = job_of("backup.table", "shop", "table/Sales");
    struct bytes json, odd = {"{\"a\":\"\0\xff\"}", 10};

    ok(tx_job_insert(tx, &one, &f->err));
    ok(tx_job_insert(tx, &two, &f->err));
    ok(tx_document_get(tx, one.key, "spec", f->arena, &json, &f->err));
    assert_null(json.data);
    ok(tx_document_put(tx, one.key, "spec", BYTES("{}"), &f->err));
    ok(tx_document_put(tx, one.key, "spec", odd, &f->err));
    ok(tx_document_put(tx, one.key, "state.create", BYTES("1"), &f->err));
    ok(tx_document_put(tx, one.key, "state.zz", BYTES("2"), &f->err));
    ok(tx_document_put(tx, one.key, "state", BYTES("3"), &f->err));
    ok(tx_document_put(tx, one.key, "stateless", BYTES("4"), &f->err));
    ok(tx_document_put(tx, one.key, "state.empty", BYTES(""), &f->err));
    ok(tx_document_get(tx, one.key, "spec", f->arena, &json, &f->err));
    assert_true(bytes_equal(json, odd));
    ok(tx_documents_copy_state(tx, one.key, two.key, &f->err));
    ok(tx_documents_copy_state(tx, one.key, two.key, &f->err));
    static const char *const copied[] = {"state.create", "state.zz", "state.empty"};
    static const char *const not_copied[] = {"state", "stateless", "spec"};
    for (int i = 0; i < 3; i++) {
        ok(tx_document_get(tx, two.key, copied[i], f->arena, &json, &f->err));
        assert_non_null(json.data);
        ok(tx_document_get(tx, two.key, not_copied[i], f->arena, &json, &f->err));
        assert_null(json.data);
    }
    refused(NOT_FOUND, tx_document_put(tx, 99999, "spec", odd, &f->err));
    refused(LIMIT_EXCEEDED,
            tx_document_put(tx, one.key, "spec", (struct bytes){"", DOCUMENT_MAX + 1}, &f->err));
    commit(f);
}

static void events_are_numbered_per_job(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct job one = job_of("backup.table", "shop", "table/Sales"),
               two = job_of("backup.table", "shop", "table/Sales");
    struct job *back;

    ok(tx_job_insert(tx, &one, &f->err));
    ok(tx_job_insert(tx, &two, &f->err));
    ok(tx_event(tx, one.key, "state", BYTES("{}"), 1, &f->err));
    ok(tx_event(tx, one.key, "state", (struct bytes){0}, 2, &f->err));
    ok(tx_event(tx, two.key, "state", BYTES("{}"), 3, &f->err));
    refused(NOT_FOUND, tx_event(tx, 99999, "state", BYTES("{}"), 3, &f->err));
    ok(tx_job_by_key(tx, one.key, f->arena, &back, &f->err));
    assert_int_equal(back->event_seq, 2);
    ok(tx_job_by_key(tx, two.key, f->arena, &back, &f->err));
    assert_int_equal(back->event_seq, 1);
    commit(f);
}

static void a_step_keeps_its_times_detail_and_errors(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b;
    struct step *step, second, **steps;
    size_t count;

    build(f, tx, &b, 1);
    second = (struct step){.job_key = b.job.key, .seq = 1, .name = "prove"};
    ok(tx_step_insert(tx, &second, &f->err));
    second.key = 0;
    refused(CONFLICT, tx_step_insert(tx, &second, &f->err));
    second.job_key = 99999;
    refused(NOT_FOUND, tx_step_insert(tx, &second, &f->err));
    ok(tx_step_set_state(tx, b.step.key, STEP_RUNNING, 10, &f->err));
    ok(tx_step_set_state(tx, b.step.key, STEP_RUNNING, 11, &f->err));
    ok(tx_step_set_detail(tx, b.step.key, "4 segments", &f->err));
    ok(tx_step_set_errors(tx, b.step.key, BYTES("{\"first\":[]}"), "IO", &f->err));
    ok(tx_step_set_state(tx, b.step.key, STEP_FAILED, 12, &f->err));
    ok(tx_step_get(tx, b.step.key, f->arena, &step, &f->err));
    assert_int_equal(step->started_at, 10);
    assert_int_equal(step->finished_at, 12);
    assert_string_equal(step->detail, "4 segments");
    assert_true(bytes_is(step->errors, "{\"first\":[]}"));
    assert_string_equal(step->error_code, "IO");
    ok(tx_step_set_detail(tx, b.step.key, NULL, &f->err));
    ok(tx_steps_of(tx, b.job.key, f->arena, &steps, &count, &f->err));
    assert_int_equal(count, 2);
    assert_null(steps[0]->detail);
    assert_null(steps[1]->errors.data);
    refused(NOT_FOUND, tx_step_get(tx, 99999, f->arena, &step, &f->err));
    refused(NOT_FOUND, tx_step_set_state(tx, 99999, STEP_DONE, 1, &f->err));
    refused(NOT_FOUND, tx_step_set_detail(tx, 99999, "", &f->err));
    refused(NOT_FOUND, tx_step_set_errors(tx, 99999, BYTES(""), NULL, &f->err));
    commit(f);
}

static void what_starts_next_is_by_priority_and_age_and_only_roots(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct job jobs[4], **list;
    size_t count;

    for (int i = 0; i < 4; i++) {
        jobs[i] = job_of("backup.table", "shop", "table/Sales");
        jobs[i].priority = i == 2 ? 1 : 0;
        if (i == 3)
            jobs[i].parent_id = jobs[0].id;
        ok(tx_job_insert(tx, &jobs[i], &f->err));
    }
    ok(tx_jobs_startable(tx, 0, 10, f->arena, &list, &count, &f->err));
    assert_int_equal(count, 3);
    assert_int_equal(list[0]->key, jobs[2].key);
    assert_int_equal(list[1]->key, jobs[0].key);
    ok(tx_job_move(tx, jobs[2].key, JOB_QUEUED, JOB_RUNNING, 1, &f->err));
    ok(tx_jobs_startable(tx, 0, 1, f->arena, &list, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(list[0]->key, jobs[0].key);
    ok(tx_jobs_startable(tx, 1, 10, f->arena, &list, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(list[0]->key, jobs[1].key);
    commit(f);
}

static struct job chained(const struct id *origin, const struct id *retry_of, enum job_state state)
{
    struct job job = job_of("backup.table", "shop", "table/Sales");

    job.origin_id = *origin;
    job.retry_of = *retry_of;
    job.state = state;
    return job;
}

static void one_chain_of_retries_runs_one_job_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct id none = {0};
    struct job first = chained(&none, &none, JOB_FAILED), second, third;

    ok(tx_job_insert(tx, &first, &f->err));
    ok(tx_job_claim_retry(tx, &first.id, &f->err));
    second = chained(&first.id, &first.id, JOB_FAILED);
    ok(tx_job_insert(tx, &second, &f->err));
    ok(tx_job_claim_retry(tx, &first.id, &f->err));
    third = chained(&first.id, &second.id, JOB_QUEUED);
    ok(tx_job_insert(tx, &third, &f->err));
    refused(NOT_RETRYABLE, tx_job_claim_retry(tx, &second.id, &f->err));
    refused(NOT_RETRYABLE, tx_job_claim_retry(tx, &first.id, &f->err)); /* they write into one tree */
    commit(f);
}

static void live_jobs_are_counted_and_history_is_of_the_same_resource(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct job_count *counts;
    struct job_history history[20];
    size_t count;

    for (int i = 0; i < 25; i++) {
        struct job job = job_of("backup.table", "shop", i == 24 ? "table/Buyers" : "table/Sales");
        struct progress progress = {.done = i, .total = -1, .bytes = 2 * i};

        ok(tx_job_insert(tx, &job, &f->err));
        ok(tx_job_set_progress(tx, job.key, &progress, &f->err));
        ok(tx_job_move(tx, job.key, JOB_QUEUED, JOB_RUNNING, 100, &f->err));
        if (i >= 2)
            ok(tx_job_move(tx, job.key, JOB_RUNNING, JOB_SUCCEEDED, 200 + i, &f->err));
    }
    ok(tx_jobs_count(tx, f->arena, &counts, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(counts[0].count, 2);
    assert_int_equal(counts[0].state, JOB_RUNNING);
    assert_int_equal(counts[0].oldest_start, 100);
    assert_int_equal(counts[0].oldest_created, 1000);
    assert_string_equal(counts[0].kind, "backup.table");
    ok(tx_jobs_history(tx, "backup.table", "shop", "table/Sales", history, &count, &f->err));
    assert_int_equal(count, 20);
    assert_int_equal(history[0].items, 23);
    assert_int_equal(history[0].bytes, 46);
    assert_int_equal(history[0].duration_ms, 123);
    ok(tx_jobs_history(tx, "restore.table", "shop", "table/Sales", history, &count, &f->err));
    assert_int_equal(count, 0);
    commit(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, checked_down)
    const struct CMUnitTest tests[] = {
        TEST(a_job_comes_back_as_it_was_written),
        TEST(a_job_moves_only_as_the_table_of_moves_says),
        TEST(the_first_request_to_cancel_is_the_one_that_is_kept),
        TEST(documents_are_kept_byte_for_byte_and_state_is_copied),
        TEST(events_are_numbered_per_job),
        TEST(a_step_keeps_its_times_detail_and_errors),
        TEST(what_starts_next_is_by_priority_and_age_and_only_roots),
        TEST(live_jobs_are_counted_and_history_is_of_the_same_resource),
        TEST(one_chain_of_retries_runs_one_job_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
