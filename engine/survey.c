/*
 * What is there: at the start, after a reload and each hour, each environment's account is checked and its
 * globs are matched with the tables that AWS lists, so that /readyz tells of a wrong account, and the metrics
 * of a table that nobody ever backed up, before the first job asks.
 */
#include "aws/dynamodb.h"
#include "base/clock.h"
#include "engine/internal.h"

#define SURVEY_MS 3600000
#define SURVEY_AGAIN_MS 60000 /* those that could not be looked at */
#define SURVEY_BUDGET_MS 60000

struct survey {
    struct engine *engine;
    struct realm *realm;
    struct http_interrupt interrupt;
    int64_t all_at;                              /* boot clock: when all of them are looked at again */
    enum err_code said[CONFIG_ENVIRONMENTS_MAX]; /* of each in the log; ERR_COUNT: nothing yet */
};

/* A reload makes another realm, of which nothing is known yet. */
static enum err_code told(void *arg)
{
    struct survey *survey = arg;
    enum err_code code;

    pthread_mutex_lock(&survey->engine->lock);
    code = survey->engine->closing                  ? ERR_DRAINING
           : survey->engine->realm != survey->realm ? ERR_CANCELLED
                                                    : ERR_NONE;
    pthread_mutex_unlock(&survey->engine->lock);
    return code;
}

static int list_tables(struct survey *survey, const struct environment *environment, struct aws *aws,
                       struct arena *arena, struct name_list *ret_tables, struct err *err)
{
    struct aws_session session;
    int result;

    aws_session_init(&session, aws, survey->engine->surveyor_client);
    session.attempted = engine_count_aws;
    session.interrupt = survey->interrupt;
    session.deadline_boot_ms = clock_boot_ms() + SURVEY_BUDGET_MS;
    result = dynamodb_tables_of(&session, environment, ENVIRONMENT_TABLES_MAX, arena, ret_tables, err);
    aws_session_done(&session);
    return result;
}

/* What was found before stays until there is better. */
static int look_at(struct survey *survey, const struct environment *environment, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = NULL;
    struct name_list tables;
    struct aws *aws;

    if (realm_aws(survey->realm, environment, survey->engine->surveyor_client, &survey->interrupt, &aws,
                  err) < 0)
        return -1;
    if (!environment_has_globs(environment))
        return 0;
    arena = arena_new(AWS_CONTROL_REPLY_MAX);
    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for the tables of %s", environment->name);
    if (list_tables(survey, environment, aws, arena, &tables, err) < 0)
        return err_wrap(err, "tables of environment %s", environment->name);
    realm_found(survey->realm, environment, TAKE(arena), tables);
    return 0;
}

/* Once, not each time. */
static void tell(struct survey *survey, size_t i, const struct err *err)
{
    const char *name = realm_config(survey->realm)->environments[i].name;

    if (err->code == survey->said[i] || told(survey) != ERR_NONE)
        return;
    survey->said[i] = err->code;
    if (err->code == ERR_NONE)
        log_write(LOG_INFO, "environment can be used", "environment", name, NULL);
    else
        log_err(LOG_WARN, "an environment could not be looked at", err, "environment", name, NULL);
}

/* All that it is time for; returns how long there is nothing more to do. */
static int64_t look_at_all(struct survey *survey)
{
    const struct config *config = realm_config(survey->realm);
    bool all = clock_boot_ms() >= survey->all_at;
    bool complete = true;

    if (all)
        survey->all_at = clock_boot_ms() + SURVEY_MS;
    for (size_t i = 0; i < config->environment_count && told(survey) == ERR_NONE; i++) {
        struct err err = ERR_INIT;

        if (!all && survey->said[i] == ERR_NONE)
            continue;
        if (look_at(survey, &config->environments[i], &err) < 0)
            complete = false;
        tell(survey, i, &err);
    }
    return complete ? survey->all_at - clock_boot_ms() : SURVEY_AGAIN_MS;
}

void *survey_main(void *arg)
{
    struct engine *engine = arg;
    enum err_code code = ERR_NONE;

    while (code != ERR_DRAINING) {
        struct survey survey = {.engine = engine, .realm = engine_realm_hold(engine)};
        struct err err = ERR_INIT;
        int64_t pause_ms;

        survey.interrupt = (struct http_interrupt){told, &survey};
        for (size_t i = 0; i < COUNT_OF(survey.said); i++)
            survey.said[i] = ERR_COUNT;
        do {
            pause_ms = look_at_all(&survey);
        } while (http_client_sleep(engine->surveyor_client, pause_ms, &survey.interrupt, &err) == 0);
        code = told(&survey);
        realm_release(survey.realm);
    }
    return NULL;
}

int engine_tables_found(struct engine *engine, const char *environment, struct arena *arena,
                        struct name_list *ret_tables, struct err *err)
{
    struct realm *realm = engine_realm_hold(engine);
    int result = realm_tables(realm, environment, arena, ret_tables, err);

    realm_release(realm);
    return result;
}
