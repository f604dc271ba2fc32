/*
 * Writes one gzip member (RFC 1952) to a file descriptor: lines in, compressed bytes out, counted and hashed
 * on the way. Memory is bounded (about 0.6 MiB a writer). The same bytes go in, the same come out, however
 * they were cut into calls: no time and no name in the header. (Another kind of processor may compress
 * differently.) Thread rule: one thread at a time.
 */
#pragma once
#include "item/sha256.h"

struct gzip_write;

struct gzip_written {
    uint64_t raw_bytes;
    uint64_t stored_bytes;
    unsigned char sha256[SHA256_BYTES]; /* of the stored bytes */
};

/* The descriptor stays the caller's. NULL with NO_MEMORY. */
struct gzip_write *gzip_write_open(int fd, struct err *err);
/* Another file with the memory of one that has ended or was given up, which is wiped. */
int gzip_write_again(struct gzip_write *gzip, int fd, struct err *err);
/* DISK_FULL, IO; every later call then fails too. */
int gzip_write_add(struct gzip_write *gzip, const void *data, size_t len, struct err *err);
/* The line {"Item":...} of a raw attribute map that item_canonical has taken; line breaks between its tokens
 * become spaces, so that it stays one line. */
int gzip_write_item(struct gzip_write *gzip, struct bytes item, struct err *err);
/* What was added so far. */
uint64_t gzip_write_raw(const struct gzip_write *gzip);
/* The most stored bytes if it were finished now: decides when a file is full. */
uint64_t gzip_write_bound(const struct gzip_write *gzip);
/* Ends the member, writes everything, and says what was written. Does not sync. The writer is still to be
 * freed. */
int gzip_write_finish(struct gzip_write *gzip, struct gzip_written *ret_written, struct err *err);
/* Frees; without gzip_write_finish before it, the file is left as it is, cut. Accepts NULL. Wipes. */
void gzip_write_abort(struct gzip_write *gzip);

static inline void gzip_write_abort_p(struct gzip_write **gzip)
{
    gzip_write_abort(*gzip);
}
