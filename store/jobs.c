#include "store/jobs.h"

#include "store/job_row.h"

#define NO_JOB ERR_NOT_FOUND, "job"

int tx_job_insert(struct tx *tx, struct job *job, struct err *err)
{
    static const char sql[] = "INSERT INTO job (id, origin_id, parent_id, retry_of, root_key, kind, "
                              "spec_version, environment, resource, "
                              "state, priority, created_by, created_issuer, created_subject, created_from, "
                              "plan_hash, note, created_at, "
                              "version, waiting_reason, waiting_until) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
                              "?16, ?17, ?18, ?19, ?20, ?21) "
                              "RETURNING key";
    static const char own_root[] = "UPDATE job SET root_key = key WHERE key = ?1";
    const struct id *origin = id_is_zero(&job->origin_id) ? &job->id : &job->origin_id;
    int64_t version = job->version > 0 ? job->version : 1;

    if (query_int(tx, sql,
                  VALUES(v_id(&job->id), v_id(origin), v_id(&job->parent_id), v_id(&job->retry_of),
                         v_int(job->root_key), v_text(job->kind), v_int(job->spec_version),
                         v_text(job->environment), v_text(job->resource), v_text(job_state_name(job->state)),
                         v_int(job->priority), v_text(job->created_by), v_text(job->created_issuer),
                         v_text(job->created_subject), v_text(job->created_from),
                         v_hash_if(job->has_plan, &job->plan_hash), v_text(job->note), v_int(job->created_at),
                         v_int(version), v_text(job->waiting_reason), v_int(job->waiting_until)),
                  &job->key, err) < 0)
        return -1;
    job->origin_id = *origin;
    job->version = version;
    if (job->root_key != 0)
        return 0;
    if (query_run(tx, own_root, VALUES(v_int(job->key)), err) < 0)
        return -1;
    job->root_key = job->key;
    return 0;
}

static int get(struct tx *tx, const char *sql, struct value by, struct arena *arena, struct job **ret_job,
               struct err *err)
{
    _query_ struct query query = QUERY_NONE;
    struct job *job;
    int more;

    if (query_open(&query, tx, sql, &by, 1, err) < 0 || (more = query_next(&query, err)) < 0)
        return -1;
    if (more == 0)
        return err_set(err, ERR_NOT_FOUND, "no such job");
    job = job_read(&query, arena, err);
    if (!job)
        return -1;
    *ret_job = job;
    return 0;
}

int tx_job_by_id(struct tx *tx, const struct id *id, struct arena *arena, struct job **ret_job,
                 struct err *err)
{
    static const char sql[] = "SELECT " JOB_COLUMNS " " JOB_FROM "WHERE j.id = ?1";
    return get(tx, sql, v_id(id), arena, ret_job, err);
}

int tx_job_by_key(struct tx *tx, int64_t key, struct arena *arena, struct job **ret_job, struct err *err)
{
    static const char sql[] = "SELECT " JOB_COLUMNS " " JOB_FROM "WHERE j.key = ?1";
    return get(tx, sql, v_int(key), arena, ret_job, err);
}

/* Why a guarded move found no row. */
static int wrong_state(struct tx *tx, int64_t key, enum job_state from, enum job_state to, struct err *err)
{
    static const char sql[] = "SELECT 1 FROM job WHERE key = ?1";
    int64_t one;
    int found = query_int(tx, sql, VALUES(v_int(key)), &one, err);

    if (found < 0)
        return -1;
    if (found == 0)
        return err_set(err, ERR_NOT_FOUND, "no such job");
    return err_set(err, ERR_JOB_STATE, "the job cannot go from %s to %s: it is not %s", job_state_name(from),
                   job_state_name(to), job_state_name(from));
}

