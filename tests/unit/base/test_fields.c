#include "base/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/cleanup.h"

static const struct json_limits limits = {.max_depth = 32};

/* Checks text against a table. The normalised text, or "!place detail; place detail" (borrowed until the next
 * call). */
static const char *checked(const struct field *fields, const char *text)
{
    static char result[8192];
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 20);
    json_auto_t *object = NULL, *normal = NULL;
    struct faults faults;
    struct err err = ERR_INIT;
    size_t len = 1;

    if (json_parse(bytes_of(text), &limits, &object, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    faults_init(&faults, arena);
    normal = fields_check(fields, object, "/spec", &faults);
    assert_int_equal(normal != NULL, faults.total == 0);
    if (normal) {
        snprintf(result, sizeof(result), "%s", json_canonical(arena, normal));
        return result;
    }
    snprintf(result, sizeof(result), "!");
    for (size_t i = 0; i < faults.count && len < sizeof(result); i++)
        len += (size_t)snprintf(result + len, sizeof(result) - len, "%s%s %s", i ? "; " : "",
                                faults.list[i].place, faults.list[i].detail);
    return result;
}

static const struct field source[] = {
    FIELD_ID("recovery_point", "a recovery point"),
    FIELD_URI("uri", "a tree"),
    FIELD_END,
};
static const struct field settings[] = {
    FIELD_FLAG("apply", "true", "apply them"),
    FIELD_INTEGER("units", 1, 40000, "capacity"),
    FIELD_END,
};
static const struct field restore[] = {
    FIELD_ONE_OF("source", source, "what to restore from", REQUIRED),
    FIELD_TABLE("target_table", "the table to make", REQUIRED),
    FIELD_CHOICE("into", "\"new\"", "new empty existing", "existing writes into a live table"),
    FIELD_CHOICE("on_conflict", "\"skip\"", "skip fail overwrite", "what a present item gets",
                 .when = {"into", "existing empty"}),
    FIELD_TEXT("reason", "why", REQUIRED, .max_length = 40, .when = {"into", "existing"}),
    FIELD_OBJECT("settings", settings, "which settings", .initial = "{}"),
    FIELD_END,
};

static void defaults_are_filled_in_where_their_condition_holds(void **state)
{
    (void)state;
    assert_string_equal(
        checked(restore, "{\"source\":{\"uri\":\"s3://bucket/key\"},\"target_table\":\"Sales\"}"),
        "{\"into\":\"new\",\"settings\":{\"apply\":true},\"source\":{\"uri\":\"s3://bucket/key\"},"
        "\"target_table\":\"Sales\"}");
    assert_string_equal(
        checked(restore,
                "{\"source\":{\"uri\":\"s3://bucket/key\"},\"target_table\":\"Sales\","
                "\"into\":\"existing\",\"reason\":\"r\",\"settings\":{\"apply\":false,\"units\":5.0}}"),
        "{\"into\":\"existing\",\"on_conflict\":\"skip\",\"reason\":\"r\",\"settings\":{\"apply\":false,"
        "\"units\":5},\"source\":{\"uri\":\"s3://bucket/key\"},\"target_table\":\"Sales\"}");
}

#define GOOD_SOURCE "\"source\":{\"uri\":\"s3://bucket/key\"},\"target_table\":\"Sales\""

static void a_member_whose_condition_does_not_hold_is_a_fault(void **state)
{
    (void)state;
    assert_string_equal(checked(restore, "{" GOOD_SOURCE ",\"on_conflict\":\"skip\"}"),
                        "!/spec/on_conflict only with into=existing|empty");
    assert_string_equal(checked(restore, "{" GOOD_SOURCE ",\"into\":\"empty\",\"reason\":\"r\"}"),
                        "!/spec/reason only with into=existing");
    assert_string_equal(checked(restore, "{" GOOD_SOURCE ",\"into\":\"existing\"}"),
                        "!/spec/reason is required with into=existing");
    /* a wrong `into` is one fault, not three */
    assert_string_equal(
        checked(restore, "{" GOOD_SOURCE ",\"into\":\"exist\",\"on_conflict\":\"skip\",\"reason\":\"r\"}"),
        "!/spec/into must be one of new, empty, existing, not 'exist'");
}

static void every_fault_has_its_pointer_and_all_are_found_at_once(void **state)
{
    (void)state;
    assert_string_equal(
        checked(restore,
                "{\"source\":{},\"target_tabel\":1,\"x/y\":0,\"settings\":{\"units\":0,\"aply\":true}}"),
        "!/spec/target_tabel is not known here; did you mean target_table?; "
        "/spec/x~1y is not known here; "
        "/spec/source must have exactly one of recovery_point, uri; "
        "/spec/target_table is required; "
        "/spec/settings/aply is not known here; did you mean apply?; "
        "/spec/settings/units must be from 1 to 40000, is 0");
    assert_string_equal(checked(restore,
                                "{\"source\":{\"uri\":\"s3://bucket/k\",\"recovery_point\":"
                                "\"0190a5a0-0000-7000-8000-000000000000\"},\"target_table\":\"Sales\"}"),
                        "!/spec/source must have exactly one of recovery_point, uri");
    assert_string_equal(
        checked(restore, "{\"source\":{\"url\":\"s3://bucket/k\"},\"target_table\":\"Sales\"}"),
        "!/spec/source/url is not known here; did you mean uri?");
}

static const struct field tables_entry[] = {FIELD_TABLE("table", "a table")};
static const struct field time_entry[] = {FIELD_TIME("time", "a time")};
static const struct field all[] = {
    FIELD_TEXT("text", "a text", .min = 2, .max_length = 5),
    FIELD_TABLE("table", "a table"),
    FIELD_NAME("name", "a name"),
    FIELD_TIME("time", "a time"),
    FIELD_INTEGER("integer", 0, 0, "an integer"),
    FIELD_NUMBER("number", -1.5, 10, "a number"),
    FIELD_FLAG("flag", NULL, "a flag"),
    FIELD_CHOICE("choice", NULL, "a bb", "a choice"),
    FIELD_ID("id", "an id"),
    FIELD_HASH("hash", "a hash"),
    FIELD_URI("uri", "a uri"),
    FIELD_OBJECT("object", settings, "an object"),
    FIELD_LIST("list", tables_entry, 3, "a list"),
    FIELD_LIST("times", time_entry, 0, "times"),
    FIELD_MAP("map", "tags", .max_length = 4),
    FIELD_ANY("any", "anything"),
    FIELD_END,
};

#define HASH64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void each_type_takes_what_it_says_and_gives_its_normal_form(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"{\"text\":\"ab\"}", NULL},
        {"{\"text\":\"\xc3\xa9\"}", NULL},
        {"{\"table\":\"a.b\"}", NULL},
        {"{\"name\":\"x\"}", NULL},
        {"{\"time\":\"2026-01-30T15:30:00+01:00\"}", "{\"time\":\"2026-01-30T14:30:00.000Z\"}"},
        {"{\"integer\":-9223372036854775808}", NULL},
        {"{\"integer\":1e3}", "{\"integer\":1000}"},
        {"{\"number\":-1.5}", NULL},
        {"{\"number\":3}", "{\"number\":3.0}"},
        {"{\"number\":-0.0}", "{\"number\":0.0}"},
        {"{\"flag\":false}", NULL},
        {"{\"choice\":\"bb\"}", NULL},
        {"{\"id\":\"0190A5A0-0000-7000-8000-00000000000F\"}",
         "{\"id\":\"0190a5a0-0000-7000-8000-00000000000f\"}"},
        {"{\"hash\":\"" HASH64 "\"}", NULL},
        {"{\"uri\":\"file:///var/lib/x y\"}", NULL},
        {"{\"object\":{}}", "{\"object\":{\"apply\":true}}"},
        {"{\"list\":[]}", NULL},
        {"{\"list\":[\"abc\",\"abd\",\"ABC\"]}", NULL},
        {"{\"map\":{}}", NULL},
        {"{\"map\":{\"Team of x\":\"four\"}}", NULL},
        {"{\"any\":null}", NULL},
        {"{\"any\":[{\"x\":1}]}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(checked(all, rows[i].in), rows[i].out ? rows[i].out : rows[i].in);
}

static void each_type_refuses_everything_else(void **state)
{
    static const char *const rows[] = {
        "\"text\":\"a\"",
        "\"text\":\"abcdef\"",
        "\"text\":\"a\\nb\"",
        "\"text\":\"a\\u007fb\"",
        "\"text\":\"a\\u0085\"",
        "\"text\":1",
        "\"text\":null",
        "\"text\":[\"ab\"]",
        "\"table\":\"ab\"",
        "\"table\":\"a b c\"",
        "\"table\":\"caf\\u00e9\"",
        "\"table\":\"\"",
        "\"table\":7",
        "\"name\":\"\"",
        "\"name\":\"a/b\"",
        "\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
        "\"time\":\"\"",
        "\"time\":\"yesterday\"",
        "\"time\":\"2026-02-30T00:00:00Z\"",
        "\"time\":\"2026-01-30\"",
        "\"time\":0",
        "\"integer\":1.5",
        "\"integer\":1e30",
        "\"integer\":\"1\"",
        "\"integer\":true",
        "\"number\":-1.6",
        "\"number\":10.1",
        "\"number\":\"1\"",
        "\"flag\":0",
        "\"flag\":\"true\"",
        "\"flag\":null",
        "\"choice\":\"b\"",
        "\"choice\":\"\"",
        "\"choice\":\"a bb\"",
        "\"choice\":\"A\"",
        "\"choice\":true",
        "\"id\":\"0190a5a0\"",
        "\"id\":\"0190a5a000007000800000000000000f\"",
        "\"id\":\"g190a5a0-0000-7000-8000-00000000000f\"",
        "\"hash\":\"\"",
        "\"hash\":\"00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff\"",
        "\"hash\":\"" HASH64 "0\"",
        "\"object\":[]",
        "\"object\":null",
        "\"list\":{}",
        "\"list\":\"abc\"",
        "\"list\":[\"abc\",\"abc\"]",
        "\"list\":[\"abc\",1]",
        "\"list\":[\"aaa\",\"bbb\",\"ccc\",\"ddd\"]",
        "\"times\":[\"2026-01-30T14:30:00Z\",\"2026-01-30T15:30:00+01:00\"]",
        "\"map\":[]",
        "\"map\":{\"\":\"x\"}",
        "\"map\":{\"a\":\"fivex\"}",
        "\"map\":{\"a\":1}",
        "\"map\":{\"a\":\"\\n\"}",
        "\"map\":{\"\\u0001\":\"x\"}",
    };
    char text[400], pointer[40];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(text, sizeof(text), "{%s}", rows[i]);
        snprintf(pointer, sizeof(pointer), "!/spec/%.*s", (int)(strcspn(rows[i] + 1, "\"")), rows[i] + 1);
        const char *result = checked(all, text);
        if (strncmp(result, pointer, strlen(pointer)) != 0)
            fail_msg("%s gives %s", text, result);
        assert_null(strstr(result, "; "));
        assert_null(strstr(result, "memory"));
    }
    assert_string_equal(
        checked(all, "{\"list\":[\"abc\",\"b\",\"abc\"]}"),
        "!/spec/list/1 must be a table name of 3 to 255 characters a-z A-Z 0-9 _ . -, not 'b'; "
        "/spec/list/2 is in the list already");
}

