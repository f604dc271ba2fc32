/*
 * The canonical form of an item (CONTRACT.md section 5): the same bytes for the same item, whatever order,
 * spacing, escapes and spelling of numbers it came in. It is also the judge of what is an item at all. One
 * pass over the bytes, no DOM; n log n in the number of members. Thread rule: a scratch belongs to one
 * thread.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"
#include "item/sha256.h"

/* Memory reused from item to item: at most about 40 MiB for the worst text of ITEM_WIRE_MAX, a few KiB for
 * usual ones. It has held items, so it is wiped when freed. */
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

static inline void item_scratch_free_p(struct item_scratch **scratch)
{
    item_scratch_free(*scratch);
}
