#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <float.h>
#include <math.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/faults.h"

static void a_document_has_its_commas_and_brackets_where_they_belong(void **state)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(4096);
    struct json_writer w;
    struct err err = ERR_INIT;

    (void)state;
    json_put_begin(&w, &out);
    json_put_object(&w, NULL);
    json_put_text(&w, "a", "x");
    json_put_text(&w, "none", NULL);
    json_put_text_opt(&w, "left out", NULL);
    json_put_text_opt(&w, "b", "");
    json_put_array(&w, "list");
    json_put_int(&w, NULL, INT64_MIN);
    json_put_int(&w, NULL, INT64_MAX);
    json_put_int(&w, NULL, 0);
    json_put_object(&w, NULL);
    json_put_object_end(&w);
    json_put_array(&w, NULL);
    json_put_array_end(&w);
    json_put_flag(&w, NULL, true);
    json_put_array_end(&w);
    json_put_flag(&w, "f", false);
    json_put_time(&w, "t", 1769783400000);
    json_put_time(&w, "never", 0);
    json_put_time_opt(&w, "left out", 0);
    json_put_time_opt(&w, "u", 1);
    json_put_raw(&w, "raw", BYTES("[1,2]"));
    json_put_object(&w, "q\"");
    json_put_null(&w, "n");
    json_put_object_end(&w);
    json_put_object_end(&w);
    assert_int_equal(buffer_ok(&out, "document", &err), 0);
    assert_string_equal(
        out.data,
        "{\"a\":\"x\",\"none\":null,\"b\":\"\",\"list\":[-9223372036854775808,9223372036854775807,0,"
        "{},[],true],\"f\":false,\"t\":\"2026-01-30T14:30:00.000Z\",\"never\":null,"
        "\"u\":\"1970-01-01T00:00:00.001Z\",\"raw\":[1,2],\"q\\\"\":{\"n\":null}}");
}

static void assert_escaped(struct bytes text, const char *expected)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(4096);

    json_escape(&out, text);
    assert_string_equal(out.data ? out.data : "", expected);
}

static void what_must_be_escaped_is_and_bad_bytes_are_replaced(void **state)
{
    (void)state;
    assert_escaped(BYTES(""), "");
    assert_escaped(BYTES("plain text of some length"), "plain text of some length");
    assert_escaped(BYTES("\"\\/\b\f\n\r\t\0\x1f\x7f"), "\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f");
    assert_escaped(BYTES("1234567\"12345678\\"), "1234567\\\"12345678\\\\");
    assert_escaped(BYTES("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
                   "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_escaped(BYTES("a\xff"
                         "b\xc3"),
                   "a\xef\xbf\xbd"
                   "b\xef\xbf\xbd");
    assert_escaped(BYTES("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_escaped(BYTES("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");
}

static void any_bytes_written_are_one_json_string(void **state)
{
    static const struct json_limits limits = {.max_depth = 1};
    char bytes[3];

    (void)state;
    for (unsigned i = 0; i < 1u << 16; i++) {
        _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(100);
        struct json_writer w;
        struct err err = ERR_INIT;
        bytes[0] = (char)(i & 255);
        bytes[1] = (char)(i >> 8);
        bytes[2] = 'x';
        json_put_begin(&w, &out);
        json_put_text_bytes(&w, NULL, (struct bytes){bytes, 3});
        if (json_check(buffer_bytes(&out), &limits, &err) < 0)
            fail_msg("%02x %02x: %s", i & 255, i >> 8, err.message);
    }
}

/* As name and as text, with what is odd at each place of each length: the writer looks at eight, four and
 * single bytes. */
static void what_must_be_escaped_is_found_wherever_it_stands(void **state)
{
    static const char odd[] = {'"', '\\', '\n', 0x1f, 0x7f, ' ', '!', '#', '[', ']'};
    static const struct json_limits limits = {.max_depth = 1};

    (void)state;
    for (size_t len = 1; len <= 21; len++)
        for (size_t i = 0; i < len * sizeof(odd); i++) {
            _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(400);
            char text[22] = "abcdefghijklmnopqrstu";
            json_auto_t *read = NULL;
            struct json_writer w;
            struct err err = ERR_INIT;

            text[len] = '\0';
            text[i / sizeof(odd)] = odd[i % sizeof(odd)];
            json_put_begin(&w, &out);
            json_put_object(&w, NULL);
            json_put_text(&w, "first", text);
            json_put_text(&w, text, text);
            json_put_object_end(&w);
            if (json_parse(buffer_bytes(&out), &limits, &read, &err) < 0)
                fail_msg("%s: %s", out.data, err.message);
            assert_string_equal(json_get_text(read, "first"), text);
            assert_string_equal(json_get_text(read, text), text);
        }
}

static void numbers_read_back_as_the_same_double_and_as_reals(void **state)
{
    static const double values[] = {
        0, -0.0, 1, -1, 0.1, 1.0 / 3, 1e21, 1e300, 5e-324, DBL_MAX, -DBL_MIN, 123456789012345678.0, 2.5, 100};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(100);
        struct json_writer w;
        json_put_begin(&w, &out);
        json_put_number(&w, NULL, values[i]);
        json_auto_t *value = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
        assert_true(json_is_real(value));
        assert_true(json_real_value(value) == values[i]);
    }
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(100);
    struct json_writer w;
    json_put_begin(&w, &out);
    json_put_array(&w, NULL);
    json_put_number(&w, NULL, 0.1);
    json_put_number(&w, NULL, 3);
    json_put_number(&w, NULL, (double)NAN);
    json_put_number(&w, NULL, (double)INFINITY);
    json_put_array_end(&w);
    assert_string_equal(out.data, "[0.1,3.0,null,null]");
}

static void a_dom_is_written_as_it_is(void **state)
{
    static const char text[] = "{\"z\":[1,2.5,\"a\\n\",null,true,false,{}],\"a\":{\"\":[]}}";
    json_auto_t *value = json_loads(text, 0, NULL);
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(4096);
    struct json_writer w;

    (void)state;
    json_put_begin(&w, &out);
    json_put_dom(&w, NULL, value);
    assert_string_equal(out.data, text);
}

static void nesting_past_the_writers_depth_fails_and_writes_no_broken_text_as_good(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    for (int depth = 63; depth <= 64; depth++) {
        _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(4096);
        struct json_writer w;
        json_put_begin(&w, &out);
        for (int i = 0; i < depth; i++)
            json_put_array(&w, NULL);
        for (int i = 0; i < depth; i++)
            json_put_array_end(&w);
        assert_int_equal(buffer_ok(&out, "document", &err), depth == 63 ? 0 : -1);
    }
    json_auto_t *deep = json_array();
    for (int i = 0; i < 100; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, deep);
        deep = outer;
    }
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(4096);
    struct json_writer w;
    json_put_begin(&w, &out);
    json_put_dom(&w, NULL, deep);
    assert_true(out.failed);
}

