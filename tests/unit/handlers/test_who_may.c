/* Who may: every route by role and environment, each cell a request; tokens that are none; what leaves a row.
 */
#include "tests/unit/handlers/fixture.h"

/* What each role at the object's environment may do: the columns of the table. */
enum { MAY = -1 }; /* whatever it answers, it is not for want of a role */
enum { NOBODY, VIEWER, OPERATOR_, ADMIN_, AUDITOR, READER, COLUMNS };
static const char *const columns[COLUMNS] = {"",        "viewer",     "operator", "BackupAdministrator",
                                             "auditor", "data_reader"};

struct cell_row {
    const char *method, *path, *headers, *body;
    int status[COLUMNS]; /* at `test`, whose objects they are */
    int elsewhere;       /* BackupAdministrator, auditor and data_reader at `other` only */
};

/* $job $failed $plan $point stand for ids of `test`. */
static const struct cell_row rows[] = {
    {"GET", "/v1/me", NULL, NULL, {200, 200, 200, 200, 200, 200}, 200},
    {"GET", "/v1/me/totp", NULL, NULL, {200, 200, 200, 200, 200, 200}, 200},
    {"POST", "/v1/me/totp", NULL, "{}", {401, 401, 401, 401, 401, 401}, 401},
    {"DELETE", "/v1/me/totp", NULL, NULL, {404, 404, 404, 404, 404, 404}, 404},
    {"GET", "/v1/kinds", NULL, NULL, {200, 200, 200, 200, 200, 200}, 200},
    {"GET", "/v1/environments", NULL, NULL, {403, 200, 200, 200, 403, 403}, 200},
    {"GET", "/v1/environments/test", NULL, NULL, {403, 200, 200, 200, 403, 403}, 404},
    {"PUT", "/v1/environments/test/limits", "If-Match: *\r\n", "{}", {403, 403, 200, 200, 403, 403}, 404},
    {"POST", "/v1/plans", NULL, HARMLESS, {422, 403, 200, 200, 403, 403}, 422},
    {"POST",
     "/v1/plans",
     NULL,
     "{\"kind\":\"test.guarded\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\"}}",
     {422, 403, 403, 200, 403, 403},
     422},
    {"GET", "/v1/plans/$plan", NULL, NULL, {404, 404, 404, 200, 404, 404}, 404},
    {"POST", "/v1/jobs", NULL, HARMLESS, {422, 403, 202, 202, 403, 403}, 422},
    {"POST",
     "/v1/jobs",
     NULL,
     "{\"kind\":\"test.guarded\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\"}}",
     {422, 403, 403, 428, 403, 403},
     422},
    {"GET", "/v1/jobs", NULL, NULL, {403, 200, 200, 200, 403, 403}, 200},
    {"GET", "/v1/jobs/$job", NULL, NULL, {403, 200, 200, 200, 403, 403}, 404},
    {"GET", "/v1/jobs/$job/plan", NULL, NULL, {403, 404, 404, 404, 403, 403}, 404},
    {"POST", "/v1/jobs/$job/cancel", NULL, "{}", {404, 403, 409, 409, 404, 404}, 404},
    {"POST", "/v1/jobs/$failed/retry", NULL, "{}", {404, 403, MAY, MAY, 404, 404}, 404},
    {"GET", "/v1/recovery-points", NULL, NULL, {403, 200, 200, 200, 403, 403}, 200},
    {"GET", "/v1/recovery-points/$point", NULL, NULL, {403, 200, 200, 200, 403, 403}, 404},
    {"GET", "/v1/recovery-points/$point/manifest", NULL, NULL, {403, 409, 409, 409, 403, 403}, 404},
    {"GET", "/v1/recovery-points/$point/files/a/b", NULL, NULL, {403, 403, 403, 403, 403, 409}, 404},
    {"GET", "/v1/audit", NULL, NULL, {403, 403, 403, 403, 200, 403}, 200},
    {"GET", "/v1/audit/test/$row", NULL, NULL, {403, 403, 403, 403, 200, 403}, 404},
    {"GET", "/openapi.yaml", NULL, NULL, {200, 200, 200, 200, 200, 200}, 200},
};

