#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/cleanup.h"

static const struct json_limits strict = {.max_depth = 64};

/* Where jansson differs it is by numbers beyond its types, by NUL in strings, and by a NUL byte that it takes
 * for the end of the text. */
enum verdict { YES, NO, YES_JANSSON_NO, NO_JANSSON_YES };

struct text_case {
    enum verdict verdict;
    struct bytes text;
};
#define CASE(verdict, text)                                                                                  \
    {                                                                                                        \
        verdict,                                                                                             \
        {                                                                                                    \
            "" text, sizeof(text) - 1                                                                        \
        }                                                                                                    \
    }

static const struct text_case cases[] = {
    /* scalars */
    CASE(YES, "null"),
    CASE(YES, "true"),
    CASE(YES, "false"),
    CASE(YES, "\"\""),
    CASE(YES, "0"),
    CASE(YES, " 1 "),
    CASE(YES, "\t\r\n[]\n"),
    CASE(NO, ""),
    CASE(NO, " "),
    CASE(NO, "nul"),
    CASE(NO, "nulll"),
    CASE(NO, "True"),
    CASE(NO, "TRUE"),
    CASE(NO, "tru"),
    CASE(NO, "undefined"),
    CASE(NO, "NaN"),
    CASE(NO, "Infinity"),
    CASE(NO, "-Infinity"),
    CASE(NO, "'a'"),
    CASE(NO, "a"),
    CASE(NO, "null null"),
    CASE(NO, "1 2"),
    CASE(NO, "\v1"),
    CASE(NO, "\f1"),
    CASE(NO, "\xc2\xa0"
             "1"),
    CASE(NO, "// c\n1"),
    CASE(NO, "/* c */ 1"),
    CASE(NO, "1 # c"),
    CASE(NO, "\xef\xbb\xbf"
             "1"),
    CASE(NO, "\xef\xbb\xbf"),
    CASE(NO, "\0"),
    CASE(NO_JANSSON_YES, "1\0"),
    CASE(NO, "[\0]"),
    CASE(NO, "\xff\xfe"
             "1\0"),
    CASE(NO, "*"),
    CASE(NO, "="),
    /* numbers */
    CASE(YES, "-0"),
    CASE(YES, "-1"),
    CASE(YES, "10"),
    CASE(YES, "1.5"),
    CASE(YES, "0.0"),
    CASE(YES, "-0.0"),
    CASE(YES, "1e1"),
    CASE(YES, "1E1"),
    CASE(YES, "1e+1"),
    CASE(YES, "1e-1"),
    CASE(YES, "1.5e10"),
    CASE(YES, "0e1"),
    CASE(YES, "0e+1"),
    CASE(YES, "1e-400"),
    CASE(YES, "9223372036854775807"),
    CASE(YES, "-9223372036854775808"),
    CASE(YES_JANSSON_NO, "9223372036854775808"),
    CASE(YES_JANSSON_NO, "-9223372036854775809"),
    CASE(YES_JANSSON_NO, "123456789012345678901234567890"),
    CASE(YES_JANSSON_NO, "1e400"),
    CASE(YES_JANSSON_NO, "-1.5e99999"),
    CASE(NO, "01"),
    CASE(NO, "-01"),
    CASE(NO, "00"),
    CASE(NO, "+1"),
    CASE(NO, "-"),
    CASE(NO, "--1"),
    CASE(NO, "1."),
    CASE(NO, ".5"),
    CASE(NO, "-.5"),
    CASE(NO, "1.e1"),
    CASE(NO, "1e"),
    CASE(NO, "1e+"),
    CASE(NO, "1e-"),
    CASE(NO, "1ee1"),
    CASE(NO, "1e1.5"),
    CASE(NO, "0x10"),
    CASE(NO, "1_000"),
    CASE(NO, "1,5"),
    CASE(NO, "1.5.5"),
    CASE(NO, "- 1"),
    CASE(NO, "1a"),
    CASE(NO, "[1.]"),
    CASE(NO, "[-]"),
    CASE(NO, "[1e]"),
    CASE(NO, "\xef\xbc\x91"),
    CASE(NO, "[0.]"),
    CASE(NO, "[1 000]"),
    CASE(NO, "[-NaN]"),
    CASE(NO, "[1+2]"),
    /* strings */
    CASE(YES, "\"a\""),
    CASE(YES, "\" \""),
    CASE(YES, "\"\x7f\""),
    CASE(YES, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    CASE(YES, "\"\\u0041\""),
    CASE(YES, "\"\\u00e9\\u20AC\""),
    CASE(YES, "\"\\ud83d\\ude00\""),
    CASE(YES, "\"\\uD83D\\uDE00\""),
    CASE(YES, "\"\xc3\xa9\""),
    CASE(YES, "\"\xe2\x82\xac\""),
    CASE(YES, "\"\xf0\x9f\x98\x80\""),
    CASE(YES, "\"\xf4\x8f\xbf\xbf\""),
    CASE(YES, "\"\xef\xbf\xbf\""),
    CASE(YES, "\"\xe2\x80\xa8\xe2\x80\xa9\""),
    CASE(YES, "\"\xef\xbb\xbf\""),
    CASE(YES, "\"\\uffff\""),
    CASE(YES, "\"\\u0001\""),
    CASE(YES, "\"a run of more than eight plain bytes\""),
    CASE(YES_JANSSON_NO, "\"\\u0000\""),
    CASE(YES_JANSSON_NO, "[\"a\\u0000b\"]"),
    CASE(NO, "\""),
    CASE(NO, "\"a"),
    CASE(NO, "\"\\\""),
    CASE(NO, "\"\\"),
    CASE(NO, "\"\\a\""),
    CASE(NO, "\"\\x41\""),
    CASE(NO, "\"\\'\""),
    CASE(NO, "\"\\U0041\""),
    CASE(NO, "\"\\u\""),
    CASE(NO, "\"\\u004\""),
    CASE(NO, "\"\\u004g\""),
    CASE(NO, "\"\\u 041\""),
    CASE(NO, "\"\\u-041\""),
    CASE(NO, "\"\\ud800\""),
    CASE(NO, "\"\\udc00\""),
    CASE(NO, "\"\\ud800a\""),
    CASE(NO, "\"\\ud800\\n\""),
    CASE(NO, "\"\\ud800\\u0041\""),
    CASE(NO, "\"\\ud800\\ud800\""),
    CASE(NO, "\"\\ud800\\ue000\""),
    CASE(NO, "\"\\ud800\\udfff\\udfff\""),
    CASE(NO, "\"\\udc00\\ud800\""),
    CASE(NO, "\"\\ud83d\\ude0\""),
    CASE(NO, "\"\n\""),
    CASE(NO, "\"\t\""),
    CASE(NO, "\"\0\""),
    CASE(NO, "\"12345678\x1f\""),
    CASE(NO, "\"\x80\""),
    CASE(NO, "\"\xff\""),
    CASE(NO, "\"\xc3\""),
    CASE(NO, "\"\xc0\x80\""),
    CASE(NO, "\"\xc1\xbf\""),
    CASE(NO, "\"\xe0\x80\x80\""),
    CASE(NO, "\"\xe0\x9f\xbf\""),
    CASE(NO, "\"\xed\xa0\x80\""),
    CASE(NO, "\"\xed\xbf\xbf\""),
    CASE(NO, "\"\xf0\x80\x80\x80\""),
    CASE(NO, "\"\xf0\x8f\xbf\xbf\""),
    CASE(NO, "\"\xf4\x90\x80\x80\""),
    CASE(NO, "\"\xf5\x80\x80\x80\""),
    CASE(NO, "\"\xe2\x82\""),
    CASE(NO, "\"\xe2\x28\xac\""),
    CASE(NO, "\"\xe9\""),
    CASE(NO, "\"abcdefgh\xe2\x82"),
    CASE(NO, "\"a\"b"),
    CASE(NO, "\xc3\xa9"),
    /* arrays */
    CASE(YES, "[]"),
    CASE(YES, "[ ]"),
    CASE(YES, "[1]"),
    CASE(YES, "[1,2]"),
    CASE(YES, "[ 1 , 2 ]"),
    CASE(YES, "[[]]"),
    CASE(YES, "[[],[]]"),
    CASE(YES, "[null,true,1,\"\",[],{}]"),
    CASE(NO, "["),
    CASE(NO, "]"),
    CASE(NO, "[,]"),
    CASE(NO, "[1,]"),
    CASE(NO, "[,1]"),
    CASE(NO, "[1,,2]"),
    CASE(NO, "[1 2]"),
    CASE(NO, "[1"),
    CASE(NO, "[1,"),
    CASE(NO, "[1}"),
    CASE(NO, "[]]"),
    CASE(NO, "[[]"),
    CASE(NO, "[1:2]"),
    CASE(NO, "[1;2]"),
    CASE(NO, "[\"a\",\n"),
    CASE(NO, "[...]"),
    CASE(NO, "[]a"),
    /* objects */
    CASE(YES, "{}"),
    CASE(YES, "{ }"),
    CASE(YES, "{\"a\":1}"),
    CASE(YES, "{ \"a\" : 1 , \"b\" : 2 }"),
    CASE(YES, "{\"\":0}"),
    CASE(YES, "{\"a\":{\"a\":{}}}"),
    CASE(YES, "[{\"a\":1},{\"a\":1}]"),
    CASE(YES, "{\"a\":{\"b\":1},\"b\":1}"),
    CASE(YES, "{\"a\":1,\"A\":1}"),
    CASE(YES, "{\"a\":1,\"aa\":1}"),
    CASE(NO, "{"),
    CASE(NO, "}"),
    CASE(NO, "{,}"),
    CASE(NO, "{\"a\"}"),
    CASE(NO, "{\"a\":}"),
    CASE(NO, "{\"a\" 1}"),
    CASE(NO, "{\"a\":1,}"),
    CASE(NO, "{\"a\":1 \"b\":2}"),
    CASE(NO, "{a:1}"),
    CASE(NO, "{'a':1}"),
    CASE(NO, "{1:1}"),
    CASE(NO, "{null:1}"),
    CASE(NO, "{[]:1}"),
    CASE(NO, "{\"a\"::1}"),
    CASE(NO, "{\"a\":1]"),
    CASE(NO, "{\"a\":1"),
    CASE(NO, "{\"a\":"),
    CASE(NO, "{\"a\""),
    CASE(NO, "{\"a"),
    CASE(NO, "{\"a\":1}}"),
    CASE(NO, "{}{}"),
    CASE(NO, "{\"a\":1,\"a\":2}"),
    CASE(NO, "{\"\":1,\"\":2}"),
    CASE(NO, "{\"a\":1,\"\\u0061\":2}"),
    CASE(NO, "{\"\\u00e9\":1,\"\xc3\xa9\":2}"),
    CASE(NO, "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"),
    CASE(NO, "{\"b\":1,\"a\":{\"x\":1,\"x\":1}}"),
    CASE(NO, "{\"\\u0000\":1}"),
    CASE(NO, "{\"a\\u0000\":1}"),
    CASE(NO, "{\"\\ud800\":1}"),
    CASE(NO, "{\"\xff\":1}"),
    CASE(NO, "{\"a\":1,\"\\/\":1,\"/\":2}"),
};

/* Texts live in a block of exactly their size, so that ASan sees one byte too many. */
static int check_exact(struct bytes text, const struct json_limits *limits, struct err *err)
{
    _cleanup_(cleanup_free) char *copy = malloc(text.len ? text.len : 1);

    memcpy(copy, text.data, text.len);
    return json_check((struct bytes){copy, text.len}, limits, err);
}

static void texts_are_accepted_and_refused_as_rfc_8259_says_and_as_jansson_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct text_case *c = &cases[i];
        bool ours_should = c->verdict == YES || c->verdict == YES_JANSSON_NO;
        bool theirs_should = c->verdict == YES || c->verdict == NO_JANSSON_YES;
        struct err err = ERR_INIT;
        bool ours = check_exact(c->text, &strict, &err) == 0;
        json_auto_t *value =
            json_loadb(c->text.data, c->text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        if (ours != ours_should || (value != NULL) != theirs_should)
            fail_msg("case %zu: %.*s: ours %d, jansson %d: %s", i, (int)c->text.len, c->text.data, ours,
                     value != NULL, err.message);
        assert_int_equal(err.code, ours ? ERR_NONE : ERR_INVALID_JSON);
    }
}

