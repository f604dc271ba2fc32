/*
 * Was an item read twice? Of all items that a segment was given, those with the smallest digests are kept:
 * at most ITEM_SAMPLE_MAX, whatever the table's size. As no two items of a table are equal, a digest that
 * comes twice, in one segment or in two, is an item that the scan gave twice: what is found is certain, and
 * a page that overlaps is found almost surely (docs/decisions/11-what-a-scan-can-hide.md). Plain memory, part
 * of its owner. Thread rule: one thread at a time.
 */
#pragma once
#include "base/json.h"
#include "item/sha256.h"

#define ITEM_SAMPLE_MAX 1024
#define ITEM_SAMPLE_BYTES 16 /* of a digest: enough that chance never makes two equal */

struct item_sample {
    size_t count;
    unsigned char digests[ITEM_SAMPLE_MAX][ITEM_SAMPLE_BYTES]; /* a heap: the largest comes first */
};

void item_sample_add(struct item_sample *sample, const unsigned char digest[SHA256_BYTES]);
/* A member that is an array of hex. */
void item_sample_write(const struct item_sample *sample, struct json_writer *writer, const char *name);
/* False: not one of ours. */
bool item_sample_read(const json_t *array, struct item_sample *ret_sample);
/* How many of these, gathered from all samples, are there more than once. Sorts them in place. */
size_t item_sample_twice(unsigned char (*digests)[ITEM_SAMPLE_BYTES], size_t count);
