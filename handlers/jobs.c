/* POST /v1/jobs, and one job: GET, cancel, retry; each may wait for the job's end. */
#include "handlers/handlers.h"

#include <poll.h>

#include "base/clock.h"
#include "handlers/job_json.h"
#include "handlers/submit.h"
#include "http/header.h"

#define LOOK_PAUSE_MS 50 /* every commit wakes every poll; a job is looked at no more often than this */

const struct field jobs_create_fields[] = {
    FIELD_NAME("kind", "the kind of job, see GET /v1/kinds", REQUIRED),
    FIELD_NAME("environment", "where", REQUIRED),
    FIELD_ANY("spec", "what exactly, by the kind's schema"),
    FIELD_HASH("plan_hash", "the plan that was read and is agreed to"),
    FIELD_TEXT("note", "why, for whoever reads the job later"),
    FIELD_END,
};
const struct field jobs_retry_fields[] = {
    FIELD_HASH("plan_hash", "the plan that was read and is agreed to"),
    FIELD_TEXT("note", "why, for whoever reads the job later"),
    FIELD_END,
};
const struct field no_fields[] = {FIELD_END};

/* -- answering with a job -- */

static void write_job(struct http_reply *reply, int status, const struct job_view *view)
{
    struct json_writer w;

    reply_json(reply, status, &w);
    reply_etag_version(reply, view->job->version);
    job_view_write(&w, NULL, view);
}

struct showing {
    struct request *req;
    const struct id *id;
    struct job_view view;
};

static int show_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct showing *showing = ctx;
    struct request *req = showing->req;
    struct job *now; /* the row and its documents of one moment */

    if (tx_job_visible(tx, req->principal, showing->id, req->arena, &now, err) < 0)
        return -1;
    return job_view_read(tx, now, true, req->arena, &showing->view, err);
}

/* NOT_FOUND also when its environment is not the caller's to see. */
static int reply_job(struct request *req, struct http_reply *reply, int status, const struct id *id,
                     struct err *err)
{
    struct showing showing = {.req = req, .id = id};

    if (request_read(req, show_tx, &showing, err) < 0)
        return -1;
    write_job(reply, status, &showing.view);
    return 0;
}

/* -- waiting -- */

static int wanted_wait(const struct request *req, int *ret_seconds, struct err *err)
{
    const char *query = request_query(req, "wait");

    *ret_seconds = http_prefer_wait(http_request_header(req->http, "Prefer"));
    if (query && !http_wait_parse(query, ret_seconds))
        return err_set(err, ERR_INVALID_QUERY, "wait must be a number of seconds from 0 to %d",
                       HTTP_WAIT_MAX_S);
    return 0;
}

static bool settled(const struct job *job)
{
    return job_state_final(job->state) || job->state == JOB_AWAITING_APPROVAL;
}

/* Sleeps until the job may have changed; false when the answer is due as it is. */
static bool wait_for_change(struct request *req, uint64_t seen, int64_t until_boot_ms)
{
    int64_t now = clock_boot_ms();

    if (now >= until_boot_ms ||
        wait_hub_wait(req->app->hub, req->http->fd, seen, until_boot_ms) != WAIT_WOKEN)
        return false;
    if (clock_boot_ms() - now < LOOK_PAUSE_MS)
        poll(NULL, 0, LOOK_PAUSE_MS);
    return true;
}

/* Each look is in an arena of its own: a long poll beside a busy store must not fill the request's. */
static int look_until_settled(struct request *req, const struct id *id, int seconds, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(MIB);
    int64_t until = clock_boot_ms() + (int64_t)seconds * 1000;
    struct job *job;
    uint64_t seen;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory to wait");
    do {
        arena_reset(arena);
        seen = wait_hub_generation(req->app->hub);
        if (engine_job(req->app->engine, req->principal, id, arena, &job, err) < 0)
            return -1;
    } while (!settled(job) && wait_for_change(req, seen, until));
    return 0;
}

