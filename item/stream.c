#include "item/stream.h"

#include <errno.h>
#include <unistd.h>

int stream_read_fd(void *arg, void *to, size_t size, size_t *ret_len, struct err *err)
{
    ssize_t n;
    do
        n = read(*(const int *)arg, to, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ERR_IO, "read: %s", strerror(errno));
    *ret_len = (size_t)n;
    return 0;
}

int stream_read_bytes(void *arg, void *to, size_t size, size_t *ret_len, struct err *err)
{
    (void)err;
    struct bytes *left = arg;
    size_t n = left->len < size ? left->len : size;
    if (n > 0)
        memcpy(to, left->data, n);
    left->data += n;
    left->len -= n;
    *ret_len = n;
    return 0;
}

int stream_write_fd(int fd, const void *data, size_t len, struct err *err)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            /* write() may say 0 for a regular file only when something is badly wrong */
            int cause = n == 0 ? EIO : errno;
            bool full = cause == ENOSPC || cause == EDQUOT;
            return err_set(err, full ? ERR_DISK_FULL : ERR_IO, "write: %s", strerror(cause));
        }
        at += n;
        len -= (size_t)n;
    }
    return 0;
}
