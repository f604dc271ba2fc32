/* Jobs and plans over REST: accepted, looked at, waited for, cancelled, tried again, replayed. */
#include "tests/unit/handlers/fixture.h"

static const char *plan_guarded(const char *auth)
{
    struct answer plan =
        post("/v1/plans", auth,
             "{\"kind\":\"test.guarded\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\"}}");

    expect("plan", &plan, 200, NULL);
    return text_of(&plan, "plan_hash");
}

static const char *guarded_body(const char *hash)
{
    return arena_printf(F.arena,
                        "{\"kind\":\"test.guarded\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\"},"
                        "\"plan_hash\":\"%s\"}",
                        hash);
}

static void an_accepted_job_is_answered_with_its_place_and_runs(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    struct answer made = post("/v1/jobs", auth, HARMLESS);
    struct answer ended;

    (void)state;
    expect("accept", &made, 202, NULL);
    assert_string_equal(header(&made, "Location"),
                        arena_printf(F.arena, "/v1/jobs/%s", text_of(&made, "id")));
    assert_non_null(header(&made, "ETag"));
    assert_string_equal(text_of(&made, "created_by"), "ann");
    assert_string_equal(json_get_text(json_object_get(made.json, "spec"), "table"), "Tab1");
    assert_int_equal(json_get_int(json_object_get(made.json, "spec"), "parts", 0), 1);
    ended = get(arena_printf(F.arena, "/v1/jobs/%s?wait=20", text_of(&made, "id")), auth);
    expect("wait", &ended, 200, NULL);
    assert_string_equal(text_of(&ended, "state"), "succeeded");
    assert_int_equal(json_array_size(json_object_get(ended.json, "steps")), 4);
    assert_int_equal(json_get_int(json_object_get(ended.json, "result"), "parts", 0), 1);
    assert_true(json_is_array(json_object_get(ended.json, "approvals")));
    assert_true(json_is_array(json_object_get(ended.json, "left_behind")));
    assert_true(json_is_array(json_object_get(ended.json, "conditions")));
    assert_true(json_is_object(json_object_get(ended.json, "progress")));
    assert_null(json_object_get(ended.json, "error"));
}

static void a_long_poll_ends_when_the_job_does(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    const char *id = accept_job(auth, "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{"
                                      "\"table\":\"Tab1\",\"sleep_ms\":60000}}");
    int poll = send_to(F.api, "GET", arena_printf(F.arena, "/v1/jobs/%s", id), auth, "Prefer: wait=50\r\n",
                       (struct bytes){0});
    struct answer cancelled, ended;

    (void)state;
    while (wait_hub_waiters(F.hub) == 0)
        usleep(1000);
    cancelled = ask("POST", arena_printf(F.arena, "/v1/jobs/%s/cancel", id), auth, NULL, NULL);
    expect("cancel", &cancelled, 200, NULL);
    ended = read_answer(poll);
    expect("poll", &ended, 200, NULL);
    assert_string_equal(text_of(&ended, "state"), "cancelled");
    assert_string_not_equal(text_of(&ended, "cancel_requested_at"), "");
    cancelled = ask("POST", arena_printf(F.arena, "/v1/jobs/%s/cancel", id), auth, NULL, NULL);
    expect("cancel again", &cancelled, 200, NULL);
}

#define SLOW                                                                                                 \
    "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\",\"sleep_ms\":60000}}"

static void await_waiters(int count)
{
    while (wait_hub_waiters(F.hub) != count)
        usleep(1000);
}

static void accepting_may_wait_for_the_end(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    struct answer ended = post("/v1/jobs?wait=20", auth, HARMLESS), again;
    const char *id = text_of(&ended, "id");

    (void)state;
    expect("accept", &ended, 202, NULL);
    assert_string_equal(text_of(&ended, "state"), "succeeded");
    assert_string_equal(header(&ended, "Location"), arena_printf(F.arena, "/v1/jobs/%s", id));
    assert_int_equal(json_get_int(json_object_get(ended.json, "result"), "parts", 0), 1);
    ended = ask("POST", "/v1/jobs", auth, "Prefer: wait=20\r\n",
                "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\","
                "\"fail\":\"first\"}}");
    expect("a failure is accepted too", &ended, 202, NULL);
    assert_string_equal(text_of(&ended, "state"), "failed");
    again = ask("POST", arena_printf(F.arena, "/v1/jobs/%s/retry", text_of(&ended, "id")), auth,
                "Prefer: wait=20\r\n", "{}");
    expect("retry", &again, 202, NULL);
    assert_string_equal(text_of(&again, "state"), "failed");
    assert_string_equal(text_of(&again, "retry_of"), text_of(&ended, "id"));
}

