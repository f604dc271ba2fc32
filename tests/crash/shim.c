/*
 * Preloaded into recoverd by the crash tests: counts syncs and renames from the moment that the file
 * $CRASH_ARM exists, and ends the process with SIGKILL at the one whose number is in it: "N before" or "N
 * after". A number of 0 only counts; the count so far is kept in $CRASH_COUNT (a mapped 8-byte file).
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic uint64_t *count;
static const char *arm_path;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CRASH_COUNT");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    void *memory;

    arm_path = getenv("CRASH_ARM");
    if (fd < 0 || ftruncate(fd, 8) < 0)
        return;
    memory = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED)
        count = memory;
}

/* The number at which to end, and whether before or after the call. 0: not armed. */
static uint64_t armed(int *after)
{
    char text[64] = "";
    int fd = arm_path ? open(arm_path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t len;

    if (fd < 0 || !count)
        return UINT64_MAX;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len <= 0)
        return UINT64_MAX;
    *after = strstr(text, "after") != NULL;
    return strtoull(text, NULL, 10);
}

struct point {
    int die_after;
};

static struct point enter(void)
{
    struct point point = {0};
    int after = 0;
    uint64_t at = armed(&after);
    uint64_t now;

    if (at == UINT64_MAX)
        return point;
    now = atomic_fetch_add(count, 1) + 1;
    if (at && now == at) {
        if (!after)
            kill(getpid(), SIGKILL);
        point.die_after = 1;
    }
    return point;
}

static void leave(struct point point)
{
    if (point.die_after)
        kill(getpid(), SIGKILL);
}

#define WRAP(name, declaration, ...)                                                                         \
    int name declaration;                                                                                    \
    int name declaration                                                                                     \
    {                                                                                                        \
        static int(*real) declaration;                                                                       \
        struct point point = enter();                                                                        \
        int result;                                                                                          \
                                                                                                             \
        if (!real)                                                                                           \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                                       \
        result = real(__VA_ARGS__);                                                                          \
        leave(point);                                                                                        \
        return result;                                                                                       \
    }

WRAP(fsync, (int fd), fd)
WRAP(fdatasync, (int fd), fd)
WRAP(rename, (const char *from, const char *to), from, to)
WRAP(renameat, (int from_fd, const char *from, int to_fd, const char *to), from_fd, from, to_fd, to)
WRAP(renameat2, (int from_fd, const char *from, int to_fd, const char *to, unsigned flags), from_fd, from,
     to_fd, to, flags)
WRAP(linkat, (int from_fd, const char *from, int to_fd, const char *to, int flags), from_fd, from, to_fd, to,
     flags)
