/*
 * Tables that a job makes for itself: created once, whatever dies in between, found again, and deleted only
 * while they are the job's own. Ours is what carries the tag recoverd:job=<origin>; where tags cannot be
 * read, what was created after our own intent with the same keys (DESIGN.md section 3). Identity is TableId,
 * else CreationDateTime.
 */
#pragma once
#include "aws/dynamodb.h"
#include "engine/work.h"

#define TABLE_TAG "recoverd:job"

/* CreateTable's input from a capsule: keys, indexes, table class, encryption and tags; on demand; tagged.
 * `skipped` (may be NULL) says which settings are left out. The caller's. INVALID_SPEC,
 * RECOVERY_POINT_DAMAGED. */
struct table_make {
    const char *name;
    const json_t *capsule;
    bool (*skipped)(const void *arg, const char *setting);
    const void *arg;
};
int table_make_request(const struct table_make *make, const char *origin, json_t **ret_request,
                       struct err *err);

/* Creates, or finds what an earlier run created; WORK_DONE when it is ACTIVE with its indexes (*ret_table in
 * the attempt's arena), WORK_AGAIN while it is not. The state document "table" holds {name, keys, intent_at,
 * asked_at, job, since, made, created_at, arn, table_id}; asked_at is the first CreateTable that was not
 * refused, since when this job waits for it.
 * TARGET_EXISTS: a table of this name is there and not ours; TABLE_REPLACED: ours is gone and another has its
 * name. */
int table_make(struct work *work, const struct table_make *make, struct dynamodb_table *ret_table,
               struct err *err);
/* The table of the state document as it is now: TABLE_REPLACED, TABLE_NOT_FOUND. */
int table_made(struct work *work, struct dynamodb_table *ret_table, struct err *err);
/* Deletes it if it is ours and there; WORK_AGAIN until it is gone, and while one that was asked for may still
 * appear. Nothing was made: WORK_DONE. TABLE_NOT_ACTIVE: it is still there after an hour. */
int table_unmake(struct work *work, struct err *err);

/* Is `table` the one that this state document says was made, or would be found as such? For plans of a retry.
 * Errors of ListTagsOfResource that may go away by themselves: nothing weaker than the tag decides then. */
int table_is_made(struct aws_session *aws, const json_t *state, const char *origin,
                  const struct dynamodb_table *table, bool *ret_made, struct err *err);
/* {arn, table_id | created_at, key schema}: what plans hash. The caller's; NULL without memory. */
json_t *table_identity(const struct dynamodb_table *table);
bool table_same(const json_t *state, const struct dynamodb_table *table);
/* Every index ACTIVE and not backfilling, and the table ACTIVE. */
bool table_ready(const struct dynamodb_table *table);
/* Can it be read and written? Also while its settings are being changed. */
bool table_usable(const struct dynamodb_table *table);
/* ARN-like name for audit rows. In arena. */
const char *table_object(struct work *work, const char *table);
