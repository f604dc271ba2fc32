/*
 * Reads gzip (RFC 1952) as a stream: inflates, checks each member's CRC-32 and length, hashes the stored
 * bytes on the way. It is itself a stream_read_fn. Nothing of a damaged file is to be believed until the end
 * was reached: what came before the fault has been handed out. Memory is bounded (about 0.2 MiB). Thread
 * rule: one thread at a time.
 */
#pragma once
#include "item/sha256.h"
#include "item/stream.h"

enum gzip_mode {
    GZIP_ONE,   /* one member and nothing behind it: our own files */
    GZIP_MANY,  /* one member or more: foreign files */
    GZIP_PLAIN, /* no gzip at all; hashed and counted the same */
};

struct gzip_options {
    enum gzip_mode mode;
    enum err_code damaged; /* for whatever is wrong with the bytes */
    uint64_t raw_max;      /* inflated bytes at most; 0: DATA_FILE_RAW_MAX */
    uint64_t ratio_max;    /* inflated by stored bytes at most; 0: GZIP_RATIO_MAX */
};

struct gzip_seen {
    uint64_t raw_bytes;
    uint64_t stored_bytes;
    uint64_t members;
    unsigned char sha256[SHA256_BYTES]; /* of the stored bytes */
};

struct gzip_read;

/* `read` gives the stored bytes. NULL with NO_MEMORY. */
struct gzip_read *gzip_read_new(const struct gzip_options *options, stream_read_fn *read, void *arg,
                                struct err *err);
void gzip_read_free(struct gzip_read *gzip); /* accepts NULL; wipes */

/* A stream_read_fn; arg is the struct gzip_read. `damaged` for bytes that are not what the mode says, cut,
 * too large. */
int gzip_read_some(void *gzip, void *to, size_t size, size_t *ret_len, struct err *err);
/* After the end was reached, once: what went by. INTERNAL before the end. */
int gzip_read_finish(struct gzip_read *gzip, struct gzip_seen *ret_seen, struct err *err);
/* Reads and forgets everything up to the end, then gzip_read_finish: the check of a file. */
int gzip_read_check(struct gzip_read *gzip, struct gzip_seen *ret_seen, struct err *err);

static inline void gzip_read_free_p(struct gzip_read **gzip)
{
    gzip_read_free(*gzip);
}
