#include "http/target.h"

#include "base/limits.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 3986: unreserved, sub-delims, `:` `@` `/` `?` `%`. Whatever else a client sends raw, it should have
 * encoded. */
static bool is_target_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@/?%", c) != NULL);
}

/* Decodes into arena. NULL with *ret_why when the bytes are not text that we take; NULL without it: no
 * memory. */
static char *decode(struct arena *arena, struct bytes raw, bool plus_is_space, const char **ret_why)
{
    char *text = arena_alloc(arena, raw.len + 1);
    size_t len = 0;

    *ret_why = NULL;
    if (!text)
        return NULL;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];

        if (c == '%') {
            int high = raw.len - i > 2 ? hex_digit(raw.data[i + 1]) : -1;
            int low = raw.len - i > 2 ? hex_digit(raw.data[i + 2]) : -1;

            if (high < 0 || low < 0) {
                *ret_why = "bad percent-encoding";
                return NULL;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if ((unsigned char)c < 0x20 || c == 0x7f) {
            *ret_why = "a control character";
            return NULL;
        }
        text[len++] = c;
    }
    text[len] = '\0';
    if (utf8_valid_until((struct bytes){text, len}) < len) {
        *ret_why = "bytes that are not UTF-8";
        return NULL;
    }
    return text;
}

static const char *segment_fault(const char *segment, bool last)
{
    if (strchr(segment, '/') || strchr(segment, '\\'))
        return "an encoded slash or backslash";
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
        return "a dot segment";
    return segment[0] == '\0' && !last ? "an empty segment" : NULL;
}

static int parse_path(struct bytes path, struct http_request *request, struct err *err)
{
    size_t count = 0, max = 1;
    const char **segments;

    for (size_t i = 0; i < path.len; i++)
        max += path.data[i] == '/';
    segments = arena_array(request->arena, const char *, max);
    request->path = arena_strndup(request->arena, path.data, path.len);
    if (!segments || !request->path)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    for (size_t at = 1; path.len > 1 && at <= path.len;) {
        const char *slash = memchr(path.data + at, '/', path.len - at);
        size_t end = slash ? (size_t)(slash - path.data) : path.len;
        const char *why;
        char *segment = decode(request->arena, (struct bytes){path.data + at, end - at}, false, &why);

        if (!segment && !why)
            return err_set(err, ERR_NO_MEMORY, "request arena");
        if (end - at > HTTP_SEGMENT_MAX)
            return err_set(err, ERR_URI_TOO_LONG, "a path segment of more than %d bytes", HTTP_SEGMENT_MAX);
        if (segment)
            why = segment_fault(segment, end == path.len);
        if (why)
            return err_set(err, ERR_MALFORMED_REQUEST, "the path has %s", why);
        segments[count++] = segment;
        at = end + 1;
    }
    request->segments = segments;
    request->segment_count = count;
    return 0;
}

static int parse_query(struct bytes query, struct http_request *request, struct err *err)
{
    struct http_query *list = arena_array(request->arena, struct http_query, HTTP_QUERY_MAX);
    size_t count = 0;

    if (!list)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    for (size_t at = 0; at < query.len;) {
        const char *amp = memchr(query.data + at, '&', query.len - at);
        size_t end = amp ? (size_t)(amp - query.data) : query.len;
        struct bytes pair = {query.data + at, end - at};
        const char *equals = pair.len > 0 ? memchr(pair.data, '=', pair.len) : NULL;
        size_t name_len = equals ? (size_t)(equals - pair.data) : pair.len;
        const char *why;

        at = end + 1;
        if (pair.len == 0)
            continue;
        if (count == HTTP_QUERY_MAX)
            return err_set(err, ERR_INVALID_QUERY, "more than %d query parameters", HTTP_QUERY_MAX);
        list[count].name = decode(request->arena, (struct bytes){pair.data, name_len}, true, &why);
        if (list[count].name)
            list[count].value =
                equals
                    ? decode(request->arena, (struct bytes){equals + 1, pair.len - name_len - 1}, true, &why)
                    : "";
        if (!list[count].name || !list[count].value)
            return why ? err_set(err, ERR_INVALID_QUERY, "the query has %s", why)
                       : err_set(err, ERR_NO_MEMORY, "request arena");
        count++;
    }
    request->query = list;
    request->query_count = count;
    return 0;
}

int target_parse(struct bytes target, struct http_request *request, struct err *err)
{
    const char *mark;
    struct bytes path = target, query = {NULL, 0};

    if (bytes_is(target, "*") && strcmp(request->method, "OPTIONS") == 0) {
        request->path = "*";
        return 0;
    }
    if (target.len == 0 || target.data[0] != '/')
        return err_set(err, ERR_MALFORMED_REQUEST, "the request target must begin with /");
    for (size_t i = 0; i < target.len; i++)
        if (!is_target_char((unsigned char)target.data[i]))
            return err_set(err, ERR_MALFORMED_REQUEST,
                           "the request target has a character that must be encoded");
    mark = memchr(target.data, '?', target.len);
    if (mark) {
        path.len = (size_t)(mark - target.data);
        query = (struct bytes){mark + 1, target.len - path.len - 1};
    }
    if (parse_path(path, request, err) < 0)
        return -1;
    return query.len > 0 ? parse_query(query, request, err) : 0;
}