static void uris_that_could_mean_another_place_are_refused(void **state)
{
    static const char *const good[] = {"s3://abc/k",          "s3://a-b.c/x/y z/.hidden/..a/a..",
                                       "file:///a",           "file:///a/b.c/~x",
                                       "s3://abc/caf\\u00e9", "s3://123/k:1+2=3&4"};
    static const char *const bad[] = {"",
                                      "s3:",
                                      "s3://",
                                      "s3://abc",
                                      "s3://abc/",
                                      "s3://abc//k",
                                      "s3://abc/k/",
                                      "s3://abc/k//l",
                                      "s3:///k",
                                      "s3://ab/k",
                                      "s3://Abc/k",
                                      "s3://a_c/k",
                                      "s3://-bc/k",
                                      "s3://ab./k",
                                      "s3://abc/.",
                                      "s3://abc/..",
                                      "s3://abc/./k",
                                      "s3://abc/a/../b",
                                      "s3://abc/a/..",
                                      "s3://abc/a\\\\b",
                                      "s3://abc/a%2e",
                                      "s3://abc/a?b",
                                      "s3://abc/a#b",
                                      "s3://abc/a\\nb",
                                      "s3://abc/a\\u007f",
                                      "s3://abc/a\\u0080",
                                      "S3://abc/k",
                                      "s3:/abc/k",
                                      " s3://abc/k",
                                      "file://",
                                      "file:///",
                                      "file://a/b",
                                      "file:/a",
                                      "file:a",
                                      "file:////a",
                                      "file:///a/",
                                      "file:///a/..",
                                      "file:///../etc",
                                      "file:///a/./b",
                                      "file://localhost/a",
                                      "FILE:///a",
                                      "https://abc/k",
                                      "/a/b",
                                      "abc",
                                      "//abc/k",
                                      "s3://u@abc/k",
                                      "s3://abc:80/k"};
    char text[2200];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        snprintf(text, sizeof(text), "{\"uri\":\"%s\"}", good[i]);
        assert_int_equal(checked(all, text)[0], '{');
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        snprintf(text, sizeof(text), "{\"uri\":\"%s\"}", bad[i]);
        if (strncmp(checked(all, text), "!/spec/uri is not a usable uri: ", 32) != 0)
            fail_msg("%s: %s", bad[i], checked(all, text));
    }
    for (int len = 1024; len <= 1025; len++) {
        char uri[1100];
        snprintf(uri, sizeof(uri), "s3://abc/%0*d", len - 9, 0);
        snprintf(text, sizeof(text), "{\"uri\":\"%s\"}", uri);
        assert_int_equal(checked(all, text)[0], len == 1024 ? '{' : '!');
    }
}

