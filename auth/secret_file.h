/* Small files with keys in them. Thread rule: any thread. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"

/* Reads a regular file of at most `max` bytes into `out` (emptied first and marked secret: it is wiped when
 * freed). CONFIG with the path and the cause. */
int secret_file_read(const char *path, size_t max, struct buffer *out, struct err *err);
/* The same; the one newline that an editor leaves behind a text is not part of the secret. */
int secret_file_text(const char *path, size_t max, struct buffer *out, struct err *err);
