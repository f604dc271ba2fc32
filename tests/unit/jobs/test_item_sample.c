/* What a sample of items tells: repeated ones, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "jobs/item_sample.h"

static void digest_of(uint64_t item, unsigned char ret_digest[SHA256_BYTES])
{
    _cleanup_(sha256_free_p) struct sha256 *sha = NULL;
    struct err err = ERR_INIT;

    sha = sha256_new(&err);
    assert_int_equal(sha256_once(sha, (struct bytes){(const char *)&item, sizeof(item)}, ret_digest, &err),
                     0);
}

static struct item_sample *sample_of(uint64_t from, uint64_t to)
{
    struct item_sample *sample = calloc(1, sizeof(*sample));

    for (uint64_t i = from; i < to; i++) {
        unsigned char digest[SHA256_BYTES];

        digest_of(i, digest);
        item_sample_add(sample, digest);
    }
    return sample;
}

/* Of two segments. */
static size_t twice(const struct item_sample *a, const struct item_sample *b)
{
    static unsigned char digests[2 * ITEM_SAMPLE_MAX][ITEM_SAMPLE_BYTES];

    memcpy(digests, a->digests, a->count * ITEM_SAMPLE_BYTES);
    memcpy(digests + a->count, b->digests, b->count * ITEM_SAMPLE_BYTES);
    return item_sample_twice(digests, a->count + b->count);
}

static void check(uint64_t a_to, uint64_t b_from, uint64_t b_to, size_t least, size_t most)
{
    _cleanup_(cleanup_free) struct item_sample *a = sample_of(0, a_to), *b = sample_of(b_from, b_to);

    assert_in_range(twice(a, b), least, most);
}

static void each_repeated_item_of_a_small_table_is_seen(void **state)
{
    (void)state;
    check(500, 500, 1000, 0, 0);
    check(500, 499, 1000, 1, 1);
    check(0, 0, 0, 0, 0);
    check(1, 0, 1, 1, 1);
}

/* About 1,024 of 20,000 each: of 2,500 that come twice some 128 are sampled twice. */
static void a_page_that_overlaps_is_seen_in_a_large_table(void **state)
{
    (void)state;
    check(20000, 20000, 40000, 0, 0);
    check(20000, 17500, 37500, 60, 250);
}

static void the_smallest_are_kept_whatever_the_order(void **state)
{
    _cleanup_(cleanup_free) struct item_sample *all = sample_of(0, 5000),
                                               *backwards = calloc(1, sizeof(*all));

    (void)state;
    for (uint64_t i = 5000; i > 0; i--) {
        unsigned char digest[SHA256_BYTES];

        digest_of(i - 1, digest);
        item_sample_add(backwards, digest);
    }
    assert_int_equal(all->count, ITEM_SAMPLE_MAX);
    assert_memory_equal(all->digests[0], backwards->digests[0], ITEM_SAMPLE_BYTES);
    assert_int_equal(twice(all, backwards), ITEM_SAMPLE_MAX);
}

static void a_sample_survives_its_json(void **state)
{
    _cleanup_(cleanup_free) struct item_sample *one = sample_of(0, 3000), *other = calloc(1, sizeof(*one));
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(DOCUMENT_MAX);
    static const struct json_limits limits = {.max_depth = 2};
    json_auto_t *written = NULL, *bad = json_pack("[s]", "0011");
    const json_t *json;
    struct json_writer w;
    struct err err = ERR_INIT;

    (void)state;
    json_put_begin(&w, &text);
    json_put_object(&w, NULL);
    item_sample_write(one, &w, "items");
    json_put_object_end(&w);
    assert_int_equal(json_parse(buffer_bytes(&text), &limits, &written, &err), 0);
    json = json_object_get(written, "items");
    assert_true(item_sample_read(json, other));
    assert_int_equal(twice(one, other), ITEM_SAMPLE_MAX);
    assert_true(item_sample_read(NULL, other)); /* nothing was recorded yet */
    assert_int_equal(other->count, 0);
    assert_false(item_sample_read(bad, other));
    while (json_array_size(bad) <= ITEM_SAMPLE_MAX)
        json_array_append(bad, json_array_get((json_t *)(uintptr_t)json, 0));
    assert_false(item_sample_read(bad, other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_repeated_item_of_a_small_table_is_seen),
        cmocka_unit_test(a_page_that_overlaps_is_seen_in_a_large_table),
        cmocka_unit_test(the_smallest_are_kept_whatever_the_order),
        cmocka_unit_test(a_sample_survives_its_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
