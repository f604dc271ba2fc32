#include "item/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "item/fingerprint.h"
#include "item/keys.h"

#define KEY                                                                                                  \
    "{\"pk\":{\"S\":\"a\\\"]}\\\\\\u0000\\ud83d\\ude00\xf0\x9f\x98\x80\"} , \"sk\":{\"N\":\"-1E-130\"}}"
#define ITEM_1 "{\"a\":{\"S\":\"}]\\\"{[,\"}}"
#define ITEM_2 "{ \"b\" : {\"L\":[{\"M\":{}},{\"N\":\"1\"}]}}"
#define TAIL                                                                                                 \
    "\"Count\":2,\"ScannedCount\":5,\"ConsumedCapacity\":{\"TableName\":\"t\",\"CapacityUnits\":128.5}"

/* The reply is put at the end of its own block, so that ASan sees a read past the end. */
static int split(struct item_page *page, struct bytes reply, const char *table, char **ret_copy,
                 struct err *err)
{
    char *copy = malloc(reply.len ? reply.len : 1);
    assert_non_null(copy);
    if (reply.len > 0)
        memcpy(copy, reply.data, reply.len);
    *ret_copy = copy;
    struct bytes own = {copy, reply.len};
    return table ? item_page_split_batch(page, own, table, err) : item_page_split(page, own, err);
}

static void assert_refused(struct bytes reply, const char *table)
{
    _cleanup_(item_page_done) struct item_page page = ITEM_PAGE_INIT;
    _cleanup_(cleanup_free) char *copy = NULL;
    struct err err = ERR_INIT;
    if (split(&page, reply, table, &copy, &err) == 0)
        fail_msg("taken: %.*s", (int)reply.len, reply.data);
    if (err.code != ERR_AWS_LIED)
        fail_msg("%s, not AWS_LIED: %.*s", err_info(err.code)->name, (int)reply.len, reply.data);
}

static void a_page_is_cut_into_its_items_and_facts(void **state)
{
    (void)state;
    _cleanup_(item_page_done) struct item_page page = ITEM_PAGE_INIT;
    _cleanup_(cleanup_free) char *copy = NULL;
    struct err err = ERR_INIT;
    struct bytes reply = BYTES("{\"Items\":[" ITEM_1 " ,\n" ITEM_2
                               "],\"New\":[1,{\"x\":null}],\"LastEvaluatedKey\": " KEY "," TAIL "}\n");
    assert_int_equal(split(&page, reply, NULL, &copy, &err), 0);
    assert_int_equal(page.count, 2);
    assert_true(bytes_is(page.items[0], ITEM_1));
    assert_true(bytes_is(page.items[1], ITEM_2));
    assert_true(bytes_is(page.last_evaluated_key, KEY));
    assert_int_equal(page.scanned_count, 5);
    assert_true(page.capacity_units == 128.5);
}

static void members_may_come_in_any_order_and_a_page_can_be_used_again(void **state)
{
    (void)state;
    _cleanup_(item_page_done) struct item_page page = ITEM_PAGE_INIT;
    struct err err = ERR_INIT;
    struct bytes first = BYTES("{\"LastEvaluatedKey\":" KEY "," TAIL ",\"Items\":[" ITEM_1 "," ITEM_2 "]}");
    assert_int_equal(item_page_split(&page, first, &err), 0);
    assert_true(bytes_is(page.last_evaluated_key, KEY));
    assert_int_equal(item_page_split(&page, BYTES("{\"Count\":0,\"Items\":[ ]}"), &err), 0);
    assert_int_equal(page.count, 0);
    assert_null(page.last_evaluated_key.data);
    assert_int_equal(page.scanned_count, 0);
    assert_true(page.capacity_units == 0);
}

/* A reply of `count` items of all sizes; an item of `bad` stands in the middle when it is not NULL. */
static void write_reply(struct buffer *out, unsigned count, const char *bad)
{
    buffer_clear(out);
    buffer_add_str(out, "{\"Items\":[");
    for (unsigned i = 0; i < count; i++) {
        if (bad && i == count / 2)
            buffer_printf(out, "%s,", bad);
        else
            buffer_printf(out, " {\"b\":{\"S\":\"%0*u\"} ,\"a\":{\"N\":\"%u.0\"}},", 1 + (int)(i * 37 % 200),
                          i, i);
    }
    if (count > 0)
        out->len--;
    buffer_printf(out, "],\"Count\":%u}", count);
}

