/*
 * What the scanner, the walker and the writer of base/json.h share: the lexical level of RFC 8259. Not for
 * other rooms. Thread rule: any thread; nothing here has state.
 */
#pragma once
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool json_plain_four(const char *at)
{
    const uint32_t ones = 0x01010101, tops = 0x80808080;
    uint32_t x;

    memcpy(&x, at, 4);
    uint32_t quote = x ^ (ones * '"'), slash = x ^ (ones * '\\');
    return !((((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | x) & tops);
}

/* Longest run from `at` of bytes that stand for themselves in a JSON string: ASCII but controls, quote,
 * backslash. Eight at once: in each of the four tests a byte can be found by mistake only behind one that was
 * found rightly, so the first is right. */
static inline const char *json_plain_run(const char *at, const char *end)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;

    while (end - at >= 8) {
        uint64_t x;
        memcpy(&x, at, 8);
        x = le64toh(x);
        uint64_t quote = x ^ (ones * '"'), slash = x ^ (ones * '\\');
        uint64_t found = ((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | x;
        if (found & tops)
            return at + __builtin_ctzll(found & tops) / 8;
        at += 8;
    }
    if (end - at >= 4 && json_plain_four(at))
        at += 4;
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

static inline const char *json_skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* Past the number at `at`, or NULL when it breaks the grammar. */
const char *json_number_end(const char *at, const char *end, bool *ret_integer);
/* Decodes the escape at *at (a backslash) and moves past it. NULL, or what is wrong with it. */
const char *json_escape_next(const char **at, const char *end, uint32_t *ret_code);
/* Checks the string at *at (an opening quote) and moves past its end, or to the fault. NULL, or what is
 * wrong. */
struct json_string_facts {
    bool escaped;
    bool has_nul; /* as an escape */
};
const char *json_string_next(const char **at, const char *end, struct json_string_facts *ret_facts);
/* Past true, false or null at `at`, or NULL. */
const char *json_literal_end(const char *at, const char *end);
