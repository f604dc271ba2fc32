#include "jobs/kinds.h"

#include "jobs/backup_table.h"
#include "jobs/restore_table.h"
#include "jobs/validate_backup.h"
#include "jobs/validate_table.h"

const struct job_kind *const job_kinds[] = {&backup_table, &restore_table, &validate_backup, &validate_table,
                                            NULL};
