/* Small files, read whole, and files that appear whole or not at all. Thread rule: any thread. */
#pragma once
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* `path` may be "-": standard input. In arena. INVALID_BODY when it cannot be read, LIMIT_EXCEEDED above
 * `max`. */
int file_read(const char *path, size_t max, struct arena *arena, struct bytes *ret_text, struct err *err);
/* Writes beside it and renames. IO on failure. */
int file_replace(const char *path, struct bytes text, mode_t mode, struct err *err);
/* Makes the folders above `path`, with mode 0700. Errors show when the file is made. */
void file_make_folders(const char *path);
