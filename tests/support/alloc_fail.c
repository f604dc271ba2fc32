#include "tests/support/alloc_fail.h"

#include <errno.h>
#include <stddef.h>

static _Thread_local long left;
static _Thread_local bool failed;
static _Thread_local long more; /* that fail behind the one that fails next */

void alloc_fail_at(long n)
{
    failed = failed && n == 0;
    more = 0;
    left = n;
}

void alloc_fail_run(long n, long count)
{
    alloc_fail_at(n);
    more = count - 1;
}

bool alloc_failed(void)
{
    return failed;
}

static bool fails(void)
{
    if (left == 0 || --left > 0)
        return false;
    failed = true;
    if (more > 0) {
        more--;
        left = 1;
    }
    errno = ENOMEM;
    return true;
}

#define WRAP(name, declaration, ...)                                                                         \
    void *__real_##name declaration;                                                                         \
    void *__wrap_##name declaration;                                                                         \
    void *__wrap_##name declaration                                                                          \
    {                                                                                                        \
        return fails() ? NULL : __real_##name(__VA_ARGS__);                                                  \
    }

WRAP(malloc, (size_t size), size)
WRAP(calloc, (size_t count, size_t size), count, size)
WRAP(realloc, (void *old, size_t size), old, size)
WRAP(reallocarray, (void *old, size_t count, size_t size), old, count, size)
WRAP(strdup, (const char *text), text)
