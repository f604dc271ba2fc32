/* Whatever is wrong with a request is answered with a whole problem, names the place, and leaves no row. */
#include "tests/unit/handlers/fixture.h"

#define KIND "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":"

struct bad {
    const char *name, *method, *path, *headers;
    struct bytes body;
    int status;
    const char *code;
    const char *pointer; /* one of errors[]; NULL: none is asked for */
};

#define B(text) BYTES(text)
static const struct bad rows[] = {
    {"empty", "POST", "/v1/jobs", NULL, B(""), 400, "INVALID_JSON", NULL},
    {"not json", "POST", "/v1/jobs", NULL, B("kind=x"), 400, "INVALID_JSON", NULL},
    {"cut", "POST", "/v1/jobs", NULL, B("{\"kind\":\"test.harmless\""), 400, "INVALID_JSON", NULL},
    {"two values", "POST", "/v1/jobs", NULL, B("{} {}"), 400, "INVALID_JSON", NULL},
    {"not utf-8", "POST", "/v1/jobs", NULL, B("{\"kind\":\"\xff\"}"), 400, "INVALID_JSON", NULL},
    {"a lone surrogate", "POST", "/v1/jobs", NULL, B("{\"kind\":\"\\ud800\"}"), 400, "INVALID_JSON", NULL},
    {"a NUL", "POST", "/v1/jobs", NULL,
     B("{\"note\":\"a\\u0000b\",\"kind\":\"test.harmless\",\"environment\":\"test\"}"), 0, NULL, NULL},
    {"an array", "POST", "/v1/jobs", NULL, B("[]"), 422, "INVALID_BODY", ""},
    {"a number", "POST", "/v1/jobs", NULL, B("7"), 422, "INVALID_BODY", ""},
    {"null", "POST", "/v1/jobs", NULL, B("null"), 422, "INVALID_BODY", ""},
    {"nothing in it", "POST", "/v1/jobs", NULL, B("{}"), 422, "INVALID_BODY", "/kind"},
    {"an unknown member", "POST", "/v1/jobs", NULL, B(KIND "{\"table\":\"Tab1\"},\"run_at\":\"x\"}"), 422,
     "INVALID_BODY", "/run_at"},
    {"a repeated member", "POST", "/v1/jobs", NULL, B("{\"kind\":\"a\",\"kind\":\"a\"}"), 400, "INVALID_JSON",
     "/kind"},
    {"a repeated member below", "POST", "/v1/jobs", NULL, B(KIND "{\"table\":\"Tab1\",\"table\":\"Tab1\"}}"),
     400, "INVALID_JSON", "/spec/table"},
    {"a kind of a number", "POST", "/v1/jobs", NULL, B("{\"kind\":7,\"environment\":\"test\"}"), 422,
     "INVALID_BODY", "/kind"},
    {"a spec of a list", "POST", "/v1/jobs", NULL, B(KIND "[]}"), 422, "INVALID_BODY", "/spec"},
    {"a hash too short", "POST", "/v1/jobs", NULL, B(KIND "{},\"plan_hash\":\"12\"}"), 422, "INVALID_BODY",
     "/plan_hash"},
    {"a note with a control", "POST", "/v1/jobs", NULL, B(KIND "{},\"note\":\"\\u0007\"}"), 422,
     "INVALID_BODY", "/note"},
    {"an unknown kind", "POST", "/v1/jobs", NULL, B("{\"kind\":\"table.drop\",\"environment\":\"test\"}"),
     422, "UNKNOWN_KIND", "/kind"},
    {"an unknown environment", "POST", "/v1/jobs", NULL,
     B("{\"kind\":\"test.harmless\",\"environment\":\"prod\"}"), 422, "UNKNOWN_ENVIRONMENT", "/environment"},
    {"an environment of others", "POST", "/v1/jobs", NULL,
     B("{\"kind\":\"test.harmless\",\"environment\":\"other\"}"), 422, "UNKNOWN_ENVIRONMENT", "/environment"},
    {"no spec", "POST", "/v1/jobs", NULL, B("{\"kind\":\"test.harmless\",\"environment\":\"test\"}"), 422,
     "INVALID_SPEC", "/spec/table"},
    {"a member of no spec", "POST", "/v1/jobs", NULL, B(KIND "{\"table\":\"Tab1\",\"tabel\":\"x\"}}"), 422,
     "INVALID_SPEC", "/spec/tabel"},
    {"a mistyped member", "POST", "/v1/jobs", NULL, B(KIND "{\"table\":\"Tab1\",\"parts\":\"2\"}}"), 422,
     "INVALID_SPEC", "/spec/parts"},
    {"below its range", "POST", "/v1/jobs", NULL, B(KIND "{\"table\":\"Tab1\",\"parts\":0}}"), 422,
     "INVALID_SPEC", "/spec/parts"},
    {"above its range", "POST", "/v1/jobs", NULL, B(KIND "{\"table\":\"Tab1\",\"parts\":1e9}}"), 422,
     "INVALID_SPEC", "/spec/parts"},
    {"a table with a path in it", "POST", "/v1/jobs", NULL, B(KIND "{\"table\":\"../Tab1\"}}"), 422,
     "INVALID_SPEC", "/spec/table"},
    {"a table of others", "POST", "/v1/jobs", NULL, B(KIND "{\"table\":\"Users\"}}"), 422,
     "RESOURCE_NOT_IN_ENVIRONMENT", "/spec/table"},
    {"text", "POST", "/v1/jobs", "Content-Type: text/plain\r\n", B(HARMLESS), 415, "UNSUPPORTED_MEDIA_TYPE",
     NULL},
    {"a form", "POST", "/v1/jobs", "Content-Type: application/x-www-form-urlencoded\r\n", B("a=b"), 415,
     "UNSUPPORTED_MEDIA_TYPE", NULL},
    {"another charset", "POST", "/v1/jobs", "Content-Type: application/json; charset=latin1\r\n", B(HARMLESS),
     415, "UNSUPPORTED_MEDIA_TYPE", NULL},
    {"chunks", "POST", "/v1/jobs", "Transfer-Encoding: chunked\r\n", {0}, 411, "LENGTH_REQUIRED", NULL},
    {"a body where none is taken", "GET", "/v1/jobs", NULL, B("{}"), 413, "BODY_TOO_LARGE", NULL},
    {"what it does not make", "GET", "/v1/me", "Accept: text/html\r\n", {0}, 406, "NOT_ACCEPTABLE", NULL},
    {"an unknown query", "GET", "/v1/jobs?colour=red", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"a query twice", "GET", "/v1/jobs?limit=1&limit=2", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"a query with a star", "GET", "/v1/jobs?kind*=x", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"a query where none is", "GET", "/v1/me?x=1", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"limit 0", "GET", "/v1/jobs?limit=0", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"limit x", "GET", "/v1/jobs?limit=x", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"limit -1", "GET", "/v1/jobs?limit=-1", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"a state that is none", "GET", "/v1/jobs?state=done", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"a status that is none",
     "GET",
     "/v1/recovery-points?status=fine",
     NULL,
     {0},
     400,
     "INVALID_QUERY",
     NULL},
    {"a time that is none", "GET", "/v1/jobs?since=yesterday", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"a time without a zone",
     "GET",
     "/v1/jobs?since=2026-01-30T14:30:00",
     NULL,
     {0},
     400,
     "INVALID_QUERY",
     NULL},
    {"an impossible date",
     "GET",
     "/v1/jobs?until=2026-02-30T00:00:00Z",
     NULL,
     {0},
     400,
     "INVALID_QUERY",
     NULL},
    {"a parent that is none", "GET", "/v1/jobs?parent_id=1", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"a view that is none", "GET", "/v1/jobs?view=all", NULL, {0}, 400, "INVALID_QUERY", NULL},
    {"a cursor that is none", "GET", "/v1/jobs?cursor=abc", NULL, {0}, 400, "INVALID_CURSOR", NULL},
    {"a wait that is none",
     "GET",
     "/v1/jobs/01980f5e-3c1a-7b20-9d1e-6a1f0c2b7d33?wait=x",
     NULL,
     {0},
     400,
     "INVALID_QUERY",
     NULL},
    {"a wait too long",
     "GET",
     "/v1/jobs/01980f5e-3c1a-7b20-9d1e-6a1f0c2b7d33?wait=51",
     NULL,
     {0},
     400,
     "INVALID_QUERY",
     NULL},
    {"an id that is none", "GET", "/v1/jobs/1", NULL, {0}, 404, "NOT_FOUND", NULL},
    {"an id of nothing",
     "GET",
     "/v1/jobs/01980f5e-3c1a-7b20-9d1e-6a1f0c2b7d33",
     NULL,
     {0},
     404,
     "NOT_FOUND",
     NULL},
    {"a path of nothing", "GET", "/v1/nothing", NULL, {0}, 404, "NOT_FOUND", NULL},
    {"a slash too many", "GET", "/v1/jobs/", NULL, {0}, 404, "NOT_FOUND", NULL},
    {"a later version's path", "GET", "/v1/schedules", NULL, {0}, 404, "NOT_FOUND", NULL},
    {"a wrong method", "PUT", "/v1/jobs", NULL, B("{}"), 405, "METHOD_NOT_ALLOWED", NULL},
    {"an encoded slash", "GET", "/v1%2Fjobs", NULL, {0}, 400, "MALFORMED_REQUEST", NULL},
    {"a dot segment", "GET", "/v1/x/../jobs", NULL, {0}, 400, "MALFORMED_REQUEST", NULL},
    {"no If-Match", "PUT", "/v1/environments/test/limits", NULL, B("{}"), 428, "PRECONDITION_REQUIRED", NULL},
    {"If-Match that is none", "PUT", "/v1/environments/test/limits", "If-Match: 1\r\n", B("{}"), 400,
     "INVALID_HEADER", NULL},
    {"another If-Match", "PUT", "/v1/environments/test/limits", "If-Match: \"7\"\r\n", B("{}"), 412,
     "PRECONDITION_FAILED", NULL},
    {"a limit below 0", "PUT", "/v1/environments/test/limits", "If-Match: \"0\"\r\n",
     B("{\"read_units_per_second\":-1}"), 422, "INVALID_BODY", "/read_units_per_second"},
    {"a limit of half a unit", "PUT", "/v1/environments/test/limits", "If-Match: \"0\"\r\n",
     B("{\"read_units_per_second\":0.5}"), 422, "INVALID_BODY", "/read_units_per_second"},
    {"a plan without a kind", "POST", "/v1/plans", NULL, B("{\"environment\":\"test\"}"), 422, "INVALID_BODY",
     "/kind"},
    {"a plan without an environment", "POST", "/v1/plans", NULL, B("{\"kind\":\"test.harmless\"}"), 422,
     "INVALID_BODY", "/environment"},
    {"a retry of nothing", "POST", "/v1/plans", NULL,
     B("{\"retry_of\":\"01980f5e-3c1a-7b20-9d1e-6a1f0c2b7d33\"}"), 404, "NOT_FOUND", NULL},
    {"a retry of no id", "POST", "/v1/plans", NULL, B("{\"retry_of\":\"x\"}"), 422, "INVALID_BODY",
     "/retry_of"},
    {"an unknown plan", "POST", "/v1/jobs", NULL,
     B(KIND "{\"table\":\"Tab1\"},\"plan_hash\":"
            "\"0000000000000000000000000000000000000000000000000000000000000000\"}"),
     409, "PLAN_NOT_FOUND", NULL},
    {"a cancel with a body", "POST", "/v1/jobs/01980f5e-3c1a-7b20-9d1e-6a1f0c2b7d33/cancel", NULL,
     B("{\"x\":1}"), 422, "INVALID_BODY", "/x"},
    {"a key too odd", "POST", "/v1/jobs", "Idempotency-Key: \"a\r\n", B(HARMLESS), 400, "INVALID_HEADER",
     NULL},
    {"a ticket that is none", "POST", "/v1/me/totp", NULL, B("{\"ticket\":\"AAAA\"}"), 401, "OTP_INVALID",
     "/ticket"},
    {"a row of no number", "GET", "/v1/audit/test/x", NULL, {0}, 404, "NOT_FOUND", NULL},
};

