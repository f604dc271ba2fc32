/* One function a type: judge a JSON value, give its normal form. A new type is a function and a row in
 * `checks`. */
#include "base/fields_value.h"

#include <math.h>
#include <stdarg.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/id.h"

typedef json_t *check_fn(struct check *c, const struct field *field, const json_t *value,
                         const struct place *place);

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

/* -- texts -- */

static struct bytes text_of(const json_t *value)
{
    return (struct bytes){json_string_value(value), json_string_length(value)};
}

/* "'value'", cut to what a fault shows. */
static const char *shown(const json_t *value, char ret_text[FIELD_VALUE_SHOWN + 8])
{
    struct bytes text = text_of(value);
    bool cut = text.len > FIELD_VALUE_SHOWN;

    if (cut)
        text.len = FIELD_VALUE_SHOWN;
    text.len = utf8_valid_until(text);
    snprintf(ret_text, FIELD_VALUE_SHOWN + 8, "'%.*s%s'", (int)text.len, text.data, cut ? "..." : "");
    return ret_text;
}

size_t field_length_min(const struct field *field)
{
    return field->type == FIELD_TYPE_TEXT && field->min > 0 ? (size_t)field->min : field->required;
}

size_t field_length_max(const struct field *field)
{
    return field->max_length ? field->max_length : FIELD_LENGTH_MAX;
}

/* C0, DEL and C1 (U+0080..U+009F, in UTF-8 c2 80..9f). The text is valid UTF-8. */
static bool has_control(struct bytes text)
{
    const unsigned char *p = (const unsigned char *)text.data;

    for (size_t i = 0; i < text.len; i++)
        if (p[i] < 0x20 || p[i] == 0x7f || (p[i] == 0xc2 && i + 1 < text.len && p[i + 1] < 0xa0))
            return true;
    return false;
}

static bool is_text(struct check *c, const json_t *value, const struct place *place)
{
    if (!json_is_string(value))
        check_fault(c, place, "must be a text");
    return json_is_string(value);
}

static json_t *same_text(const json_t *value)
{
    return json_stringn_nocheck(json_string_value(value), json_string_length(value));
}

static json_t *check_text(struct check *c, const struct field *field, const json_t *value,
                          const struct place *place)
{
    size_t min = field_length_min(field), max = field_length_max(field);
    struct bytes text = text_of(value);

    if (!is_text(c, value, place))
        return NULL;
    if (text.len < min)
        check_fault(c, place, min == 1 ? "must not be empty" : "must have at least %zu bytes", min);
    else if (text.len > max)
        check_fault(c, place, "must have at most %zu bytes, has %zu", max, text.len);
    else if (has_control(text))
        check_fault(c, place, "must not have control characters");
    else
        return same_text(value);
    return NULL;
}

static json_t *check_name(struct check *c, const struct field *field, const json_t *value,
                          const struct place *place)
{
    bool table = field->type == FIELD_TYPE_TABLE;
    size_t min = table ? 3 : 1, max = table ? 255 : 64;
    char text[FIELD_VALUE_SHOWN + 8];

    if (!is_text(c, value, place))
        return NULL;
    if (json_string_length(value) >= min && json_string_length(value) <= max &&
        strspn(json_string_value(value), NAME_CHARACTERS) == json_string_length(value))
        return same_text(value);
    check_fault(c, place, "must be a %sname of %zu to %zu characters a-z A-Z 0-9 _ . -, not %s",
                table ? "table " : "", min, max, shown(value, text));
    return NULL;
}

static json_t *check_time(struct check *c, const struct field *field, const json_t *value,
                          const struct place *place)
{
    char text[FIELD_VALUE_SHOWN + 8], normal[TIME_SIZE];
    int64_t wall_ms;

    (void)field;
    if (!is_text(c, value, place))
        return NULL;
    if (!time_parse(text_of(value), &wall_ms)) {
        check_fault(c, place, "must be a time like 2026-01-30T14:30:00Z, not %s", shown(value, text));
        return NULL;
    }
    time_format(wall_ms, normal);
    return json_string(normal);
}

