#include "ctl/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"

#define CHUNK (64 * 1024)

static int read_all(int fd, const char *path, struct buffer *out, struct err *err)
{
    for (;;) {
        char *to = buffer_reserve(out, CHUNK);
        ssize_t got = to ? read(fd, to, CHUNK) : 0;

        if (!to)
            return err_set(err, ERR_LIMIT_EXCEEDED, "%s is too large", path);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_INVALID_BODY, "%s: %s", path, strerror(errno));
        if (got == 0)
            return 0;
        out->len += (size_t)got;
    }
}

int file_read(const char *path, size_t max, struct arena *arena, struct bytes *ret_text, struct err *err)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(max + CHUNK + 1);
    _cleanup_(cleanup_close) int fd = -1;
    bool input = strcmp(path, "-") == 0;

    out.secret = true; /* it may be a token */
    if (!input)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!input && fd < 0)
        return err_set(err, ERR_INVALID_BODY, "%s: %s", path, strerror(errno));
    if (read_all(input ? STDIN_FILENO : fd, input ? "standard input" : path, &out, err) < 0)
        return -1;
    if (out.len > max)
        return err_set(err, ERR_LIMIT_EXCEEDED, "%s has more than %zu bytes", input ? "standard input" : path,
                       max);
    *ret_text = arena_bytes(arena, buffer_bytes(&out));
    return ret_text->data ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for %s", path);
}

static int write_all(int fd, struct bytes text)
{
    while (text.len > 0) {
        ssize_t put = write(fd, text.data, text.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        text.data += put;
        text.len -= (size_t)put;
    }
    return 0;
}

int file_replace(const char *path, struct bytes text, mode_t mode, struct err *err)
{
    char temporary[4096];
    int fd, put, closed;

    if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= sizeof(temporary))
        return err_set(err, ERR_IO, "the path %.100s... is too long", path);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    put = fchmod(fd, mode) < 0 ? -1 : write_all(fd, text);
    closed = close(fd);
    if (put < 0 || closed < 0 || rename(temporary, path) < 0) {
        err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        unlink(temporary);
        return -1;
    }
    return 0;
}

void file_make_folders(const char *path)
{
    char part[4096];

    if (!str_copy(part, sizeof(part), path))
        return;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0700);
        *slash = '/';
    }
}