int tx_job_move(struct tx *tx, int64_t key, enum job_state from, enum job_state to, int64_t now,
                struct err *err)
{
    static const char sql[] =
        "UPDATE job SET state = ?3, version = version + 1, waiting_reason = NULL, waiting_until = 0, "
        "started_at = CASE WHEN ?4 = 1 AND started_at = 0 THEN ?6 ELSE started_at END, "
        "finished_at = CASE WHEN ?5 = 1 THEN ?6 ELSE finished_at END "
        "WHERE key = ?1 AND state = ?2";

    if (!job_move_allowed(from, to))
        return err_set(err, ERR_JOB_STATE, "a job cannot go from %s to %s", job_state_name(from),
                       job_state_name(to));
    if (query_run(tx, sql,
                  VALUES(v_int(key), v_text(job_state_name(from)), v_text(job_state_name(to)),
                         v_int(to == JOB_RUNNING), v_int(job_state_final(to)), v_int(now)),
                  err) < 0)
        return -1;
    return tx->store->ops->changes(tx) == 0 ? wrong_state(tx, key, from, to, err) : 0;
}

int tx_job_request_cancel(struct tx *tx, int64_t key, int64_t now, struct err *err)
{
    static const char sql[] =
        "UPDATE job SET cancel_requested_at = "
        "CASE WHEN cancel_requested_at = 0 THEN ?2 ELSE cancel_requested_at END WHERE key = ?1";
    return query_update(tx, sql, VALUES(v_int(key), v_int(now)), NO_JOB, err);
}

int tx_job_set_partial(struct tx *tx, int64_t key, struct err *err)
{
    static const char sql[] = "UPDATE job SET partial = 1 WHERE key = ?1";
    return query_update(tx, sql, VALUES(v_int(key)), NO_JOB, err);
}

int tx_job_set_error_code(struct tx *tx, int64_t key, const char *code, struct err *err)
{
    static const char sql[] = "UPDATE job SET error_code = coalesce(error_code, ?2) WHERE key = ?1";
    return query_update(tx, sql, VALUES(v_int(key), v_text(code)), NO_JOB, err);
}

int tx_job_set_waiting(struct tx *tx, int64_t key, const char *reason, int64_t until, struct err *err)
{
    static const char sql[] = "UPDATE job SET waiting_reason = ?2, waiting_until = ?3 WHERE key = ?1";
    return query_update(tx, sql, VALUES(v_int(key), v_text(reason), v_int(reason ? until : 0)), NO_JOB, err);
}

int tx_job_set_progress(struct tx *tx, int64_t key, const struct progress *progress, struct err *err)
{
    static const char sql[] =
        "INSERT INTO job_progress (job_key, phase, unit, done, total, bytes, items_per_second, "
        "bytes_per_second, "
        "eta_seconds, eta_is_guess, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
        "ON CONFLICT (job_key) DO UPDATE SET phase = excluded.phase, unit = excluded.unit, done = "
        "excluded.done, "
        "total = excluded.total, bytes = excluded.bytes, items_per_second = excluded.items_per_second, "
        "bytes_per_second = excluded.bytes_per_second, eta_seconds = excluded.eta_seconds, "
        "eta_is_guess = excluded.eta_is_guess, updated_at = excluded.updated_at";

    return query_run(tx, sql,
                     VALUES(v_int(key), v_text(progress->phase), v_text(progress->unit),
                            v_int(progress->done), v_int(progress->total), v_int(progress->bytes),
                            v_real(progress->items_per_second), v_real(progress->bytes_per_second),
                            v_int(progress->eta_seconds), v_int(progress->eta_is_guess),
                            v_int(progress->updated_at)),
                     err);
}

int tx_job_count_attempt(struct tx *tx, int64_t key, struct err *err)
{
    static const char sql[] = "UPDATE job SET attempt = attempt + 1 WHERE key = ?1";
    return query_update(tx, sql, VALUES(v_int(key)), NO_JOB, err);
}

int tx_job_bump_version(struct tx *tx, int64_t key, struct err *err)
{
    static const char sql[] = "UPDATE job SET version = version + 1 WHERE key = ?1";
    return query_update(tx, sql, VALUES(v_int(key)), NO_JOB, err);
}
