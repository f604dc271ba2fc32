/*
 * A saved trail: NDJSON as GET /v1/audit gives it, newest or oldest first, of one node or several, verified
 * offline. Thread rule: pure.
 */
#pragma once
#include "audit/chain.h"
#include "base/arena.h"

struct audit_node_report {
    const char *node;
    int64_t first_seq; /* above 1: what came before is not in the file, and is taken on trust */
    int64_t last_seq;
    uint64_t rows;
    uint8_t head[AUDIT_HASH_SIZE]; /* hash of the last row */
};

struct audit_trail_report {
    struct audit_node_report nodes[AUDIT_NODES_MAX];
    size_t node_count;
};

/* Empty lines are skipped. Rows may come in any order but each must be there once. -1 with MISMATCH (the
 * first bad row of the first bad node and why), INVALID_BODY or INVALID_JSON (with the line), LIMIT_EXCEEDED,
 * NO_MEMORY. */
int audit_trail_verify(struct bytes ndjson, struct arena *arena, struct audit_trail_report *ret_report,
                       struct err *err);
