/*
 * Where else the account has tables: for the hint when those of the configuration are missing. Only
 * ListTables is called, which the policy in deploy/ allows in every region. A region that does not answer, or
 * refuses the account, is left out; all of them together have REGIONS_BUDGET_MS. Thread rule: as its session.
 */
#pragma once
#include "aws/call.h"
#include "base/arena.h"

/* What was found; zeroed at first, in the arena once it was asked for. */
struct other_regions {
    bool done;
    struct region_tables *list;
    size_t count;
};

/* The first region, other than the environment's, in which `fits` takes a table's name: the region, and that
 * name in ret_name. NULL: none that could be seen. */
const char *other_regions_find(struct other_regions *others, struct aws_session *aws, struct arena *arena,
                               bool (*fits)(const void *arg, const char *name), const void *arg,
                               const char **ret_name);