static void a_body_of_ten_thousand_unknown_members_gives_few_faults_and_a_count(void **state)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 20);
    json_auto_t *object = json_object();
    struct faults faults;
    char name[300];

    (void)state;
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "%0290d", i);
        json_object_set_new(object, name, json_null());
    }
    faults_init(&faults, arena);
    assert_null(fields_check(settings, object, "", &faults));
    assert_int_equal(faults.count, FAULTS_MAX);
    assert_int_equal(faults.total, 10000);
    assert_int_equal(strlen(faults.list[0].place), 129);
}

static void what_is_no_object_is_a_fault_at_the_prefix(void **state)
{
    (void)state;
    assert_string_equal(checked(settings, "[]"), "!/spec must be an object");
}

/* -- schema -- */

static json_t *schema_of(const struct field *fields)
{
    static const struct json_limits schema_limits = {.max_depth = 64};
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(1 << 20);
    struct json_writer w;
    struct err err = ERR_INIT;
    json_t *value = NULL;

    json_put_begin(&w, &out);
    fields_schema(fields, &w, NULL);
    assert_int_equal(buffer_ok(&out, "schema", &err), 0);
    if (json_parse(buffer_bytes(&out), &schema_limits, &value, &err) < 0)
        fail_msg("%s: %s", err.message, out.data);
    return value;
}