static bool points_to(const struct answer *answer, const char *pointer)
{
    const json_t *fault;
    size_t i;

    json_array_foreach(json_object_get(answer->json, "errors"), i, fault)
        if (str_is(json_get_text(fault, "pointer"), pointer) && json_get_text(fault, "detail"))
            return true;
    return false;
}

static void each_fault_is_a_problem_and_leaves_no_row(void **state)
{
    const char *auth = token("ann", "BackupAdministrator@test auditor@test", false);
    int64_t audit = audit_rows();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct bad *row = &rows[i];
        struct answer answer =
            read_answer(send_to(F.api, row->method, row->path, auth, row->headers, row->body));

        if (row->code)
            expect(row->name, &answer, row->status, row->code);
        else if (answer.status < 400 || answer.status >= 500)
            fail_msg("%s: %d", row->name, answer.status);
        if (row->pointer && !points_to(&answer, row->pointer))
            fail_msg("%s: nothing points to %s in %s", row->name, row->pointer, answer.body);
        /* a failed second factor of a verified principal is told; nothing else leaves a trace */
        audit += str_is(row->code, "OTP_INVALID");
        if (audit_rows() != audit)
            fail_msg("%s left an audit row %s", row->name, last_audit()->action);
    }
    assert_int_equal(job_rows(), 0);
}

