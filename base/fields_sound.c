/* Is a table itself sound? Asked at start and by the tests of whoever has a table; a table in doubt starts
 * nothing. */
#include "base/cleanup.h"
#include "base/fields_value.h"

#define SOUND_ARENA_MAX (256 * 1024)

static int table_sound(const struct field *fields, bool one_of, unsigned depth, struct err *err);

static bool is_word(const char *name)
{
    size_t len = name ? strlen(name) : 0;

    return len > 0 && len <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static int unsound(const struct field *field, const char *reason, struct err *err)
{
    return err_set(err, ERR_INTERNAL, "field %s: %s", field->name ? field->name : "without a name", reason);
}

static int choices_sound(const struct field *field, struct err *err)
{
    char word[80];

    if (!field->choices || !field->choices[strspn(field->choices, " ")])
        return unsound(field, "a choice needs choices", err);
    for (const char *at = field->choices; *at;) {
        size_t len = strcspn(at, " ");
        if (!bytes_copy(word, sizeof(word), (struct bytes){at, len}) || len == 0)
            return unsound(field, "choices are words with one space between", err);
        at += len;
        if (*at == ' ' && (at[1] == '\0' || at[1] == ' '))
            return unsound(field, "choices are words with one space between", err);
        at += *at == ' ';
        if (str_listed(at, word))
            return unsound(field, "a choice is listed twice", err);
    }
    return 0;
}

static bool is_bounded(enum field_type type)
{
    return type == FIELD_TYPE_INTEGER || type == FIELD_TYPE_NUMBER;
}

static int bounds_sound(const struct field *field, struct err *err)
{
    if (is_bounded(field->type))
        return field->min > field->max ? unsound(field, "min is above max", err) : 0;
    if (field->min < 0 || field->max < 0)
        return unsound(field, "a size cannot be negative", err);
    if (field->type == FIELD_TYPE_LIST && field->min > (field->max > 0 ? field->max : FIELD_LIST_MAX))
        return unsound(field, "min is above max", err);
    if (field->type == FIELD_TYPE_TEXT && field->min > (double)field_length_max(field))
        return unsound(field, "the least length is above max_length", err);
    return 0;
}

static int initial_sound(const struct field *field, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(SOUND_ARENA_MAX);
    const struct json_limits limits = {.max_depth = 16};
    json_auto_t *value = NULL, *checked = NULL;
    struct faults faults;
    struct check c = {.faults = &faults, .prefix = ""};
    const struct place root = {0};

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory to check a field table");
    if (field->required)
        return unsound(field, "required and with a default", err);
    if (json_parse(bytes_of(field->initial), &limits, &value, err) < 0)
        return err_wrap(err, "field %s: its default", field->name);
    faults_init(&faults, arena);
    checked = field_value(&c, field, value, &root);
    if (faults_end(&faults, ERR_INTERNAL, err) < 0)
        return err_wrap(err, "field %s: its default", field->name);
    return 0;
}

static const struct field *earlier(const struct field *fields, const struct field *before, const char *name)
{
    for (; fields != before; fields++)
        if (str_is(fields->name, name))
            return fields;
    return NULL;
}

static int when_sound(const struct field *fields, const struct field *field, struct err *err)
{
    const struct field *other = earlier(fields, field, field->when.field);
    const char *among = NULL;
    char word[80];

    if (!other)
        return unsound(field, "its condition names no earlier field", err);
    if (!field->when.value)
        return 0;
    if (other->type == FIELD_TYPE_CHOICE)
        among = other->choices;
    else if (other->type == FIELD_TYPE_FLAG)
        among = "true false";
    else if (other->type != FIELD_TYPE_NAME && other->type != FIELD_TYPE_INTEGER)
        return unsound(field, "its condition wants a value of a field that has no words", err);
    if (!field->when.value[0])
        return unsound(field, "its condition wants an empty value", err);
    for (const char *at = field->when.value; *at;) {
        size_t len = strcspn(at, " ");
        if (!bytes_copy(word, sizeof(word), (struct bytes){at, len}) || (among && !str_listed(among, word)))
            return unsound(field, "its condition wants a value that the other field cannot have", err);
        at += len + strspn(at + len, " ");
    }
    return 0;
}

static int type_sound(const struct field *field, unsigned depth, struct err *err)
{
    switch (field->type) {
    case FIELD_TYPE_CHOICE:
        return choices_sound(field, err);
    case FIELD_TYPE_OBJECT:
    case FIELD_TYPE_ONE_OF:
        if (!field->fields)
            return unsound(field, "an object needs fields", err);
        return table_sound(field->fields, field->type == FIELD_TYPE_ONE_OF, depth + 1, err);
    case FIELD_TYPE_LIST:
        if (!field->fields || field->fields[0].type == FIELD_TYPE_END)
            return unsound(field, "a list needs a field for its entries", err);
        if (depth >= FIELD_TABLE_DEPTH)
            return unsound(field, "tables are nested too deeply", err);
        if (bounds_sound(&field->fields[0], err) < 0)
            return -1;
        return type_sound(&field->fields[0], depth + 1, err);
    default:
        return (unsigned)field->type > FIELD_TYPE_ANY ? unsound(field, "unknown type", err) : 0;
    }
}

static int field_sound(const struct field *fields, const struct field *field, bool one_of, unsigned depth,
                       struct err *err)
{
    if (!is_word(field->name))
        return unsound(field, "a name has 1 to 64 of a-z 0-9 _ and begins with a letter", err);
    if (earlier(fields, field, field->name))
        return unsound(field, "it is there twice", err);
    if (!field->help || !field->help[0])
        return unsound(field, "it has no help", err);
    if (one_of && (field->when.field || field->initial))
        return unsound(field, "one of several has neither a condition nor a default", err);
    if (type_sound(field, depth, err) < 0 || bounds_sound(field, err) < 0)
        return -1;
    if (field->when.field && when_sound(fields, field, err) < 0)
        return -1;
    return field->initial ? initial_sound(field, err) : 0;
}

static int table_sound(const struct field *fields, bool one_of, unsigned depth, struct err *err)
{
    if (depth >= FIELD_TABLE_DEPTH)
        return err_set(err, ERR_INTERNAL, "field tables are nested too deeply");
    if (one_of && fields->type == FIELD_TYPE_END)
        return err_set(err, ERR_INTERNAL, "one of nothing");
    for (const struct field *field = fields; field->type != FIELD_TYPE_END; field++)
        if (field_sound(fields, field, one_of, depth, err) < 0)
            return -1;
    return 0;
}

int fields_sound(const struct field *fields, struct err *err)
{
    return table_sound(fields, false, 0, err);
}