static void assert_schema(const struct field *fields, const char *expected)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 20);
    json_auto_t *actual = schema_of(fields), *wanted = json_loads(expected, 0, NULL);

    assert_non_null(wanted);
    assert_string_equal(json_canonical(arena, actual), json_canonical(arena, wanted));
}

static void the_schema_of_simple_fields_is_as_written_by_hand(void **state)
{
    (void)state;
    assert_schema(
        settings,
        "{\"type\":\"object\",\"properties\":{"
        "\"apply\":{\"description\":\"apply them\",\"type\":\"boolean\",\"default\":true},"
        "\"units\":{\"description\":\"capacity\",\"type\":\"integer\",\"minimum\":1,\"maximum\":40000}},"
        "\"additionalProperties\":false}");
}

static void conditions_become_a_description_and_a_rule(void **state)
{
    (void)state;
    json_auto_t *schema = schema_of(restore);
    json_t *properties = json_object_get(schema, "properties");
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 20);

    assert_string_equal(json_canonical(arena, json_object_get(schema, "required")),
                        "[\"source\",\"target_table\"]");
    assert_string_equal(
        json_canonical(arena, json_object_get(schema, "allOf")),
        "[{\"else\":{\"properties\":{\"on_conflict\":false}},"
        "\"if\":{\"properties\":{\"into\":{\"enum\":[\"existing\",\"empty\"]}},\"required\":[\"into\"]}},"
        "{\"else\":{\"properties\":{\"reason\":false}},"
        "\"if\":{\"properties\":{\"into\":{\"enum\":[\"existing\"]}},\"required\":[\"into\"]},"
        "\"then\":{\"required\":[\"reason\"]}}]");
    assert_string_equal(
        json_canonical(arena, json_object_get(properties, "on_conflict")),
        "{\"default\":\"skip\",\"description\":\"what a present item gets; only with into=existing|empty\","
        "\"enum\":[\"skip\",\"fail\",\"overwrite\"],\"type\":\"string\"}");
    json_t *one_of = json_object_get(properties, "source");
    assert_int_equal(json_get_int(one_of, "minProperties", 0), 1);
    assert_int_equal(json_get_int(one_of, "maxProperties", 0), 1);
    assert_null(json_object_get(one_of, "required"));
    assert_false(json_get_bool(one_of, "additionalProperties", true));
}

