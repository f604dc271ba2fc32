#include "store/jobs.h"

#include "store/states.h"

int tx_jobs_count(struct tx *tx, struct arena *arena, struct job_count **ret_counts, size_t *ret_count,
                  struct err *err)
{
    static const char sql[] =
        "SELECT kind, environment, state, count(*), coalesce(min(started_at), 0), min(created_at) FROM job "
        "WHERE state IN ('awaiting_approval', 'queued', 'running') GROUP BY state, kind, environment";
    _query_ struct query query = QUERY_NONE;
    struct array counts = ARRAY_OF(arena, struct job_count);
    int more;

    if (query_open(&query, tx, sql, NO_VALUES, err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0) {
        struct job_count *count = array_add(&counts, err);

        if (!count)
            return -1;
        count->kind = q_text(&query, arena);
        count->environment = q_text(&query, arena);
        count->state = q_job_state(&query);
        count->count = q_int(&query);
        count->oldest_start = q_int(&query);
        count->oldest_created = q_int(&query);
    }
    if (more < 0)
        return -1;
    *ret_counts = (struct job_count *)(void *)counts.data;
    *ret_count = counts.count;
    return 0;
}

int tx_jobs_history(struct tx *tx, const char *kind, const char *environment, const char *resource,
                    struct job_history ret_rows[JOB_HISTORY_MAX], size_t *ret_count, struct err *err)
{
    static const char sql[] =
        "SELECT j.finished_at - j.started_at, coalesce(p.done, 0), coalesce(p.bytes, 0) "
        "FROM job j LEFT JOIN job_progress p ON p.job_key = j.key WHERE j.state = 'succeeded' AND j.kind = "
        "?1 "
        "AND j.environment = ?2 AND j.resource = ?3 ORDER BY j.key DESC LIMIT ?4";
    _query_ struct query query = QUERY_NONE;
    size_t count = 0;
    int more;

    if (query_open(&query, tx, sql,
                   VALUES(v_text(kind), v_text(environment), v_text(resource), v_int(JOB_HISTORY_MAX)),
                   err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0 && count < JOB_HISTORY_MAX) {
        ret_rows[count].duration_ms = q_int(&query);
        ret_rows[count].items = q_int(&query);
        ret_rows[count++].bytes = q_int(&query);
    }
    if (more < 0)
        return -1;
    *ret_count = count;
    return 0;
}
