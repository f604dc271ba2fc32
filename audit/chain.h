/*
 * The audit trail's arithmetic, pure: the hash of a row over its stored bytes, the chain from row to row, the
 * RFC 6962 frontier beside it, and the check of a run of rows. One chain a node; its first row has seq 1 and
 * 32 zero bytes as prev_hash. Nothing is re-serialised to be hashed: `detail` is text, kept and shown exactly
 * as it was written. Thread rule: pure; a verification belongs to one thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

#define AUDIT_HASH_SIZE 32

/* Fields in the order in which they are hashed: name, required. Absent (NULL) and empty hash differently. */
#define AUDIT_FIELDS(X)                                                                                      \
    X(node, true)                                                                                            \
    X(actor, true)                                                                                           \
    X(issuer, false)                                                                                         \
    X(action, true)                                                                                          \
    X(object, false)                                                                                         \
    X(environment, false)                                                                                    \
    X(outcome, true)                                                                                         \
    X(request_id, false)                                                                                     \
    X(job_id, false)                                                                                         \
    X(plan_hash, false)                                                                                      \
    X(aws_request_id, false)                                                                                 \
    X(address, false)                                                                                        \
    X(detail, false)

/* All text is UTF-8 in the form that the API shows (ids with hyphens, hashes in hex). Borrowed. */
struct audit_row {
    int64_t seq; /* from 1, gapless */
    int64_t ts_ms;
#define AUDIT_FIELD_MEMBER(name, required) const char *name;
    AUDIT_FIELDS(AUDIT_FIELD_MEMBER)
#undef AUDIT_FIELD_MEMBER
    uint8_t prev_hash[AUDIT_HASH_SIZE];
    uint8_t hash[AUDIT_HASH_SIZE];
};

/* SHA-256("audit/v1" 0x00 be64(seq) be64(ts_ms) fields prev_hash); a field is be32(length) and its bytes, an
 * absent one 0xffffffff. Does not read row->hash. INTERNAL when OpenSSL fails. */
int audit_row_hash(const struct audit_row *row, uint8_t ret_hash[AUDIT_HASH_SIZE], struct err *err);
/* Could this row be written and read back from JSON without losing a bit? seq, a date of the years 1970 to
 * 9999, required fields, sizes, UTF-8, an action and outcome of the table, detail one JSON object. INTERNAL
 * with the field. */
int audit_row_sound(const struct audit_row *row, struct err *err);

/* -- frontier (RFC 6962 section 2.1) -- */

#define AUDIT_FRONTIER_MAX 63
#define AUDIT_FRONTIER_BYTES (8 + AUDIT_FRONTIER_MAX * AUDIT_HASH_SIZE)

/* The roots of the full subtrees, largest first: as many as `size` has bits set. The leaf of a row is its
 * hash. */
struct audit_frontier {
    uint64_t size; /* rows */
    uint8_t nodes[AUDIT_FRONTIER_MAX][AUDIT_HASH_SIZE];
};

void audit_frontier_init(struct audit_frontier *frontier);
int audit_frontier_add(struct audit_frontier *frontier, const uint8_t row_hash[AUDIT_HASH_SIZE],
                       struct err *err);
int audit_frontier_root(const struct audit_frontier *frontier, uint8_t ret_root[AUDIT_HASH_SIZE],
                        struct err *err);
/* be64(size) and the nodes, as the store keeps it. Returns the length. */
size_t audit_frontier_pack(const struct audit_frontier *frontier, uint8_t ret_data[AUDIT_FRONTIER_BYTES]);
int audit_frontier_unpack(struct bytes data, struct audit_frontier *ret_frontier,
                          struct err *err); /* STORE_CORRUPT */

/* -- verification -- */

enum audit_fault {
    AUDIT_SOUND,
    AUDIT_FAULT_NODE,     /* a row of another node */
    AUDIT_FAULT_GAP,      /* rows are missing before this one */
    AUDIT_FAULT_REPEATED, /* a seq that was there already, or out of order */
    AUDIT_FAULT_LINK,     /* prev_hash is not the hash of the row before */
    AUDIT_FAULT_HASH,     /* the row's own hash does not fit its content */
    AUDIT_FAULT_HEAD      /* the end is not the head that was expected: rows were cut off */
};

/* Rows of one node, ascending. Begins at what is trusted: a head, or the very first row. */
struct audit_check {
    const char *node; /* NULL: that of the first row */
    int64_t next_seq;
    bool trust_first; /* the first row's own seq and prev_hash are taken: a part of a trail */
    uint8_t last_hash[AUDIT_HASH_SIZE];
    uint64_t rows; /* sound ones so far */
    enum audit_fault fault;
    int64_t fault_seq;
};

/* From row 1 on. */
void audit_check_begin(struct audit_check *check, const char *node);
/* From behind a head that somebody kept: rows seq+1.. */
void audit_check_begin_after(struct audit_check *check, const char *node, int64_t seq,
                             const uint8_t hash[AUDIT_HASH_SIZE]);
/* From wherever the rows begin: says that they belong together, not that nothing is missing before. */
void audit_check_begin_part(struct audit_check *check);
/* 0, or -1 with MISMATCH: which row and why. After the first fault every call fails the same. `row` may go
 * afterwards except for its node. */
int audit_check_row(struct audit_check *check, const struct audit_row *row, struct err *err);
/* Is the last row the one of this head? Without this a trail that lost its end looks sound. */
int audit_check_head(struct audit_check *check, int64_t seq, const uint8_t hash[AUDIT_HASH_SIZE],
                     struct err *err);
