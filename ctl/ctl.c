#include "ctl/ctl.h"

#include <stdarg.h>

#include "ctl/text.h"

static void say_line(struct ctl *ctl, const char *prefix, const char *format, va_list list)
{
    char line[2048];

    vsnprintf(line, sizeof(line), format, list);
    fputs(prefix, ctl->log);
    text_put(ctl->log, line);
    fputc('\n', ctl->log);
}

enum exit_code ctl_fail(struct ctl *ctl, enum exit_code code, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say_line(ctl, "recoverctl: ", format, list);
    va_end(list);
    return code;
}

void ctl_hint(struct ctl *ctl, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say_line(ctl, "hint: ", format, list);
    va_end(list);
}

void ctl_note(struct ctl *ctl, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say_line(ctl, "", format, list);
    va_end(list);
}

void ctl_say(struct ctl *ctl, const char *format, ...)
{
    va_list list;

    if (ctl->settings.quiet)
        return;
    va_start(list, format);
    say_line(ctl, "", format, list);
    va_end(list);
}

enum exit_code ctl_err(struct ctl *ctl, enum exit_code code, const struct err *err)
{
    return ctl_fail(ctl, code, "%s", err->message[0] ? err->message : err_info(err->code)->title);
}

enum exit_code ctl_no_memory(struct ctl *ctl)
{
    return ctl_fail(ctl, EXIT_UNREACHABLE, "out of memory");
}
