/*
 * Members of a map or set, put in order by the text between the quotes at their start. n log n whatever the
 * input. Thread rule: one thread at a time.
 */
#pragma once
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A member as it stands in the output: "name":{...} or "member". */
struct order_entry {
    uint64_t prefix;   /* the first eight bytes of the name, so that most comparisons touch nothing else */
    uint32_t at;       /* offset of the opening quote */
    uint32_t name_len; /* between the quotes */
    uint32_t len;      /* of the whole member, without comma */
};

/* Emitted text has no NUL (it is escaped), so zeros behind a short name sort it first. The eight bytes behind
 * text + at + 1 must be readable, whatever they are. */
static inline struct order_entry order_entry_of(const char *text, uint32_t at, uint32_t name_len,
                                                uint32_t len)
{
    uint64_t prefix;
    memcpy(&prefix, text + at + 1, sizeof prefix);
    prefix = be64toh(prefix);
    if (name_len < sizeof prefix)
        prefix = name_len == 0 ? 0 : prefix & (UINT64_MAX << (64 - 8 * name_len));
    return (struct order_entry){prefix, at, name_len, len};
}
/* Negative, zero, positive: memcmp over the shorter length, then the shorter first. */
int order_compare(const char *text, const struct order_entry *a, const struct order_entry *b);
/* `spare` holds as many entries as `entries`. The result is in `entries`. */
void order_sort(const char *text, struct order_entry *entries, struct order_entry *spare, size_t count);
