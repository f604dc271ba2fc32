/* check: what has to be in place, from the nearest to the farthest, with what to do where it is not. */
#include "base/cleanup.h"
#include "base/json.h"
#include "ctl/api.h"
#include "ctl/commands.h"
#include "ctl/output.h"

static const struct column columns[] = {
    {"CHECK", "name", COLUMN_TEXT},
    {"OK", "ok", COLUMN_TEXT},
    {"DETAIL", "detail", COLUMN_TEXT},
    {0},
};

struct checks {
    json_t *items;
    enum exit_code code; /* of the first that failed */
};

static void note(struct checks *checks, const char *name, enum exit_code code, const char *detail)
{
    json_array_append_new(
        checks->items, json_pack("{s:s,s:b,s:s}", "name", name, "ok", code == EXIT_DONE, "detail", detail));
    if (checks->code == EXIT_DONE)
        checks->code = code;
}

static const char *count_grants(struct ctl *ctl, const json_t *me)
{
    const char *identity = json_get_text(me, "identity");
    const char *text =
        arena_printf(ctl->arena, "you are %s, with %zu grants%s", identity ? identity : "?",
                     json_array_size(json_object_get(me, "grants")),
                     json_get_bool(json_object_get(me, "mfa"), "fresh", false) ? " and fresh MFA" : "");

    return text ? text : "";
}

static bool check_token(struct ctl *ctl, struct checks *checks)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    struct err err = ERR_INIT;
    enum exit_code code = api_send(ctl, &(struct api_call){.path = "/v1/me"}, &reply, &err);

    if (code != EXIT_DONE) {
        note(checks, "server", api_explain_err(ctl, code, &err), err.message);
        return false;
    }
    if (!reply.json) {
        note(checks, "server", api_explain(ctl, &reply), "what answers there is no recoverd");
        return false;
    }
    note(checks, "server", EXIT_DONE, ctl->settings.server);
    if (reply.answer.status != 200) {
        note(checks, "token", api_explain(ctl, &reply),
             ctl->token ? "the token is not accepted" : "there is no token");
        return false;
    }
    note(checks, "token", EXIT_DONE, count_grants(ctl, reply.json));
    if (json_array_size(json_object_get(reply.json, "grants")) == 0)
        note(checks, "grants", EXIT_FORBIDDEN,
             "the token grants no role: ask for one, or look at the issuer's role_map");
    return true;
}

static const char *error_text(const json_t *error)
{
    const char *detail = json_get_text(error, "detail"), *title = json_get_text(error, "title");

    if (!error)
        return NULL;
    return detail ? detail : title ? title : "an error without a text";
}

/* The first thing that is wrong with the environment or one of its tables; NULL: nothing. Borrowed. */
static const char *wrong_with(const json_t *environment)
{
    const char *wrong = error_text(json_object_get(environment, "error"));
    size_t i;
    json_t *table;

    if (!wrong)
        wrong = error_text(json_object_get(environment, "tables_error"));
    json_array_foreach(json_object_get(environment, "tables"), i, table) {
        if (!wrong)
            wrong = error_text(json_object_get(table, "error"));
    }
    if (!wrong && !json_get_bool(environment, "complete", true))
        wrong = "not every table could be asked in time";
    return wrong;
}

static void check_environment(struct ctl *ctl, struct checks *checks, const char *name)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    const char *title = arena_printf(ctl->arena, "environment %s", name), *wrong, *detail, *account;
    enum exit_code code = api_get(ctl, &reply, "/v1/environments/%s", api_escaped(ctl->arena, name, ""));

    if (code != EXIT_DONE) {
        note(checks, title, code, "it cannot be looked at");
        return;
    }
    wrong = wrong_with(reply.json);
    if (wrong)
        ctl_hint(ctl,
                 "recoverctl environment %s shows it in full; the server's configuration and AWS permissions "
                 "decide",
                 name);
    account = json_get_text(json_object_get(reply.json, "account"), "found");
    detail = wrong ? arena_strdup(ctl->arena, wrong)
                   : arena_printf(ctl->arena, "account %s, %zu tables", account ? account : "not checked",
                                  json_array_size(json_object_get(reply.json, "tables")));
    note(checks, title, wrong ? EXIT_FAILED : EXIT_DONE, detail ? detail : "");
}

static void check_environments(struct ctl *ctl, struct checks *checks)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    enum exit_code code = api_get(ctl, &reply, "/v1/environments");
    size_t i;
    json_t *environment;

    if (code != EXIT_DONE) {
        note(checks, "environments", code, "the list cannot be had");
        return;
    }
    json_array_foreach(json_object_get(reply.json, "items"), i, environment) {
        if (json_get_text(environment, "name"))
            check_environment(ctl, checks, json_get_text(environment, "name"));
    }
}

enum exit_code check(struct ctl *ctl, const struct args *args)
{
    json_auto_t *page = json_pack("{s:[]}", "items");
    struct checks checks = {json_object_get(page, "items"), EXIT_DONE};
    enum exit_code code = api_open(ctl);

    (void)args;
    if (code != EXIT_DONE)
        return code;
    if (check_token(ctl, &checks))
        check_environments(ctl, &checks);
    output_list(ctl, page, (struct bytes){0}, columns, "name");
    return checks.code;
}
