#include "store/sqlite/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool lock_is_on(int fd, const char *path)
{
    struct stat held, named;

    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

/* An open file description's lock: it ends with the process, however that ends, and not with another close.
 */
int lock_take(const char *path, int *ret_fd, struct err *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    _cleanup_(cleanup_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    char pid[32];
    int len;

    if (fd < 0)
        return err_set(err, ERR_STORE_UNAVAILABLE, "open %s: %s", path, strerrordesc_np(errno));
    if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        if (errno == EACCES || errno == EAGAIN)
            return err_set(err, ERR_STORE_UNAVAILABLE,
                           "another recoverd is running on this store (%s is locked)", path);
        return err_set(err, ERR_STORE_UNAVAILABLE, "lock %s: %s", path, strerrordesc_np(errno));
    }
    len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    /* only for whoever looks: a full disk must not keep us from starting */
    if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) != len)
        errno = 0;
    *ret_fd = fd;
    fd = -1;
    return 0;
}
