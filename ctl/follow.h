/* Waits for the end of a job and shows how it goes. Thread rule: one thread. */
#pragma once
#include "ctl/ctl.h"

/* `timeout_ms` 0: as long as it takes. Prints the job as the result and gives the code of its end;
 * EXIT_STILL_RUNNING, EXIT_DETACHED and what stopped the looking have been said with how to come back.
 * `whole`: the result is the whole job also in the form of a table. */
enum exit_code follow_job(struct ctl *ctl, const char *id, int64_t timeout_ms, bool whole);
/* The job as the result, in the form of a table only what matters at its end. */
void follow_print(struct ctl *ctl, const json_t *job, struct bytes raw);
