#include "ctl/follow.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "ctl/api.h"
#include "ctl/interrupt.h"
#include "ctl/output.h"
#include "ctl/progress.h"
#include "ctl/text.h"

#define POLL_BAR_S 1 /* with a bar to draw: each poll brings a new figure */
#define POLL_QUIET_S 25
#define LOST_MAX_MS 120000 /* a server that restarts is back by then */
#define RETRY_MS 1000
#define ANSWER_MS 15000 /* beyond what the server was asked to wait */
#define PATH_SIZE 128   /* an id and what stands around it; not in the arena, a job may take days */

struct following {
    const char *id;
    int64_t until_ms;      /* boot clock; INT64_MAX: none */
    int64_t lost_since_ms; /* 0: the last poll was answered */
    struct progress_view view;
};

/* -- the end -- */

static void copy_member(json_t *to, const json_t *from, const char *name)
{
    json_t *value = json_object_get(from, name);

    if (value)
        json_object_set(to, name, value);
}

void follow_print(struct ctl *ctl, const json_t *job, struct bytes raw)
{
    static const char *const members[] = {"id",    "kind",   "environment", "resource",
                                          "state", "result", "left_behind"};
    json_auto_t *brief = json_object();

    if (ctl->settings.output != OUTPUT_TABLE) {
        output_object(ctl, job, raw, "id");
        return;
    }
    for (size_t i = 0; i < COUNT_OF(members); i++)
        copy_member(brief, job, members[i]);
    output_object(ctl, brief, (struct bytes){0}, "id");
}

static void say_duration(struct ctl *ctl, const json_t *job)
{
    const char *from = json_get_text(job, "started_at"), *to = json_get_text(job, "finished_at");
    char text[TEXT_SHORT];
    int64_t start, end;

    if (!from || !to || !time_parse(bytes_of(from), &start) || !time_parse(bytes_of(to), &end))
        return;
    text_elapsed(end - start, text);
    ctl_say(ctl, "%s in %s", json_get_text(job, "state"), text);
}

/* Why a job ended as it did, on stderr, and the code of its state. */
static enum exit_code explain(struct ctl *ctl, const json_t *job)
{
    const json_t *error = json_object_get(job, "error");
    const char *id = json_get_text(job, "id"), *title = json_get_text(error, "title");
    const char *detail = json_get_text(error, "detail"), *hint = json_get_text(error, "hint"),
               *code_name = json_get_text(error, "code");
    enum exit_code code = exit_of_state(json_get_text(job, "state"));

    if (code == EXIT_DONE || code == EXIT_STILL_RUNNING)
        return code;
    ctl_fail(ctl, code, "job %s: %s%s%s%s%s%s%s%s", id, json_get_text(job, "state"), title ? ": " : "",
             title ? title : "", detail ? ": " : "", detail ? detail : "", code_name ? " (" : "",
             code_name ? code_name : "", code_name ? ")" : "");
    if (hint && hint[0])
        ctl_hint(ctl, "%s", hint);
    if (code == EXIT_FAILED)
        ctl_hint(ctl, "recoverctl job %s shows its steps; recoverctl retry %s goes on where it stopped", id,
                 id);
    return code;
}

/* -- the way there -- */

static void say_return(struct ctl *ctl, const char *id)
{
    ctl_hint(ctl, "come back with: recoverctl job %s --follow; stop it with: recoverctl cancel %s", id, id);
}

static int poll_seconds(const struct following *f)
{
    int64_t left = (f->until_ms - clock_boot_ms()) / 1000;
    int most = f->view.bar ? POLL_BAR_S : POLL_QUIET_S;

    return left < 1 ? 1 : left < most ? (int)left : most;
}

static bool worth_waiting(struct following *f, enum exit_code code, int status)
{
    int64_t now = clock_boot_ms();

    if (code == EXIT_DONE && status != 429 && status / 100 != 5)
        return false;
    if (code != EXIT_DONE && code != EXIT_UNREACHABLE)
        return false;
    if (f->lost_since_ms == 0)
        f->lost_since_ms = now;
    return now - f->lost_since_ms < LOST_MAX_MS && now < f->until_ms;
}

