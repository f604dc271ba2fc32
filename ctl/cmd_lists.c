/* What comes as a list: kinds, environments, jobs, recovery points, audit. */
#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "ctl/api.h"
#include "ctl/commands.h"
#include "ctl/output.h"

#define LIMIT_HELP "at most so many rows (default 50, at most 500)"
const struct flag page_flags[] = {
    {"since", 0, "TIME", "not before this time (RFC 3339)", false, NULL},
    {"until", 0, "TIME", "before this time (RFC 3339)", false, NULL},
    {"limit", 0, "N", LIMIT_HELP, false, NULL},
    {"cursor", 0, "CURSOR", "go on where the list before ended", false, NULL},
    {"all", 0, NULL, "all pages; --limit is then the size of one", false, NULL},
    {0},
};
#define STATES "awaiting_approval queued running succeeded partial failed cancelled"
const struct flag jobs_flags[] = {
    {"kind", 0, "KIND", "of this kind; may be repeated", true, NULL},
    {"state", 0, "STATE", "in this state; may be repeated", true, STATES},
    {"resource", 0, "RESOURCE", "of this resource, like table/NAME; may be repeated", true, NULL},
    {"parent-id", 0, "ID", "children of this job", false, NULL},
    {0},
};
#define STATUSES "writing available verified proven damaged failed orphan archived expired deleted"
const struct flag points_flags[] = {
    {"resource", 0, "RESOURCE", "of this resource, like table/NAME; may be repeated", true, NULL},
    {"type", 0, "TYPE", "of this type; may be repeated", true, "table bucket config full"},
    {"method", 0, "METHOD", "made this way; may be repeated", true, NULL},
    {"status", 0, "STATUS", "with this status; may be repeated", true, STATUSES},
    {0},
};
const struct flag audit_flags[] = {
    {"actor", 0, "NAME", "by this person; may be repeated", true, NULL},
    {"action", 0, "ACTION", "of this action; may be repeated", true, NULL},
    {"object", 0, "OBJECT", "on this object; may be repeated", true, NULL},
    {"ndjson", 0, NULL, "the whole trail, of every environment, a row a line, as audit verify reads it",
     false, NULL},
    {0},
};

static const struct column kind_columns[] = {
    {"KIND", "name", COLUMN_TEXT},       {"ROLE", "role", COLUMN_TEXT},       {"MFA", "mfa", COLUMN_TEXT},
    {"PLAN", "needs_plan", COLUMN_TEXT}, {"SUMMARY", "summary", COLUMN_TEXT}, {0},
};
static const struct column environment_columns[] = {
    {"ENVIRONMENT", "name", COLUMN_TEXT},
    {"STATE", "state", COLUMN_TEXT},
    {"ACCOUNT", "account/found", COLUMN_TEXT},
    {"REGION", "region", COLUMN_TEXT},
    {"RECOVERY POINTS", "recovery_points", COLUMN_TEXT},
    {0},
};
static const struct column job_columns[] = {
    {"ID", "id", COLUMN_TEXT},
    {"KIND", "kind", COLUMN_TEXT},
    {"ENVIRONMENT", "environment", COLUMN_TEXT},
    {"RESOURCE", "resource", COLUMN_TEXT},
    {"STATE", "state", COLUMN_TEXT},
    {"CREATED", "created_at", COLUMN_TIME},
    {"BY", "created_by", COLUMN_TEXT},
    {0},
};
static const struct column point_columns[] = {
    {"ID", "id", COLUMN_TEXT},
    {"ENVIRONMENT", "environment", COLUMN_TEXT},
    {"RESOURCE", "resource", COLUMN_TEXT},
    {"STATUS", "status", COLUMN_TEXT},
    {"ITEMS", "items", COLUMN_COUNT_NUMBER},
    {"SIZE", "bytes", COLUMN_BYTES},
    {"CREATED", "created_at", COLUMN_TIME},
    {0},
};
static const struct column audit_columns[] = {
    {"NODE", "node", COLUMN_TEXT},       {"SEQ", "seq", COLUMN_TEXT},
    {"AT", "at", COLUMN_TIME},           {"ACTOR", "actor", COLUMN_TEXT},
    {"ACTION", "action", COLUMN_TEXT},   {"OBJECT", "object", COLUMN_TEXT},
    {"OUTCOME", "outcome", COLUMN_TEXT}, {0},
};

/* -- pages -- */

struct list {
    const char *path; /* "/v1/jobs" */
    const struct column *columns;
    const char *id_member;
    bool all;
    bool by_environment; /* takes the filter of -e */
};

