/*
 * Between the files of backup.table. Not for other files. What the job keeps in its durable state:
 *
 *   tree      {point, location, from}: which recovery point this is, where it lies, when reading began
 *   source    {table, arn, table_id, created_ms, account, region, items, bytes, read_units, unreadable}: the
 *             table as it was then; `unreadable` says that some settings could not be read
 *   capsule   its settings
 *   sample.N  {items}: of segment N
 *   finish    {to, tool}: fixed once, so that the manifest written again after a crash has the same bytes
 */
#pragma once
#include "aws/dynamodb.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "engine/work.h"
#include "jobs/data_file.h"
#include "jobs/manifest.h"

#define BACKUP_SAMPLE "sample.%d" /* state document of a segment: {items: jobs/item_sample.h} */

step_fn backup_prepare;
step_fn backup_split;
step_fn backup_segment;
step_fn backup_finish;
step_fn backup_read_back_split;
step_fn backup_read_back;
step_fn backup_close;

/* A state document that must be there: a step before this one has put it. The caller owns it. */
int backup_state(struct work *work, const char *name, json_t **ret_value, struct err *err);
/* AWS_LIED when segments gave the same item more than once. */
int backup_nothing_twice(struct work *work, const char *table, struct err *err);
/* DescribeTable with the job's words for what can be wrong: TABLE_NOT_FOUND, TABLE_NOT_ACTIVE. */
int backup_describe(struct aws_session *aws, const char *table, struct arena *arena,
                    struct dynamodb_table *ret_table, struct err *err);
/* The recovery point's folder as a root. */
int backup_root(struct work *work, struct root **ret_root, struct err *err);
/* Small files of the tree; an audit pair where the root is AWS's. */
int backup_put(struct work *work, struct root *root, const char *path, struct bytes content, struct err *err);
/* Deletes what does not belong to the tree, by the same rule. */
int backup_delete(struct work *work, struct root *root, const char *path, struct err *err);
/* Changes the row of the recovery point in a fenced transaction. */
int backup_point_change(struct work *work, void (*apply)(struct recovery_point *point, const void *arg),
                        const void *arg, struct err *err);
/* The unfinished tree is named as left behind, in this job too when it is a retry; or no more, when it is
 * finished. */
int backup_leftover(struct work *work, bool left, struct err *err);
