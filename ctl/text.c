#include "ctl/text.h"

#include <stdbool.h>

#include "base/str.h"

void text_put(FILE *to, const char *text)
{
    const char *end = text + strlen(text);

    while (text < end) {
        unsigned char c = (unsigned char)*text;
        size_t len = utf8_length(text, end);
        bool control = c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0);

        if (len == 0 || control)
            fputc('?', to);
        else
            fwrite(text, 1, len, to);
        text += len ? len : 1;
    }
}

size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void text_count(int64_t value, char ret_text[TEXT_SHORT])
{
    char digits[TEXT_SHORT];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)value);
    size_t to = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
            ret_text[to++] = ',';
        ret_text[to++] = digits[i];
    }
    ret_text[to] = '\0';
}

void text_bytes(int64_t value, char ret_text[TEXT_SHORT])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double amount = (double)value;
    size_t unit = 0;

    while (amount >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        amount /= 1024;
        unit++;
    }
    snprintf(ret_text, TEXT_SHORT, unit == 0 ? "%.0f %s" : "%.1f %s", amount, units[unit]);
}

void text_seconds(int64_t seconds, char ret_text[TEXT_SHORT])
{
    long long s = seconds < 0 ? 0 : seconds;

    if (s >= 3600)
        snprintf(ret_text, TEXT_SHORT, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(ret_text, TEXT_SHORT, "%lld:%02lld", s / 60, s % 60);
}

void text_elapsed(int64_t ms, char ret_text[TEXT_SHORT])
{
    if (ms < 60000)
        snprintf(ret_text, TEXT_SHORT, "%.1f s", (double)(ms < 0 ? 0 : ms) / 1000);
    else
        text_seconds(ms / 1000, ret_text);
}
