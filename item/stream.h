/* How bytes are pulled through this room: gzip_read pulls from a file or an object, item_lines pulls from
 * gzip_read. Thread rule: any thread; what `arg` points to belongs to one at a time. */
#pragma once
#include "base/err.h"
#include "base/str.h"

/* Up to `size` bytes into `to`; *ret_len 0 is the end. -1 with err set. */
typedef int stream_read_fn(void *arg, void *to, size_t size, size_t *ret_len, struct err *err);

/* A stream_read_fn over a file descriptor; arg is an `int *`. IO. */
int stream_read_fd(void *arg, void *to, size_t size, size_t *ret_len, struct err *err);
/* A stream_read_fn over bytes in memory; arg is a `struct bytes *` that shrinks. */
int stream_read_bytes(void *arg, void *to, size_t size, size_t *ret_len, struct err *err);
/* All of it, through short writes. DISK_FULL or IO. */
int stream_write_fd(int fd, const void *data, size_t len, struct err *err);
