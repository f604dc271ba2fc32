#include "ctl/submit.h"

#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"
#include "ctl/api.h"
#include "ctl/follow.h"
#include "ctl/interrupt.h"
#include "ctl/output.h"
#include "ctl/plan_page.h"
#include "ctl/terminal.h"

#define POST_TRIES 4
#define OTP_SIZE 32

const struct flag submit_flags[] = {
    {"no-wait", 0, NULL, "return when the job is accepted", false, NULL},
    {"timeout", 0, "DURATION", "wait at most so long (30s, 5m, 4h); the job goes on", false, NULL},
    {"plan-hash", 0, "HASH", "agree to this plan, made before with `recoverctl plan ...`", false, NULL},
    {"otp", 0, NULL, "send a one-time code, asked on the terminal (without one: a line of standard input)",
     false, NULL},
    {"note", 0, "TEXT", "why, for whoever reads the job later", false, NULL},
    {"idempotency-key", 0, "KEY", "the same key makes the same job once (default: a new one each call)",
     false, NULL},
    {0},
};

struct posting {
    struct order order;
    const char *plan_hash; /* NULL: none */
    const char *note;
    const char *key;
    int64_t timeout_ms;
    bool wait;
    char otp[OTP_SIZE];
};

/* -- plans -- */

static char *plan_body(const struct order *order)
{
    json_auto_t *body = order->retry_of ? json_pack("{s:s}", "retry_of", order->retry_of)
                                        : json_pack("{s:s,s:s,s:O}", "kind", order->kind, "environment",
                                                    order->environment, "spec", order->spec);

    return body ? json_dumps(body, JSON_COMPACT) : NULL;
}

static enum exit_code make_plan(struct ctl *ctl, const struct order *order, struct api_reply *reply)
{
    _cleanup_(cleanup_free) char *body = plan_body(order);

    if (!body)
        return ctl_no_memory(ctl);
    ctl_say(ctl, "planning %s", order->kind);
    return api_ask(ctl, &(struct api_call){.method = "POST", .path = "/v1/plans", .body = bytes_of(body)},
                   reply);
}

enum exit_code submit_plan(struct ctl *ctl, const struct order *order)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    enum exit_code code = make_plan(ctl, order, &reply);

    if (code != EXIT_DONE)
        return code;
    if (ctl->settings.output == OUTPUT_TABLE)
        plan_page(ctl->out, reply.json);
    else
        output_object(ctl, reply.json, buffer_bytes(&reply.answer.body), "plan_hash");
    return EXIT_DONE;
}

/* What destroys is agreed to by typing its name, or beforehand by the hash of a plan that was read. */
static enum exit_code agree(struct ctl *ctl, const json_t *plan, bool by_hash)
{
    const char *name = plan_destroys(plan);
    char question[600], line[512];
    enum exit_code code;

    if (!name)
        return EXIT_DONE;
    if (!ctl->settings.terminal) {
        if (by_hash)
            return EXIT_DONE;
        ctl_fail(ctl, EXIT_USAGE, "this destroys or overwrites %s, and there is no terminal to agree on",
                 name);
        ctl_hint(ctl, "read the plan above, then run it again with --plan-hash %s",
                 json_get_text(plan, "plan_hash"));
        return EXIT_USAGE;
    }
    snprintf(question, sizeof(question), "This is destructive. Type the name %.400s to go on: ", name);
    code = terminal_ask(ctl, question, false, line, sizeof(line));
    if (code != EXIT_DONE)
        return code;
    return strcmp(line, name) == 0
               ? EXIT_DONE
               : ctl_fail(ctl, EXIT_CANCELLED, "%s was not typed: nothing was done", name);
}

static enum exit_code plan_first(struct ctl *ctl, struct posting *posting)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    bool by_hash = posting->plan_hash != NULL;
    enum exit_code code;

    if (!by_hash && !posting->order.needs_plan)
        return EXIT_DONE;
    code = by_hash ? api_get(ctl, &reply, "/v1/plans/%s", api_escaped(ctl->arena, posting->plan_hash, ""))
                   : make_plan(ctl, &posting->order, &reply);
    if (code != EXIT_DONE)
        return code;
    plan_page(ctl->log, reply.json);
    fflush(ctl->log);
    posting->plan_hash = arena_strdup(ctl->arena, json_get_text(reply.json, "plan_hash"));
    if (!posting->plan_hash)
        return ctl_fail(ctl, EXIT_UNREACHABLE, "the server made a plan without a hash");
    return agree(ctl, reply.json, by_hash);
}

/* -- posting -- */

static char *job_body(const struct posting *posting)
{
    const struct order *order = &posting->order;
    json_auto_t *body = order->retry_of ? json_object()
                                        : json_pack("{s:s,s:s,s:O}", "kind", order->kind, "environment",
                                                    order->environment, "spec", order->spec);

    if (posting->plan_hash && json_object_set_new(body, "plan_hash", json_string(posting->plan_hash)) < 0)
        return NULL;
    if (posting->note && json_object_set_new(body, "note", json_string(posting->note)) < 0)
        return NULL;
    return body ? json_dumps(body, JSON_COMPACT) : NULL;
}

static bool retry_wanted(enum exit_code code, const struct api_reply *reply)
{
    int status = reply->answer.status;

    if (code == EXIT_DONE && str_is(api_problem(reply), "OTP_LOCKED"))
        return false;
    return code == EXIT_UNREACHABLE ||
           (code == EXIT_DONE && (status == 429 || status == 503 || status == 502));
}

