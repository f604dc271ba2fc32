#include "engine/kind.h"

#include <string.h>

static int steps_sound(const struct job_kind *kind, struct err *err)
{
    int i;

    for (i = 0; i < STEPS_MAX && kind->steps[i].name; i++) {
        const struct step_kind *step = &kind->steps[i];

        if (!step->run == !step->split || !step->split != !step->part)
            return err_set(err, ERR_INTERNAL, "kind %s, step %s: give run, or split and part", kind->name,
                           step->name);
    }
    if (i == 0 || i == STEPS_MAX)
        return err_set(err, ERR_INTERNAL, "kind %s: %d steps", kind->name, i);
    return 0;
}

/* What stands on work that is done again is done again too. */
static int again_sound(const struct job_kind *kind, struct err *err)
{
    unsigned before = 0;

    for (int i = 0; kind->steps[i].name; i++) {
        if (!kind->steps[i].always && (before & ~kind->steps[i].again))
            return err_set(err, ERR_INTERNAL, "kind %s, step %s: stands on a step that is done again",
                           kind->name, kind->steps[i].name);
        before |= kind->steps[i].again;
    }
    return 0;
}

static int kind_sound(const struct job_kind *kind, struct err *err)
{
    if (!kind->name || !kind->summary || !kind->spec || !kind->result || !kind->check || !kind->plan)
        return err_set(err, ERR_INTERNAL, "kind %s: name, summary, spec, result, check and plan are needed",
                       kind->name ? kind->name : "(none)");
    if (kind->role < ROLE_OPERATOR || kind->mfa == MFA_UNSET || kind->may_destroy == DESTROYS_UNSET)
        return err_set(err, ERR_INTERNAL, "kind %s: role, mfa and may_destroy have no default", kind->name);
    if (kind->may_destroy != DESTROYS_NEVER && kind->mfa != MFA_FRESH)
        return err_set(err, ERR_INTERNAL, "kind %s: what may destroy needs fresh MFA", kind->name);
    if (kind->max_attempts < 1 || kind->spec_version < 1)
        return err_set(err, ERR_INTERNAL, "kind %s: max_attempts and spec_version start at 1", kind->name);
    if (fields_sound(kind->spec, err) < 0 || fields_sound(kind->result, err) < 0)
        return err_wrap(err, "kind %s", kind->name);
    return steps_sound(kind, err) < 0 ? -1 : again_sound(kind, err);
}

int kinds_sound(const struct job_kind *const *kinds, struct err *err)
{
    for (size_t i = 0; kinds[i]; i++) {
        if (kind_sound(kinds[i], err) < 0)
            return -1;
        if (kind_find(kinds, kinds[i]->name) != kinds[i])
            return err_set(err, ERR_INTERNAL, "kind %s stands twice in the table", kinds[i]->name);
    }
    return 0;
}

const struct job_kind *kind_find(const struct job_kind *const *kinds, const char *name)
{
    for (size_t i = 0; kinds[i]; i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

unsigned kind_again(const struct job *old)
{
    if (old->state == JOB_PARTIAL)
        return AGAIN_AFTER_PARTIAL;
    return str_is(old->error_code, err_info(ERR_MISMATCH)->name) ? AGAIN_AFTER_MISMATCH : 0;
}

static bool any_again(const struct job_kind *kind, unsigned again)
{
    for (int i = 0; kind->steps[i].name; i++)
        if (kind->steps[i].again & again)
            return true;
    return false;
}

bool kind_goes_on(const struct job_kind *kind, const struct job *old)
{
    if (!kind || !kind->takes_over)
        return false;
    /* A partial job's steps are all done: where none is done again, to go on would be to do nothing and call
     * it a success. */
    if (old->state == JOB_PARTIAL && !any_again(kind, AGAIN_AFTER_PARTIAL))
        return false;
    return !kind->anew || !kind->anew(old);
}
