#include "ctl/place.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "ctl/api.h"

static enum exit_code of_point(struct ctl *ctl, const char *id, const char **ret_environment)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    enum exit_code code = api_get(ctl, &reply, "/v1/recovery-points/%s", api_escaped(ctl->arena, id, ""));

    if (code != EXIT_DONE)
        return code;
    *ret_environment = arena_strdup(ctl->arena, json_get_text(reply.json, "environment"));
    return *ret_environment ? EXIT_DONE
                            : ctl_fail(ctl, EXIT_UNREACHABLE, "the recovery point %s has no environment", id);
}

/* A table stands in a list as its name or glob, or as an object with that as `name`. */
static bool lists(const json_t *tables, const char *table)
{
    size_t i;
    json_t *entry;

    json_array_foreach((json_t *)(uintptr_t)tables, i, entry) {
        const char *name = json_is_string(entry) ? json_string_value(entry) : json_get_text(entry, "name");

        if (name && glob_match(name, table))
            return true;
    }
    return false;
}

static bool holds(const json_t *environment, const char *table)
{
    return lists(json_object_get(environment, "configured_tables"), table) ||
           lists(json_object_get(environment, "tables"), table);
}

struct candidates {
    const char *only;
    size_t count;
    char list[512];
};

static void add(struct candidates *candidates, const char *name)
{
    size_t len = strlen(candidates->list);

    if (candidates->count++ == 0)
        candidates->only = name;
    if ((size_t)snprintf(candidates->list + len, sizeof(candidates->list) - len, "%s%s", len ? ", " : "",
                         name) >= sizeof(candidates->list) - len)
        memcpy(candidates->list + sizeof(candidates->list) - 4, "...", 4);
}

static enum exit_code choose(struct ctl *ctl, const struct candidates *holding, const struct candidates *all,
                             const char *table, const char **ret_environment)
{
    const struct candidates *from = holding->count > 0 ? holding : all;

    if (from->count == 1) {
        *ret_environment = arena_strdup(ctl->arena, from->only);
        return *ret_environment ? EXIT_DONE : ctl_no_memory(ctl);
    }
    if (all->count == 0)
        return ctl_fail(ctl, EXIT_USAGE, "there is no environment that you may see");
    if (holding->count > 1)
        ctl_fail(ctl, EXIT_USAGE, "several environments hold %s: %s", table, holding->list);
    else if (table)
        ctl_fail(ctl, EXIT_USAGE, "no environment lists %s; there are %s", table, all->list);
    else
        ctl_fail(ctl, EXIT_USAGE, "there are several environments: %s", all->list);
    ctl_hint(ctl, "choose one with -e ENV or RECOVERD_ENVIRONMENT");
    return EXIT_USAGE;
}

static enum exit_code of_table(struct ctl *ctl, const char *table, const char **ret_environment)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    struct candidates holding = {0}, all = {0};
    enum exit_code code = api_get(ctl, &reply, "/v1/environments");
    size_t i;
    json_t *environment;

    if (code != EXIT_DONE)
        return code;
    json_array_foreach(json_object_get(reply.json, "items"), i, environment) {
        const char *name = json_get_text(environment, "name");

        if (name)
            add(&all, name);
        if (name && table && holds(environment, table))
            add(&holding, name);
    }
    return choose(ctl, &holding, &all, table, ret_environment);
}

enum exit_code place_find(struct ctl *ctl, const json_t *spec, const char **ret_environment)
{
    const char *point = json_get_text(json_object_get(spec, "source"), "recovery_point");
    const char *table = json_get_text(spec, "table");

    if (ctl->settings.environment) {
        *ret_environment = ctl->settings.environment;
        return EXIT_DONE;
    }
    if (point)
        return of_point(ctl, point, ret_environment);
    return of_table(ctl, table ? table : json_get_text(spec, "target_table"), ret_environment);
}
