/*
 * Preloaded into recoverd by the tests of bad disks: while the file $DISK_ARM exists, it says which call goes
 * wrong, "CALL NUMBER HOW PATH": the NUMBERth call of that sort (sync or write) on a file whose path holds
 * PATH. HOW is EIO, ENOSPC, or short (a write takes half of what it was given). It happens once; number 0
 * only counts. How many such calls were seen since the file was made stands in $DISK_COUNT (a mapped 8-byte
 * file, whose top bit says that it has happened).
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/crash/armed.h"

#define HAPPENED ((uint64_t)1 << 63)

enum how { WELL, SHORT, FAILS };

__attribute__((constructor)) static void begin(void)
{
    armed_begin("DISK_ARM", "DISK_COUNT");
}

static int is_on(int fd, const char *part)
{
    char link[64], path[4096];
    ssize_t len;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    return strstr(path, part) != NULL;
}

/* What is to become of this call; errno is set when it fails. */
static enum how judge(const char *call, int fd)
{
    char text[256] = "", wanted[16], how[16], part[200];
    unsigned long long number;
    uint64_t now;

    if (!armed_read(text, sizeof(text)) ||
        sscanf(text, "%15s %llu %15s %199s", wanted, &number, how, part) != 4 || strcmp(wanted, call) ||
        !is_on(fd, part))
        return WELL;
    now = (atomic_fetch_add(count, 1) + 1) & ~HAPPENED;
    if (!number || now != number)
        return WELL;
    atomic_fetch_or(count, HAPPENED);
    errno = !strcmp(how, "EIO") ? EIO : ENOSPC;
    return !strcmp(how, "short") ? SHORT : FAILS;
}

typedef int sync_fn(int fd);
typedef ssize_t write_fn(int fd, const void *data, size_t size);
typedef ssize_t pwrite_fn(int fd, const void *data, size_t size, off_t at);

/* The library's own. */
#define REAL(name, type)                                                                                     \
    static type *real;                                                                                       \
    if (!real)                                                                                               \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

#define SYNC(name)                                                                                           \
    int name(int fd);                                                                                        \
    int name(int fd)                                                                                         \
    {                                                                                                        \
        REAL(name, sync_fn);                                                                                 \
        return judge("sync", fd) == WELL ? real(fd) : -1;                                                    \
    }

#define WRITE(name, type, declaration, ...)                                                                  \
    ssize_t name declaration;                                                                                \
    ssize_t name declaration                                                                                 \
    {                                                                                                        \
        REAL(name, type);                                                                                    \
        enum how how = judge("write", fd);                                                                   \
        if (how == FAILS)                                                                                    \
            return -1;                                                                                       \
        if (how == SHORT && size > 1)                                                                        \
            size /= 2;                                                                                       \
        return real(__VA_ARGS__);                                                                            \
    }

SYNC(fsync)
SYNC(fdatasync)
WRITE(write, write_fn, (int fd, const void *data, size_t size), fd, data, size)
WRITE(pwrite, pwrite_fn, (int fd, const void *data, size_t size, off_t at), fd, data, size, at)
WRITE(pwrite64, pwrite_fn, (int fd, const void *data, size_t size, off_t at), fd, data, size, at)
