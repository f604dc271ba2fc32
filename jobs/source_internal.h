/* Between the files of jobs/source.h. Not for others. */
#pragma once
#include "base/cleanup.h"
#include "base/limits.h"
#include "jobs/source.h"

/* A source that lies outside the catalogue and has no manifest of ours: a file, or the folder of an AWS
 * export. Opens source->root and fills files, items, identity. RECOVERY_POINT_NOT_FOUND when nothing is
 * there. */
int source_open_foreign(struct source *source, const struct root_options *options, const char *uri,
                        struct err *err);
/* The folder of an AWS export is open at source->root: reads its manifests. NOT_FOUND when it is none. */
int source_read_export(struct source *source, struct arena *arena, struct err *err);
/* As root.h says of paths. */
bool root_path_ok(const char *path);
int source_no_memory(struct err *err);
