/* Base64, hex, UTF-8 and globs, each beside the plainest way to do the same. */
#include "tests/fuzz/fuzz.h"

/* One letter's value, by search. */
static int letter(char c, const char *alphabet)
{
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

/* RFC 4648, bit by bit: -1 or the length. */
static long plain_decode(struct bytes text, const char *alphabet, bool padded, uint8_t *out)
{
    size_t letters = text.len;
    uint32_t bits = 0;
    int held = 0;
    long len = 0;

    if (padded && text.len % 4 != 0)
        return -1;
    while (padded && letters > 0 && text.len - letters < 2 && text.data[letters - 1] == '=')
        letters--;
    if (letters % 4 == 1)
        return -1;
    for (size_t i = 0; i < letters; i++) {
        int value = letter(text.data[i], alphabet);

        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[len++] = (uint8_t)(bits >> held);
            bits &= (1U << held) - 1;
        }
    }
    return bits ? -1 : len;
}

static void base64(struct bytes text)
{
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    char *got = malloc(text.len * 3 / 4 + 1), *want = malloc(text.len * 3 / 4 + 1),
         *again = malloc(BASE64_SIZE(text.len));
    long len = base64_decode(text, got);

    HOLDS(len == plain_decode(text, LETTERS "+/", true, (uint8_t *)want));
    if (len >= 0) {
        HOLDS(memcmp(got, want, (size_t)len) == 0);
        HOLDS(base64_encode(got, (size_t)len, again) == text.len && memcmp(again, text.data, text.len) == 0);
    }
    len = base64url_decode(text, got);
    HOLDS(len == plain_decode(text, LETTERS "-_", false, (uint8_t *)want));
    if (len >= 0) {
        HOLDS(memcmp(got, want, (size_t)len) == 0);
        HOLDS(base64url_encode(got, (size_t)len, again) == text.len &&
              memcmp(again, text.data, text.len) == 0);
    }
    free(got);
    free(want);
    free(again);
}

static void encoded(struct bytes raw)
{
    char *text = malloc(BASE64_SIZE(raw.len) + HEX_SIZE(raw.len)), *back = malloc(2 * raw.len + 4);
    size_t len = base64_encode(raw.data, raw.len, text);

    HOLDS(strlen(text) == len && len % 4 == 0);
    HOLDS(base64_decode(bytes_of(text), back) == (long)raw.len && memcmp(back, raw.data, raw.len) == 0);
    len = base64url_encode(raw.data, raw.len, text);
    HOLDS(strlen(text) == len);
    HOLDS(base64url_decode(bytes_of(text), back) == (long)raw.len && memcmp(back, raw.data, raw.len) == 0);
    hex_encode(raw.data, raw.len, text);
    HOLDS(hex_decode(bytes_of(text), back, raw.len) && memcmp(back, raw.data, raw.len) == 0);
    HOLDS(!hex_decode(bytes_of(text), back, raw.len + 1));
    if (hex_decode(raw, back, raw.len / 2)) {
        HOLDS(raw.len % 2 == 0);
        for (size_t i = 0; i < raw.len; i++)
            HOLDS(strchr("0123456789abcdefABCDEF", raw.data[i]) && raw.data[i]);
    }
    free(text);
    free(back);
}

/* The code point at `at`, its length in *ret_len, or -1: RFC 3629's table. */
static long code_point(const uint8_t *at, size_t left, size_t *ret_len)
{
    static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
    long code = len == 1 ? at[0] : at[0] & (0x7f >> len);

    if (len == 0 || len > left)
        return -1;
    for (size_t i = 1; i < len; i++) {
        if (at[i] >> 6 != 2)
            return -1;
        code = code << 6 | (at[i] & 0x3f);
    }
    *ret_len = len;
    return code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? -1 : code;
}

static void utf8(struct bytes text)
{
    size_t at = 0, len;

    while (at < text.len && code_point((const uint8_t *)text.data + at, text.len - at, &len) >= 0)
        at += len;
    HOLDS(utf8_valid_until(text) == at);
}

/* By a table of every prefix with every prefix. */
static bool plain_glob(const char *pattern, const char *text)
{
    size_t n = strlen(text);
    bool *row = calloc(n + 1, 1);
    bool matches;

    row[0] = true;
    for (; *pattern; pattern++) {
        bool before = row[0];

        row[0] = row[0] && *pattern == '*';
        for (size_t i = 1; i <= n; i++) {
            bool diagonal = before;

            before = row[i];
            row[i] = *pattern == '*' ? row[i] || row[i - 1]
                                     : diagonal && (*pattern == '?' || *pattern == text[i - 1]);
        }
    }
    matches = row[n];
    free(row);
    return matches;
}

static void glob(struct input in)
{
    char *pattern = c_string(input_line(&in)), *text = c_string(input_rest(&in));

    HOLDS(glob_match(pattern, text) == plain_glob(pattern, text));
    free(pattern);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned what = input_byte(&in);
    struct bytes rest = input_rest(&in);

    if (what % 4 == 0)
        base64(rest);
    else if (what % 4 == 1)
        encoded(rest);
    else if (what % 4 == 2)
        utf8(rest);
    else
        glob(in);
    return 0;
}
