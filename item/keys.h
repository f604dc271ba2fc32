/*
 * Keys of items: found in an item's raw bytes, written as a Key object, hashed for logs and comparisons (a
 * key is as secret as the item it belongs to). Thread rule: any thread, each with its own scratch.
 */
#pragma once
#include "base/buffer.h"
#include "base/limits.h"
#include "item/canonical.h"

#define ITEM_KEYS_MAX 2
/* A key value has at most 2048 bytes, as escapes six times that. */
#define ITEM_KEY_OBJECT_MAX (64 * KIB)

struct item_key_names {
    const char *names[ITEM_KEYS_MAX]; /* partition key, then sort key */
    size_t count;                     /* 1 or 2 */
};

/* ret_values[i] is the raw value of names->names[i] ({"S":"x"}), borrowed from `item`. ITEM_INVALID: an
 * attribute is missing, there twice, or not of type S, N or B. Only balance and these names are checked.
 * NO_MEMORY. */
int item_keys_find(struct bytes item, const struct item_key_names *names,
                   struct bytes ret_values[ITEM_KEYS_MAX], struct err *err);
/* {"pk":{"S":"x"},"sk":{"N":"1"}} at the end of out, as GetItem, DeleteItem and BatchGetItem want it. */
void item_keys_write(struct buffer *out, const struct item_key_names *names,
                     const struct bytes values[ITEM_KEYS_MAX]);
/* SHA-256 of the canonical form of the item's Key object: the same for the same key, however it was written.
 */
int item_keys_digest(struct item_scratch *scratch, struct bytes item, const struct item_key_names *names,
                     unsigned char ret_digest[SHA256_BYTES], struct err *err);
/* A number that is the same for the same key, however it was written; now and then another key has it as
 * well. Cheaper than a digest by far. `room` is kept by the caller from item to item; it is made secret. */
int item_keys_mark(struct item_scratch *scratch, struct bytes item, const struct item_key_names *names,
                   struct buffer *room, uint32_t *ret_mark, struct err *err);
/* item_keys_digest as lower-case hex. */
int item_keys_hash(struct item_scratch *scratch, struct bytes item, const struct item_key_names *names,
                   char ret_hex[HEX_SIZE(SHA256_BYTES)], struct err *err);