static const struct field chained[] = {
    FIELD_FLAG("deep", "false", "go deep"),
    FIELD_CHOICE("how", "\"scan\"", "scan export", "how", .when = {"deep", "true"}),
    FIELD_INTEGER("segments", 1, 9, "how many", .when = {"how", "scan"}),
    FIELD_END,
};

static void a_condition_on_a_default_holds_also_where_the_member_is_left_out(void **state)
{
    (void)state;
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 20);
    json_auto_t *schema = schema_of(chained);
    const json_t *rule = json_array_get(json_object_get(schema, "allOf"), 1);

    assert_string_equal(json_canonical(arena, json_object_get(rule, "if")),
                        "{\"allOf\":[{\"properties\":{\"deep\":{\"enum\":[true]}},\"required\":[\"deep\"]}],"
                        "\"properties\":{\"how\":{\"enum\":[\"scan\"]}}}");
    assert_string_equal(checked(chained, "{\"deep\":true,\"segments\":2}"),
                        "{\"deep\":true,\"how\":\"scan\",\"segments\":2}");
    assert_string_equal(checked(chained, "{\"segments\":2}"), "!/spec/segments only with how=scan");
}

static void the_schema_of_every_type_is_as_written_by_hand(void **state)
{
    static const struct {
        const char *name, *schema;
    } rows[] = {
        {"text", "{\"description\":\"a text\",\"maxLength\":5,\"minLength\":1,"
                 "\"pattern\":\"^[^\\\\u0000-\\\\u001f\\\\u007f-\\\\u009f]*$\",\"type\":\"string\"}"},
        {"table",
         "{\"description\":\"a table\",\"pattern\":\"^[a-zA-Z0-9_.-]{3,255}$\",\"type\":\"string\"}"},
        {"name", "{\"description\":\"a name\",\"pattern\":\"^[a-zA-Z0-9_.-]{1,64}$\",\"type\":\"string\"}"},
        {"time", "{\"description\":\"a time\",\"format\":\"date-time\",\"type\":\"string\"}"},
        {"integer", "{\"description\":\"an integer\",\"type\":\"integer\"}"},
        {"number", "{\"description\":\"a number\",\"maximum\":10,\"minimum\":-1.5,\"type\":\"number\"}"},
        {"flag", "{\"description\":\"a flag\",\"type\":\"boolean\"}"},
        {"choice", "{\"description\":\"a choice\",\"enum\":[\"a\",\"bb\"],\"type\":\"string\"}"},
        {"hash", "{\"description\":\"a hash\",\"pattern\":\"^[0-9a-f]{64}$\",\"type\":\"string\"}"},
        {"uri", "{\"description\":\"a "
                "uri\",\"maxLength\":1024,\"pattern\":\"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|file://)"
                "(/(?!\\\\.{1,2}(/|$))[^/"
                "\\\\\\\\%?#\\\\u0000-\\\\u001f\\\\u007f-\\\\u009f]+)+$\",\"type\":\"string\"}"},
        {"list", "{\"description\":\"a list\",\"items\":{\"description\":\"a "
                 "table\",\"pattern\":\"^[a-zA-Z0-9_.-]{3,255}$\","
                 "\"type\":\"string\"},\"maxItems\":3,\"type\":\"array\",\"uniqueItems\":true}"},
        {"any", "{\"description\":\"anything\"}"},
    };
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 20);
    json_auto_t *schema = schema_of(all);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(
            json_canonical(arena, json_object_get(json_object_get(schema, "properties"), rows[i].name)),
            rows[i].schema);
}

