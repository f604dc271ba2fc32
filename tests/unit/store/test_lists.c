#include "tests/unit/store/explain.h"

#define ROWS 400

static const char *const environments[] = {"dev", "shop", "test", "live"};
static const char *const kinds[] = {"backup.table", "restore.table", "validate.backup"};
static const char *const resources[] = {"table/A", "table/B", "table/C", "table/D", "table/E"};
static const char *const types[] = {"table", "bucket"};
static const char *const methods[] = {"scan", "export"};

static unsigned seed = 7;
static unsigned pick(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % below;
}

/* A filter of one to three of the names (with a repetition now and then), or none. */
static struct filter some(const char *const *names, unsigned count, const char *room[3])
{
    struct filter filter = {room, pick(3) == 0 ? 1 + pick(3) : 0};

    for (size_t i = 0; i < filter.count; i++)
        room[i] = names[pick(count)];
    return filter;
}

static bool in(const struct filter *filter, const char *value)
{
    bool found = filter->count == 0;

    for (size_t i = 0; i < filter->count; i++)
        found = found || str_is(filter->values[i], value);
    return found;
}

static bool in_time(int64_t at, int64_t since, int64_t until)
{
    return at >= since && (until == 0 || at < until);
}

/* What a caller sees, how many, and now and then from or until when, within `span` after 1000. */
static struct list_page page_of(const char *room[3], size_t limit, unsigned span)
{
    return (struct list_page){.visible = some(environments, 4, room),
                              .limit = limit,
                              .since = pick(3) ? 0 : 1000 + pick(span),
                              .until = pick(3) ? 0 : 1000 + pick(span)};
}

static void every_filter_of_jobs_gives_what_looking_at_all_rows_gives(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    static struct job rows[ROWS];
    const char *states[JOB_STATE_COUNT];

    for (int i = 0; i < JOB_STATE_COUNT; i++)
        states[i] = job_state_name((enum job_state)i);
    for (int i = 0; i < ROWS; i++) {
        rows[i] = job_of(kinds[pick(3)], pick(20) ? environments[pick(4)] : NULL, resources[pick(5)]);
        rows[i].state = (enum job_state)pick(JOB_STATE_COUNT);
        rows[i].created_at = 1000 + 10 * i - (pick(10) ? 0 : 500); /* the wall clock goes back now and then */
        if (pick(4) == 0 && i > 0)
            rows[i].parent_id = rows[pick((unsigned)i)].id;
        ok(tx_job_insert(tx, &rows[i], &f->err));
    }
    for (int round = 0; round < 400; round++) {
        const char *room[5][3];
        struct job_query query = {.page = page_of(room[0], 1 + pick(40), 4000),
                                  .environment = some(environments, 4, room[1]),
                                  .kind = some(kinds, 3, room[2]),
                                  .state = some(states, JOB_STATE_COUNT, room[3]),
                                  .resource = some(resources, 5, room[4])};
        int at = ROWS;
        bool more = true;

        query.page.visible_all = query.page.visible.count == 0;
        if (pick(8) == 0)
            query.parent_id = rows[pick(ROWS)].id;
        while (more) {
            struct job **list;
            size_t count;

            ok(tx_jobs_list(tx, &query, f->arena, &list, &count, &more, &f->err));
            assert_true(count <= query.page.limit);
            assert_true(!more || count > 0);
            for (size_t i = 0; i < count; i++) {
                do
                    assert_true(--at >= 0);
                while (!in(&query.environment, rows[at].environment) || !in(&query.kind, rows[at].kind) ||
                       !(query.page.visible_all || in(&query.page.visible, rows[at].environment)) ||
                       !in(&query.state, job_state_name(rows[at].state)) ||
                       !in(&query.resource, rows[at].resource) ||
                       !in_time(rows[at].created_at, query.page.since, query.page.until) ||
                       !(id_is_zero(&query.parent_id) || id_equal(&query.parent_id, &rows[at].parent_id)));
                assert_int_equal(list[i]->key, rows[at].key);
                query.page.before_key = list[i]->key;
            }
        }
        while (--at >= 0) /* and nothing was left out at the end */
            assert_false(in(&query.environment, rows[at].environment) && in(&query.kind, rows[at].kind) &&
                         (query.page.visible_all || in(&query.page.visible, rows[at].environment)) &&
                         in(&query.state, job_state_name(rows[at].state)) &&
                         in(&query.resource, rows[at].resource) &&
                         in_time(rows[at].created_at, query.page.since, query.page.until) &&
                         (id_is_zero(&query.parent_id) || id_equal(&query.parent_id, &rows[at].parent_id)));
        arena_reset(f->arena);
    }
    commit(f);
}

