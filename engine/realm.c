/*
 * A realm: one configuration snapshot with the AWS client of each environment. Immutable but for what was
 * found out about each environment's account. Attempts hold the realm that they began with, so a reload
 * disturbs none of them.
 */
#include <stdlib.h>

#include "aws/sts.h"
#include "base/clock.h"
#include "engine/internal.h"

#define RECHECK_MS 60000 /* after a refusal; a success holds for the realm's life */

struct place {
    const struct environment *environment;
    struct aws *aws;
    struct err made; /* why there is no client */
    pthread_mutex_t lock;
    struct environment_state state;
    int64_t failed_at;   /* boot clock */
    struct arena *found; /* what the globs match; NULL: not asked yet */
    struct name_list tables;
};

struct realm {
    _Atomic int references;
    struct config *config;
    struct place *places;
    size_t count;
};

int realm_new(const struct config *config, struct realm **ret_realm, struct err *err)
{
    struct realm *realm = calloc(1, sizeof(*realm));

    if (!realm || !(realm->places = calloc(config->environment_count, sizeof(*realm->places)))) {
        free(realm);
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu environments", config->environment_count);
    }
    atomic_init(&realm->references, 1);
    realm->config = config_hold(config);
    realm->count = config->environment_count;
    for (size_t i = 0; i < realm->count; i++) {
        struct place *place = &realm->places[i];

        place->environment = &config->environments[i];
        pthread_mutex_init(&place->lock, NULL);
        /* An environment that cannot be used does not stop the others: its jobs say why. */
        place->aws = aws_new(place->environment, &place->made);
        place->state.err = place->made;
    }
    *ret_realm = realm;
    return 0;
}

struct realm *realm_hold(struct realm *realm)
{
    atomic_fetch_add(&realm->references, 1);
    return realm;
}

void realm_release(struct realm *realm)
{
    if (!realm || atomic_fetch_sub(&realm->references, 1) != 1)
        return;
    for (size_t i = 0; i < realm->count; i++) {
        aws_free(realm->places[i].aws);
        arena_free(realm->places[i].found);
        pthread_mutex_destroy(&realm->places[i].lock);
    }
    free(realm->places);
    config_release(realm->config);
    free(realm);
}

const struct config *realm_config(const struct realm *realm)
{
    return realm->config;
}

static struct place *find(struct realm *realm, const char *name)
{
    for (size_t i = 0; i < realm->count; i++)
        if (!strcmp(realm->places[i].environment->name, name))
            return &realm->places[i];
    return NULL;
}

/* Whose credentials are these? Asked of STS; a configured account must be the one. */
static int ask_account(const struct place *place, struct environment_state *state, struct http_client *client,
                       const struct http_interrupt *interrupt, struct err *err)
{
    struct sts_identity identity;
    struct aws_session session;
    int result;

    if (!place->environment->account) /* every endpoint is loopback: there may be no STS at all */
        return 0;
    aws_session_init(&session, place->aws, client);
    session.attempted = engine_count_aws;
    if (interrupt)
        session.interrupt = *interrupt;
    session.deadline_boot_ms = clock_boot_ms() + AWS_IDENTITY_BUDGET_MS;
    result = sts_get_caller_identity(&session, &identity, err);
    aws_session_done(&session);
    if (result < 0)
        return -1;
    str_copy(state->account, sizeof(state->account), identity.account);
    str_copy(state->arn, sizeof(state->arn), identity.arn);
    if (strcmp(identity.account, place->environment->account) != 0)
        return err_set(err, ERR_ACCOUNT_MISMATCH,
                       "environment %s: account %s is configured, the credentials are of %s",
                       place->environment->name, place->environment->account, identity.account);
    return 0;
}

/* Asked without the lock: who only wants to see the state, such as /readyz, must not wait for AWS. Two may
 * ask at once; an answer that it can be used stays. */
