#include "store/jobs.h"

#include "store/job_row.h"
#include "store/list.h"

#define WALK(condition)                                                                                      \
    "SELECT key, created_at, environment, kind, state, resource FROM job WHERE " condition                   \
    "key > ?1 AND key < ?2 ORDER BY key DESC"
enum { ENVIRONMENT = 2, KIND, STATE, RESOURCE };

static bool has_value(const struct filter *filter, const char *value)
{
    for (size_t i = 0; i < filter->count; i++)
        if (str_is(filter->values[i], value))
            return true;
    return false;
}

static int find_keys(struct tx *tx, const struct job_query *query, struct arena *arena, int64_t **ret_keys,
                     size_t *ret_count, bool *ret_more, struct err *err)
{
    static const char all[] = WALK("");
    static const char by_parent[] = WALK("parent_id = ?3 AND "), by_resource[] = WALK("resource = ?3 AND ");
    static const char by_state[] = WALK("state = ?3 AND "), by_kind[] = WALK("kind = ?3 AND ");
    static const char by_environment[] = WALK("environment = ?3 AND ");
    static const char since[] = "SELECT coalesce(min(key), 0) FROM job WHERE created_at >= ?1";
    static const char until[] = "SELECT coalesce(max(key), 0) FROM job WHERE created_at < ?1";
    static const struct filter none = {0};
    /* most jobs succeed: that state leads last, any other one early */
    bool rare = !has_value(&query->state, job_state_name(JOB_SUCCEEDED));
    const struct list_axis axes[] = {
        {by_parent, 0, &none, &query->parent_id},
        {by_resource, RESOURCE, &query->resource, NULL},
        {by_state, STATE, rare ? &query->state : &none, NULL},
        {by_kind, KIND, &query->kind, NULL},
        {by_environment, ENVIRONMENT, &query->environment, NULL},
        {by_environment, ENVIRONMENT, list_visible(&query->page), NULL},
        {by_state, STATE, rare ? &none : &query->state, NULL},
    };
    const struct list list = {.axes = axes,
                              .axis_count = COUNT_OF(axes),
                              .all = all,
                              .since = since,
                              .until = until,
                              .page = &query->page};

    return list_keys(tx, &list, arena, ret_keys, ret_count, ret_more, err);
}

int tx_jobs_list(struct tx *tx, const struct job_query *query, struct arena *arena, struct job ***ret_jobs,
                 size_t *ret_count, bool *ret_more, struct err *err)
{
    int64_t *keys;
    size_t count;
    bool more;
    struct job **jobs;

    if (find_keys(tx, query, arena, &keys, &count, &more, err) < 0)
        return -1;
    jobs = arena_array(arena, struct job *, count);
    if (!jobs)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        if (tx_job_by_key(tx, keys[i], arena, &jobs[i], err) < 0)
            return -1;
    *ret_jobs = jobs;
    *ret_count = count;
    *ret_more = more;
    return 0;
}

int tx_jobs_startable(struct tx *tx, int64_t skip, size_t limit, struct arena *arena, struct job ***ret_jobs,
                      size_t *ret_count, struct err *err)
{
    static const char sql[] =
        "SELECT " JOB_COLUMNS " " JOB_FROM "WHERE j.state = 'queued' AND j.parent_id IS NULL "
        "ORDER BY j.priority DESC, j.key LIMIT ?1 OFFSET ?2";
    _query_ struct query query = QUERY_NONE;
    struct array jobs = ARRAY_OF(arena, struct job *);
    int more;

    if (query_open(&query, tx, sql, VALUES(v_int((int64_t)limit), v_int(skip)), err) < 0)
        return -1;
    while ((more = query_next(&query, err)) > 0) {
        struct job **slot = array_add(&jobs, err);

        if (!slot || !(*slot = job_read(&query, arena, err)))
            return -1;
    }
    if (more < 0)
        return -1;
    *ret_jobs = (struct job **)(void *)jobs.data;
    *ret_count = jobs.count;
    return 0;
}
