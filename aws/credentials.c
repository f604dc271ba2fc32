#include <pthread.h>

#include "aws/credentials_internal.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/id.h"

#define MINUTE_MS 60000LL
#define ADVISORY_MS (15 * MINUTE_MS)
#define MANDATORY_MS (10 * MINUTE_MS)
#define RETRY_MS (MINUTE_MS) /* after a refresh that failed while the old ones are good */
#define WAIT_STEP_MS 200

struct credentials_provider {
    struct credentials_settings settings; /* immutable */
    pthread_mutex_t mutex;                /* guards the rest */
    pthread_cond_t refreshed;
    bool refreshing;
    bool have;
    bool rejected;
    struct aws_credentials current;
    int64_t fetched_ms;
    int64_t next_try_ms; /* no refresh before, while the old ones are good */
};

static void free_settings(struct credentials_settings *settings)
{
    free(settings->profile);
    free(settings->role_arn);
    free(settings->external_id);
    free(settings->region);
    free(settings->session_name);
}

/* False without memory: half of what says whose credentials these are would be somebody else's. */
static bool copy(const char *text, char **ret_copy)
{
    *ret_copy = text ? strdup(text) : NULL;
    return !text || *ret_copy;
}

/* Role session names take [\w+=,.@-]; CloudTrail shows them. */
static char *session_name(const char *environment)
{
    char text[64];
    size_t len =
        (size_t)snprintf(text, sizeof(text), "recoverd-%.40s", environment ? environment : "default");

    for (size_t i = 0; i < len; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", text[i]))
            text[i] = '-';
    }
    return strdup(text);
}

struct credentials_provider *credentials_provider_new(const struct environment *environment, struct err *err)
{
    struct credentials_provider *provider = calloc(1, sizeof(*provider));

