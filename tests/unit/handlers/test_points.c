/* Recovery points over REST: shown, their manifest and files served only whole and unharmed, each read a row.
 */
#include "tests/unit/handlers/fixture.h"

#include <fcntl.h>
#include <openssl/evp.h>

#include "jobs/manifest.h"

#define FOLDER "20260130-143000-01980f5e-3c1a-7b20-9d1e-6a1f0c2b7d33"
#define DATA "tables/Tab1/data/0000-000000.json.gz"
#define CAPSULE "tables/Tab1/capsule.json"
#define FINGERPRINT "v1:1:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static const char data[] = "0123456789abcdefghijklmnopqrstuvwxyz";

static const char *place(const char *name)
{
    return arena_printf(F.arena, "%s/points/test/" FOLDER "/%s", F.world->dir, name);
}

static void put_file(const char *name, struct bytes content)
{
    const char *path = place(name);
    char *folder = arena_strdup(F.arena, path);
    int fd;

    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0700);
        *slash = '/';
    }
    fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    must(fd >= 0 && write(fd, content.data, content.len) == (ssize_t)content.len, path, NULL);
    close(fd);
}

static struct hash hash_of(struct bytes content)
{
    struct hash hash;

    must(EVP_Digest(content.data, content.len, hash.bytes, NULL, EVP_sha256(), NULL) == 1, "sha256", NULL);
    return hash;
}

static int insert_point(struct tx *tx, void *ctx, struct err *err)
{
    return tx_point_insert(tx, ctx, err);
}

/* A tree with a capsule and a data file, and its row. Returns the id. */
static const char *make_point(void)
{
    struct bytes capsule = BYTES("{\"format\":1}"), content = bytes_of(data);
    struct manifest_file files[] = {
        {.path = CAPSULE, .size = (int64_t)capsule.len, .sha256 = hash_of(capsule)},
        {.path = DATA,
         .size = (int64_t)content.len,
         .sha256 = hash_of(content),
         .data = true,
         .raw_size = 50,
         .items = 1,
         .fingerprint = FINGERPRINT},
    };
    struct manifest manifest = {.tool = "recoverd test",
                                .id = "01980f5e-3c1a-7b20-9d1e-6a1f0c2b7d33",
                                .environment = "test",
                                .type = "table",
                                .method = "scan",
                                .table = "Tab1",
                                .region = "us-east-1",
                                .items = 1,
                                .bytes = 50,
                                .stored_bytes = (int64_t)(capsule.len + content.len),
                                .fingerprint = FINGERPRINT,
                                .consistency_from = 1,
                                .consistency_to = 2,
                                .created_at = 3,
                                .files = files,
                                .file_count = 2};
    struct buffer text = BUFFER_INIT(MIB);
    struct recovery_point point = {.id = id_new(),
                                   .environment = "test",
                                   .type = "table",
                                   .method = "scan",
                                   .origin = "recoverd",
                                   .resource = "table/Tab1",
                                   .status = POINT_VERIFIED,
                                   .trust = "unsigned",
                                   .items = 1,
                                   .job = id_new(),
                                   .has_manifest = true,
                                   .created_at = clock_wall_ms(),
                                   .version = 1,
                                   .fingerprint = FINGERPRINT};
    char *id = arena_alloc(F.arena, ID_SIZE);
    struct err err = ERR_INIT;

    manifest_write(&manifest, &text);
    put_file(CAPSULE, capsule);
    put_file(DATA, content);
    put_file(MANIFEST_PATH, buffer_bytes(&text));
    point.manifest_sha256 = hash_of(buffer_bytes(&text));
    point.location = arena_printf(F.arena, "file://%s/points/test/" FOLDER, F.world->dir);
    must(store_tx(F.world->store, "point", insert_point, &point, &err) == 0, "point", &err);
    buffer_done(&text);
    id_format(&point.id, id);
    return id;
}

static const char *target(const char *id, const char *rest)
{
    return arena_printf(F.arena, "/v1/recovery-points/%s%s", id, rest);
}

