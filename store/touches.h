/*
 * Touches: which root job reads or writes which resource (ARN, or environment/table before one exists).
 * Wanted at submit, granted all at once when the root starts, shared by descendants, freed when it is final.
 * Thread rule: inside a store_fn only.
 */
#pragma once
#include "store/jobs.h"

struct touch {
    const char *resource;
    bool write;
};

int tx_touches_want(struct tx *tx, int64_t root_key, const struct touch *touches, size_t count,
                    struct err *err);
/* Grants all of this root's touches, or none: *ret_granted false when another root holds a conflicting one,
 * or an older root wants one (who has waited long blocks younger ones). Then *ret_blockers are their ids (at
 * most TOUCH_BLOCKERS_MAX), in arena. */
int tx_touches_grant(struct tx *tx, int64_t root_key, bool *ret_granted, struct arena *arena,
                     struct id **ret_blockers, size_t *ret_blocker_count, struct err *err);
int tx_touches_free(struct tx *tx, int64_t root_key, struct err *err);
