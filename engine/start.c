/* Queued roots start when all their touches are granted at once; who conflicts waits, and shows for whom. */
#include "base/clock.h"
#include "engine/internal.h"

static int show_conflict(struct tx *tx, const struct job *job, const struct id *blockers, size_t count,
                         struct err *err)
{
    _cleanup_(buffer_done) struct buffer json = BUFFER_INIT(4096);
    char id[ID_SIZE];
    struct json_writer w;

    if (str_is(job->waiting_reason, "conflict"))
        return 0;
    json_put_begin(&w, &json);
    json_put_array(&w, NULL);
    for (size_t i = 0; i < count; i++) {
        id_format(&blockers[i], id);
        json_put_text(&w, NULL, id);
    }
    json_put_array_end(&w);
    if (tx_document_put(tx, job->key, "waiting_for", buffer_bytes(&json), err) < 0)
        return -1;
    return tx_job_set_waiting(tx, job->key, "conflict", 0, err);
}

static int start(struct tx *tx, struct engine *engine, const struct job *job, struct err *err)
{
    int64_t now = clock_wall_ms();
    struct ending ending; /* only a job of a kind that is gone ends here, and of those nothing is counted */

    if (tx_job_move(tx, job->key, JOB_QUEUED, JOB_RUNNING, now, err) < 0 ||
        tx_event(tx, job->key, "state", BYTES("{\"state\":\"running\"}"), now, err) < 0)
        return -1;
    return tx_job_go_on(tx, engine, job->key, &ending, err);
}

int tx_jobs_start(struct tx *tx, struct engine *engine, struct starting *starting, struct arena *arena,
                  struct err *err)
{
    struct job **jobs;
    size_t count;
    int64_t stay = 0;

    starting->culprit = starting->next_skip = 0;
    if (tx_jobs_startable(tx, starting->skip, STARTS_AT_ONCE, arena, &jobs, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct id *blockers = NULL;
        size_t blocker_count = 0;
        bool granted;

        starting->culprit = jobs[i]->key;
        if (tx_touches_grant(tx, jobs[i]->key, &granted, arena, &blockers, &blocker_count, err) < 0)
            return -1;
        if (granted ? start(tx, engine, jobs[i], err) < 0
                    : show_conflict(tx, jobs[i], blockers, blocker_count, err) < 0)
            return -1;
        stay += !granted;
    }
    starting->culprit = 0;
    if (count == STARTS_AT_ONCE) /* who waits at the front keeps nobody behind from being looked at */
        starting->next_skip = starting->skip + stay;
    return 0;
}
