/*
 * Replies of DynamoDB's data plane, cut into items without a DOM, in one pass (API reference: Scan, Query,
 * BatchGetItem). Spans are borrowed from the reply's bytes. What is returned is balanced JSON; that each span
 * is an item is item_canonical's to say, all else has passed json_check. A reply that is not JSON, or
 * contradicts itself, is AWS_LIED (it may be asked for again); NO_MEMORY, LIMIT_EXCEEDED. Thread rule: a page
 * belongs to one thread.
 */
#pragma once
#include "item/canonical.h"

struct item_page {
    struct bytes *items; /* attribute maps, raw; owned by the page, reused by the next split */
    size_t count;
    size_t size;                            /* room in items */
    unsigned char (*digests)[SHA256_BYTES]; /* of each item (item_digest); item_page_read only. Owned too */
    size_t digest_size;
    uint64_t scanned_count;          /* before a filter; equal to count when the reply does not say */
    struct bytes last_evaluated_key; /* raw, to be sent back as it is; data NULL: this was the last page */
    struct bytes unprocessed; /* BatchGetItem: the table's entry of UnprocessedKeys, raw; data NULL: none */
    double capacity_units;    /* 0 when the reply does not say */
};

#define ITEM_PAGE_INIT ((struct item_page){0})
void item_page_done(struct item_page *page);

/* A reply of Scan or Query, at most PAGE_MAX bytes. Refused: no Items, no Count, Count other than the number
 * of Items, ScannedCount below Count, a name twice, anything behind the object. */
int item_page_split(struct item_page *page, struct bytes reply, struct err *err);
/* item_page_split, and on the same way each item is judged and hashed: an element of Items that is no item is
 * AWS_LIED too. */
int item_page_read(struct item_page *page, struct item_scratch *scratch, struct bytes reply, struct err *err);
/* A reply of BatchGetItem that asked for keys of `table` only; items of another table are refused. */
int item_page_split_batch(struct item_page *page, struct bytes reply, const char *table, struct err *err);
