#include "store/jobs.h"

#include "base/limits.h"
#include "store/query.h"

int tx_document_put(struct tx *tx, int64_t job_key, const char *name, struct bytes json, struct err *err)
{
    static const char sql[] = "INSERT INTO document (job_key, name, body) VALUES (?1, ?2, ?3) "
                              "ON CONFLICT (job_key, name) DO UPDATE SET body = excluded.body";

    if (json.len > DOCUMENT_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "document %s has %zu bytes, the limit is %lld", name,
                       json.len, DOCUMENT_MAX);
    if (!json.data)
        json = BYTES("");
    return query_run(tx, sql, VALUES(v_int(job_key), v_text(name), v_bytes(json)), err);
}

int tx_document_get(struct tx *tx, int64_t job_key, const char *name, struct arena *arena,
                    struct bytes *ret_json, struct err *err)
{
    static const char sql[] = "SELECT body FROM document WHERE job_key = ?1 AND name = ?2";
    _query_ struct query query = QUERY_NONE;
    struct bytes json = {0};
    int more;

    if (query_open(&query, tx, sql, VALUES(v_int(job_key), v_text(name)), err) < 0 ||
        (more = query_next(&query, err)) < 0)
        return -1;
    if (more > 0)
        json = q_bytes(&query, arena);
    if (query_ok(&query, err) < 0)
        return -1;
    *ret_json = json;
    return 0;
}

static struct bytes *wanted_by(const struct document_wanted *wanted, size_t count, struct bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_is(name, wanted[i].name))
            return wanted[i].ret_json;
    return NULL;
}

int tx_documents_get(struct tx *tx, int64_t job_key, const struct document_wanted *wanted, size_t count,
                     struct arena *arena, struct err *err)
{
    static const char sql[] = "SELECT name, body FROM document WHERE job_key = ?1 "
                              "AND NOT (name >= 'state.' AND name < 'state/')";
    _query_ struct query query = QUERY_NONE;
    int more;

    for (size_t i = 0; i < count; i++)
        *wanted[i].ret_json = (struct bytes){0};
    if (query_open(&query, tx, sql, VALUES(v_int(job_key)), err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0) {
        struct bytes *to = wanted_by(wanted, count, q_borrow(&query));

        if (to)
            *to = q_bytes(&query, arena);
    }
    return more < 0 ? -1 : query_ok(&query, err);
}

int tx_documents_copy_state(struct tx *tx, int64_t from_job_key, int64_t to_job_key, struct err *err)
{
    /* '/' is the character after '.', so this is every name that begins with "state." */
    static const char sql[] =
        "INSERT INTO document (job_key, name, body) SELECT ?2, name, body FROM document "
        "WHERE job_key = ?1 AND name >= 'state.' AND name < 'state/' "
        "ON CONFLICT (job_key, name) DO UPDATE SET body = excluded.body";
    return query_run(tx, sql, VALUES(v_int(from_job_key), v_int(to_job_key)), err);
}
