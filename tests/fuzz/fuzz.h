/*
 * What the fuzz targets share. Each is one file: LLVMFuzzerTestOneInput takes bytes, and HOLDS says what must
 * be true of whatever was made of them; a promise that does not hold ends the process as a crash does. Thread
 * rule: one thread.
 */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

#define HOLDS(promise)                                                                                       \
    do {                                                                                                     \
        if (!(promise)) {                                                                                    \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #promise);                     \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input taken apart from its front; what is left is the text. */
struct input {
    const uint8_t *at;
    size_t left;
};

static inline unsigned input_byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static inline uint64_t input_u64(struct input *in)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | input_byte(in);
    return value;
}

static inline struct bytes input_rest(const struct input *in)
{
    return (struct bytes){(const char *)in->at, in->left};
}

/* Up to the next line feed, without it. */
static inline struct bytes input_line(struct input *in)
{
    const uint8_t *end = in->left ? memchr(in->at, '\n', in->left) : NULL;
    struct bytes line = {(const char *)in->at, end ? (size_t)(end - in->at) : in->left};

    in->left -= line.len + (end ? 1 : 0);
    in->at += line.len + (end ? 1 : 0);
    return line;
}

/* A copy of exactly this length, so that a byte read too far is seen. The caller frees. */
static inline char *exact_copy(struct bytes text)
{
    char *copy = malloc(text.len ? text.len : 1);

    HOLDS(copy);
    if (text.len)
        memcpy(copy, text.data, text.len);
    return copy;
}

/* The text up to its first NUL as a C string. The caller frees. */
static inline char *c_string(struct bytes text)
{
    char *copy = malloc(text.len + 1);

    HOLDS(copy);
    if (text.len)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

static inline struct arena *big_arena(void)
{
    struct arena *arena = arena_new((size_t)(64 * MIB));

    HOLDS(arena);
    return arena;
}

/* -1 came with a code and a message of plain text, 0 with none: err.h's own promise. */
static inline void judge(int rc, const struct err *err)
{
    HOLDS(rc == 0 || rc == -1);
    HOLDS((rc == 0) == (err->code == ERR_NONE));
    HOLDS(rc == 0 || err->message[0]);
    HOLDS(memchr(err->message, '\0', sizeof err->message) && memchr(err->pointer, '\0', sizeof err->pointer));
}
