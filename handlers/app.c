#include "handlers/app.h"

#include <openssl/crypto.h>

#include "audit/log.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "handlers/route.h"

#define SUMMARY_EVERY_MS 60000
#define CURSOR_KEY "cursor_key"

/* -- life -- */

struct key_ctx {
    struct arena *arena;
    uint8_t fresh[32];
    struct bytes value;
};

static int cursor_key_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct key_ctx *key = ctx;

    if (tx_setting_get(tx, CURSOR_KEY, key->arena, &key->value, err) < 0)
        return -1;
    if (key->value.data)
        return 0;
    key->value = (struct bytes){(const char *)key->fresh, sizeof(key->fresh)};
    return tx_setting_put(tx, CURSOR_KEY, key->value, err);
}

static int take_cursor_key(struct app *app, struct key_ctx *key, struct err *err)
{
    if (store_tx(app->store, "cursor key", cursor_key_tx, key, err) < 0)
        return -1;
    if (key->value.len != sizeof(app->cursor_key))
        return err_set(err, ERR_STORE_CORRUPT, "the setting %s has %zu bytes", CURSOR_KEY, key->value.len);
    memcpy(app->cursor_key, key->value.data, sizeof(app->cursor_key));
    return 0;
}

static int load_cursor_key(struct app *app, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(64 * KIB);
    struct key_ctx key = {.arena = arena};
    int result;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for a key");
    random_bytes(key.fresh, sizeof(key.fresh));
    result = take_cursor_key(app, &key, err);
    if (key.value.data) /* in the arena, or the fresh one */
        OPENSSL_cleanse((void *)(uintptr_t)key.value.data, key.value.len);
    OPENSSL_cleanse(key.fresh, sizeof(key.fresh));
    return result;
}

int app_new(const struct app_options *options, struct app **ret_app, struct err *err)
{
    struct app *app = calloc(1, sizeof(*app));

    if (!app) {
        verifier_release(options->verifier);
        return err_set(err, ERR_NO_MEMORY, "no memory for the application");
    }
    app->store = options->store;
    app->engine = options->engine;
    app->hub = options->hub;
    app->verifier = options->verifier;
    app->openapi = options->openapi;
    str_copy(app->node, sizeof(app->node), options->node);
    memcpy(app->totp_key, options->totp_key, sizeof(app->totp_key));
    app->has_totp = options->has_totp;
    app->started_at = clock_wall_ms();
    app->summed_at = clock_boot_ms();
    atomic_init(&app->reload_ok, true);
    pthread_mutex_init(&app->lock, NULL);
    if (routes_sound(routes, err) < 0 || load_cursor_key(app, err) < 0) {
        app_free(app);
        return -1;
    }
    *ret_app = app;
    return 0;
}

void app_free(struct app *app)
{
    if (!app)
        return;
    verifier_release(app->verifier);
    pthread_mutex_destroy(&app->lock);
    OPENSSL_cleanse(app->totp_key, sizeof(app->totp_key));
    OPENSSL_cleanse(app->cursor_key, sizeof(app->cursor_key));
    free(app);
}

/* -- what changes while it runs -- */

struct verifier *app_verifier_hold(struct app *app)
{
    struct verifier *verifier;

    pthread_mutex_lock(&app->lock);
    verifier = verifier_hold(app->verifier);
    pthread_mutex_unlock(&app->lock);
    return verifier;
}

void app_verifier_replace(struct app *app, struct verifier *verifier)
{
    struct verifier *old;

    pthread_mutex_lock(&app->lock);
    old = app->verifier;
    app->verifier = verifier;
    pthread_mutex_unlock(&app->lock);
    verifier_release(old);
}

void app_listener(struct app *app, struct http_server *listener)
{
    pthread_mutex_lock(&app->lock);
    app->listener = listener;
    pthread_mutex_unlock(&app->lock);
}

void app_drain(struct app *app)
{
    atomic_store(&app->draining, true);
}

void app_reloaded(struct app *app, bool ok)
{
    atomic_store(&app->reload_ok, ok);
}

/* -- 401s: counted, one row a minute -- */

struct summary {
    struct app *app;
    enum audit_action action;
    int count;
};

static int summary_tx(struct tx *tx, void *ctx, struct err *err)
{
    const struct summary *summary = ctx;
    struct audit_entry entry = audit_entry_by(NULL, summary->action, "denied");
    char detail[64];

    snprintf(detail, sizeof(detail), "{\"requests\":%d}", summary->count);
    entry.detail = detail;
    return tx_audit(tx, summary->app->node, &entry, err);
}

/* One row for what is too much for a row each. A failure leaves the count for the next minute. */
static void sum_up(struct app *app, enum audit_action action, atomic_int *counter, int beyond)
{
    int seen = atomic_exchange(counter, 0);
    struct summary summary = {.app = app, .action = action, .count = seen - beyond};
    struct err err = ERR_INIT;

    if (summary.count <= 0)
        return;
    if (store_tx(app->store, "summary", summary_tx, &summary, &err) < 0) {
        log_err(LOG_ERROR, "refused requests could not be recorded in the audit trail", &err, NULL);
        atomic_fetch_add(counter, seen); /* the next minute tells of them */
    }
}

/* The log of a flood of strangers must not fill the disk either. */
static void sum_up_lines(struct app *app)
{
    int beyond = atomic_exchange(&app->strangers, 0) - STRANGER_LINES_A_MINUTE;
    char requests[16];

    if (beyond <= 0)
        return;
    snprintf(requests, sizeof(requests), "%d", beyond);
    log_write(LOG_WARN, "more requests without a valid token than have a line", "requests", requests, NULL);
}

void app_tick(struct app *app, bool last)
{
    if (!last && clock_boot_ms() - app->summed_at < SUMMARY_EVERY_MS)
        return;
    app->summed_at = clock_boot_ms();
    sum_up(app, AUDIT_UNAUTHENTICATED_SUMMARY, &app->unauthenticated, 0);
    sum_up(app, AUDIT_AUTHORISATION_DENIED, &app->denials, DENIAL_ROWS_A_MINUTE);
    sum_up_lines(app);
}
