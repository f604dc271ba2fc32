#include "jobs/kinds.h"

#include "jobs/restore_table.h"

const struct job_kind *const job_kinds[] = {&restore_table, NULL};
