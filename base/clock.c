#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t (*replaced_wall)(void);
static int64_t (*replaced_boot)(void);

static int64_t read_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    return replaced_wall ? replaced_wall() : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_boot_us(void)
{
    return replaced_boot ? replaced_boot() * 1000 : read_us(CLOCK_BOOTTIME);
}

int64_t clock_boot_ms(void)
{
    return clock_boot_us() / 1000;
}

void clock_replace(int64_t (*wall_ms)(void), int64_t (*boot_ms)(void))
{
    replaced_wall = wall_ms;
    replaced_boot = boot_ms;
}

/* Proleptic Gregorian days since 1970-01-01 and back (era arithmetic: years begin in March). */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct parts {
    int year, month, day, hour, minute, second, ms, weekday;
};

static struct parts split(int64_t wall_ms)
{
    static const int64_t first = -62167219200000; /* 0000-01-01 */
    static const int64_t last = 253402300799999;  /* 9999-12-31T23:59:59.999 */
    int64_t t = wall_ms < first ? first : wall_ms > last ? last : wall_ms;
    int64_t days = t >= 0 ? t / 86400000 : -((86399999 - t) / 86400000);
    int64_t in_day = t - days * 86400000;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct parts p;

    p.day = (int)(of_year - (153 * month + 2) / 5 + 1);
    p.month = (int)(month < 10 ? month + 3 : month - 9);
    p.year = (int)(year + era * 400 + (p.month <= 2));
    p.hour = (int)(in_day / 3600000);
    p.minute = (int)(in_day / 60000 % 60);
    p.second = (int)(in_day / 1000 % 60);
    p.ms = (int)(in_day % 1000);
    p.weekday = (int)(((days + 4) % 7 + 7) % 7);
    return p;
}

/* A reply has a dozen times: with snprintf they would cost more than all the rest of it. */
static char *put_two(char *to, int value)
{
    *to++ = (char)('0' + value / 10);
    *to++ = (char)('0' + value % 10);
    return to;
}

/* Three numbers of two digits, with `mark` between them unless it is 0. */
static char *put_six(char *to, int first, int second, int third, char mark)
{
    to = put_two(to, first);
    if (mark)
        *to++ = mark;
    to = put_two(to, second);
    if (mark)
        *to++ = mark;
    return put_two(to, third);
}

static char *put_date(char *to, const struct parts *p, char mark)
{
    return put_six(put_two(to, p->year / 100), p->year % 100, p->month, p->day, mark);
}

void time_format(int64_t wall_ms, char ret_text[TIME_SIZE])
{
    struct parts p = split(wall_ms);
    char *to = put_date(ret_text, &p, '-');

    *to++ = 'T';
    to = put_six(to, p.hour, p.minute, p.second, ':');
    *to++ = '.';
    *to++ = (char)('0' + p.ms / 100);
    to = put_two(to, p.ms % 100);
    memcpy(to, "Z", 2);
}

void time_format_basic(int64_t wall_ms, char ret_text[TIME_SIZE])
{
    struct parts p = split(wall_ms);
    char *to = put_date(ret_text, &p, 0);

    *to++ = 'T';
    to = put_six(to, p.hour, p.minute, p.second, 0);
    memcpy(to, "Z", 2);
}

void time_format_folder(int64_t wall_ms, char ret_text[TIME_SIZE])
{
    struct parts p = split(wall_ms);
    char *to = put_date(ret_text, &p, 0);

    *to++ = '-';
    *put_six(to, p.hour, p.minute, p.second, 0) = '\0';
}

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Reads exactly n digits at *at. */
static bool digits(struct bytes text, size_t *at, size_t n, int *ret_value)
{
    int value = 0;

    if (text.len - *at < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = text.data[*at + i];

        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += n;
    *ret_value = value;
    return true;
}

static bool letter(struct bytes text, size_t *at, const char *one_of)
{
    if (*at >= text.len || text.data[*at] == '\0' || !strchr(one_of, text.data[*at]))
        return false;
    (*at)++;
    return true;
}

static bool date_is_real(int year, int month, int day)
{
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month >= 1 && month <= 12 && day >= 1 && day <= lengths[month - 1] + (month == 2 && leap);
}

static bool clock_is_real(const struct parts *p)
{
    return date_is_real(p->year, p->month, p->day) && p->hour < 24 && p->minute < 60 && p->second < 60;
}

static int64_t join(const struct parts *p)
{
    return ((days_of(p->year, p->month, p->day) * 24 + p->hour) * 60 + p->minute) * 60000 + p->second * 1000 +
           p->ms;
}

static bool fraction(struct bytes text, size_t *at, int *ret_ms)
{
    int scale = 100;
    size_t n = 0;

    *ret_ms = 0;
    if (!letter(text, at, "."))
        return true;
    for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++, n++, scale /= 10)
        *ret_ms += (text.data[*at] - '0') * scale;
    return n >= 1 && n <= 9;
}

