/*
 * Strings of items: decoded from JSON (RFC 8259 section 7) and written in the canonical form of CONTRACT.md
 * section 5, in one step. Thread rule: any thread.
 */
#pragma once
#include "item/scan.h"

/* No input grows more: \n (two bytes) becomes \u000a (six). */
#define TEXT_GROWTH 3
/* Plain runs are stored in blocks; the room behind the text must allow it. */
#define TEXT_SLACK SCAN_STEP

/* Copies up to the first byte that needs a look: quote, backslash, control, or beyond ASCII. */
static inline const char *text_copy_plain(const char *at, const char *end, char **to)
{
    char *out = *to;
    while (end - at >= SCAN_STEP) {
        scan_block block = scan_load(at);
        uint64_t stops = scan_stops(block) | scan_highs(block);
        scan_store(out, block);
        size_t n = stops ? scan_first(stops) : SCAN_STEP;
        at += n;
        out += n;
        if (stops) {
            *to = out;
            return at;
        }
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80)
        *out++ = *at++;
    *to = out;
    return at;
}

/* text_canonical behind its plain beginning. */
const char *text_canonical_rest(struct scan *in, char **to);

/*
 * The string that is next in `in`, quotes included, as canonical text to *to, which moves behind it. The
 * caller has made room for TEXT_GROWTH times the input plus TEXT_SLACK. NULL, or what is wrong (a constant;
 * never the value). Most strings are plain to their end, and done here.
 */
static inline const char *text_canonical(struct scan *in, char **to)
{
    if (!scan_take(in, '"'))
        return "no string where one belongs";
    *(*to)++ = '"';
    in->at = text_copy_plain(in->at, in->end, to);
    if (in->at == in->end || *in->at != '"')
        return text_canonical_rest(in, to);
    in->at++;
    *(*to)++ = '"';
    return NULL;
}