/* The key makes it safe to say it again when the answer was lost. */
static enum exit_code post(struct ctl *ctl, const struct api_call *call, struct api_reply *reply)
{
    struct http_interrupt interrupt = {interrupt_asked, ctl->interrupt};
    enum exit_code code = EXIT_UNREACHABLE;
    struct err err = ERR_INIT, ignored = ERR_INIT;

    interrupt_grace(ctl->interrupt, true);
    for (int i = 0; i < POST_TRIES; i++) {
        api_reply_done(reply);
        err = ERR_INIT;
        code = api_send(ctl, call, reply, &err);
        if (!retry_wanted(code, reply) || i + 1 == POST_TRIES)
            break;
        http_client_sleep(ctl->client, 1000LL << i, &interrupt, &ignored);
    }
    interrupt_grace(ctl->interrupt, false);
    if (code == EXIT_DETACHED || interrupt_raised(ctl->interrupt)) {
        ctl_fail(ctl, EXIT_DETACHED, "interrupted; the job may have been accepted");
        ctl_hint(ctl,
                 "recoverctl jobs shows it; the same command with --idempotency-key %s makes it only once",
                 call->idempotency_key);
        return EXIT_DETACHED;
    }
    return code == EXIT_DONE ? EXIT_DONE : api_explain_err(ctl, code, &err);
}

static enum exit_code ask_code(struct ctl *ctl, struct posting *posting)
{
    return terminal_ask(ctl, "one-time code: ", true, posting->otp, sizeof(posting->otp));
}

static enum exit_code accept(struct ctl *ctl, struct posting *posting, const char *path,
                             struct api_reply *reply)
{
    _cleanup_(cleanup_free) char *body = job_body(posting);
    struct api_call call = {
        .method = "POST", .path = path, .body = bytes_of(body), .idempotency_key = posting->key};
    enum exit_code code;

    if (!body)
        return ctl_no_memory(ctl);
    call.otp = posting->otp[0] ? posting->otp : NULL;
    code = post(ctl, &call, reply);
    if (code == EXIT_DONE && str_is(api_problem(reply), "MFA_REQUIRED") && ctl->settings.terminal &&
        !call.otp) {
        ctl_say(ctl, "a second factor is needed");
        code = ask_code(ctl, posting);
        call.otp = posting->otp;
        if (code == EXIT_DONE)
            code = post(ctl, &call, reply);
    }
    if (code != EXIT_DONE)
        return code;
    return reply->answer.status / 100 == 2 && json_get_text(reply->json, "id") ? EXIT_DONE
                                                                               : api_explain(ctl, reply);
}

static enum exit_code go(struct ctl *ctl, struct posting *posting)
{
    _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
    const char *path = posting->order.retry_of
                           ? arena_printf(ctl->arena, "/v1/jobs/%s/retry", posting->order.retry_of)
                           : "/v1/jobs";
    const char *id;
    enum exit_code code = path ? accept(ctl, posting, path, &reply) : ctl_no_memory(ctl);

    OPENSSL_cleanse(posting->otp, sizeof(posting->otp));
    if (code != EXIT_DONE)
        return code;
    id = arena_strdup(ctl->arena, json_get_text(reply.json, "id"));
    if (!id)
        return ctl_no_memory(ctl);
    ctl_say(ctl, "job %s accepted: %s in %s", id, json_get_text(reply.json, "kind"),
            json_get_text(reply.json, "environment"));
    if (posting->wait)
        return follow_job(ctl, id, posting->timeout_ms, false);
    follow_print(ctl, reply.json, buffer_bytes(&reply.answer.body));
    return exit_of_state(json_get_text(reply.json, "state")) == EXIT_APPROVAL ? EXIT_APPROVAL : EXIT_DONE;
}

static enum exit_code read_flags(struct ctl *ctl, const struct args *args, struct posting *posting)
{
    const char *timeout = args_get(args, "timeout");
    char key[ID_SIZE];
    struct id id = id_new();

    posting->wait = !args_on(args, "no-wait");
    posting->plan_hash = args_get(args, "plan-hash");
    posting->note = args_get(args, "note");
    posting->key = args_get(args, "idempotency-key");
    id_format(&id, key);
    if (!posting->key)
        posting->key = arena_strdup(ctl->arena, key);
    if (!posting->key)
        return ctl_no_memory(ctl);
    if (strlen(posting->key) > IDEMPOTENCY_KEY_MAX || !posting->key[0])
        return ctl_fail(ctl, EXIT_USAGE, "--idempotency-key: 1 to %d characters", IDEMPOTENCY_KEY_MAX);
    if (posting->note && utf8_valid_until(bytes_of(posting->note)) < strlen(posting->note))
        return ctl_fail(ctl, EXIT_USAGE, "--note: the text is not UTF-8");
    if (timeout && (!duration_parse(bytes_of(timeout), &posting->timeout_ms) || posting->timeout_ms <= 0))
        return ctl_fail(ctl, EXIT_USAGE, "--timeout %s: a duration like 30s, 5m or 4h is wanted", timeout);
    return EXIT_DONE;
}

enum exit_code submit_job(struct ctl *ctl, const struct order *order, const struct args *args)
{
    struct posting posting = {.order = *order};
    enum exit_code code = read_flags(ctl, args, &posting);

    if (code == EXIT_DONE)
        code = plan_first(ctl, &posting);
    if (code == EXIT_DONE && args_on(args, "otp"))
        code = ask_code(ctl, &posting);
    return code == EXIT_DONE ? go(ctl, &posting) : code;
}
