/* Times, durations, sizes and numbers: what is parsed is written in its one form, which is parsed to the
 * same. */
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"

#define YEAR_0 (-62167219200000LL)
#define YEAR_10000 253402300800000LL

/* By the C library. */
static void same_as_libc(int64_t ms, const char *text)
{
    int64_t seconds = ms / 1000 - (ms % 1000 < 0);
    time_t t = (time_t)seconds;
    struct tm tm;
    char want[TIME_SIZE + 8];

    HOLDS(gmtime_r(&t, &tm));
    snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms - seconds * 1000));
    HOLDS(strcmp(want, text) == 0);
}

static void judge_time(int64_t ms)
{
    char text[TIME_SIZE];
    int64_t back;

    time_format(ms, text);
    HOLDS(strlen(text) == 24 && time_parse(bytes_of(text), &back));
    if (ms >= YEAR_0 && ms < YEAR_10000) {
        HOLDS(back == ms);
        same_as_libc(ms, text);
    }
    time_format_basic(ms, text);
    HOLDS(strlen(text) == 16);
    time_format_folder(ms, text);
    HOLDS(strlen(text) == 15);
}

static void judge_text(struct bytes text)
{
    char again[32];
    int64_t value;
    uint64_t natural;

    if (time_parse(text, &value)) {
        HOLDS(value >= YEAR_0 - 86400000 && value < YEAR_10000 + 86400000);
        judge_time(value);
    }
    if (time_parse_http(text, &value))
        judge_time(value);
    if (duration_parse(text, &value)) {
        HOLDS(value >= 0);
        snprintf(again, sizeof again, "%" PRId64 "ms", value);
        int64_t back;
        HOLDS(duration_parse(bytes_of(again), &back) && back == value);
    }
    if (size_parse(text, &value)) {
        HOLDS(value >= 0);
        snprintf(again, sizeof again, "%" PRId64 "B", value);
        int64_t back;
        HOLDS(size_parse(bytes_of(again), &back) && back == value);
    }
    if (int_parse(text, &value)) {
        char *copy = c_string(text);
        HOLDS(strtoll(copy, NULL, 10) == value && strlen(copy) == text.len &&
              strspn(copy, "-0123456789") == text.len);
        free(copy);
    }
    if (uint_parse(text, &natural)) {
        char *copy = c_string(text);
        HOLDS(strtoull(copy, NULL, 10) == natural && strspn(copy, "0123456789") == text.len);
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};

    judge_text(input_rest(&in));
    if (size >= 8)
        judge_time((int64_t)input_u64(&in) >> (size > 8 ? data[8] % 40 : 0));
    return 0;
}
