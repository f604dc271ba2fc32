#include "base/faults.h"

#include <ctype.h>
#include <stdarg.h>

#define DETAIL_MAX 600

void faults_init(struct faults *faults, struct arena *arena)
{
    *faults = (struct faults){.arena = arena};
}

static void add(struct faults *faults, const char *place, const char *format, va_list args)
{
    char detail[DETAIL_MAX];
    struct fault *fault;

    faults->total++;
    if (faults->count == FAULTS_MAX)
        return;
    if (vsnprintf(detail, sizeof(detail), format, args) < 0)
        detail[0] = '\0';
    fault = &faults->list[faults->count++];
    fault->place = arena_strdup(faults->arena, place);
    fault->detail = arena_strdup(faults->arena, detail);
    if (!fault->place)
        fault->place = "";
    if (!fault->detail)
        fault->detail = "wrong, and no memory is left to say why";
}

void fault_add(struct faults *faults, const char *place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(faults, place, format, args);
    va_end(args);
}

void fault_add_code(struct faults *faults, enum err_code code, const char *place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(faults, place, format, args);
    va_end(args);
    if (faults->code == ERR_NONE)
        faults->code = code;
}

/* Does the place end in :line:column? An absolute path begins like a JSON pointer does. */
static bool is_file_place(const char *place)
{
    size_t len = strlen(place);

    for (int numbers = 0; numbers < 2; numbers++) {
        size_t end = len;
        while (len > 0 && isdigit((unsigned char)place[len - 1]))
            len--;
        if (len == end || len == 0 || place[len - 1] != ':')
            return false;
        len--;
    }
    return true;
}

int faults_end(const struct faults *faults, enum err_code code, struct err *err)
{
    const struct fault *first = &faults->list[0];
    char more[64] = "";

    if (faults->total == 0)
        return 0;
    if (faults->code != ERR_NONE)
        code = faults->code;
    if (faults->total > 1)
        snprintf(more, sizeof(more), " (and %zu more)", faults->total - 1);
    if (first->place[0] == '\0')
        return err_set(err, code, "%s%s", first->detail, more);
    if (first->place[0] == '/' && !is_file_place(first->place))
        return err_set_at(err, code, first->place, "%s: %s%s", first->place, first->detail, more);
    return err_set(err, code, "%s: %s%s", first->place, first->detail, more);
}
