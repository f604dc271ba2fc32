/* What holds for every route: methods, media types, lists and their cursors, ETags, metrics, the ops
 * listener. */
#include "tests/unit/handlers/fixture.h"

static void head_is_get_without_a_body(void **state)
{
    const char *auth = token("ann", ADMIN, false);
    struct answer whole = get("/v1/me", auth), head = ask("HEAD", "/v1/me", auth, NULL, NULL);

    (void)state;
    assert_int_equal(head.status, 200);
    assert_int_equal(head.body_len, 0);
    assert_string_equal(header(&head, "Content-Length"), header(&whole, "Content-Length"));
    head = ask("HEAD", "/v1/me", NULL, NULL, NULL);
    assert_int_equal(head.status, 401);
    assert_int_equal(head.body_len, 0);
}

static void options_and_405_name_the_methods(void **state)
{
    static const struct {
        const char *path, *allow;
    } cells[] = {{"/v1/me", "GET, HEAD, OPTIONS"},
                 {"/v1/me/totp", "GET, HEAD, POST, DELETE, OPTIONS"},
                 {"/v1/jobs", "POST, GET, HEAD, OPTIONS"},
                 {"/v1/environments/x/limits", "PUT, OPTIONS"},
                 {"/v1/recovery-points/x/files/a/b/c", "GET, HEAD, OPTIONS"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cells); i++) {
        struct answer answer = ask("OPTIONS", cells[i].path, NULL, NULL, NULL);

        assert_int_equal(answer.status, 204);
        assert_string_equal(header(&answer, "Allow"), cells[i].allow);
        answer = ask(strstr(cells[i].allow, "PUT") ? "GET" : "PUT", cells[i].path, NULL, NULL, NULL);
        expect(cells[i].path, &answer, 405, "METHOD_NOT_ALLOWED");
        assert_string_equal(header(&answer, "Allow"), cells[i].allow);
    }
    struct answer nowhere = ask("OPTIONS", "/nowhere", NULL, NULL, NULL);
    expect("nowhere", &nowhere, 404, "NOT_FOUND");
}

static void make_jobs(const char *auth, int count)
{
    for (int i = 0; i < count; i++)
        accept_job(auth, HARMLESS);
}

/* Walks all pages and counts rows; every id is new. */
static size_t walk(const char *auth, const char *query)
{
    json_auto_t *seen = json_object();
    const char *cursor = NULL;

    do {
        struct answer page = get(cursor ? arena_printf(F.arena, "/v1/jobs?%s&cursor=%s", query, cursor)
                                        : arena_printf(F.arena, "/v1/jobs?%s", query),
                                 auth);
        const json_t *row;
        size_t i;

        expect("page", &page, 200, NULL);
        json_array_foreach(json_object_get(page.json, "items"), i, row) {
            assert_null(json_object_get(seen, json_get_text(row, "id")));
            json_object_set_new(seen, json_get_text(row, "id"), json_true());
        }
        cursor = json_get_text(page.json, "next_cursor");
    } while (cursor);
    return json_object_size(seen);
}

static void pages_together_are_the_whole_list(void **state)
{
    const char *auth = token("ann", OPERATOR, false);

    (void)state;
    make_jobs(auth, 7);
    assert_int_equal(walk(auth, "limit=2"), 7);
    assert_int_equal(walk(auth, "limit=7"), 7);
    assert_int_equal(walk(auth, "limit=100000"), 7);
    assert_int_equal(walk(auth, "limit=3&kind=test.harmless&kind=test.guarded"), 7);
    assert_int_equal(walk(auth, "kind=test.guarded"), 0);
    assert_int_equal(walk(auth, "since=2999-01-01T00:00:00Z"), 0);
    assert_int_equal(walk(auth, "until=2999-01-01T00:00:00Z&resource=table/Tab1"), 7);
}

static void rows_of_a_list_are_narrow_unless_asked(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    struct answer page;
    const json_t *row;

    (void)state;
    make_jobs(auth, 1);
    page = get("/v1/jobs", auth);
    row = json_array_get(json_object_get(page.json, "items"), 0);
    assert_true(row && !json_object_get(row, "spec") && !json_object_get(row, "steps") &&
                !json_object_get(row, "result"));
    page = get("/v1/jobs?view=full", auth);
    row = json_array_get(json_object_get(page.json, "items"), 0);
    assert_true(json_object_get(row, "spec") && json_object_get(row, "steps"));
}

