/*
 * SOURCE on the command line: the id of a recovery point, s3://..., file://..., or latest:TABLE, the newest
 * usable point of a table; table:NAME where the kind's schema has that form. Thread rule: one thread.
 */
#pragma once
#include "ctl/ctl.h"

/* The member of the spec; `schema` says which forms this kind takes. */
enum exit_code source_resolve(struct ctl *ctl, const char *text, const json_t *schema, json_t **ret_source);
/* The id of the recovery point that POINT names: an id (`text` itself), or latest:TABLE (in arena). */
enum exit_code source_point(struct ctl *ctl, const char *text, const char **ret_id);
