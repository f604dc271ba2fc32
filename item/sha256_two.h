/*
 * SHA-256 of two texts at once, in little more time than one takes. Thread rule: as for sha256.h.
 */
#pragma once
#include "item/sha256.h"

/* What may be written behind a text: the padding of FIPS 180-4 section 5.1.1. */
#define SHA256_ROOM 72

struct sha256_text {
    unsigned char *data; /* with SHA256_ROOM bytes of the caller's own behind it, whose content is lost */
    size_t len;
};

/* Has this processor the instructions? Asked once by whoever hashes much: the answer takes microseconds. */
bool sha256_two_fast(void);
/* `fast`: what sha256_two_fast said, or false to go without. */
int sha256_two(struct sha256 *sha, bool fast, const struct sha256_text texts[2],
               unsigned char ret_digests[2][SHA256_BYTES], struct err *err);
