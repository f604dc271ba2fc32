/*
 * A growing buffer that is born with a maximum. Appending never fails loudly: past the maximum, or without
 * memory, the buffer is marked failed, takes no more, and buffer_ok says so once at the end. Thread rule: one
 * thread at a time. The bytes are borrowed until the next append.
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct buffer {
    char *data; /* always NUL-terminated once something was appended */
    size_t len;
    size_t size;
    size_t max;
    bool failed;
    bool no_memory; /* that is why it failed */
    bool secret;    /* wiped when freed or grown */
};

#define BUFFER_INIT(max_bytes) ((struct buffer){.max = (max_bytes)})

void buffer_done(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* length 0, not failed, memory kept */
void buffer_fit(struct buffer *buffer);   /* gives back what a large one has beyond its length */
void buffer_add(struct buffer *buffer, const void *data, size_t len);
void buffer_add_str(struct buffer *buffer, const char *text);
void buffer_add_bytes(struct buffer *buffer, struct bytes bytes);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for len more bytes at the end, which the caller fills and then adds to buffer->len. NULL: failed. */
char *buffer_reserve(struct buffer *buffer, size_t len);
struct bytes buffer_bytes(const struct buffer *buffer);
/* 0, or -1 with LIMIT_EXCEEDED when something did not fit; `what` names the thing. */
int buffer_ok(const struct buffer *buffer, const char *what, struct err *err);
