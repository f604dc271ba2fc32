/* From one step to the next, and to the end: always inside the transaction that closed the last part of a
 * step. */
#include "base/clock.h"
#include "engine/internal.h"

const struct step_kind *step_kind_of(const struct job_kind *kind, const char *name)
{
    for (int i = 0; kind && i < STEPS_MAX && kind->steps[i].name; i++)
        if (!strcmp(kind->steps[i].name, name))
            return &kind->steps[i];
    return NULL;
}

bool step_always(const struct engine *engine, const char *kind, const char *name)
{
    const struct step_kind *step = step_kind_of(kind_find(engine->kinds, kind), name);

    return step && step->always;
}

/* The step's part, or the parts that a retry took over. 1 when nothing of it is left to do. */
static int start_step(struct tx *tx, const struct step *step, int64_t now, struct err *err)
{
    struct part first = {
        .job_key = step->job_key, .step_key = step->key, .name = step->name, .state = PART_READY};
    int64_t done = 0;

    if (tx_step_set_state(tx, step->key, STEP_RUNNING, now, err) < 0)
        return -1;
    if (step->open_parts == 0 && tx_step_count_parts(tx, step->key, PART_DONE, &done, err) < 0)
        return -1;
    if (step->open_parts == 0)
        return done > 0 ? 1 : tx_part_insert(tx, &first, err);
    return tx_parts_move(tx, step->key, PART_WAITING, PART_READY, err);
}

/* Done when every part of it is; *ret_cut short otherwise. */
static int end_open_step(struct tx *tx, const struct step *step, int64_t now, bool *ret_cut, struct err *err)
{
    enum step_state state = STEP_DONE;
    int64_t cancelled;

    if (tx_step_count_parts(tx, step->key, PART_CANCELLED, &cancelled, err) < 0)
        return -1;
    *ret_cut = cancelled > 0;
    if (step->error_code)
        state = STEP_FAILED;
    else if (cancelled > 0)
        state = STEP_CANCELLED;
    return tx_step_set_state(tx, step->key, state, now, err);
}

static void note_ending(struct ending *ending, const struct job *job, enum job_state state)
{
    *ending =
        (struct ending){.ended = true, .job_key = job->key, .started_at = job->started_at, .state = state};
    str_copy(ending->kind, sizeof(ending->kind), job->kind);
    str_copy(ending->environment, sizeof(ending->environment), job->environment);
}

void job_ended(struct engine *engine, const struct ending *ending)
{
    if (!ending->ended)
        return;
    engine_count_end(ending);
    progress_close(engine->progress, ending->job_key);
}

int tx_job_end(struct tx *tx, struct engine *engine, const struct job *job, enum job_state state,
               struct ending *ret_ending, struct err *err)
{
    const struct job_kind *kind = kind_find(engine->kinds, job->kind);
    _cleanup_(arena_free_p) struct arena *arena = arena_new(JOB_ARENA_MAX);
    int64_t now = clock_wall_ms();
    char text[40];
    struct bytes event;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory to end a job");
    snprintf(text, sizeof(text), "{\"state\":\"%s\"}", job_state_name(state));
    event = bytes_of(text);
    if (kind && kind->ended && kind->ended(tx, job, state, arena, err) < 0)
        return -1;
    if (tx_job_move(tx, job->key, job->state, state, now, err) < 0 ||
        (job->root_key == job->key && tx_touches_free(tx, job->key, err) < 0))
        return -1;
    if (tx_event(tx, job->key, "state", event, now, err) < 0 ||
        tx_audit_job(tx, engine, job, AUDIT_JOB_FINISHED, job_state_name(state), NULL, event, err) < 0)
        return -1;
    note_ending(ret_ending, job, state);
    return 0;
}

static enum job_state end_state(const struct job *job, bool cut)
{
    if (job->error_code)
        return JOB_FAILED;
    /* A cancel that came when everything was done already changes nothing; and what was cut never succeeds.
     */
    if (cut)
        return job->cancel_requested_at ? JOB_CANCELLED : JOB_FAILED;
    return job->partial ? JOB_PARTIAL : JOB_SUCCEEDED;
}

