#include "server/online_regions.h"

#include <string.h>

#include "aws/dynamodb.h"
#include "base/clock.h"
#include "base/limits.h"

#define PAGES_MAX 20 /* of 100 names, a region: for a hint that is enough */

struct region_tables {
    const char *region;
    const char **names;
    size_t count;
};

static bool add_page(struct region_tables *tables, struct arena *arena, const char *const *names,
                     size_t count)
{
    const char **all = arena_array(arena, const char *, tables->count + count + 1);

    if (!all)
        return false;
    for (size_t i = 0; i < tables->count; i++)
        all[i] = tables->names[i];
    for (size_t i = 0; i < count; i++)
        all[tables->count + i] = names[i];
    tables->names = all;
    tables->count += count;
    return true;
}

/* What cannot be seen is not there: it is only a hint that is missing then. */
static void list_region(struct aws_session *aws, struct arena *arena, struct region_tables *tables)
{
    const char *start = NULL;

    for (int page = 0; page < PAGES_MAX; page++) {
        const char **names;
        size_t count;
        struct err ignored = ERR_INIT;

        if (dynamodb_list_tables_in(aws, tables->region, arena, &start, &names, &count, &ignored) < 0 ||
            !add_page(tables, arena, names, count) || !start)
            return;
    }
}

static void list_regions(struct other_regions *others, struct aws_session *aws, struct arena *arena)
{
    const char *own = aws_region(aws->aws);
    const char *const *regions = aws_regions(own);
    int64_t deadline = aws->deadline_boot_ms;
    size_t count = 0;

    others->done = true;
    while (regions[count])
        count++;
    others->list = arena_array(arena, struct region_tables, count + 1);
    if (!others->list)
        return;
    aws->deadline_boot_ms = clock_boot_ms() + REGIONS_BUDGET_MS;
    for (size_t i = 0; i < count; i++) {
        struct region_tables tables = {.region = regions[i]};

        if (!strcmp(regions[i], own))
            continue;
        list_region(aws, arena, &tables);
        others->list[others->count++] = tables;
    }
    aws->deadline_boot_ms = deadline;
}

const char *other_regions_find(struct other_regions *others, struct aws_session *aws, struct arena *arena,
                               bool (*fits)(const void *arg, const char *name), const void *arg,
                               const char **ret_name)
{
    if (!others->done)
        list_regions(others, aws, arena);
    for (size_t i = 0; i < others->count; i++)
        for (size_t k = 0; k < others->list[i].count; k++)
            if (fits(arg, others->list[i].names[k])) {
                *ret_name = others->list[i].names[k];
                return others->list[i].region;
            }
    return NULL;
}
