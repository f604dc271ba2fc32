/*
 * Strings of items: decoded from JSON (RFC 8259 section 7) and written in the canonical form of CONTRACT.md
 * section 5, in one step. Thread rule: any thread.
 */
#pragma once
#include "item/scan.h"

/* No input grows more: \n (two bytes) becomes \u000a (six). */
#define TEXT_GROWTH 3
/* Plain runs are stored eight bytes at a time; the room behind the text must allow it. */
#define TEXT_SLACK 8

/*
 * The string that is next in `in`, quotes included, as canonical text to *to, which moves behind it. The
 * caller has made room for TEXT_GROWTH times the input plus TEXT_SLACK. NULL, or what is wrong (a constant;
 * never the value).
 */
const char *text_canonical(struct scan *in, char **to);
