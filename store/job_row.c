#include "store/job_row.h"

#include "store/states.h"

static void read_progress(struct query *query, struct arena *arena, struct progress *progress)
{
    progress->phase = q_text(query, arena);
    progress->unit = q_text(query, arena);
    progress->done = q_int(query);
    progress->total = q_int(query);
    progress->bytes = q_int(query);
    progress->items_per_second = q_real(query);
    progress->bytes_per_second = q_real(query);
    progress->eta_seconds = q_int(query);
    progress->eta_is_guess = q_bool(query);
    progress->updated_at = q_int(query);
}

static void read_origin(struct query *query, struct arena *arena, struct job *job)
{
    job->key = q_int(query);
    job->id = q_id(query);
    job->origin_id = q_id(query);
    job->parent_id = q_id(query);
    job->retry_of = q_id(query);
    job->root_key = q_int(query);
    job->kind = q_text(query, arena);
    job->spec_version = (int)q_int(query);
    job->environment = q_text(query, arena);
    job->resource = q_text(query, arena);
    job->state = q_job_state(query);
    job->priority = (int)q_int(query);
    job->created_by = q_text(query, arena);
    job->created_issuer = q_text(query, arena);
    job->created_subject = q_text(query, arena);
    job->created_from = q_text(query, arena);
    job->has_plan = q_hash(query, &job->plan_hash);
    job->note = q_text(query, arena);
    job->created_at = q_int(query);
}

struct job *job_read(struct query *query, struct arena *arena, struct err *err)
{
    struct job *job = arena_make(arena, struct job);

    if (!job) {
        no_memory(err);
        return NULL;
    }
    read_origin(query, arena, job);
    job->started_at = q_int(query);
    job->finished_at = q_int(query);
    job->cancel_requested_at = q_int(query);
    job->attempt = (int)q_int(query);
    job->version = q_int(query);
    job->waiting_reason = q_text(query, arena);
    job->waiting_until = q_int(query);
    job->partial = q_bool(query);
    job->error_code = q_text(query, arena);
    job->event_seq = q_int(query);
    read_progress(query, arena, &job->progress);
    return query_ok(query, err) < 0 ? NULL : job;
}
