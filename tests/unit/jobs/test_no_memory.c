/* Memory runs out at each allocation in turn, on every way that outside bytes take: what comes of it is the
 * same as ever, or NO_MEMORY; nothing is leaked, and the next try goes well. */
#include "tests/unit/auth/verifier_room.h"

#include <fcntl.h>
#include <limits.h>

#include "aws/xml.h"
#include "base/cleanup.h"
#include "base/fields.h"
#include "base/yaml.h"
#include "http/target.h"
#include "item/fingerprint.h"
#include "item/gzip_read.h"
#include "item/gzip_write.h"
#include "item/keys.h"
#include "item/lines.h"
#include "item/page.h"
#include "tests/support/alloc_fail.h"
#include "tests/unit/jobs/points.h"

#define ITEM                                                                                                 \
    "{\"pk\":{\"S\":\"a\\u00e9\"},\"n\":{\"N\":\"1.50\"},\"m\":{\"M\":{\"b\":{\"BOOL\":true},\"l\":{\"L\":[" \
    "{\"NULL\":true},{\"B\":\"AAEC\"}]}}},\"ss\":{\"SS\":[\"y\",\"x\"]},\"ns\":{\"NS\":[\"2\",\"10\"]}}"

static const struct json_limits deep = {.max_depth = 32};

/* -- base -- */

static int json_there_and_back(struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    json_auto_t *value = NULL;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "arena");
    if (json_parse(bytes_of(ITEM), &deep, &value, err) < 0)
        return -1;
    return json_canonical(arena, value) ? 0 : err_set(err, ERR_NO_MEMORY, "canonical");
}

static int a_buffer_that_grows(struct err *err)
{
    _cleanup_(buffer_done) struct buffer buffer = BUFFER_INIT(1 * MIB);
    struct json_writer w;

    json_put_begin(&w, &buffer);
    json_put_array(&w, NULL);
    for (int i = 0; i < 2000; i++)
        json_put_text(&w, NULL, "some text that takes room");
    json_put_array_end(&w);
    return buffer_ok(&buffer, "a body", err);
}

static int fields_of_a_body(struct err *err)
{
    static const struct field inner[] = {FIELD_TEXT("a", "a", .initial = "\"x\""), FIELD_END};
    static const struct field entry[] = {FIELD_TEXT("e", "e"), FIELD_END};
    static const struct field fields[] = {FIELD_TEXT("name", "n", REQUIRED), FIELD_OBJECT("o", inner, "o"),
                                          FIELD_LIST("l", entry, 9, "l"), FIELD_MAP("tags", "t"), FIELD_END};
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    json_auto_t *body = NULL, *spec = NULL;
    struct faults faults;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "arena");
    faults_init(&faults, arena);
    if (json_parse(BYTES("{\"name\":\"x\",\"o\":{},\"l\":[\"p\",\"q\"],\"tags\":{\"k\":\"v\"}}"), &deep,
                   &body, err) < 0)
        return -1;
    spec = fields_check(fields, body, "/spec", &faults);
    if (spec) {
        alloc_fail_at(0); /* what was taken must be all of it */
        assert_string_equal(
            json_canonical(arena, spec),
            "{\"l\":[\"p\",\"q\"],\"name\":\"x\",\"o\":{\"a\":\"x\"},\"tags\":{\"k\":\"v\"}}");
        return 0;
    }
    assert_int_equal(faults_end(&faults, ERR_INVALID_SPEC, err), -1);
    return -1;
}

static int a_configuration(struct err *err)
{
    static const char text[] =
        "listen: 127.0.0.1:8480\nauth:\n  issuers:\n    - {issuer: x, audiences: [a, b]}\n";
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    struct faults faults;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "arena");
    faults_init(&faults, arena);
    if (yaml_read(bytes_of(text), "f", arena, &faults) && faults.total == 0)
        return 0;
    assert_int_equal(faults_end(&faults, ERR_CONFIG, err), -1);
    return -1;
}

static char config_path[] = "/tmp/no-memory-config-XXXXXX";

#define ROOTS 500 /* so that one of the arena's blocks ends between two of them */

static void write_config(void)
{
    static const char text[] =
        "listen: 127.0.0.1:1\nstore: sqlite:x.db\ntrusted_proxies: [10.0.0.0/8]\n"
        "auth:\n  issuers:\n"
        "    - {issuer: x, audiences: [a, b], algorithms: [RS256], jwks_url: https://i/k,\n"
        "       role_map: {g: [viewer@*, operator@e]}, mfa: {acr_values: [m]}}\n"
        "environments:\n"
        "  e: {region: us-east-1, account: \"123456789012\", tables: [One, Two-*],\n"
        "      recovery_points: s3://abc/d/, tags: {o: p},\n"
        "      uri_roots: [";
    int fd = mkstemp(config_path);

    assert_true(fd >= 0);
    assert_true(dprintf(fd, "%s", text) > 0);
    for (int i = 0; i < ROOTS; i++)
        assert_true(dprintf(fd, "s3://abc/exports/of/a/longer/name/%d/,\n       ", i) > 0);
    assert_true(dprintf(fd, "]}\n") > 0);
    close(fd);
}

