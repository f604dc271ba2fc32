#include "store/parts.h"

#include "store/query.h"

int tx_data_file_insert(struct tx *tx, int64_t job_key, const struct data_file *file, struct err *err)
{
    static const char sql[] =
        "INSERT INTO data_file (job_key, path, stored_size, raw_size, items, sha256, fingerprint, part_key) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    return query_run(tx, sql,
                     VALUES(v_int(job_key), v_text(file->path), v_int(file->stored_size),
                            v_int(file->raw_size), v_int(file->items), v_hash(&file->sha256),
                            v_text(file->fingerprint), v_int(file->part_key)),
                     err);
}

int tx_data_files_of(struct tx *tx, int64_t job_key, struct arena *arena, struct data_file **ret_files,
                     size_t *ret_count, struct err *err)
{
    static const char sql[] = "SELECT path, stored_size, raw_size, items, sha256, fingerprint, part_key "
                              "FROM data_file WHERE job_key = ?1 ORDER BY path";
    _query_ struct query query = QUERY_NONE;
    struct array files = ARRAY_OF(arena, struct data_file);
    int more;

    if (query_open(&query, tx, sql, VALUES(v_int(job_key)), err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0) {
        struct data_file *file = array_add(&files, err);

        if (!file)
            return -1;
        file->path = q_text(&query, arena);
        file->stored_size = q_int(&query);
        file->raw_size = q_int(&query);
        file->items = q_int(&query);
        q_hash(&query, &file->sha256);
        file->fingerprint = q_text(&query, arena);
        file->part_key = q_int(&query);
    }
    if (more < 0)
        return -1;
    *ret_files = (struct data_file *)(void *)files.data;
    *ret_count = files.count;
    return 0;
}
