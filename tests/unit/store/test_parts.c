#include "tests/unit/store/explain.h"

static void a_claimed_part_is_fenced_by_its_lease(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b;
    struct part *part;
    struct lease old, other;
    bool cancelled = true;
    int64_t open_parts, owner;

    ok(tx_process_begin(tx, "node", 1, &owner, &f->err));
    build(f, tx, &b, 2);
    part = claim(f, tx, owner);
    assert_non_null(part);
    assert_int_equal(part->key, b.parts[0].key);
    assert_int_equal(part->state, PART_RUNNING);
    assert_int_equal(part->lease.owner, owner);
    assert_int_equal(part->lease.epoch, 1);
    ok(tx_part_check(tx, &part->lease, &f->err));
    ok(tx_part_heartbeat(tx, &part->lease, 300, &cancelled, &f->err));
    assert_false(cancelled);
    ok(tx_part_advance(tx, &part->lease, BYTES("first"), 2, 20, 0, &f->err));
    ok(tx_part_advance(tx, &part->lease, BYTES("here"), 3, 30, 1,
                       &f->err)); /* the last one is where it goes on */

    other = part->lease;
    other.owner++;
    old = part->lease;
    old.epoch--;
    const struct lease *wrong[] = {&other, &old};
    for (int i = 0; i < 2; i++) {
        refused(LEASE_LOST, tx_part_check(tx, wrong[i], &f->err));
        refused(LEASE_LOST, tx_part_heartbeat(tx, wrong[i], 300, &cancelled, &f->err));
        refused(LEASE_LOST, tx_part_advance(tx, wrong[i], BYTES("there"), 1, 1, 1, &f->err));
        refused(LEASE_LOST, tx_part_release(tx, wrong[i], 0, true, &f->err));
        refused(LEASE_LOST, tx_part_end(tx, wrong[i], PART_DONE, &open_parts, &f->err));
    }
    ok(tx_part_end(tx, &part->lease, PART_DONE, &open_parts, &f->err));
    assert_int_equal(open_parts, 1);
    refused(LEASE_LOST, tx_part_end(tx, &part->lease, PART_DONE, &open_parts, &f->err));
    refused(LEASE_LOST, tx_part_advance(tx, &part->lease, BYTES("there"), 1, 1, 1, &f->err));

    struct part **parts;
    size_t count;
    ok(tx_parts_of_step(tx, b.step.key, f->arena, &parts, &count, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(parts[0]->state, PART_DONE);
    assert_int_equal(parts[0]->items, 5);
    assert_int_equal(parts[0]->bytes, 50);
    assert_int_equal(parts[0]->files, 1);
    assert_true(bytes_is(parts[0]->cursor, "here"));
    assert_int_equal(parts[1]->state, PART_READY);
    commit(f);
}

static void a_claim_takes_the_highest_priority_then_the_least_busy_then_the_oldest(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b[3];

    for (int i = 0; i < 2; i++)
        build(f, tx, &b[i], 2);
    b[2] = (struct built){.job = job_of("backup.table", "shop", "table/Buyers")};
    b[2].job.priority = 5;
    ok(tx_job_insert(tx, &b[2].job, &f->err));
    ok(tx_job_move(tx, b[2].job.key, JOB_QUEUED, JOB_RUNNING, 2000, &f->err));
    b[2].step = (struct step){.job_key = b[2].job.key, .name = "scan"};
    ok(tx_step_insert(tx, &b[2].step, &f->err));
    b[2].parts[0] =
        (struct part){.job_key = b[2].job.key, .step_key = b[2].step.key, .name = "x", .state = PART_READY};
    ok(tx_part_insert(tx, &b[2].parts[0], &f->err));

    assert_int_equal(claim(f, tx, 1)->key, b[2].parts[0].key);
    assert_int_equal(claim(f, tx, 1)->key, b[0].parts[0].key);
    assert_int_equal(claim(f, tx, 1)->key, b[1].parts[0].key);
    assert_int_equal(claim(f, tx, 1)->key, b[0].parts[1].key);
    assert_int_equal(claim(f, tx, 1)->key, b[1].parts[1].key);
    assert_null(claim(f, tx, 1));
    commit(f);
}

static void a_claim_gives_nothing_of_jobs_that_do_not_run_and_says_when_the_next_is_due(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b;
    struct part *part;
    struct job queued = job_of("backup.table", "shop", "table/Sales");
    int64_t next_ms = -1;

    ok(tx_part_claim(tx, 1, 100, 200, f->arena, &part, &next_ms, &f->err));
    assert_null(part);
    assert_int_equal(next_ms, 0);
    ok(tx_job_insert(tx, &queued, &f->err));
    struct step step = {.job_key = queued.key, .name = "scan"};
    ok(tx_step_insert(tx, &step, &f->err));
    struct part waiting = {
        .job_key = queued.key, .step_key = step.key, .name = "p", .state = PART_READY, .not_before = 120};
    ok(tx_part_insert(tx, &waiting, &f->err));
    build(f, tx, &b, 1);
    part = claim(f, tx, 1);
    ok(tx_part_release(tx, &part->lease, 150, true, &f->err));
    ok(tx_part_claim(tx, 1, 149, 200, f->arena, &part, &next_ms, &f->err));
    assert_null(part);
    assert_int_equal(next_ms, 150);
    ok(tx_part_claim(tx, 1, 150, 200, f->arena, &part, &next_ms, &f->err));
    assert_non_null(part);
    assert_int_equal(part->attempts, 1);
    assert_int_equal(part->lease.epoch, 2);
    commit(f);
}

static void a_new_process_voids_the_leases_of_the_former(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b;
    struct part *part, *again;
    int64_t first, second;

    ok(tx_process_begin(tx, "node", 1, &first, &f->err));
    build(f, tx, &b, 2);
    part = claim(f, tx, first);
    struct part *late = claim(f, tx, first);
    ok(tx_part_release(tx, &late->lease, 1000000, true, &f->err));
    ok(tx_process_begin(tx, "node", 2, &second, &f->err));
    assert_int_not_equal(first, second);
    refused(LEASE_LOST, tx_part_check(tx, &part->lease, &f->err));
    again = claim(f, tx, second);
    assert_int_equal(again->key, part->key);
    assert_int_equal(again->attempts, 0);
    assert_int_equal(again->crashes, 1);
    ok(tx_part_advance(tx, &again->lease, BYTES("x"), 1, 1, 1, &f->err));
    again = claim(f, tx, second);
    assert_int_equal(again->key, late->key);
    assert_int_equal(again->attempts, 1);
    assert_int_equal(again->crashes, 0);
    struct part **parts;
    size_t count;
    ok(tx_parts_of_step(tx, b.step.key, f->arena, &parts, &count, &f->err));
    assert_int_equal(parts[0]->crashes, 0);
    commit(f);
}

static void cancel_takes_the_ready_parts_and_lets_running_ones_end_themselves(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b;
    struct part *running;
    bool cancelled = false;
    int64_t open_parts;
    struct step *step;

    build(f, tx, &b, 3);
    running = claim(f, tx, 1);
    ok(tx_job_request_cancel(tx, b.job.key, 50, &f->err));
    ok(tx_parts_move(tx, b.step.key, PART_READY, PART_CANCELLED, &f->err));
    assert_null(claim(f, tx, 1));
    ok(tx_step_get(tx, b.step.key, f->arena, &step, &f->err));
    assert_int_equal(step->open_parts, 1);
    ok(tx_part_heartbeat(tx, &running->lease, 300, &cancelled, &f->err));
    assert_true(cancelled);
    ok(tx_part_end(tx, &running->lease, PART_CANCELLED, &open_parts, &f->err));
    assert_int_equal(open_parts, 0);
    commit(f);
}

static void parts_move_together_and_keep_the_count_of_open_ones(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b;
    struct step *step;
    struct part *part;

    build(f, tx, &b, 3);
    ok(tx_parts_move(tx, b.step.key, PART_READY, PART_WAITING, &f->err));
    assert_null(claim(f, tx, 1));
    ok(tx_parts_move(tx, b.step.key, PART_WAITING, PART_READY, &f->err));
    part = claim(f, tx, 1);
    assert_int_equal(part->lease_until, 200);
    refused(INTERNAL, tx_parts_move(tx, b.step.key, PART_RUNNING, PART_FAILED, &f->err));
    refused(INTERNAL, tx_parts_move(tx, b.step.key, PART_READY, PART_RUNNING, &f->err));
    ok(tx_part_check(tx, &part->lease, &f->err));
    ok(tx_step_get(tx, b.step.key, f->arena, &step, &f->err));
    assert_int_equal(step->open_parts, 3);
    assert_int_equal(step->attempts, 1);
    ok(tx_parts_move(tx, b.step.key, PART_READY, PART_CANCELLED, &f->err));
    ok(tx_parts_move(tx, b.step.key, PART_READY, PART_CANCELLED, &f->err));
    ok(tx_step_get(tx, b.step.key, f->arena, &step, &f->err));
    assert_int_equal(step->open_parts, 1);
    commit(f);
}

static void a_retry_takes_over_what_was_done_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b;
    struct part *done, *half;
    struct job next = job_of("backup.table", "shop", "table/Sales");
    struct data_file file = {.path = "data/0.gz",
                             .stored_size = 10,
                             .raw_size = 20,
                             .items = 3,
                             .sha256 = {{7}}},
                     *files;
    struct step **steps, done_step = {.seq = 1, .name = "create"};
    struct part **parts;
    size_t count;
    int64_t open_parts;

    build(f, tx, &b, 3);
    done_step.job_key = b.job.key;
    ok(tx_step_insert(tx, &done_step, &f->err));
    ok(tx_step_set_state(tx, done_step.key, STEP_DONE, 3000, &f->err));
    done = claim(f, tx, 1);
    file.part_key = done->key;
    ok(tx_data_file_insert(tx, b.job.key, &file, &f->err));
    refused(CONFLICT, tx_data_file_insert(tx, b.job.key, &file, &f->err));
    ok(tx_part_advance(tx, &done->lease, BYTES("end"), 3, 20, 1, &f->err));
    ok(tx_part_end(tx, &done->lease, PART_DONE, &open_parts, &f->err));
    half = claim(f, tx, 1);
    ok(tx_part_advance(tx, &half->lease, BYTES("mid"), 2, 9, 0, &f->err));
    ok(tx_part_end(tx, &half->lease, PART_FAILED, &open_parts, &f->err));
    ok(tx_step_set_state(tx, b.step.key, STEP_FAILED, 3000, &f->err));

    ok(tx_job_insert(tx, &next, &f->err));
    refused(JOB_STATE, tx_job_take_over(tx, b.job.key, next.key, &f->err));
    refused(NOT_FOUND, tx_job_take_over(tx, 99999, next.key, &f->err));
    ok(tx_job_move(tx, b.job.key, JOB_RUNNING, JOB_FAILED, 3000, &f->err));
    ok(tx_job_take_over(tx, b.job.key, next.key, &f->err));
    refused(CONFLICT, tx_job_take_over(tx, b.job.key, next.key, &f->err));

    ok(tx_steps_of(tx, next.key, f->arena, &steps, &count, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(steps[0]->state, STEP_WAITING);
    assert_int_equal(steps[0]->open_parts, 2);
    assert_int_equal(steps[0]->finished_at, 0);
    assert_int_equal(steps[1]->state, STEP_DONE);
    assert_int_equal(steps[1]->finished_at, 3000);
    ok(tx_parts_of_step(tx, steps[0]->key, f->arena, &parts, &count, &f->err));
    assert_int_equal(count, 3);
    assert_int_equal(parts[0]->state, PART_DONE);
    assert_int_equal(parts[0]->items, 3);
    assert_int_equal(parts[1]->state, PART_WAITING);
    assert_int_equal(parts[1]->items, 2);
    assert_true(bytes_is(parts[1]->cursor, "mid"));
    assert_int_equal(parts[2]->state, PART_WAITING);
    assert_true(parts[1]->lease.epoch > half->lease.epoch);
    ok(tx_data_files_of(tx, next.key, f->arena, &files, &count, &f->err));
    assert_int_equal(count, 1);
    assert_string_equal(files[0].path, "data/0.gz");
    assert_int_equal(files[0].part_key, parts[0]->key);
    assert_int_equal(files[0].sha256.bytes[0], 7);
    commit(f);
}

static void a_lease_that_nobody_renewed_is_given_to_the_next(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b;
    struct part *gone, *held, *again;
    bool cancelled;
    int64_t count, next_ms;

    build(f, tx, &b, 2);
    gone = claim(f, tx, 1);
    held = claim(f, tx, 1);
    ok(tx_part_heartbeat(tx, &held->lease, 1000000, &cancelled, &f->err));
    ok(tx_part_heartbeat(tx, &held->lease, 300, &cancelled, &f->err)); /* shortens nothing */
    ok(tx_leases_expire(tx, 999999, &count, &f->err));
    assert_int_equal(count, 1);
    refused(LEASE_LOST, tx_part_check(tx, &gone->lease, &f->err));
    ok(tx_part_check(tx, &held->lease, &f->err));
    ok(tx_part_claim(tx, 1, 1, 2000000, f->arena, &again, &next_ms, &f->err));
    assert_int_equal(again->key, gone->key);
    assert_int_equal(again->crashes, 1);
    ok(tx_part_release(tx, &again->lease, 0, false, &f->err)); /* the job's count of running parts holds */
    ok(tx_part_release(tx, &held->lease, 0, false, &f->err));
    ok(tx_leases_expire(tx, INT64_MAX, &count, &f->err));
    assert_int_equal(count, 0);
    commit(f);
}

static void a_step_that_is_renewed_is_as_if_it_had_never_run(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct built b;
    struct step *step;
    struct part **parts;
    size_t count;

    build(f, tx, &b, 2);
    ok(tx_step_set_state(tx, b.step.key, STEP_FAILED, 3000, &f->err));
    ok(tx_step_renew(tx, b.step.key, &f->err));
    ok(tx_step_get(tx, b.step.key, f->arena, &step, &f->err));
    assert_int_equal(step->state, STEP_WAITING);
    assert_int_equal(step->open_parts, 0);
    assert_int_equal(step->finished_at, 0);
    ok(tx_parts_of_step(tx, b.step.key, f->arena, &parts, &count, &f->err));
    assert_int_equal(count, 0);
    refused(NOT_FOUND, tx_step_renew(tx, 99999, &f->err));
    commit(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, checked_down)
    const struct CMUnitTest tests[] = {
        TEST(a_claimed_part_is_fenced_by_its_lease),
        TEST(a_claim_takes_the_highest_priority_then_the_least_busy_then_the_oldest),
        TEST(a_claim_gives_nothing_of_jobs_that_do_not_run_and_says_when_the_next_is_due),
        TEST(a_new_process_voids_the_leases_of_the_former),
        TEST(cancel_takes_the_ready_parts_and_lets_running_ones_end_themselves),
        TEST(parts_move_together_and_keep_the_count_of_open_ones),
        TEST(a_retry_takes_over_what_was_done_and_nothing_else),
        TEST(a_lease_that_nobody_renewed_is_given_to_the_next),
        TEST(a_step_that_is_renewed_is_as_if_it_had_never_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
