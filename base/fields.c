#include "base/fields.h"

#include <stdarg.h>

#include "base/cleanup.h"
#include "base/fields_value.h"

#define TOKEN_SHOWN 128  /* bytes of one name in a pointer */
#define POINTER_MAX 4096 /* past it a pointer is cut */

/* -- places -- */

static void pointer_write(const struct check *c, const struct place *place, struct buffer *out)
{
    struct bytes token = {place->name, place->name_len};

    if (!place->up) {
        buffer_add_str(out, c->prefix);
        return;
    }
    pointer_write(c, place->up, out);
    if (!place->name) {
        buffer_printf(out, "/%zu", place->index);
        return;
    }
    if (token.len > TOKEN_SHOWN) {
        token.len = TOKEN_SHOWN;
        token.len = utf8_valid_until(token);
    }
    json_pointer_add(out, token);
}

bool check_full(const struct check *c)
{
    return c->faults->count == FAULTS_MAX;
}

void check_fault(struct check *c, const struct place *place, const char *format, ...)
{
    _cleanup_(buffer_done) struct buffer pointer = BUFFER_INIT(POINTER_MAX);
    char detail[512];
    va_list args;

    if (check_full(c)) {
        fault_add(c->faults, "", "more"); /* only counted */
        return;
    }
    va_start(args, format);
    if (vsnprintf(detail, sizeof(detail), format, args) < 0)
        detail[0] = '\0';
    va_end(args);
    pointer_write(c, place, &pointer);
    fault_add(c->faults, pointer.data ? pointer.data : "", "%s", detail);
}

void check_no_memory(struct check *c, const struct place *place)
{
    if (c->faults->code == ERR_NONE)
        c->faults->code = ERR_NO_MEMORY;
    check_fault(c, place, "no memory is left to check it");
}

/* -- names -- */

const struct field *fields_find(const struct field *fields, const char *name)
{
    for (; fields->type != FIELD_TYPE_END; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

#define NEAREST_EDITS 2

const char *field_nearest(const struct field *fields, const char *name)
{
    const char *nearest = NULL;
    size_t best = NEAREST_EDITS + 1;

    for (; fields->type != FIELD_TYPE_END; fields++) {
        size_t distance = str_distance(name, fields->name);
        if (distance < best && distance < strlen(fields->name)) {
            best = distance;
            nearest = fields->name;
        }
    }
    return nearest;
}

/* -- conditions -- */

bool field_when_holds(const struct field_when *when, const json_t *value)
{
    char digits[24];

    if (!value || !when->value)
        return value != NULL;
    if (json_is_string(value))
        return str_listed(when->value, json_string_value(value));
    if (json_is_boolean(value))
        return str_listed(when->value, json_is_true(value) ? "true" : "false");
    if (!json_is_integer(value))
        return false;
    snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
    return str_listed(when->value, digits);
}

void field_when_text(const struct field_when *when, char *ret_text, size_t size)
{
    snprintf(ret_text, size, "%s%s%s", when->field, when->value ? "=" : "", when->value ? when->value : "");
    for (char *p = ret_text; (p = strchr(p, ' '));)
        *p = '|';
}

/* -- objects -- */

static void check_unknown(struct check *c, const struct field *fields, const json_t *object,
                          const struct place *place)
{
    json_t *all = (json_t *)(uintptr_t)object; /* jansson's iterator is not const; nothing is changed */

    for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i)) {
        const char *name = json_object_iter_key(i), *nearest;
        const struct place member = {.up = place, .name = name, .name_len = strlen(name)};
        if (fields_find(fields, name))
            continue;
        nearest = check_full(c) ? NULL : field_nearest(fields, name);
        if (nearest)
            check_fault(c, &member, "is not known here; did you mean %s?", nearest);
        else
            check_fault(c, &member, "is not known here");
    }
}

/* Judges one member; puts its normalised value, or its default, into result. */
static void check_member(struct check *c, const struct field *field, const json_t *object, json_t *result,
                         const struct place *place)
{
    const struct place here = {.up = place, .name = field->name, .name_len = strlen(field->name)};
    const json_t *value = json_object_get(object, field->name);
    json_auto_t *initial = NULL, *checked = NULL;
    char when[160] = "";

    if (field->when.field) {
        const json_t *other = json_object_get(result, field->when.field);
        if (!other && json_object_get(object, field->when.field))
            return; /* that member is wrong itself; whether the condition holds cannot be said */
        field_when_text(&field->when, when, sizeof(when));
        if (!field_when_holds(&field->when, other)) {
            if (value)
                check_fault(c, &here, "only with %s", when);
            return;
        }
    }
    if (!value && field->required) {
        check_fault(c, &here, "is required%s%s", when[0] ? " with " : "", when);
        return;
    }
    if (!value && field->initial && !(value = initial = json_loads(field->initial, JSON_DECODE_ANY, NULL)))
        return check_no_memory(c, &here);
    if (!value)
        return;
    checked = field_value(c, field, value, &here);
    if (checked && json_object_set(result, field->name, checked) < 0)
        check_no_memory(c, &here);
}

json_t *field_members(struct check *c, const struct field *fields, const json_t *object,
                      const struct place *place)
{
    size_t faults_before = c->faults->total;
    json_auto_t *result = json_object();

    if (!result) {
        check_no_memory(c, place);
        return NULL;
    }
    check_unknown(c, fields, object, place);
    for (; fields->type != FIELD_TYPE_END; fields++)
        check_member(c, fields, object, result, place);
    return c->faults->total == faults_before ? TAKE(result) : NULL;
}

static void names_listed(const struct field *fields, char *ret_text, size_t size)
{
    size_t len = 0;

    ret_text[0] = '\0';
    for (; fields->type != FIELD_TYPE_END && len < size; fields++)
        len += (size_t)snprintf(ret_text + len, size - len, "%s%s", len ? ", " : "", fields->name);
}

json_t *field_one_of(struct check *c, const struct field *fields, const json_t *object,
                     const struct place *place)
{
    size_t faults_before = c->faults->total, count = 0;
    json_auto_t *result = json_object();
    char names[300];

    check_unknown(c, fields, object, place);
    for (const struct field *field = fields; field->type != FIELD_TYPE_END; field++) {
        const json_t *value = json_object_get(object, field->name);
        const struct place here = {.up = place, .name = field->name, .name_len = strlen(field->name)};
        if (!value)
            continue;
        count++;
        json_auto_t *checked = field_value(c, field, value, &here);
        if (checked && json_object_set(result, field->name, checked) < 0)
            check_no_memory(c, &here);
    }
    names_listed(fields, names, sizeof(names));
    if (count > 1 || (count == 0 && c->faults->total == faults_before))
        check_fault(c, place, "must have exactly one of %s", names);
    return c->faults->total == faults_before ? TAKE(result) : NULL;
}

json_t *fields_check(const struct field *fields, const json_t *object, const char *pointer,
                     struct faults *faults)
{
    struct check c = {.faults = faults, .prefix = pointer};
    const struct place root = {0};

    if (!json_is_object(object)) {
        check_fault(&c, &root, "must be an object");
        return NULL;
    }
    return field_members(&c, fields, object, &root);
}
