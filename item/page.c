#include "item/page.h"

#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "item/scan.h"

/* More members than any reply has had; bounds the search for repeated names. */
#define MEMBERS_MAX 24
#define REPLY_DEPTH 16
#define ITEMS_FIRST 256

struct reader {
    struct item_page *page;
    struct item_scratch *scratch; /* NULL: items are only cut */
    const char *table;            /* of BatchGetItem */
    struct scan in;
    bool has_items;
    bool has_count;
    bool has_scanned;
    uint64_t count;
    uint64_t scanned;
};

/* A member that someone reads; the cursor stands before its value. */
struct member {
    const char *name;
    int (*read)(struct reader *reader, struct err *err);
};

static int lied(struct err *err, const char *what)
{
    return err_set(err, ERR_AWS_LIED, "reply with %s", what);
}

/* Any value but items, fully checked. */
static int checked_value(struct reader *reader, struct bytes *ret_raw, struct err *err)
{
    struct err why = ERR_INIT;
    const struct json_limits limits = {.max_depth = REPLY_DEPTH, .allow_duplicates = false};
    struct bytes raw;
    if (!scan_value(&reader->in, &raw))
        return lied(err, "a value that does not end");
    if (json_check(raw, &limits, &why) < 0)
        return err_set(err, why.code == ERR_NO_MEMORY ? ERR_NO_MEMORY : ERR_AWS_LIED,
                       "reply with bad JSON: %s", why.message);
    *ret_raw = raw;
    return 0;
}

/* `array` with room for more than `count` elements, its room in *size; or NULL. */
static void *grown(void *array, size_t count, size_t *size, size_t element)
{
    if (count < *size)
        return array;
    size_t room = *size ? *size * 2 : ITEMS_FIRST;
    void *larger = reallocarray(array, room, element);
    if (larger)
        *size = room;
    return larger;
}

static int make_room(struct item_page *page, bool digests, struct err *err)
{
    if (page->count == PAGE_ITEMS_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "a page of more than %d items", PAGE_ITEMS_MAX);
    void *items = grown(page->items, page->count, &page->size, sizeof *page->items);
    if (items)
        page->items = items;
    void *more = digests && items
                     ? grown(page->digests, page->count, &page->digest_size, sizeof *page->digests)
                     : items;
    if (!more)
        return err_set(err, ERR_NO_MEMORY, "no memory for a page of items");
    if (digests)
        page->digests = more;
    return 0;
}

/* The next item, when it is to be hashed: its digest comes together with that of the one before it. */
static int read_and_hash(struct reader *reader, struct bytes *ret_item, struct err *err)
{
    struct item_page *page = reader->page;
    unsigned char(*two)[SHA256_BYTES] = page->digests + (page->count > 0 ? page->count - 1 : 0);
    if (item_digest_next(reader->scratch, &reader->in, ret_item, two, err) >= 0)
        return 0;
    if (err->code == ERR_ITEM_INVALID) /* it is AWS who says that this is an item */
        err->code = ERR_AWS_LIED;
    return -1;
}

static int read_item(struct reader *reader, struct err *err)
{
    struct bytes item;
    if (make_room(reader->page, reader->scratch, err) < 0)
        return -1;
    if (reader->scratch) {
        if (read_and_hash(reader, &item, err) < 0)
            return -1;
    } else if (!scan_object(&reader->in, &item)) {
        return lied(err, "an element of Items that is not an object");
    }
    reader->page->items[reader->page->count++] = item;
    return 0;
}

static int read_items(struct reader *reader, struct err *err)
{
    reader->has_items = true;
    if (!scan_take(&reader->in, '['))
        return lied(err, "Items that are not an array");
    if (scan_take(&reader->in, ']'))
        return 0;
    do {
        if (read_item(reader, err) < 0)
            return -1;
    } while (scan_take(&reader->in, ','));
    return scan_take(&reader->in, ']') ? 0 : lied(err, "Items that do not end");
}

