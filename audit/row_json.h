/*
 * An audit row as JSON: what GET /v1/audit and NDJSON say, and the way back, so that `recoverctl audit
 * verify` can recompute every hash from what was saved. Every hashed field is a member of its own name, null
 * when absent; `detail` is the stored text as a JSON string, not an object; `at` is RFC 3339 with
 * milliseconds; hashes are hex. Thread rule: pure.
 */
#pragma once
#include "audit/chain.h"
#include "base/arena.h"
#include "base/json.h"

/* One object; `name` NULL in an array or at the top. */
void audit_row_write(struct json_writer *w, const char *name, const struct audit_row *row);
/* Exactly the members that audit_row_write makes, in any order. Strings in arena. INVALID_BODY with the
 * member, or INVALID_JSON. The hash is read, not judged. */
int audit_row_parse(struct bytes json, struct arena *arena, struct audit_row *ret_row, struct err *err);
