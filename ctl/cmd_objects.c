/* What is one object: me, an environment, a job and what can be done with it, a recovery point. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "ctl/api.h"
#include "ctl/commands.h"
#include "ctl/follow.h"
#include "ctl/kinds.h"
#include "ctl/output.h"
#include "ctl/source.h"
#include "ctl/submit.h"

const struct flag job_flags[] = {
    {"follow", 'f', NULL, "until its end, with a progress bar on a terminal", false, NULL},
    {"timeout", 0, "DURATION", "with --follow: at most so long (30s, 5m, 4h)", false, NULL},
    {"plan", 0, NULL, "the plan that it was accepted with", false, NULL},
    {0},
};
const struct flag point_flags[] = {
    {"manifest", 0, NULL, "its manifest: every file with size and sha256", false, NULL},
    {0},
};

static enum exit_code show(struct ctl *ctl, const char *path, const char *id_member)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    enum exit_code code = api_open(ctl);

    if (code == EXIT_DONE)
        code = path ? api_get(ctl, &reply, "%s", path) : ctl_no_memory(ctl);
    if (code == EXIT_DONE)
        output_object(ctl, reply.json, buffer_bytes(&reply.answer.body), id_member);
    return code;
}

enum exit_code show_me(struct ctl *ctl, const struct args *args)
{
    (void)args;
    return show(ctl, "/v1/me", "identity");
}

enum exit_code show_environment(struct ctl *ctl, const struct args *args)
{
    return show(ctl,
                arena_printf(ctl->arena, "/v1/environments/%s", api_escaped(ctl->arena, args->words[0], "")),
                "name");
}

/* -- jobs -- */

static enum exit_code need_id(struct ctl *ctl, const char *text)
{
    struct id id;

    return id_parse(bytes_of(text), &id) ? EXIT_DONE
                                         : ctl_fail(ctl, EXIT_USAGE, "%s is no id of a job", text);
}

enum exit_code show_job(struct ctl *ctl, const struct args *args)
{
    const char *timeout = args_get(args, "timeout"), *id = args->words[0];
    int64_t timeout_ms = 0;
    enum exit_code code = need_id(ctl, id);

    if (code != EXIT_DONE)
        return code;
    if (timeout && (!duration_parse(bytes_of(timeout), &timeout_ms) || timeout_ms <= 0))
        return ctl_fail(ctl, EXIT_USAGE, "--timeout %s: a duration like 30s, 5m or 4h is wanted", timeout);
    if (!args_on(args, "follow"))
        return show(ctl, arena_printf(ctl->arena, "/v1/jobs/%s%s", id, args_on(args, "plan") ? "/plan" : ""),
                    args_on(args, "plan") ? "plan_hash" : "id");
    code = api_open(ctl);
    return code == EXIT_DONE ? follow_job(ctl, id, timeout_ms, true) : code;
}

enum exit_code cancel_job(struct ctl *ctl, const struct args *args)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    struct api_call call = {.method = "POST",
                            .path = arena_printf(ctl->arena, "/v1/jobs/%s/cancel", args->words[0]),
                            .body = BYTES("{}")};
    enum exit_code code = need_id(ctl, args->words[0]);

    if (code == EXIT_DONE)
        code = api_open(ctl);
    if (code == EXIT_DONE)
        code = call.path ? api_ask(ctl, &call, &reply) : ctl_no_memory(ctl);
    if (code != EXIT_DONE)
        return code;
    follow_print(ctl, reply.json, buffer_bytes(&reply.answer.body));
    if (exit_of_state(json_get_text(reply.json, "state")) == EXIT_STILL_RUNNING)
        ctl_say(ctl, "it stops as soon as AWS lets it: recoverctl job %s --follow", args->words[0]);
    return EXIT_DONE;
}

/* What the old job was decides whether the new one needs a plan. */
static enum exit_code retried(struct ctl *ctl, const char *id, struct order *order)
{
    _cleanup_(api_reply_done) struct api_reply job = API_REPLY_INIT;
    const json_t *kinds;
    enum exit_code code = need_id(ctl, id);

    if (code == EXIT_DONE)
        code = api_open(ctl);
    if (code == EXIT_DONE)
        code = api_get(ctl, &job, "/v1/jobs/%s", id);
    if (code == EXIT_DONE)
        code = kinds_fetch(ctl, &kinds);
    if (code != EXIT_DONE)
        return code;
    *order =
        (struct order){.retry_of = id, .kind = arena_strdup(ctl->arena, json_get_text(job.json, "kind"))};
    order->needs_plan = json_get_bool(kinds_find(kinds, order->kind), "needs_plan", false);
    return order->kind ? EXIT_DONE : ctl_no_memory(ctl);
}

enum exit_code retry_job(struct ctl *ctl, const struct args *args)
{
    struct order order;
    enum exit_code code = retried(ctl, args->words[0], &order);

    return code == EXIT_DONE ? submit_job(ctl, &order, args) : code;
}

enum exit_code plan_retry(struct ctl *ctl, const char *id)
{
    struct order order;
    enum exit_code code = retried(ctl, id, &order);

    return code == EXIT_DONE ? submit_plan(ctl, &order) : code;
}

/* -- recovery points -- */

enum exit_code show_point(struct ctl *ctl, const struct args *args)
{
    const char *id;
    enum exit_code code = source_point(ctl, args->words[0], &id);

    if (code != EXIT_DONE)
        return code;
    return show(ctl,
                arena_printf(ctl->arena, "/v1/recovery-points/%s%s", id,
                             args_on(args, "manifest") ? "/manifest" : ""),
                "id");
}
