#include "store/touches.h"

#include "base/limits.h"
#include "store/query.h"

int tx_touches_want(struct tx *tx, int64_t root_key, const struct touch *touches, size_t count,
                    struct err *err)
{
    /* who both reads and writes a resource writes it; one that was granted for reading is to be granted anew
     */
    static const char sql[] =
        "INSERT INTO touch (resource, root_key, writes) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (resource, root_key) DO UPDATE SET "
        "granted = CASE WHEN excluded.writes > touch.writes THEN 0 ELSE touch.granted END, "
        "writes = CASE WHEN excluded.writes > touch.writes THEN excluded.writes ELSE touch.writes END";

    for (size_t i = 0; i < count; i++)
        if (query_run(tx, sql, VALUES(v_text(touches[i].resource), v_int(root_key), v_int(touches[i].write)),
                      err) < 0)
            return -1;
    return 0;
}

/* Roots whose touches forbid this one's: what is granted does, and what an older root waits for does. A root
 * that awaits approval holds nothing back. Who writes meets all others, who reads only those who write. */
static int find_blockers(struct tx *tx, int64_t root_key, struct arena *arena, struct array *ids,
                         struct err *err)
{
#define FORBIDDEN(whose)                                                                                     \
    "SELECT j.id FROM touch mine JOIN touch other ON other.resource = mine.resource "                        \
    "AND other.root_key <> mine.root_key JOIN job j ON j.key = other.root_key "                              \
    "WHERE mine.root_key = ?1 AND " whose " = 1 AND (other.granted = 1 "                                     \
    "OR (other.root_key < mine.root_key AND j.state IN ('queued', 'running'))) "
    static const char sql[] =
        FORBIDDEN("mine.writes") "UNION " FORBIDDEN("other.writes") "ORDER BY 1 LIMIT ?2";
#undef FORBIDDEN
    _query_ struct query query = QUERY_NONE;
    int more;

    *ids = ARRAY_OF(arena, struct id);
    if (query_open(&query, tx, sql, VALUES(v_int(root_key), v_int(TOUCH_BLOCKERS_MAX)), err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0) {
        struct id *id = array_add(ids, err);

        if (!id)
            return -1;
        *id = q_id(&query);
    }
    return more;
}

int tx_touches_grant(struct tx *tx, int64_t root_key, bool *ret_granted, struct arena *arena,
                     struct id **ret_blockers, size_t *ret_blocker_count, struct err *err)
{
    static const char sql[] = "UPDATE touch SET granted = 1 WHERE root_key = ?1 AND granted = 0";
    struct array ids;

    if (find_blockers(tx, root_key, arena, &ids, err) < 0)
        return -1;
    if (ids.count == 0 && query_run(tx, sql, VALUES(v_int(root_key)), err) < 0)
        return -1;
    *ret_granted = ids.count == 0;
    *ret_blockers = (struct id *)(void *)ids.data;
    *ret_blocker_count = ids.count;
    return 0;
}

int tx_touches_free(struct tx *tx, int64_t root_key, struct err *err)
{
    static const char sql[] = "DELETE FROM touch WHERE root_key = ?1";
    return query_run(tx, sql, VALUES(v_int(root_key)), err);
}
