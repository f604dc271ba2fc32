#include "item/canonical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "item/order.h"

static struct item_scratch *scratch;

static int setup(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    scratch = item_scratch_new(&err);
    return scratch ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    item_scratch_free(scratch);
    return 0;
}

/* Items are copied to a block of exactly their size, so that ASan sees a read past the end. */
static int canonical(struct bytes item, struct bytes *ret, struct err *err)
{
    _cleanup_(cleanup_free) char *copy = malloc(item.len ? item.len : 1);
    assert_non_null(copy);
    if (item.len > 0)
        memcpy(copy, item.data, item.len);
    return item_canonical(scratch, (struct bytes){copy, item.len}, ret, err);
}

static void compare_line(const char *line, size_t number, size_t *ret_refused)
{
    const char *gap = strchr(line, ' ');
    assert_non_null(gap);
    size_t len = (size_t)(gap - line) / 2, wanted_len = strcspn(gap + 1, "\n");
    _cleanup_(cleanup_free) char *item = malloc(len + 1), *wanted = malloc(wanted_len / 2 + 1);
    assert_non_null(item);
    assert_non_null(wanted);
    assert_true(hex_decode((struct bytes){line, 2 * len}, item, len));
    struct err err = ERR_INIT;
    struct bytes got;
    int rc = canonical((struct bytes){item, len}, &got, &err);
    if (gap[1] == '!') {
        ++*ret_refused;
        if (rc == 0)
            fail_msg("case %zu was taken: %.*s", number, (int)(len < 2000 ? len : 2000), item);
        assert_int_equal(err.code, ERR_ITEM_INVALID);
        return;
    }
    if (rc < 0)
        fail_msg("case %zu was refused: %s", number, err.message);
    assert_true(hex_decode((struct bytes){gap + 1, wanted_len}, wanted, wanted_len / 2));
    if (got.len != wanted_len / 2 || memcmp(got.data, wanted, got.len) != 0)
        fail_msg("case %zu differs", number);
    /* the form is its own form */
    struct bytes again;
    _cleanup_(cleanup_free) char *copy = malloc(got.len);
    memcpy(copy, got.data, got.len);
    assert_int_equal(canonical((struct bytes){copy, got.len}, &again, &err), 0);
    assert_true(bytes_equal(again, (struct bytes){copy, wanted_len / 2}));
}

/* Runs the oracle and compares each of its lines. */
static void compare_with_oracle(const char *command, size_t least_taken, size_t least_refused)
{
    FILE *oracle = popen(command, "r");
    assert_non_null(oracle);
    char *line = NULL;
    size_t size = 0, count = 0, refused = 0;
    while (getline(&line, &size, oracle) > 0)
        compare_line(line, count++, &refused);
    free(line);
    assert_int_equal(pclose(oracle), 0);
    assert_true(refused >= least_refused);
    assert_true(count - refused >= least_taken);
}

static void random_items_come_out_as_the_oracle_says(void **state)
{
    (void)state;
    compare_with_oracle("python3 tests/vectors/make_canonical.py --random 20261123 5000", 1500, 1500);
}

static void large_items_come_out_as_the_oracle_says(void **state)
{
    (void)state;
    compare_with_oracle("python3 tests/vectors/make_canonical.py --hard", 11, 2);
}

static void an_item_that_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct bytes item =
        BYTES("{\"a\":{\"S\":\"\\ud83d\\ude00\xe2\x82\xac\"},\"b\":{\"L\":[{\"N\":\"1.5\"},{\"BOOL\":true}]},"
              "\"c\":{\"NS\":[\"2\",\"1\"]},\"d\":{\"B\":\"AA==\"},\"e\":{\"NULL\":true},\"f\":{\"M\":{}}}");
    struct bytes got;
    struct err err = ERR_INIT;
    assert_int_equal(canonical(item, &got, &err), 0);
    for (size_t len = 0; len < item.len; len++) {
        err = ERR_INIT;
        assert_int_equal(canonical((struct bytes){item.data, len}, &got, &err), -1);
        assert_int_equal(err.code, ERR_ITEM_INVALID);
    }
}