static int check(struct place *place, struct http_client *client, const struct http_interrupt *interrupt,
                 struct err *err)
{
    struct environment_state found;
    int64_t failed_at;

    pthread_mutex_lock(&place->lock);
    found = place->state;
    failed_at = place->failed_at;
    pthread_mutex_unlock(&place->lock);
    if (found.usable)
        return 0;
    if (found.checked && clock_boot_ms() - failed_at < RECHECK_MS && !err_info(found.err.code)->retryable) {
        *err = found.err;
        return -1;
    }
    found.err = ERR_INIT;
    found.usable = ask_account(place, &found, client, interrupt, &found.err) == 0;
    if (!found.usable && interrupt && interrupt->asked(interrupt->arg) != ERR_NONE) {
        *err = found.err; /* nothing was found out: who asks next shall ask AWS */
        return -1;
    }
    found.checked = true;
    found.checked_at = clock_wall_ms();
    pthread_mutex_lock(&place->lock);
    if (!place->state.usable)
        place->state = found;
    place->failed_at = clock_boot_ms();
    pthread_mutex_unlock(&place->lock);
    if (found.usable)
        return 0;
    *err = found.err;
    return -1;
}

int realm_aws(struct realm *realm, const struct environment *environment, struct http_client *client,
              const struct http_interrupt *interrupt, struct aws **ret_aws, struct err *err)
{
    struct place *place = find(realm, environment->name);
    int result;

    if (!place)
        return err_set(err, ERR_UNKNOWN_ENVIRONMENT, "no environment %s", environment->name);
    if (!place->aws) {
        *err = place->made;
        return -1;
    }
    result = check(place, client, interrupt, err);
    if (result == 0)
        *ret_aws = place->aws;
    return result;
}

void realm_found(struct realm *realm, const struct environment *environment, struct arena *arena,
                 struct name_list tables)
{
    struct place *place = find(realm, environment->name);
    struct arena *before;

    pthread_mutex_lock(&place->lock);
    before = place->found;
    place->found = arena;
    place->tables = tables;
    pthread_mutex_unlock(&place->lock);
    arena_free(before);
}

static bool copy_names(const struct name_list *list, struct arena *arena, struct name_list *ret_copy)
{
    const char **names = arena_array(arena, const char *, list->count + 1);

    if (!names)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!(names[i] = arena_strdup(arena, list->names[i])))
            return false;
    *ret_copy = (struct name_list){names, list->count};
    return true;
}

int realm_tables(struct realm *realm, const char *environment, struct arena *arena,
                 struct name_list *ret_tables, struct err *err)
{
    struct place *place = find(realm, environment);
    bool copied;

    if (!place)
        return err_set(err, ERR_UNKNOWN_ENVIRONMENT, "no environment %.64s", environment);
    pthread_mutex_lock(&place->lock);
    copied = copy_names(&place->tables, arena, ret_tables);
    pthread_mutex_unlock(&place->lock);
    return copied ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for the tables of %.64s", environment);
}

int realm_state(struct realm *realm, const char *environment, struct environment_state *ret_state,
                struct err *err)
{
    struct place *place = find(realm, environment);

    if (!place)
        return err_set(err, ERR_UNKNOWN_ENVIRONMENT, "no environment %.64s", environment);
    pthread_mutex_lock(&place->lock);
    *ret_state = place->state;
    pthread_mutex_unlock(&place->lock);
    if (place->aws) {
        credentials_status(aws_credentials(place->aws), ret_state->source, &ret_state->credentials_expire_at);
        ret_state->clock_offset_ms = aws_clock_offset_ms(place->aws);
    }
    return 0;
}

int realm_retry_quota(struct realm *realm, enum aws_service_id service)
{
    int least = RETRY_QUOTA;

    for (size_t i = 0; i < realm->count; i++) {
        int left = realm->places[i].aws ? aws_retry_quota(realm->places[i].aws, service) : RETRY_QUOTA;

        if (left < least)
            least = left;
    }
    return least;
}