static void a_page_that_is_read_knows_the_digests_of_its_items(void **state)
{
    (void)state;
    _cleanup_(item_page_done) struct item_page page = ITEM_PAGE_INIT, cut = ITEM_PAGE_INIT;
    _cleanup_(buffer_done) struct buffer reply = BUFFER_INIT((size_t)MIB);
    struct err err = ERR_INIT;
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = item_scratch_new(&err);
    for (unsigned count = 0; count < 40; count++) {
        struct fingerprint sum = FINGERPRINT_EMPTY, read = FINGERPRINT_EMPTY;
        write_reply(&reply, count, NULL);
        assert_int_equal(item_page_read(&page, scratch, buffer_bytes(&reply), &err), 0);
        assert_int_equal(item_page_split(&cut, buffer_bytes(&reply), &err), 0);
        assert_int_equal(page.count, count);
        for (unsigned i = 0; i < count; i++) {
            assert_true(bytes_equal(page.items[i], cut.items[i]));
            assert_int_equal(fingerprint_add(&sum, scratch, page.items[i], &err), 0);
            fingerprint_add_digest(&read, page.digests[i]);
        }
        assert_true(fingerprint_equal(&read, &sum));
    }
}

static void an_element_that_is_no_item_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"[]",
                                      "{\"a\":1}",
                                      "{\"a\":{\"S\":\"x\"}",
                                      "{\"a\":{\"S\":\"x\"}}{}",
                                      "{\"a\":{\"X\":\"x\"}}",
                                      "null",
                                      "{\"a\":{\"N\":\"x\"}}"};
    _cleanup_(item_page_done) struct item_page page = ITEM_PAGE_INIT;
    _cleanup_(buffer_done) struct buffer reply = BUFFER_INIT((size_t)MIB);
    struct err err = ERR_INIT;
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = item_scratch_new(&err);
    unsigned char one[SHA256_BYTES];
    assert_int_equal(
        item_digest(scratch, BYTES("{\"b\":{\"S\":\"0\"},\"a\":{\"N\":\"0.0\"}}"), one, NULL, &err), 0);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        for (unsigned count = 1; count < 6; count++) {
            err = ERR_INIT;
            write_reply(&reply, count, bad[i]);
            assert_int_equal(item_page_read(&page, scratch, buffer_bytes(&reply), &err), -1);
            assert_int_equal(err.code, ERR_AWS_LIED);
            write_reply(&reply, 1, NULL);
            assert_int_equal(item_page_read(&page, scratch, buffer_bytes(&reply), &err), 0);
            assert_int_equal(page.count, 1);
            assert_memory_equal(page.digests[0], one, sizeof one);
        }
    }
}

static void the_same_key_has_the_same_mark(void **state)
{
    (void)state;
    static const char *const same[] = {"{\"v\":{\"S\":\"1\"},\"sk\":{\"N\":\"1.0\"},\"pk\":{\"S\":\"A\"}}",
                                       "{\"pk\":{\"S\":\"\\u0041\"},\"sk\":{\"N\":\"1\"}}",
                                       "{ \"\\u0070k\" : { \"S\" : \"A\" } , \"sk\":{\"N\":\"0.01E2\"}}"};
    static const char *const others[] = {"{\"pk\":{\"S\":\"B\"},\"sk\":{\"N\":\"1\"}}",
                                         "{\"pk\":{\"S\":\"A\"},\"sk\":{\"N\":\"2\"}}"};
    const struct item_key_names names = {{"pk", "sk"}, 2};
    _cleanup_(buffer_done) struct buffer room = BUFFER_INIT(ITEM_KEY_OBJECT_MAX);
    struct err err = ERR_INIT;
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = item_scratch_new(&err);
    uint32_t mark, other;
    assert_int_equal(item_keys_mark(scratch, bytes_of(same[0]), &names, &room, &mark, &err), 0);
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        assert_int_equal(item_keys_mark(scratch, bytes_of(same[i]), &names, &room, &other, &err), 0);
        assert_int_equal(other, mark);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(item_keys_mark(scratch, bytes_of(others[i]), &names, &room, &other, &err), 0);
        assert_int_not_equal(other, mark);
    }
    assert_int_equal(item_keys_mark(scratch, BYTES("{\"pk\":{\"S\":\"A\"}}"), &names, &room, &other, &err),
                     -1);
}

static void a_reply_that_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct bytes reply = BYTES("{\"Items\":[" ITEM_1 "," ITEM_2 "],\"LastEvaluatedKey\":" KEY "," TAIL "}");
    for (size_t len = 0; len < reply.len; len++)
        assert_refused((struct bytes){reply.data, len}, NULL);
}

