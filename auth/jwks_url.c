#include "auth/jwks_url.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/http_client.h"

#define LOOK_MS                                                                                              \
    60000 /* the thread looks at the clock this often: boot time also runs while a machine sleeps */

struct jwks_url {
    atomic_uint references;
    atomic_uint_fast64_t generation;
    char *url;
    char *ca_file; /* NULL: the system's */
    char **algorithms;
    size_t algorithm_count;
    struct http_client *client; /* the thread's, but for its wake */
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t work, done;
    bool ending, wanted, fetching, tried;
    int waiters;
    int64_t tried_at, due_at; /* boot clock */
    uint64_t fetches;         /* that have ended */
    struct key_set *keys;
    uint8_t sha256[32]; /* of the text that `keys` was made of */
    struct jwks_url_state state;
};

/* -- making -- */

static void init_waits(struct jwks_url *source)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&source->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&source->work, &attributes);
    pthread_cond_init(&source->done, &attributes);
    pthread_condattr_destroy(&attributes);
}

static bool copy_algorithms(struct jwks_url *source, const struct name_list *list)
{
    source->algorithms = calloc(list->count ? list->count : 1, sizeof(char *));
    for (size_t i = 0; source->algorithms && i < list->count; i++) {
        if (!(source->algorithms[i] = strdup(list->names[i])))
            return false;
        source->algorithm_count++;
    }
    return source->algorithms != NULL;
}

int jwks_url_new(const struct issuer_config *issuer, struct jwks_url **ret_source, struct err *err)
{
    struct jwks_url *source = calloc(1, sizeof(*source));

    if (!source)
        return err_set(err, ERR_NO_MEMORY, "no memory for an issuer");
    atomic_init(&source->references, 1);
    atomic_init(&source->generation, 0);
    init_waits(source);
    source->url = strdup(issuer->key_location);
    source->ca_file = issuer->jwks_ca_file ? strdup(issuer->jwks_ca_file) : NULL;
    source->client = http_client_new_trusting(source->ca_file, err);
    if (!source->client || !source->url || (issuer->jwks_ca_file && !source->ca_file) ||
        !copy_algorithms(source, &issuer->algorithms)) {
        jwks_url_release(source);
        return err_set(err, ERR_NO_MEMORY, "no memory for an issuer");
    }
    *ret_source = source;
    return 0;
}

struct jwks_url *jwks_url_hold(struct jwks_url *source)
{
    atomic_fetch_add_explicit(&source->references, 1, memory_order_relaxed);
    return source;
}

static void end_thread(struct jwks_url *source)
{
    pthread_mutex_lock(&source->lock);
    source->ending = true;
    pthread_cond_broadcast(&source->work);
    pthread_mutex_unlock(&source->lock);
    http_client_wake(source->client);
    pthread_join(source->thread, NULL);
}

void jwks_url_release(struct jwks_url *source)
{
    if (!source || atomic_fetch_sub_explicit(&source->references, 1, memory_order_acq_rel) != 1)
        return;
    if (source->started)
        end_thread(source);
    http_client_free(source->client);
    key_set_free(source->keys);
    for (size_t i = 0; i < source->algorithm_count; i++)
        free(source->algorithms[i]);
    free(source->algorithms);
    free(source->ca_file);
    free(source->url);
    pthread_cond_destroy(&source->work);
    pthread_cond_destroy(&source->done);
    pthread_mutex_destroy(&source->lock);
    free(source);
}

bool jwks_url_fits(const struct jwks_url *source, const struct issuer_config *issuer)
{
    if (issuer->key_source != KEY_JWKS_URL || strcmp(source->url, issuer->key_location) != 0 ||
        !str_is(source->ca_file, issuer->jwks_ca_file) || source->algorithm_count != issuer->algorithms.count)
        return false;
    for (size_t i = 0; i < source->algorithm_count; i++)
        if (strcmp(source->algorithms[i], issuer->algorithms.names[i]) != 0)
            return false;
    return true;
}

/* -- fetching: the thread -- */