static void what_json_parse_takes_jansson_can_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct text_case *c = &cases[i];
        json_auto_t *value = NULL;
        struct err err = ERR_INIT;
        int r = json_parse(c->text, &strict, &value, &err);
        if ((r == 0) != (c->verdict == YES))
            fail_msg("case %zu: %.*s: %s", i, (int)c->text.len, c->text.data, err.message);
        assert_int_equal(value != NULL, r == 0);
        assert_int_equal(err.code, r == 0 ? ERR_NONE : ERR_INVALID_JSON);
        assert_null(strstr(err.message, "cannot be held"));
    }
}

static void cutting_an_accepted_container_anywhere_makes_it_refused(void **state)
{
    static const char text[] =
        "{\"a\\u00e9\xc3\xa9\":[1.5e3,{\"b\":\"\\ud83d\\ude00\"},true],\"c\":{\"d\":null}}";

    (void)state;
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        struct err err = ERR_INIT;
        assert_int_equal(check_exact((struct bytes){text, len}, &strict, &err), -1);
    }
    struct err err = ERR_INIT;
    assert_int_equal(check_exact(bytes_of(text), &strict, &err), 0);
}

static void assert_fault(struct bytes text, const char *message, const char *pointer)
{
    struct err err = ERR_INIT;
    json_auto_t *value = NULL;

    assert_int_equal(json_parse(text, &strict, &value, &err), -1);
    assert_string_equal(err.message, message);
    assert_string_equal(err.pointer, pointer);
}

