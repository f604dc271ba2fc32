/*
 * The settings of a table that a restore would lose (CONTRACT.md section 5, capsule.json), read from AWS
 * before a backup and applied after a restore. Each setting is one row of jobs/settings.h.
 *
 *   {"format": 1, "table": name, "arn": arn, "region": region,
 *    "settings": {name: {"value": ...} | {"unsupported": true} | {"unreadable": {"code", "message"}}}}
 *
 * Thread rule: any thread with its own session.
 */
#pragma once
#include "aws/dynamodb.h"
#include "engine/work.h"

#define CAPSULE_FORMAT 1

struct capsule_options {
    struct aws_session *aws;
    const struct environment *environment;
    const char *table;
    bool patient; /* what may go away by itself ends the reading with its error: it will be tried again */
};
/* Reads every setting; a peer that does not know one (UnknownOperation, 501) is `unsupported`, one that fails
 * otherwise is `unreadable` (named with its reason in the capsule; the caller makes the job partial). The
 * JSON is the caller's. AWS_NOT_FOUND: there is no such table. */
int capsule_read(const struct capsule_options *options, json_t **ret_capsule, bool *ret_unreadable,
                 struct err *err);
/* Is it a capsule of format 1, with a key schema? RECOVERY_POINT_DAMAGED otherwise. */
int capsule_check(const json_t *capsule, struct err *err);

/* The keys, borrowed from the capsule. RECOVERY_POINT_DAMAGED without. */
int capsule_key(const json_t *capsule, struct dynamodb_key *ret_key, struct err *err);
/* What a setting was; NULL when it could not be read or is not in the capsule. Borrowed. */
const json_t *capsule_value(const json_t *capsule, const char *name);
enum capsule_state { CAPSULE_ABSENT, CAPSULE_READ, CAPSULE_UNSUPPORTED, CAPSULE_UNREADABLE };
enum capsule_state capsule_state(const json_t *capsule, const char *name);

/* An empty one, to be filled from overrides; the caller's. Takes `value`, NULL being "no memory". */
int capsule_new(json_t **ret_capsule, struct err *err);
int capsule_set(json_t *capsule, const char *name, json_t *value, struct err *err);