static void a_job_is_durable_before_its_accepter_waits(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    int fd = send_to(F.api, "POST", "/v1/jobs?wait=50", auth, "Idempotency-Key: k\r\n", bytes_of(SLOW));
    struct answer list, replayed, ended;
    const char *id;
    int second;

    (void)state;
    await_waiters(1);
    list = get("/v1/jobs", auth);
    id = json_get_text(json_array_get(json_object_get(list.json, "items"), 0), "id");
    assert_non_null(id);
    second = send_to(F.api, "POST", "/v1/jobs?wait=50", auth, "Idempotency-Key: k\r\n", bytes_of(SLOW));
    await_waiters(2); /* a replay waits as well */
    ended = ask("POST", arena_printf(F.arena, "/v1/jobs/%s/cancel?wait=20", id), auth, NULL, NULL);
    expect("cancel", &ended, 200, NULL);
    assert_string_equal(text_of(&ended, "state"), "cancelled");
    ended = read_answer(fd);
    expect("the first", &ended, 202, NULL);
    assert_string_equal(text_of(&ended, "state"), "cancelled");
    assert_null(header(&ended, "Idempotency-Replayed"));
    replayed = read_answer(second);
    expect("the second", &replayed, 202, NULL);
    assert_string_equal(text_of(&replayed, "state"), "cancelled");
    assert_string_equal(header(&replayed, "Idempotency-Replayed"), "true");
    assert_string_equal(header(&replayed, "Location"), header(&ended, "Location"));
    replayed = ask("POST", "/v1/jobs", auth, "Idempotency-Key: k\r\n", SLOW);
    expect("without a wait it is the stored answer", &replayed, 202, NULL);
    assert_string_equal(text_of(&replayed, "state"), "queued");
    assert_int_equal(job_rows(), 1);
}

static void without_a_free_waiter_accepting_answers_at_once(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    const char *id = accept_job(auth, SLOW);
    struct answer answer;
    int polls[16];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(polls); i++)
        polls[i] = send_to(F.api, "GET", arena_printf(F.arena, "/v1/jobs/%s?wait=50", id), auth, NULL,
                           (struct bytes){0});
    await_waiters(COUNT_OF(polls));
    answer = post("/v1/jobs?wait=50", auth, SLOW);
    expect("accept", &answer, 202, NULL);
    assert_true(str_is(text_of(&answer, "state"), "queued") || str_is(text_of(&answer, "state"), "running"));
    ask("POST", arena_printf(F.arena, "/v1/jobs/%s/cancel", text_of(&answer, "id")), auth, NULL, NULL);
    ask("POST", arena_printf(F.arena, "/v1/jobs/%s/cancel", id), auth, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(polls); i++) {
        answer = read_answer(polls[i]);
        expect("poll", &answer, 200, NULL);
        assert_string_equal(text_of(&answer, "state"), "cancelled");
    }
}

static void a_wait_that_is_none_accepts_nothing(void **state)
{
    struct answer answer = post("/v1/jobs?wait=51", token("ann", OPERATOR, false), HARMLESS);

    (void)state;
    expect("accept", &answer, 400, "INVALID_QUERY");
    assert_int_equal(job_rows(), 0);
}

static void cancelling_what_has_succeeded_is_a_conflict(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    const char *id = accept_job(auth, HARMLESS);
    struct answer answer = get(arena_printf(F.arena, "/v1/jobs/%s?wait=20", id), auth);

    (void)state;
    answer = ask("POST", arena_printf(F.arena, "/v1/jobs/%s/cancel", id), auth, NULL, NULL);
    expect("cancel", &answer, 409, "JOB_STATE");
}

