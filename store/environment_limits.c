#include "store/plans.h"

#include "store/query.h"

int tx_environment_limits_get(struct tx *tx, const char *environment, struct environment_limits *ret_limits,
                              struct err *err)
{
    static const char sql[] =
        "SELECT read_units_per_second, write_units_per_second, version FROM environment_limits "
        "WHERE environment = ?1";
    _query_ struct query query = QUERY_NONE;
    struct environment_limits limits = {0};
    int more;

    if (query_open(&query, tx, sql, VALUES(v_text(environment)), err) < 0 ||
        (more = query_next(&query, err)) < 0)
        return -1;
    if (more > 0) {
        limits.read_units_per_second = q_int(&query);
        limits.write_units_per_second = q_int(&query);
        limits.version = q_int(&query);
    }
    *ret_limits = limits;
    return 0;
}

int tx_environment_limits_put(struct tx *tx, const char *environment, const struct environment_limits *limits,
                              struct err *err)
{
    static const char sql[] =
        "INSERT INTO environment_limits (environment, read_units_per_second, write_units_per_second, "
        "version) "
        "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (environment) DO UPDATE SET "
        "read_units_per_second = excluded.read_units_per_second, "
        "write_units_per_second = excluded.write_units_per_second, version = excluded.version";

    return query_run(tx, sql,
                     VALUES(v_text(environment), v_int(limits->read_units_per_second),
                            v_int(limits->write_units_per_second), v_int(limits->version)),
                     err);
}
