/* JSON Schema 2020-12 of a field table. Lengths are of bytes in the check and of characters in the schema, so
 * the schema never refuses what the check takes. */
#include "base/cleanup.h"
#include "base/fields_value.h"

/* JSON text of regular expressions that both ECMA-262 and the usual validators read alike. */
#define NO_CONTROLS "\"^[^\\\\u0000-\\\\u001f\\\\u007f-\\\\u009f]*$\""
#define URI_SEGMENT "/(?!\\\\.{1,2}(/|$))[^/\\\\\\\\%?#\\\\u0000-\\\\u001f\\\\u007f-\\\\u009f]+"
#define URI_PATTERN "\"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|file://)(" URI_SEGMENT ")+$\""

static void write_value(struct json_writer *w, const struct field *field, const char *name);

static void write_literal(struct json_writer *w, const char *name, const char *json)
{
    json_put_raw(w, name, bytes_of(json));
}

/* -- conditions -- */

/* The text of one word of a `when` as the JSON value that the other member would have. */
static void write_when_word(struct json_writer *w, const struct field *other, struct bytes word)
{
    if (other->type == FIELD_TYPE_FLAG || other->type == FIELD_TYPE_INTEGER)
        json_put_raw(w, NULL, word);
    else
        json_put_text_bytes(w, NULL, word);
}

static void write_when_values(struct json_writer *w, const struct field *other, const char *words)
{
    json_put_object(w, other->name);
    json_put_array(w, "enum");
    for (const char *at = words; *at;) {
        size_t len = strcspn(at, " ");
        if (len)
            write_when_word(w, other, (struct bytes){at, len});
        at += len + strspn(at + len, " ");
    }
    json_put_array_end(w);
    json_put_object_end(w);
}

/* Does the other member satisfy the condition by its default, when it is left out? */
static bool default_holds(const struct field_when *when, const struct field *other)
{
    json_auto_t *initial = other->initial ? json_loads(other->initial, JSON_DECODE_ANY, NULL) : NULL;

    return initial && field_when_holds(when, initial);
}

/* A schema that an object satisfies exactly when the condition holds. Ends: `when` names an earlier field. */
static void write_condition(struct json_writer *w, const struct field *fields, const struct field_when *when,
                            const char *name)
{
    const struct field *other = fields_find(fields, when->field);

    json_put_object(w, name);
    if (when->value) {
        json_put_object(w, "properties");
        write_when_values(w, other, when->value);
        json_put_object_end(w);
    }
    if (!default_holds(when, other)) {
        json_put_array(w, "required");
        json_put_text(w, NULL, other->name);
        json_put_array_end(w);
    } else if (other->when.field) { /* left out, it has its default only where it may stand at all */
        json_put_array(w, "allOf");
        write_condition(w, fields, &other->when, NULL);
        json_put_array_end(w);
    }
    json_put_object_end(w);
}

static void write_rule(struct json_writer *w, const struct field *fields, const struct field *field)
{
    json_put_object(w, NULL);
    write_condition(w, fields, &field->when, "if");
    if (field->required) {
        json_put_object(w, "then");
        json_put_array(w, "required");
        json_put_text(w, NULL, field->name);
        json_put_array_end(w);
        json_put_object_end(w);
    }
    json_put_object(w, "else");
    json_put_object(w, "properties");
    json_put_flag(w, field->name, false);
    json_put_object_end(w);
    json_put_object_end(w);
    json_put_object_end(w);
}

static void write_rules(struct json_writer *w, const struct field *fields)
{
    bool any = false;

    for (const struct field *field = fields; field->type != FIELD_TYPE_END; field++) {
        if (!field->when.field)
            continue;
        if (!any)
            json_put_array(w, "allOf");
        any = true;
        write_rule(w, fields, field);
    }
    if (any)
        json_put_array_end(w);
}

/* -- types -- */

static void write_number_end(struct json_writer *w, const char *name, double value)
{
    if (value >= -0x1p53 && value <= 0x1p53 && (double)(int64_t)value == value)
        json_put_int(w, name, (int64_t)value);
    else
        json_put_number(w, name, value);
}

static void write_number(struct json_writer *w, const struct field *field)
{
    json_put_text(w, "type", field->type == FIELD_TYPE_INTEGER ? "integer" : "number");
    if (field->min == 0 && field->max == 0)
        return;
    write_number_end(w, "minimum", field->min);
    write_number_end(w, "maximum", field->max);
}

static void write_text(struct json_writer *w, const struct field *field)
{
    json_put_text(w, "type", "string");
    /* a character may be four bytes: the least number of characters that so many bytes can be */
    if (field->type == FIELD_TYPE_TEXT && field_length_min(field))
        json_put_int(w, "minLength", (int64_t)(field_length_min(field) + 3) / 4);
    json_put_int(w, "maxLength", (int64_t)field_length_max(field));
    write_literal(w, "pattern", field->type == FIELD_TYPE_URI ? URI_PATTERN : NO_CONTROLS);
}

