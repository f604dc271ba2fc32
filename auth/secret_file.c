#include "auth/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static int read_all(int fd, size_t size, const char *path, struct buffer *out, struct err *err)
{
    char *to = buffer_reserve(out, size);

    if (!to)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", path);
    while (size > 0) {
        ssize_t n = read(fd, to, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
        if (n == 0)
            break;
        to += n;
        size -= (size_t)n;
        out->len += (size_t)n;
    }
    return 0;
}

int secret_file_read(const char *path, size_t max, struct buffer *out, struct err *err)
{
    struct stat st;

    buffer_done(out);
    *out = BUFFER_INIT(max + 1);
    out->secret = true;
    /* not blocking: a FIFO in the file's place must not hang the start */
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, ERR_CONFIG, "cannot open %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_CONFIG, "%s is not a regular file", path);
    if (st.st_size <= 0 || (size_t)st.st_size > max)
        return err_set(err, ERR_CONFIG, "%s has %lld bytes; 1 to %zu are allowed", path,
                       (long long)st.st_size, max);
    return read_all(fd, (size_t)st.st_size, path, out, err);
}

static bool is_text(const struct buffer *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text->data[i] < 0x20 || text->data[i] >= 0x7f)
            return false;
    return true;
}

int secret_file_text(const char *path, size_t max, struct buffer *out, struct err *err)
{
    if (secret_file_read(path, max, out, err) < 0)
        return -1;
    size_t len = out->len;
    if (len > 0 && out->data[len - 1] == '\n')
        len--;
    if (len > 0 && out->data[len - 1] == '\r')
        len--;
    if (is_text(out, len)) /* random bytes may well end with 0x0a */
        out->len = len;
    return 0;
}
