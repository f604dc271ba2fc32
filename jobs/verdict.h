/* What the kinds that validate say: a verdict, the checks behind it, and what was read. Not for other rooms.
 */
#pragma once
#include "engine/work.h"

/* The result of such a kind. */
extern const struct field verdict_result[];

/* Adds a check to the array; `detail` may be NULL. NO_MEMORY. */
int verdict_check(json_t *checks, const char *name, bool ok, const char *detail, struct err *err);

struct verdict {
    const char *word; /* intact, damaged, mismatch, unverifiable */
    json_t *checks;   /* borrowed */
    int64_t items;    /* read */
    const char *sum;  /* fingerprint; NULL: it would only mislead */
    /* unverifiable makes the job partial, with this condition and why */
    const char *condition, *why;
};
/* The result of the job; what the verdict makes of the job is the caller's, but for unverifiable. */
int verdict_tell(struct work *work, const struct verdict *verdict, struct err *err);
