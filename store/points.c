#include "store/points.h"

#include "store/point_row.h"

int tx_point_insert(struct tx *tx, struct recovery_point *point, struct err *err)
{
    static const char sql[] =
        "INSERT INTO recovery_point (id, environment, type, method, origin, resource, account, region, arn, "
        "table_id, location, status, trust, consistency_from, consistency_to, items, bytes, stored_bytes, "
        "fingerprint, manifest_sha256, job_id, encryption, note, tags, created_at, verified_at, proven_at, "
        "version) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, "
        "?21, "
        "?22, ?23, ?24, ?25, ?26, ?27, ?28) RETURNING key";
    int64_t version = point->version > 0 ? point->version : 1;

    if (query_int(tx, sql,
                  VALUES(v_id(&point->id), v_text(point->environment), v_text(point->type),
                         v_text(point->method), v_text(point->origin), v_text(point->resource),
                         v_text(point->account), v_text(point->region), v_text(point->arn),
                         v_text(point->table_id), v_text(point->location),
                         v_text(point_status_name(point->status)), v_text(point->trust),
                         v_int(point->consistency_from), v_int(point->consistency_to), v_int(point->items),
                         v_int(point->bytes), v_int(point->stored_bytes), v_text(point->fingerprint),
                         v_hash_if(point->has_manifest, &point->manifest_sha256), v_id(&point->job),
                         v_text(point->encryption), v_text(point->note), v_bytes(point->tags),
                         v_int(point->created_at), v_int(point->verified_at), v_int(point->proven_at),
                         v_int(version)),
                  &point->key, err) < 0)
        return -1;
    point->version = version;
    return 0;
}

int tx_point_update(struct tx *tx, const struct recovery_point *point, struct err *err)
{
    static const char sql[] =
        "UPDATE recovery_point SET environment = ?2, type = ?3, method = ?4, origin = ?5, resource = ?6, "
        "account = ?7, region = ?8, arn = ?9, table_id = ?10, location = ?11, status = ?12, trust = ?13, "
        "consistency_from = ?14, consistency_to = ?15, items = ?16, bytes = ?17, stored_bytes = ?18, "
        "fingerprint = ?19, manifest_sha256 = ?20, job_id = ?21, encryption = ?22, note = ?23, tags = ?24, "
        "verified_at = ?25, proven_at = ?26, version = version + 1 WHERE id = ?1";

    return query_update(
        tx, sql,
        VALUES(v_id(&point->id), v_text(point->environment), v_text(point->type), v_text(point->method),
               v_text(point->origin), v_text(point->resource), v_text(point->account), v_text(point->region),
               v_text(point->arn), v_text(point->table_id), v_text(point->location),
               v_text(point_status_name(point->status)), v_text(point->trust), v_int(point->consistency_from),
               v_int(point->consistency_to), v_int(point->items), v_int(point->bytes),
               v_int(point->stored_bytes), v_text(point->fingerprint),
               v_hash_if(point->has_manifest, &point->manifest_sha256), v_id(&point->job),
               v_text(point->encryption), v_text(point->note), v_bytes(point->tags),
               v_int(point->verified_at), v_int(point->proven_at)),
        ERR_NOT_FOUND, "recovery point", err);
}

int tx_point_set_status(struct tx *tx, const struct id *id, enum point_status status, int64_t now,
                        struct err *err)
{
    static const char sql[] = "UPDATE recovery_point SET status = ?2, version = version + 1, "
                              "verified_at = CASE WHEN ?3 = 1 THEN ?5 ELSE verified_at END, "
                              "proven_at = CASE WHEN ?4 = 1 THEN ?5 ELSE proven_at END WHERE id = ?1";

    return query_update(tx, sql,
                        VALUES(v_id(id), v_text(point_status_name(status)), v_int(status == POINT_VERIFIED),
                               v_int(status == POINT_PROVEN), v_int(now)),
                        ERR_NOT_FOUND, "recovery point", err);
}

static struct recovery_point *point_read(struct query *query, struct arena *arena, struct err *err)
{
    struct recovery_point *point = arena_make(arena, struct recovery_point);

    if (!point) {
        no_memory(err);
        return NULL;
    }
    point->key = q_int(query);
    point->id = q_id(query);
    point->environment = q_text(query, arena);
    point->type = q_text(query, arena);
    point->method = q_text(query, arena);
    point->origin = q_text(query, arena);
    point->resource = q_text(query, arena);
    point->account = q_text(query, arena);
    point->region = q_text(query, arena);
    point->arn = q_text(query, arena);
    point->table_id = q_text(query, arena);
    point->location = q_text(query, arena);
    point->status = q_point_status(query);
    point->trust = q_text(query, arena);
    point->consistency_from = q_int(query);
    point->consistency_to = q_int(query);
    point->items = q_int(query);
    point->bytes = q_int(query);
    point->stored_bytes = q_int(query);
    point->fingerprint = q_text(query, arena);
    point->has_manifest = q_hash(query, &point->manifest_sha256);
    point->job = q_id(query);
    point->encryption = q_text(query, arena);
    point->note = q_text(query, arena);
    point->tags = q_bytes(query, arena);
    point->created_at = q_int(query);
    point->verified_at = q_int(query);
    point->proven_at = q_int(query);
    point->version = q_int(query);
    return query_ok(query, err) < 0 ? NULL : point;
}

int point_get(struct tx *tx, const char *sql, const struct value *values, size_t count, struct arena *arena,
              struct recovery_point **ret_point, struct err *err)
{
    _query_ struct query query = QUERY_NONE;
    struct recovery_point *point;
    int more;

    if (query_open(&query, tx, sql, values, count, err) < 0 || (more = query_next(&query, err)) < 0)
        return -1;
    if (more == 0)
        return err_set(err, ERR_NOT_FOUND, "no such recovery point");
    point = point_read(&query, arena, err);
    if (!point)
        return -1;
    *ret_point = point;
    return 0;
}

int tx_point_by_id(struct tx *tx, const struct id *id, struct arena *arena, struct recovery_point **ret_point,
                   struct err *err)
{
    static const char sql[] = POINT_SELECT "WHERE id = ?1";
    return point_get(tx, sql, VALUES(v_id(id)), arena, ret_point, err);
}

int tx_point_by_job(struct tx *tx, const struct id *origin_job, struct arena *arena,
                    struct recovery_point **ret_point, struct err *err)
{
    static const char sql[] = POINT_SELECT "WHERE job_id IN (SELECT ?1 UNION SELECT j.id FROM job j "
                                           "WHERE j.origin_id = ?1) ORDER BY key DESC LIMIT 1";
    return point_get(tx, sql, VALUES(v_id(origin_job)), arena, ret_point, err);
}

int tx_point_by_location(struct tx *tx, const char *location, struct arena *arena,
                         struct recovery_point **ret_point, struct err *err)
{
    static const char sql[] = POINT_SELECT "WHERE location = ?1 ORDER BY key DESC LIMIT 1";
    return point_get(tx, sql, VALUES(v_text(location)), arena, ret_point, err);
}

int tx_point_latest(struct tx *tx, const char *environment, const char *resource, struct arena *arena,
                    struct recovery_point **ret_point, struct err *err)
{
    static const char sql[] = POINT_SELECT "WHERE environment = ?1 AND resource = ?2 "
                                           "AND status IN ('available', 'verified', 'proven') "
                                           "ORDER BY key DESC LIMIT 1";
    return point_get(tx, sql, VALUES(v_text(environment), v_text(resource)), arena, ret_point, err);
}