static void faults_name_byte_line_column_and_pointer(void **state)
{
    (void)state;
    assert_fault(BYTES("{\"a\": [1,\n 2, x]}"), "expected a value at byte 14 (line 2, column 5)", "/a/2");
    assert_fault(BYTES("{\"a\":1,\"b\":{\"c\":1,\n\"c\":2}}"),
                 "a repeated name at byte 19 (line 2, column 1)", "/b/c");
    assert_fault(BYTES("{\"x/y~\":{\"\\u00e9\":1 2}}"), "expected ',' or '}' at byte 20 (line 1, column 21)",
                 "/x~1y~0/\xc3\xa9");
    assert_fault(BYTES("{\"x/y~\":{\"\\u00e9\":-}}"), "a malformed number at byte 18 (line 1, column 19)",
                 "/x~1y~0/\xc3\xa9");
    assert_fault(BYTES("[[0,[9223372036854775808]]]"),
                 "an integer beyond 64 bits at byte 5 (line 1, column 6)", "/0/1/0");
    assert_fault(BYTES("{\"a\":1e999}"),
                 "a number beyond what a double can hold at byte 5 (line 1, column 6)", "/a");
    assert_fault(BYTES("{\"a\":\"\\u0000\"}"), "a NUL in a string at byte 5 (line 1, column 6)", "/a");
    assert_fault(BYTES("{\"a\":{\"b\":"), "the text ends too early at byte 10 (line 1, column 11)", "/a/b");
    assert_fault(BYTES("{\"a\":1,b"), "expected a name in quotes at byte 7 (line 1, column 8)", "");
    assert_fault(BYTES("[\"a\\q\"]"), "an unknown escape at byte 3 (line 1, column 4)", "/0");
    assert_fault(BYTES("\xef\xbb\xbf{}"), "a byte order mark at byte 0 (line 1, column 1)", "");
    assert_fault(BYTES("{} x"), "bytes after the value at byte 3 (line 1, column 4)", "");
}