static void a_refusal_does_not_show_the_value(void **state)
{
    (void)state;
    struct bytes got;
    struct err err = ERR_INIT;
    assert_int_equal(canonical(BYTES("{\"secretname\":{\"N\":\"secretvalue\"}}"), &got, &err), -1);
    assert_null(strstr(err.message, "secret"));
    assert_non_null(strstr(err.message, "grammar"));
}

static void an_item_above_the_wire_limit_is_refused(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *item = malloc(ITEM_WIRE_MAX + 1);
    struct bytes got;
    struct err err = ERR_INIT;
    memset(item, ' ', ITEM_WIRE_MAX + 1);
    memcpy(item, "{}", 2);
    assert_int_equal(item_canonical(scratch, (struct bytes){item, ITEM_WIRE_MAX}, &got, &err), 0);
    assert_int_equal(item_canonical(scratch, (struct bytes){item, ITEM_WIRE_MAX + 1}, &got, &err), -1);
    assert_int_equal(err.code, ERR_ITEM_INVALID);
}

static void more_members_than_an_item_can_have_are_refused(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *item = malloc(ITEM_WIRE_MAX);
    size_t len = 0;
    len += (size_t)snprintf(item, 32, "{\"a\":{\"SS\":[");
    for (unsigned i = 0; i <= ITEM_ENTRIES_MAX; i++)
        len += (size_t)snprintf(item + len, 16, "\"%x\",", i);
    memcpy(item + len - 1, "]}}", 3);
    struct bytes got;
    struct err err = ERR_INIT;
    assert_int_equal(item_canonical(scratch, (struct bytes){item, len + 2}, &got, &err), -1);
    assert_int_equal(err.code, ERR_ITEM_INVALID);
    assert_non_null(strstr(err.message, "more members"));
}

static void a_scratch_is_fit_for_use_after_a_refusal(void **state)
{
    (void)state;
    struct bytes got;
    struct err err = ERR_INIT;
    assert_int_equal(
        canonical(BYTES("{\"b\":{\"S\":\"\"},\"a\":{\"M\":{\"d\":{\"S\":\"\"},\"c\":{\"X\":1}}}}"), &got,
                  &err),
        -1);
    err = ERR_INIT;
    assert_int_equal(canonical(BYTES("{\"b\":{\"S\":\"1\"},\"a\":{\"S\":\"2\"}}"), &got, &err), 0);
    assert_true(bytes_is(got, "{\"a\":{\"S\":\"2\"},\"b\":{\"S\":\"1\"}}"));
}

static void sorting_agrees_with_insertion_for_every_count(void **state)
{
    (void)state;
    enum { MOST = 300 };
    char text[MOST * 8 + 8] = {0};
    struct order_entry entries[MOST], spare[MOST];
    for (size_t count = 0; count <= MOST; count++) {
        uint32_t seed = (uint32_t)count + 1;
        for (size_t i = 0; i < count; i++) {
            seed = seed * 1664525 + 1013904223;
            snprintf(text + i * 8, 8, "\"%05u\"", seed >> 16);
            entries[i] = order_entry_of(text, (uint32_t)(i * 8), 5, 7);
        }
        order_sort(text, entries, spare, count);
        for (size_t i = 1; i < count; i++)
            assert_true(order_compare(text, &entries[i - 1], &entries[i]) <= 0);
        uint64_t sum = 0, want = 0;
        for (size_t i = 0; i < count; i++) {
            sum += entries[i].at;
            want += i * 8;
        }
        assert_int_equal(sum, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_items_come_out_as_the_oracle_says),
        cmocka_unit_test(large_items_come_out_as_the_oracle_says),
        cmocka_unit_test(an_item_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(a_refusal_does_not_show_the_value),
        cmocka_unit_test(an_item_above_the_wire_limit_is_refused),
        cmocka_unit_test(more_members_than_an_item_can_have_are_refused),
        cmocka_unit_test(a_scratch_is_fit_for_use_after_a_refusal),
        cmocka_unit_test(sorting_agrees_with_insertion_for_every_count),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