/* The number behind `name=` among the directives; -1 without. Quotes are taken, though RFC 9111 5.2 has none
 * here. */
static int64_t directive(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = text; at && *at;) {
        int64_t number;

        at += strspn(at, " \t,");
        if (strncasecmp(at, name, len) == 0 && at[len] == '=') {
            const char *value = at + len + 1 + (at[len + 1] == '"');

            return int_parse((struct bytes){value, strspn(value, "0123456789")}, &number) ? number : -1;
        }
        at = strchr(at, ',');
    }
    return -1;
}

int64_t jwks_url_lifetime_ms(const char *cache_control, const char *age)
{
    int64_t lifetime_s = directive(cache_control, "max-age");
    int64_t age_s = 0;

    if (lifetime_s < 0)
        return JWKS_AGE_DEFAULT_MS;
    if (lifetime_s > JWKS_AGE_MAX_MS / 1000)
        lifetime_s = JWKS_AGE_MAX_MS / 1000;
    if (age && int_parse(bytes_of(age), &age_s) && age_s > 0)
        lifetime_s = age_s < lifetime_s ? lifetime_s - age_s : 0;
    return lifetime_s * 1000 < JWKS_AGE_MIN_MS ? JWKS_AGE_MIN_MS : lifetime_s * 1000;
}

static enum err_code ending(void *arg)
{
    struct jwks_url *source = arg;

    pthread_mutex_lock(&source->lock);
    bool yes = source->ending;
    pthread_mutex_unlock(&source->lock);
    return yes ? ERR_DRAINING : ERR_NONE;
}

/* What one fetch brought. */
struct fetched {
    struct key_set *keys;
    uint8_t sha256[32];
    int64_t lifetime_ms;
};

static int read_answer(const struct jwks_url *source, const struct http_answer *answer,
                       struct fetched *fetched, struct err *err)
{
    const struct name_list algorithms = {(const char *const *)source->algorithms, source->algorithm_count};
    struct bytes text = buffer_bytes(&answer->body);

    if (answer->status / 100 == 3)
        return err_set(err, ERR_CONFIG, "%.200s answers %d; redirects are not followed", source->url,
                       answer->status);
    if (answer->status != 200)
        return err_set(err, ERR_CONFIG, "%.200s answers %d", source->url, answer->status);
    if (EVP_Digest(text.data ? text.data : "", text.len, fetched->sha256, NULL, EVP_sha256(), NULL) != 1)
        return err_set(err, ERR_INTERNAL, "sha-256 is not available");
    fetched->lifetime_ms =
        jwks_url_lifetime_ms(http_answer_header(answer, "cache-control"), http_answer_header(answer, "age"));
    return key_set_from_jwks(text, &algorithms, source->url, &fetched->keys, err);
}

static int fetch(struct jwks_url *source, struct fetched *fetched, struct err *err)
{
    static const struct http_header headers[] = {{"Accept", "application/jwk-set+json, application/json"}};
    struct http_answer answer = HTTP_ANSWER_INIT;
    const struct http_call call = {.method = "GET",
                                   .url = source->url,
                                   .headers = headers,
                                   .header_count = COUNT_OF(headers),
                                   .reply_max = JWKS_MAX,
                                   .timeout_ms = JWKS_FETCH_MS,
                                   .interrupt = {ending, source}};
    int rc = http_client_send(source->client, &call, &answer, err);

    if (rc == 0)
        rc = read_answer(source, &answer, fetched, err);
    http_answer_done(&answer);
    return rc;
}

/* Under the lock. */
static void take(struct jwks_url *source, struct fetched *fetched, const struct err *err)
{
    int64_t now = clock_boot_ms();

    source->fetches++;
    source->state.err = *err;
    source->due_at = now + (err->code == ERR_NONE ? fetched->lifetime_ms : JWKS_RETRY_MS);
    if (err->code != ERR_NONE)
        return;
    source->state.loaded = true;
    source->state.loaded_at_ms = clock_wall_ms();
    if (source->keys && memcmp(source->sha256, fetched->sha256, sizeof(source->sha256)) == 0)
        return;
    struct key_set *former = source->keys;
    source->keys = TAKE(fetched->keys);
    memcpy(source->sha256, fetched->sha256, sizeof(source->sha256));
    atomic_fetch_add(&source->generation, 1);
    key_set_free(former);
}

