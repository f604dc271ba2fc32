#include "tests/unit/store/explain.h"

#include "base/limits.h"

/* The matrix of who may go beside whom: the second root's grant, when the first holds its touch. */
static void touches_conflict_unless_both_read(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    static const struct {
        bool first, second, granted;
    } cases[] = {{false, false, true}, {false, true, false}, {true, false, false}, {true, true, false}};

    for (size_t i = 0; i < 4; i++) {
        struct job one = job_of("a", "shop", "r"), two = job_of("b", "shop", "r");
        char name[32];
        bool granted;
        struct id *blockers;
        size_t count;

        snprintf(name, sizeof(name), "table/%zu", i);
        ok(tx_job_insert(tx, &one, &f->err));
        ok(tx_job_insert(tx, &two, &f->err));
        ok(tx_touches_want(tx, one.key, &(struct touch){name, cases[i].first}, 1, &f->err));
        ok(tx_touches_grant(tx, one.key, &granted, f->arena, &blockers, &count, &f->err));
        assert_true(granted);
        ok(tx_touches_want(tx, two.key, &(struct touch){name, cases[i].second}, 1, &f->err));
        ok(tx_touches_grant(tx, two.key, &granted, f->arena, &blockers, &count, &f->err));
        assert_int_equal(granted, cases[i].granted);
        if (!granted) {
            assert_int_equal(count, 1);
            assert_true(id_equal(&blockers[0], &one.id));
            ok(tx_touches_free(tx, one.key, &f->err));
            ok(tx_touches_grant(tx, two.key, &granted, f->arena, &blockers, &count, &f->err));
            assert_true(granted);
        }
    }
    commit(f);
}

static void who_waits_longer_blocks_who_comes_later_unless_he_awaits_approval(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct job holder = job_of("a", "shop", "r"), older = job_of("b", "shop", "r"),
               younger = job_of("c", "shop", "r");
    struct touch both[] = {{"table/X", true}, {"table/Y", false}};
    bool granted;
    struct id *blockers;
    size_t count;

    ok(tx_job_insert(tx, &holder, &f->err));
    older.state = JOB_AWAITING_APPROVAL;
    ok(tx_job_insert(tx, &older, &f->err));
    ok(tx_job_insert(tx, &younger, &f->err));
    ok(tx_touches_want(tx, holder.key, &(struct touch){"table/X", false}, 1, &f->err));
    ok(tx_touches_grant(tx, holder.key, &granted, f->arena, &blockers, &count, &f->err));
    ok(tx_touches_want(tx, older.key, both, 2, &f->err));
    ok(tx_touches_grant(tx, older.key, &granted, f->arena, &blockers, &count, &f->err));
    assert_false(granted); /* none of both, also not Y, which is free */

    ok(tx_touches_want(tx, younger.key, &(struct touch){"table/X", false}, 1, &f->err));
    ok(tx_job_move(tx, older.key, JOB_AWAITING_APPROVAL, JOB_QUEUED, 1, &f->err));
    ok(tx_touches_grant(tx, younger.key, &granted, f->arena, &blockers, &count, &f->err));
    assert_false(granted);
    assert_int_equal(count, 1);
    assert_true(id_equal(&blockers[0], &older.id));

    struct job waits = job_of("d", "shop", "r"), late = job_of("e", "shop", "r");
    waits.state = JOB_AWAITING_APPROVAL;
    ok(tx_job_insert(tx, &waits, &f->err));
    ok(tx_job_insert(tx, &late, &f->err));
    ok(tx_touches_want(tx, waits.key, &(struct touch){"table/Z", true}, 1, &f->err));
    ok(tx_touches_want(tx, late.key, &(struct touch){"table/Z", true}, 1, &f->err));
    ok(tx_touches_grant(tx, late.key, &granted, f->arena, &blockers, &count, &f->err));
    assert_true(granted);
    commit(f);
}