static void a_cursor_is_for_its_reader_and_its_filters(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    struct answer page;
    const char *cursor;

    (void)state;
    make_jobs(auth, 3);
    page = get("/v1/jobs?limit=1&kind=test.harmless", auth);
    cursor = json_get_text(page.json, "next_cursor");
    assert_non_null(cursor);
    page = get(arena_printf(F.arena, "/v1/jobs?limit=2&kind=test.harmless&cursor=%s", cursor), auth);
    expect("another limit", &page, 200, NULL);
    page = get(arena_printf(F.arena, "/v1/jobs?limit=1&cursor=%s", cursor), auth);
    expect("other filters", &page, 400, "INVALID_CURSOR");
    page = get(arena_printf(F.arena, "/v1/jobs?limit=1&kind=test.harmless&cursor=%s", cursor),
               token("bob", OPERATOR, false));
    expect("another reader", &page, 400, "INVALID_CURSOR");
    page = get(arena_printf(F.arena, "/v1/recovery-points?cursor=%s", cursor), auth);
    expect("another list", &page, 400, "INVALID_CURSOR");
    for (size_t i = 0; cursor[i]; i++) {
        char *bent = arena_strdup(F.arena, cursor);

        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        page = get(arena_printf(F.arena, "/v1/jobs?limit=1&kind=test.harmless&cursor=%s", bent), auth);
        expect("bent", &page, 400, "INVALID_CURSOR");
    }
}

static void an_unchanged_job_is_304(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    const char *id = accept_job(auth, HARMLESS);
    struct answer answer = get(arena_printf(F.arena, "/v1/jobs/%s?wait=20", id), auth);
    const char *etag = header(&answer, "ETag");

    (void)state;
    answer = ask("GET", arena_printf(F.arena, "/v1/jobs/%s", id), auth,
                 arena_printf(F.arena, "If-None-Match: %s\r\n", etag), NULL);
    assert_int_equal(answer.status, 304);
    assert_int_equal(answer.body_len, 0);
    answer = ask("GET", arena_printf(F.arena, "/v1/jobs/%s", id), auth, "If-None-Match: \"0\"\r\n", NULL);
    assert_int_equal(answer.status, 200);
}

static void limits_are_changed_by_whoever_read_them_last(void **state)
{
    const char *auth = token("ann", OPERATOR, false);
    const char *path = "/v1/environments/test/limits";
    struct answer answer = ask("PUT", path, auth, "If-None-Match: *\r\n", "{\"read_units_per_second\":7}");

    (void)state;
    expect("create", &answer, 200, NULL);
    assert_int_equal(json_get_int(answer.json, "read_units_per_second", 0), 7);
    assert_string_equal(header(&answer, "ETag"), "\"1\"");
    assert_string_equal(last_audit()->action, "limits.changed");
    assert_string_equal(last_audit()->environment, "test");
    answer = ask("PUT", path, auth, "If-None-Match: *\r\n", "{}");
    expect("create again", &answer, 412, "PRECONDITION_FAILED");
    answer = ask("PUT", path, auth, "If-Match: \"0\"\r\n", "{}");
    expect("an old version", &answer, 412, "PRECONDITION_FAILED");
    answer = ask("PUT", path, auth, "If-Match: \"1\"\r\n", "{\"write_units_per_second\":9}");
    expect("the version", &answer, 200, NULL);
    answer = get("/v1/environments/test", auth);
    expect("environment", &answer, 200, NULL);
    assert_string_equal(header(&answer, "ETag"), "\"2\"");
    assert_int_equal(json_get_int(json_object_get(answer.json, "limits"), "write_units_per_second", 0), 9);
    assert_true(
        json_is_null(json_object_get(json_object_get(answer.json, "limits"), "read_units_per_second")));
}

static void an_environment_out_of_reach_says_what_is_unknown(void **state)
{
    struct answer answer = get("/v1/environments/test", token("ann", OPERATOR, false));

    (void)state;
    expect("environment", &answer, 200, NULL);
    assert_true(json_is_false(json_object_get(answer.json, "complete")));
    assert_true(json_is_object(json_object_get(answer.json, "tables_error")));
}

static struct answer ops(const char *path, const char *headers)
{
    return read_answer(send_to(F.ops, "GET", path, NULL, headers, (struct bytes){0}));
}

static void the_ops_listener_answers_without_a_token(void **state)
{
    struct answer answer = ops("/healthz", NULL);

    (void)state;
    assert_int_equal(answer.status, 200);
    answer = ops("/version", NULL);
    assert_string_equal(text_of(&answer, "version"), RECOVERD_VERSION);
    answer = ops("/readyz", NULL);
    assert_int_equal(answer.status, 200);
    app_drain(F.app);
    answer = ops("/readyz", NULL);
    assert_int_equal(answer.status, 503);
    answer = ops("/v1/me", NULL);
    expect("api", &answer, 404, "NOT_FOUND");
    answer =
        read_answer(send_to(F.api, "GET", "/metrics", token("ann", ADMIN, false), NULL, (struct bytes){0}));
    expect("metrics on the api", &answer, 404, "NOT_FOUND");
}

