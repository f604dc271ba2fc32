#include "store/points.h"

#include "store/list.h"
#include "store/point_row.h"

#define WALK(condition)                                                                                      \
    "SELECT key, created_at, environment, resource, type, method, status FROM recovery_point "               \
    "WHERE " condition "key > ?1 AND key < ?2 ORDER BY key DESC"
enum { ENVIRONMENT = 2, RESOURCE, TYPE, METHOD, STATUS };

static int find_keys(struct tx *tx, const struct point_query *query, struct arena *arena, int64_t **ret_keys,
                     size_t *ret_count, bool *ret_more, struct err *err)
{
    static const char all[] = WALK("");
    static const char by_resource[] = WALK("resource = ?3 AND "), by_status[] = WALK("status = ?3 AND ");
    static const char by_method[] = WALK("method = ?3 AND "), by_type[] = WALK("type = ?3 AND ");
    static const char by_environment[] = WALK("environment = ?3 AND ");
    static const char since[] = "SELECT coalesce(min(key), 0) FROM recovery_point WHERE created_at >= ?1";
    static const char until[] = "SELECT coalesce(max(key), 0) FROM recovery_point WHERE created_at < ?1";
    const struct list_axis axes[] = {
        {by_resource, RESOURCE, &query->resource, NULL},
        {by_status, STATUS, &query->status, NULL},
        {by_environment, ENVIRONMENT, &query->environment, NULL},
        {by_environment, ENVIRONMENT, list_visible(&query->page), NULL},
        {by_method, METHOD, &query->method, NULL},
        {by_type, TYPE, &query->type, NULL},
    };
    const struct list list = {.axes = axes,
                              .axis_count = COUNT_OF(axes),
                              .all = all,
                              .since = since,
                              .until = until,
                              .page = &query->page};

    return list_keys(tx, &list, arena, ret_keys, ret_count, ret_more, err);
}

int tx_points_list(struct tx *tx, const struct point_query *query, struct arena *arena,
                   struct recovery_point ***ret_points, size_t *ret_count, bool *ret_more, struct err *err)
{
    static const char by_key[] = POINT_SELECT "WHERE key = ?1";
    int64_t *keys;
    size_t count;
    bool more;
    struct recovery_point **points;

    if (find_keys(tx, query, arena, &keys, &count, &more, err) < 0)
        return -1;
    points = arena_array(arena, struct recovery_point *, count);
    if (!points)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        if (point_get(tx, by_key, VALUES(v_int(keys[i])), arena, &points[i], err) < 0)
            return -1;
    *ret_points = points;
    *ret_count = count;
    *ret_more = more;
    return 0;
}

int tx_points_count(struct tx *tx, struct arena *arena, struct point_count **ret_counts, size_t *ret_count,
                    struct err *err)
{
    static const char sql[] = "SELECT environment, type, status, count(*) FROM recovery_point "
                              "GROUP BY environment, type, status";
    _query_ struct query query = QUERY_NONE;
    struct array counts = ARRAY_OF(arena, struct point_count);
    int more;

    if (query_open(&query, tx, sql, NO_VALUES, err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0) {
        struct point_count *count = array_add(&counts, err);

        if (!count)
            return -1;
        count->environment = q_text(&query, arena);
        count->type = q_text(&query, arena);
        count->status = q_point_status(&query);
        count->count = q_int(&query);
    }
    if (more < 0)
        return -1;
    *ret_counts = (struct point_count *)(void *)counts.data;
    *ret_count = counts.count;
    return 0;
}

int tx_points_latest(struct tx *tx, struct arena *arena, struct point_latest **ret_rows, size_t *ret_count,
                     struct err *err)
{
    static const char sql[] =
        "SELECT p.environment, p.resource, p.method, p.created_at, p.stored_bytes, g.proven_at FROM "
        "(SELECT max(key) AS newest, max(proven_at) AS proven_at FROM recovery_point "
        "WHERE status IN ('verified', 'proven') GROUP BY environment, resource, method) g "
        "JOIN recovery_point p ON p.key = g.newest";
    _query_ struct query query = QUERY_NONE;
    struct array rows = ARRAY_OF(arena, struct point_latest);
    int more;

    if (query_open(&query, tx, sql, NO_VALUES, err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0) {
        struct point_latest *row = array_add(&rows, err);

        if (!row)
            return -1;
        row->environment = q_text(&query, arena);
        row->resource = q_text(&query, arena);
        row->method = q_text(&query, arena);
        row->created_at = q_int(&query);
        row->stored_bytes = q_int(&query);
        row->proven_at = q_int(&query);
    }
    if (more < 0)
        return -1;
    *ret_rows = (struct point_latest *)(void *)rows.data;
    *ret_count = rows.count;
    return 0;
}
