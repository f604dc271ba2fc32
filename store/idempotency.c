#include "store/plans.h"

#include "base/clock.h"
#include "base/limits.h"
#include "store/query.h"

/* Past its time, and its job, if there is one, has ended. */
#define EXPIRED                                                                                              \
    "expires_at <= ?1 AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = idempotency.job_id "                  \
    "AND j.state IN ('awaiting_approval', 'queued', 'running'))"

static int find(struct tx *tx, const struct hash *scope, int64_t now, struct arena *arena,
                struct idempotency_row **ret_row, struct err *err)
{
    static const char sql[] = "SELECT scope, body, job_id, status, location, answer, created_at, expires_at "
                              "FROM idempotency WHERE scope = ?2 AND NOT (" EXPIRED ")";
    _query_ struct query query = QUERY_NONE;
    struct idempotency_row *row = NULL;
    int more;

    if (query_open(&query, tx, sql, VALUES(v_int(now), v_hash(scope)), err) < 0 ||
        (more = query_next(&query, err)) < 0)
        return -1;
    if (more > 0 && !(row = arena_make(arena, struct idempotency_row)))
        return no_memory(err);
    if (row) {
        q_hash(&query, &row->scope);
        q_hash(&query, &row->body);
        row->job = q_id(&query);
        row->status = (int)q_int(&query);
        row->location = q_text(&query, arena);
        row->answer = q_bytes(&query, arena);
        row->created_at = q_int(&query);
        row->expires_at = q_int(&query);
    }
    if (query_ok(&query, err) < 0)
        return -1;
    *ret_row = row;
    return 0;
}

int tx_idempotency_get(struct tx *tx, const struct hash *scope, struct arena *arena,
                       struct idempotency_row **ret_row, struct err *err)
{
    return find(tx, scope, clock_wall_ms(), arena, ret_row, err);
}

int tx_idempotency_claim(struct tx *tx, const struct hash *scope, const struct hash *body, int64_t now,
                         struct arena *arena, struct idempotency_row **ret_row, struct err *err)
{
    /* an expired one is written over, and then nothing of its answer may remain */
    static const char sql[] =
        "INSERT INTO idempotency (scope, body, status, created_at, expires_at) VALUES (?1, ?2, 0, ?3, ?4) "
        "ON CONFLICT (scope) DO UPDATE SET body = excluded.body, job_id = NULL, status = 0, location = NULL, "
        "answer = NULL, created_at = excluded.created_at, expires_at = excluded.expires_at";

    if (find(tx, scope, now, arena, ret_row, err) < 0)
        return -1;
    if (*ret_row)
        return 0;
    return query_run(tx, sql,
                     VALUES(v_hash(scope), v_hash(body), v_int(now), v_int(now + IDEMPOTENCY_KEPT_MS)), err);
}

int tx_idempotency_store(struct tx *tx, const struct idempotency_row *row, struct err *err)
{
    static const char sql[] =
        "INSERT INTO idempotency (scope, body, job_id, status, location, answer, created_at, expires_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (scope) DO UPDATE SET body = excluded.body, "
        "job_id = excluded.job_id, status = excluded.status, location = excluded.location, "
        "answer = excluded.answer, created_at = excluded.created_at, expires_at = excluded.expires_at";
    int64_t expires_at = row->expires_at != 0 ? row->expires_at : row->created_at + IDEMPOTENCY_KEPT_MS;

    return query_run(tx, sql,
                     VALUES(v_hash(&row->scope), v_hash(&row->body), v_id(&row->job), v_int(row->status),
                            v_text(row->location), v_bytes(row->answer), v_int(row->created_at),
                            v_int(expires_at)),
                     err);
}

int tx_idempotency_expire(struct tx *tx, int64_t now, struct err *err)
{
    static const char sql[] = "DELETE FROM idempotency WHERE " EXPIRED;
    return query_run(tx, sql, VALUES(v_int(now)), err);
}
