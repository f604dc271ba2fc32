/* A stream (item/stream.h) that gives bytes in pieces of one size. */
#pragma once
#include "item/stream.h"

struct drip {
    struct bytes left;
    size_t piece;
};

static inline int drip_read(void *arg, void *to, size_t size, size_t *ret_len, struct err *err)
{
    struct drip *drip = arg;

    return stream_read_bytes(&drip->left, to, size < drip->piece ? size : drip->piece, ret_len, err);
}
