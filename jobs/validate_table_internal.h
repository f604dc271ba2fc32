/*
 * Between the files of validate.table. Not for other files. Durable state:
 *
 *   against       {source, identity, overrides?, settings?, note?} | {table} | {}: what the table is compared
 *                 with, fixed by the first step; overrides and settings are those of the job that made it
 *   table         {name, found, created_at, arn, table_id}: as jobs/table_make.h keeps it, so that a replaced
 *                 one is noticed
 *   file.N        {fingerprint}: of a file that no manifest vouches for
 *   mine, theirs  sums of the table and of the other one (jobs/table_sum.h)
 */
#pragma once
#include "base/cleanup.h"
#include "engine/engine.h"
#include "engine/work.h"
#include "item/fingerprint.h"
#include "jobs/table_copy_internal.h"

step_fn validate_table_prepare;
step_fn validate_table_other_split;
step_fn validate_table_other;
step_fn validate_table_scan_split;
step_fn validate_table_scan;
step_fn validate_table_judge;

#define SUM_MINE "mine"
#define SUM_THEIRS "theirs"

/* The state document, and the source it names (copy.source NULL when it names none). */
struct against {
    struct copy copy;
    json_t *state;
};
int against_open(struct work *work, struct against *ret_against, struct err *err);
void against_close(struct against *against);