    if (!provider) {
        err_set(err, ERR_NO_MEMORY, "no memory for credentials");
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_mutex_init(&provider->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* the wall clock may jump */
    pthread_cond_init(&provider->refreshed, &attributes);
    pthread_condattr_destroy(&attributes);
    struct credentials_settings *settings = &provider->settings;
    settings->session_name = session_name(environment->name);
    bool copied = copy(environment->profile, &settings->profile) &&
                  copy(environment->role_arn, &settings->role_arn) &&
                  copy(environment->external_id, &settings->external_id) &&
                  copy(environment->region, &settings->region) && settings->session_name;
    if (copied && aws_endpoint_find(environment, AWS_STS, &settings->sts, err) == 0)
        return provider;
    if (!copied)
        err_set(err, ERR_NO_MEMORY, "no memory for credentials");
    credentials_provider_free(provider);
    return NULL;
}

void credentials_provider_free(struct credentials_provider *provider)
{
    if (!provider)
        return;
    aws_credentials_done(&provider->current);
    free_settings(&provider->settings);
    pthread_mutex_destroy(&provider->mutex);
    pthread_cond_destroy(&provider->refreshed);
    free(provider);
}

/* -- fetching -- */

static int fetch_chain(const struct fetch *fetch, struct aws_credentials *ret, struct err *err)
{
    static credentials_fetch *const chain[] = {credentials_from_env, credentials_from_profile,
                                               credentials_from_web_identity, credentials_from_container,
                                               credentials_from_imds};

    for (size_t i = 0; i < COUNT_OF(chain); i++) {
        int rc = chain[i](fetch, ret, err);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
    }
    return err_set(
        err, ERR_AWS_CREDENTIALS,
        "none in the environment, the shared files, a web identity, a container or instance metadata");
}

static int fetch_all(const struct fetch *fetch, struct aws_credentials *ret, struct err *err)
{
    struct aws_credentials base = {0};
    struct role role = {.arn = fetch->settings->role_arn, .external_id = fetch->settings->external_id};
    bool own = fetch->settings->profile != NULL;

    int rc =
        own ? (credentials_from_profile(fetch, &base, err) > 0 ? 0 : -1) : fetch_chain(fetch, &base, err);
    if (rc == 0 && role.arn)
        rc = credentials_assume_role(fetch, &role, &base, ret, err);
    else if (rc == 0)
        *ret = base;
    aws_credentials_done(&base);
    return rc;
}

/* Instance metadata may be ill and hand out old credentials: AWS accepts them longer than they say. */
static void keep_stable(struct aws_credentials *credentials, int64_t now_ms)
{
    uint32_t jitter;

    random_bytes(&jitter, sizeof(jitter));
    credentials->expires_ms = now_ms + MANDATORY_MS + 2 * MINUTE_MS + jitter % (8 * MINUTE_MS);
}

static bool is_stable_source(const struct aws_credentials *credentials)
{
    return strcmp(credentials->source, "imds") == 0;
}

/* -- refreshing: all with the mutex held -- */

enum freshness { FRESH, ADVISORY, MANDATORY };

static enum freshness freshness(const struct credentials_provider *provider, int64_t now_ms)
{
    int64_t end = provider->current.expires_ms;
    int64_t lifetime = end - provider->fetched_ms;
    int64_t advisory = lifetime / 4 < ADVISORY_MS ? lifetime / 4 : ADVISORY_MS;
    int64_t mandatory = lifetime / 6 < MANDATORY_MS ? lifetime / 6 : MANDATORY_MS;

    if (!provider->have || provider->rejected)
        return MANDATORY;
    if (end == 0)
        return FRESH;
    if (now_ms < provider->next_try_ms && now_ms < end)
        return FRESH; /* they still work, and a refresh failed a moment ago */
    if (now_ms >= end - mandatory)
        return MANDATORY;
    return now_ms >= end - advisory ? ADVISORY : FRESH;
}

static void take_over(struct credentials_provider *provider, const struct aws_credentials *fresh,
                      int64_t now_ms)
{
    provider->current = *fresh;
    provider->have = true;
    provider->rejected = false;
    provider->fetched_ms = now_ms;
    provider->next_try_ms = 0;
    if (fresh->expires_ms != 0 && fresh->expires_ms <= now_ms && is_stable_source(fresh))
        keep_stable(&provider->current, now_ms);
}

/* After a failure: may the old ones be used on? */
static bool go_on_with_old(struct credentials_provider *provider, int64_t now_ms)
{
    if (!provider->have || provider->rejected)
        return false;
    provider->next_try_ms = now_ms + RETRY_MS;
    if (provider->current.expires_ms == 0 || now_ms < provider->current.expires_ms)
        return true;
    if (!is_stable_source(&provider->current))
        return false;
    keep_stable(&provider->current, now_ms);
    provider->fetched_ms = now_ms;
    return true;
}

/* This thread fetches, without the mutex; the others see `refreshing`. */
static int refresh(struct credentials_provider *provider, struct http_client *http,
                   const struct http_interrupt *interrupt, int64_t now_ms, struct err *err)
{
    struct fetch fetch = {
        .settings = &provider->settings, .http = http, .interrupt = interrupt, .now_ms = &now_ms};
    struct aws_credentials fresh = {0};
    struct err failed = ERR_INIT;

    provider->refreshing = true;
    pthread_mutex_unlock(&provider->mutex);
    int rc = fetch_all(&fetch, &fresh, &failed);
    pthread_mutex_lock(&provider->mutex);
    provider->refreshing = false;
    pthread_cond_broadcast(&provider->refreshed);
    if (rc == 0 && fresh.expires_ms != 0 && fresh.expires_ms <= now_ms && !is_stable_source(&fresh))
        rc = err_set(&failed, ERR_AWS_CREDENTIALS, "%s: the credentials that came have expired already",
                     fresh.source);
    if (rc == 0) {
        take_over(provider, &fresh, now_ms);
    } else if (failed.code == ERR_AWS_CREDENTIALS && go_on_with_old(provider, now_ms)) {
        rc = 0; /* they still work; the next window tries again */
    } else if (err->code == ERR_NONE) {
        *err = failed;
    }
    aws_credentials_done(&fresh);
    return rc;
}

/* Waits a moment for another thread's refresh; -1 when this thread's own call is interrupted. */
static int wait_for_other(struct credentials_provider *provider, const struct http_interrupt *interrupt,
                          struct err *err)
{
    struct timespec until;
    enum err_code code = interrupt && interrupt->asked ? interrupt->asked(interrupt->arg) : ERR_NONE;

    if (code != ERR_NONE)
        return err_set(err, code, "waiting for credentials was interrupted");
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_STEP_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&provider->refreshed, &provider->mutex, &until);
    return 0;
}

int credentials_get(struct credentials_provider *provider, struct http_client *http,
                    const struct http_interrupt *interrupt, int64_t now_ms,
                    struct aws_credentials *ret_credentials, struct err *err)
{
    int rc = 0;

    pthread_mutex_lock(&provider->mutex);
    for (;;) {
        enum freshness state = freshness(provider, now_ms);
        if (state == FRESH || (state == ADVISORY && provider->refreshing))
            break;
        if (!provider->refreshing) {
            rc = refresh(provider, http, interrupt, now_ms, err);
            break;
        }
        rc = wait_for_other(provider, interrupt, err);
        if (rc != 0)
            break;
    }
    if (rc == 0)
        *ret_credentials = provider->current;
    pthread_mutex_unlock(&provider->mutex);
    return rc;
}

void credentials_reject(struct credentials_provider *provider, const char *access_key)
{
    pthread_mutex_lock(&provider->mutex);
    if (provider->have && strcmp(provider->current.access_key, access_key) == 0)
        provider->rejected = true;
    pthread_mutex_unlock(&provider->mutex);
}

void credentials_status(struct credentials_provider *provider, char ret_source[24], int64_t *ret_expires_ms)
{
    pthread_mutex_lock(&provider->mutex);
    str_copy(ret_source, 24, provider->current.source);
    *ret_expires_ms = provider->current.expires_ms;
    pthread_mutex_unlock(&provider->mutex);
}