static void a_body_too_deep_or_too_large_is_refused(void **state)
{
    const char *auth = token("ann", ADMIN, false);
    struct buffer body = BUFFER_INIT(MIB);
    struct answer answer;

    (void)state;
    buffer_add_str(&body, KIND);
    for (int i = 0; i < 40; i++)
        buffer_add_str(&body, "{\"a\":");
    buffer_add_str(&body, "1");
    for (int i = 0; i < 41; i++)
        buffer_add_str(&body, "}");
    answer = read_answer(send_to(F.api, "POST", "/v1/jobs", auth, NULL, buffer_bytes(&body)));
    expect("too deep", &answer, 400, "INVALID_JSON");
    buffer_clear(&body);
    buffer_add_str(&body, "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"note\":\"");
    while (body.len <= HTTP_BODY_MAX)
        buffer_add_str(&body, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    buffer_add_str(&body, "\"}");
    answer = read_answer(send_to(F.api, "POST", "/v1/jobs", auth, NULL, buffer_bytes(&body)));
    expect("too large", &answer, 413, "BODY_TOO_LARGE");
    buffer_done(&body);
    assert_int_equal(job_rows(), 0);
}

static void several_faults_are_told_at_once(void **state)
{
    struct answer answer =
        post("/v1/jobs", token("ann", ADMIN, false), KIND "{\"table\":\"..\",\"parts\":0,\"x\":1}}");

    (void)state;
    expect("three", &answer, 422, "INVALID_SPEC");
    assert_true(points_to(&answer, "/spec/table") && points_to(&answer, "/spec/parts") &&
                points_to(&answer, "/spec/x"));
    assert_string_not_equal(text_of(&answer, "hint"), "");
}

static void a_table_of_others_reads_like_one_that_nobody_has(void **state)
{
    const char *auth = token("ann", ADMIN, false);
    struct answer there = post("/v1/jobs", auth, KIND "{\"table\":\"Users\"}}");
    struct answer nowhere = post("/v1/jobs", auth, KIND "{\"table\":\"Nobody\"}}");

    (void)state;
    assert_int_equal(there.status, nowhere.status);
    assert_string_equal(text_of(&there, "code"), text_of(&nowhere, "code"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
    const struct CMUnitTest tests[] = {
        CASE(each_fault_is_a_problem_and_leaves_no_row),
        CASE(a_body_too_deep_or_too_large_is_refused),
        CASE(several_faults_are_told_at_once),
        CASE(a_table_of_others_reads_like_one_that_nobody_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