static void write_pattern(struct json_writer *w, const char *format, const char *pattern)
{
    json_put_text(w, "type", "string");
    json_put_text_opt(w, "format", format);
    if (pattern)
        json_put_text(w, "pattern", pattern);
}

static void write_choices(struct json_writer *w, const struct field *field)
{
    json_put_text(w, "type", "string");
    json_put_array(w, "enum");
    for (const char *at = field->choices; *at;) {
        size_t len = strcspn(at, " ");
        if (len)
            json_put_text_bytes(w, NULL, (struct bytes){at, len});
        at += len + strspn(at + len, " ");
    }
    json_put_array_end(w);
}

static void write_list(struct json_writer *w, const struct field *field)
{
    json_put_text(w, "type", "array");
    write_value(w, &field->fields[0], "items");
    if (field->min > 0)
        json_put_int(w, "minItems", (int64_t)field->min);
    json_put_int(w, "maxItems", field->max > 0 ? (int64_t)field->max : FIELD_LIST_MAX);
    json_put_flag(w, "uniqueItems", true);
}

static void write_map(struct json_writer *w, const struct field *field)
{
    json_put_text(w, "type", "object");
    json_put_object(w, "propertyNames");
    json_put_int(w, "minLength", 1);
    json_put_int(w, "maxLength", FIELD_MAP_NAME_MAX);
    write_literal(w, "pattern", NO_CONTROLS);
    json_put_object_end(w);
    json_put_object(w, "additionalProperties");
    json_put_text(w, "type", "string");
    json_put_int(w, "maxLength", (int64_t)field_length_max(field));
    write_literal(w, "pattern", NO_CONTROLS);
    json_put_object_end(w);
    json_put_int(w, "maxProperties", field->max > 0 ? (int64_t)field->max : FIELD_MAP_MAX);
}

/* Members without braces, so that a field's own description can stand beside them. */
static void write_members(struct json_writer *w, const struct field *fields, bool one_of)
{
    bool any = false;

    json_put_text(w, "type", "object");
    json_put_object(w, "properties");
    for (const struct field *field = fields; field->type != FIELD_TYPE_END; field++)
        write_value(w, field, field->name);
    json_put_object_end(w);
    for (const struct field *field = fields; field->type != FIELD_TYPE_END && !one_of; field++) {
        if (!field->required || field->when.field)
            continue;
        if (!any)
            json_put_array(w, "required");
        any = true;
        json_put_text(w, NULL, field->name);
    }
    if (any)
        json_put_array_end(w);
    json_put_flag(w, "additionalProperties", false);
    if (one_of) {
        json_put_int(w, "minProperties", 1);
        json_put_int(w, "maxProperties", 1);
    } else {
        write_rules(w, fields);
    }
}

static void write_type(struct json_writer *w, const struct field *field)
{
    switch (field->type) {
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_URI:
        write_text(w, field);
        break;
    case FIELD_TYPE_TABLE:
        write_pattern(w, NULL, "^[a-zA-Z0-9_.-]{3,255}$");
        break;
    case FIELD_TYPE_NAME:
        write_pattern(w, NULL, "^[a-zA-Z0-9_.-]{1,64}$");
        break;
    case FIELD_TYPE_TIME:
        write_pattern(w, "date-time", NULL);
        break;
    case FIELD_TYPE_ID:
        write_pattern(w, "uuid", "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$");
        break;
    case FIELD_TYPE_HASH:
        write_pattern(w, NULL, "^[0-9a-f]{64}$");
        break;
    case FIELD_TYPE_INTEGER:
    case FIELD_TYPE_NUMBER:
        write_number(w, field);
        break;
    case FIELD_TYPE_FLAG:
        json_put_text(w, "type", "boolean");
        break;
    case FIELD_TYPE_CHOICE:
        write_choices(w, field);
        break;
    case FIELD_TYPE_OBJECT:
    case FIELD_TYPE_ONE_OF:
        write_members(w, field->fields, field->type == FIELD_TYPE_ONE_OF);
        break;
    case FIELD_TYPE_LIST:
        write_list(w, field);
        break;
    case FIELD_TYPE_MAP:
        write_map(w, field);
        break;
    case FIELD_TYPE_ANY:
    case FIELD_TYPE_END:
        break;
    }
}

static void write_value(struct json_writer *w, const struct field *field, const char *name)
{
    char when[160], help[600];

    json_put_object(w, name);
    if (field->when.field) {
        field_when_text(&field->when, when, sizeof(when));
        snprintf(help, sizeof(help), "%s%sonly with %s", field->help ? field->help : "",
                 field->help ? "; " : "", when);
        json_put_text(w, "description", help);
    } else {
        json_put_text_opt(w, "description", field->help);
    }
    write_type(w, field);
    if (field->initial)
        write_literal(w, "default", field->initial);
    json_put_object_end(w);
}

void fields_schema(const struct field *fields, struct json_writer *w, const char *name)
{
    json_put_object(w, name);
    write_members(w, fields, false);
    json_put_object_end(w);
}
