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

/* -- several bytes at a time: where a plain run ends inside a string. SSE2 is part of every x86-64; elsewhere
 * (and where SCAN_PORTABLE is defined, for its test) eight bytes in a word. A mask is 0 when nothing stops,
 * and exact for its lowest byte. -- */

#if defined(__SSE2__) && !defined(SCAN_PORTABLE)
#include <emmintrin.h>

#define SCAN_STEP 16
typedef __m128i scan_block;

static inline scan_block scan_load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}
static inline void scan_store(char *to, scan_block block)
{
    _mm_storeu_si128((__m128i *)to, block);
}
/* Quote, backslash, below 0x20. */
static inline uint64_t scan_stops(scan_block block)
{
    __m128i quotes = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i slashes = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, slashes), controls));
}
/* Beyond ASCII. */
static inline uint64_t scan_highs(scan_block block)
{
    return (unsigned)_mm_movemask_epi8(block);
}
static inline size_t scan_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask);
}
#else
#define SCAN_STEP 8
#define SCAN_ONES 0x0101010101010101ULL
#define SCAN_HIGHS 0x8080808080808080ULL
typedef uint64_t scan_block; /* the first byte in the lowest bits */

static inline scan_block scan_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}
static inline void scan_store(char *to, scan_block block)
{
    uint64_t word = htole64(block);
    memcpy(to, &word, sizeof word);
}
static inline uint64_t scan_has(scan_block block, unsigned char c)
{
    uint64_t x = block ^ (SCAN_ONES * c);
    return (x - SCAN_ONES) & ~x & SCAN_HIGHS;
}
static inline uint64_t scan_stops(scan_block block)
{
    return scan_has(block, '"') | scan_has(block, '\\') | ((block - SCAN_ONES * 0x20) & ~block & SCAN_HIGHS);
}
static inline uint64_t scan_highs(scan_block block)
{
    return block & SCAN_HIGHS;
}
static inline size_t scan_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) >> 3;
}
#endif
