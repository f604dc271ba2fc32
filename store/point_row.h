/* Reading a row of recovery_point. Not for other rooms. */
#pragma once
#include "store/states.h"

#define POINT_SELECT                                                                                         \
    "SELECT key, id, environment, type, method, origin, resource, account, region, arn, table_id, "          \
    "location, "                                                                                             \
    "status, trust, consistency_from, consistency_to, items, bytes, stored_bytes, fingerprint, "             \
    "manifest_sha256, job_id, encryption, note, tags, created_at, verified_at, proven_at, version "          \
    "FROM recovery_point "

/* The first row; NOT_FOUND without one. */
int point_get(struct tx *tx, const char *sql, const struct value *values, size_t count, struct arena *arena,
              struct recovery_point **ret_point, struct err *err);
