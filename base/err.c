#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const struct err_info infos[] = {
    [ERR_NONE] = {"INTERNAL", 500, false, "Something went wrong inside recoverd", ""},
#define ERROR(name, status, retryable, title, hint) [ERR_##name] = {#name, status, retryable, title, hint},
#include "base/errors.def"
#undef ERROR
};

static void set(struct err *err, enum err_code code, const char *pointer, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static void set(struct err *err, enum err_code code, const char *pointer, const char *format, va_list args)
{
    if (!err || err->code != ERR_NONE)
        return;
    err->code = code;
    vsnprintf(err->message, sizeof(err->message), format, args);
    snprintf(err->pointer, sizeof(err->pointer), "%s", pointer);
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(err, code, "", format, args);
    va_end(args);
    return -1;
}

int err_set_at(struct err *err, enum err_code code, const char *pointer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(err, code, pointer, format, args);
    va_end(args);
    return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
    char what[200];
    char message[sizeof(err->message)];
    size_t len;
    va_list args;

    if (!err)
        return -1;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    len = (size_t)snprintf(message, sizeof(message), "%s: ", what);
    str_copy(message + len, sizeof(message) - len, err->message);
    memcpy(err->message, message, sizeof(message));
    return -1;
}

void err_clear(struct err *err)
{
    *err = ERR_INIT;
}

const struct err_info *err_info(enum err_code code)
{
    if ((unsigned)code >= ERR_COUNT)
        code = ERR_NONE;
    return &infos[code];
}

enum err_code err_code_by_name(const char *name)
{
    for (int code = ERR_NONE + 1; name && code < ERR_COUNT; code++)
        if (!strcmp(infos[code].name, name))
            return (enum err_code)code;
    return ERR_NONE;
}
