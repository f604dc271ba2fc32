/* POST /v1/plans, GET /v1/plans/{plan_hash}: what would happen, and the hash that says yes to it. */
#include "handlers/handlers.h"

#include "handlers/submit.h"

const struct field plans_create_fields[] = {
    FIELD_NAME("kind", "the kind of job, see GET /v1/kinds"),
    FIELD_NAME("environment", "where"),
    FIELD_ANY("spec", "what exactly, by the kind's schema"),
    FIELD_ID("retry_of", "the final job that is tried again; kind, environment and spec are then that job's"),
    FIELD_END,
};

static void put_plan(struct http_reply *reply, const struct plan_row *plan)
{
    reply->status = 200;
    reply->content_type = "application/json";
    buffer_add_bytes(&reply->body, plan->body);
}

/* -- a plan to retry: what is named beside retry_of must be that job's -- */

struct retried {
    struct request *req;
    const struct job *job;
    struct bytes spec;
};

static int read_spec(struct tx *tx, void *ctx, struct err *err)
{
    struct retried *retried = ctx;

    return tx_document_get(tx, retried->job->key, "spec", retried->req->arena, &retried->spec, err);
}

static int same_spec(struct request *req, const struct submit *submit, const struct job *job, struct err *err)
{
    const struct job_kind *kind = kind_find(engine_kinds(req->app->engine), job->kind);
    struct retried retried = {.req = req, .job = job};
    json_auto_t *spec = NULL;
    const char *text;

    if (!submit->spec || !kind)
        return 0;
    spec = fields_check(kind->spec, submit->spec, "/spec", &req->faults);
    if (!spec)
        return faults_end(&req->faults, ERR_INVALID_SPEC, err);
    text = json_canonical(req->arena, spec);
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    if (request_read(req, read_spec, &retried, err) < 0)
        return -1;
    if (!bytes_is(retried.spec, text))
        fault_add(&req->faults, "/spec",
                  "differs from the spec of the job that is tried again; leave it out");
    return 0;
}

static int judge_retry(struct request *req, const struct submit *submit, struct err *err)
{
    struct job *job;

    if (engine_job(req->app->engine, req->principal, &submit->retry_of, req->arena, &job, err) < 0)
        return -1;
    req->environment = job->environment;
    if (submit->kind && strcmp(submit->kind, job->kind) != 0)
        fault_add(&req->faults, "/kind", "the job that is tried again is a %s", job->kind);
    if (submit->environment && strcmp(submit->environment, job->environment) != 0)
        fault_add(&req->faults, "/environment", "the job that is tried again is of %s", job->environment);
    if (same_spec(req, submit, job, err) < 0)
        return -1;
    return faults_end(&req->faults, ERR_INVALID_BODY, err);
}

static int judge_new(struct request *req, const struct submit *submit, struct err *err)
{
    if (!submit->kind)
        fault_add(&req->faults, "/kind", "is required");
    if (!submit->environment)
        fault_add(&req->faults, "/environment", "is required");
    return faults_end(&req->faults, ERR_INVALID_BODY, err);
}

int plans_create(struct request *req, struct http_reply *reply, struct err *err)
{
    const char *retry_of = json_get_text(req->body, "retry_of");
    struct plan_row *plan;
    struct submit submit;

    if (submit_of(req, &submit, err) < 0)
        return -1;
    if (retry_of && !id_parse(bytes_of(retry_of), &submit.retry_of))
        return err_set_at(err, ERR_INVALID_BODY, "/retry_of", "is no id");
    if ((retry_of ? judge_retry(req, &submit, err) : judge_new(req, &submit, err)) < 0)
        return -1;
    if (engine_plan(req->app->engine, &submit, &plan, err) < 0)
        return -1;
    put_plan(reply, plan);
    return 0;
}

/* -- looking at one -- */

struct plan_look {
    struct request *req;
    struct hash hash;
    struct plan_row *plan;
};

static int look_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct plan_look *look = ctx;

    return tx_plan_get(tx, &look->hash, look->req->arena, &look->plan, err);
}

/* Whoever might post its job may read it. */
static bool may_read(const struct request *req, const struct plan_row *plan)
{
    const struct job_kind *kind = kind_find(engine_kinds(req->app->engine), plan->kind);

    return principal_may(req->principal, kind ? kind->role : ROLE_ADMIN, plan->environment);
}

int plans_get(struct request *req, struct http_reply *reply, struct err *err)
{
    struct plan_look look = {.req = req};

    if (request_hash_param(req, &look.hash, err) < 0 || request_read(req, look_tx, &look, err) < 0)
        return -1;
    if (!may_read(req, look.plan))
        return err_set(err, ERR_NOT_FOUND, "no such plan");
    put_plan(reply, look.plan);
    return 0;
}

int jobs_plan(struct request *req, struct http_reply *reply, struct err *err)
{
    struct plan_look look = {.req = req};
    struct job *job;

    if (request_job(req, &job, err) < 0)
        return -1;
    if (!job->has_plan)
        return err_set(err, ERR_NOT_FOUND, "the job was accepted without a plan");
    look.hash = job->plan_hash;
    if (request_read(req, look_tx, &look, err) < 0)
        return -1;
    put_plan(reply, look.plan);
    return 0;
}