static struct config *load_config(struct arena *arena, struct err *err)
{
    struct faults faults;

    faults_init(&faults, arena);
    return config_load(config_path, &faults, err);
}

static int a_configuration_with_all_it_names(struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    struct config *config = arena ? load_config(arena, err) : NULL;
    const struct environment *e;

    if (!config)
        return err_set(err, ERR_NO_MEMORY, "arena");
    e = config_environment(config, "e");
    assert_string_equal(e->recovery_points, "s3://abc/d");
    assert_int_equal(e->uri_roots.count, ROOTS);
    for (int i = 0; i < ROOTS; i++)
        assert_true(str_starts(e->uri_roots.names[i], "s3://abc/exports/of/"));
    assert_string_equal(e->tables.names[1], "Two-*");
    assert_string_equal(e->tag_values[0], "p");
    assert_string_equal(config->trusted_proxies.names[0], "10.0.0.0/8");
    assert_string_equal(config->issuers[0].role_map[0].grants[1].environment, "e");
    assert_non_null(config->path);
    assert_non_null(strstr(config->store, "/x.db"));
    config_release(config);
    return 0;
}

/* An audit row says all of it or is not written. */
static int what_changed_in_a_configuration(struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    struct config *config = arena ? load_config(arena, err) : NULL;
    json_auto_t *changes = NULL;
    const char *keys = NULL;
    if (!config)
        return err_set(err, ERR_NO_MEMORY, "arena");
    struct config other = *config;
    other.node = "another";
    other.http_connections++;
    keys = config_restart_keys(config, &other, arena);
    changes = config_security_changes(NULL, config);
    config_release(config);
    if (!keys || !changes)
        return err_set(err, ERR_NO_MEMORY, "changes");
    alloc_fail_at(0);
    assert_string_equal(keys, "http node");
    static size_t whole; /* of the first run, which is short of nothing */
    size_t len = strlen(json_canonical(arena, changes));
    if (whole == 0)
        whole = len;
    assert_int_equal(len, whole);
    return 0;
}

/* -- items -- */

static int an_item(struct err *err)
{
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = item_scratch_new(err);
    const struct item_key_names keys = {{"pk", "n"}, 2};
    struct fingerprint sum = FINGERPRINT_EMPTY;
    unsigned char digest[SHA256_BYTES];

    if (!scratch || fingerprint_add(&sum, scratch, bytes_of(ITEM), err) < 0)
        return -1;
    return item_keys_digest(scratch, bytes_of(ITEM), &keys, digest, err);
}

static int an_item_whose_key_is_escaped(struct err *err)
{
    const struct item_key_names keys = {{"pk"}, 1};
    struct bytes values[ITEM_KEYS_MAX];

    return item_keys_find(BYTES("{\"\\u0070k\":{\"\\u0053\":\"a\"}}"), &keys, values, err);
}

static int an_item_of_many_members(struct err *err)
{
    static char text[60000];
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = item_scratch_new(err);
    struct fingerprint sum = FINGERPRINT_EMPTY;
    size_t len = 0;

    for (int i = 0; i < 3000; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"%d\":{\"N\":\"%d\"}", i ? "," : "{",
                                9999 - i, i);
    text[len++] = '}';
    return scratch ? fingerprint_add(&sum, scratch, (struct bytes){text, len}, err) : -1;
}

static int a_page(struct err *err)
{
    struct item_page page = ITEM_PAGE_INIT;
    int result = item_page_split(&page,
                                 BYTES("{\"Items\":[" ITEM "," ITEM "],\"Count\":2,\"ScannedCount\":2,"
                                       "\"LastEvaluatedKey\":{\"pk\":{\"S\":\"a\"}}}"),
                                 err);

    item_page_done(&page);
    return result;
}

static int a_file_there_and_back(struct err *err)
{
    const struct gzip_options options = {.damaged = ERR_RECOVERY_POINT_DAMAGED};
    char path[] = "/tmp/no-memory-XXXXXX";
    int fd = mkstemp(path);
    struct gzip_write *writer = gzip_write_open(fd, err);
    struct gzip_written written;
    struct gzip_read *reader = NULL;
    struct item_lines *lines = NULL;
    struct bytes item;
    int result = -1;

    unlink(path);
    if (writer && gzip_write_item(writer, bytes_of(ITEM), err) == 0 &&
        gzip_write_finish(writer, &written, err) == 0) {
        lseek(fd, 0, SEEK_SET);
        reader = gzip_read_new(&options, stream_read_fd, &fd, err);
        lines = reader ? item_lines_new(gzip_read_some, reader, ERR_RECOVERY_POINT_DAMAGED, err) : NULL;
        result = lines ? item_lines_next(lines, &item, err) : -1;
    }
    item_lines_free(lines);
    gzip_read_free(reader);
    gzip_write_abort(writer);
    close(fd);
    return result < 0 ? -1 : 0;
}

