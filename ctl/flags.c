#include "ctl/flags.h"

#include <string.h>

#include "base/str.h"

const struct flag *flags_find(flag_tables tables, const char *name, size_t len)
{
    for (; *tables; tables++)
        for (const struct flag *flag = *tables; flag->name; flag++)
            if (strlen(flag->name) == len && memcmp(flag->name, name, len) == 0)
                return flag;
    return NULL;
}

static const struct flag *find_letter(flag_tables tables, char letter)
{
    for (; *tables; tables++)
        for (const struct flag *flag = *tables; flag->name; flag++)
            if (flag->letter && flag->letter == letter)
                return flag;
    return NULL;
}

static int add(struct args *args, const struct flag *flag, const char *value, struct err *err)
{
    if (!flag->repeat && args_get(args, flag->name))
        return err_set(err, ERR_INVALID_BODY, "--%s is given twice", flag->name);
    if (args->value_count == ARGS_VALUES_MAX)
        return err_set(err, ERR_INVALID_BODY, "more than %d flags", ARGS_VALUES_MAX);
    if (!flag->arg && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return err_set(err, ERR_INVALID_BODY, "--%s is true or false", flag->name);
    args->values[args->value_count++] = (struct arg_value){flag, value};
    return 0;
}

/* The flag that argv[i] is, and its value: behind `=`, or the next argument. */
static const struct flag *look(flag_tables tables, const char *arg, const char **ret_value)
{
    size_t len;

    *ret_value = NULL;
    if (arg[0] != '-' || arg[1] == '\0')
        return NULL;
    if (arg[1] != '-')
        return arg[2] == '\0' ? find_letter(tables, arg[1]) : NULL;
    len = strcspn(arg + 2, "=");
    if (arg[2 + len] == '=')
        *ret_value = arg + 2 + len + 1;
    return flags_find(tables, arg + 2, len);
}

static int add_word(struct args *args, const char *word, struct err *err)
{
    if (args->word_count == ARGS_WORDS_MAX)
        return err_set(err, ERR_INVALID_BODY, "too many arguments, from %s on", word);
    args->words[args->word_count++] = word;
    return 0;
}

static int take_other(struct args *args, const char *arg, const char **rest, int *rest_count, struct err *err)
{
    if (rest) {
        rest[(*rest_count)++] = arg;
        return 0;
    }
    if (arg[0] == '-' && arg[1] != '\0')
        return err_set(err, ERR_INVALID_BODY, "unknown flag %.*s", (int)strcspn(arg, "="), arg);
    return add_word(args, arg, err);
}

static int take_rest(struct args *args, int argc, char *const *argv, int from, const char **rest,
                     int *rest_count, struct err *err)
{
    for (int i = from; i < argc; i++) {
        if (rest)
            rest[(*rest_count)++] = argv[i];
        else if (i > from && add_word(args, argv[i], err) < 0)
            return -1;
    }
    return 0;
}

int args_parse(flag_tables tables, int argc, char *const *argv, struct args *args, const char **rest,
               int *rest_count, struct err *err)
{
    for (int i = 0; i < argc; i++) {
        const char *value;
        const struct flag *flag;

        if (strcmp(argv[i], "--") == 0)
            return take_rest(args, argc, argv, i, rest, rest_count, err);
        flag = look(tables, argv[i], &value);
        if (!flag) {
            if (take_other(args, argv[i], rest, rest_count, err) < 0)
                return -1;
            continue;
        }
        if (!value && flag->arg) {
            if (++i == argc)
                return err_set(err, ERR_INVALID_BODY, "--%s wants a value: %s", flag->name, flag->arg);
            value = argv[i];
        }
        if (add(args, flag, value ? value : "true", err) < 0)
            return -1;
    }
    return 0;
}

const char *args_get(const struct args *args, const char *name)
{
    for (size_t i = args->value_count; i > 0; i--)
        if (strcmp(args->values[i - 1].flag->name, name) == 0)
            return args->values[i - 1].value;
    return NULL;
}

bool args_on(const struct args *args, const char *name)
{
    return str_is(args_get(args, name), "true");
}
