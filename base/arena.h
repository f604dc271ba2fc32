/*
 * An arena with a byte limit: the memory of one request or one job attempt, freed at once.
 * Returned memory is zeroed, aligned for any type, and lives until arena_free. NULL means that the limit or
 * the machine's memory is exhausted: the caller says err_set(err, ERR_NO_MEMORY, ...). Thread rule: one
 * thread at a time.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>

#include "base/str.h"

struct arena;

struct arena *arena_new(size_t limit_bytes); /* NULL without memory */
void arena_free(struct arena *arena);        /* accepts NULL */
void arena_reset(struct arena *arena);       /* everything handed out is gone; the first block is kept */
size_t arena_used(const struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *text); /* NULL for NULL */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct bytes
arena_bytes(struct arena *arena,
            struct bytes bytes); /* a copy, NUL-terminated behind its end; data NULL on failure */
/* Calls release(pointer) when the arena is freed or reset, last registered first. -1 without memory (release
 * was called). */
int arena_defer(struct arena *arena, void (*release)(void *), void *pointer);

#define arena_make(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc_array((arena), sizeof(type), (count)))
void *arena_alloc_array(struct arena *arena, size_t size, size_t count);

static inline void arena_free_p(struct arena **arena)
{
    arena_free(*arena);
}