static void a_pointer_too_long_is_cut_at_a_whole_token(void **state)
{
    char text[600], wide[81];
    struct err err = ERR_INIT;

    (void)state;
    memset(wide, 'w', 80);
    wide[80] = '\0';
    int len = snprintf(text, sizeof(text), "{\"%s\":{\"%s\":{\"z\":x}}}", wide, wide);
    assert_int_equal(json_check((struct bytes){text, (size_t)len}, &strict, &err), -1);
    assert_int_equal(strlen(err.pointer), 81);
    assert_string_equal(err.pointer + 1, wide);
}

static void depth_is_limited_exactly(void **state)
{
    char text[2000];

    (void)state;
    for (unsigned depth = 1; depth <= 300; depth++) {
        const struct json_limits limits = {.max_depth = depth};
        struct err err = ERR_INIT, deeper = ERR_INIT;
        memset(text, '[', depth + 1);
        memset(text + depth + 1, ']', depth + 1);
        int same = check_exact((struct bytes){text + 1, 2 * depth}, &limits, &err);
        assert_int_equal(same, depth <= 256 ? 0 : -1);
        assert_int_equal(check_exact((struct bytes){text, 2 * depth + 2}, &limits, &deeper), -1);
    }
    const struct json_limits none = {0};
    struct err err = ERR_INIT;
    assert_int_equal(json_check(BYTES("1"), &none, &err), 0);
    assert_int_equal(json_check(BYTES("[]"), &none, &err), -1);
}

