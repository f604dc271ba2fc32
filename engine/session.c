/* Sessions on an environment for threads that are not workers: planning, and looking. */
#include <stdlib.h>

#include "base/clock.h"
#include "engine/internal.h"

struct engine_session {
    struct realm *realm;
    struct http_client *client;
    struct aws_session aws;
    bool opened;
};

static int open_on(struct engine_session *session, const char *name, int64_t budget_ms, struct err *err)
{
    const struct environment *environment = config_environment(realm_config(session->realm), name);
    int64_t deadline = clock_boot_ms() + budget_ms; /* asking for the account is part of it */
    struct aws *aws;

    if (!environment)
        return err_set(err, ERR_UNKNOWN_ENVIRONMENT, "no environment %.64s", name);
    session->client = http_client_new(err);
    if (!session->client || realm_aws(session->realm, environment, session->client, NULL, &aws, err) < 0)
        return -1;
    aws_session_init(&session->aws, aws, session->client);
    session->aws.attempted = engine_count_aws;
    session->aws.deadline_boot_ms = deadline;
    session->opened = true;
    return 0;
}

int engine_session_open(struct engine *engine, const char *environment, int64_t budget_ms,
                        struct engine_session **ret_session, struct err *err)
{
    struct engine_session *session = calloc(1, sizeof(*session));

    if (!session)
        return err_set(err, ERR_NO_MEMORY, "no memory for a session");
    session->realm = engine_realm_hold(engine);
    if (open_on(session, environment, budget_ms, err) < 0) {
        engine_session_done(session);
        return -1;
    }
    *ret_session = session;
    return 0;
}

struct aws_session *engine_session_aws(struct engine_session *session)
{
    return &session->aws;
}

void engine_session_done(struct engine_session *session)
{
    if (!session)
        return;
    if (session->opened)
        aws_session_done(&session->aws);
    http_client_free(session->client);
    realm_release(session->realm);
    free(session);
}

const char *environment_state_word(const struct environment_state *state)
{
    if (state->usable)
        return "usable";
    return state->err.code != ERR_NONE ? "unusable" : "unknown";
}

int engine_environment_state(struct engine *engine, const char *environment,
                             struct environment_state *ret_state, struct err *err)
{
    struct realm *realm = engine_realm_hold(engine);
    int result = realm_state(realm, environment, ret_state, err);

    realm_release(realm);
    return result;
}

bool engine_retry_quota(struct engine *engine, size_t n, const char **ret_service, int *ret_left)
{
    struct realm *realm;

    if (n >= AWS_SERVICE_COUNT)
        return false;
    realm = engine_realm_hold(engine);
    *ret_service = aws_service((enum aws_service_id)n)->name;
    *ret_left = realm_retry_quota(realm, (enum aws_service_id)n);
    realm_release(realm);
    return true;
}
