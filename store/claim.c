/* Who gets which part. */
#include "store/parts.h"

#include "store/part_row.h"

int tx_process_begin(struct tx *tx, const char *node, int64_t now, int64_t *ret_owner, struct err *err)
{
    static const char sql[] = "INSERT INTO process (node, started_at) VALUES (?1, ?2) RETURNING key";
    static const char leases[] = "UPDATE part SET state = 'ready', lease_owner = 0, lease_until = 0, "
                                 "lease_epoch = lease_epoch + 1, crashes = crashes + 1, not_before = 0 "
                                 "WHERE state = 'running'";
    /* the boot clock of a former run may be another boot's: what it was to wait for cannot be told any more
     */
    static const char waits[] = "UPDATE part SET not_before = 0 WHERE state = 'ready' AND not_before <> 0";
    static const char later[] = "UPDATE part SET not_before = 0 WHERE state = 'waiting' AND not_before <> 0";
    static const char counts[] =
        "UPDATE job SET running_parts = 0 WHERE state = 'running' AND running_parts <> 0";
    int64_t owner;

    if (query_int(tx, sql, VALUES(v_text(node), v_int(now)), &owner, err) < 0 ||
        query_run(tx, leases, NO_VALUES, err) < 0 || query_run(tx, waits, NO_VALUES, err) < 0 ||
        query_run(tx, later, NO_VALUES, err) < 0 || query_run(tx, counts, NO_VALUES, err) < 0)
        return -1;
    *ret_owner = owner;
    return 0;
}

/* The counts first: they are of what the second statement is about to change. */
int tx_leases_expire(struct tx *tx, int64_t now_boot_ms, int64_t *ret_count, struct err *err)
{
    static const char counts[] =
        "UPDATE job SET running_parts = running_parts - (SELECT count(*) FROM part p WHERE p.job_key = "
        "job.key "
        "AND p.state = 'running' AND p.lease_until <= ?1) "
        "WHERE key IN (SELECT p.job_key FROM part p WHERE p.state = 'running' AND p.lease_until <= ?1)";
    static const char leases[] = "UPDATE part SET state = 'ready', lease_owner = 0, lease_until = 0, "
                                 "lease_epoch = lease_epoch + 1, crashes = crashes + 1, not_before = 0 "
                                 "WHERE state = 'running' AND lease_until <= ?1";

    if (query_run(tx, counts, VALUES(v_int(now_boot_ms)), err) < 0 ||
        query_run(tx, leases, VALUES(v_int(now_boot_ms)), err) < 0)
        return -1;
    *ret_count = tx->store->ops->changes(tx);
    return 0;
}

static int next_job(struct tx *tx, int64_t now_boot_ms, int64_t *ret_job_key, struct err *err)
{
    static const char sql[] = "SELECT j.key FROM job j WHERE j.state = 'running' AND EXISTS "
                              "(SELECT 1 FROM part p WHERE p.job_key = j.key AND p.state = 'ready' "
                              "AND p.not_before <= ?1) "
                              "ORDER BY j.priority DESC, j.running_parts, j.key LIMIT 1";
    return query_int(tx, sql, VALUES(v_int(now_boot_ms)), ret_job_key, err);
}

static int next_wait(struct tx *tx, int64_t now_boot_ms, int64_t *ret_next_ms, struct err *err)
{
    /* CROSS JOIN: SQLite then walks the parts in the order of the index and stops at the first */
    static const char sql[] = "SELECT p.not_before FROM part p CROSS JOIN job j "
                              "WHERE p.state = 'ready' AND p.not_before > ?1 AND j.key = p.job_key "
                              "AND j.state = 'running' ORDER BY p.not_before LIMIT 1";
    return query_int(tx, sql, VALUES(v_int(now_boot_ms)), ret_next_ms, err);
}

/* The outer state = 'ready' is what keeps two claims from getting one part where claims run at the same time
 * (REFERENCE.md section 4.4); the + keeps SQLite on the index by key, where the first due one is near. */
static int take_first(struct tx *tx, int64_t job_key, int64_t owner, int64_t now_boot_ms,
                      int64_t until_boot_ms, struct arena *arena, struct part **ret_part, struct err *err)
{
    static const char sql[] =
        "UPDATE part SET state = 'running', lease_owner = ?2, lease_until = ?4, lease_epoch = lease_epoch + "
        "1 "
        "WHERE key = (SELECT p.key FROM part p WHERE p.job_key = ?1 AND p.state = 'ready' "
        "AND +p.not_before <= ?3 ORDER BY p.key LIMIT 1) AND state = 'ready' RETURNING " PART_COLUMNS;
    _query_ struct query query = QUERY_NONE;
    struct part *part;
    int more;

    if (query_open(&query, tx, sql,
                   VALUES(v_int(job_key), v_int(owner), v_int(now_boot_ms), v_int(until_boot_ms)), err) < 0 ||
        (more = query_next(&query, err)) < 0)
        return -1;
    if (more == 0)
        return 0;
    part = part_read(&query, arena, err);
    if (!part || query_next(&query, err) < 0)
        return -1;
    part->lease_until = until_boot_ms;
    *ret_part = part;
    return 1;
}

static int count_claim(struct tx *tx, const struct part *part, struct err *err)
{
    static const char job[] = "UPDATE job SET running_parts = running_parts + 1 WHERE key = ?1";
    static const char step[] = "UPDATE step SET attempts = attempts + 1 WHERE key = ?1";

    if (query_run(tx, job, VALUES(v_int(part->job_key)), err) < 0)
        return -1;
    return query_run(tx, step, VALUES(v_int(part->step_key)), err);
}

int tx_part_claim(struct tx *tx, int64_t owner, int64_t now_boot_ms, int64_t until_boot_ms,
                  struct arena *arena, struct part **ret_part, int64_t *ret_next_ms, struct err *err)
{
    struct part *part = NULL;
    int64_t job_key, next_ms = 0;
    int found = next_job(tx, now_boot_ms, &job_key, err);

    if (found > 0)
        found = take_first(tx, job_key, owner, now_boot_ms, until_boot_ms, arena, &part, err);
    if (found == 0)
        found = next_wait(tx, now_boot_ms, &next_ms, err);
    if (found < 0 || (part && count_claim(tx, part, err) < 0))
        return -1;
    *ret_part = part;
    *ret_next_ms = next_ms;
    return 0;
}
