#include "store/jobs.h"

#include "store/states.h"

#define NO_STEP ERR_NOT_FOUND, "step"
#define STEP_COLUMNS                                                                                         \
    "key, job_key, seq, name, state, attempts, open_parts, started_at, finished_at, detail, errors, "        \
    "error_code "

int tx_step_insert(struct tx *tx, struct step *step, struct err *err)
{
    static const char sql[] =
        "INSERT INTO step (job_key, seq, name, state) VALUES (?1, ?2, ?3, ?4) RETURNING key";

    return query_int(tx, sql,
                     VALUES(v_int(step->job_key), v_int(step->seq), v_text(step->name),
                            v_text(step_state_name(step->state))),
                     &step->key, err) < 0
               ? -1
               : 0;
}

static struct step *read_step(struct query *query, struct arena *arena, struct err *err)
{
    struct step *step = arena_make(arena, struct step);

    if (!step) {
        no_memory(err);
        return NULL;
    }
    step->key = q_int(query);
    step->job_key = q_int(query);
    step->seq = (int)q_int(query);
    step->name = q_text(query, arena);
    step->state = q_step_state(query);
    step->attempts = (int)q_int(query);
    step->open_parts = q_int(query);
    step->started_at = q_int(query);
    step->finished_at = q_int(query);
    step->detail = q_text(query, arena);
    step->errors = q_bytes(query, arena);
    step->error_code = q_text(query, arena);
    return query_ok(query, err) < 0 ? NULL : step;
}

int tx_steps_of(struct tx *tx, int64_t job_key, struct arena *arena, struct step ***ret_steps,
                size_t *ret_count, struct err *err)
{
    static const char sql[] = "SELECT " STEP_COLUMNS "FROM step WHERE job_key = ?1 ORDER BY seq";
    _query_ struct query query = QUERY_NONE;
    struct array steps = ARRAY_OF(arena, struct step *);
    int more;

    if (query_open(&query, tx, sql, VALUES(v_int(job_key)), err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0) {
        struct step **slot = array_add(&steps, err);

        if (!slot || !(*slot = read_step(&query, arena, err)))
            return -1;
    }
    if (more < 0)
        return -1;
    *ret_steps = (struct step **)(void *)steps.data;
    *ret_count = steps.count;
    return 0;
}

int tx_step_get(struct tx *tx, int64_t step_key, struct arena *arena, struct step **ret_step, struct err *err)
{
    static const char sql[] = "SELECT " STEP_COLUMNS "FROM step WHERE key = ?1";
    _query_ struct query query = QUERY_NONE;
    struct step *step;
    int more;

    if (query_open(&query, tx, sql, VALUES(v_int(step_key)), err) < 0 || (more = query_next(&query, err)) < 0)
        return -1;
    if (more == 0)
        return err_set(err, ERR_NOT_FOUND, "no such step");
    step = read_step(&query, arena, err);
    if (!step)
        return -1;
    *ret_step = step;
    return 0;
}

int tx_step_set_state(struct tx *tx, int64_t step_key, enum step_state state, int64_t now, struct err *err)
{
    static const char sql[] = "UPDATE step SET state = ?2, "
                              "started_at = CASE WHEN ?3 = 1 AND started_at = 0 THEN ?5 ELSE started_at END, "
                              "finished_at = CASE WHEN ?4 = 1 THEN ?5 ELSE 0 END WHERE key = ?1";
    bool ended = state != STEP_WAITING && state != STEP_RUNNING;

    return query_update(tx, sql,
                        VALUES(v_int(step_key), v_text(step_state_name(state)), v_int(state == STEP_RUNNING),
                               v_int(ended), v_int(now)),
                        NO_STEP, err);
}

int tx_step_renew(struct tx *tx, int64_t step_key, struct err *err)
{
    static const char parts[] = "DELETE FROM part WHERE step_key = ?1";
    static const char sql[] =
        "UPDATE step SET state = 'waiting', open_parts = 0, attempts = 0, started_at = 0, "
        "finished_at = 0, detail = NULL, errors = NULL, error_code = NULL WHERE key = ?1";

    if (query_run(tx, parts, VALUES(v_int(step_key)), err) < 0)
        return -1;
    return query_update(tx, sql, VALUES(v_int(step_key)), NO_STEP, err);
}

int tx_step_set_detail(struct tx *tx, int64_t step_key, const char *detail, struct err *err)
{
    static const char sql[] = "UPDATE step SET detail = ?2 WHERE key = ?1";
    return query_update(tx, sql, VALUES(v_int(step_key), v_text(detail)), NO_STEP, err);
}

int tx_step_set_errors(struct tx *tx, int64_t step_key, struct bytes errors, const char *error_code,
                       struct err *err)
{
    static const char sql[] = "UPDATE step SET errors = ?2, error_code = ?3 WHERE key = ?1";
    return query_update(tx, sql, VALUES(v_int(step_key), v_bytes(errors), v_text(error_code)), NO_STEP, err);
}
