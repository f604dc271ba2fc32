/*
 * Members of a map or set, put in order by the text between the quotes at their start. n log n whatever the
 * input. Thread rule: one thread at a time.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* A member as it stands in the output: "name":{...} or "member". */
struct order_entry {
    uint64_t prefix;   /* the first eight bytes of the name, so that most comparisons touch nothing else */
    uint32_t at;       /* offset of the opening quote */
    uint32_t name_len; /* between the quotes */
    uint32_t len;      /* of the whole member, without comma */
};

struct order_entry order_entry_of(const char *text, uint32_t at, uint32_t name_len, uint32_t len);
/* Negative, zero, positive: memcmp over the shorter length, then the shorter first. */
int order_compare(const char *text, const struct order_entry *a, const struct order_entry *b);
/* `spare` holds as many entries as `entries`. The result is in `entries`. */
void order_sort(const char *text, struct order_entry *entries, struct order_entry *spare, size_t count);
