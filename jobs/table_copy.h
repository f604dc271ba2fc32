/*
 * From a source to a table, proven: the steps that restore.table and a proof of validate.backup share. Which
 * source and which table follow from the job's spec: restore.table says target_table; a proof has none and
 * fills recoverd-prove-<job>. What the job keeps in its durable state:
 *
 *   source   {identity}: fixed by the first step, equal ever after
 *   file.N   {fingerprint}: of the Nth file, when no manifest says it
 *   table    jobs/table_make.h; of a table that was there: {name, found, created_at, arn, table_id}
 *   target   {segments}, target.N: jobs/table_sum.h
 *   expired  {}: the source holds items that TTL would delete
 */
#pragma once
#include "engine/work.h"
#include "item/fingerprint.h"
#include "jobs/source.h"
#include "jobs/table_make.h"

/* Steps, in this order. */
step_fn copy_verify_split; /* the whole source is checked before anything is written */
step_fn copy_verify_files;
step_fn copy_create; /* the table, ACTIVE; or the empty one that is there */
step_fn copy_load_split;
step_fn copy_load_files;
step_fn copy_sum_split; /* the table is read again, */
step_fn copy_sum_segment;
step_fn copy_compare; /* and equals the source: else MISMATCH, with the counts in the result */

/* Is there anything to copy: a restore always; a proof when spec.prove says so. The steps do nothing
 * otherwise. */
bool copy_wanted(const struct work *work);
/* In arena; NULL without memory. */
const char *copy_target(const struct work *work);

/* Of overrides.key_schema: {hash, range?}. */
extern const struct field copy_key_fields[];

struct copy {
    struct work *work;
    const char *target;
    struct source *source;
    json_t *capsule; /* with the overrides; NULL: the source has none, and nothing says what the keys are */
};
void copy_close(struct copy *copy);
/* Opens the source, which must be the one of the first step. Errors of source_open; SOURCE_UNREADABLE when it
 * differs. */
int copy_open(struct work *work, struct copy *ret_copy, struct err *err);
/* What the whole source adds up to. After the first step only. */
int copy_expected(struct copy *copy, struct fingerprint *ret_sum, struct err *err);

/* Every item of the source was compared: its point, when it is one of the catalogue, is proven. Not when it
 * was found damaged meanwhile: validate.backup has the say on that. */
int copy_tell_proven(struct work *work, const struct source *source, struct err *err);

/* The settings that the target shall have: the source's capsule with spec.overrides in its place.
 * *ret_capsule NULL when there is neither a capsule nor override.key_schema; else the caller's. INVALID_SPEC
 * with a pointer, RECOVERY_POINT_DAMAGED. */
int copy_settings(struct bytes capsule, const json_t *spec, json_t **ret_capsule, struct err *err);
/* Does spec.settings leave it out? */
bool copy_skips(const void *spec, const char *setting);