struct objects {
    const char *job, *failed, *plan, *point, *row;
};

static int insert_point(struct tx *tx, void *ctx, struct err *err)
{
    struct recovery_point *point = ctx;

    return tx_point_insert(tx, point, err);
}

static const char *make_point(void)
{
    struct recovery_point point = {.id = id_new(),
                                   .environment = "test",
                                   .type = "table",
                                   .method = "scan",
                                   .origin = "recoverd",
                                   .resource = "table/Tab1",
                                   .location = "file:///nowhere",
                                   .status = POINT_WRITING,
                                   .trust = "unsigned",
                                   .items = -1,
                                   .job = id_new(),
                                   .created_at = clock_wall_ms(),
                                   .version = 1};
    char *text = arena_alloc(F.arena, ID_SIZE);
    struct err err = ERR_INIT;

    must(store_tx(F.world->store, "point", insert_point, &point, &err) == 0, "point", &err);
    id_format(&point.id, text);
    return text;
}

static struct objects make_objects(void)
{
    static const char failing[] = "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{\"table\":"
                                  "\"Tab1\",\"fail\":\"first\"}}";
    static const char guarded_body[] =
        "{\"kind\":\"test.guarded\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\"}}";
    const char *auth = token("root", "BackupAdministrator@*", false);
    struct objects o = {
        .job = accept_job(auth, HARMLESS), .failed = accept_job(auth, failing), .point = make_point()};
    struct answer plan = post("/v1/plans", auth, guarded_body);

    o.plan = text_of(&plan, "plan_hash");
    /* a row of `test`: the acceptance of the first job */
    o.row = arena_printf(F.arena, "%lld", (long long)last_audit()->seq);
    get(arena_printf(F.arena, "/v1/jobs/%s?wait=20", o.job), auth);
    get(arena_printf(F.arena, "/v1/jobs/%s?wait=20", o.failed), auth);
    return o;
}

static const char *target_of(const char *path, const struct objects *o)
{
    const struct {
        const char *name, *value;
    } names[] = {
        {"$job", o->job}, {"$failed", o->failed}, {"$plan", o->plan}, {"$point", o->point}, {"$row", o->row}};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *found = strstr(path, names[i].name);

        if (found)
            return arena_printf(F.arena, "%.*s%s%s", (int)(found - path), path, names[i].value,
                                found + strlen(names[i].name));
    }
    return path;
}

static void check_cell(const struct cell_row *row, const struct objects *o, const char *who, const char *auth,
                       int status)
{
    struct answer answer = ask(row->method, target_of(row->path, o), auth, row->headers, row->body);

    if (status == MAY)
        status = answer.status == 202 || answer.status == 409 ? answer.status : 202;
    if (answer.status != status)
        fail_msg("%s %s as %s: %d (%s), expected %d", row->method, row->path, who, answer.status, answer.body,
                 status);
    if (status == 404 || status == 422)
        assert_null(strstr(answer.body, "Tab1"));
}

static void each_route_lets_in_its_roles_and_nobody_else(void **state)
{
    struct objects o = make_objects();
    const char *elsewhere = token("eve", "BackupAdministrator@other auditor@other data_reader@other", false);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int c = 0; c < COLUMNS; c++) {
            const char *role = c == NOBODY ? "" : arena_printf(F.arena, "%s@test", columns[c]);

            check_cell(&rows[i], &o, c == NOBODY ? "nobody" : role, token("ann", role, false),
                       rows[i].status[c]);
        }
        check_cell(&rows[i], &o, "an administrator elsewhere", elsewhere, rows[i].elsewhere);
    }
}

