#include "item/text.h"

static const char bad_utf8[] = "bytes that are not UTF-8";
static const char bad_escape[] = "an escape that JSON does not have";
static const char lone_surrogate[] = "a lone surrogate";
static const char not_closed[] = "a string that does not end";

/* Length of the well-formed UTF-8 sequence at `at` (RFC 3629 section 4), or 0. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left < len)
        return 0;
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

static void put_code_point(uint32_t c, char **to)
{
    static const char hex[] = "0123456789abcdef";
    char *out = *to;
    if (c < 0x20) {
        memcpy(out, "\\u00", 4); // NOLINT(bugprone-not-null-terminated-result): goes on behind
        out[4] = hex[c >> 4];
        out[5] = hex[c & 15];
        out += 6;
    } else if (c < 0x80) {
        if (c == '"' || c == '\\')
            *out++ = '\\';
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | (c >> 6));
        *out++ = (char)(0x80 | (c & 63));
    } else {
        if (c < 0x10000) {
            *out++ = (char)(0xe0 | (c >> 12));
        } else {
            *out++ = (char)(0xf0 | (c >> 18));
            *out++ = (char)(0x80 | ((c >> 12) & 63));
        }
        *out++ = (char)(0x80 | ((c >> 6) & 63));
        *out++ = (char)(0x80 | (c & 63));
    }
    *to = out;
}

/* The four digits at `at`, or -1. */
static int32_t hex4(const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* in->at is behind \u. */
static const char *unicode_escape(struct scan *in, char **to)
{
    int32_t c = hex4(in->at, in->end);
    if (c < 0)
        return bad_escape;
    in->at += 4;
    if (c >= 0xdc00 && c <= 0xdfff)
        return lone_surrogate;
    if (c >= 0xd800 && c <= 0xdbff) {
        if (in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u')
            return lone_surrogate;
        int32_t low = hex4(in->at + 2, in->end);
        if (low < 0xdc00 || low > 0xdfff)
            return lone_surrogate;
        in->at += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    put_code_point((uint32_t)c, to);
    return NULL;
}

/* in->at is behind the backslash. */
static const char *escape(struct scan *in, char **to)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (in->at == in->end)
        return not_closed;
    char c = *in->at++;
    if (c == 'u')
        return unicode_escape(in, to);
    const char *found = c ? strchr(names, c) : NULL;
    if (!found)
        return bad_escape;
    put_code_point((unsigned char)values[found - names], to);
    return NULL;
}

const char *text_canonical_rest(struct scan *in, char **to)
{
    for (; in->at < in->end; in->at = text_copy_plain(in->at, in->end, to)) {
        unsigned char c = (unsigned char)*in->at;
        if (c == '"') {
            in->at++;
            *(*to)++ = '"';
            return NULL;
        }
        if (c < 0x20)
            return "a raw control character in a string";
        if (c == '\\') {
            in->at++;
            const char *what = escape(in, to);
            if (what)
                return what;
            continue;
        }
        size_t len = utf8_length((const unsigned char *)in->at, (size_t)(in->end - in->at));
        if (len == 0)
            return bad_utf8;
        memcpy(*to, in->at, len);
        *to += len;
        in->at += len;
    }
    return not_closed;
}
