/*
 * The fingerprint of a set of items (CONTRACT.md section 5): how many, and the sum modulo 2^256 of the
 * SHA-256 of each canonical form. Order-free, so parts add up. It finds errors, it does not prove authorship.
 * Thread rule: one thread at a time.
 */
#pragma once
#include "item/canonical.h"

struct fingerprint {
    uint64_t count;
    unsigned char sum[SHA256_BYTES]; /* big-endian */
};

/* "v1:" count ":" 64 hex, with the closing NUL. */
#define FINGERPRINT_SIZE (3 + 20 + 1 + 64 + 1)
#define FINGERPRINT_EMPTY ((struct fingerprint){0})

/* Adds one item, given as its attribute map. ITEM_INVALID, NO_MEMORY; the fingerprint is then unchanged. */
int fingerprint_add(struct fingerprint *fingerprint, struct item_scratch *scratch, struct bytes item,
                    struct err *err);
/* Adds one item whose digest is known. */
void fingerprint_add_digest(struct fingerprint *fingerprint, const unsigned char digest[SHA256_BYTES]);
/* Adds all items of another set. */
void fingerprint_merge(struct fingerprint *fingerprint, const struct fingerprint *other);
bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b);
void fingerprint_format(const struct fingerprint *fingerprint, char ret_text[FINGERPRINT_SIZE]);
/* Only what fingerprint_format writes: no leading zeros, lower case. */
bool fingerprint_parse(struct bytes text, struct fingerprint *ret_fingerprint);