/* -- soundness -- */

static void sound_tables_pass(void **state)
{
    const struct field *const tables[] = {restore, settings, all, chained};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        struct err err = ERR_INIT;
        if (fields_sound(tables[i], &err) < 0)
            fail_msg("%zu: %s", i, err.message);
    }
}

static const struct field endless[] = {FIELD_OBJECT("again", endless, "itself"), FIELD_END};

static void unsound_tables_are_refused(void **state)
{
    static const struct field nothing[] = {FIELD_END};
    static const struct field with_default[] = {FIELD_FLAG("a", "true", "h"), FIELD_END};
    const struct {
        const char *why;
        struct field fields[3];
    } rows[] = {
        {"without a name", {FIELD_TEXT(NULL, "h")}},
        {"begins with a letter", {FIELD_TEXT("Name", "h")}},
        {"there twice", {FIELD_TEXT("a", "h"), FIELD_NAME("a", "h")}},
        {"no help", {FIELD_TEXT("a", NULL)}},
        {"needs choices", {FIELD_CHOICE("a", NULL, "", "h")}},
        {"listed twice", {FIELD_CHOICE("a", NULL, "x y x", "h")}},
        {"one space", {FIELD_CHOICE("a", NULL, "x  y", "h")}},
        {"must be one of", {FIELD_CHOICE("a", "\"z\"", "x y", "h")}},
        {"its default", {FIELD_CHOICE("a", "x", "x y", "h")}},
        {"must be from 1 to 5", {FIELD_INTEGER("a", 1, 5, "h", .initial = "6")}},
        {"min is above max", {FIELD_INTEGER("a", 6, 5, "h")}},
        {"least length", {FIELD_TEXT("a", "h", .min = 9, .max_length = 8)}},
        {"required and with a default", {FIELD_FLAG("a", "true", "h", REQUIRED)}},
        {"no earlier field", {FIELD_TEXT("a", "h", .when = {"b", "x"}), FIELD_NAME("b", "h")}},
        {"cannot have", {FIELD_CHOICE("a", NULL, "x y", "h"), FIELD_TEXT("b", "h", .when = {"a", "x z"})}},
        {"cannot have", {FIELD_FLAG("a", NULL, "h"), FIELD_TEXT("b", "h", .when = {"a", "yes"})}},
        {"has no words", {FIELD_TIME("a", "h"), FIELD_TEXT("b", "h", .when = {"a", "x"})}},
        {"needs fields", {FIELD_OBJECT("a", NULL, "h")}},
        {"for its entries", {FIELD_LIST("a", nothing, 3, "h")}},
        {"one of nothing", {FIELD_ONE_OF("a", nothing, "h")}},
        {"neither a condition nor a default", {FIELD_ONE_OF("a", with_default, "h")}},
        {"too deeply", {FIELD_OBJECT("a", endless, "h")}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err err = ERR_INIT;
        assert_int_equal(fields_sound(rows[i].fields, &err), -1);
        if (!strstr(err.message, rows[i].why))
            fail_msg("%s: %s", rows[i].why, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in_where_their_condition_holds),
        cmocka_unit_test(a_member_whose_condition_does_not_hold_is_a_fault),
        cmocka_unit_test(every_fault_has_its_pointer_and_all_are_found_at_once),
        cmocka_unit_test(each_type_takes_what_it_says_and_gives_its_normal_form),
        cmocka_unit_test(each_type_refuses_everything_else),
        cmocka_unit_test(uris_that_could_mean_another_place_are_refused),
        cmocka_unit_test(a_body_of_ten_thousand_unknown_members_gives_few_faults_and_a_count),
        cmocka_unit_test(what_is_no_object_is_a_fault_at_the_prefix),
        cmocka_unit_test(the_schema_of_simple_fields_is_as_written_by_hand),
        cmocka_unit_test(conditions_become_a_description_and_a_rule),
        cmocka_unit_test(a_condition_on_a_default_holds_also_where_the_member_is_left_out),
        cmocka_unit_test(the_schema_of_every_type_is_as_written_by_hand),
        cmocka_unit_test(sound_tables_pass),
        cmocka_unit_test(unsound_tables_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
