/* Replies of Scan, Query and BatchGetItem. A page that is taken is JSON by jansson too, with as many items,
 * the count that the reply says, and the same key to go on from. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"
#include "item/fingerprint.h"
#include "item/page.h"

static bool same(struct bytes raw, const json_t *value)
{
    json_auto_t *got = json_loadb(raw.data, raw.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    return got && json_equal(got, value);
}

static void judge_items(const struct item_page *page, const json_t *items, struct bytes reply)
{
    HOLDS(json_is_array(items) && page->count == json_array_size(items));
    for (size_t i = 0; i < page->count; i++) {
        HOLDS(page->items[i].data >= reply.data &&
              page->items[i].data + page->items[i].len <= reply.data + reply.len);
        HOLDS(same(page->items[i], json_array_get(items, i)));
    }
}

/* Read in one pass, it is the same page, with the digests of its items; what is refused then is an element
 * that is no item. */
static void judge_read(const struct item_page *cut, struct bytes reply)
{
    static struct item_page page;
    static struct item_scratch *scratch;
    struct fingerprint sum = FINGERPRINT_EMPTY, read = FINGERPRINT_EMPTY;
    struct err err = ERR_INIT;
    int rc, items = 0;

    if (!scratch)
        scratch = item_scratch_new(&err);
    rc = item_page_read(&page, scratch, reply, &err);
    judge(rc, &err);
    for (size_t i = 0; i < cut->count && items == 0; i++)
        items = fingerprint_add(&sum, scratch, cut->items[i], &err);
    HOLDS(rc == items);
    HOLDS(rc < 0 || page.count == cut->count);
    for (size_t i = 0; rc == 0 && i < page.count; i++) {
        HOLDS(bytes_equal(page.items[i], cut->items[i]));
        fingerprint_add_digest(&read, page.digests[i]);
    }
    HOLDS(rc < 0 || fingerprint_equal(&read, &sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct item_page page; /* reused, as the program does */
    struct input in = {data, size};
    bool batch = input_byte(&in) & 1;
    struct bytes reply = input_rest(&in);
    struct err err = ERR_INIT;
    int rc =
        batch ? item_page_split_batch(&page, reply, "orders", &err) : item_page_split(&page, reply, &err);

    judge(rc, &err);
    if (rc < 0)
        return 0;
    if (!batch)
        judge_read(&page, reply);
    json_auto_t *dom = json_loadb(reply.data, reply.len, JSON_ALLOW_NUL, NULL);
    if (!dom) /* jansson has no NUL in names and no number that is too large; the page is bytes */
        return 0;
    if (batch) {
        const json_t *tables = json_object_get(dom, "Responses");
        const json_t *items = json_object_get(tables, "orders");
        if (items)
            judge_items(&page, items, reply);
        else
            HOLDS(page.count == 0);
        if (page.unprocessed.data)
            HOLDS(same(page.unprocessed, json_object_get(json_object_get(dom, "UnprocessedKeys"), "orders")));
        return 0;
    }
    judge_items(&page, json_object_get(dom, "Items"), reply);
    HOLDS(json_integer_value(json_object_get(dom, "Count")) == (json_int_t)page.count);
    HOLDS(page.scanned_count >= page.count);
    const json_t *last = json_object_get(dom, "LastEvaluatedKey");
    if (page.last_evaluated_key.data)
        HOLDS(same(page.last_evaluated_key, last));
    else
        HOLDS(!json_is_object(last) || json_object_size(last) == 0);
    return 0;
}
