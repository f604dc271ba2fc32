/* The unit of resume of backup.table: what a segment reads first, what it records with a file, and that what
 * was recorded is never read again. A kind of this test hands the real segment a cursor as a crash would
 * leave it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "jobs/backup_table_internal.h"
#include "tests/support/scripted_server.h"
#include "tests/support/world.h"

static const char *cursor_before;   /* what the attempt finds */
static char cursor_behind[3][200];  /* what each attempt recorded */
static const char *points_location; /* file://... */

static int prepare(struct work *work, struct err *err)
{
    json_auto_t *tree = json_pack("{s:s,s:s}", "location", points_location, "point", work->id);
    json_auto_t *source = json_pack("{s:i,s:i}", "items", 2, "read_units", 0);

    return work_state_put(work, "tree", tree, err) < 0 ? -1 : work_state_put(work, "source", source, err);
}

struct found {
    struct work *work;
    struct part **parts;
    size_t count;
};

static int find_parts(struct tx *tx, void *ctx, struct err *err)
{
    struct found *f = ctx;

    return tx_parts_of_step(tx, f->work->step->key, f->work->arena, &f->parts, &f->count, err);
}

/* One attempt at the segment, from this cursor. */
static int attempt(struct work *work, struct bytes cursor, char ret_behind[200], struct err *err)
{
    struct found found = {.work = work};

    work->part->cursor = cursor;
    if (backup_segment(work, err) < 0 || store_read(engine_store(work->engine), find_parts, &found, err) < 0)
        return -1;
    bytes_copy(ret_behind, 200, found.parts[0]->cursor);
    return 0;
}

/* What a crash behind the record would make: the part runs again, from the recorded cursor. */
static int scan(struct work *work, struct err *err)
{
    if (attempt(work, bytes_of(cursor_before), cursor_behind[0], err) < 0)
        return -1;
    return attempt(work, bytes_of(cursor_behind[0]), cursor_behind[1], err);
}

static const struct field spec[] = {FIELD_TABLE("table", "the table", REQUIRED), FIELD_END};
static const struct field result[] = {FIELD_END};
static const struct job_kind kind = {
    .name = "test.scan",
    .summary = "Reads one segment",
    KIND_HARMLESS,
    .spec = spec,
    .result = result,
    .max_attempts = 1,
    .check = world_check,
    .plan = world_plan,
    .steps = {{.name = "prepare", .run = prepare}, {.name = "scan", .run = scan}},
};
static const struct job_kind *const kinds[] = {&kind, NULL};

#define PAGE(id, last) "{\"Items\":[{\"id\":{\"S\":\"" id "\"}}],\"Count\":1,\"ScannedCount\":1" last "}"
#define FROM(id) "^POST / .*\"ExclusiveStartKey\":\\{\"id\":\\{\"S\":\"" id "\"\\}\\}"

struct files {
    int64_t job_key;
    struct arena *arena;
    struct data_file *list;
    size_t count;
};

static int find_files(struct tx *tx, void *ctx, struct err *err)
{
    struct files *f = ctx;

    return tx_data_files_of(tx, f->job_key, f->arena, &f->list, &f->count, err);
}

/* Runs the job to its end against the server; its files. */
static struct files run(struct scripted_server *server, struct world **ret_world)
{
    char extra[300];
    struct world *w;
    struct job *job;
    struct files files;
    struct err err = ERR_INIT;

    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    snprintf(extra, sizeof(extra),
             "  scanned:\n    region: us-east-1\n    tables: [T1x]\n    endpoint_url: %s\n"
             "    recovery_points: file:///tmp\n    allow_unencrypted: true\n",
             scripted_server_url(server));
    w = *ret_world = world_new(NULL, extra);
    points_location = arena_printf(w->arena, "file://%s/points", w->dir);
    w->grant.environment = "*";
    world_start_engine(w, kinds);

    struct submit submit = world_submit(w, "test.scan", "{\"table\":\"T1x\"}");
    struct accepted accepted;
    submit.environment = "scanned";
    assert_int_equal(engine_submit(w->engine, &submit, &accepted, &err), 0);
    job = world_wait(w, &accepted.job->id);
    if (job->state != JOB_SUCCEEDED)
        fail_msg("%s", world_document(w, job, "error"));
    files = (struct files){.job_key = job->key, .arena = w->arena};
    assert_int_equal(store_read(w->store, find_files, &files, &err), 0);
    return files;
}

static void a_segment_goes_on_behind_its_cursor_and_records_the_next_with_the_file(void **state)
{
    (void)state;
    struct scripted_server *server =
        SCRIPTED({.expect = FROM("k5"), .body = PAGE("a", ",\"LastEvaluatedKey\":{\"id\":{\"S\":\"a\"}}")},
                 {.expect = FROM("a"), .body = PAGE("b", "")});
    struct world *w;

    cursor_before = "5 0\n{\"id\":{\"S\":\"k5\"}}";
    struct files files = run(server, &w);
    assert_null(scripted_server_fault(server));
    assert_int_equal(scripted_server_requests(server), 2); /* and none for the second attempt */
    assert_int_equal(files.count, 1);
    assert_true(str_ends(files.list[0].path, "/data/0000-000005.json.gz"));
    assert_int_equal(files.list[0].items, 2);
    assert_string_equal(cursor_behind[0], "6 1\n");
    assert_string_equal(cursor_behind[1], "6 1\n");
    world_free(w);
    scripted_server_stop(server);
}

static void a_segment_without_cursor_begins_at_the_beginning(void **state)
{
    (void)state;
    struct scripted_server *server =
        SCRIPTED({.expect = "^POST / .*\"TableName\":\"T1x\"", .body = PAGE("a", "")});
    struct world *w;

    cursor_before = "";
    struct files files = run(server, &w);
    assert_null(scripted_server_fault(server));
    assert_null(strstr(scripted_server_request(server, 0), "ExclusiveStartKey"));
    assert_int_equal(scripted_server_requests(server), 1);
    assert_int_equal(files.count, 1);
    assert_true(str_ends(files.list[0].path, "/data/0000-000000.json.gz"));
    assert_string_equal(cursor_behind[0], "1 1\n");
    world_free(w);
    scripted_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_goes_on_behind_its_cursor_and_records_the_next_with_the_file),
        cmocka_unit_test(a_segment_without_cursor_begins_at_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
