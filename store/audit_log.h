/*
 * The audit table as rows; hashing is audit/chain.h's. One chain per node, numbered from 1 without a gap.
 * Times, absence and thread rule as in store/jobs.h.
 */
#pragma once
#include "store/jobs.h"

struct audit_record {
    const char *node;
    int64_t seq;
    int64_t at;
    const char *actor, *issuer, *action, *object, *environment, *outcome, *request_id, *job_id, *plan_hash,
        *aws_request_id, *address;
    struct bytes detail; /* JSON text, exactly as hashed; empty: none */
    struct hash prev_hash, hash;
};

/* Where a node's chain ends. */
struct audit_head {
    int64_t seq;      /* 0: it is empty, */
    struct hash hash; /* and this is zero */
    struct bytes
        frontier; /* RFC 6962's, as it was stored, whatever the rows are; in arena, data NULL: none */
};
int tx_audit_head(struct tx *tx, const char *node, struct arena *arena, struct audit_head *ret_head,
                  struct err *err);
/* `frontier`: of the chain with this row in it. */
int tx_audit_insert(struct tx *tx, const struct audit_record *record, struct bytes frontier, struct err *err);

struct audit_query {
    struct list_page page;
    struct filter actor, action, object, environment;
    bool oldest_first; /* then before_key is an after_key */
};
/* *ret_keys: the rows' own, in arena; the last one is the next page's before_key. */
int tx_audit_list(struct tx *tx, const struct audit_query *query, struct arena *arena,
                  struct audit_record ***ret_rows, int64_t **ret_keys, size_t *ret_count, bool *ret_more,
                  struct err *err);
int tx_audit_get(struct tx *tx, const char *node, int64_t seq, struct arena *arena,
                 struct audit_record **ret_row, struct err *err);
/* Of all nodes together. */
int tx_audit_count(struct tx *tx, int64_t *ret_count, struct err *err);