static void reading_and_writing_the_same_resource_is_writing_it(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct job one = job_of("a", "shop", "r"), two = job_of("b", "shop", "r");
    struct touch touches[] = {{"table/X", true}, {"table/X", false}, {"table/X", true}};
    bool granted;
    struct id *blockers;
    size_t count;

    ok(tx_job_insert(tx, &one, &f->err));
    ok(tx_job_insert(tx, &two, &f->err));
    ok(tx_touches_want(tx, one.key, touches, 3, &f->err));
    ok(tx_touches_grant(tx, one.key, &granted, f->arena, &blockers, &count, &f->err));
    ok(tx_touches_grant(tx, one.key, &granted, f->arena, &blockers, &count, &f->err));
    assert_true(granted);
    ok(tx_touches_want(tx, two.key, &(struct touch){"table/X", false}, 1, &f->err));
    ok(tx_touches_grant(tx, two.key, &granted, f->arena, &blockers, &count, &f->err));
    assert_false(granted);
    commit(f);
}

static void a_plan_is_spent_once_and_expires_unspent(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct plan_row plan = {.hash = {{1}},
                            .requester = "ada",
                            .environment = "shop",
                            .kind = "restore.table",
                            .spec = BYTES("{}"),
                            .identities = BYTES("[]"),
                            .nonce = BYTES("\0\1"),
                            .body = BYTES("{1}"),
                            .destructive = true,
                            .needs_mfa = true,
                            .created_at = 1,
                            .expires_at = 100};
    struct plan_row *back, other = plan;
    struct id job = id_new();

    other.hash.bytes[0] = 2;
    refused(NOT_FOUND, tx_plan_get(tx, &plan.hash, f->arena, &back, &f->err));
    refused(NOT_FOUND, tx_plan_spend(tx, &plan.hash, &job, &f->err));
    ok(tx_plan_insert(tx, &plan, &f->err));
    ok(tx_plan_insert(tx, &other, &f->err));
    refused(CONFLICT, tx_plan_insert(tx, &plan, &f->err));
    ok(tx_plan_get(tx, &plan.hash, f->arena, &back, &f->err));
    assert_string_equal(back->requester, "ada");
    assert_true(bytes_equal(back->nonce, plan.nonce));
    assert_true(bytes_is(back->body, "{1}"));
    assert_true(back->destructive && back->needs_mfa);
    assert_true(id_is_zero(&back->spent_by));
    ok(tx_plan_spend(tx, &plan.hash, &job, &f->err));
    refused(PLAN_SPENT, tx_plan_spend(tx, &plan.hash, &job, &f->err));
    ok(tx_plans_expire(tx, 99, &f->err));
    ok(tx_plan_get(tx, &other.hash, f->arena, &back, &f->err));
    ok(tx_plans_expire(tx, 100, &f->err));
    refused(NOT_FOUND, tx_plan_get(tx, &other.hash, f->arena, &back, &f->err));
    ok(tx_plan_get(tx, &plan.hash, f->arena, &back, &f->err));
    assert_true(id_equal(&back->spent_by, &job));
    commit(f);
}