static bool is_due(const struct jwks_url *source, int64_t now)
{
    return !source->tried || now >= source->due_at ||
           (source->wanted && now - source->tried_at >= JWKS_RETRY_MS);
}

static struct timespec in_ms(int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

static void pause_until_due(struct jwks_url *source, int64_t now)
{
    int64_t left = source->due_at - now;
    struct timespec until = in_ms(left < LOOK_MS ? left : LOOK_MS);

    pthread_cond_timedwait(&source->work, &source->lock, &until);
}

static void *fetch_main(void *arg)
{
    struct jwks_url *source = arg;

    pthread_mutex_lock(&source->lock);
    while (!source->ending) {
        struct fetched fetched = {0};
        struct err err = ERR_INIT;
        int64_t now = clock_boot_ms();

        if (!is_due(source, now)) {
            pause_until_due(source, now);
            continue;
        }
        source->wanted = false;
        source->tried = source->fetching = true;
        source->tried_at = now;
        pthread_mutex_unlock(&source->lock);
        fetch(source, &fetched, &err);
        pthread_mutex_lock(&source->lock);
        source->fetching = false;
        take(source, &fetched, &err);
        key_set_free(fetched.keys);
        pthread_cond_broadcast(&source->done);
    }
    pthread_mutex_unlock(&source->lock);
    return NULL;
}

int jwks_url_start(struct jwks_url *source, struct err *err)
{
    if (source->started)
        return 0;
    if (pthread_create(&source->thread, NULL, fetch_main, source) != 0)
        return err_set(err, ERR_NO_MEMORY, "no thread to fetch keys");
    source->started = true;
    return 0;
}

/* -- asking -- */

struct key_set *jwks_url_keys(struct jwks_url *source)
{
    struct key_set *keys;

    pthread_mutex_lock(&source->lock);
    if (!source->fetching && is_due(source, clock_boot_ms()))
        pthread_cond_signal(&source->work);
    keys = source->keys ? key_set_hold(source->keys) : NULL;
    pthread_mutex_unlock(&source->lock);
    return keys;
}

/* Under the lock: is there a fetch to wait for, going on or allowed now? */
static bool may_wait(const struct jwks_url *source)
{
    if (!source->started || source->waiters >= JWKS_WAITERS_MAX)
        return false;
    return source->fetching || !source->tried || clock_boot_ms() - source->tried_at >= JWKS_RETRY_MS;
}

static void wait_for_fetch(struct jwks_url *source)
{
    const struct timespec until = in_ms(JWKS_WAIT_MS);
    const uint64_t before = source->fetches;

    source->wanted = true;
    source->waiters++;
    pthread_cond_signal(&source->work);
    for (int rc = 0; rc == 0 && source->fetches == before;)
        rc = pthread_cond_timedwait(&source->done, &source->lock, &until);
    source->waiters--;
    source->wanted = source->wanted && source->waiters > 0; /* a fetch that was joined has answered it */
}

struct key_set *jwks_url_renewed(struct jwks_url *source, const struct key_set *seen)
{
    struct key_set *keys = NULL;

    pthread_mutex_lock(&source->lock);
    if (source->keys == seen && may_wait(source))
        wait_for_fetch(source);
    if (source->keys && source->keys != seen)
        keys = key_set_hold(source->keys);
    pthread_mutex_unlock(&source->lock);
    return keys;
}

uint64_t jwks_url_generation(const struct jwks_url *source)
{
    return atomic_load(&source->generation);
}

struct jwks_url_state jwks_url_look(struct jwks_url *source)
{
    struct jwks_url_state state;

    pthread_mutex_lock(&source->lock);
    state = source->state;
    pthread_mutex_unlock(&source->lock);
    return state;
}
