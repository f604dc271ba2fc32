/*
 * Public ids: UUIDv7 (RFC 9562), 16 bytes in the store, 36 characters outside. id_new never goes back within
 * a process, also when the wall clock does. Thread rule: any thread; not in a forked child, which would make
 * the ids of its parent.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct id {
    uint8_t bytes[16];
};

#define ID_SIZE 37
struct id id_new(void);
void id_format(const struct id *id, char ret_text[ID_SIZE]);
bool id_parse(struct bytes text, struct id *ret_id); /* lower or upper case, with hyphens */
bool id_is_zero(const struct id *id);
bool id_equal(const struct id *a, const struct id *b);
/* Cryptographically random bytes; ends the process when the system has none. */
void random_bytes(void *ret_data, size_t len);
