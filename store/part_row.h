/* Reading a row of part. Not for other rooms. */
#pragma once
#include "store/states.h"

#define PART_COLUMNS                                                                                         \
    "key, job_key, step_key, seq, name, spec, cursor, state, lease_owner, lease_epoch, not_before, "         \
    "attempts, "                                                                                             \
    "crashes, items, bytes, files"

struct part *part_read(struct query *query, struct arena *arena, struct err *err); /* NULL: NO_MEMORY */

static inline bool part_state_open(enum part_state state)
{
    return state <= PART_RUNNING;
}
