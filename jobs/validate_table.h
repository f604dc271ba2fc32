/* validate.table: does a table hold what a source, or another table, holds? Reads only. */
#pragma once
#include "engine/kind.h"

extern const struct job_kind validate_table;