static void an_end_too_many_fails(void **state)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(4096);
    struct json_writer w;

    (void)state;
    json_put_begin(&w, &out);
    json_put_object(&w, NULL);
    json_put_object_end(&w);
    assert_false(out.failed);
    json_put_object_end(&w);
    assert_true(out.failed);
}

static void a_large_text_keeps_no_room_that_it_does_not_need(void **state)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(1 << 20);

    (void)state;
    for (int i = 0; i < 40000; i++)
        buffer_add_char(&out, (char)('a' + i % 26));
    assert_true(out.size > 60000);
    buffer_fit(&out);
    assert_int_equal(out.size, 40001);
    assert_int_equal(out.data[39999], 'a' + 39999 % 26);
    assert_int_equal(strlen(out.data), 40000);
    buffer_add_str(&out, "and grows again");
    assert_int_equal(strlen(out.data), 40015);
}

static void pointers_escape_tilde_and_slash(void **state)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(100);

    (void)state;
    json_pointer_add(&out, BYTES("spec"));
    json_pointer_add(&out, BYTES("a/b~c~1"));
    json_pointer_add(&out, BYTES(""));
    assert_string_equal(out.data, "/spec/a~1b~0c~01/");
}

static void getters_give_what_is_there_or_the_other_value(void **state)
{
    json_auto_t *object =
        json_loads("{\"t\":\"x\",\"i\":7,\"r\":8.0,\"h\":8.5,\"big\":1e30,\"b\":true,\"n\":null}", 0, NULL);

    (void)state;
    assert_string_equal(json_get_text(object, "t"), "x");
    assert_null(json_get_text(object, "i"));
    assert_null(json_get_text(object, "absent"));
    assert_null(json_get_text(NULL, "t"));
    assert_int_equal(json_get_int(object, "i", -1), 7);
    assert_int_equal(json_get_int(object, "r", -1), 8);
    assert_int_equal(json_get_int(object, "h", -1), -1);
    assert_int_equal(json_get_int(object, "big", -1), -1);
    assert_int_equal(json_get_int(object, "t", -1), -1);
    assert_true(json_get_bool(object, "b", false));
    assert_true(json_get_bool(object, "n", true));
    assert_false(json_get_bool(object, "absent", false));
}

