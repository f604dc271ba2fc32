/* A retry goes on where the job before it stopped: what was done stays done, and so does what was said about
 * it. */
#include "engine/internal.h"

struct taking {
    struct tx *tx;
    const struct job *old;
    struct job *job;
    struct arena *arena;
    struct step **steps; /* of the new job */
    size_t step_count;
};

/* What gives back ran for the old job, and the new one gives back its own; what was found wrong, or was not
 * all, is done again. */
static int renew_steps(const struct taking *t, const struct job_kind *kind, struct err *err)
{
    unsigned again = kind_again(t->old);

    for (size_t i = 0; i < t->step_count; i++)
        for (int k = 0; kind->steps[k].name; k++) {
            if (strcmp(kind->steps[k].name, t->steps[i]->name) ||
                !(kind->steps[k].always || kind->steps[k].again & again))
                continue;
            if (tx_step_renew(t->tx, t->steps[i]->key, err) < 0)
                return -1;
            t->steps[i]->state = STEP_WAITING;
        }
    return 0;
}

static int copy(const struct taking *t, const char *name, struct err *err)
{
    struct bytes document;

    if (tx_document_get(t->tx, t->old->key, name, t->arena, &document, err) < 0)
        return -1;
    return document.data ? tx_document_put(t->tx, t->job->key, name, document, err) : 0;
}

static bool is_done(const struct taking *t, const char *step)
{
    for (size_t i = 0; i < t->step_count; i++)
        if (str_is(t->steps[i]->name, step))
            return t->steps[i]->state == STEP_DONE;
    return false;
}

/* Of the conditions those that a step said which is not done again. */
static int copy_conditions(const struct taking *t, struct err *err)
{
    static const struct json_limits limits = {.max_depth = DOCUMENT_DEPTH};
    json_auto_t *conditions = NULL;
    struct bytes document;
    size_t i = 0;

    if (tx_document_get(t->tx, t->old->key, "conditions", t->arena, &document, err) < 0)
        return -1;
    if (document.data && json_parse(document, &limits, &conditions, err) < 0)
        return -1;
    while (i < json_array_size(conditions))
        if (is_done(t, json_get_text(json_array_get(conditions, i), "step")))
            i++;
        else
            json_array_remove(conditions, i);
    if (i == 0)
        return 0;
    document = bytes_of(json_canonical(t->arena, conditions));
    if (!document.data)
        return err_set(err, ERR_NO_MEMORY, "no memory for conditions");
    return tx_document_put(t->tx, t->job->key, "conditions", document, err) < 0
               ? -1
               : tx_job_set_partial(t->tx, t->job->key, err);
}

int tx_take_over(struct tx *tx, const struct job_kind *kind, const struct job *old, struct job *job,
                 struct arena *arena, struct err *err)
{
    struct taking t = {.tx = tx, .old = old, .job = job, .arena = arena};

    if (tx_job_take_over(tx, old->key, job->key, err) < 0 ||
        tx_documents_copy_state(tx, old->key, job->key, err) < 0 ||
        tx_steps_of(tx, job->key, arena, &t.steps, &t.step_count, err) < 0)
        return -1;
    if (renew_steps(&t, kind, err) < 0 || copy(&t, "result", err) < 0 || copy(&t, "left_behind", err) < 0)
        return -1;
    return copy_conditions(&t, err);
}