static int read_whole_number(struct reader *reader, uint64_t *ret_value, struct err *err)
{
    struct bytes raw;
    if (checked_value(reader, &raw, err) < 0)
        return -1;
    return uint_parse(raw, ret_value) ? 0 : lied(err, "a count that is not a whole number");
}

static int read_count(struct reader *reader, struct err *err)
{
    reader->has_count = true;
    return read_whole_number(reader, &reader->count, err);
}

static int read_scanned_count(struct reader *reader, struct err *err)
{
    reader->has_scanned = true;
    return read_whole_number(reader, &reader->scanned, err);
}

static int read_last_key(struct reader *reader, struct err *err)
{
    struct bytes raw;
    if (checked_value(reader, &raw, err) < 0)
        return -1;
    struct scan in = scan_of(raw);
    if (!scan_take(&in, '{') || scan_take(&in, '}'))
        return lied(err, "a LastEvaluatedKey that is not a key");
    reader->page->last_evaluated_key = raw;
    return 0;
}

static int add_units(struct item_page *page, struct bytes number, struct err *err)
{
    char text[40], *end;
    if (!bytes_copy(text, sizeof text, number))
        return lied(err, "CapacityUnits that are not a number");
    double units = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(units) || units < 0)
        return lied(err, "CapacityUnits that are not a number");
    page->capacity_units += units;
    return 0;
}

/* One object of ConsumedCapacity, already checked. */
static int add_capacity(struct item_page *page, struct bytes capacity, struct err *err)
{
    struct scan in = scan_of(capacity);
    struct bytes name, value;
    int more;
    if (!scan_take(&in, '{'))
        return lied(err, "a ConsumedCapacity that is not an object");
    for (bool first = true; (more = scan_member(&in, first, &name)) > 0; first = false) {
        if (!scan_value(&in, &value))
            return lied(err, "a ConsumedCapacity that does not end");
        if (bytes_is(name, "CapacityUnits") && add_units(page, value, err) < 0)
            return -1;
    }
    return more == 0 ? 0 : lied(err, "a ConsumedCapacity that does not end");
}

/* An object (Scan, Query) or an array of them (BatchGetItem). */
static int read_capacity(struct reader *reader, struct err *err)
{
    struct bytes raw, one;
    if (checked_value(reader, &raw, err) < 0)
        return -1;
    struct scan in = scan_of(raw);
    if (!scan_take(&in, '['))
        return add_capacity(reader->page, raw, err);
    while (scan_value(&in, &one)) {
        if (add_capacity(reader->page, one, err) < 0)
            return -1;
        if (!scan_take(&in, ','))
            break;
    }
    return 0;
}

/* {"table":[items]}. */
static int read_responses(struct reader *reader, struct err *err)
{
    struct bytes name;
    int more;
    bool first = true;
    reader->has_items = true;
    if (!scan_take(&reader->in, '{'))
        return lied(err, "Responses that are not an object");
    for (; (more = scan_member(&reader->in, first, &name)) > 0; first = false) {
        if (!first || !bytes_is(name, reader->table))
            return lied(err, "Responses of another table, or of one twice");
        if (read_items(reader, err) < 0)
            return -1;
    }
    return more == 0 ? 0 : lied(err, "Responses that do not end");
}

static int read_unprocessed(struct reader *reader, struct err *err)
{
    struct bytes raw, name;
    if (checked_value(reader, &raw, err) < 0)
        return -1;
    struct scan in = scan_of(raw);
    if (!scan_take(&in, '{'))
        return lied(err, "UnprocessedKeys that are not an object");
    int more = scan_member(&in, true, &name);
    if (more == 0)
        return 0;
    if (more < 0 || !bytes_is(name, reader->table) || !scan_object(&in, &reader->page->unprocessed) ||
        scan_member(&in, false, &name) != 0)
        return lied(err, "UnprocessedKeys of another table");
    return 0;
}

