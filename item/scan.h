/*
 * A cursor over JSON text that finds where values end without understanding them: strings are skipped whole,
 * brackets are counted. What it accepts is balanced, not yet valid; item_canonical and json_check judge the
 * contents. Nothing is copied or allocated; spans are borrowed from the text. Thread rule: a cursor belongs
 * to one thread.
 */
#pragma once
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

struct scan {
    const char *at;
    const char *end;
};

static inline struct scan scan_of(struct bytes text)
{
    return (struct scan){text.data, text.data + text.len};
}
/* RFC 8259 section 2: space, tab, line feed, carriage return. */
static inline void scan_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}
/* Takes c, after space, when it is next. */
static inline bool scan_take(struct scan *scan, char c)
{
    if (scan->at < scan->end && *scan->at == c)
        return scan->at++, true;
    scan_space(scan);
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}
static inline bool scan_at_end(struct scan *scan)
{
    scan_space(scan);
    return scan->at == scan->end;
}

/* The string that is next: between its quotes, escapes as they stand. False: none, not closed, or a raw
 * control. */
bool scan_string(struct scan *scan, struct bytes *ret_inner);
/* The value that is next, whole. False: none, cut, or brackets that do not balance. */
bool scan_value(struct scan *scan, struct bytes *ret_raw);
/* scan_value that must be an object. */
bool scan_object(struct scan *scan, struct bytes *ret_raw);
/* Members of an object: `first` is true for the first call after its '{' was taken. 1: name and the cursor
 * before the value; 0: the object is closed and the cursor behind it; -1: neither. */
int scan_member(struct scan *scan, bool first, struct bytes *ret_name);

/* -- eight bytes at a time: a high bit for each byte that has the property; exact for the lowest one. -- */

#define SCAN_ONES 0x0101010101010101ULL
#define SCAN_HIGHS 0x8080808080808080ULL

static inline uint64_t scan_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}
static inline uint64_t scan_has(uint64_t word, unsigned char c)
{
    uint64_t x = word ^ (SCAN_ONES * c);
    return (x - SCAN_ONES) & ~x & SCAN_HIGHS;
}
/* Bytes that end a plain run inside a string: quote, backslash, below 0x20. */
static inline uint64_t scan_stops(uint64_t word)
{
    return scan_has(word, '"') | scan_has(word, '\\') | ((word - SCAN_ONES * 0x20) & ~word & SCAN_HIGHS);
}
static inline size_t scan_first(uint64_t highs)
{
    return (size_t)__builtin_ctzll(highs) >> 3;
}
