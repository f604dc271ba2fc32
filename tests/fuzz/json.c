/* JSON from outside beside jansson: what json_parse takes is what jansson takes without repeated names, the
 * walk and the string decoder see the same tree, and whatever text is written comes back. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"

static unsigned depth_of(const json_t *value)
{
    unsigned deepest = 0;
    const char *name;
    json_t *member;
    size_t i;

    json_object_foreach((json_t *)value, name, member) {
        unsigned depth = depth_of(member);
        deepest = depth > deepest ? depth : deepest;
    }
    json_array_foreach(value, i, member) {
        unsigned depth = depth_of(member);
        deepest = depth > deepest ? depth : deepest;
    }
    return json_is_object(value) || json_is_array(value) ? deepest + 1 : 0;
}

static void same_text(struct bytes raw, const char *text, size_t len)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(raw.len + 8);
    struct err err = ERR_INIT;

    HOLDS(json_string_decode(raw, &out, &err) == 0);
    HOLDS(out.len <= raw.len && bytes_equal(buffer_bytes(&out), (struct bytes){text, len}));
}

static void same_tree(struct json_span span, const json_t *value)
{
    static const enum json_span_type types[] = {
        [JSON_OBJECT] = JSON_SPAN_OBJECT,  [JSON_ARRAY] = JSON_SPAN_ARRAY, [JSON_STRING] = JSON_SPAN_STRING,
        [JSON_INTEGER] = JSON_SPAN_NUMBER, [JSON_REAL] = JSON_SPAN_NUMBER, [JSON_TRUE] = JSON_SPAN_BOOL,
        [JSON_FALSE] = JSON_SPAN_BOOL,     [JSON_NULL] = JSON_SPAN_NULL};
    struct err err = ERR_INIT;
    struct json_walk walk;
    struct json_span member;
    struct bytes name;
    size_t count = 0;
    int more;

    HOLDS(span.type == types[json_typeof(value)]);
    if (json_is_string(value))
        same_text(span.raw, json_string_value(value), json_string_length(value));
    if (!json_is_object(value) && !json_is_array(value))
        return;
    HOLDS(json_walk_open(&walk, span.raw, &err) == 0);
    while ((more = json_walk_next(&walk, &name, &member, &err)) == 1) {
        const json_t *other = json_is_array(value) ? json_array_get(value, count) : NULL;

        if (json_is_object(value)) {
            _cleanup_(buffer_done) struct buffer key = BUFFER_INIT(span.raw.len + 8);
            struct bytes quoted = {name.data - 1, name.len + 2};

            HOLDS(json_string_decode(quoted, &key, &err) == 0);
            other = json_object_get(value, key.data ? key.data : "");
        }
        HOLDS(other);
        same_tree(member, other);
        count++;
    }
    HOLDS(more == 0 && count == (json_is_object(value) ? json_object_size(value) : json_array_size(value)));
}

static void judge_text(struct bytes text, unsigned max_depth)
{
    const struct json_limits limits = {.max_depth = max_depth},
                             doubles = {.max_depth = max_depth, .allow_duplicates = true};
    json_auto_t *ours = NULL, *theirs = json_loadb(text.len ? text.data : "", text.len,
                                                   JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    struct err err = ERR_INIT, checked = ERR_INIT, loose = ERR_INIT;
    int parse = json_parse(text, &limits, &ours, &err), check = json_check(text, &limits, &checked);
    int check_loose = json_check(text, &doubles, &loose);

    judge(parse, &err);
    judge(check, &checked);
    HOLDS(utf8_valid_until(bytes_of(err.message)) == strlen(err.message));
    HOLDS(parse < 0 || check == 0); /* json_parse refuses more, never less */
    HOLDS(check < 0 || check_loose == 0);
    if (theirs && depth_of(theirs) <= max_depth &&
        !memchr(text.data, '\0', text.len)) /* jansson ends at a NUL byte */
        HOLDS(parse == 0);
    if (parse == 0) {
        HOLDS(theirs && json_equal(ours, theirs) && depth_of(ours) <= max_depth);
        size_t from = 0, to = text.len;
        while (from < to && strchr(" \t\r\n", text.data[from]))
            from++;
        while (to > from && strchr(" \t\r\n", text.data[to - 1]))
            to--;
        if (json_is_object(ours) || json_is_array(ours)) {
            struct json_span whole = {json_is_object(ours) ? JSON_SPAN_OBJECT : JSON_SPAN_ARRAY,
                                      {text.data + from, to - from}};
            same_tree(whole, ours);
        }
    }
}

/* Bytes that passed nothing: the walk must end, whatever it says. */
static void walk_anything(struct bytes text)
{
    struct err err = ERR_INIT;
    struct json_walk walk;
    struct json_span span;
    struct bytes name;

    if (text.len == 0 || json_walk_open(&walk, text, &err) < 0)
        return;
    while (json_walk_next(&walk, &name, &span, &err) == 1) {
        _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(text.len + 8);
        struct err ignored = ERR_INIT;

        HOLDS(span.raw.data >= text.data && span.raw.data + span.raw.len <= text.data + text.len);
        if (span.type == JSON_SPAN_STRING)
            json_string_decode(span.raw, &out, &ignored);
        if (span.type == JSON_SPAN_ARRAY || span.type == JSON_SPAN_OBJECT)
            walk_anything(span.raw);
    }
}

/* Any bytes written as a text are JSON again, and the same text when they were UTF-8. */
static void write_text(struct bytes text)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(8 * text.len + 4096);
    json_auto_t *back = NULL;
    struct json_writer w;
    struct err err = ERR_INIT;

    json_put_begin(&w, &out);
    json_put_object(&w, NULL);
    json_put_text_bytes(&w, "text", text);
    json_put_array(&w, "more");
    json_put_int(&w, NULL, (int64_t)text.len);
    json_put_number(&w, NULL, (double)text.len / 3);
    json_put_array_end(&w);
    json_put_object_end(&w);
    HOLDS(buffer_ok(&out, "text", &err) == 0);
    HOLDS(json_check(buffer_bytes(&out), &(struct json_limits){.max_depth = 3}, &err) == 0);
    back = json_loadb(out.data, out.len, JSON_ALLOW_NUL, NULL);
    const json_t *value = json_object_get(back, "text");
    HOLDS(json_is_string(value));
    if (utf8_valid_until(text) == text.len)
        HOLDS(bytes_equal(text, (struct bytes){json_string_value(value), json_string_length(value)}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned max_depth = input_byte(&in) % 40;

    judge_text(input_rest(&in), max_depth);
    walk_anything(input_rest(&in));
    write_text(input_rest(&in));
    return 0;
}