/* {"k0":0,...} with the last name equal to name number `again`. */
static void repeated_in(size_t members, size_t again, bool escaped)
{
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(1 << 24);
    char pointer[40];
    struct err err = ERR_INIT, fine = ERR_INIT;
    const struct json_limits loose = {.max_depth = 8, .allow_duplicates = true};

    buffer_add_str(&text, "[{\"k0\":{}},{");
    for (size_t i = 0; i + 1 < members; i++)
        buffer_printf(&text, "\"k%zu\":{\"k1\":%zu},", i, i);
    buffer_printf(&text, escaped ? "\"\\u006b%zu\":0}]" : "\"k%zu\":0}]", again);
    assert_int_equal(json_check(buffer_bytes(&text), &strict, &err), again < members - 1 ? -1 : 0);
    assert_int_equal(json_check(buffer_bytes(&text), &loose, &fine), 0);
    if (again < members - 1) {
        snprintf(pointer, sizeof(pointer), "/1/k%zu", again);
        assert_string_equal(err.pointer, pointer);
        assert_non_null(strstr(err.message, "a repeated name"));
    }
}

static void repeated_names_are_found_in_objects_of_every_size(void **state)
{
    (void)state;
    for (size_t members = 2; members < 90; members++)
        for (size_t again = 0; again < members; again += 7) {
            repeated_in(members, again, false);
            repeated_in(members, again, true);
        }
    repeated_in(200000, 100000, true);
    repeated_in(200000, 199999, true);
}

static void walking_gives_members_as_they_stand(void **state)
{
    static const char text[] =
        " { \"a\\\"\" : \"x\\\\\" , \"b\":[1,{\"c\":\"]}\"}],\"n\":-1.5e3,\"t\":true,\"z\":null,\"o\":{ } } ";
    static const struct {
        const char *name, *raw;
        enum json_span_type type;
    } expected[] = {{"a\\\"", "\"x\\\\\"", JSON_SPAN_STRING},
                    {"b", "[1,{\"c\":\"]}\"}]", JSON_SPAN_ARRAY},
                    {"n", "-1.5e3", JSON_SPAN_NUMBER},
                    {"t", "true", JSON_SPAN_BOOL},
                    {"z", "null", JSON_SPAN_NULL},
                    {"o", "{ }", JSON_SPAN_OBJECT}};
    struct err err = ERR_INIT;
    struct json_walk walk;
    struct json_span value;
    struct bytes name;

    (void)state;
    assert_int_equal(json_walk_open(&walk, bytes_of(text), &err), 0);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(json_walk_next(&walk, &name, &value, &err), 1);
        assert_true(bytes_is(name, expected[i].name));
        assert_true(bytes_is(value.raw, expected[i].raw));
        assert_int_equal(value.type, expected[i].type);
    }
    assert_int_equal(json_walk_next(&walk, &name, &value, &err), 0);
    assert_int_equal(json_walk_next(&walk, &name, &value, &err), 0);
}

