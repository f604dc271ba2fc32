#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t)16 * 1024)
#define ALIGNMENT alignof(max_align_t)

struct block {
    struct block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char data[];
};

struct deferred {
    struct deferred *next;
    void (*release)(void *);
    void *pointer;
};

struct arena {
    size_t limit;
    size_t used;          /* bytes asked of malloc, the first block included */
    struct block *blocks; /* the one in use is first */
    struct deferred *deferred;
};

static struct block *block_new(struct arena *arena, size_t size)
{
    struct block *block;

    if (size > arena->limit || arena->used > arena->limit - size)
        return NULL;
    block = malloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    *block = (struct block){.size = size};
    arena->used += size;
    return block;
}

struct arena *arena_new(size_t limit_bytes)
{
    struct arena *arena = calloc(1, sizeof(*arena));

    if (!arena)
        return NULL;
    arena->limit = limit_bytes;
    arena->blocks = block_new(arena, limit_bytes < BLOCK_SIZE ? limit_bytes : BLOCK_SIZE);
    if (!arena->blocks) {
        free(arena);
        return NULL;
    }
    return arena;
}

static void release_all(struct arena *arena)
{
    while (arena->deferred) {
        struct deferred *deferred = arena->deferred;

        arena->deferred = deferred->next; /* its own memory is the arena's */
        deferred->release(deferred->pointer);
    }
}

void arena_free(struct arena *arena)
{
    struct block *next;

    if (!arena)
        return;
    release_all(arena);
    for (struct block *block = arena->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

void arena_reset(struct arena *arena)
{
    struct block *block = arena->blocks;

    release_all(arena);
    while (block->next) {
        struct block *next = block->next;

        arena->used -= block->size;
        free(block);
        block = next;
    }
    block->used = 0;
    arena->blocks = block;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct block *block = arena->blocks;
    size_t need = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    void *memory;

    if (need < size)
        return NULL;
    if (need == 0)
        need = ALIGNMENT;
    if (block->size - block->used < need) {
        /* grow with what is there, so that a large arena has few blocks */
        size_t wanted = arena->used < 32 * BLOCK_SIZE ? BLOCK_SIZE : 16 * BLOCK_SIZE;

        block = block_new(arena, need > wanted ? need : wanted);
        if (!block)
            block = block_new(arena, need);
        if (!block)
            return NULL;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    memory = block->data + block->used;
    block->used += need;
    return memset(memory, 0, need);
}

void *arena_alloc_array(struct arena *arena, size_t size, size_t count)
{
    size_t total;

    if (__builtin_mul_overflow(size, count, &total))
        return NULL;
    return arena_alloc(arena, total);
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, size);

    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *copy = len < SIZE_MAX ? arena_alloc(arena, len + 1) : NULL;

    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

struct bytes arena_bytes(struct arena *arena, struct bytes bytes)
{
    return (struct bytes){arena_strndup(arena, bytes.data, bytes.len), bytes.len};
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_list again;
    char *text;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = len >= 0 ? arena_alloc(arena, (size_t)len + 1) : NULL;
    if (text)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

int arena_defer(struct arena *arena, void (*release)(void *), void *pointer)
{
    struct deferred *deferred = arena_make(arena, struct deferred);

    if (!deferred) {
        release(pointer);
        return -1;
    }
    *deferred = (struct deferred){arena->deferred, release, pointer};
    arena->deferred = deferred;
    return 0;
}
