/* A retry begins where the job before it ended. */
#include "store/parts.h"

#include "store/query.h"

int tx_job_claim_retry(struct tx *tx, const struct id *id, struct err *err)
{
    static const char sql[] = "SELECT 1 FROM job WHERE (retry_of = ?1 OR origin_id = (SELECT o.origin_id "
                              "FROM job o WHERE o.id = ?1)) "
                              "AND id <> ?1 AND state NOT IN ('failed', 'cancelled', 'partial') LIMIT 1";
    int64_t one;
    int found = query_int(tx, sql, VALUES(v_id(id)), &one, err);

    if (found < 0)
        return -1;
    return found == 0
               ? 0
               : err_set(err, ERR_NOT_RETRYABLE, "the job is being tried again already, or was with success");
}

static int check(struct tx *tx, int64_t from_job_key, int64_t to_job_key, struct err *err)
{
    static const char state[] = "SELECT CASE WHEN state IN ('succeeded', 'partial', 'failed', 'cancelled') "
                                "THEN 1 ELSE 0 END FROM job WHERE key = ?1";
    static const char steps[] = "SELECT count(*) FROM step WHERE job_key = ?1";
    int64_t final = 0, count = 0;
    int found = query_int(tx, state, VALUES(v_int(from_job_key)), &final, err);

    if (found < 0 || query_int(tx, steps, VALUES(v_int(to_job_key)), &count, err) < 0)
        return -1;
    if (found == 0)
        return err_set(err, ERR_NOT_FOUND, "no such job");
    if (!final)
        return err_set(err, ERR_JOB_STATE, "the job to take over from has not ended");
    if (count != 0)
        return err_set(err, ERR_CONFLICT, "the job that takes over has steps of its own");
    return 0;
}

static int copy_steps(struct tx *tx, int64_t from, int64_t to, struct err *err)
{
    static const char sql[] =
        "INSERT INTO step (job_key, seq, name, state, open_parts, started_at, finished_at, detail) "
        "SELECT ?2, s.seq, s.name, CASE WHEN s.state = 'done' THEN 'done' ELSE 'waiting' END, "
        "(SELECT count(*) FROM part p WHERE p.step_key = s.key AND p.state <> 'done' AND s.state <> 'done'), "
        "CASE WHEN s.state = 'done' THEN s.started_at ELSE 0 END, "
        "CASE WHEN s.state = 'done' THEN s.finished_at ELSE 0 END, "
        "CASE WHEN s.state = 'done' THEN s.detail ELSE NULL END "
        "FROM step s WHERE s.job_key = ?1 ORDER BY s.seq";
    return query_run(tx, sql, VALUES(v_int(from), v_int(to)), err);
}

static int copy_parts(struct tx *tx, int64_t from, int64_t to, struct err *err)
{
    static const char sql[] =
        "INSERT INTO part (job_key, step_key, seq, name, spec, cursor, cursor_version, state, lease_epoch, "
        "items, "
        "bytes, files) "
        "SELECT ?2, n.key, p.seq, p.name, p.spec, p.cursor, p.cursor_version, "
        "CASE WHEN p.state = 'done' OR s.state = 'done' THEN p.state ELSE 'waiting' END, p.lease_epoch + 1, "
        "p.items, p.bytes, p.files "
        "FROM step s JOIN step n ON n.job_key = ?2 AND n.seq = s.seq JOIN part p ON p.step_key = s.key "
        "WHERE s.job_key = ?1 ORDER BY s.seq, p.seq";
    return query_run(tx, sql, VALUES(v_int(from), v_int(to)), err);
}

/* A file belongs to the part that has the number of its old one in the step that has the number of the old
 * step. */
static int copy_files(struct tx *tx, int64_t from, int64_t to, struct err *err)
{
    static const char sql[] =
        "INSERT INTO data_file (job_key, path, stored_size, raw_size, items, sha256, fingerprint, part_key) "
        "SELECT ?2, f.path, f.stored_size, f.raw_size, f.items, f.sha256, f.fingerprint, coalesce(np.key, 0) "
        "FROM data_file f LEFT JOIN part p ON p.key = f.part_key LEFT JOIN step s ON s.key = p.step_key "
        "LEFT JOIN step ns ON ns.job_key = ?2 AND ns.seq = s.seq "
        "LEFT JOIN part np ON np.step_key = ns.key AND np.seq = p.seq WHERE f.job_key = ?1";
    return query_run(tx, sql, VALUES(v_int(from), v_int(to)), err);
}

int tx_job_take_over(struct tx *tx, int64_t from_job_key, int64_t to_job_key, struct err *err)
{
    if (check(tx, from_job_key, to_job_key, err) < 0 || copy_steps(tx, from_job_key, to_job_key, err) < 0 ||
        copy_parts(tx, from_job_key, to_job_key, err) < 0)
        return -1;
    return copy_files(tx, from_job_key, to_job_key, err);
}
