#include "tests/unit/http/fixture.h"

static void media_types_are_read_with_their_charset(void **state)
{
    static const struct {
        const char *value, *type;
        bool utf8;
    } rows[] = {
        {"application/json", "application/json", true},
        {"Application/JSON ; Charset=\"UTF-8\"", "application/json", true},
        {"application/json;charset=latin1", "application/json", false},
        {"application/json;charset=utf-8;charset=latin1", "application/json", false},
        {"application/problem+json;", "application/problem+json", true},
        {"", NULL, false},
        {"json", NULL, false},
        {"application/", NULL, false},
        {"application/json charset=utf-8", NULL, false},
        {"application/json;charset", "application/json", false},
        {"application/json;charset=\"utf-8", NULL, false},
        {"a/b, c/d", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_media media;
        bool ok = http_media_parse(bytes_of(rows[i].value), &media);

        if (ok != (rows[i].type != NULL) ||
            (ok && (strcmp(media.type, rows[i].type) != 0 || media.utf8 != rows[i].utf8)))
            fail_msg("%s: %d %s %d", rows[i].value, ok, ok ? media.type : "", ok ? media.utf8 : 0);
    }
}

static void prefer_wait_is_cut_to_the_maximum_and_never_an_error(void **state)
{
    static const struct {
        const char *value;
        int seconds;
    } rows[] = {{"wait=10", 10},
                {"respond-async, wait=20", 20},
                {"wait=999", HTTP_WAIT_MAX_S},
                {"wait=-1", 0},
                {"wait=abc", 0},
                {"WAIT=5", 5},
                {"wait=\"7\"", 7},
                {"", 0},
                {"waiting=5", 0},
                {"wait=99999999999999999999", 0}};
    int seconds;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (http_prefer_wait(bytes_of(rows[i].value)) != rows[i].seconds)
            fail_msg("%s: %d", rows[i].value, http_prefer_wait(bytes_of(rows[i].value)));
    assert_int_equal(http_prefer_wait((struct bytes){NULL, 0}), 0);
    assert_true(http_wait_parse("50", &seconds) && seconds == 50);
    assert_false(http_wait_parse("51", &seconds));
    assert_false(http_wait_parse("", &seconds));
    assert_false(http_wait_parse("1s", &seconds));
}

static void accept_chooses_by_quality_then_closeness_then_order(void **state)
{
    static const char *const offers[] = {"application/json", "text/event-stream", "application/x-ndjson"};
    static const struct {
        const char *accept;
        int choice;
    } rows[] = {{"*/*", 0},
                {"", 0},
                {"text/event-stream", 1},
                {"application/x-ndjson, application/json;q=0.5", 2},
                {"application/*;q=0.4, text/event-stream;q=0.3", 0},
                {"application/json;q=0, */*;q=0.1", 1},
                {"image/png", -1},
                {"application/json;q=0", -1},
                {"application/json;q=2", -1},
                {"APPLICATION/X-NDJSON", 2},
                {"text/*", 1}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (http_accept(bytes_of(rows[i].accept), offers, 3) != rows[i].choice)
            fail_msg("%s: %d", rows[i].accept, http_accept(bytes_of(rows[i].accept), offers, 3));
    assert_int_equal(http_accept((struct bytes){NULL, 0}, offers, 3), 0);
}

static void codings_are_taken_only_when_named_or_starred(void **state)
{
    (void)state;
    assert_true(http_accepts_coding(BYTES("gzip"), "gzip"));
    assert_true(http_accepts_coding(BYTES("br;q=1, *;q=0.1"), "gzip"));
    assert_false(http_accepts_coding(BYTES("gzip;q=0, *"), "gzip"));
    assert_false(http_accepts_coding(BYTES("identity"), "gzip"));
    assert_false(http_accepts_coding((struct bytes){NULL, 0}, "gzip"));
}

static void idempotency_keys_are_quoted_or_bare_visible_ascii(void **state)
{
    static const struct {
        const char *value, *key; /* NULL: refused */
    } rows[] = {{"abc", "abc"},     {"\"abc\"", "abc"}, {"\"a\\\"b\\\\c\"", "a\"b\\c"},
                {"", NULL},         {"\"\"", NULL},     {"\"abc", NULL},
                {"a b", NULL},      {"\"a b\"", NULL},  {"a\"b", NULL},
                {"\xc3\xa4", NULL}, {"\"a\\x\"", NULL}, {" abc ", "abc"}};
    char key[IDEMPOTENCY_KEY_MAX + 1], longest[IDEMPOTENCY_KEY_MAX + 2];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err err = ERR_INIT;
        int result = http_idempotency_key(bytes_of(rows[i].value), key, &err);

        if ((result == 0) != (rows[i].key != NULL) || (result == 0 && strcmp(key, rows[i].key) != 0) ||
            (result < 0 && err.code != ERR_INVALID_HEADER))
            fail_msg("%s: %d %s", rows[i].value, result, key);
    }
    struct err err = ERR_INIT;
    memset(longest, 'k', sizeof(longest));
    assert_int_equal(http_idempotency_key((struct bytes){longest, IDEMPOTENCY_KEY_MAX}, key, &err), 0);
    assert_int_equal(http_idempotency_key((struct bytes){longest, IDEMPOTENCY_KEY_MAX + 1}, key, &err), -1);
    assert_int_equal(http_idempotency_key((struct bytes){NULL, 0}, key, &err), 0);
    assert_string_equal(key, "");
}

static void if_match_is_strong_and_if_none_match_weak(void **state)
{
    static const struct {
        const char *list, *etag;
        enum http_match match, none;
    } rows[] = {
        {"\"7\"", "\"7\"", HTTP_MATCH_YES, HTTP_MATCH_YES},
        {"\"6\" , \"7\"", "\"7\"", HTTP_MATCH_YES, HTTP_MATCH_YES},
        {"\"7-gzip\"", "\"7\"", HTTP_MATCH_YES, HTTP_MATCH_YES},
        {"W/\"7\"", "\"7\"", HTTP_MATCH_NO, HTTP_MATCH_YES},
        {"\"6\"", "\"7\"", HTTP_MATCH_NO, HTTP_MATCH_NO},
        {"\"a,b\"", "\"a,b\"", HTTP_MATCH_YES, HTTP_MATCH_YES},
        {"*", "\"7\"", HTTP_MATCH_YES, HTTP_MATCH_YES},
        {"*", NULL, HTTP_MATCH_NO, HTTP_MATCH_NO},
        {"\"7\"", NULL, HTTP_MATCH_NO, HTTP_MATCH_NO},
        {"7", "\"7\"", HTTP_MATCH_BAD, HTTP_MATCH_BAD},
        {"\"7", "\"7\"", HTTP_MATCH_BAD, HTTP_MATCH_BAD},
        {"\"7\" \"8\"", "\"7\"", HTTP_MATCH_BAD, HTTP_MATCH_BAD},
        {"", "\"7\"", HTTP_MATCH_BAD, HTTP_MATCH_BAD},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (http_if_match(bytes_of(rows[i].list), rows[i].etag) != rows[i].match ||
            http_if_none_match(bytes_of(rows[i].list), rows[i].etag) != rows[i].none)
            fail_msg("row %zu: %s", i, rows[i].list);
    assert_int_equal(http_if_match((struct bytes){NULL, 0}, "\"7\""), HTTP_MATCH_ABSENT);
}

static void ranges_that_we_do_not_serve_mean_everything(void **state)
{
    static const struct {
        const char *range;
        int64_t size;
        enum http_range_result result;
        int64_t offset, length;
    } rows[] = {
        {"bytes=0-0", 10, HTTP_RANGE_PART, 0, 1},
        {"bytes=9-9", 10, HTTP_RANGE_PART, 9, 1},
        {"bytes=0-", 10, HTTP_RANGE_PART, 0, 10},
        {"bytes=-100", 10, HTTP_RANGE_PART, 0, 10},
        {"bytes=5-4", 10, HTTP_RANGE_ALL, 0, 0},
        {"bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-1,2-3", 10, HTTP_RANGE_ALL, 0, 0},
        {"lines=0-1", 10, HTTP_RANGE_ALL, 0, 0},
        {"bytes=", 10, HTTP_RANGE_ALL, 0, 0},
        {"bytes=-", 10, HTTP_RANGE_ALL, 0, 0},
        {"bytes=1", 10, HTTP_RANGE_ALL, 0, 0},
        {"bytes=--1", 10, HTTP_RANGE_ALL, 0, 0},
        {"bytes=18446744073709551615-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=2-18446744073709551615", 10, HTTP_RANGE_PART, 2, 8},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t offset = 0, length = 0;
        enum http_range_result result = http_range(bytes_of(rows[i].range), rows[i].size, &offset, &length);

        if (result != rows[i].result ||
            (result == HTTP_RANGE_PART && (offset != rows[i].offset || length != rows[i].length)))
            fail_msg("%s: %d %lld %lld", rows[i].range, (int)result, (long long)offset, (long long)length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_types_are_read_with_their_charset),
        cmocka_unit_test(prefer_wait_is_cut_to_the_maximum_and_never_an_error),
        cmocka_unit_test(accept_chooses_by_quality_then_closeness_then_order),
        cmocka_unit_test(codings_are_taken_only_when_named_or_starred),
        cmocka_unit_test(idempotency_keys_are_quoted_or_bare_visible_ascii),
        cmocka_unit_test(if_match_is_strong_and_if_none_match_weak),
        cmocka_unit_test(ranges_that_we_do_not_serve_mean_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