/* EXIT_DONE: reply holds the job. EXIT_STILL_RUNNING: nothing came, look again. Else it has been said. */
static enum exit_code look(struct ctl *ctl, struct following *f, struct api_reply *reply)
{
    int seconds = poll_seconds(f);
    struct err err = ERR_INIT, ignored = ERR_INIT;
    struct http_interrupt interrupt = {interrupt_asked, ctl->interrupt};
    char path[PATH_SIZE];
    struct api_call call = {.path = path, .timeout_ms = seconds * 1000 + ANSWER_MS};
    enum exit_code code;

    snprintf(path, sizeof(path), "/v1/jobs/%s?wait=%d", f->id, seconds);
    code = api_send(ctl, &call, reply, &err);
    if (code == EXIT_DETACHED)
        return code;
    if (code == EXIT_DONE && reply->answer.status == 200 && reply->json) {
        f->lost_since_ms = 0;
        return EXIT_DONE;
    }
    if (worth_waiting(f, code, reply->answer.status)) {
        http_client_sleep(ctl->client, RETRY_MS, &interrupt, &ignored);
        return interrupt_raised(ctl->interrupt) ? EXIT_DETACHED : EXIT_STILL_RUNNING;
    }
    progress_clear(&f->view, ctl);
    code = code == EXIT_DONE ? api_explain(ctl, reply) : api_explain_err(ctl, code, &err);
    if (code != EXIT_NOT_FOUND)
        say_return(ctl, f->id);
    return code;
}

static enum exit_code ended(struct ctl *ctl, struct following *f, const struct api_reply *reply, bool whole)
{
    enum exit_code code;

    progress_clear(&f->view, ctl);
    say_duration(ctl, reply->json);
    if (whole)
        output_object(ctl, reply->json, buffer_bytes(&reply->answer.body), "id");
    else
        follow_print(ctl, reply->json, buffer_bytes(&reply->answer.body));
    fflush(ctl->out);
    code = explain(ctl, reply->json);
    if (code == EXIT_APPROVAL)
        say_return(ctl, f->id);
    return code;
}

static enum exit_code detach(struct ctl *ctl, struct following *f)
{
    progress_clear(&f->view, ctl);
    ctl_fail(ctl, EXIT_DETACHED, "detached; job %s goes on", f->id);
    say_return(ctl, f->id);
    return EXIT_DETACHED;
}

static enum exit_code give_up(struct ctl *ctl, struct following *f, const struct api_reply *reply)
{
    progress_clear(&f->view, ctl);
    if (reply->json && json_get_text(reply->json, "id"))
        follow_print(ctl, reply->json, buffer_bytes(&reply->answer.body));
    ctl_fail(ctl, EXIT_STILL_RUNNING, "job %s still runs; --timeout is over and the job goes on", f->id);
    say_return(ctl, f->id);
    return EXIT_STILL_RUNNING;
}

enum exit_code follow_job(struct ctl *ctl, const char *id, int64_t timeout_ms, bool whole)
{
    struct following f = {.id = id, .until_ms = timeout_ms > 0 ? clock_boot_ms() + timeout_ms : INT64_MAX};
    enum exit_code code;

    progress_begin(&f.view, ctl);
    interrupt_grace(ctl->interrupt, true);
    for (;;) {
        _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;

        code = look(ctl, &f, &reply);
        if (code == EXIT_DETACHED)
            return detach(ctl, &f);
        if (code != EXIT_DONE && code != EXIT_STILL_RUNNING)
            return code;
        if (code == EXIT_DONE && exit_of_state(json_get_text(reply.json, "state")) != EXIT_STILL_RUNNING)
            return ended(ctl, &f, &reply, whole);
        if (code == EXIT_DONE)
            progress_show(&f.view, ctl, reply.json);
        if (clock_boot_ms() >= f.until_ms)
            return give_up(ctl, &f, &reply);
    }
}
