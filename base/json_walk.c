/* Walking checked text must not cost a second check: strings and brackets are followed, numbers and words are
 * only judged on the level that is walked. Unchecked text is safe to walk; a fault inside a skipped value
 * shows when that value is walked or decoded itself. */
#include "base/json.h"

#include "base/json_text.h"

#define SKIP_DEPTH 64 /* a bit a level; deeper than any limit of the program */

static int fail(struct err *err, const char *reason)
{
    return err_set(err, ERR_INVALID_JSON, "%s", reason);
}

/* Past the string at `at`, its content unjudged, or NULL. */
static const char *string_skip(const char *at, const char *end)
{
    const char *p = at + 1, *quote;

    while (p < end && (quote = memchr(p, '"', (size_t)(end - p)))) {
        size_t slashes = 0;
        while (quote - slashes > p && quote[-1 - (ptrdiff_t)slashes] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return quote + 1;
        p = quote + 1; /* the run of backslashes lies wholly behind us: none is counted twice */
    }
    return NULL;
}

/* Past the container at `at`, or NULL when its brackets do not match. */
static const char *container_skip(const char *at, const char *end)
{
    uint64_t objects = 0;
    unsigned depth = 0;

    while (at < end) {
        bool object = *at == '{' || *at == '}';
        switch (*at) {
        case '"':
            at = string_skip(at, end);
            if (!at)
                return NULL;
            continue;
        case '{':
        case '[':
            if (depth == SKIP_DEPTH)
                return NULL;
            objects = objects << 1 | object;
            depth++;
            break;
        case '}':
        case ']':
            if ((objects & 1) != object)
                return NULL;
            objects >>= 1;
            if (--depth == 0)
                return at + 1;
            break;
        default:
            break;
        }
        at++;
    }
    return NULL;
}

static int value_next(struct json_walk *walk, struct json_span *ret_value, struct err *err)
{
    const char *begin = walk->at = json_skip_space(walk->at, walk->end), *end;
    enum json_span_type type;
    bool integer;

    if (begin == walk->end)
        return fail(err, "the text ends too early");
    switch (*begin) {
    case '"':
        type = JSON_SPAN_STRING;
        end = string_skip(begin, walk->end);
        break;
    case '{':
    case '[':
        type = *begin == '{' ? JSON_SPAN_OBJECT : JSON_SPAN_ARRAY;
        end = container_skip(begin, walk->end);
        break;
    case 't':
    case 'f':
    case 'n':
        type = *begin == 'n' ? JSON_SPAN_NULL : JSON_SPAN_BOOL;
        end = json_literal_end(begin, walk->end);
        break;
    default:
        type = JSON_SPAN_NUMBER;
        end = json_number_end(begin, walk->end, &integer);
    }
    if (!end)
        return fail(err, "a malformed value");
    walk->at = end;
    *ret_value = (struct json_span){type, {begin, (size_t)(end - begin)}};
    return 0;
}

static int name_next(struct json_walk *walk, struct bytes *ret_name, struct err *err)
{
    const char *quote = walk->at = json_skip_space(walk->at, walk->end), *end;

    if (quote == walk->end || *quote != '"')
        return fail(err, "expected a name in quotes");
    end = string_skip(quote, walk->end);
    if (!end)
        return fail(err, "a string without an end");
    walk->at = json_skip_space(end, walk->end);
    if (walk->at == walk->end || *walk->at != ':')
        return fail(err, "expected ':'");
    walk->at++;
    *ret_name = (struct bytes){quote + 1, (size_t)(end - quote) - 2};
    return 0;
}

int json_walk_open(struct json_walk *walk, struct bytes container, struct err *err)
{
    const char *end = container.data + container.len, *at = json_skip_space(container.data, end);

    if (at == end || (*at != '{' && *at != '['))
        return fail(err, "expected an object or an array");
    *walk = (struct json_walk){.at = at + 1, .end = end, .object = *at == '{'};
    return 0;
}

int json_walk_next(struct json_walk *walk, struct bytes *ret_name, struct json_span *ret_value,
                   struct err *err)
{
    if (!walk->at)
        return 0;
    walk->at = json_skip_space(walk->at, walk->end);
    if (walk->at == walk->end)
        return fail(err, "the text ends too early");
    if (*walk->at == (walk->object ? '}' : ']')) {
        const char *after = json_skip_space(walk->at + 1, walk->end);
        if (after != walk->end)
            return fail(err, "bytes after the value");
        walk->at = NULL; /* and so it stays at its end */
        return 0;
    }
    if (walk->started) {
        if (*walk->at != ',')
            return fail(err, walk->object ? "expected ',' or '}'" : "expected ',' or ']'");
        walk->at++;
    }
    walk->started = true;
    struct bytes name = {0};
    if (walk->object && name_next(walk, &name, err) < 0)
        return -1;
    if (value_next(walk, ret_value, err) < 0)
        return -1;
    if (ret_name)
        *ret_name = name;
    return 1;
}

/* Adds text between quotes, decoded. NULL, or what is wrong. */
static const char *decode(const char *at, const char *end, struct buffer *out)
{
    while (at < end) {
        const char *run = json_plain_run(at, end);
        buffer_add(out, at, (size_t)(run - at));
        at = run;
        if (at == end)
            break;
        if (*at == '\\') {
            uint32_t code;
            char utf8[4];
            const char *reason = json_escape_next(&at, end, &code);
            if (reason)
                return reason;
            buffer_add(out, utf8, utf8_put(code, utf8));
            continue;
        }
        if (*at == '"' || (unsigned char)*at < 0x20)
            return "a character in a string that must be escaped";
        size_t len = utf8_length(at, end);
        if (len == 0)
            return "bytes that are not UTF-8";
        buffer_add(out, at, len);
        at += len;
    }
    return NULL;
}

int json_string_decode(struct bytes raw, struct buffer *out, struct err *err)
{
    const char *reason;

    if (raw.len < 2 || raw.data[0] != '"' || raw.data[raw.len - 1] != '"')
        return fail(err, "expected a string");
    reason = decode(raw.data + 1, raw.data + raw.len - 1, out);
    if (reason)
        return fail(err, reason);
    return buffer_ok(out, "string", err);
}
