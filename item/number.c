#include "item/number.h"

#define EXPONENT_LOWEST (-130)
#define EXPONENT_HIGHEST 125
/* Beyond every length of text, so that a capped exponent cannot be brought back into range by digits. */
#define EXPONENT_CAP 1000000000

static const char not_number[] = "a number outside DynamoDB's grammar";

struct digits {
    char text[NUMBER_DIGITS_MAX];
    size_t count;  /* from the first to the last that is not zero */
    size_t zeros;  /* behind text, in case another digit follows */
    int64_t point; /* digits behind the point */
    bool seen;     /* any digit at all */
};

static bool digits_add(struct digits *digits, char c)
{
    digits->seen = true;
    if (c == '0') {
        if (digits->count > 0)
            digits->zeros++;
        return true;
    }
    if (digits->count + digits->zeros >= NUMBER_DIGITS_MAX)
        return false;
    memset(digits->text + digits->count, '0', digits->zeros);
    digits->count += digits->zeros;
    digits->zeros = 0;
    digits->text[digits->count++] = c;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Behind e or E: a sign and at least one digit, up to the end. */
static bool exponent_parse(const char *at, const char *end, int64_t *ret_exponent)
{
    bool minus = at < end && *at == '-';
    int64_t value = 0;
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return false;
        if (value < EXPONENT_CAP)
            value = value * 10 + (*at - '0');
    }
    *ret_exponent = minus ? -value : value;
    return true;
}

static size_t exponent_write(int64_t exponent, char *to)
{
    char reversed[8] = {0};
    size_t len = 0, count = 0;
    int64_t left = exponent < 0 ? -exponent : exponent;
    to[len++] = 'E';
    if (exponent < 0)
        to[len++] = '-';
    for (; left > 0; left /= 10)
        reversed[count++] = (char)('0' + left % 10);
    while (count > 0)
        to[len++] = reversed[--count];
    return len;
}

const char *number_canonical(struct bytes text, char ret_text[NUMBER_CANONICAL_SIZE], size_t *ret_len)
{
    const char *at = text.data, *end = text.data + text.len;
    struct digits digits = {.count = 0};
    int64_t exponent = 0;
    bool minus = at < end && *at == '-', fraction = false;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; at < end && (is_digit(*at) || (*at == '.' && !fraction)); at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        digits.point += fraction;
        if (!digits_add(&digits, *at))
            return "a number of more than 38 digits";
    }
    if (!digits.seen)
        return not_number;
    if (at < end && ((*at != 'e' && *at != 'E') || !exponent_parse(at + 1, end, &exponent)))
        return not_number;

    size_t len = 0;
    if (digits.count == 0) {
        ret_text[len++] = '0';
        *ret_len = len;
        return NULL;
    }
    exponent += (int64_t)digits.zeros - digits.point;
    int64_t magnitude = exponent + (int64_t)digits.count - 1;
    if (magnitude < EXPONENT_LOWEST || magnitude > EXPONENT_HIGHEST)
        return "a number out of DynamoDB's range";
    if (minus)
        ret_text[len++] = '-';
    memcpy(ret_text + len, digits.text, digits.count);
    len += digits.count;
    if (exponent != 0)
        len += exponent_write(exponent, ret_text + len);
    *ret_len = len;
    return NULL;
}
