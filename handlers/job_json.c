#include "handlers/job_json.h"

#include "base/err.h"
#include "base/limits.h"
#include "handlers/request.h"

int job_view_read(struct tx *tx, const struct job *job, bool full, struct arena *arena,
                  struct job_view *ret_view, struct err *err)
{
    struct job_view view = {.job = job, .full = full};
    const struct document_wanted wanted[] = {
        {"left_behind", &view.left_behind},
        {"conditions", &view.conditions},
        {"error", &view.error},
        {"waiting_for", &view.waiting_for},
        {"spec", &view.spec},
        {"result", &view.result}, /* these two when it is full */
    };

    if (tx_documents_get(tx, job->key, wanted, COUNT_OF(wanted) - (full ? 0 : 2), arena, err) < 0)
        return -1;
    if (full && tx_steps_of(tx, job->key, arena, &view.steps, &view.step_count, err) < 0)
        return -1;
    *ret_view = view;
    return 0;
}

/* A document, or what stands there when there is none. */
static void put_document(struct json_writer *w, const char *name, struct bytes document,
                         struct bytes otherwise)
{
    if (document.data && document.len > 0)
        json_put_raw(w, name, document);
    else if (otherwise.data)
        json_put_raw(w, name, otherwise);
}

static void put_waiting(struct json_writer *w, const struct job_view *view)
{
    const struct job *job = view->job;

    if (!job->waiting_reason)
        return;
    json_put_object(w, "waiting_for");
    json_put_text(w, "reason", job->waiting_reason);
    if (str_is(job->waiting_reason, "conflict") || str_is(job->waiting_reason, "children"))
        put_document(w, "job_ids", view->waiting_for, (struct bytes){0});
    json_put_time_opt(w, "until", job->waiting_until);
    json_put_object_end(w);
}

static void put_count(struct json_writer *w, const char *name, int64_t value)
{
    if (value < 0)
        json_put_null(w, name);
    else
        json_put_int(w, name, value);
}

static void put_progress(struct json_writer *w, const struct progress *progress)
{
    json_put_object(w, "progress");
    json_put_text(w, "phase", progress->phase);
    json_put_int(w, "done", progress->done);
    put_count(w, "total", progress->total);
    json_put_text(w, "unit", progress->unit && progress->unit[0] ? progress->unit : NULL);
    json_put_int(w, "bytes", progress->bytes);
    json_put_number(w, "items_per_second", progress->items_per_second);
    json_put_number(w, "bytes_per_second", progress->bytes_per_second);
    put_count(w, "eta_seconds", progress->eta_seconds);
    json_put_flag(w, "eta_is_guess", progress->eta_is_guess);
    json_put_time(w, "updated_at", progress->updated_at);
    json_put_object_end(w);
}

static void put_step_error(struct json_writer *w, const char *code)
{
    const struct err_info *info = err_info(err_code_by_name(code));

    json_put_object(w, "error");
    json_put_text(w, "code", code);
    json_put_text(w, "title", info->title);
    json_put_flag(w, "retryable", info->retryable);
    json_put_object_end(w);
}

static void put_steps(struct json_writer *w, const struct job_view *view)
{
    json_put_array(w, "steps");
    for (size_t i = 0; i < view->step_count; i++) {
        const struct step *step = view->steps[i];

        json_put_object(w, NULL);
        json_put_text(w, "name", step->name);
        json_put_text(w, "state", step_state_name(step->state));
        json_put_int(w, "attempts", step->attempts);
        json_put_time(w, "started_at", step->started_at);
        json_put_time(w, "finished_at", step->finished_at);
        json_put_text(w, "detail", step->detail);
        if (step->error_code)
            put_step_error(w, step->error_code);
        put_document(w, "errors", step->errors, (struct bytes){0});
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_times(struct json_writer *w, const struct job *job)
{
    json_put_text(w, "created_by", job->created_by);
    json_put_time(w, "created_at", job->created_at);
    json_put_time_opt(w, "started_at", job->started_at);
    json_put_time_opt(w, "finished_at", job->finished_at);
    json_put_time_opt(w, "cancel_requested_at", job->cancel_requested_at);
}

void job_view_write(struct json_writer *w, const char *name, const struct job_view *view)
{
    const struct job *job = view->job;

    json_put_object(w, name);
    json_put_id(w, "id", &job->id);
    json_put_text(w, "kind", job->kind);
    json_put_text(w, "environment", job->environment);
    json_put_text_opt(w, "resource", job->resource);
    if (view->full)
        put_document(w, "spec", view->spec, BYTES("{}"));
    json_put_text(w, "state", job_state_name(job->state));
    put_waiting(w, view);
    put_progress(w, &job->progress);
    if (view->full)
        put_steps(w, view);
    if (view->full)
        put_document(w, "result", view->result, (struct bytes){0});
    put_document(w, "error", view->error, (struct bytes){0});
    if (job->has_plan)
        json_put_hash(w, "plan_hash", &job->plan_hash);
    json_put_raw(w, "approvals", BYTES("[]"));
    json_put_id_opt(w, "parent_id", &job->parent_id);
    json_put_id_opt(w, "retry_of", &job->retry_of);
    put_document(w, "left_behind", view->left_behind, BYTES("[]"));
    put_times(w, job);
    json_put_int(w, "attempt", job->attempt);
    json_put_int(w, "priority", job->priority);
    json_put_text_opt(w, "note", job->note);
    put_document(w, "conditions", view->conditions, BYTES("[]"));
    json_put_int(w, "version", job->version);
    json_put_object_end(w);
}

int job_answer(struct tx *tx, const struct job *job, struct arena *arena, struct bytes *ret_body,
               struct err *err)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(DOCUMENT_MAX + SPEC_MAX);
    struct job_view view;
    struct json_writer w;

    if (job_view_read(tx, job, true, arena, &view, err) < 0)
        return -1;
    json_put_begin(&w, &out);
    job_view_write(&w, NULL, &view);
    if (buffer_ok(&out, "the job", err) < 0)
        return -1;
    *ret_body = arena_bytes(arena, buffer_bytes(&out));
    return ret_body->data ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for an answer");
}
