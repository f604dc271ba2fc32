#include "ctl/spec.h"

#include <math.h>

#include "base/json.h"
#include "base/limits.h"
#include "ctl/files.h"
#include "ctl/source.h"

/* -- what a member is -- */

enum shape {
    SHAPE_TEXT,
    SHAPE_INTEGER,
    SHAPE_NUMBER,
    SHAPE_SWITCH,
    SHAPE_WORDS,
    SHAPE_PAIRS,
    SHAPE_SOURCE,
    SHAPE_OBJECT,
    SHAPE_JSON
};

static enum shape object_shape(const json_t *schema)
{
    if (json_get_int(schema, "maxProperties", 0) == 1 && json_get_int(schema, "minProperties", 0) == 1)
        return SHAPE_SOURCE;
    if (json_is_object(json_object_get(schema, "additionalProperties")))
        return SHAPE_PAIRS;
    return json_is_object(json_object_get(schema, "properties")) ? SHAPE_OBJECT : SHAPE_JSON;
}

static enum shape shape_of(const json_t *schema)
{
    static const struct {
        const char *type;
        enum shape shape;
    } plain[] = {{"string", SHAPE_TEXT},
                 {"integer", SHAPE_INTEGER},
                 {"number", SHAPE_NUMBER},
                 {"boolean", SHAPE_SWITCH}};
    const char *type = json_get_text(schema, "type");

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (str_is(plain[i].type, type))
            return plain[i].shape;
    if (str_is(type, "array"))
        return str_is(json_get_text(json_object_get(schema, "items"), "type"), "string") ? SHAPE_WORDS
                                                                                         : SHAPE_JSON;
    return str_is(type, "object") ? object_shape(schema) : SHAPE_JSON;
}

static const char *const shape_args[] = {
    [SHAPE_TEXT] = "TEXT",     [SHAPE_INTEGER] = "NUMBER",    [SHAPE_NUMBER] = "NUMBER",
    [SHAPE_SWITCH] = NULL,     [SHAPE_WORDS] = "A,B,...",     [SHAPE_PAIRS] = "NAME=VALUE",
    [SHAPE_SOURCE] = "SOURCE", [SHAPE_OBJECT] = "JSON|@FILE", [SHAPE_JSON] = "JSON|@FILE",
};

/* -- flags -- */

static const char *flag_name(struct arena *arena, const char *parent, const char *name)
{
    char *text = parent ? arena_printf(arena, "%s-%s", parent, name) : arena_strdup(arena, name);

    for (char *at = text; at && *at; at++)
        if (*at == '_')
            *at = '-';
    return text;
}

static const char *choices_of(struct arena *arena, const json_t *schema)
{
    const char *all = NULL;
    size_t i;
    json_t *word;

    json_array_foreach(json_object_get(schema, "enum"), i, word)
        all = arena_printf(arena, "%s%s%s", all ? all : "", all ? " " : "",
                           json_string_value(word) ? json_string_value(word) : "");
    return all;
}

static const char *help_of(struct arena *arena, const json_t *schema)
{
    const char *help = json_get_text(schema, "description");
    const json_t *initial = json_object_get(schema, "default");
    char *text = initial ? json_dumps(initial, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    const char *all;

    if (json_is_string(initial))
        all = arena_printf(arena, "%s (default %s)", help ? help : "", json_string_value(initial));
    else
        all = text ? arena_printf(arena, "%s (default %s)", help ? help : "", text) : help;
    free(text);
    return all ? all : "";
}

static bool add_flag(struct arena *arena, struct spec_flags *flags, const char *parent, const char *name,
                     const json_t *schema)
{
    enum shape shape = shape_of(schema);
    struct flag *flag = &flags->flags[flags->count];
    const char *pattern = json_get_text(schema, "format");

    flags->members[flags->count] = (struct spec_member){parent, name, schema};
    *flag = (struct flag){.name = flag_name(arena, parent, name),
                          .arg = shape_args[shape],
                          .help = help_of(arena, schema),
                          .repeat = shape == SHAPE_WORDS || shape == SHAPE_PAIRS,
                          .choices = choices_of(arena, schema)};
    if (shape == SHAPE_SWITCH && !json_object_get(schema, "default")) /* no is an answer of its own */
        flag->help = arena_printf(arena, "%s (no: --%s=false)", flag->help, flag->name ? flag->name : "");
    if (flag->choices)
        flag->arg = "WORD";
    else if (str_is(pattern, "date-time"))
        flag->arg = "TIME";
    else if (str_is(name, "table") || str_ends(name, "_table"))
        flag->arg = "TABLE";
    flags->count++;
    return flag->name && flag->help;
}

static bool required(const json_t *schema, const char *name)
{
    size_t i;
    json_t *word;

    json_array_foreach(json_object_get(schema, "required"), i, word) {
        if (str_is(json_string_value(word), name))
            return true;
    }
    return false;
}

static size_t count_members(const json_t *schema)
{
    size_t count = 0;
    const char *name;
    json_t *member;

    json_object_foreach(json_object_get(schema, "properties"), name, member)
        count += 1 + json_object_size(json_object_get(member, "properties"));
    return count;
}

int spec_flags_of(struct arena *arena, const json_t *schema, struct spec_flags *ret_flags, struct err *err)
{
    size_t room = count_members(schema);
    struct spec_flags flags = {.flags = arena_array(arena, struct flag, room + 1),
                               .members = arena_array(arena, struct spec_member, room + 1)};
    const char *name, *inner;
    json_t *member, *nested;

    if (!flags.flags || !flags.members)
        return err_set(err, ERR_NO_MEMORY, "no memory for flags");
    json_object_foreach(json_object_get(schema, "properties"), name, member) {
        if (!flags.positional && required(schema, name))
            flags.positional = &flags.members[flags.count];
        if (!add_flag(arena, &flags, NULL, name, member))
            return err_set(err, ERR_NO_MEMORY, "no memory for flags");
        if (shape_of(member) != SHAPE_OBJECT)
            continue;
        json_object_foreach(json_object_get(member, "properties"), inner, nested) {
            if (!add_flag(arena, &flags, name, inner, nested))
                return err_set(err, ERR_NO_MEMORY, "no memory for flags");
        }
    }
    *ret_flags = flags;
    return 0;
}

/* -- values -- */

static enum exit_code json_value(struct ctl *ctl, const struct flag *flag, const char *text,
                                 json_t **ret_value)
{
    static const struct json_limits limits = {.max_depth = HTTP_BODY_DEPTH, .allow_duplicates = false};
    struct err err = ERR_INIT;
    struct bytes json = bytes_of(text);

    if (text[0] == '@' && file_read(text + 1, SPEC_MAX, ctl->arena, &json, &err) < 0)
        return ctl_err(ctl, EXIT_USAGE, &err);
    if (json_parse(json, &limits, ret_value, &err) < 0)
        return ctl_fail(ctl, EXIT_USAGE, "--%s: %s", flag->name, err.message);
    return EXIT_DONE;
}

static json_t *number_value(const char *text)
{
    char *end = NULL;
    double value = strtod(text, &end);

    return *text && *end == '\0' && isfinite(value) ? json_real(value) : NULL;
}

static json_t *integer_value(const char *text)
{
    int64_t value;

    return int_parse(bytes_of(text), &value) ? json_integer((json_int_t)value) : NULL;
}

/* NULL without memory; takes `list`. */
static json_t *add_words(json_t *list, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, ",");

        if (len > 0 && json_array_append_new(list, json_stringn(text, len)) < 0) {
            json_decref(list);
            return NULL;
        }
        text += len + (text[len] == ',');
    }
    return list;
}

