/* restore.table: a table from a recovery point, a tree or a file, into a new table or an empty one, proven.
 */
#pragma once
#include "engine/kind.h"

extern const struct job_kind restore_table;

/* What would happen: see engine/kind.h. */
int restore_table_plan(struct ask *ask, struct planning *planning, struct err *err);