static void an_idempotency_key_is_claimed_once_and_lives_as_long_as_its_job(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    int64_t now = clock_wall_ms();
    struct hash scope = {{1}}, body = {{2}}, never = {{9}};
    struct idempotency_row *row, stored;
    struct job job = job_of("a", "shop", "r");

    ok(tx_job_insert(tx, &job, &f->err));
    ok(tx_idempotency_get(tx, &scope, f->arena, &row, &f->err));
    assert_null(row);
    ok(tx_idempotency_claim(tx, &scope, &body, now, f->arena, &row, &f->err));
    assert_null(row);
    ok(tx_idempotency_claim(tx, &scope, &body, now, f->arena, &row, &f->err));
    assert_non_null(row);
    stored = (struct idempotency_row){.scope = scope,
                                      .body = body,
                                      .job = job.id,
                                      .status = 202,
                                      .location = "/v1/jobs/x",
                                      .answer = BYTES("{}"),
                                      .created_at = now,
                                      .expires_at = now + 10};
    ok(tx_idempotency_store(tx, &stored, &f->err));
    ok(tx_idempotency_get(tx, &scope, f->arena, &row, &f->err));
    assert_int_equal(row->status, 202);
    assert_string_equal(row->location, "/v1/jobs/x");
    assert_true(bytes_is(row->answer, "{}"));
    assert_true(id_equal(&row->job, &job.id));
    assert_memory_equal(row->body.bytes, body.bytes, 32);
    /* past its time, but the job goes on */
    ok(tx_idempotency_expire(tx, now + 11, &f->err));
    ok(tx_idempotency_claim(tx, &scope, &body, now + 11, f->arena, &row, &f->err));
    assert_non_null(row);
    ok(tx_job_move(tx, job.key, JOB_QUEUED, JOB_CANCELLED, 1, &f->err));
    ok(tx_idempotency_claim(tx, &scope, &body, now + 11, f->arena, &row, &f->err));
    assert_null(row);
    ok(tx_idempotency_get(tx, &scope, f->arena, &row, &f->err));
    assert_int_equal(row->status, 0);
    assert_null(row->answer.data);
    ok(tx_idempotency_expire(tx, now + 11 + IDEMPOTENCY_KEPT_MS, &f->err));
    ok(tx_idempotency_get(tx, &scope, f->arena, &row, &f->err));
    assert_null(row);
    ok(tx_idempotency_get(tx, &never, f->arena, &row, &f->err));
    assert_null(row);
    commit(f);
}

static void enrolments_settings_made_tables_and_limits_come_and_go(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct totp_row totp = {.identity = "ada", .sealed = BYTES("\0\1\2"), .last_step = 5, .created_at = 1},
                    *back;
    struct made_table made = {
        .environment = "shop", .table = "Sales-restored", .arn = "arn:x", .created_at = 1};
    struct environment_limits limits;
    struct bytes value;
    bool exists;

    ok(tx_totp_get(tx, "ada", f->arena, &back, &f->err));
    assert_null(back);
    refused(NOT_FOUND, tx_totp_delete(tx, "ada", &f->err));
    ok(tx_totp_put(tx, &totp, &f->err));
    totp.failures = 3;
    ok(tx_totp_put(tx, &totp, &f->err));
    ok(tx_totp_get(tx, "ada", f->arena, &back, &f->err));
    assert_int_equal(back->failures, 3);
    assert_int_equal(back->last_step, 5);
    assert_true(bytes_equal(back->sealed, totp.sealed));
    ok(tx_totp_delete(tx, "ada", &f->err));
    refused(NOT_FOUND, tx_totp_delete(tx, "ada", &f->err));

    ok(tx_setting_get(tx, "cursor-key", f->arena, &value, &f->err));
    assert_null(value.data);
    ok(tx_setting_put(tx, "cursor-key", BYTES("a"), &f->err));
    ok(tx_setting_put(tx, "cursor-key", BYTES("b\0c"), &f->err));
    ok(tx_setting_get(tx, "cursor-key", f->arena, &value, &f->err));
    assert_true(bytes_equal(value, BYTES("b\0c")));

    ok(tx_made_table_exists(tx, "shop", "Sales-restored", &exists, &f->err));
    assert_false(exists);
    ok(tx_made_table_put(tx, &made, &f->err));
    ok(tx_made_table_put(tx, &made, &f->err));
    ok(tx_made_table_exists(tx, "shop", "Sales-restored", &exists, &f->err));
    assert_true(exists);
    ok(tx_made_table_exists(tx, "other", "Sales-restored", &exists, &f->err));
    assert_false(exists);
    ok(tx_made_table_forget(tx, "shop", "Sales-restored", &f->err));
    ok(tx_made_table_exists(tx, "shop", "Sales-restored", &exists, &f->err));
    assert_false(exists);

    ok(tx_environment_limits_get(tx, "shop", &limits, &f->err));
    assert_int_equal(limits.version, 0);
    ok(tx_environment_limits_put(tx, "shop", &(struct environment_limits){10, 20, 1}, &f->err));
    ok(tx_environment_limits_put(tx, "shop", &(struct environment_limits){11, 21, 2}, &f->err));
    ok(tx_environment_limits_get(tx, "shop", &limits, &f->err));
    assert_int_equal(limits.read_units_per_second, 11);
    assert_int_equal(limits.version, 2);
    commit(f);
}

