#include "item/scan.h"

/* The first quote, backslash or control at or behind at; end when there is none. */
static const char *skip_plain(const char *at, const char *end)
{
    while (end - at >= SCAN_STEP) {
        uint64_t stops = scan_stops(scan_load(at));
        if (stops)
            return at + scan_first(stops);
        at += SCAN_STEP;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at;
}

/* From behind the opening quote to the closing one; NULL when there is none. */
static const char *skip_string(const char *at, const char *end)
{
    for (;;) {
        at = skip_plain(at, end);
        if (at == end || (unsigned char)*at < 0x20)
            return NULL;
        if (*at == '"')
            return at;
        if (end - at < 2)
            return NULL;
        at += 2;
    }
}

bool scan_string(struct scan *scan, struct bytes *ret_inner)
{
    if (!scan_take(scan, '"'))
        return false;
    const char *close = skip_string(scan->at, scan->end);
    if (!close)
        return false;
    *ret_inner = (struct bytes){scan->at, (size_t)(close - scan->at)};
    scan->at = close + 1;
    return true;
}

/* From an opening bracket to behind the one that closes it. No stack: kinds are the judge's business, so
 * depth costs nothing. */
static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        char c = *at++;
        if (c == '"') {
            at = skip_string(at, end);
            if (!at)
                return NULL;
            at++;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (--depth == 0)
                return at;
        }
    }
    return NULL;
}

static const char *skip_scalar(const char *at, const char *end)
{
    while (at < end && ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') || *at == '-' ||
                        *at == '+' || *at == '.' || *at == 'E'))
        at++;
    return at;
}

bool scan_value(struct scan *scan, struct bytes *ret_raw)
{
    scan_space(scan);
    const char *from = scan->at, *to;
    if (from == scan->end)
        return false;
    if (*from == '{' || *from == '[') {
        to = skip_container(from, scan->end);
    } else if (*from == '"') {
        to = skip_string(from + 1, scan->end);
        to = to ? to + 1 : NULL;
    } else {
        to = skip_scalar(from, scan->end);
    }
    if (!to || to == from)
        return false;
    *ret_raw = (struct bytes){from, (size_t)(to - from)};
    scan->at = to;
    return true;
}

bool scan_object(struct scan *scan, struct bytes *ret_raw)
{
    scan_space(scan);
    return scan->at < scan->end && *scan->at == '{' && scan_value(scan, ret_raw);
}

int scan_member(struct scan *scan, bool first, struct bytes *ret_name)
{
    if (scan_take(scan, '}'))
        return 0;
    if (!first && !scan_take(scan, ','))
        return -1;
    return scan_string(scan, ret_name) && scan_take(scan, ':') ? 1 : -1;
}
