#include "store/query.h"

int tx_setting_get(struct tx *tx, const char *name, struct arena *arena, struct bytes *ret_value,
                   struct err *err)
{
    static const char sql[] = "SELECT value FROM setting WHERE name = ?1";
    _query_ struct query query = QUERY_NONE;
    struct bytes value = {0};
    int more;

    if (query_open(&query, tx, sql, VALUES(v_text(name)), err) < 0 || (more = query_next(&query, err)) < 0)
        return -1;
    if (more > 0)
        value = q_bytes(&query, arena);
    if (query_ok(&query, err) < 0)
        return -1;
    *ret_value = value;
    return 0;
}

int tx_setting_put(struct tx *tx, const char *name, struct bytes value, struct err *err)
{
    static const char sql[] = "INSERT INTO setting (name, value) VALUES (?1, ?2) "
                              "ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    return query_run(tx, sql, VALUES(v_text(name), v_bytes(value.data ? value : BYTES(""))), err);
}
