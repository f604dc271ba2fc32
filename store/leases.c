/* What the holder of a part may do. The fence stands in each statement: part, owner, epoch and running. */
#include "store/parts.h"

#include "base/limits.h"
#include "store/part_row.h"

#define FENCE "WHERE key = ?1 AND lease_owner = ?2 AND lease_epoch = ?3 AND state = 'running' "
#define LEASE v_int(lease->part_key), v_int(lease->owner), v_int(lease->epoch)

static int lost(struct err *err)
{
    return err_set(err, ERR_LEASE_LOST, "the lease of the part is not held any more");
}

int tx_part_heartbeat(struct tx *tx, const struct lease *lease, int64_t until_boot_ms, bool *ret_cancelled,
                      struct err *err)
{
    static const char sql[] =
        "UPDATE part SET lease_until = CASE WHEN lease_until > ?4 THEN lease_until ELSE ?4 END " FENCE
        "RETURNING (SELECT j.cancel_requested_at FROM job j WHERE j.key = part.job_key)";
    int64_t cancel_requested_at;
    int held = query_int(tx, sql, VALUES(LEASE, v_int(until_boot_ms)), &cancel_requested_at, err);

    if (held <= 0)
        return held < 0 ? -1 : lost(err);
    *ret_cancelled = cancel_requested_at != 0;
    return 0;
}

int tx_part_check(struct tx *tx, const struct lease *lease, struct err *err)
{
    static const char sql[] = "SELECT 1 FROM part " FENCE;
    int64_t one;
    int held = query_int(tx, sql, VALUES(LEASE), &one, err);

    if (held <= 0)
        return held < 0 ? -1 : lost(err);
    return 0;
}

int tx_part_advance(struct tx *tx, const struct lease *lease, struct bytes cursor, int64_t items,
                    int64_t bytes, int64_t files, struct err *err)
{
    static const char sql[] = "UPDATE part SET cursor = ?4, items = items + ?5, bytes = bytes + ?6, "
                              "files = files + ?7, crashes = 0, attempts = 0 " FENCE;

    if (cursor.len > PART_CURSOR_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "a cursor of %zu bytes, the limit is %lld", cursor.len,
                       PART_CURSOR_MAX);
    if (query_run(tx, sql, VALUES(LEASE, v_bytes(cursor), v_int(items), v_int(bytes), v_int(files)), err) < 0)
        return -1;
    return tx->store->ops->changes(tx) == 0 ? lost(err) : 0;
}

static int uncount_running(struct tx *tx, int64_t job_key, struct err *err)
{
    static const char sql[] = "UPDATE job SET running_parts = running_parts - 1 WHERE key = ?1";
    return query_run(tx, sql, VALUES(v_int(job_key)), err);
}

int tx_part_release(struct tx *tx, const struct lease *lease, int64_t not_before, bool failed,
                    struct err *err)
{
    static const char sql[] =
        "UPDATE part SET state = 'ready', lease_owner = 0, lease_until = 0, not_before = ?4, "
        "attempts = attempts + ?5 " FENCE "RETURNING job_key";
    int64_t job_key;
    int held = query_int(tx, sql, VALUES(LEASE, v_int(not_before), v_int(failed)), &job_key, err);

    if (held <= 0)
        return held < 0 ? -1 : lost(err);
    return uncount_running(tx, job_key, err);
}

int tx_part_end(struct tx *tx, const struct lease *lease, enum part_state state, int64_t *ret_open,
                struct err *err)
{
    static const char sql[] =
        "UPDATE part SET state = ?4, lease_owner = 0, lease_until = 0 " FENCE "RETURNING job_key";
    static const char count[] =
        "UPDATE step SET open_parts = open_parts - 1 "
        "WHERE key = (SELECT p.step_key FROM part p WHERE p.key = ?1) RETURNING open_parts";
    int64_t job_key, open_parts;
    int held;

    if (part_state_open(state))
        return err_set(err, ERR_INTERNAL, "a part does not end as %s", part_state_name(state));
    held = query_int(tx, sql, VALUES(LEASE, v_text(part_state_name(state))), &job_key, err);
    if (held <= 0)
        return held < 0 ? -1 : lost(err);
    if (uncount_running(tx, job_key, err) < 0 ||
        query_int(tx, count, VALUES(v_int(lease->part_key)), &open_parts, err) < 0)
        return -1;
    *ret_open = open_parts;
    return 0;
}