static json_t *check_id(struct check *c, const struct field *field, const json_t *value,
                        const struct place *place)
{
    char text[FIELD_VALUE_SHOWN + 8], normal[ID_SIZE];
    struct id id;

    (void)field;
    if (!is_text(c, value, place))
        return NULL;
    if (!id_parse(text_of(value), &id)) {
        check_fault(c, place, "must be an id (a UUID), not %s", shown(value, text));
        return NULL;
    }
    id_format(&id, normal);
    return json_string(normal);
}

static json_t *check_hash(struct check *c, const struct field *field, const json_t *value,
                          const struct place *place)
{
    (void)field;
    if (!is_text(c, value, place))
        return NULL;
    if (json_string_length(value) == 64 && strspn(json_string_value(value), "0123456789abcdef") == 64)
        return same_text(value);
    check_fault(c, place, "must be 64 lower-case hex digits");
    return NULL;
}

static json_t *check_choice(struct check *c, const struct field *field, const json_t *value,
                            const struct place *place)
{
    char text[FIELD_VALUE_SHOWN + 8], choices[300];
    size_t len = 0;

    if (!is_text(c, value, place))
        return NULL;
    if (json_string_length(value) == strlen(json_string_value(value)) &&
        str_listed(field->choices, json_string_value(value)))
        return same_text(value);
    for (const char *p = field->choices; *p && len < sizeof(choices) - 3; p++) {
        if (*p == ' ')
            choices[len++] = ',';
        choices[len++] = *p;
    }
    choices[len] = '\0';
    check_fault(c, place, "must be one of %s, not %s", choices, shown(value, text));
    return NULL;
}

/* -- uris -- */

