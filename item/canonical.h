/*
 * The canonical form of an item (CONTRACT.md section 5): the same bytes for the same item, whatever order,
 * spacing, escapes and spelling of numbers it came in. It is also the judge of what is an item at all. One
 * pass over the bytes, no DOM; n log n in the number of members. Thread rule: a scratch belongs to one
 * thread.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"
#include "item/scan.h"
#include "item/sha256.h"

/* Memory reused from item to item: at most about 50 MiB for the worst text of ITEM_WIRE_MAX, a few KiB for
 * usual ones (what is reserved beyond that is never touched). It has held items, so it is wiped when freed.
 */
struct item_scratch;

struct item_scratch *item_scratch_new(struct err *err); /* NULL with NO_MEMORY */
void item_scratch_free(struct item_scratch *scratch);   /* accepts NULL */

/*
 * `item` is the attribute map ({"id":{"S":"1"}}, without "Item"), at most ITEM_WIRE_MAX bytes; space round it
 * is allowed. *ret_canonical is borrowed from the scratch until its next use. ITEM_INVALID with what and the
 * byte offset, never with the value; NO_MEMORY.
 */
int item_canonical(struct item_scratch *scratch, struct bytes item, struct bytes *ret_canonical,
                   struct err *err);
/* item_canonical and the SHA-256 of it; ret_canonical may be NULL. */
int item_digest(struct item_scratch *scratch, struct bytes item, unsigned char ret_digest[SHA256_BYTES],
                struct bytes *ret_canonical, struct err *err);

/*
 * Many items, one after the other, each in one pass: the item that is next in `in` is judged like in
 * item_canonical, and *in moves behind it; *ret_item is its raw text. Two items are hashed at once, which
 * takes little more time than one: 0, it waits for the next; 2, there are the digests of the one that waited
 * and of this one. After a failure none waits. item_digest_rest gives the digest of the last one: 1, or 0
 * when none waits. Between the two the scratch serves no other run; item_canonical and item_digest may come
 * in between.
 */
int item_digest_next(struct item_scratch *scratch, struct scan *in, struct bytes *ret_item,
                     unsigned char ret_digests[2][SHA256_BYTES], struct err *err);
int item_digest_rest(struct item_scratch *scratch, unsigned char ret_digest[SHA256_BYTES], struct err *err);

static inline void item_scratch_free_p(struct item_scratch **scratch)
{
    item_scratch_free(*scratch);
}
