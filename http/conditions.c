/* If-Match, If-None-Match and Range: declared in http/header.h. */
#include "http/header.h"

#define GZIP_SUFFIX "-gzip\""

/* Takes one entity tag (RFC 9110 8.8.3) and the comma behind it. */
static bool take_tag(struct bytes *list, struct bytes *ret_tag, bool *ret_weak)
{
    const char *end;

    *ret_weak = list->len >= 2 && list->data[0] == 'W' && list->data[1] == '/';
    if (*ret_weak) {
        list->data += 2;
        list->len -= 2;
    }
    if (list->len < 2 || list->data[0] != '"')
        return false;
    end = memchr(list->data + 1, '"', list->len - 1);
    if (!end)
        return false;
    *ret_tag = (struct bytes){list->data, (size_t)(end - list->data) + 1};
    list->data += ret_tag->len;
    list->len -= ret_tag->len;
    *list = http_trim(*list);
    if (list->len == 0)
        return true;
    if (list->data[0] != ',')
        return false;
    list->data++;
    list->len--;
    *list = http_trim(*list);
    return true;
}

static bool tag_equal(struct bytes tag, const char *etag)
{
    size_t len = strlen(etag);

    if (bytes_is(tag, etag))
        return true;
    return len >= 2 && tag.len == len - 1 + strlen(GZIP_SUFFIX) && memcmp(tag.data, etag, len - 1) == 0 &&
           memcmp(tag.data + len - 1, GZIP_SUFFIX, strlen(GZIP_SUFFIX)) == 0;
}

static enum http_match match_list(struct bytes list, const char *etag, bool strong)
{
    enum http_match result = HTTP_MATCH_NO;

    if (!list.data)
        return HTTP_MATCH_ABSENT;
    list = http_trim(list);
    if (bytes_is(list, "*"))
        return etag ? HTTP_MATCH_YES : HTTP_MATCH_NO;
    if (list.len == 0)
        return HTTP_MATCH_BAD;
    while (list.len > 0) {
        struct bytes tag;
        bool weak;

        if (!take_tag(&list, &tag, &weak))
            return HTTP_MATCH_BAD;
        if (etag && !(strong && weak) && tag_equal(tag, etag))
            result = HTTP_MATCH_YES;
    }
    return result;
}

enum http_match http_if_match(struct bytes if_match, const char *etag)
{
    return match_list(if_match, etag, true);
}

enum http_match http_if_none_match(struct bytes if_none_match, const char *etag)
{
    return match_list(if_none_match, etag, false);
}

static bool parse_position(struct bytes text, int64_t *ret_value)
{
    uint64_t value;

    if (text.len == 0 || !uint_parse(text, &value))
        return false;
    *ret_value = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    return true;
}

static enum http_range_result range_suffix(struct bytes text, int64_t size, int64_t *ret_offset,
                                           int64_t *ret_length)
{
    int64_t count;

    if (!parse_position(text, &count))
        return HTTP_RANGE_ALL;
    if (count == 0 || size == 0)
        return HTTP_RANGE_UNSATISFIABLE;
    *ret_length = count < size ? count : size;
    *ret_offset = size - *ret_length;
    return HTTP_RANGE_PART;
}

enum http_range_result http_range(struct bytes range, int64_t size, int64_t *ret_offset, int64_t *ret_length)
{
    struct bytes first, last;
    int64_t from, to = INT64_MAX;
    const char *dash;

    if (!range.data || !bytes_starts(range, "bytes="))
        return HTTP_RANGE_ALL;
    range.data += strlen("bytes=");
    range.len -= strlen("bytes=");
    range = http_trim(range);
    dash = range.len > 0 ? memchr(range.data, '-', range.len) : NULL;
    if (!dash)
        return HTTP_RANGE_ALL;
    first = (struct bytes){range.data, (size_t)(dash - range.data)};
    last = (struct bytes){dash + 1, range.len - first.len - 1};
    if (first.len == 0)
        return range_suffix(last, size, ret_offset, ret_length);
    if (!parse_position(first, &from) || (last.len > 0 && !parse_position(last, &to)) || to < from)
        return HTTP_RANGE_ALL;
    if (from >= size)
        return HTTP_RANGE_UNSATISFIABLE;
    *ret_offset = from;
    *ret_length = (to < size - 1 ? to : size - 1) - from + 1;
    return HTTP_RANGE_PART;
}
