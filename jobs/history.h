/* How long jobs like the one that is planned took before. */
#pragma once
#include "engine/kind.h"

/* Puts duration_p50_seconds and duration_p95_seconds into `estimates` when jobs of this kind, environment and
 * resource have succeeded before. *ret_p95_ms: 0 without any. */
int history_estimate(const struct ask *ask, json_t *estimates, int64_t *ret_p95_ms, struct err *err);
