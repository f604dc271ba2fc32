/*
 * How fast a table that serves others is read: as was asked, but never above the limit; with neither, a third
 * of what is provisioned, and on demand 3,000 units a second (CONTRACT.md section 2).
 */
#pragma once
#include <stdint.h>

#define READ_RATE_SHARE 3
#define READ_RATE_ON_DEMAND 3000

/* Units a second, at least 1. `asked` and `limit` 0: not set; `provisioned` 0: on demand. */
static inline int64_t read_rate(int64_t asked, int64_t limit, int64_t provisioned)
{
    if (asked > 0 && (limit <= 0 || asked < limit))
        return asked;
    if (limit > 0)
        return limit;
    if (provisioned <= 0)
        return READ_RATE_ON_DEMAND;
    return provisioned < READ_RATE_SHARE ? 1 : provisioned / READ_RATE_SHARE;
}
