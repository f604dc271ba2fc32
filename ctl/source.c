#include "ctl/source.h"

#include "base/cleanup.h"
#include "base/id.h"
#include "base/json.h"
#include "ctl/api.h"

#define FORMS "an id, s3://..., file://... or latest:TABLE"

static bool is_id(const char *text)
{
    struct id id;

    return id_parse(bytes_of(text), &id);
}

/* Says when points of several environments stand to choose. */
static enum exit_code only_environment(struct ctl *ctl, const json_t *items, const char *table)
{
    const char *first = json_get_text(json_array_get(items, 0), "environment");

    for (size_t i = 1; i < json_array_size(items); i++) {
        const char *other = json_get_text(json_array_get(items, i), "environment");

        if (!str_is(first, other))
            return ctl_fail(ctl, EXIT_USAGE,
                            "there are recovery points of %s in %s and in %s: choose with -e", table, first,
                            other);
    }
    return EXIT_DONE;
}

static enum exit_code latest(struct ctl *ctl, const char *table, const char **ret_id)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    const char *environment = ctl->settings.environment;
    const json_t *items;
    enum exit_code code = api_open(ctl);

    if (code == EXIT_DONE)
        code = api_get(ctl, &reply,
                       "/v1/"
                       "recovery-points?limit=500&resource=table%%2F%s&status=available&status=verified&"
                       "status=proven%s%s",
                       api_escaped(ctl->arena, table, ""), environment ? "&environment=" : "",
                       environment ? api_escaped(ctl->arena, environment, "") : "");
    if (code != EXIT_DONE)
        return code;
    items = json_object_get(reply.json, "items");
    if (json_array_size(items) == 0) {
        ctl_fail(ctl, EXIT_NOT_FOUND, "there is no usable recovery point of table %s", table);
        ctl_hint(ctl, "recoverctl points lists what there is");
        return EXIT_NOT_FOUND;
    }
    code = only_environment(ctl, items, table);
    if (code != EXIT_DONE)
        return code;
    *ret_id = arena_strdup(ctl->arena, json_get_text(json_array_get(items, 0), "id"));
    ctl_say(ctl, "latest:%s is recovery point %s of %s", table, *ret_id ? *ret_id : "?",
            json_get_text(json_array_get(items, 0), "created_at"));
    return *ret_id ? EXIT_DONE : ctl_no_memory(ctl);
}

enum exit_code source_point(struct ctl *ctl, const char *text, const char **ret_id)
{
    *ret_id = text;
    if (str_starts(text, "latest:") && text[7])
        return latest(ctl, text + 7, ret_id);
    return is_id(text)
               ? EXIT_DONE
               : ctl_fail(ctl, EXIT_USAGE, "%s is no recovery point: an id or latest:TABLE is wanted", text);
}

static const struct {
    const char *prefix;
    const char *member;
    bool strip;
} prefixes[] = {
    {"s3://", "uri", false},        {"file://", "uri", false},   {"arn:", "backup_arn", false},
    {"name:", "backup_name", true}, {"upload:", "upload", true}, {"table:", "table", true},
};

static json_t *prefixed(const char *text, const char **ret_member)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (!str_starts(text, prefixes[i].prefix))
            continue;
        *ret_member = prefixes[i].member;
        return json_string(prefixes[i].strip ? text + strlen(prefixes[i].prefix) : text);
    }
    return NULL;
}

enum exit_code source_resolve(struct ctl *ctl, const char *text, const json_t *schema, json_t **ret_source)
{
    const json_t *forms = json_object_get(schema, "properties");
    const char *member = "recovery_point", *id = NULL;
    json_t *value = prefixed(text, &member);
    enum exit_code code;

    if (!json_object_get(forms, member)) {
        json_decref(value);
        return ctl_fail(ctl, EXIT_USAGE, "%s: a source of this form is not in this version; give " FORMS,
                        text);
    }
    if (!value) {
        code = str_starts(text, "latest:") || is_id(text)
                   ? source_point(ctl, text, &id)
                   : ctl_fail(ctl, EXIT_USAGE, "%s is no source; give " FORMS, text);
        if (code != EXIT_DONE)
            return code;
        value = json_string(id);
    }
    *ret_source = json_pack("{s:o}", member, value);
    return *ret_source ? EXIT_DONE : ctl_no_memory(ctl);
}
