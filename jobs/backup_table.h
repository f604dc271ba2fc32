/* backup.table: one table to a recovery point by parallel, consistent scans (DESIGN.md section 5). */
#pragma once
#include "engine/kind.h"

extern const struct job_kind backup_table;