static void metrics_are_there_from_the_start_and_count(void **state)
{
    static const char *const lines[] = {
        "recoverd_build_info{version=\"" RECOVERD_VERSION "\"} 1\n",
        "recoverd_jobs{kind=\"test.harmless\",environment=\"test\",state=\"queued\"} 0\n",
        "recoverd_recovery_points{environment=\"other\",type=\"table\",status=\"damaged\"} 0\n",
        "recoverd_auth_failures_total{reason=\"no_token\"} 1\n",
        "recoverd_http_requests_total{route=\"/v1/me\",method=\"GET\",status=\"401\"} 1\n",
        "recoverd_http_requests_total{route=\"other\",method=\"GET\",status=\"404\"} 1\n",
        "recoverd_http_requests_total{route=\"/v1/jobs\",method=\"POST\",status=\"202\"} ",
        "recoverd_config_reload_success 1\n",
        "recoverd_queue_oldest_timestamp_seconds 0\n",
        "recoverd_workers_busy 0\n",
        "recoverd_audit_entries_total 0\n",
    };
    struct answer answer = get("/v1/me", NULL);

    (void)state;
    answer = get("/v1/nothing", NULL);
    answer = ops("/metrics", NULL);
    assert_string_equal(header(&answer, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (!strstr(answer.body, lines[i]))
            fail_msg("%s is not in the metrics", lines[i]);
    answer = ops("/metrics", "Accept: application/openmetrics-text\r\n");
    assert_true(str_starts(header(&answer, "Content-Type"), "application/openmetrics-text; version=1.0.0"));
    assert_non_null(strstr(answer.body, "# EOF\n"));
}

static void the_document_is_public(void **state)
{
    struct answer answer = get("/openapi.yaml", NULL);

    (void)state;
    expect("openapi", &answer, 200, NULL);
    assert_string_equal(header(&answer, "Content-Type"), "application/yaml");
    answer = ask("GET", "/openapi.yaml", NULL,
                 arena_printf(F.arena, "If-None-Match: %s\r\n", header(&answer, "ETag")), NULL);
    assert_int_equal(answer.status, 304);
}

static void kinds_say_what_they_need(void **state)
{
    struct answer answer = get("/v1/kinds", token("ann", "", false));
    const json_t *kind = json_array_get(json_object_get(answer.json, "items"), 1);

    (void)state;
    expect("kinds", &answer, 200, NULL);
    assert_string_equal(json_get_text(kind, "name"), "test.guarded");
    assert_string_equal(json_get_text(kind, "role"), "BackupAdministrator");
    assert_true(json_get_bool(kind, "mfa", false) && json_get_bool(kind, "needs_plan", false));
    assert_string_equal(json_get_text(json_object_get(kind, "spec"), "type"), "object");
}

static void me_tells_grants_and_the_age_of_mfa(void **state)
{
    struct answer answer = get("/v1/me", token("ann", "viewer@test operator@other", true));

    (void)state;
    expect("me", &answer, 200, NULL);
    assert_string_equal(text_of(&answer, "identity"), "ann");
    assert_int_equal(json_array_size(json_object_get(answer.json, "grants")), 2);
    assert_true(json_get_bool(json_object_get(answer.json, "mfa"), "fresh", false));
    answer = get("/v1/me", token("ann", "viewer@test", false));
    assert_false(json_get_bool(json_object_get(answer.json, "mfa"), "fresh", true));
    assert_true(json_is_null(json_object_get(json_object_get(answer.json, "mfa"), "age_seconds")));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
    const struct CMUnitTest tests[] = {
        CASE(metrics_are_there_from_the_start_and_count), /* first: counters are the process's */
        CASE(head_is_get_without_a_body),
        CASE(options_and_405_name_the_methods),
        CASE(pages_together_are_the_whole_list),
        CASE(rows_of_a_list_are_narrow_unless_asked),
        CASE(a_cursor_is_for_its_reader_and_its_filters),
        CASE(an_unchanged_job_is_304),
        CASE(limits_are_changed_by_whoever_read_them_last),
        CASE(an_environment_out_of_reach_says_what_is_unknown),
        CASE(the_ops_listener_answers_without_a_token),
        CASE(the_document_is_public),
        CASE(kinds_say_what_they_need),
        CASE(me_tells_grants_and_the_age_of_mfa),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
