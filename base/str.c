#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || !memcmp(a.data, b.data, a.len));
}

bool bytes_is(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of(text));
}

bool bytes_starts(struct bytes a, const char *prefix)
{
    size_t len = strlen(prefix);

    return a.len >= len && !memcmp(a.data, prefix, len);
}

bool str_starts(const char *text, const char *prefix)
{
    return text && !strncmp(text, prefix, strlen(prefix));
}

bool str_ends(const char *text, const char *suffix)
{
    size_t len = text ? strlen(text) : 0;
    size_t suffix_len = strlen(suffix);

    return text && len >= suffix_len && !memcmp(text + len - suffix_len, suffix, suffix_len);
}

bool str_is(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

bool str_listed(const char *list, const char *word)
{
    size_t len = strlen(word);

    if (len == 0 || strchr(word, ' '))
        return false;
    for (const char *at = list; at && *at; at = strchr(at, ' ')) {
        at += strspn(at, " ");
        if (!strncmp(at, word, len) && (at[len] == ' ' || at[len] == '\0'))
            return true;
    }
    return false;
}

bool bytes_copy(char *to, size_t size, struct bytes from)
{
    size_t len = from.len < size ? from.len : size - 1;

    memcpy(to, from.data ? from.data : "", len);
    to[len] = '\0';
    return len == from.len;
}

bool str_copy(char *to, size_t size, const char *from)
{
    return bytes_copy(to, size, bytes_of(from));
}

bool glob_match(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *resume = NULL;

    /* On a mismatch only the last star can take one byte more: never exponential. */
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

#define DISTANCE_MAX 40

size_t str_distance(const char *a, const char *b)
{
    size_t row[DISTANCE_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);

    if (a_len > DISTANCE_MAX || b_len > DISTANCE_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[b_len];
}

void hex_encode(const void *data, size_t len, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = data;

    for (size_t i = 0; i < len; i++) {
        ret_text[2 * i] = digits[in[i] >> 4];
        ret_text[2 * i + 1] = digits[in[i] & 15];
    }
    ret_text[2 * len] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(struct bytes text, void *ret_data, size_t data_len)
{
    uint8_t *out = ret_data;

    if (text.len != 2 * data_len)
        return false;
    for (size_t i = 0; i < data_len; i++) {
        int high = hex_value(text.data[2 * i]);
        int low = hex_value(text.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char alphabet[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

static size_t encode(const uint8_t *in, size_t len, bool url, char *out)
{
    const char *letters = alphabet[url];
    size_t n = 0;

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t word =
            (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);

        out[n++] = letters[word >> 18];
        out[n++] = letters[word >> 12 & 63];
        if (left > 1 || !url)
            out[n++] = left > 1 ? letters[word >> 6 & 63] : '=';
        if (left > 2 || !url)
            out[n++] = left > 2 ? letters[word & 63] : '=';
    }
    out[n] = '\0';
    return n;
}

size_t base64_encode(const void *data, size_t len, char *ret_text)
{
    return encode(data, len, false, ret_text);
}

size_t base64url_encode(const void *data, size_t len, char *ret_text)
{
    return encode(data, len, true, ret_text);
}

static int sextet(char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == alphabet[url][62])
        return 62;
    if (c == alphabet[url][63])
        return 63;
    return -1;
}

static long decode(const char *in, size_t len, bool url, uint8_t *out)
{
    uint32_t word = 0;
    long n = 0;
    size_t i;

    if (len % 4 == 1)
        return -1;
    for (i = 0; i < len; i++) {
        int value = sextet(in[i], url);

        if (value < 0)
            return -1;
        word = word << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            out[n++] = (uint8_t)(word >> 16);
            out[n++] = (uint8_t)(word >> 8);
            out[n++] = (uint8_t)word;
            word = 0;
        }
    }
    if (len % 4 == 2) {
        if (word & 15) /* bits that no encoder sets: two texts for one value */
            return -1;
        out[n++] = (uint8_t)(word >> 4);
    } else if (len % 4 == 3) {
        if (word & 3)
            return -1;
        out[n++] = (uint8_t)(word >> 10);
        out[n++] = (uint8_t)(word >> 2);
    }
    return n;
}

long base64_decode(struct bytes text, void *ret_data)
{
    size_t len = text.len;

    if (len % 4 != 0)
        return -1;
    if (len && text.data[len - 1] == '=')
        len -= text.data[len - 2] == '=' ? 2 : 1;
    return decode(text.data, len, false, ret_data);
}

long base64url_decode(struct bytes text, void *ret_data)
{
    return decode(text.data, text.len, true, ret_data);
}

size_t utf8_length(const char *at, const char *end)
{
    const uint8_t *s = (const uint8_t *)at;
    uint8_t low = 0x80; /* bounds of the second byte */
    uint8_t high = 0xBF;
    size_t len;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 0;
    len = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (len > (size_t)(end - at))
        return 0;
    if (s[0] == 0xE0)
        low = 0xA0;
    else if (s[0] == 0xED)
        high = 0x9F;
    else if (s[0] == 0xF0)
        low = 0x90;
    else if (s[0] == 0xF4)
        high = 0x8F;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

size_t utf8_put(uint32_t code, char ret_text[4])
{
    if (code < 0x80) {
        ret_text[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        ret_text[0] = (char)(0xC0 | (code >> 6));
        ret_text[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        ret_text[0] = (char)(0xE0 | (code >> 12));
        ret_text[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        ret_text[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    ret_text[0] = (char)(0xF0 | (code >> 18));
    ret_text[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    ret_text[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    ret_text[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

size_t utf8_valid_until(struct bytes text)
{
    const char *at = text.data;
    const char *end = at + text.len;

    while (at < end) {
        uint64_t word;
        size_t n;

        if (end - at >= 8 && (memcpy(&word, at, 8), !(word & 0x8080808080808080ULL))) {
            at += 8;
            continue;
        }
        n = utf8_length(at, end);
        if (n == 0)
            break;
        at += n;
    }
    return (size_t)(at - text.data);
}

bool uint_parse(struct bytes text, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool int_parse(struct bytes text, int64_t *ret_value)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    uint64_t value;

    if (!uint_parse((struct bytes){text.data + negative, text.len - negative}, &value))
        return false;
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

size_t double_format(double value, char ret_text[DOUBLE_SIZE])
{
    int len = 0;

    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(ret_text, DOUBLE_SIZE, "%.*g", digits, value);
        if (strtod(ret_text, NULL) == value)
            break;
    }
    return (size_t)len;
}

size_t int_format(int64_t value, char ret_text[INT_SIZE])
{
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char digits[INT_SIZE];
    char *to = digits + sizeof(digits);
    size_t len;

    *--to = '\0';
    do {
        *--to = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--to = '-';
    len = (size_t)(digits + sizeof(digits) - to) - 1;
    memcpy(ret_text, to, len + 1);
    return len;
}