static void add_query(struct buffer *query, const char *name, const char *value)
{
    buffer_add_char(query, query->len == 0 ? '?' : '&');
    for (; *name; name++)
        buffer_add_char(query, *name == '-' ? '_' : *name);
    buffer_add_char(query, '=');
    api_escape(query, value, "");
}

/* Every flag but the switches is a filter of the same name. */
static void fill_query(struct buffer *query, const struct ctl *ctl, const struct list *list,
                       const struct args *args)
{
    for (size_t i = 0; i < args->value_count; i++)
        if (args->values[i].flag->arg && strcmp(args->values[i].flag->name, "cursor") != 0)
            add_query(query, args->values[i].flag->name, args->values[i].value);
    if (list->all && !args_get(args, "limit"))
        add_query(query, "limit", "500");
    if (list->by_environment && ctl->settings.environment)
        add_query(query, "environment", ctl->settings.environment);
}

static enum exit_code get_page(struct ctl *ctl, const struct list *list, const char *query,
                               const char *cursor, struct api_reply *reply)
{
    enum exit_code code;

    if (cursor)
        cursor = api_escaped(ctl->arena, cursor, "");
    code = api_get(ctl, reply, "%s%s%s%s", list->path, query,
                   !cursor    ? ""
                   : query[0] ? "&cursor="
                              : "?cursor=",
                   cursor ? cursor : "");
    if (code == EXIT_DONE && !json_is_array(json_object_get(reply->json, "items")))
        return ctl_fail(ctl, EXIT_UNREACHABLE, "%s answered without a list", list->path);
    return code;
}

static void say_more(struct ctl *ctl, const char *cursor)
{
    if (cursor && ctl->settings.output == OUTPUT_TABLE)
        ctl_say(ctl, "there is more: --all, or --cursor %s", cursor);
}

/* Rows of all pages in one list; the last page's cursor is null anyway. */
static enum exit_code get_rest(struct ctl *ctl, const struct list *list, const char *query, json_t *first)
{
    const char *cursor = json_get_text(first, "next_cursor");

    while (cursor) {
        _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
        enum exit_code code = get_page(ctl, list, query, cursor, &reply);

        if (code != EXIT_DONE)
            return code;
        if (json_array_extend(json_object_get(first, "items"), json_object_get(reply.json, "items")) < 0 ||
            json_object_set(first, "next_cursor", json_object_get(reply.json, "next_cursor")) < 0)
            return ctl_no_memory(ctl);
        cursor = json_get_text(first, "next_cursor");
    }
    return EXIT_DONE;
}

static enum exit_code show_list(struct ctl *ctl, const struct list *list, const struct args *args)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    _cleanup_(buffer_done) struct buffer query = BUFFER_INIT(HTTP_TARGET_MAX);
    struct bytes raw = {NULL, 0}; /* of several pages there is no such thing */
    enum exit_code code = api_open(ctl);

    if (code != EXIT_DONE)
        return code;
    fill_query(&query, ctl, list, args);
    if (query.failed)
        return ctl_fail(ctl, EXIT_USAGE, "too many filters");
    code = get_page(ctl, list, query.data ? query.data : "", args_get(args, "cursor"), &reply);
    if (code == EXIT_DONE && list->all)
        code = get_rest(ctl, list, query.data ? query.data : "", reply.json);
    if (code != EXIT_DONE)
        return code;
    if (!list->all)
        raw = buffer_bytes(&reply.answer.body);
    output_list(ctl, reply.json, raw, list->columns, list->id_member);
    say_more(ctl, json_get_text(reply.json, "next_cursor"));
    return EXIT_DONE;
}

enum exit_code list_kinds(struct ctl *ctl, const struct args *args)
{
    return show_list(ctl, &(struct list){"/v1/kinds", kind_columns, "name", false, false}, args);
}

enum exit_code list_environments(struct ctl *ctl, const struct args *args)
{
    return show_list(ctl, &(struct list){"/v1/environments", environment_columns, "name", false, false},
                     args);
}

enum exit_code list_jobs(struct ctl *ctl, const struct args *args)
{
    return show_list(ctl, &(struct list){"/v1/jobs", job_columns, "id", args_on(args, "all"), true}, args);
}

enum exit_code list_points(struct ctl *ctl, const struct args *args)
{
    return show_list(
        ctl, &(struct list){"/v1/recovery-points", point_columns, "id", args_on(args, "all"), true}, args);
}

enum exit_code list_audit(struct ctl *ctl, const struct args *args)
{
    bool lines = args_on(args, "ndjson");

    if (lines)
        ctl->settings.output = OUTPUT_JSONL;
    return show_list(
        ctl, &(struct list){"/v1/audit", audit_columns, "hash", lines || args_on(args, "all"), !lines}, args);
}
