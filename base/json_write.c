#include "base/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json_text.h"

#define DEPTH_MAX 63

/* -- text -- */

static void escape_char(struct buffer *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', 0, 0};
    char named = 0;

    switch (c) {
    case '"':
    case '\\':
        named = (char)c;
        break;
    case '\b':
        named = 'b';
        break;
    case '\f':
        named = 'f';
        break;
    case '\n':
        named = 'n';
        break;
    case '\r':
        named = 'r';
        break;
    case '\t':
        named = 't';
        break;
    default:
        text[4] = digits[c >> 4];
        text[5] = digits[c & 15];
    }
    text[1] = named ? named : 'u';
    buffer_add(out, text, named ? 2 : 6);
}

void json_escape(struct buffer *out, struct bytes text)
{
    const char *at = text.data, *end = text.data + text.len;

    while (at < end) {
        const char *run = at;
        size_t len;
        for (;;) { /* well-formed UTF-8 is part of the run */
            run = json_plain_run(run, end);
            if (run == end || (unsigned char)*run < 0x80 || (len = utf8_length(run, end)) == 0)
                break;
            run += len;
        }
        buffer_add(out, at, (size_t)(run - at));
        at = run;
        if (at == end)
            return;
        if ((unsigned char)*at < 0x80)
            escape_char(out, (unsigned char)*at);
        else
            buffer_add(out, "\xef\xbf\xbd", 3);
        at++;
    }
}

void json_pointer_add(struct buffer *pointer, struct bytes token)
{
    const char *at = token.data, *end = token.data + token.len;

    buffer_add_char(pointer, '/');
    while (at < end) {
        const char *run = at;
        while (run < end && *run != '~' && *run != '/')
            run++;
        buffer_add(pointer, at, (size_t)(run - at));
        if (run < end)
            buffer_add(pointer, *run++ == '~' ? "~0" : "~1", 2);
        at = run;
    }
}

/* -- the writer -- */

void json_put_begin(struct json_writer *w, struct buffer *out)
{
    *w = (struct json_writer){.out = out};
}

/* `room` bytes at the end, mostly without asking the allocator. */
static char *room_for(struct buffer *out, size_t room)
{
    bool fits = !out->failed && room < out->size - out->len && room <= out->max - out->len;

    return fits ? out->data + out->len : buffer_reserve(out, room);
}

/* Text that needs no escape, which is nearly all, goes in one go, between what must stand before and behind
 * it. Inline: those are a byte or two, and constant. */
__attribute__((always_inline)) static inline bool put_plain(struct buffer *out, struct bytes before,
                                                            struct bytes text, struct bytes behind)
{
    const char *end = text.data + text.len;
    size_t len = before.len + text.len + behind.len;
    char *to = json_plain_run(text.data, end) == end ? room_for(out, len) : NULL;

    if (!to)
        return false;
    to = mempcpy(to, before.data, before.len);
    if (text.len > 0) /* no text may have no address */
        to = mempcpy(to, text.data, text.len);
    to = mempcpy(to, behind.data, behind.len);
    *to = '\0';
    out->len += len;
    return true;
}

static void quoted(struct buffer *out, struct bytes text)
{
    if (put_plain(out, BYTES("\""), text, BYTES("\"")))
        return;
    buffer_add_char(out, '"');
    json_escape(out, text);
    buffer_add_char(out, '"');
}

static void member(struct json_writer *w, const char *name)
{
    uint64_t bit = UINT64_C(1) << w->depth;
    struct bytes before = w->depth > 0 && (w->has_members & bit) ? BYTES(",") : BYTES("");

    w->has_members |= bit;
    if (!name) {
        buffer_add_bytes(w->out, before);
        return;
    }
    if (put_plain(w->out, before.len > 0 ? BYTES(",\"") : BYTES("\""), bytes_of(name), BYTES("\":")))
        return;
    buffer_add_bytes(w->out, before);
    quoted(w->out, bytes_of(name));
    buffer_add_char(w->out, ':');
}

static void enter(struct json_writer *w, const char *name, char bracket)
{
    member(w, name);
    if (w->depth == DEPTH_MAX) {
        w->out->failed = true; /* no reply of ours is that deep; buffer_ok tells */
        return;
    }
    buffer_add_char(w->out, bracket);
    w->depth++;
    w->has_members &= ~(UINT64_C(1) << w->depth);
}

static void leave(struct json_writer *w, char bracket)
{
    if (w->depth == 0) {
        w->out->failed = true;
        return;
    }
    buffer_add_char(w->out, bracket);
    w->depth--;
}

void json_put_object(struct json_writer *w, const char *name)
{
    enter(w, name, '{');
}

void json_put_object_end(struct json_writer *w)
{
    leave(w, '}');
}

void json_put_array(struct json_writer *w, const char *name)
{
    enter(w, name, '[');
}

void json_put_array_end(struct json_writer *w)
{
    leave(w, ']');
}

void json_put_raw(struct json_writer *w, const char *name, struct bytes json)
{
    member(w, name);
    buffer_add_bytes(w->out, json);
}

void json_put_null(struct json_writer *w, const char *name)
{
    json_put_raw(w, name, BYTES("null"));
}

void json_put_text_bytes(struct json_writer *w, const char *name, struct bytes text)
{
    member(w, name);
    quoted(w->out, text);
}

void json_put_text(struct json_writer *w, const char *name, const char *text)
{
    if (text)
        json_put_text_bytes(w, name, bytes_of(text));
    else
        json_put_null(w, name);
}