static json_t *old_or(json_t *old, json_t *fresh)
{
    if (!old)
        return fresh;
    json_decref(fresh);
    return json_incref(old);
}

static json_t *pair_value(json_t *old, const char *text)
{
    size_t len = strcspn(text, "=");
    json_t *pairs;
    char name[512];

    if (text[len] != '=' || !bytes_copy(name, sizeof(name), (struct bytes){text, len}))
        return NULL;
    pairs = old_or(old, json_object());
    if (json_object_set_new(pairs, name, json_string(text + len + 1)) == 0)
        return pairs;
    json_decref(pairs);
    return NULL;
}

/* `old`: what an earlier flag of the same name made, for those that may be repeated. */
static enum exit_code value_of(struct ctl *ctl, const struct flag *flag, const struct spec_member *member,
                               const char *text, json_t *old, json_t **ret_value)
{
    switch (shape_of(member->schema)) {
    case SHAPE_TEXT:
        *ret_value = json_string(text);
        break;
    case SHAPE_INTEGER:
        *ret_value = integer_value(text);
        break;
    case SHAPE_NUMBER:
        *ret_value = number_value(text);
        break;
    case SHAPE_SWITCH:
        *ret_value = json_boolean(str_is(text, "true"));
        break;
    case SHAPE_WORDS:
        *ret_value = add_words(old_or(old, json_array()), text);
        break;
    case SHAPE_PAIRS:
        *ret_value = pair_value(old, text);
        break;
    case SHAPE_SOURCE:
        return source_resolve(ctl, text, member->schema, ret_value);
    case SHAPE_OBJECT:
    case SHAPE_JSON:
        return json_value(ctl, flag, text, ret_value);
    }
    return *ret_value ? EXIT_DONE
                      : ctl_fail(ctl, EXIT_USAGE, "--%s %s: the value should be %s", flag->name, text,
                                 flag->arg ? flag->arg : "true");
}

static enum exit_code put(struct ctl *ctl, const struct flag *flag, const struct spec_member *member,
                          const char *text, bool again, json_t *spec)
{
    json_t *object = spec, *value = NULL;
    enum exit_code code;

    if (utf8_valid_until(bytes_of(text)) < strlen(text))
        return ctl_fail(ctl, EXIT_USAGE, "--%s: the value is not UTF-8", flag->name);
    if (member->parent) {
        object = json_object_get(spec, member->parent);
        if (!json_is_object(object)) {
            object = json_object();
            json_object_set_new(spec, member->parent, object);
        }
    }
    code = value_of(ctl, flag, member, text, again ? json_object_get(object, member->name) : NULL, &value);
    if (code == EXIT_DONE && json_object_set_new(object, member->name, value) < 0)
        return ctl_no_memory(ctl);
    return code;
}

static bool seen_before(const struct args *args, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (args->values[j].flag == args->values[i].flag)
            return true;
    return false;
}

enum exit_code spec_fill(struct ctl *ctl, const struct spec_flags *flags, const struct args *args,
                         json_t *spec)
{
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; i < args->value_count && code == EXIT_DONE; i++) {
        const struct flag *flag = args->values[i].flag;

        if (flag >= flags->flags && flag < flags->flags + flags->count)
            code = put(ctl, flag, &flags->members[flag - flags->flags], args->values[i].value,
                       seen_before(args, i), spec);
    }
    if (code != EXIT_DONE || args->word_count == 0)
        return code;
    if (!flags->positional || args->word_count > 1)
        return ctl_fail(ctl, EXIT_USAGE, "unexpected argument %s", args->words[flags->positional ? 1 : 0]);
    return put(ctl, &flags->flags[flags->positional - flags->members], flags->positional, args->words[0],
               false, spec);
}