/* Walks everything below; -1 as soon as anything is malformed. */
static int walk_all(struct bytes text, unsigned depth)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(1000);
    struct json_walk walk;
    struct json_span value;
    struct err err = ERR_INIT;
    int more;

    if (json_walk_open(&walk, text, &err) < 0)
        return -1;
    while ((more = json_walk_next(&walk, NULL, &value, &err)) > 0) {
        bool container = value.type == JSON_SPAN_ARRAY || value.type == JSON_SPAN_OBJECT;
        if (container && walk_all(value.raw, depth + 1) < 0)
            return -1;
        buffer_clear(&out);
        if (value.type == JSON_SPAN_STRING && json_string_decode(value.raw, &out, &err) < 0)
            return -1;
    }
    return more;
}

static void walking_unchecked_text_is_safe_and_refuses_what_the_checker_refuses(void **state)
{
    const struct json_limits loose = {.max_depth = 64, .allow_duplicates = true};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes text = cases[i].text;
        struct err err = ERR_INIT;
        _cleanup_(cleanup_free) char *copy = malloc(text.len ? text.len : 1);
        memcpy(copy, text.data, text.len);
        text.data = copy;
        bool checked = json_check(text, &loose, &err) == 0;
        int walked = walk_all(text, 0);
        if (text.len && (text.data[0] == '[') && (walked == 0) != checked)
            fail_msg("case %zu: %.*s: walked %d", i, (int)text.len, text.data, walked);
        if (checked && text.data[0] == '{')
            assert_int_equal(walked, 0);
    }
}

static void strings_are_decoded_exactly_and_malformed_ones_refused(void **state)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(100);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(json_string_decode(BYTES("\"a\\n\\u00e9\\ud83d\\ude00\\u0000\xc3\xa9\\/\""), &out, &err),
                     0);
    assert_int_equal(out.len, 12);
    assert_memory_equal(out.data, "a\n\xc3\xa9\xf0\x9f\x98\x80\0\xc3\xa9/", 12);
    static const char *const bad[] = {"\"",     "\"\\\"",   "\"\\ud800\"", "\"\\udc00x\"", "\"a\"b\"",
                                      "\"\n\"", "\"\xff\"", "abc",         "\"\\u12\"",    ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct err fault = ERR_INIT;
        assert_int_equal(json_string_decode(bytes_of(bad[i]), &out, &fault), -1);
        assert_int_equal(fault.code, ERR_INVALID_JSON);
    }
    _cleanup_(buffer_done) struct buffer small = BUFFER_INIT(2);
    assert_int_equal(json_string_decode(BYTES("\"abc\""), &small, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_EXCEEDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_accepted_and_refused_as_rfc_8259_says_and_as_jansson_does),
        cmocka_unit_test(what_json_parse_takes_jansson_can_hold),
        cmocka_unit_test(cutting_an_accepted_container_anywhere_makes_it_refused),
        cmocka_unit_test(faults_name_byte_line_column_and_pointer),
        cmocka_unit_test(a_pointer_too_long_is_cut_at_a_whole_token),
        cmocka_unit_test(depth_is_limited_exactly),
        cmocka_unit_test(repeated_names_are_found_in_objects_of_every_size),
        cmocka_unit_test(walking_gives_members_as_they_stand),
        cmocka_unit_test(walking_unchecked_text_is_safe_and_refuses_what_the_checker_refuses),
        cmocka_unit_test(strings_are_decoded_exactly_and_malformed_ones_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