static void a_failed_job_is_answered_with_200_and_its_error(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    const char *id = accept_job(auth, "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{"
                                      "\"table\":\"Tab1\",\"fail\":\"first\"}}");
    struct answer ended = get(arena_printf(F.arena, "/v1/jobs/%s?wait=20", id), auth);
    const json_t *error = json_object_get(ended.json, "error");
    struct answer again;

    (void)state;
    expect("wait", &ended, 200, NULL);
    assert_string_equal(text_of(&ended, "state"), "failed");
    assert_string_equal(json_get_text(error, "code"), "MISMATCH");
    assert_null(json_object_get(error, "status"));
    again =
        ask("POST", arena_printf(F.arena, "/v1/jobs/%s/retry", id), auth, NULL, "{\"note\":\"once more\"}");
    expect("retry", &again, 202, NULL);
    assert_string_equal(text_of(&again, "retry_of"), id);
    assert_string_equal(text_of(&again, "note"), "once more");
    assert_string_equal(header(&again, "Location"),
                        arena_printf(F.arena, "/v1/jobs/%s", text_of(&again, "id")));
}

static void what_needs_mfa_needs_a_plan_and_mfa(void **state)
{
    const char *plain = token("ann", ADMIN, false), *fresh = token("ann", ADMIN, true);
    const char *hash = plan_guarded(plain);
    struct answer answer;

    (void)state;
    answer = post("/v1/jobs", fresh,
                  "{\"kind\":\"test.guarded\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\"}}");
    expect("no plan", &answer, 428, "PLAN_REQUIRED");
    answer = post("/v1/jobs", plain, guarded_body(hash));
    expect("no mfa", &answer, 401, "MFA_REQUIRED");
    assert_non_null(strstr(header(&answer, "WWW-Authenticate"), "insufficient_user_authentication"));
    assert_string_equal(last_audit()->action, "mfa.failed");
    assert_string_equal(last_audit()->environment, "test");
    answer = post("/v1/jobs", fresh, guarded_body(hash));
    expect("with both", &answer, 202, NULL);
    assert_string_equal(text_of(&answer, "plan_hash"), hash);
    answer = get(arena_printf(F.arena, "/v1/jobs/%s/plan", text_of(&answer, "id")), plain);
    expect("its plan", &answer, 200, NULL);
    assert_string_equal(text_of(&answer, "plan_hash"), hash);
    answer = post("/v1/jobs", fresh, guarded_body(hash));
    expect("spent", &answer, 409, "PLAN_SPENT");
}

static void a_stale_plan_says_what_changed(void **state)
{
    const char *fresh = token("ann", ADMIN, true);
    const char *hash = plan_guarded(fresh);
    struct answer answer;

    (void)state;
    plan_version++;
    answer = post("/v1/jobs", fresh, guarded_body(hash));
    expect("stale", &answer, 409, "PLAN_STALE");
    assert_true(json_array_size(json_object_get(answer.json, "changes")) > 0);
}

static void a_plan_is_read_by_whoever_might_post_its_job(void **state)
{
    const char *hash = plan_guarded(token("ann", ADMIN, false));
    const char *target = arena_printf(F.arena, "/v1/plans/%s", hash);
    struct answer answer = get(target, token("bea", ADMIN, false));

    (void)state;
    expect("another admin", &answer, 200, NULL);
    answer = get(target, token("bob", OPERATOR, false));
    expect("an operator", &answer, 404, "NOT_FOUND");
    answer = get(target, token("cas", "BackupAdministrator@other", false));
    expect("an admin elsewhere", &answer, 404, "NOT_FOUND");
    answer = get("/v1/plans/12", token("ann", ADMIN, false));
    expect("no hash", &answer, 404, "NOT_FOUND");
}

static void the_same_key_and_body_is_the_same_job(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    struct answer first = ask("POST", "/v1/jobs", auth, "Idempotency-Key: \"k-1\"\r\n", HARMLESS);
    struct answer second;

    (void)state;
    expect("first", &first, 202, NULL);
    assert_null(header(&first, "Idempotency-Replayed"));
    second = ask("POST", "/v1/jobs", token("ann", OPERATOR, true), "Idempotency-Key: \"k-1\"\r\n", HARMLESS);
    expect("second", &second, 202, NULL);
    assert_string_equal(header(&second, "Idempotency-Replayed"), "true");
    assert_string_equal(header(&second, "Location"), header(&first, "Location"));
    assert_string_equal(text_of(&second, "id"), text_of(&first, "id"));
    assert_int_equal(job_rows(), 1);
}

