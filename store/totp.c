#include "store/plans.h"

#include "store/query.h"

int tx_totp_get(struct tx *tx, const char *identity, struct arena *arena, struct totp_row **ret_row,
                struct err *err)
{
    static const char sql[] =
        "SELECT identity, sealed, last_step, failures, locked_until, created_at FROM totp "
        "WHERE identity = ?1";
    _query_ struct query query = QUERY_NONE;
    struct totp_row *row = NULL;
    int more;

    if (query_open(&query, tx, sql, VALUES(v_text(identity)), err) < 0 ||
        (more = query_next(&query, err)) < 0)
        return -1;
    if (more > 0 && !(row = arena_make(arena, struct totp_row)))
        return no_memory(err);
    if (row) {
        row->identity = q_text(&query, arena);
        row->sealed = q_bytes(&query, arena);
        row->last_step = q_int(&query);
        row->failures = q_int(&query);
        row->locked_until = q_int(&query);
        row->created_at = q_int(&query);
    }
    if (query_ok(&query, err) < 0)
        return -1;
    *ret_row = row;
    return 0;
}

int tx_totp_put(struct tx *tx, const struct totp_row *row, struct err *err)
{
    static const char sql[] =
        "INSERT INTO totp (identity, sealed, last_step, failures, locked_until, created_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (identity) DO UPDATE SET sealed = excluded.sealed, "
        "last_step = excluded.last_step, failures = excluded.failures, locked_until = excluded.locked_until, "
        "created_at = excluded.created_at";

    return query_run(tx, sql,
                     VALUES(v_text(row->identity), v_bytes(row->sealed), v_int(row->last_step),
                            v_int(row->failures), v_int(row->locked_until), v_int(row->created_at)),
                     err);
}

int tx_totp_delete(struct tx *tx, const char *identity, struct err *err)
{
    static const char sql[] = "DELETE FROM totp WHERE identity = ?1";
    return query_update(tx, sql, VALUES(v_text(identity)), ERR_NOT_FOUND, "enrolment", err);
}