static struct recovery_point point_of(const char *resource, enum point_status status, int64_t created_at)
{
    return (struct recovery_point){.id = id_new(),
                                   .environment = "shop",
                                   .type = "table",
                                   .method = "scan",
                                   .origin = "recoverd",
                                   .resource = resource,
                                   .account = "111122223333",
                                   .region = "eu-west-1",
                                   .arn = "arn:x",
                                   .location = "file:///b/1",
                                   .status = status,
                                   .trust = "unsigned",
                                   .items = -1,
                                   .job = id_new(),
                                   .encryption = "none",
                                   .created_at = created_at};
}

static void a_recovery_point_is_found_by_id_job_location_and_as_the_newest_usable(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct recovery_point one = point_of("table/Sales", POINT_WRITING, 1),
                          two = point_of("table/Sales", POINT_DAMAGED, 2);
    struct recovery_point *back;
    struct job origin = job_of("backup.table", "shop", "table/Sales"), retry = origin;
    struct id unknown = id_new();

    ok(tx_job_insert(tx, &origin, &f->err));
    retry.id = id_new();
    retry.origin_id = origin.id;
    retry.root_key = 0;
    ok(tx_job_insert(tx, &retry, &f->err));
    refused(NOT_FOUND, tx_point_by_job(tx, &origin.id, f->arena, &back, &f->err));
    one.job = retry.id;
    one.tags = BYTES("{\"team\":\"x\"}");
    one.has_manifest = true;
    one.manifest_sha256.bytes[3] = 3;
    ok(tx_point_insert(tx, &one, &f->err));
    refused(CONFLICT, tx_point_insert(tx, &one, &f->err));
    two.location = "file:///b/2";
    ok(tx_point_insert(tx, &two, &f->err));
    refused(NOT_FOUND, tx_point_latest(tx, "shop", "table/Sales", f->arena, &back, &f->err));

    ok(tx_point_by_id(tx, &one.id, f->arena, &back, &f->err));
    assert_int_equal(back->status, POINT_WRITING);
    assert_int_equal(back->items, -1);
    assert_true(bytes_is(back->tags, "{\"team\":\"x\"}"));
    assert_true(back->has_manifest && back->manifest_sha256.bytes[3] == 3);
    assert_null(back->table_id);
    assert_int_equal(back->version, 1);
    refused(NOT_FOUND, tx_point_by_id(tx, &unknown, f->arena, &back, &f->err));
    ok(tx_point_by_job(tx, &origin.id, f->arena, &back, &f->err));
    assert_int_equal(back->key, one.key);
    ok(tx_point_by_job(tx, &two.job, f->arena, &back, &f->err));
    assert_int_equal(back->key, two.key);
    ok(tx_point_by_location(tx, "file:///b/2", f->arena, &back, &f->err));
    assert_int_equal(back->key, two.key);
    refused(NOT_FOUND, tx_point_by_location(tx, "file:///b/3", f->arena, &back, &f->err));

    ok(tx_point_set_status(tx, &one.id, POINT_VERIFIED, 50, &f->err));
    refused(NOT_FOUND, tx_point_set_status(tx, &unknown, POINT_VERIFIED, 50, &f->err));
    ok(tx_point_set_status(tx, &one.id, POINT_PROVEN, 60, &f->err));
    ok(tx_point_latest(tx, "shop", "table/Sales", f->arena, &back, &f->err));
    assert_int_equal(back->key, one.key);
    assert_int_equal(back->verified_at, 50);
    assert_int_equal(back->proven_at, 60);
    assert_int_equal(back->version, 3);
    back->items = 12;
    back->note = "kept";
    back->created_at = 999; /* not what update writes */
    ok(tx_point_update(tx, back, &f->err));
    ok(tx_point_by_id(tx, &one.id, f->arena, &back, &f->err));
    assert_int_equal(back->items, 12);
    assert_string_equal(back->note, "kept");
    assert_int_equal(back->created_at, 1);
    assert_int_equal(back->version, 4);
    back->id = unknown;
    refused(NOT_FOUND, tx_point_update(tx, back, &f->err));

    struct point_count *counts;
    struct point_latest *latest;
    size_t count;
    ok(tx_points_count(tx, f->arena, &counts, &count, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(counts[0].count, 1);
    ok(tx_points_latest(tx, f->arena, &latest, &count, &f->err));
    assert_int_equal(count, 1);
    assert_string_equal(latest[0].resource, "table/Sales");
    assert_int_equal(latest[0].proven_at, 60);
    assert_int_equal(latest[0].created_at, 1);
    for (int status = 0; status < POINT_STATUS_COUNT; status++) {
        enum point_status parsed;
        assert_true(point_status_parse(point_status_name((enum point_status)status), &parsed));
        assert_int_equal(parsed, status);
    }
    commit(f);
}

static void audit_rows_are_numbered_per_node_and_come_back_as_hashed(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct audit_record record = {.node = "n1",
                                  .seq = 1,
                                  .at = 5,
                                  .actor = "ada",
                                  .action = "job.accept",
                                  .outcome = "ok",
                                  .detail = BYTES("{\"a\":1}"),
                                  .hash = {{1}}};
    struct audit_record *back;
    struct audit_head head = {.seq = -1};
    int64_t count;

    ok(tx_audit_head(tx, "n1", f->arena, &head, &f->err));
    assert_int_equal(head.seq, 0);
    assert_int_equal(head.hash.bytes[0], 0);
    assert_null(head.frontier.data);
    ok(tx_audit_insert(tx, &record, BYTES("\0\1"), &f->err));
    refused(CONFLICT, tx_audit_insert(tx, &record, BYTES("\0\2"), &f->err));
    ok(tx_audit_head(tx, "n1", f->arena, &head, &f->err));
    assert_int_equal(head.seq, 1);
    assert_true(bytes_equal(head.frontier, BYTES("\0\1")));
    record.seq = 2;
    record.hash.bytes[0] = 2;
    record.detail = (struct bytes){0};
    ok(tx_audit_insert(tx, &record, BYTES("\0\2\2"), &f->err));
    record.node = "n2";
    record.seq = 1;
    ok(tx_audit_insert(tx, &record, BYTES("\0\1"), &f->err));
    ok(tx_audit_head(tx, "n1", f->arena, &head, &f->err));
    assert_int_equal(head.seq, 2);
    assert_int_equal(head.hash.bytes[0], 2);
    assert_true(bytes_equal(head.frontier, BYTES("\0\2\2")));
    ok(tx_audit_count(tx, &count, &f->err));
    assert_int_equal(count, 3);
    ok(tx_audit_get(tx, "n1", 1, f->arena, &back, &f->err));
    assert_true(bytes_is(back->detail, "{\"a\":1}"));
    assert_null(back->environment);
    assert_string_equal(back->actor, "ada");
    refused(NOT_FOUND, tx_audit_get(tx, "n1", 3, f->arena, &back, &f->err));
    commit(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, checked_down)
    const struct CMUnitTest tests[] = {
        TEST(touches_conflict_unless_both_read),
        TEST(who_waits_longer_blocks_who_comes_later_unless_he_awaits_approval),
        TEST(reading_and_writing_the_same_resource_is_writing_it),
        TEST(a_plan_is_spent_once_and_expires_unspent),
        TEST(an_idempotency_key_is_claimed_once_and_lives_as_long_as_its_job),
        TEST(enrolments_settings_made_tables_and_limits_come_and_go),
        TEST(a_recovery_point_is_found_by_id_job_location_and_as_the_newest_usable),
        TEST(audit_rows_are_numbered_per_node_and_come_back_as_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
