/*
 * The settings of a table that a restore would lose (CONTRACT.md section 5, capsule.json), read from AWS before a backup and
 * applied after a restore. Each setting is one row of one table: name, how it is read, compared and applied.
 */
#pragma once
#include "engine/work.h"

/* Reads every setting; a peer that does not know one (UnknownOperation, 501) is `unsupported`, one that fails otherwise is
 * `unreadable` (named with its reason in the capsule; the caller makes the job partial). The JSON is the caller's. */
int capsule_read(struct aws_session *aws, const struct environment *environment, const char *table, json_t **ret_capsule,
                 bool *ret_unreadable, struct err *err);
/* Is it a capsule of format 1, with a key schema? RECOVERY_POINT_DAMAGED otherwise. */
int capsule_check(const json_t *capsule, struct err *err);
