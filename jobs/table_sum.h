/*
 * Counts and fingerprints a whole table by parallel consistent scans: what proofs and validate.table compare.
 * A sum has a name, so that one job can have several; its parts leave {fingerprint} in the state documents
 * NAME.0 .. NAME.n-1.
 */
#pragma once
#include "engine/work.h"
#include "item/fingerprint.h"

struct table_sum {
    const char *name; /* of the state documents */
    const char *table;
    int64_t items;       /* about how many: decides how many segments; -1: unknown */
    int64_t provisioned; /* read units, which with the environment's limit decide how fast (jobs/read_rate.h);
                            0: on demand; TABLE_SUM_UNCAPPED: the job's own table, which serves nobody else */
};
#define TABLE_SUM_UNCAPPED (-1)
/* In a split function: says the parts. */
int table_sum_split(struct work *work, const struct table_sum *sum, struct err *err);
/* The part function of such a step. */
int table_sum_part(struct work *work, struct err *err);
/* In a step after it. */
int table_sum_total(struct work *work, const char *name, struct fingerprint *ret_sum, struct err *err);
