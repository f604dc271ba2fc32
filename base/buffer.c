#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <openssl/crypto.h>

#define FIT_SLACK 4096 /* not worth a call of the allocator */

void buffer_done(struct buffer *buffer)
{
    if (buffer->secret && buffer->data)
        OPENSSL_cleanse(buffer->data, buffer->size);
    free(buffer->data);
    *buffer = (struct buffer){.max = buffer->max, .secret = buffer->secret};
}

void buffer_clear(struct buffer *buffer)
{
    if (buffer->secret && buffer->data)
        OPENSSL_cleanse(buffer->data, buffer->size);
    buffer->len = 0;
    buffer->failed = buffer->no_memory = false;
    if (buffer->data)
        buffer->data[0] = '\0';
}

static bool move_to(struct buffer *buffer, size_t size)
{
    char *data;

    if (!buffer->secret) {
        data = realloc(buffer->data, size);
    } else {
        data = malloc(size);
        if (data && buffer->data) {
            memcpy(data, buffer->data, buffer->len);
            OPENSSL_cleanse(buffer->data, buffer->size);
            free(buffer->data);
        }
    }
    if (!data)
        return false;
    buffer->data = data;
    buffer->size = size;
    return true;
}

void buffer_fit(struct buffer *buffer)
{
    if (buffer->size - buffer->len > FIT_SLACK && !buffer->failed)
        move_to(buffer, buffer->len + 1);
}

char *buffer_reserve(struct buffer *buffer, size_t len)
{
    size_t size = buffer->size ? buffer->size : 256;

    if (buffer->failed || len > buffer->max || buffer->len > buffer->max - len) {
        buffer->failed = true;
        return NULL;
    }
    while (size < buffer->len + len + 1)
        size *= 2;
    if (size > buffer->max + 1)
        size = buffer->max + 1;
    if (size > buffer->size && !move_to(buffer, size)) {
        buffer->failed = buffer->no_memory = true;
        return NULL;
    }
    buffer->data[buffer->len] = '\0';
    return buffer->data + buffer->len;
}

void buffer_add(struct buffer *buffer, const void *data, size_t len)
{
    bool fits = !buffer->failed && len < buffer->size - buffer->len && len <= buffer->max - buffer->len;
    char *to = fits ? buffer->data + buffer->len : buffer_reserve(buffer, len);

    if (!to)
        return;
    if (len)
        memcpy(to, data, len);
    to[len] = '\0';
    buffer->len += len;
}

void buffer_add_str(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_add_bytes(struct buffer *buffer, struct bytes bytes)
{
    buffer_add(buffer, bytes.data, bytes.len);
}

void buffer_add_char(struct buffer *buffer, char c)
{
    if (!buffer->failed && buffer->len + 1 < buffer->size && buffer->len < buffer->max) {
        buffer->data[buffer->len++] = c;
        buffer->data[buffer->len] = '\0';
        return;
    }
    buffer_add(buffer, &c, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_list again;
    char *to;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        buffer->failed = true;
    else if ((to = buffer_reserve(buffer, (size_t)len))) {
        vsnprintf(to, (size_t)len + 1, format, again);
        buffer->len += (size_t)len;
    }
    va_end(again);
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->data ? buffer->data : "", buffer->len};
}

int buffer_ok(const struct buffer *buffer, const char *what, struct err *err)
{
    if (!buffer->failed)
        return 0;
    if (buffer->no_memory)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", what);
    return err_set(err, ERR_LIMIT_EXCEEDED, "%s: more than %zu bytes", what, buffer->max);
}
