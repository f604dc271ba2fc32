/* Who asks for what: kind, environment, role, fields and names, judged before anything is read from AWS. */
#include "engine/internal.h"

static void config_release_p(void *config)
{
    config_release(config);
}

struct spec_of {
    struct arena *arena;
    int64_t job_key;
    struct bytes spec;
};

static int read_spec(struct tx *tx, void *ctx, struct err *err)
{
    struct spec_of *of = ctx;

    return tx_document_get(tx, of->job_key, "spec", of->arena, &of->spec, err);
}

int spec_parse(struct bytes text, struct arena *arena, json_t **ret_spec, struct err *err)
{
    static const struct json_limits limits = {.max_depth = DOCUMENT_DEPTH};

    *ret_spec = NULL;
    if (!text.len)
        return 0;
    if (json_parse(text, &limits, ret_spec, err) < 0)
        return -1;
    if (arena_defer(arena, json_decref_p, *ret_spec) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a spec");
    return 0;
}

/* A retry says nothing new: kind, environment and spec are the old job's. */
static int take_from_retried(struct engine *engine, struct submit *submit, struct ask *ask, struct err *err)
{
    struct spec_of of = {.arena = submit->arena};
    struct job *old;

    if (engine_job(engine, submit->principal, &submit->retry_of, submit->arena, &old, err) < 0)
        return -1;
    if (!job_state_final(old->state))
        return err_set(err, ERR_JOB_STATE, "the job is %s; only a job that has ended can be tried again",
                       job_state_name(old->state));
    if (old->state == JOB_SUCCEEDED)
        return err_set(err, ERR_NOT_RETRYABLE, "the job has succeeded");
    of.job_key = old->key;
    if (store_read(engine->store, read_spec, &of, err) < 0)
        return -1;
    submit->kind = old->kind;
    submit->environment = old->environment;
    if (kind_goes_on(kind_find(engine->kinds, old->kind), old))
        ask->retry_of = old;
    return spec_parse(of.spec, submit->arena, &submit->spec, err);
}

static int judge_place(struct ask *ask, const struct submit *submit, struct err *err)
{
    if (!submit->environment || !principal_sees(ask->principal, submit->environment) ||
        !(ask->environment = config_environment(ask->config, submit->environment)))
        return err_set_at(err, ERR_UNKNOWN_ENVIRONMENT, "/environment", "no environment %.64s among yours",
                          submit->environment ? submit->environment : "(none)");
    if (!principal_may(ask->principal, ask->kind->role, ask->environment->name))
        return err_set(err, ERR_FORBIDDEN, "%s needs the role %s@%s", ask->kind->name,
                       role_name(ask->kind->role), ask->environment->name);
    return 0;
}

static int judge_spec(struct ask *ask, const struct submit *submit, struct err *err)
{
    json_t *empty = NULL;
    json_t *spec;

    if (!submit->spec)
        empty = json_object();
    spec = fields_check(ask->kind->spec, submit->spec ? submit->spec : empty, "/spec", ask->faults);
    json_decref(empty);
    if (!spec)
        return faults_end(ask->faults, ERR_INVALID_SPEC, err);
    if (arena_defer(ask->arena, json_decref_p, spec) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a spec");
    ask->spec = spec;
    if (ask->kind->check(ask, err) < 0)
        return -1;
    return faults_end(ask->faults, ERR_INVALID_SPEC, err);
}

int ask_prepare(struct engine *engine, struct submit *submit, struct ask *ask, struct err *err)
{
    *ask = (struct ask){
        .engine = engine, .principal = submit->principal, .arena = submit->arena, .faults = submit->faults};
    ask->config = engine_config_hold(engine);
    if (arena_defer(ask->arena, config_release_p, (void *)(uintptr_t)ask->config) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request");
    if (!id_is_zero(&submit->retry_of) && take_from_retried(engine, submit, ask, err) < 0)
        return -1;
    ask->kind = submit->kind ? kind_find(engine->kinds, submit->kind) : NULL;
    if (!ask->kind)
        return err_set_at(err, ERR_UNKNOWN_KIND, "/kind", "no kind %.64s",
                          submit->kind ? submit->kind : "(none)");
    if (judge_place(ask, submit, err) < 0)
        return -1;
    return judge_spec(ask, submit, err);
}
