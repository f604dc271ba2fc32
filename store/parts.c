#include "store/parts.h"

#include "store/part_row.h"

int tx_part_insert(struct tx *tx, struct part *part, struct err *err)
{
    static const char sql[] = "INSERT INTO part (job_key, step_key, seq, name, spec, cursor, state, "
                              "not_before, items, bytes, files) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING key";
    static const char count[] = "UPDATE step SET open_parts = open_parts + 1 WHERE key = ?1";

    if (part->state == PART_RUNNING)
        return err_set(err, ERR_INTERNAL, "a part is born waiting or ready: only a claim makes it run");
    if (query_int(tx, sql,
                  VALUES(v_int(part->job_key), v_int(part->step_key), v_int(part->seq), v_text(part->name),
                         v_bytes(part->spec), v_bytes(part->cursor), v_text(part_state_name(part->state)),
                         v_int(part->not_before), v_int(part->items), v_int(part->bytes), v_int(part->files)),
                  &part->key, err) < 0)
        return -1;
    if (!part_state_open(part->state))
        return 0;
    return query_run(tx, count, VALUES(v_int(part->step_key)), err);
}

struct part *part_read(struct query *query, struct arena *arena, struct err *err)
{
    struct part *part = arena_make(arena, struct part);

    if (!part) {
        no_memory(err);
        return NULL;
    }
    part->key = q_int(query);
    part->job_key = q_int(query);
    part->step_key = q_int(query);
    part->seq = (int)q_int(query);
    part->name = q_text(query, arena);
    part->spec = q_bytes(query, arena);
    part->cursor = q_bytes(query, arena);
    part->state = q_part_state(query);
    part->lease.part_key = part->key;
    part->lease.owner = q_int(query);
    part->lease.epoch = q_int(query);
    part->not_before = q_int(query);
    part->attempts = (int)q_int(query);
    part->crashes = (int)q_int(query);
    part->items = q_int(query);
    part->bytes = q_int(query);
    part->files = q_int(query);
    return query_ok(query, err) < 0 ? NULL : part;
}

int tx_parts_of_step(struct tx *tx, int64_t step_key, struct arena *arena, struct part ***ret_parts,
                     size_t *ret_count, struct err *err)
{
    static const char sql[] = "SELECT " PART_COLUMNS " FROM part WHERE step_key = ?1 ORDER BY seq";
    _query_ struct query query = QUERY_NONE;
    struct array parts = ARRAY_OF(arena, struct part *);
    int more;

    if (query_open(&query, tx, sql, VALUES(v_int(step_key)), err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0) {
        struct part **slot = array_add(&parts, err);

        if (!slot || !(*slot = part_read(&query, arena, err)))
            return -1;
    }
    if (more < 0)
        return -1;
    *ret_parts = (struct part **)(void *)parts.data;
    *ret_count = parts.count;
    return 0;
}

int tx_parts_move(struct tx *tx, int64_t step_key, enum part_state from, enum part_state to, struct err *err)
{
    static const char sql[] = "UPDATE part SET state = ?3 WHERE step_key = ?1 AND state = ?2";
    static const char recount[] = "UPDATE step SET open_parts = open_parts + ?2 WHERE key = ?1";
    int64_t moved;

    if (from == PART_RUNNING || to == PART_RUNNING)
        return err_set(err, ERR_INTERNAL, "only a claim makes a part run, and only its holder ends that");
    if (query_run(tx, sql,
                  VALUES(v_int(step_key), v_text(part_state_name(from)), v_text(part_state_name(to))),
                  err) < 0)
        return -1;
    moved = tx->store->ops->changes(tx);
    if (moved == 0 || part_state_open(from) == part_state_open(to))
        return 0;
    return query_run(tx, recount, VALUES(v_int(step_key), v_int(part_state_open(to) ? moved : -moved)), err);
}

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

    if (query_open(&query, tx, sql, VALUES(v_int(step_key)), err) < 0 || query_next(&query, err) < 0)
        return -1;
    *ret_items = q_int(&query);
    *ret_bytes = q_int(&query);
    return 0;
}
