#include "base/json_text.h"

#include "base/cleanup.h"
#include "base/str.h"

size_t json_utf8_len(const char *at, const char *end)
{
    const unsigned char *p = (const unsigned char *)at;
    size_t left = (size_t)(end - at), len;
    unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte; RFC 3629 section 4 */

    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        len = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        len = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        len = 4;
    else
        return 0;
    if (left < len)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

size_t json_utf8_put(uint32_t code, char ret_text[4])
{
    if (code < 0x80) {
        ret_text[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        ret_text[0] = (char)(0xc0 | (code >> 6));
        ret_text[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        ret_text[0] = (char)(0xe0 | (code >> 12));
        ret_text[1] = (char)(0x80 | ((code >> 6) & 0x3f));
        ret_text[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    ret_text[0] = (char)(0xf0 | (code >> 18));
    ret_text[1] = (char)(0x80 | ((code >> 12) & 0x3f));
    ret_text[2] = (char)(0x80 | ((code >> 6) & 0x3f));
    ret_text[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static const char *digits_end(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

const char *json_number_end(const char *at, const char *end, bool *ret_integer)
{
    const char *p = at, *digits;
    bool integer = true;

    if (p < end && *p == '-')
        p++;
    digits = p;
    p = digits_end(p, end);
    if (p == digits || (*digits == '0' && p - digits > 1))
        return NULL;
    if (p < end && *p == '.') {
        integer = false;
        digits = ++p;
        p = digits_end(p, end);
        if (p == digits)
            return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        integer = false;
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        digits = p;
        p = digits_end(p, end);
        if (p == digits)
            return NULL;
    }
    *ret_integer = integer;
    return p;
}

static bool hex4(const char *at, const char *end, uint32_t *ret_code)
{
    uint32_t code = 0;

    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
        code = code << 4 | digit;
    }
    *ret_code = code;
    return true;
}

static const char *unicode_escape_next(const char **at, const char *end, uint32_t *ret_code)
{
    const char *p = *at;
    uint32_t code, low;

    if (!hex4(p + 2, end, &code))
        return "\\u without four hex digits";
    p += 6;
    if (code >= 0xdc00 && code <= 0xdfff)
        return "a lone surrogate";
    if (code >= 0xd800 && code <= 0xdbff) {
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u' || !hex4(p + 2, end, &low) || low < 0xdc00 ||
            low > 0xdfff)
            return "a lone surrogate";
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        p += 6;
    }
    *at = p;
    *ret_code = code;
    return NULL;
}

const char *json_escape_next(const char **at, const char *end, uint32_t *ret_code)
{
    static const char names[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
    const char *found;

    if (end - *at < 2)
        return "a string without an end";
    if ((*at)[1] == 'u')
        return unicode_escape_next(at, end, ret_code);
    found = memchr(names, (*at)[1], sizeof(names) - 1);
    if (!found)
        return "an unknown escape";
    *ret_code = (uint32_t)codes[found - names];
    *at += 2;
    return NULL;
}

const char *json_string_next(const char **at, const char *end, struct json_string_facts *ret_facts)
{
    struct json_string_facts facts = {0};
    const char *p = *at + 1, *reason;

    for (;;) {
        p = json_plain_run(p, end);
        if (p == end)
            return "a string without an end"; /* *at stays at its beginning: that is where the fault is */
        if (*p == '"')
            break;
        if (*p == '\\') {
            uint32_t code;
            reason = json_escape_next(&p, end, &code);
            if (reason) {
                *at = p;
                return reason;
            }
            facts.escaped = true;
            facts.has_nul |= code == 0;
            continue;
        }
        size_t len = (unsigned char)*p >= 0x80 ? json_utf8_len(p, end) : 0;
        if (len == 0) {
            *at = p;
            return (unsigned char)*p < 0x20 ? "a control character in a string" : "bytes that are not UTF-8";
        }
        p += len;
    }
    *at = p + 1;
    *ret_facts = facts;
    return NULL;
}

const char *json_literal_end(const char *at, const char *end)
{
    static const struct bytes literals[] = {{"true", 4}, {"false", 5}, {"null", 4}};

    for (size_t i = 0; i < COUNT_OF(literals); i++)
        if ((size_t)(end - at) >= literals[i].len && memcmp(at, literals[i].data, literals[i].len) == 0)
            return at + literals[i].len;
    return NULL;
}