static const char *bucket_fault(struct bytes bucket)
{
    static const char outer[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    if (bucket.len < 3 || bucket.len > 63)
        return "the bucket's name must have 3 to 63 characters";
    if (!memchr(outer, bucket.data[0], sizeof(outer) - 1) ||
        !memchr(outer, bucket.data[bucket.len - 1], sizeof(outer) - 1))
        return "the bucket's name must begin and end with a-z or 0-9";
    for (size_t i = 0; i < bucket.len; i++)
        if (bucket.data[i] != '.' && bucket.data[i] != '-' &&
            !memchr(outer, bucket.data[i], sizeof(outer) - 1))
            return "the bucket's name may have a-z, 0-9, '.' and '-' only";
    return NULL;
}

/* `path` begins with the slash before its first segment. */
static const char *path_fault(struct bytes path)
{
    const char *at = path.data, *end = path.data + path.len;

    if (path.len < 2)
        return "it has no path";
    while (at < end) {
        const char *begin = at + 1, *slash = memchr(begin, '/', (size_t)(end - begin));
        size_t len = (size_t)((slash ? slash : end) - begin);
        if (len == 0)
            return slash ? "it has an empty segment" : "it ends with a slash";
        if (begin[0] == '.' && (len == 1 || (len == 2 && begin[1] == '.')))
            return "it has a segment . or ..";
        at = begin + len;
    }
    return NULL;
}

const char *field_uri_fault(struct bytes text)
{
    const char *fault;
    struct bytes path;

    if (text.len == 0)
        return "it is empty";
    if (has_control(text))
        return "it has control characters";
    for (const char *p = "\\%?#"; *p; p++)
        if (memchr(text.data, *p, text.len))
            return "it has one of the characters \\ % ? #";
    if (bytes_starts(text, "file://")) {
        path = (struct bytes){text.data + 7, text.len - 7};
        return path.len == 0 || path.data[0] != '/'
                   ? "a file:// uri begins with file:/// and an absolute path"
                   : path_fault(path);
    }
    if (!bytes_starts(text, "s3://"))
        return "it begins neither with s3:// nor with file:///";
    path = (struct bytes){text.data + 5, text.len - 5};
    const char *slash = memchr(path.data, '/', path.len);
    if (!slash)
        return "it has no path after the bucket's name";
    fault = bucket_fault((struct bytes){path.data, (size_t)(slash - path.data)});
    return fault ? fault : path_fault((struct bytes){slash, path.len - (size_t)(slash - path.data)});
}

static json_t *check_uri(struct check *c, const struct field *field, const json_t *value,
                         const struct place *place)
{
    size_t max = field_length_max(field);
    const char *fault;

    if (!is_text(c, value, place))
        return NULL;
    if (json_string_length(value) > max) {
        check_fault(c, place, "must have at most %zu bytes, has %zu", max, json_string_length(value));
        return NULL;
    }
    fault = field_uri_fault(text_of(value));
    if (!fault)
        return same_text(value);
    check_fault(c, place, "is not a usable uri: %s", fault);
    return NULL;
}

/* -- numbers -- */

static bool in_range(struct check *c, const struct field *field, double number, const struct place *place)
{
    if (field->min == 0 && field->max == 0)
        return true;
    if (number >= field->min && number <= field->max)
        return true;
    check_fault(c, place, "must be from %.15g to %.15g, is %.15g", field->min, field->max, number);
    return false;
}

static json_t *check_integer(struct check *c, const struct field *field, const json_t *value,
                             const struct place *place)
{
    double number = json_number_value(value);
    json_int_t integer = json_is_integer(value) ? json_integer_value(value) : 0;

    if (json_is_real(value) && number >= -0x1p63 && number < 0x1p63 && number == trunc(number)) {
        integer = (json_int_t)number; /* 5.0 is an integer to JSON Schema too */
    } else if (!json_is_integer(value)) {
        check_fault(c, place, "must be an integer");
        return NULL;
    }
    return in_range(c, field, number, place) ? json_integer(integer) : NULL;
}

static json_t *check_number(struct check *c, const struct field *field, const json_t *value,
                            const struct place *place)
{
    double number = json_number_value(value);

    if (!json_is_number(value) || !isfinite(number)) {
        check_fault(c, place, "must be a number");
        return NULL;
    }
    return in_range(c, field, number, place) ? json_real(number == 0 ? 0.0 : number) : NULL; /* -0 is 0 */
}

static json_t *check_flag(struct check *c, const struct field *field, const json_t *value,
                          const struct place *place)
{
    (void)field;
    if (!json_is_boolean(value)) {
        check_fault(c, place, "must be true or false");
        return NULL;
    }
    return json_boolean(json_is_true(value));
}

/* -- containers -- */

static json_t *check_object(struct check *c, const struct field *field, const json_t *value,
                            const struct place *place)
{
    if (!json_is_object(value)) {
        check_fault(c, place, "must be an object");
        return NULL;
    }
    return field->type == FIELD_TYPE_ONE_OF ? field_one_of(c, field->fields, value, place)
                                            : field_members(c, field->fields, value, place);
}

/* Adds the entry if it is new. Entries are compared by their canonical text, through a hash: lists of
 * thousands stay cheap. */
static void add_entry(struct check *c, const struct place *place, json_t *seen, json_t *result, json_t *entry)
{
    _cleanup_(cleanup_free) char *text = json_dumped(entry, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    if (text && json_object_get(seen, text))
        check_fault(c, place, "is in the list already");
    else if (!text || json_object_set_new_nocheck(seen, text, json_true()) < 0 ||
             json_array_append(result, entry) < 0)
        check_no_memory(c, place);
}

/* jansson's copy leaves out what it has no memory for. */
static json_t *whole_copy(const json_t *value)
{
    json_auto_t *copy = json_deep_copy(value);

    return json_equal(value, copy) ? TAKE(copy) : NULL;
}

static json_t *check_list(struct check *c, const struct field *field, const json_t *value,
                          const struct place *place)
{
    size_t max = field->max > 0 ? (size_t)field->max : FIELD_LIST_MAX, faults_before = c->faults->total;
    json_auto_t *result = json_array(), *seen = json_object();

    if (!json_is_array(value)) {
        check_fault(c, place, "must be a list");
        return NULL;
    }
    if (!result || !seen)
        return NULL;
    if (json_array_size(value) > max || json_array_size(value) < (size_t)field->min) {
        check_fault(c, place, "must have from %zu to %zu entries, has %zu", (size_t)field->min, max,
                    json_array_size(value));
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const struct place here = {.up = place, .index = i};
        json_auto_t *entry = field_value(c, &field->fields[0], json_array_get(value, i), &here);
        if (entry)
            add_entry(c, &here, seen, result, entry);
    }
    return c->faults->total == faults_before ? TAKE(result) : NULL;
}

static void check_map_entry(struct check *c, const struct field *field, const char *name, const json_t *value,
                            const struct place *place)
{
    const struct place here = {.up = place, .name = name, .name_len = strlen(name)};

    if (here.name_len == 0 || here.name_len > FIELD_MAP_NAME_MAX ||
        has_control((struct bytes){name, here.name_len}))
        check_fault(c, &here, "must have a name of 1 to %d bytes without control characters",
                    FIELD_MAP_NAME_MAX);
    else if (!json_is_string(value))
        check_fault(c, &here, "must be a text");
    else if (json_string_length(value) > field_length_max(field))
        check_fault(c, &here, "must have at most %zu bytes, has %zu", field_length_max(field),
                    json_string_length(value));
    else if (has_control(text_of(value)))
        check_fault(c, &here, "must not have control characters");
}

static json_t *check_map(struct check *c, const struct field *field, const json_t *value,
                         const struct place *place)
{
    size_t max = field->max > 0 ? (size_t)field->max : FIELD_MAP_MAX, faults_before = c->faults->total;
    json_t *all = (json_t *)(uintptr_t)value; /* jansson's iterator is not const; nothing is changed */

    if (!json_is_object(value)) {
        check_fault(c, place, "must be an object of texts");
        return NULL;
    }
    if (json_object_size(value) > max) {
        check_fault(c, place, "must have at most %zu entries, has %zu", max, json_object_size(value));
        return NULL;
    }
    for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i))
        check_map_entry(c, field, json_object_iter_key(i), json_object_iter_value(i), place);
    return c->faults->total == faults_before ? whole_copy(value) : NULL;
}

