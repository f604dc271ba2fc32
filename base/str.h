/*
 * Bytes and text. Bytes from outside are pointer plus length and may hold anything; C strings are only what
 * the program made. Nothing here allocates. Encoders write a closing NUL and need the room that their macro
 * names.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const char *data;
    size_t len;
};

#define BYTES(literal) ((struct bytes){"" literal, sizeof(literal) - 1})
static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){text, text ? strlen(text) : 0};
}
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_is(struct bytes a, const char *text);
bool bytes_starts(struct bytes a, const char *prefix);
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
bool str_is(const char *a, const char *b); /* both NULL, or equal */
/* Is `word` one of the space-separated words of `list`? */
bool str_listed(const char *list, const char *word);
/* Copies at most size-1 bytes and always terminates. Returns false when it had to cut. */
bool str_copy(char *to, size_t size, const char *from);
bool bytes_copy(char *to, size_t size, struct bytes from);

/* `*` any run, `?` one byte. At worst as many steps as pattern times text (no recursion). */
bool glob_match(const char *pattern, const char *text);
/* Insertions, deletions and replacements that make a into b (Levenshtein); SIZE_MAX when one is longer than
 * 40 bytes: it is far from every name of ours. */
size_t str_distance(const char *a, const char *b);

#define HEX_SIZE(n) (2 * (n) + 1)
void hex_encode(const void *data, size_t len, char *ret_text); /* lower case */
bool hex_decode(struct bytes text, void *ret_data,
                size_t data_len); /* exactly data_len bytes, lower or upper case */

#define BASE64_SIZE(n) (4 * (((n) + 2) / 3) + 1)
size_t base64_encode(const void *data, size_t len, char *ret_text);    /* padded; returns the length */
size_t base64url_encode(const void *data, size_t len, char *ret_text); /* RFC 7515: no padding */
/* Strict (RFC 4648: alphabet, padding, zero trailing bits). -1 or the length; ret_data holds len*3/4. */
long base64_decode(struct bytes text, void *ret_data);
long base64url_decode(struct bytes text, void *ret_data);

/* RFC 3629: no surrogates, nothing overlong, nothing above U+10FFFF. Returns the offset of the first bad
 * byte, or len. */
size_t utf8_valid_until(struct bytes text);
/* Length of the well-formed sequence at `at`, which is before `end`, or 0. */
size_t utf8_length(const char *at, const char *end);
/* Writes a code point; returns its length, 1..4. */
size_t utf8_put(uint32_t code, char ret_text[4]);

/* Whole-text decimal parse: no sign but '-', no space. False when it is anything else or out of range. */
bool int_parse(struct bytes text, int64_t *ret_value);
bool uint_parse(struct bytes text, uint64_t *ret_value);
#define INT_SIZE 21
size_t int_format(int64_t value, char ret_text[INT_SIZE]); /* decimal; returns the length */
/* The shortest decimal text that reads back as the same finite double ("0.1", "1e+300", "5"); returns the
 * length. */
#define DOUBLE_SIZE 40
size_t double_format(double value, char ret_text[DOUBLE_SIZE]);
