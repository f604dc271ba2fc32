#include "jobs/kinds.h"

const struct job_kind *const job_kinds[] = {NULL};