static const struct member page_members[] = {
    {"Items", read_items},
    {"Count", read_count},
    {"ScannedCount", read_scanned_count},
    {"LastEvaluatedKey", read_last_key},
    {"ConsumedCapacity", read_capacity},
    {NULL, NULL},
};

static const struct member batch_members[] = {
    {"Responses", read_responses},
    {"UnprocessedKeys", read_unprocessed},
    {"ConsumedCapacity", read_capacity},
    {NULL, NULL},
};

static int read_member(struct reader *reader, const struct member *members, struct bytes name,
                       struct err *err)
{
    struct bytes ignored;
    for (; members->name; members++)
        if (bytes_is(name, members->name))
            return members->read(reader, err);
    return checked_value(reader, &ignored, err);
}

/* The top level: each name once, none escaped (a LastEvaluatedKey must not hide), nothing behind. */
static int read_reply(struct reader *reader, const struct member *members, struct err *err)
{
    struct bytes seen[MEMBERS_MAX], name;
    size_t count = 0;
    int more;
    if (!scan_take(&reader->in, '{'))
        return lied(err, "something other than an object");
    while ((more = scan_member(&reader->in, count == 0, &name)) > 0) {
        if (count == MEMBERS_MAX || memchr(name.data, '\\', name.len))
            return lied(err, "names that no reply has");
        for (size_t i = 0; i < count; i++)
            if (bytes_equal(seen[i], name))
                return lied(err, "a repeated name");
        seen[count++] = name;
        if (read_member(reader, members, name, err) < 0)
            return -1;
    }
    if (more < 0 || !scan_at_end(&reader->in))
        return lied(err, "bad JSON, cut off, or with something behind its end");
    return 0;
}

static int start(struct reader *reader, struct bytes reply, struct err *err)
{
    struct item_page *page = reader->page;
    *page = (struct item_page){
        .items = page->items, .size = page->size, .digests = page->digests, .digest_size = page->digest_size};
    reader->in = scan_of(reply);
    if (reply.len > PAGE_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "a page of more than %lld bytes", PAGE_MAX);
    return 0;
}

static int read_page(struct reader *reader, struct bytes reply, struct err *err)
{
    struct item_page *page = reader->page;
    if (start(reader, reply, err) < 0 || read_reply(reader, page_members, err) < 0)
        return -1;
    if (!reader->has_items || !reader->has_count)
        return lied(err, "no Items or no Count");
    if (reader->count != page->count)
        return err_set(err, ERR_AWS_LIED, "reply with Count %llu and %zu Items",
                       (unsigned long long)reader->count, page->count);
    page->scanned_count = reader->has_scanned ? reader->scanned : reader->count;
    return page->scanned_count >= page->count ? 0 : lied(err, "a ScannedCount below Count");
}

int item_page_split(struct item_page *page, struct bytes reply, struct err *err)
{
    struct reader reader = {.page = page};
    return read_page(&reader, reply, err);
}

int item_page_read(struct item_page *page, struct item_scratch *scratch, struct bytes reply, struct err *err)
{
    struct reader reader = {.page = page, .scratch = scratch};
    unsigned char last[SHA256_BYTES];
    int result = read_page(&reader, reply, err);
    struct err ignored = ERR_INIT; /* of a page that is refused none may wait for the next page's items */
    int waited = item_digest_rest(scratch, last, result < 0 ? &ignored : err);
    if (result < 0 || waited < 0)
        return -1;
    if (waited > 0)
        memcpy(page->digests[page->count - 1], last, sizeof last);
    return 0;
}

int item_page_split_batch(struct item_page *page, struct bytes reply, const char *table, struct err *err)
{
    struct reader reader = {.page = page, .table = table};
    if (start(&reader, reply, err) < 0 || read_reply(&reader, batch_members, err) < 0)
        return -1;
    page->scanned_count = page->count;
    return reader.has_items ? 0 : lied(err, "no Responses");
}

void item_page_done(struct item_page *page)
{
    free(page->items);
    free(page->digests);
    *page = ITEM_PAGE_INIT;
}
