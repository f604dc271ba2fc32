#include "base/json_text.h"

#include "base/cleanup.h"
#include "base/str.h"

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
    uint8_t two[2];

    if (end - at < 4 || !hex_decode((struct bytes){at, 4}, two, sizeof(two)))
        return false;
    *ret_code = (uint32_t)(two[0] << 8 | two[1]);
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
        size_t len = (unsigned char)*p >= 0x80 ? utf8_length(p, end) : 0;
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
