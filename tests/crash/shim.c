/*
 * Preloaded into recoverd by the crash tests: counts syncs and renames from the moment that the file
 * $CRASH_ARM exists, and ends the process with SIGKILL at the one whose number is in it: "N before" or "N
 * after". A number of 0 only counts; the count so far is kept in $CRASH_COUNT (a mapped 8-byte file).
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/crash/armed.h"

__attribute__((constructor)) static void begin(void)
{
    armed_begin("CRASH_ARM", "CRASH_COUNT");
}

/* The number at which to end, 0 for none, and whether before or after the call. UINT64_MAX: not armed. */
static uint64_t armed(int *after)
{
    char text[64];

    if (!armed_read(text, sizeof(text)))
        return UINT64_MAX;
    *after = strstr(text, "after") != NULL;
    return strtoull(text, NULL, 10);
}

/* Before the call; whether to end behind it. */
static int enter(void)
{
    int after = 0;
    uint64_t at = armed(&after);

    if (at == UINT64_MAX || atomic_fetch_add(count, 1) + 1 != at)
        return 0;
    if (!after)
        kill(getpid(), SIGKILL);
    return 1;
}

static void leave(int dies)
{
    if (dies)
        kill(getpid(), SIGKILL);
}

#define WRAP(name, declaration, ...)                                                                         \
    int name declaration;                                                                                    \
    int name declaration                                                                                     \
    {                                                                                                        \
        static int(*real) declaration;                                                                       \
        int dies = enter();                                                                                  \
        int result;                                                                                          \
                                                                                                             \
        if (!real)                                                                                           \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                                       \
        result = real(__VA_ARGS__);                                                                          \
        leave(dies);                                                                                         \
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
