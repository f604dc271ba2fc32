/* Scope lifetimes. What has a handle is declared with _cleanup_ on the line that makes it; TAKE hands it
 * over. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define TAKE(p)                                                                                              \
    ({                                                                                                       \
        __typeof__(p) taken_ = (p);                                                                          \
        (p) = NULL;                                                                                          \
        taken_;                                                                                              \
    })
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}
static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
static inline void cleanup_file(FILE **file)
{
    if (*file)
        fclose(*file);
}
