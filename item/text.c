#include "item/text.h"

static const char bad_utf8[] = "bytes that are not UTF-8";
static const char bad_escape[] = "an escape that JSON does not have";
static const char lone_surrogate[] = "a lone surrogate";
static const char not_closed[] = "a string that does not end";

static void put_code_point(uint32_t c, char **to)
{
    static const char hex[] = "0123456789abcdef";
    char *out = *to;
    if (c < 0x20) {
        memcpy(out, "\\u00", 4); // NOLINT(bugprone-not-null-terminated-result): goes on behind
        out[4] = hex[c >> 4];
        out[5] = hex[c & 15];
        out += 6;
    } else {
        if (c == '"' || c == '\\')
            *out++ = '\\';
        out += utf8_put(c, out);
    }
    *to = out;
}

/* The four digits at `at`, or -1. */
static int32_t hex4(const char *at, const char *end)
{
    unsigned char two[2];
    if (end - at < 4 || !hex_decode((struct bytes){at, 4}, two, sizeof two))
        return -1;
    return two[0] << 8 | two[1];
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
        size_t len = utf8_length(in->at, in->end);
        if (len == 0)
            return bad_utf8;
        memcpy(*to, in->at, len);
        *to += len;
        in->at += len;
    }
    return not_closed;
}
