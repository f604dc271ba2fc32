#include "item/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "tests/support/drip.h"

static int failing_read(void *arg, void *to, size_t size, size_t *ret_len, struct err *err)
{
    (void)arg;
    (void)to;
    (void)size;
    (void)ret_len;
    return err_set(err, ERR_SOURCE_UNREADABLE, "gone");
}

/* The number of items up to the end, or -1 with err. */
static int count_items(struct bytes text, size_t piece, struct err *err)
{
    struct drip drip = {text, piece};
    _cleanup_(item_lines_free_p) struct item_lines *lines =
        item_lines_new(drip_read, &drip, ERR_ITEM_INVALID, err);
    struct bytes item;
    int more, count = 0;
    assert_non_null(lines);
    while ((more = item_lines_next(lines, &item, err)) > 0) {
        assert_int_equal(item_lines_number(lines), ++count);
        assert_true(bytes_is(item, "{\"a\":{\"S\":\"}\\n\"}}"));
    }
    return more < 0 ? -1 : count;
}

#define LINE "{\"Item\":{\"a\":{\"S\":\"}\\n\"}}}"

static int skip_items(struct bytes text, size_t piece, struct err *err)
{
    struct drip drip = {text, piece};
    _cleanup_(item_lines_free_p) struct item_lines *lines =
        item_lines_new(drip_read, &drip, ERR_RECOVERY_POINT_DAMAGED, err);
    int more, count = 0;
    while ((more = item_lines_skip(lines, err)) > 0)
        assert_int_equal(item_lines_number(lines), ++count);
    return more < 0 ? -1 : count;
}

static void lines_are_skipped_by_their_frame(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    for (size_t piece = 1; piece < 80; piece++) {
        assert_int_equal(skip_items(BYTES(LINE "\n" LINE "\n" LINE "\n"), piece, &err), 3);
        assert_int_equal(skip_items(BYTES(LINE "\n" LINE), piece, &err), 2);
        assert_int_equal(skip_items(BYTES(""), piece, &err), 0);
    }
    static const char *const bad[] = {"\n",
                                      "{\"Item\":{}",
                                      "{\"Item\":{} }\n",
                                      "{\"Item\":[]}",
                                      "{\"item\":{}}",
                                      LINE "\n\n" LINE,
                                      LINE "x\n",
                                      "{\"Item\":{}}\r\n"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        err = ERR_INIT;
        assert_int_equal(skip_items(bytes_of(bad[i]), 7, &err), -1);
        assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
    }
}

static void lines_come_out_as_they_are_however_they_are_cut(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    for (size_t piece = 1; piece < 80; piece++) {
        assert_int_equal(count_items(BYTES(LINE "\n" LINE "\n" LINE "\n"), piece, &err), 3);
        assert_int_equal(count_items(BYTES(LINE "\n" LINE), piece, &err), 2);
        assert_int_equal(count_items(BYTES(""), piece, &err), 0);
    }
    assert_int_equal(count_items(BYTES(" { \"Item\" : {\"a\":{\"S\":\"}\\n\"}} }\r\n"), 100, &err), 1);
}

static void a_line_that_is_not_an_item_is_named(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "\r",
        "{}",
        "null",
        "{\"Item\":1}",
        "{\"Item\":[]}",
        "{\"item\":{}}",
        "{\"Item\":{}",
        "{\"Item\":{}}}",
        "{\"Item\":{}},",
        "{\"Item\":{}} {\"Item\":{}}",
        "{\"Item\":{},\"x\":1}",
        "{\"x\":1,\"Item\":{}}",
        "{\"Item\":{},\"Item\":{}}",
        "{\"a\":{\"S\":\"x\"}}",
        "\xef\xbb\xbf{\"Item\":{}}",
        "[{\"Item\":{}}]",
        "{\"Metadata\":{},\"Keys\":{},\"NewImage\":{}}",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char text[200];
        struct err err = ERR_INIT;
        snprintf(text, sizeof text, LINE "\n%s\n" LINE "\n", bad[i]);
        if (count_items(bytes_of(text), 7, &err) >= 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.code, ERR_ITEM_INVALID);
        assert_non_null(strstr(err.message, "line 2"));
    }
}

static void a_file_of_one_line_feed_is_not_empty(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(count_items(BYTES("\n"), 10, &err), -1);
    assert_int_equal(err.code, ERR_ITEM_INVALID);
    err = ERR_INIT;
    assert_int_equal(count_items(BYTES(LINE "\n\n"), 10, &err), -1);
    assert_non_null(strstr(err.message, "line 2"));
}

static void a_line_may_be_as_long_as_an_item_and_no_longer(void **state)
{
    (void)state;
    size_t size = (size_t)ITEM_WIRE_MAX + 200;
    _cleanup_(cleanup_free) char *text = malloc(size);
    memset(text, 'x', size);
    memcpy(text, "{\"Item\":{\"a\":{\"S\":\"", 19);
    memcpy(text + 8 + ITEM_WIRE_MAX - 3, "\"}}}", 4);
    struct drip drip = {{text, 8 + ITEM_WIRE_MAX + 1}, 100000};
    struct err err = ERR_INIT;
    struct bytes item;
    _cleanup_(item_lines_free_p) struct item_lines *fits =
        item_lines_new(drip_read, &drip, ERR_ITEM_INVALID, &err);
    assert_int_equal(item_lines_next(fits, &item, &err), 1);
    assert_int_equal(item.len, ITEM_WIRE_MAX);
    assert_int_equal(item_lines_next(fits, &item, &err), 0);
    drip = (struct drip){{text, size}, 100000};
    _cleanup_(item_lines_free_p) struct item_lines *too_long =
        item_lines_new(drip_read, &drip, ERR_RECOVERY_POINT_DAMAGED, &err);
    assert_int_equal(item_lines_next(too_long, &item, &err), -1);
    assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
}

static void a_source_that_fails_is_not_the_end(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct bytes item;
    _cleanup_(item_lines_free_p) struct item_lines *lines =
        item_lines_new(failing_read, NULL, ERR_ITEM_INVALID, &err);
    assert_int_equal(item_lines_next(lines, &item, &err), -1);
    assert_int_equal(err.code, ERR_SOURCE_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_skipped_by_their_frame),
        cmocka_unit_test(lines_come_out_as_they_are_however_they_are_cut),
        cmocka_unit_test(a_line_that_is_not_an_item_is_named),
        cmocka_unit_test(a_file_of_one_line_feed_is_not_empty),
        cmocka_unit_test(a_line_may_be_as_long_as_an_item_and_no_longer),
        cmocka_unit_test(a_source_that_fails_is_not_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