static void a_key_is_for_one_body_one_person_and_one_path(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    const char *other_body =
        "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab2\"}}";
    struct answer answer = ask("POST", "/v1/jobs", auth, "Idempotency-Key: k\r\n", HARMLESS);

    (void)state;
    expect("first", &answer, 202, NULL);
    answer = ask("POST", "/v1/jobs", auth, "Idempotency-Key: k\r\n", other_body);
    expect("other body", &answer, 422, "IDEMPOTENCY_KEY_REUSED");
    answer = ask("POST", "/v1/jobs", token("bob", OPERATOR, false), "Idempotency-Key: k\r\n", other_body);
    expect("other person", &answer, 202, NULL);
    answer = ask("POST", "/v1/jobs", auth, "Idempotency-Key: \r\n", HARMLESS);
    expect("empty key", &answer, 400, "INVALID_HEADER");
    const char *failed = accept_job(auth, "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{"
                                          "\"table\":\"Tab1\",\"fail\":\"first\"}}");
    answer = get(arena_printf(F.arena, "/v1/jobs/%s?wait=20", failed), auth);
    answer =
        ask("POST", arena_printf(F.arena, "/v1/jobs/%s/retry", failed), auth, "Idempotency-Key: k\r\n", "{}");
    expect("other path", &answer, 202, NULL);
    assert_null(header(&answer, "Idempotency-Replayed"));
}

static void a_replay_is_authorised_anew(void **state)
{
    struct answer answer =
        ask("POST", "/v1/jobs", token("ann", OPERATOR, false), "Idempotency-Key: k\r\n", HARMLESS);

    (void)state;
    expect("first", &answer, 202, NULL);
    answer = ask("POST", "/v1/jobs", token("ann", "viewer@other", false), "Idempotency-Key: k\r\n", HARMLESS);
    assert_true(answer.status == 404 || answer.status == 422);
    assert_null(strstr(answer.body, "Tab1"));
}

static void a_refused_request_leaves_the_key_free(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    struct answer answer =
        ask("POST", "/v1/jobs", auth, "Idempotency-Key: k\r\n",
            "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{\"table\":\"Xab1\"}}");

    (void)state;
    expect("refused", &answer, 422, "RESOURCE_NOT_IN_ENVIRONMENT");
    answer = ask("POST", "/v1/jobs", auth, "Idempotency-Key: k\r\n", HARMLESS);
    expect("taken", &answer, 202, NULL);
}

static void a_plan_to_retry_is_for_that_job_only(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    const char *id = accept_job(auth, "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{"
                                      "\"table\":\"Tab1\",\"fail\":\"first\"}}");
    struct answer answer = get(arena_printf(F.arena, "/v1/jobs/%s?wait=20", id), auth);

    (void)state;
    answer = post("/v1/plans", auth, arena_printf(F.arena, "{\"retry_of\":\"%s\"}", id));
    expect("plan", &answer, 200, NULL);
    assert_string_equal(text_of(&answer, "retry_of"), id);
    answer =
        post("/v1/plans", auth, arena_printf(F.arena, "{\"retry_of\":\"%s\",\"kind\":\"test.guarded\"}", id));
    expect("other kind", &answer, 422, "INVALID_BODY");
    answer = post("/v1/plans", auth,
                  arena_printf(F.arena, "{\"retry_of\":\"%s\",\"spec\":{\"table\":\"Tab2\"}}", id));
    expect("other spec", &answer, 422, "INVALID_BODY");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
    const struct CMUnitTest tests[] = {
        CASE(an_accepted_job_is_answered_with_its_place_and_runs),
        CASE(a_long_poll_ends_when_the_job_does),
        CASE(accepting_may_wait_for_the_end),
        CASE(a_job_is_durable_before_its_accepter_waits),
        CASE(without_a_free_waiter_accepting_answers_at_once),
        CASE(a_wait_that_is_none_accepts_nothing),
        CASE(cancelling_what_has_succeeded_is_a_conflict),
        CASE(a_failed_job_is_answered_with_200_and_its_error),
        CASE(what_needs_mfa_needs_a_plan_and_mfa),
        CASE(a_stale_plan_says_what_changed),
        CASE(a_plan_is_read_by_whoever_might_post_its_job),
        CASE(the_same_key_and_body_is_the_same_job),
        CASE(a_key_is_for_one_body_one_person_and_one_path),
        CASE(a_replay_is_authorised_anew),
        CASE(a_refused_request_leaves_the_key_free),
        CASE(a_plan_to_retry_is_for_that_job_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
