/* Reading a row of job: the columns and the order in which job_read takes them. Not for other rooms. */
#pragma once
#include "store/query.h"

#define JOB_COLUMNS                                                                                          \
    "j.key, j.id, j.origin_id, j.parent_id, j.retry_of, j.root_key, j.kind, j.spec_version, j.environment, " \
    "j.resource, j.state, j.priority, j.created_by, j.created_issuer, j.created_subject, j.created_from, "   \
    "j.plan_hash, j.note, j.created_at, j.started_at, j.finished_at, j.cancel_requested_at, j.attempt, "     \
    "j.version, j.waiting_reason, j.waiting_until, j.partial, j.error_code, j.event_seq, "                   \
    "p.phase, p.unit, coalesce(p.done, 0), coalesce(p.total, -1), coalesce(p.bytes, 0), "                    \
    "coalesce(p.items_per_second, 0.0), coalesce(p.bytes_per_second, 0.0), coalesce(p.eta_seconds, -1), "    \
    "coalesce(p.eta_is_guess, 0), coalesce(p.updated_at, 0)"
#define JOB_FROM "FROM job j LEFT JOIN job_progress p ON p.job_key = j.key "

/* A new job in the arena from the query's present row; NULL: NO_MEMORY. */
struct job *job_read(struct query *query, struct arena *arena, struct err *err);