/* -- tokens -- */

static struct room room;
static char *token;

static int a_token(struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    struct principal *principal;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "arena");
    return verifier_check(room.verifier, bytes_of(token), "192.0.2.1", arena, &principal, err);
}

static int the_keys_of_all_issuers(struct err *err)
{
    struct verifier *verifier = NULL;
    int result = verifier_new(&room.config, NULL, &verifier, err);

    verifier_release(verifier);
    return result;
}

/* -- requests, answers, trees -- */

static int a_target(struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    struct http_request request = {.arena = arena};

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "arena");
    return target_parse(BYTES("/v1/jobs/a%20b/events?state=failed&state=partial&cursor=x%2By"), &request,
                        err);
}

static int an_answer_in_xml(struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    struct xml_node *root;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "arena");
    return xml_parse(BYTES("<a xmlns=\"u\"><b>one</b><b>t&amp;o</b><c><d/></c></a>"), arena, &root, err);
}

static int a_manifest(struct err *err)
{
    static const char none[] = "v1:0:0000000000000000000000000000000000000000000000000000000000000000";
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 * MIB);
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(1 * MIB);
    struct manifest_file file = {.path = CAPSULE_PATH, .size = 9};
    struct manifest manifest = point_manifest(&file, 1, 9, none);
    struct manifest *parsed;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "arena");
    manifest_write(&manifest, &text);
    if (buffer_ok(&text, "a manifest", err) < 0)
        return -1;
    return manifest_parse(buffer_bytes(&text), arena, &parsed, err);
}

/* -- the sweep -- */

static const struct way {
    const char *name;
    int (*run)(struct err *err);
} ways[] = {
#define WAY(name)                                                                                            \
    {                                                                                                        \
#name, name                                                                                          \
    }
    WAY(json_there_and_back),
    WAY(a_buffer_that_grows),
    WAY(fields_of_a_body),
    WAY(a_configuration),
    WAY(a_configuration_with_all_it_names),
    WAY(what_changed_in_a_configuration),
    WAY(an_item),
    WAY(an_item_whose_key_is_escaped),
    WAY(an_item_of_many_members),
    WAY(a_page),
    WAY(a_file_there_and_back),
    WAY(a_token),
    WAY(the_keys_of_all_issuers),
    WAY(a_target),
    WAY(an_answer_in_xml),
    WAY(a_manifest),
};

/* How many allocations it takes; `run` of them fail, one behind the other. */
static long sweep(const struct way *way, long run)
{
    for (long n = 1;; n++) {
        struct err err = ERR_INIT;
        int result;
        bool failed;

        alloc_fail_run(n, run);
        result = way->run(&err);
        failed = alloc_failed();
        alloc_fail_at(0);
        if (!failed) {
            if (result < 0)
                fail_msg("%s fails by itself: %s", way->name, err.message);
            return n - 1;
        }
        if (result < 0 && err.code != ERR_NO_MEMORY)
            fail_msg("%s, allocation %ld: %s %s", way->name, n, err_info(err.code)->name, err.message);
    }
}

static void each_allocation_may_fail(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    room_open(&room);
    write_config();
    assert_int_equal(what_changed_in_a_configuration(&err), 0);
    token = room_token(room_claims("https://hs"), JWS_HS256, "");
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        long count = sweep(&ways[i], 1);

        printf("no memory: %-28s %4ld allocations\n", ways[i].name, count);
        assert_true(count > 0);
        sweep(&ways[i], 2);
        sweep(&ways[i], LONG_MAX);
    }
    free(token);
    unlink(config_path);
    room_close(&room);
}

/* By itself, not in the sweep: where the text of a number of 16 bytes or more finds no memory, jansson 2.14
 * ends the process by an assertion of its own (lex_unget_unsave). */
static void a_long_number_that_finds_no_memory_is_not_malformed(void **state)
{
    static const char text[] = "[0.1234567890123456789012345678901234567890123456789012345678901234567890]";
    json_auto_t *value = NULL;
    struct err err = ERR_INIT;

    (void)state;
    alloc_fail_at(1);
    assert_int_equal(json_parse(bytes_of(text), &deep, &value, &err), -1);
    assert_true(alloc_failed());
    alloc_fail_at(0);
    assert_int_equal(err.code, ERR_NO_MEMORY);
    err = ERR_INIT;
    assert_int_equal(json_parse(bytes_of(text), &deep, &value, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(a_long_number_that_finds_no_memory_is_not_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