/* Without a wish or a free place it is over at once. */
static int wait_until_settled(struct request *req, const struct id *id, int seconds, struct err *err)
{
    int result;

    if (seconds == 0 || !wait_hub_enter(req->app->hub))
        return 0;
    result = look_until_settled(req, id, seconds, err);
    wait_hub_leave(req->app->hub);
    return result;
}

/* What was accepted stays accepted: a wait that fails only ends early. */
static void wait_for_accepted(struct request *req, const struct job *job, int seconds)
{
    struct err ignored = ERR_INIT;

    wait_until_settled(req, &job->id, seconds, &ignored);
}

/* -- accepting -- */

/* As it was accepted, which is known without asking the store, unless it took over what another job has or
 * was waited for. */
static int reply_new(struct request *req, struct http_reply *reply, const struct accepted *accepted,
                     int seconds, struct err *err)
{
    struct job_view view = {.job = accepted->job,
                            .full = true,
                            .spec = accepted->spec,
                            .steps = accepted->steps,
                            .step_count = accepted->step_count};

    reply_location_job(reply, &accepted->job->id);
    if (accepted->step_count == 0 || seconds > 0)
        return reply_job(req, reply, 202, &accepted->job->id, err);
    write_job(reply, 202, &view);
    return 0;
}

/* The stored answer, unless it was waited for: then the job as it stands. */
static int reply_replayed(struct request *req, struct http_reply *reply, const struct accepted *accepted,
                          int seconds, struct err *err)
{
    const struct idempotency_row *original = accepted->original;

    http_reply_header(reply, "Idempotency-Replayed", "true");
    if (original->location)
        http_reply_header(reply, "Location", "%s", original->location);
    if (seconds > 0)
        return reply_job(req, reply, original->status, &accepted->job->id, err);
    reply->status = original->status;
    reply->content_type = "application/json";
    buffer_add_bytes(&reply->body, original->answer);
    return 0;
}

static int submit(struct request *req, struct submit *submit, struct http_reply *reply, struct err *err)
{
    struct accepted accepted;
    int seconds;

    if (wanted_wait(req, &seconds, err) < 0)
        return -1;
    if (engine_submit(req->app->engine, submit, &accepted, err) < 0) {
        req->changes = err->code == ERR_PLAN_STALE ? submit->changes : (struct bytes){0};
        return -1;
    }
    wait_for_accepted(req, accepted.job, seconds);
    return (accepted.replayed ? reply_replayed : reply_new)(req, reply, &accepted, seconds, err);
}

int jobs_create(struct request *req, struct http_reply *reply, struct err *err)
{
    struct submit s;

    if (submit_of(req, &s, err) < 0)
        return -1;
    return submit(req, &s, reply, err);
}

int jobs_retry(struct request *req, struct http_reply *reply, struct err *err)
{
    struct submit s;
    struct job *job;

    if (request_job(req, &job, err) < 0 || submit_of(req, &s, err) < 0)
        return -1;
    s.retry_of = job->id;
    return submit(req, &s, reply, err);
}

int jobs_cancel(struct request *req, struct http_reply *reply, struct err *err)
{
    struct job *job;
    int seconds;

    if (wanted_wait(req, &seconds, err) < 0 || request_job(req, &job, err) < 0)
        return -1;
    if (engine_cancel(req->app->engine, req->principal, &job->id, req->http->id, req->arena, &job, err) < 0)
        return -1;
    wait_for_accepted(req, job, seconds);
    return reply_job(req, reply, 200, &job->id, err);
}

/* -- looking -- */

int jobs_get(struct request *req, struct http_reply *reply, struct err *err)
{
    struct id id;
    int seconds;

    if (wanted_wait(req, &seconds, err) < 0 || request_id_param(req, &id, err) < 0)
        return -1;
    if (wait_until_settled(req, &id, seconds, err) < 0)
        return -1;
    return reply_job(req, reply, 200, &id, err);
}