static void a_reply_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    static const char *const replies[] = {
        "{\"Count\":0}",
        "{\"Items\":[]}",
        "{\"Items\":null,\"Count\":0}",
        "{\"Items\":{},\"Count\":0}",
        "{\"Items\":[{}],\"Count\":0}",
        "{\"Items\":[{}],\"Count\":2}",
        "{\"Items\":[{}],\"Count\":1,\"ScannedCount\":0}",
        "{\"Items\":[{}],\"Count\":-1}",
        "{\"Items\":[{}],\"Count\":1.0}",
        "{\"Items\":[{}],\"Count\":\"1\"}",
        "{\"Items\":[],\"Items\":[{}],\"Count\":1}",
        "{\"Items\":[{}],\"Count\":1,\"Count\":1}",
        "{\"Items\":[],\"Count\":0,\"x\":1,\"x\":1}",
        "{\"Items\":[],\"Count\":0}{}",
        "{\"Items\":[],\"Count\":0} x",
        "{\"Items\":[],\"Count\":0,}",
        "{\"Items\":[{},],\"Count\":1}",
        "{\"Items\":[1],\"Count\":1}",
        "{\"Items\":[[]],\"Count\":1}",
        "{\"Items\":[{} {}],\"Count\":2}",
        "{\"Items\":[],\"Count\":0,\"LastEvaluatedKey\":null}",
        "{\"Items\":[],\"Count\":0,\"LastEvaluatedKey\":{}}",
        "{\"Items\":[],\"Count\":0,\"LastEvaluatedKey\":[1]}",
        "{\"Items\":[],\"Count\":0,\"LastEvaluatedKey\":{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"x\"}}}",
        "{\"Items\":[],\"Count\":0,\"LastEvaluatedKey\":{\"a\":{\"S\":\"x\"]}}",
        "{\"Items\":[],\"Count\":0,\"LastEvaluatedKey\":{\"a\":{\"S\":\"\xff\"}}}",
        "{\"Items\":[],\"Count\":0,\"Last\\u0045valuatedKey\":{\"a\":{\"S\":\"x\"}}}",
        "{\"Items\":[],\"Count\":0,\"ConsumedCapacity\":{\"CapacityUnits\":\"1\"}}",
        "{\"Items\":[],\"Count\":0,\"ConsumedCapacity\":{\"CapacityUnits\":-1}}",
        "{\"Items\":[],\"Count\":0,\"ConsumedCapacity\":{\"CapacityUnits\":1e999}}",
        "{\"Items\":[],\"Count\":0,\"ConsumedCapacity\":1}",
        "{\"Items\":[],\"Count\":0,\"x\":tru}",
        "{\"Items\":[],\"Count\":0,\"x\":{\"y\":1 2}}",
        "{\"__type\":\"com.amazonaws#ThrottlingException\",\"message\":\"slow\"}",
        "[]",
        "<html></html>",
        "",
    };
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        assert_refused(bytes_of(replies[i]), NULL);
}

static void a_batch_gives_its_items_and_what_was_not_done(void **state)
{
    (void)state;
    _cleanup_(item_page_done) struct item_page page = ITEM_PAGE_INIT;
    _cleanup_(cleanup_free) char *copy = NULL;
    struct err err = ERR_INIT;
    struct bytes reply = BYTES(
        "{\"Responses\":{\"t.1\":[" ITEM_1 "," ITEM_2 "]},\"UnprocessedKeys\":{\"t.1\":{\"Keys\":[" KEY "]}},"
        "\"ConsumedCapacity\":[{\"TableName\":\"t.1\",\"CapacityUnits\":1.5},{\"CapacityUnits\":2}]}");
    assert_int_equal(split(&page, reply, "t.1", &copy, &err), 0);
    assert_int_equal(page.count, 2);
    assert_true(bytes_is(page.items[1], ITEM_2));
    assert_true(bytes_is(page.unprocessed, "{\"Keys\":[" KEY "]}"));
    assert_true(page.capacity_units == 3.5);
    assert_int_equal(
        item_page_split_batch(&page, BYTES("{\"Responses\":{},\"UnprocessedKeys\":{}}"), "t.1", &err), 0);
    assert_int_equal(page.count, 0);
    assert_null(page.unprocessed.data);
}

static void a_batch_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    static const char *const replies[] = {
        "{}",
        "{\"UnprocessedKeys\":{}}",
        "{\"Responses\":[]}",
        "{\"Responses\":{\"u\":[]}}",
        "{\"Responses\":{\"t\":[],\"u\":[]}}",
        "{\"Responses\":{\"t\":[],\"t\":[]}}",
        "{\"Responses\":{\"t\":{}}}",
        "{\"Responses\":{},\"Responses\":{}}",
        "{\"Responses\":{},\"UnprocessedKeys\":{\"u\":{}}}",
        "{\"Responses\":{},\"UnprocessedKeys\":{\"t\":{},\"u\":{}}}",
        "{\"Responses\":{},\"UnprocessedKeys\":[]}",
    };
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        assert_refused(bytes_of(replies[i]), "t");
}

