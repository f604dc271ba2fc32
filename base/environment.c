#include "base/environment.h"

#include "base/str.h"

bool is_glob(const char *name)
{
    return strpbrk(name, "*?") != NULL;
}

bool environment_has_globs(const struct environment *environment)
{
    for (size_t i = 0; i < environment->tables.count; i++)
        if (is_glob(environment->tables.names[i]))
            return true;
    return false;
}

bool environment_lists_table(const struct environment *environment, const char *table)
{
    if (!environment || !table || !*table)
        return false;
    for (size_t i = 0; i < environment->tables.count; i++) {
        if (glob_match(environment->tables.names[i], table))
            return true;
    }
    return false;
}