static void each_route_is_in_the_table(void **state)
{
    (void)state;
    for (const struct route *route = routes; route->method; route++) {
        bool found = false;

        for (size_t i = 0; i < COUNT_OF(rows) && !found; i++) {
            const char *segments[16], *params[ROUTE_PARAMS_MAX];
            size_t count = 0;
            char *next, *copy = arena_strdup(F.arena, rows[i].path);

            for (char *s = strtok_r(copy, "/", &next); s && count < COUNT_OF(segments);
                 s = strtok_r(NULL, "/", &next))
                segments[count++] = s;
            found = strcmp(rows[i].method, route->method) == 0 &&
                    route_path_matches(route->path, segments, count, F.arena, params);
        }
        if (!found)
            fail_msg("%s %s has no row of cells", route->method, route->path);
    }
}

static void without_a_good_token_every_route_is_401(void **state)
{
    struct objects o = {"x", "x", "x", "x", "1"};
    char *bent = arena_strdup(F.arena, token("ann", ADMIN, false));
    char *signature = strrchr(bent, '.') + 1;
    const char *bad[] = {NULL, "", "x", "a.b.c", bent};
    int64_t before = audit_rows();

    (void)state;
    *signature = *signature == 'A' ? 'B' : 'A';
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t k = 0; k < COUNT_OF(bad) && !strstr(rows[i].path, "openapi"); k++) {
            struct answer answer =
                ask(rows[i].method, target_of(rows[i].path, &o), bad[k], rows[i].headers, rows[i].body);

            if (answer.status != 401 || !header(&answer, "WWW-Authenticate"))
                fail_msg("%s %s with token %zu: %d", rows[i].method, rows[i].path, k, answer.status);
        }
    assert_int_equal(audit_rows(), before);
    app_tick(F.app, true); /* they are one row, not many */
    assert_int_equal(audit_rows(), before + 1);
    assert_string_equal(last_audit()->action, "authentication.failed");
}

static void a_token_in_the_query_is_no_token(void **state)
{
    struct answer answer =
        get(arena_printf(F.arena, "/v1/me?access_token=%s", token("ann", ADMIN, false)), NULL);

    (void)state;
    expect("query", &answer, 401, "UNAUTHENTICATED");
    assert_string_equal(header(&answer, "WWW-Authenticate"), "Bearer realm=\"recoverd\"");
}

static void a_refusal_for_want_of_a_role_is_an_audit_row(void **state)
{
    struct answer answer = ask("PUT", "/v1/environments/test/limits",
                               token("ann", "viewer@test operator@other", false), "If-Match: *\r\n", "{}");

    (void)state;
    expect("limits", &answer, 403, "FORBIDDEN");
    assert_non_null(strstr(header(&answer, "WWW-Authenticate"), "insufficient_scope"));
    assert_string_equal(last_audit()->action, "authorisation.denied");
    assert_string_equal(last_audit()->outcome, "denied");
    assert_string_equal(last_audit()->actor, "ann");
    assert_string_equal(last_audit()->environment, "test");
    assert_string_equal(last_audit()->request_id, text_of(&answer, "request_id"));
}

static void lists_show_only_what_is_ones_own(void **state)
{
    const char *all = token("root", "BackupAdministrator@* auditor@*", false);
    const char *there = token("ann", "BackupAdministrator@other auditor@other", false);
    struct answer answer;

    (void)state;
    accept_job(all, HARMLESS);
    make_point();
    answer = get("/v1/jobs", all);
    assert_int_equal(json_array_size(json_object_get(answer.json, "items")), 1);
    answer = get("/v1/jobs?environment=test", there);
    assert_int_equal(json_array_size(json_object_get(answer.json, "items")), 0);
    answer = get("/v1/recovery-points", there);
    assert_int_equal(json_array_size(json_object_get(answer.json, "items")), 0);
    answer = get("/v1/audit", there);
    assert_int_equal(json_array_size(json_object_get(answer.json, "items")), 0);
    answer = get("/v1/environments", there);
    assert_int_equal(json_array_size(json_object_get(answer.json, "items")), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
    const struct CMUnitTest tests[] = {
        CASE(each_route_lets_in_its_roles_and_nobody_else), CASE(each_route_is_in_the_table),
        CASE(without_a_good_token_every_route_is_401),      CASE(a_token_in_the_query_is_no_token),
        CASE(a_refusal_for_want_of_a_role_is_an_audit_row), CASE(lists_show_only_what_is_ones_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