static void any_text_becomes_a_string(void **state)
{
    static const char *const texts[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"cut\xc3", "cut\xef\xbf\xbd"},
        {"\xff\xfe in front", "\xef\xbf\xbd\xef\xbf\xbd in front"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        json_auto_t *text = json_of_text(texts[i][0]);

        assert_string_equal(json_string_value(text), texts[i][1]);
    }
}

static void equal_values_have_the_same_canonical_text(void **state)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 16);
    json_auto_t *a = json_loads("{ \"b\" : [1, 2.50], \"a\" : {\"y\":0,\"x\":\"\\u00e9\"} }", 0, NULL);
    json_auto_t *b = json_loads("{\"a\":{\"x\":\"\xc3\xa9\",\"y\":0},\"b\":[1,2.5]}", 0, NULL);
    json_auto_t *text = json_string("s");

    (void)state;
    assert_string_equal(json_canonical(arena, a), "{\"a\":{\"x\":\"\xc3\xa9\",\"y\":0},\"b\":[1,2.5]}");
    assert_string_equal(json_canonical(arena, b), json_canonical(arena, a));
    assert_string_equal(json_canonical(arena, text), "\"s\"");
    _cleanup_(arena_free_p) struct arena *owner = arena_new(1 << 12);
    assert_int_equal(arena_defer(owner, json_decref_p, json_incref(text)), 0);
}

static void faults_are_counted_kept_to_their_limit_and_told_by_the_first(void **state)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 16);
    struct faults faults;
    struct err err = ERR_INIT;

    (void)state;
    faults_init(&faults, arena);
    assert_int_equal(faults_end(&faults, ERR_INVALID_BODY, &err), 0);
    for (int i = 0; i < FAULTS_MAX + 5; i++)
        fault_add(&faults, "/a/b", "wrong %d", i);
    assert_int_equal(faults.count, FAULTS_MAX);
    assert_int_equal(faults.total, FAULTS_MAX + 5);
    assert_int_equal(faults_end(&faults, ERR_INVALID_BODY, &err), -1);
    assert_int_equal(err.code, ERR_INVALID_BODY);
    assert_string_equal(err.pointer, "/a/b");
    assert_string_equal(err.message, "/a/b: wrong 0 (and 36 more)");
}

static void a_named_code_wins_and_a_file_place_is_no_pointer(void **state)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 16);
    struct faults faults;
    struct err err = ERR_INIT;

    (void)state;
    faults_init(&faults, arena);
    fault_add(&faults, "/etc/recoverd.yaml:3:14", "no such key");
    fault_add_code(&faults, ERR_URI_NOT_ALLOWED, "/spec/uri", "outside");
    fault_add_code(&faults, ERR_UNKNOWN_KIND, "/kind", "unknown");
    assert_int_equal(faults_end(&faults, ERR_CONFIG, &err), -1);
    assert_int_equal(err.code, ERR_URI_NOT_ALLOWED);
    assert_string_equal(err.pointer, "");
    assert_string_equal(err.message, "/etc/recoverd.yaml:3:14: no such key (and 2 more)");
}

static void faults_survive_an_exhausted_arena(void **state)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1);
    struct faults faults;
    struct err err = ERR_INIT;

    (void)state;
    faults_init(&faults, arena);
    fault_add(&faults, "/a", "%s", "a text that is longer than the arena");
    assert_int_equal(faults.count, 1);
    assert_non_null(faults.list[0].place);
    assert_non_null(faults.list[0].detail);
    assert_int_equal(faults_end(&faults, ERR_INVALID_BODY, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_has_its_commas_and_brackets_where_they_belong),
        cmocka_unit_test(what_must_be_escaped_is_and_bad_bytes_are_replaced),
        cmocka_unit_test(any_bytes_written_are_one_json_string),
        cmocka_unit_test(what_must_be_escaped_is_found_wherever_it_stands),
        cmocka_unit_test(numbers_read_back_as_the_same_double_and_as_reals),
        cmocka_unit_test(a_dom_is_written_as_it_is),
        cmocka_unit_test(nesting_past_the_writers_depth_fails_and_writes_no_broken_text_as_good),
        cmocka_unit_test(an_end_too_many_fails),
        cmocka_unit_test(a_large_text_keeps_no_room_that_it_does_not_need),
        cmocka_unit_test(pointers_escape_tilde_and_slash),
        cmocka_unit_test(getters_give_what_is_there_or_the_other_value),
        cmocka_unit_test(any_text_becomes_a_string),
        cmocka_unit_test(equal_values_have_the_same_canonical_text),
        cmocka_unit_test(faults_are_counted_kept_to_their_limit_and_told_by_the_first),
        cmocka_unit_test(a_named_code_wins_and_a_file_place_is_no_pointer),
        cmocka_unit_test(faults_survive_an_exhausted_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