static void a_point_is_shown_as_the_contract_says(void **state)
{
    const char *auth = token("ann", "viewer@test", false);
    const char *id = make_point();
    struct answer answer = get(target(id, ""), auth), list;
    static const char *const members[] = {
        "id",          "environment",     "type",   "method",      "origin",     "resource", "source",
        "location",    "status",          "trust",  "consistency", "items",      "bytes",    "stored_bytes",
        "fingerprint", "manifest_sha256", "job_id", "created_at",  "encryption", "tags",     "version"};

    (void)state;
    expect("point", &answer, 200, NULL);
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (!json_object_get(answer.json, members[i]))
            fail_msg("%s is missing", members[i]);
    assert_null(json_object_get(answer.json, "verified_at"));
    assert_string_equal(header(&answer, "ETag"), "\"1\"");
    list = get("/v1/recovery-points?status=verified&resource=table/Tab1&type=table&method=scan", auth);
    assert_int_equal(json_array_size(json_object_get(list.json, "items")), 1);
    list = get("/v1/recovery-points?status=damaged", auth);
    assert_int_equal(json_array_size(json_object_get(list.json, "items")), 0);
}

static void a_file_is_served_whole_or_in_part_and_each_read_is_a_row(void **state)
{
    const char *auth = token("ann", "data_reader@test", false);
    const char *id = make_point();
    char etag[HEX_SIZE(32)];
    struct hash hash = hash_of(bytes_of(data));
    struct answer answer = get(target(id, "/files/" DATA), auth);

    (void)state;
    expect("whole", &answer, 200, NULL);
    assert_string_equal(answer.body, data);
    hex_encode(hash.bytes, 32, etag);
    assert_string_equal(header(&answer, "ETag"), arena_printf(F.arena, "\"%s\"", etag));
    assert_string_equal(header(&answer, "Content-Type"), "application/gzip");
    assert_string_equal(last_audit()->action, "data.read");
    assert_string_equal(last_audit()->actor, "ann");
    assert_string_equal(last_audit()->environment, "test");
    assert_non_null(memmem(last_audit()->detail.data, last_audit()->detail.len, DATA, strlen(DATA)));
    int64_t rows = audit_rows();
    answer = ask("GET", target(id, "/files/" DATA), auth, "Range: bytes=10-12\r\n", NULL);
    expect("part", &answer, 206, NULL);
    assert_string_equal(answer.body, "abc");
    assert_string_equal(header(&answer, "Content-Range"), "bytes 10-12/36");
    assert_int_equal(audit_rows(), rows + 1);
    answer = ask("HEAD", target(id, "/files/" DATA), auth, NULL, NULL);
    assert_int_equal(answer.status, 200);
    assert_int_equal(audit_rows(), rows + 1);
    /* a Range that is none is passed over (RFC 9110 section 14.2), whatever its bytes are */
    answer = ask("GET", target(id, "/files/" DATA), auth, "Range: caf\xe9=0-1\r\n", NULL);
    expect("a range that is no UTF-8", &answer, 200, NULL);
    assert_int_equal(audit_rows(), rows + 2);
    assert_non_null(memmem(last_audit()->detail.data, last_audit()->detail.len, "caf\xef\xbf\xbd=0-1", 10));
}

static void only_what_the_manifest_lists_is_there(void **state)
{
    static const char *const paths[] = {"/files/manifest.json", "/files/tables",
                                        "/files/tables/Tab1/data/0000-000001.json.gz", "/files/" DATA "x",
                                        "/files/extra"};
    const char *auth = token("ann", "data_reader@test", false);
    const char *id = make_point();
    int64_t rows;

    (void)state;
    put_file("extra", BYTES("not listed"));
    rows = audit_rows();
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct answer answer = get(target(id, paths[i]), auth);

        expect(paths[i], &answer, 404, "NOT_FOUND");
    }
    assert_int_equal(audit_rows(), rows);
}

static void nothing_of_a_damaged_file_is_served(void **state)
{
    static const struct {
        const char *what, *content;
    } damages[] = {{"a bit", "0123456789abcdefghijklmnopqrstuvwxyY"},
                   {"cut", "0123"},
                   {"longer", "0123456789abcdefghijklmnopqrstuvwxyz!"},
                   {"empty", ""}};
    const char *auth = token("ann", "data_reader@test", false);
    const char *id = make_point();
    int64_t rows = audit_rows();

    (void)state;
    for (size_t i = 0; i <= COUNT_OF(damages); i++) {
        struct answer answer;

        if (i < COUNT_OF(damages))
            put_file(DATA, bytes_of(damages[i].content));
        else
            unlink(place(DATA));
        answer = get(target(id, "/files/" DATA), auth);
        expect(i < COUNT_OF(damages) ? damages[i].what : "gone", &answer, 409, "RECOVERY_POINT_DAMAGED");
        assert_null(strstr(answer.body, "0123"));
    }
    assert_int_equal(audit_rows(), rows);
}