int tx_job_error(struct tx *tx, const struct job *job, const struct err *failure, struct arena *arena,
                 struct err *err)
{
    struct bytes text = error_json(failure, arena);

    if (job->error_code) /* the first is what is told */
        return 0;
    if (text.data && tx_document_put(tx, job->key, "error", text, err) < 0)
        return -1;
    return tx_job_set_error_code(tx, job->key, err_info(failure->code)->name, err);
}

/* What this version cannot run is not skipped in silence. */
static int miss_step(struct tx *tx, struct job *job, const struct job_kind *kind, const struct step *step,
                     struct arena *arena, struct err *err)
{
    struct err failure = ERR_INIT;

    if (job->error_code || job->cancel_requested_at)
        return 0;
    if (kind)
        err_set(&failure, ERR_INTERNAL, "kind %s has no step %s", job->kind, step->name);
    else
        err_set(&failure, ERR_UNKNOWN_KIND, "this version has no kind %s", job->kind);
    if (tx_job_error(tx, job, &failure, arena, err) < 0)
        return -1;
    job->error_code = err_info(failure.code)->name;
    return 0;
}

/* One step that is not over: ended, skipped or started. 1: go on to the next one. */
static int pass_step(struct tx *tx, const struct job *job, const struct step_kind *row,
                     const struct step *step, bool *cut, struct err *err)
{
    int64_t now = clock_wall_ms();
    bool this_cut = false;
    int started;

    if (step->state == STEP_RUNNING) {
        if (end_open_step(tx, step, now, &this_cut, err) < 0)
            return -1;
        *cut |= this_cut;
        return 1;
    }
    if (!row || ((job->error_code || job->cancel_requested_at) && !row->always)) {
        *cut = true;
        return tx_step_set_state(tx, step->key, STEP_SKIPPED, now, err) < 0 ? -1 : 1;
    }
    started = start_step(tx, step, now, err);
    if (started <= 0)
        return started;
    return tx_step_set_state(tx, step->key, STEP_DONE, now, err) < 0 ? -1 : 1;
}

static int go_on(struct tx *tx, struct engine *engine, struct job *job, struct arena *arena,
                 struct ending *ret_ending, struct err *err)
{
    const struct job_kind *kind = kind_find(engine->kinds, job->kind);
    struct step **steps;
    bool cut = false;
    size_t count;

    if (tx_steps_of(tx, job->key, arena, &steps, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct step_kind *row = step_kind_of(kind, steps[i]->name);
        int passed;

        cut |= steps[i]->state == STEP_CANCELLED ||
               steps[i]->state == STEP_SKIPPED; /* in an earlier transaction */
        if (steps[i]->state != STEP_WAITING && steps[i]->state != STEP_RUNNING)
            continue;
        if (steps[i]->state == STEP_RUNNING && steps[i]->open_parts > 0)
            return 0; /* somebody else's parts: not ours to end */
        if (!row && miss_step(tx, job, kind, steps[i], arena, err) < 0)
            return -1;
        passed = pass_step(tx, job, row, steps[i], &cut, err);
        if (passed <= 0)
            return passed;
    }
    return tx_job_end(tx, engine, job, end_state(job, cut), ret_ending, err);
}

int tx_job_go_on(struct tx *tx, struct engine *engine, int64_t job_key, struct ending *ret_ending,
                 struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(JOB_ARENA_MAX);
    struct job *job;

    *ret_ending = (struct ending){0};
    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory to go on");
    if (tx_job_by_key(tx, job_key, arena, &job, err) < 0)
        return -1;
    return job->state == JOB_RUNNING ? go_on(tx, engine, job, arena, ret_ending, err) : 0;
}

int tx_step_cut(struct tx *tx, struct engine *engine, const struct step *step, struct ending *ret_ending,
                struct err *err)
{
    int64_t running;

    if (tx_parts_move(tx, step->key, PART_READY, PART_CANCELLED, err) < 0 ||
        tx_parts_move(tx, step->key, PART_WAITING, PART_CANCELLED, err) < 0 ||
        tx_step_count_parts(tx, step->key, PART_RUNNING, &running, err) < 0)
        return -1;
    return running > 0 ? 0 : tx_job_go_on(tx, engine, step->job_key, ret_ending, err);
}
