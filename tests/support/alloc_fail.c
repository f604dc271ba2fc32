#include "tests/support/alloc_fail.h"

#include <errno.h>
#include <stddef.h>

static _Thread_local long left;
static _Thread_local bool failed;

void alloc_fail_at(long n)
{
    failed = failed && n == 0;
    left = n;
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