static bool offset(struct bytes text, size_t *at, int64_t *ret_ms)
{
    int hours;
    int minutes;
    bool minus;

    *ret_ms = 0;
    if (letter(text, at, "Zz"))
        return true;
    minus = *at < text.len && text.data[*at] == '-';
    if (!letter(text, at, "+-") || !digits(text, at, 2, &hours) || !letter(text, at, ":") ||
        !digits(text, at, 2, &minutes))
        return false;
    *ret_ms = (hours * 60LL + minutes) * 60000 * (minus ? -1 : 1);
    return hours < 24 && minutes < 60;
}

bool time_parse(struct bytes text, int64_t *ret_wall_ms)
{
    struct parts p = {0};
    size_t at = 0;
    int64_t off;

    if (!digits(text, &at, 4, &p.year) || !letter(text, &at, "-") || !digits(text, &at, 2, &p.month) ||
        !letter(text, &at, "-") || !digits(text, &at, 2, &p.day) || !letter(text, &at, "Tt ") ||
        !digits(text, &at, 2, &p.hour) || !letter(text, &at, ":") || !digits(text, &at, 2, &p.minute) ||
        !letter(text, &at, ":") || !digits(text, &at, 2, &p.second) || !fraction(text, &at, &p.ms) ||
        !offset(text, &at, &off) || at != text.len || !clock_is_real(&p))
        return false;
    *ret_wall_ms = join(&p) - off;
    return true;
}

bool time_parse_http(struct bytes text, int64_t *ret_wall_ms)
{
    struct parts p = {0};
    size_t at = 5;

    if (text.len != 29 || memcmp(text.data + 3, ", ", 2) || !digits(text, &at, 2, &p.day) ||
        !letter(text, &at, " "))
        return false;
    while (p.month < 12 && memcmp(month_names[p.month], text.data + at, 3))
        p.month++;
    p.month++;
    at += 3;
    if (!letter(text, &at, " ") || !digits(text, &at, 4, &p.year) || !letter(text, &at, " ") ||
        !digits(text, &at, 2, &p.hour) || !letter(text, &at, ":") || !digits(text, &at, 2, &p.minute) ||
        !letter(text, &at, ":") || !digits(text, &at, 2, &p.second) || memcmp(text.data + at, " GMT", 4) ||
        !clock_is_real(&p))
        return false;
    *ret_wall_ms = join(&p);
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

static bool unit_parse(struct bytes text, const struct unit *units, size_t count, int64_t *ret_value)
{
    uint64_t number;
    size_t n = 0;

    while (n < text.len && text.data[n] >= '0' && text.data[n] <= '9')
        n++;
    if (!uint_parse((struct bytes){text.data, n}, &number) || number > INT64_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        if (bytes_is((struct bytes){text.data + n, text.len - n}, units[i].name))
            return !__builtin_mul_overflow((int64_t)number, units[i].factor, ret_value);
    return false;
}

bool duration_parse(struct bytes text, int64_t *ret_ms)
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

    return unit_parse(text, units, sizeof(units) / sizeof(units[0]), ret_ms);
}

bool size_parse(struct bytes text, int64_t *ret_bytes)
{
    static const struct unit units[] = {
        {"B", 1}, {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"TiB", 1LL << 40}};

    return unit_parse(text, units, sizeof(units) / sizeof(units[0]), ret_bytes);
}
