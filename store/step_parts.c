/* What the parts of a step are together, and whether a job is being tried again already. */
#include "store/parts.h"
#include "store/part_row.h"
#include "store/query.h"
#include "store/states.h"

int tx_step_count_parts(struct tx *tx, int64_t step_key, enum part_state state, int64_t *ret_count,
                        struct err *err)
{
    static const char sql[] = "SELECT count(*) FROM part WHERE step_key = ?1 AND state = ?2";

    return query_int(tx, sql, VALUES(v_int(step_key), v_text(part_state_name(state))), ret_count, err) < 0
               ? -1
               : 0;
}

int tx_step_sums(struct tx *tx, int64_t step_key, int64_t *ret_items, int64_t *ret_bytes, struct err *err)
{
    static const char sql[] =
        "SELECT coalesce(sum(items), 0), coalesce(sum(bytes), 0) FROM part WHERE step_key = ?1";
    _query_ struct query query = QUERY_NONE;

    *ret_items = *ret_bytes = 0;
    if (query_open(&query, tx, sql, VALUES(v_int(step_key)), err) < 0 || query_next(&query, err) < 0)
        return -1;
    *ret_items = q_int(&query);
    *ret_bytes = q_int(&query);
    return 0;
}

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