static void who_sees_no_environment_finds_nothing(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct job job = job_of("backup.table", "shop", "table/Sales"), **jobs;
    struct recovery_point **points;
    struct audit_record **records;
    int64_t *keys;
    size_t count = 1;
    bool more = true;

    ok(tx_job_insert(tx, &job, &f->err));
    ok(tx_jobs_list(tx, &(struct job_query){.page.limit = 5}, f->arena, &jobs, &count, &more, &f->err));
    assert_true(count == 0 && !more);
    ok(tx_jobs_list(tx, &(struct job_query){.environment = {(const char *const[]){"shop"}, 1}}, f->arena,
                    &jobs, &count, &more, &f->err));
    assert_true(count == 0 && !more);
    ok(tx_jobs_list(tx, &(struct job_query){.page.visible_all = true}, f->arena, &jobs, &count, &more,
                    &f->err));
    assert_true(count == 1 && !more);
    ok(tx_points_list(tx, &(struct point_query){.page.limit = 5}, f->arena, &points, &count, &more, &f->err));
    assert_true(count == 0 && !more);
    ok(tx_audit_list(tx, &(struct audit_query){.page.limit = 5}, f->arena, &records, &keys, &count, &more,
                     &f->err));
    assert_true(count == 0 && !more);
    commit(f);
}

static void every_filter_of_recovery_points_gives_what_looking_at_all_rows_gives(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    static struct recovery_point rows[ROWS];
    const char *statuses[POINT_STATUS_COUNT];

    for (int i = 0; i < POINT_STATUS_COUNT; i++)
        statuses[i] = point_status_name((enum point_status)i);
    for (int i = 0; i < ROWS; i++) {
        rows[i] = (struct recovery_point){.id = id_new(),
                                          .environment = environments[pick(4)],
                                          .type = types[pick(2)],
                                          .method = methods[pick(2)],
                                          .origin = "recoverd",
                                          .resource = resources[pick(5)],
                                          .status = (enum point_status)pick(POINT_STATUS_COUNT),
                                          .created_at = 1000 + i};
        ok(tx_point_insert(tx, &rows[i], &f->err));
    }
    for (int round = 0; round < 400; round++) {
        const char *room[6][3];
        struct point_query query = {.page = page_of(room[0], ROWS, 400),
                                    .environment = some(environments, 4, room[1]),
                                    .type = some(types, 2, room[2]),
                                    .status = some(statuses, POINT_STATUS_COUNT, room[3]),
                                    .resource = some(resources, 5, room[4]),
                                    .method = some(methods, 2, room[5])};
        struct recovery_point **list;
        size_t count, expected = 0;
        bool more;

        query.page.visible_all = query.page.visible.count == 0;
        ok(tx_points_list(tx, &query, f->arena, &list, &count, &more, &f->err));
        assert_false(more);
        for (int at = ROWS - 1; at >= 0; at--)
            if (in(&query.environment, rows[at].environment) && in(&query.type, rows[at].type) &&
                (query.page.visible_all || in(&query.page.visible, rows[at].environment)) &&
                in(&query.status, point_status_name(rows[at].status)) &&
                in(&query.resource, rows[at].resource) && in(&query.method, rows[at].method) &&
                in_time(rows[at].created_at, query.page.since, query.page.until)) {
                assert_true(expected < count);
                assert_int_equal(list[expected++]->key, rows[at].key);
            }
        assert_int_equal(count, expected);
        arena_reset(f->arena);
    }
    commit(f);
}

