#include "store/plans.h"

#include "store/query.h"

int tx_made_table_put(struct tx *tx, const struct made_table *made, struct err *err)
{
    static const char sql[] =
        "INSERT INTO made_table (environment, table_name, arn, table_id, job_id, created_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (environment, table_name) DO UPDATE SET arn = "
        "excluded.arn, "
        "table_id = excluded.table_id, job_id = excluded.job_id, created_at = excluded.created_at";

    return query_run(tx, sql,
                     VALUES(v_text(made->environment), v_text(made->table), v_text(made->arn),
                            v_text(made->table_id), v_id(&made->job), v_int(made->created_at)),
                     err);
}

int tx_made_table_forget(struct tx *tx, const char *environment, const char *table, struct err *err)
{
    static const char sql[] = "DELETE FROM made_table WHERE environment = ?1 AND table_name = ?2";
    return query_run(tx, sql, VALUES(v_text(environment), v_text(table)), err);
}

int tx_made_table_exists(struct tx *tx, const char *environment, const char *table, bool *ret_exists,
                         struct err *err)
{
    static const char sql[] = "SELECT 1 FROM made_table WHERE environment = ?1 AND table_name = ?2";
    int64_t one;
    int found = query_int(tx, sql, VALUES(v_text(environment), v_text(table)), &one, err);

    if (found < 0)
        return -1;
    *ret_exists = found > 0;
    return 0;
}