static void a_link_is_not_followed(void **state)
{
    const char *id = make_point();
    struct answer answer;

    (void)state;
    unlink(place(DATA));
    put_file("target", bytes_of(data));
    assert_int_equal(symlink(place("target"), place(DATA)), 0);
    answer = get(target(id, "/files/" DATA), token("ann", "data_reader@test", false));
    assert_true(answer.status >= 400);
    assert_null(strstr(answer.body, "0123"));
}

static void the_manifest_is_served_byte_for_byte_or_not_at_all(void **state)
{
    const char *auth = token("ann", "viewer@test", false);
    const char *id = make_point();
    struct answer answer = get(target(id, "/manifest"), auth);

    (void)state;
    expect("manifest", &answer, 200, NULL);
    assert_int_equal(json_get_int(answer.json, "format", 0), 1);
    assert_int_equal(json_array_size(json_object_get(answer.json, "files")), 2);
    put_file(MANIFEST_PATH, BYTES("{\"format\":1,\"files\":[]}"));
    answer = get(target(id, "/manifest"), auth);
    expect("edited", &answer, 409, "RECOVERY_POINT_DAMAGED");
    unlink(place(MANIFEST_PATH));
    answer = get(target(id, "/manifest"), auth);
    expect("gone", &answer, 409, "RECOVERY_POINT_DAMAGED");
    answer = get(target(id, "/files/" DATA), token("ann", "data_reader@test", false));
    expect("file without manifest", &answer, 409, "RECOVERY_POINT_DAMAGED");
}

/* -- the trail -- */

static void the_trail_pages_as_json_and_as_ndjson(void **state)
{
    const char *all = token("eve", "auditor@*", false);
    const char *operator_ = token("ann", OPERATOR, false);
    const char *link;
    struct answer answer;
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        accept_job(operator_, HARMLESS);
    answer = get("/v1/audit?action=job.accepted&limit=2", all);
    expect("first page", &answer, 200, NULL);
    assert_int_equal(json_array_size(json_object_get(answer.json, "items")), 2);
    answer = get(arena_printf(F.arena, "/v1/audit?action=job.accepted&limit=2&cursor=%s",
                              text_of(&answer, "next_cursor")),
                 all);
    assert_int_equal(json_array_size(json_object_get(answer.json, "items")), 1);
    assert_true(json_is_null(json_object_get(answer.json, "next_cursor")));
    answer =
        ask("GET", "/v1/audit?action=job.accepted&limit=2", all, "Accept: application/x-ndjson\r\n", NULL);
    assert_string_equal(header(&answer, "Content-Type"), "application/x-ndjson");
    for (char *line = answer.body; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        lines++;
    assert_int_equal(lines, 2);
    link = header(&answer, "Link");
    assert_true(link && link[0] == '<' && strstr(link, ">; rel=\"next\""));
    answer = ask("GET", arena_strndup(F.arena, link + 1, strcspn(link, ">") - 1), all,
                 "Accept: application/x-ndjson\r\n", NULL);
    assert_int_equal(answer.status, 200);
    assert_null(header(&answer, "Link"));
}

static void rows_without_an_environment_are_for_the_auditor_of_all(void **state)
{
    const char *here = token("eve", "auditor@test", false), *all = token("eve", "auditor@*", false);
    struct answer answer;

    (void)state;
    get("/v1/me", NULL);
    app_tick(F.app, true); /* a row of the server itself */
    answer = get("/v1/audit/test/1", here);
    expect("auditor of one", &answer, 404, "NOT_FOUND");
    answer = get("/v1/audit/test/1", all);
    expect("auditor of all", &answer, 200, NULL);
    assert_string_equal(text_of(&answer, "action"), "authentication.failed");
    answer = get("/v1/audit", here);
    assert_int_equal(json_array_size(json_object_get(answer.json, "items")), 0);
    answer = get("/v1/audit/nowhere/1", all);
    expect("another node", &answer, 404, "NOT_FOUND");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
    const struct CMUnitTest tests[] = {
        CASE(a_point_is_shown_as_the_contract_says),
        CASE(a_file_is_served_whole_or_in_part_and_each_read_is_a_row),
        CASE(only_what_the_manifest_lists_is_there),
        CASE(nothing_of_a_damaged_file_is_served),
        CASE(a_link_is_not_followed),
        CASE(the_manifest_is_served_byte_for_byte_or_not_at_all),
        CASE(the_trail_pages_as_json_and_as_ndjson),
        CASE(rows_without_an_environment_are_for_the_auditor_of_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
