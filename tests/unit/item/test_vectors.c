/* The committed vectors of tests/vectors/canonical.json, written by an oracle that shares nothing with this
 * room. */
#include "item/fingerprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <jansson.h>
#include <cmocka.h>

#include "base/cleanup.h"

static json_t *vectors;
static struct item_scratch *scratch;

static int setup(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    vectors = json_load_file("tests/vectors/canonical.json", 0, NULL);
    scratch = item_scratch_new(&err);
    return vectors && scratch ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(vectors);
    item_scratch_free(scratch);
    return 0;
}

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void check_taken(const json_t *one, int rc, struct bytes got, const unsigned char *digest,
                        struct err *err)
{
    char hex[HEX_SIZE(SHA256_BYTES)];
    if (rc < 0)
        fail_msg("%s: refused: %s", text(one, "name"), err->message);
    if (!bytes_is(got, text(one, "canonical")))
        fail_msg("%s: became %.*s", text(one, "name"), (int)got.len, got.data);
    hex_encode(digest, SHA256_BYTES, hex);
    assert_string_equal(hex, text(one, "sha256"));
}

static void check_refused(const json_t *one, int rc, struct err *err)
{
    const char *why = text(one, "error");
    if (rc == 0)
        fail_msg("%s: taken", text(one, "name"));
    assert_int_equal(err->code, ERR_ITEM_INVALID);
    /* JSON stands for syntax, which has many messages */
    if (strcmp(why, "JSON") != 0 && !strstr(err->message, why))
        fail_msg("%s: refused for another reason: %s", text(one, "name"), err->message);
}

static void every_vector_holds(void **state)
{
    (void)state;
    size_t i, taken = 0, refused = 0;
    json_t *one;
    json_array_foreach(json_object_get(vectors, "cases"), i, one) {
        char binary[64];
        struct bytes item = bytes_of(text(one, "input")), got;
        struct bytes hex = bytes_of(text(one, "input_hex"));
        if (hex.data) {
            assert_true(hex.len / 2 <= sizeof binary && hex_decode(hex, binary, hex.len / 2));
            item = (struct bytes){binary, hex.len / 2};
        }
        struct err err = ERR_INIT;
        unsigned char digest[SHA256_BYTES];
        int rc = item_digest(scratch, item, digest, &got, &err);
        if (text(one, "error")) {
            check_refused(one, rc, &err);
            refused++;
        } else {
            check_taken(one, rc, got, digest, &err);
            taken++;
        }
    }
    assert_true(taken >= 60 && refused >= 60);
}

static void every_fingerprint_holds(void **state)
{
    (void)state;
    size_t i, j, count = 0;
    json_t *one, *item;
    json_array_foreach(json_object_get(vectors, "fingerprints"), i, one) {
        struct fingerprint whole = FINGERPRINT_EMPTY, odd = FINGERPRINT_EMPTY, even = FINGERPRINT_EMPTY,
                           parsed;
        char formatted[FINGERPRINT_SIZE];
        struct err err = ERR_INIT;
        json_array_foreach(json_object_get(one, "items"), j, item) {
            struct bytes raw = bytes_of(json_string_value(item));
            assert_int_equal(fingerprint_add(&whole, scratch, raw, &err), 0);
            assert_int_equal(fingerprint_add(j % 2 ? &odd : &even, scratch, raw, &err), 0);
        }
        fingerprint_format(&whole, formatted);
        assert_string_equal(formatted, text(one, "fingerprint"));
        fingerprint_merge(&odd, &even);
        assert_true(fingerprint_equal(&odd, &whole));
        assert_true(fingerprint_parse(bytes_of(formatted), &parsed));
        assert_true(fingerprint_equal(&parsed, &whole));
        count++;
    }
    assert_true(count >= 6);
}

static void an_item_that_is_refused_leaves_the_fingerprint_alone(void **state)
{
    (void)state;
    struct fingerprint before = FINGERPRINT_EMPTY, after;
    struct err err = ERR_INIT;
    assert_int_equal(fingerprint_add(&before, scratch, BYTES("{\"a\":{\"S\":\"x\"}}"), &err), 0);
    after = before;
    assert_int_equal(fingerprint_add(&after, scratch, BYTES("{\"a\":{\"S\":1}}"), &err), -1);
    assert_true(fingerprint_equal(&before, &after));
}

static void a_fingerprint_with_another_count_or_sum_is_another(void **state)
{
    (void)state;
    struct fingerprint a = {.count = 2}, b = {.count = 3}, c = {.count = 2};
    c.sum[31] = 1;
    assert_true(fingerprint_equal(&a, &a));
    assert_false(fingerprint_equal(&a, &b));
    assert_false(fingerprint_equal(&a, &c));
}

static void the_sum_wraps_at_2_to_256(void **state)
{
    (void)state;
    struct fingerprint all_ones = FINGERPRINT_EMPTY;
    unsigned char digest[SHA256_BYTES], one[SHA256_BYTES] = {0}, zero[SHA256_BYTES] = {0};
    memset(digest, 0xff, sizeof digest);
    one[SHA256_BYTES - 1] = 1;
    fingerprint_add_digest(&all_ones, digest);
    fingerprint_add_digest(&all_ones, one);
    assert_memory_equal(all_ones.sum, zero, SHA256_BYTES);
    assert_int_equal(all_ones.count, 2);
}

static void only_what_is_formatted_is_parsed(void **state)
{
    (void)state;
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000"
    static const char *const wrong[] = {
        "",
        "v1",
        "v1:",
        "v1::" ZEROS "000",
        "v1:01:" ZEROS "000",
        "v1:+1:" ZEROS "000",
        "v2:1:" ZEROS "000",
        "v1:1:" ZEROS "00",
        "v1:1:" ZEROS "0000",
        "v1:1:" ZEROS "00A",
        "v1:1:" ZEROS "00g",
        "v1:1:" ZEROS "000 ",
        " v1:1:" ZEROS "000",
        "v1:-1:" ZEROS "000",
        "v1:18446744073709551616:" ZEROS "000",
    };
    struct fingerprint parsed;
    assert_true(fingerprint_parse(bytes_of("v1:18446744073709551615:" ZEROS "00a"), &parsed));
    assert_true(parsed.count == UINT64_MAX && parsed.sum[31] == 10);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (fingerprint_parse(bytes_of(wrong[i]), &parsed))
            fail_msg("taken: %s", wrong[i]);
}

static void the_vectors_are_what_the_oracle_writes(void **state)
{
    (void)state;
    FILE *oracle = popen("python3 tests/vectors/make_canonical.py --check", "r");
    assert_non_null(oracle);
    assert_int_equal(pclose(oracle), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_holds),
        cmocka_unit_test(every_fingerprint_holds),
        cmocka_unit_test(an_item_that_is_refused_leaves_the_fingerprint_alone),
        cmocka_unit_test(a_fingerprint_with_another_count_or_sum_is_another),
        cmocka_unit_test(the_sum_wraps_at_2_to_256),
        cmocka_unit_test(only_what_is_formatted_is_parsed),
        cmocka_unit_test(the_vectors_are_what_the_oracle_writes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