static void keys_are_found_however_their_names_are_written(void **state)
{
    (void)state;
    struct item_key_names names = {{"p\"k", "sk"}, 2};
    struct bytes values[ITEM_KEYS_MAX];
    struct err err = ERR_INIT;
    struct bytes item = BYTES("{\"x\":{\"M\":{\"sk\":{\"S\":\"no\"}}},\"s\\u006b\":{\"N\":\"1.0\"},"
                              "\"p\\\"k\":{ \"S\":\"a\\u0000\"}}");
    assert_int_equal(item_keys_find(item, &names, values, &err), 0);
    assert_true(bytes_is(values[0], "{ \"S\":\"a\\u0000\"}"));
    assert_true(bytes_is(values[1], "{\"N\":\"1.0\"}"));
    _cleanup_(buffer_done) struct buffer key = BUFFER_INIT(1000);
    item_keys_write(&key, &names, values);
    assert_true(bytes_is(buffer_bytes(&key), "{\"p\\\"k\":{ \"S\":\"a\\u0000\"},\"sk\":{\"N\":\"1.0\"}}"));
}

static void an_item_without_its_keys_is_refused(void **state)
{
    (void)state;
    static const char *const items[] = {
        "{}",
        "{\"pk\":{\"S\":\"1\"}}",
        "{\"pk\":{\"S\":\"1\"},\"sk\":{\"BOOL\":true}}",
        "{\"pk\":{\"S\":\"1\"},\"sk\":{\"SS\":[\"1\"]}}",
        "{\"pk\":{\"S\":\"1\"},\"sk\":{\"S\":\"1\"},\"pk\":{\"S\":\"2\"}}",
        "{\"pk\":{\"S\":\"1\"},\"sk\":{\"S\":\"1\",\"N\":\"1\"}}",
        "{\"pk\":{\"S\":\"1\"},\"sk\":{\"S\":\"1\"}",
        "{\"pk\":{\"S\":\"1\"} \"sk\":{\"S\":\"1\"}}",
        "{\"pk\":1,\"sk\":{\"S\":\"1\"}}",
        "[]",
        "",
    };
    struct item_key_names names = {{"pk", "sk"}, 2};
    struct bytes values[ITEM_KEYS_MAX];
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        struct err err = ERR_INIT;
        if (item_keys_find(bytes_of(items[i]), &names, values, &err) == 0)
            fail_msg("taken: %s", items[i]);
        assert_int_equal(err.code, ERR_ITEM_INVALID);
    }
}

static void the_same_key_has_the_same_hash_and_another_another(void **state)
{
    (void)state;
    struct item_key_names names = {{"pk", "sk"}, 2};
    struct err err = ERR_INIT;
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = item_scratch_new(&err);
    char a[HEX_SIZE(SHA256_BYTES)], b[HEX_SIZE(SHA256_BYTES)], c[HEX_SIZE(SHA256_BYTES)];
    assert_int_equal(
        item_keys_hash(scratch, BYTES("{\"v\":{\"S\":\"1\"},\"sk\":{\"N\":\"1.0\"},\"pk\":{\"S\":\"A\"}}"),
                       &names, a, &err),
        0);
    assert_int_equal(
        item_keys_hash(scratch, BYTES("{\"pk\":{\"S\":\"\\u0041\"},\"sk\":{\"N\":\"1\"}}"), &names, b, &err),
        0);
    assert_int_equal(
        item_keys_hash(scratch, BYTES("{\"pk\":{\"S\":\"B\"},\"sk\":{\"N\":\"1\"}}"), &names, c, &err), 0);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    /* sha256 of {"pk":{"S":"A"},"sk":{"N":"1"}}, by sha256sum */
    assert_string_equal(a, "d31994ed5b4eb4a4ba96908aa82b384705a9ad3dcaa567a66ca87c4151c64edc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_cut_into_its_items_and_facts),
        cmocka_unit_test(members_may_come_in_any_order_and_a_page_can_be_used_again),
        cmocka_unit_test(a_page_that_is_read_knows_the_digests_of_its_items),
        cmocka_unit_test(an_element_that_is_no_item_is_refused_and_leaves_nothing),
        cmocka_unit_test(the_same_key_has_the_same_mark),
        cmocka_unit_test(a_reply_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(a_reply_that_contradicts_itself_is_refused),
        cmocka_unit_test(a_batch_gives_its_items_and_what_was_not_done),
        cmocka_unit_test(a_batch_that_contradicts_itself_is_refused),
        cmocka_unit_test(keys_are_found_however_their_names_are_written),
        cmocka_unit_test(an_item_without_its_keys_is_refused),
        cmocka_unit_test(the_same_key_has_the_same_hash_and_another_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
