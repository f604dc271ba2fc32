#include "store/plans.h"

#include "store/query.h"

int tx_plan_insert(struct tx *tx, const struct plan_row *plan, struct err *err)
{
    static const char sql[] =
        "INSERT INTO plan (hash, requester, environment, kind, spec, identities, nonce, body, destructive, "
        "needs_mfa, retry_of, created_at, expires_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

    return query_run(tx, sql,
                     VALUES(v_hash(&plan->hash), v_text(plan->requester), v_text(plan->environment),
                            v_text(plan->kind), v_bytes(plan->spec), v_bytes(plan->identities),
                            v_bytes(plan->nonce), v_bytes(plan->body), v_int(plan->destructive),
                            v_int(plan->needs_mfa), v_id(&plan->retry_of), v_int(plan->created_at),
                            v_int(plan->expires_at)),
                     err);
}

static void read_plan(struct query *query, struct arena *arena, struct plan_row *plan)
{
    q_hash(query, &plan->hash);
    plan->requester = q_text(query, arena);
    plan->environment = q_text(query, arena);
    plan->kind = q_text(query, arena);
    plan->spec = q_bytes(query, arena);
    plan->identities = q_bytes(query, arena);
    plan->nonce = q_bytes(query, arena);
    plan->body = q_bytes(query, arena);
    plan->destructive = q_bool(query);
    plan->needs_mfa = q_bool(query);
    plan->retry_of = q_id(query);
    plan->created_at = q_int(query);
    plan->expires_at = q_int(query);
    plan->spent_by = q_id(query);
}

int tx_plan_get(struct tx *tx, const struct hash *hash, struct arena *arena, struct plan_row **ret_plan,
                struct err *err)
{
    static const char sql[] =
        "SELECT hash, requester, environment, kind, spec, identities, nonce, body, destructive, "
        "needs_mfa, retry_of, created_at, expires_at, spent_by FROM plan WHERE hash = ?1";
    _query_ struct query query = QUERY_NONE;
    struct plan_row *plan;
    int more;

    if (query_open(&query, tx, sql, VALUES(v_hash(hash)), err) < 0 || (more = query_next(&query, err)) < 0)
        return -1;
    if (more == 0)
        return err_set(err, ERR_NOT_FOUND, "no such plan");
    plan = arena_make(arena, struct plan_row);
    if (!plan)
        return no_memory(err);
    read_plan(&query, arena, plan);
    if (query_ok(&query, err) < 0)
        return -1;
    *ret_plan = plan;
    return 0;
}

int tx_plan_spend(struct tx *tx, const struct hash *hash, const struct id *job, struct err *err)
{
    static const char sql[] = "UPDATE plan SET spent_by = ?2 WHERE hash = ?1 AND spent_by IS NULL";
    static const char exists[] = "SELECT 1 FROM plan WHERE hash = ?1";
    int64_t one;
    int found;

    if (query_run(tx, sql, VALUES(v_hash(hash), v_id(job)), err) < 0)
        return -1;
    if (tx->store->ops->changes(tx) > 0)
        return 0;
    found = query_int(tx, exists, VALUES(v_hash(hash)), &one, err);
    if (found < 0)
        return -1;
    return found ? err_set(err, ERR_PLAN_SPENT, "the plan was used by another job")
                 : err_set(err, ERR_NOT_FOUND, "no such plan");
}

int tx_plans_expire(struct tx *tx, int64_t now, struct err *err)
{
    static const char sql[] = "DELETE FROM plan WHERE spent_by IS NULL AND expires_at <= ?1";
    return query_run(tx, sql, VALUES(v_int(now)), err);
}
