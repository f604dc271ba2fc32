/* POST /v1/jobs, and one job: GET with long poll, cancel, retry. */
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

/* As it was accepted, which is known without asking the store, unless it took over what another job has. */
static int reply_new(struct request *req, struct http_reply *reply, const struct accepted *accepted,
                     struct err *err)
{
    struct job_view view = {.job = accepted->job,
                            .full = true,
                            .spec = accepted->spec,
                            .steps = accepted->steps,
                            .step_count = accepted->step_count};

    reply_location_job(reply, &accepted->job->id);
    if (accepted->step_count == 0)
        return reply_job(req, reply, 202, &accepted->job->id, err);
    write_job(reply, 202, &view);
    return 0;
}

static int reply_accepted(struct request *req, struct http_reply *reply, const struct accepted *accepted,
                          struct err *err)
{
    if (!accepted->replayed)
        return reply_new(req, reply, accepted, err);
    reply->status = accepted->original->status;
    reply->content_type = "application/json";
    http_reply_header(reply, "Idempotency-Replayed", "true");
    if (accepted->original->location)
        http_reply_header(reply, "Location", "%s", accepted->original->location);
    buffer_add_bytes(&reply->body, accepted->original->answer);
    return 0;
}

/* -- accepting -- */

static int submit(struct request *req, struct submit *submit, struct http_reply *reply, struct err *err)
{
    struct accepted accepted;

    if (engine_submit(req->app->engine, submit, &accepted, err) < 0) {
        req->changes = err->code == ERR_PLAN_STALE ? submit->changes : (struct bytes){0};
        return -1;
    }
    return reply_accepted(req, reply, &accepted, err);
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

    if (request_job(req, 0, &job, err) < 0 || submit_of(req, &s, err) < 0)
        return -1;
    req->environment = job->environment;
    s.retry_of = job->id;
    return submit(req, &s, reply, err);
}

int jobs_cancel(struct request *req, struct http_reply *reply, struct err *err)
{
    struct job *job;

    if (request_job(req, 0, &job, err) < 0)
        return -1;
    if (engine_cancel(req->app->engine, req->principal, &job->id, req->http->id, req->arena, &job, err) < 0)
        return -1;
    return reply_job(req, reply, 200, &job->id, err);
}

/* -- looking -- */

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
static int wait_until_settled(struct request *req, const struct id *id, int seconds, struct err *err)
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

int jobs_get(struct request *req, struct http_reply *reply, struct err *err)
{
    struct id id;
    int seconds;

    if (wanted_wait(req, &seconds, err) < 0 || request_id_param(req, 0, &id, err) < 0)
        return -1;
    if (seconds > 0 && wait_until_settled(req, &id, seconds, err) < 0)
        return -1;
    return reply_job(req, reply, 200, &id, err);
}