static json_t *check_any(struct check *c, const struct field *field, const json_t *value,
                         const struct place *place)
{
    (void)c;
    (void)field;
    (void)place;
    return whole_copy(value);
}

static check_fn *const checks[] = {
    [FIELD_TYPE_TEXT] = check_text,       [FIELD_TYPE_TABLE] = check_name,
    [FIELD_TYPE_NAME] = check_name,       [FIELD_TYPE_TIME] = check_time,
    [FIELD_TYPE_INTEGER] = check_integer, [FIELD_TYPE_NUMBER] = check_number,
    [FIELD_TYPE_FLAG] = check_flag,       [FIELD_TYPE_CHOICE] = check_choice,
    [FIELD_TYPE_ID] = check_id,           [FIELD_TYPE_HASH] = check_hash,
    [FIELD_TYPE_URI] = check_uri,         [FIELD_TYPE_OBJECT] = check_object,
    [FIELD_TYPE_ONE_OF] = check_object,   [FIELD_TYPE_LIST] = check_list,
    [FIELD_TYPE_MAP] = check_map,         [FIELD_TYPE_ANY] = check_any,
};

json_t *field_value(struct check *c, const struct field *field, const json_t *value,
                    const struct place *place)
{
    size_t faults_before = c->faults->total;
    json_t *result = checks[field->type](c, field, value, place);

    if (!result && c->faults->total == faults_before)
        check_no_memory(c, place);
    return result;
}