void json_put_text_opt(struct json_writer *w, const char *name, const char *text)
{
    if (text)
        json_put_text_bytes(w, name, bytes_of(text));
}

void json_put_int(struct json_writer *w, const char *name, int64_t value)
{
    char digits[INT_SIZE];
    size_t len = int_format(value, digits);

    json_put_raw(w, name, (struct bytes){digits, len});
}

/* Writes a value that is exactly so many thousandths (the division rounds as strtod would), which nearly
 * every number of a reply is; printf and strtod cost a hundred times as much. 0: it is none, or too large. */
static size_t put_thousandths(double value, char ret_text[DOUBLE_SIZE])
{
    double thousandths = rint(fabs(value) * 1000);
    char text[DOUBLE_SIZE];
    char *to = text + sizeof(text);
    uint64_t rest;
    int digits = 0;

    if (fabs(value) >= 1e11 || thousandths / 1000 != fabs(value) || (value == 0 && signbit(value)))
        return 0;
    rest = (uint64_t)thousandths;
    for (; digits < 2 && rest % 10 == 0; digits++) /* zeros at the end, but for one digit */
        rest /= 10;
    for (; digits < 4 || rest > 0; digits++, rest /= 10) {
        if (digits == 3)
            *--to = '.';
        *--to = (char)('0' + rest % 10);
    }
    if (value < 0)
        *--to = '-';
    digits = (int)(text + sizeof(text) - to);
    memcpy(ret_text, to, (size_t)digits);
    return (size_t)digits;
}

/* The shortest form that reads back as the same double. A whole number keeps ".0", so that it reads back as a
 * real. */
void json_put_number(struct json_writer *w, const char *name, double value)
{
    char text[DOUBLE_SIZE];
    size_t len;

    if (!isfinite(value)) {
        json_put_null(w, name);
        return;
    }
    len = put_thousandths(value, text);
    if (len == 0) {
        len = double_format(value, text);
        if (!strpbrk(text, ".e")) {
            memcpy(text + len, ".0", 3);
            len += 2;
        }
    }
    json_put_raw(w, name, (struct bytes){text, len});
}

void json_put_flag(struct json_writer *w, const char *name, bool value)
{
    json_put_raw(w, name, value ? BYTES("true") : BYTES("false"));
}

void json_put_time(struct json_writer *w, const char *name, int64_t wall_ms)
{
    char text[TIME_SIZE];

    if (wall_ms == 0) {
        json_put_null(w, name);
        return;
    }
    time_format(wall_ms, text);
    json_put_text(w, name, text);
}

void json_put_time_opt(struct json_writer *w, const char *name, int64_t wall_ms)
{
    if (wall_ms != 0)
        json_put_time(w, name, wall_ms);
}

/* Recursion ends where the writer's depth does. */
static void dom_container(struct json_writer *w, const char *name, const json_t *value)
{
    bool object = json_is_object(value);

    enter(w, name, object ? '{' : '[');
    if (w->out->failed)
        return;
    if (object) {
        json_t *all = (json_t *)(uintptr_t)value; /* jansson's iterator is not const; nothing is changed */
        for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i))
            json_put_dom(w, json_object_iter_key(i), json_object_iter_value(i));
    } else {
        for (size_t i = 0; i < json_array_size(value); i++)
            json_put_dom(w, NULL, json_array_get(value, i));
    }
    leave(w, object ? '}' : ']');
}

void json_put_dom(struct json_writer *w, const char *name, const json_t *value)
{
    if (json_is_object(value) || json_is_array(value))
        dom_container(w, name, value);
    else if (json_is_string(value))
        json_put_text_bytes(w, name, (struct bytes){json_string_value(value), json_string_length(value)});
    else if (json_is_integer(value))
        json_put_int(w, name, json_integer_value(value));
    else if (json_is_real(value))
        json_put_number(w, name, json_real_value(value));
    else if (json_is_boolean(value))
        json_put_flag(w, name, json_is_true(value));
    else
        json_put_null(w, name);
}

/* -- jansson -- */

const char *json_get_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

int64_t json_get_int(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);

    if (json_is_integer(value))
        return json_integer_value(value);
    if (json_is_real(value)) {
        double real = json_real_value(value);
        if (real >= -0x1p63 && real < 0x1p63 && real == trunc(real))
            return (int64_t)real;
    }
    return otherwise;
}

bool json_get_bool(const json_t *object, const char *name, bool otherwise)
{
    const json_t *value = json_object_get(object, name);

    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

char *json_canonical(struct arena *arena, const json_t *value)
{
    _cleanup_(cleanup_free) char *text = json_dumped(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    return text ? arena_strdup(arena, text) : NULL;
}

json_t *json_of_text(const char *text)
{
    _cleanup_(buffer_done) struct buffer good = BUFFER_INIT(3 * strlen(text));
    struct bytes left = bytes_of(text);

    for (size_t len; (len = utf8_valid_until(left)) < left.len;) {
        buffer_add(&good, left.data, len);
        buffer_add_str(&good, "\xef\xbf\xbd");
        left = (struct bytes){left.data + len + 1, left.len - len - 1};
    }
    buffer_add_bytes(&good, left);
    return good.failed ? NULL : json_stringn(good.data ? good.data : "", good.len);
}

void json_decref_p(void *value)
{
    json_decref(value);
}