static void every_filter_of_audit_rows_gives_what_looking_at_all_rows_gives_both_ways(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    static struct audit_record rows[ROWS];
    static const char *const actors[] = {"ada", "bob", "cy"};

    for (int i = 0; i < ROWS; i++) {
        rows[i] = (struct audit_record){.node = "n",
                                        .seq = i + 1,
                                        .at = 1000 + i,
                                        .actor = actors[pick(3)],
                                        .action = kinds[pick(3)],
                                        .object = resources[pick(5)],
                                        .environment = pick(6) ? environments[pick(4)] : NULL};
        ok(tx_audit_insert(tx, &rows[i], (struct bytes){0}, &f->err));
    }
    for (int round = 0; round < 400; round++) {
        const char *room[5][3];
        struct audit_query query = {.page = page_of(room[0], 1 + pick(60), 400),
                                    .environment = some(environments, 4, room[1]),
                                    .actor = some(actors, 3, room[2]),
                                    .action = some(kinds, 3, room[3]),
                                    .object = some(resources, 5, room[4]),
                                    .oldest_first = pick(2)};
        size_t expected = 0, found = 0;
        int64_t last = query.oldest_first ? 0 : INT64_MAX;
        bool more = true;

        query.page.visible_all = query.page.visible.count == 0;
        for (int at = 0; at < ROWS; at++)
            expected += in(&query.environment, rows[at].environment) && in(&query.actor, rows[at].actor) &&
                        (query.page.visible_all || in(&query.page.visible, rows[at].environment)) &&
                        in(&query.action, rows[at].action) && in(&query.object, rows[at].object) &&
                        in_time(rows[at].at, query.page.since, query.page.until);
        while (more) {
            struct audit_record **list;
            int64_t *keys;
            size_t count;

            ok(tx_audit_list(tx, &query, f->arena, &list, &keys, &count, &more, &f->err));
            for (size_t i = 0; i < count; i++) {
                assert_true(query.oldest_first ? keys[i] > last : keys[i] < last);
                assert_true(in(&query.environment, list[i]->environment) &&
                            in(&query.actor, list[i]->actor) && in(&query.action, list[i]->action) &&
                            in(&query.object, list[i]->object));
                query.page.before_key = last = keys[i];
                found++;
            }
        }
        assert_int_equal(found, expected);
        arena_reset(f->arena);
    }
    commit(f);
}

static void many_values_of_a_filter_leave_few_statements_behind(void **state)
{
    struct fixture *f = *state;
    struct tx *tx = begin(f);
    struct connection *connection = tx->connection;
    static char names[100][16];
    const char *values[100];
    struct job job = job_of("backup.table", "shop", "r77"), **list;
    struct job_query query = {.page = {.visible_all = true}, .resource = {values, 100}};
    size_t count, kept = 0;
    bool more;

    ok(tx_job_insert(tx, &job, &f->err));
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof(names[i]), "r%d", i);
        values[i] = names[i];
    }
    for (int round = 0; round < 3; round++) {
        ok(tx_jobs_list(tx, &query, f->arena, &list, &count, &more, &f->err));
        assert_int_equal(count, 1);
        assert_int_equal(list[0]->key, job.key);
    }
    for (size_t i = 0; i < STATEMENT_SLOTS; i++)
        for (struct statement *s = connection->slots[i]; s; s = s->next) {
            assert_false(s->busy && strstr(s->sql, "resource = ?3"));
            kept += strstr(s->sql, "resource = ?3") != NULL;
        }
    assert_int_equal(kept, STORE_STATEMENTS_ALIKE);
    commit(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, checked_down)
    const struct CMUnitTest tests[] = {
        TEST(every_filter_of_jobs_gives_what_looking_at_all_rows_gives),
        TEST(who_sees_no_environment_finds_nothing),
        TEST(many_values_of_a_filter_leave_few_statements_behind),
        TEST(every_filter_of_recovery_points_gives_what_looking_at_all_rows_gives),
        TEST(every_filter_of_audit_rows_gives_what_looking_at_all_rows_gives_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
