#include "store/audit_log.h"

#include "store/list.h"

#define AUDIT_SELECT                                                                                         \
    "SELECT node, seq, at, actor, issuer, action, object, environment, outcome, request_id, job_id, "        \
    "plan_hash, "                                                                                            \
    "aws_request_id, address, detail, prev_hash, hash FROM audit "

int tx_audit_head(struct tx *tx, const char *node, struct arena *arena, struct audit_head *ret_head,
                  struct err *err)
{
    static const char sql[] = "SELECT a.seq, a.hash, n.frontier FROM audit_node n "
                              "LEFT JOIN audit a ON a.node = n.node "
                              "WHERE n.node = ?1 ORDER BY a.seq DESC LIMIT 1";
    _query_ struct query query = QUERY_NONE;
    struct audit_head head = {0};
    int more;

    if (query_open(&query, tx, sql, VALUES(v_text(node)), err) < 0 || (more = query_next(&query, err)) < 0)
        return -1;
    if (more > 0) {
        head.seq = q_int(&query);
        q_hash(&query, &head.hash);
        head.frontier = q_bytes(&query, arena);
    }
    if (query_ok(&query, err) < 0)
        return -1;
    *ret_head = head;
    return 0;
}

int tx_audit_insert(struct tx *tx, const struct audit_record *record, struct bytes frontier, struct err *err)
{
    static const char sql[] =
        "INSERT INTO audit (node, seq, at, actor, issuer, action, object, environment, outcome, request_id, "
        "job_id, "
        "plan_hash, aws_request_id, address, detail, prev_hash, hash) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    static const char count[] =
        "INSERT INTO audit_node (node, row_count, frontier) VALUES (?1, 1, ?2) ON CONFLICT (node) DO UPDATE "
        "SET row_count = audit_node.row_count + 1, frontier = excluded.frontier";

    if (query_run(tx, sql,
                  VALUES(v_text(record->node), v_int(record->seq), v_int(record->at), v_text(record->actor),
                         v_text(record->issuer), v_text(record->action), v_text(record->object),
                         v_text(record->environment), v_text(record->outcome), v_text(record->request_id),
                         v_text(record->job_id), v_text(record->plan_hash), v_text(record->aws_request_id),
                         v_text(record->address), v_bytes(record->detail), v_hash(&record->prev_hash),
                         v_hash(&record->hash)),
                  err) < 0)
        return -1;
    return query_run(tx, count, VALUES(v_text(record->node), v_bytes(frontier)), err);
}

int tx_audit_count(struct tx *tx, int64_t *ret_count, struct err *err)
{
    static const char sql[] = "SELECT coalesce(sum(row_count), 0) FROM audit_node";
    return query_int(tx, sql, NO_VALUES, ret_count, err) < 0 ? -1 : 0;
}

static struct audit_record *read_record(struct query *query, struct arena *arena, struct err *err)
{
    struct audit_record *record = arena_make(arena, struct audit_record);

    if (!record) {
        no_memory(err);
        return NULL;
    }
    record->node = q_text(query, arena);
    record->seq = q_int(query);
    record->at = q_int(query);
    record->actor = q_text(query, arena);
    record->issuer = q_text(query, arena);
    record->action = q_text(query, arena);
    record->object = q_text(query, arena);
    record->environment = q_text(query, arena);
    record->outcome = q_text(query, arena);
    record->request_id = q_text(query, arena);
    record->job_id = q_text(query, arena);
    record->plan_hash = q_text(query, arena);
    record->aws_request_id = q_text(query, arena);
    record->address = q_text(query, arena);
    record->detail = q_bytes(query, arena);
    q_hash(query, &record->prev_hash);
    q_hash(query, &record->hash);
    return query_ok(query, err) < 0 ? NULL : record;
}

static int get(struct tx *tx, const char *sql, const struct value *values, size_t count, struct arena *arena,
               struct audit_record **ret_row, struct err *err)
{
    _query_ struct query query = QUERY_NONE;
    struct audit_record *record;
    int more;

    if (query_open(&query, tx, sql, values, count, err) < 0 || (more = query_next(&query, err)) < 0)
        return -1;
    if (more == 0)
        return err_set(err, ERR_NOT_FOUND, "no such audit row");
    record = read_record(&query, arena, err);
    if (!record)
        return -1;
    *ret_row = record;
    return 0;
}

int tx_audit_get(struct tx *tx, const char *node, int64_t seq, struct arena *arena,
                 struct audit_record **ret_row, struct err *err)
{
    static const char sql[] = AUDIT_SELECT "WHERE node = ?1 AND seq = ?2";
    return get(tx, sql, VALUES(v_text(node), v_int(seq)), arena, ret_row, err);
}

#define WALK(condition)                                                                                      \
    "SELECT key, at, actor, action, object, environment FROM audit WHERE " condition                         \
    "key > ?1 AND key < ?2 "                                                                                 \
    "ORDER BY key "
enum { ACTOR = 2, ACTION, OBJECT, ENVIRONMENT };
enum { NEWEST_FIRST, OLDEST_FIRST };

static int find_keys(struct tx *tx, const struct audit_query *query, struct arena *arena, int64_t **ret_keys,
                     size_t *ret_count, bool *ret_more, struct err *err)
{
    static const char all[2][160] = {WALK("") "DESC", WALK("")};
    static const char by_actor[2][160] = {WALK("actor = ?3 AND ") "DESC", WALK("actor = ?3 AND ")};
    static const char by_action[2][160] = {WALK("action = ?3 AND ") "DESC", WALK("action = ?3 AND ")};
    static const char by_object[2][160] = {WALK("object = ?3 AND ") "DESC", WALK("object = ?3 AND ")};
    static const char by_environment[2][160] = {WALK("environment = ?3 AND ") "DESC",
                                                WALK("environment = ?3 AND ")};
    static const char since[] = "SELECT coalesce(min(key), 0) FROM audit WHERE at >= ?1";
    static const char until[] = "SELECT coalesce(max(key), 0) FROM audit WHERE at < ?1";
    int order = query->oldest_first ? OLDEST_FIRST : NEWEST_FIRST;
    const struct list_axis axes[] = {
        {by_object[order], OBJECT, &query->object, NULL},
        {by_actor[order], ACTOR, &query->actor, NULL},
        {by_action[order], ACTION, &query->action, NULL},
        {by_environment[order], ENVIRONMENT, &query->environment, NULL},
        {by_environment[order], ENVIRONMENT, list_visible(&query->page), NULL},
    };
    const struct list list = {.axes = axes,
                              .axis_count = COUNT_OF(axes),
                              .all = all[order],
                              .since = since,
                              .until = until,
                              .page = &query->page,
                              .ascending = query->oldest_first};

    return list_keys(tx, &list, arena, ret_keys, ret_count, ret_more, err);
}

int tx_audit_list(struct tx *tx, const struct audit_query *query, struct arena *arena,
                  struct audit_record ***ret_rows, int64_t **ret_keys, size_t *ret_count, bool *ret_more,
                  struct err *err)
{
    static const char by_key[] = AUDIT_SELECT "WHERE key = ?1";
    int64_t *keys;
    size_t count;
    bool more;
    struct audit_record **rows;

    if (find_keys(tx, query, arena, &keys, &count, &more, err) < 0)
        return -1;
    rows = arena_array(arena, struct audit_record *, count);
    if (!rows)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        if (get(tx, by_key, VALUES(v_int(keys[i])), arena, &rows[i], err) < 0)
            return -1;
    *ret_rows = rows;
    *ret_keys = keys;
    *ret_count = count;
    *ret_more = more;
    return 0;
}
