/* recoverd: options, one process-wide setup, and the loop over signals. */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <curl/curl.h>
#include <jansson.h>
#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/compose.h"
#include "server/notify.h"
#include "server/online.h"
#include "server/options.h"
#include "server/reload.h"

/* -- before threads -- */

/* Memory holds keys: no core, no ptrace by others of the same user. */
static void no_core(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* A connection is a file: as many as the machine's owner allows. Nothing here uses select(). */
static void raise_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void block_signals(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    sigaddset(ret_set, SIGTERM);
    sigaddset(ret_set, SIGINT);
    sigaddset(ret_set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret_set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int setup_process(sigset_t *ret_signals, struct err *err)
{
    no_core();
    raise_files();
    umask(077);
    block_signals(ret_signals);
    json_object_seed(0); /* before threads: hash tables of clients' names */
    if (OPENSSL_init_crypto(0, NULL) != 1 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return err_set(err, ERR_INTERNAL, "a library did not start");
    return 0;
}

/* -- actions -- */

static struct config *load(const char *path)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(CONFIG_ARENA_MAX);
    struct config *config;
    struct faults faults;
    struct err err = ERR_INIT;

    if (!arena) {
        fputs("recoverd: no memory for a configuration\n", stderr);
        return NULL;
    }
    faults_init(&faults, arena);
    config = config_load(path, &faults, &err);
    if (!config)
        report_faults(&faults, &err);
    return config;
}

static int fail(int code, const struct err *err)
{
    log_err(LOG_ERROR, "recoverd cannot go on", err, "hint",
            err_info(err->code)->hint[0] ? err_info(err->code)->hint : NULL, NULL);
    return code;
}

static int check(const struct options *options)
{
    struct config *config = load(options->config);
    struct err err = ERR_INIT;
    int code = EXIT_CONFIG, failed = 0;

    if (!config)
        return code;
    if (server_check(config, &err) < 0) {
        fprintf(stderr, "%s: %s\n", options->config, err.message);
    } else if (options->online && (failed = online_check(config, stdout)) > 0) {
        fprintf(stderr, "%s: %d of what was tried failed\n", options->config, failed);
    } else {
        printf("%s: no faults\n", options->config);
        code = EXIT_DRAINED;
    }
    config_release(config);
    return code;
}

static int init(const struct options *options)
{
    struct err err = ERR_INIT;

    if (config_init(options->dir, &err) < 0) {
        fprintf(stderr, "recoverd: %s\n", err.message);
        return EXIT_CONFIG;
    }
    printf("wrote %s/recoverd.yaml and its keys\nnext: recoverd --config %s/recoverd.yaml\n", options->dir,
           options->dir);
    return EXIT_DRAINED;
}

static int migrate(struct config *config)
{
    struct store_options options = {.url = config->store,
                                    .data_dir = config->data_dir,
                                    .min_free_bytes = config->min_free_bytes,
                                    .migrate_only = true};
    struct store *store = NULL;
    struct err err = ERR_INIT;

    if (mkdir(config->data_dir, 0700) < 0 && errno != EEXIST)
        err_set(&err, ERR_IO, "data folder %s: %s", config->data_dir, strerrordesc_np(errno));
    else if (store_open(&options, &store, &err) == 0)
        log_write(LOG_INFO, "the store has this version's schema", "store", config->store, NULL);
    store_close(store);
    config_release(config);
    return err.code == ERR_NONE ? EXIT_DRAINED : fail(EXIT_STORE, &err);
}

/* -- running -- */

/* Waits for the next signal, at most a second. */
static int next_signal(const sigset_t *signals)
{
    const struct timespec second = {.tv_sec = 1};

    return sigtimedwait(signals, NULL, &second);
}

static void *hurry(void *arg)
{
    const sigset_t *signals = arg;
    int got;

    do {
        while ((got = next_signal(signals)) < 0)
            pthread_testcancel();
    } while (got == SIGHUP);
    /* from here on this thread ends the process: cancelled in the log it would leave the log's lock behind */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    log_write(LOG_WARN, "a second signal: stopping at once", NULL);
    _exit(EXIT_DRAINED); /* whatever runs has its lease and its row: the next start goes on with it */
}

static void drain(struct server *server, sigset_t *signals)
{
    pthread_t watcher;
    bool watched = pthread_create(&watcher, NULL, hurry, signals) == 0;

    notify("STOPPING=1");
    log_write(LOG_INFO, "draining", NULL);
    server_drain(server, clock_boot_ms() + server->config->drain_ms);
    if (watched) {
        pthread_cancel(watcher);
        pthread_join(watcher, NULL);
    }
}

static void serve(struct server *server, sigset_t *signals)
{
    for (;;) {
        int got = next_signal(signals);

        app_tick(server->app, false);
        issuers_look(server->app, &server->said);
        log_flush();
        if (got == SIGTERM || got == SIGINT)
            return;
        if (got != SIGHUP)
            continue;
        notify_reloading();
        server_reload(server);
        notify("READY=1");
    }
}

static int run(struct config *config, sigset_t *signals)
{
    struct server server = {0};
    struct err err = ERR_INIT;
    int code;

    code = server_compose(&server, config, &err);
    if (code == 0)
        code = server_start(&server, &err);
    if (code == 0) {
        notify("READY=1");
        serve(&server, signals);
        drain(&server, signals);
        if (engine_workers_busy(server.engine) > 0) { /* they still use what server_done would free */
            log_flush();
            _exit(EXIT_DRAINED);
        }
    }
    server_done(&server);
    if (code != 0)
        return fail(code, &err);
    log_write(LOG_INFO, "drained", NULL);
    return EXIT_DRAINED;
}

int main(int argc, char **argv)
{
    struct options options;
    struct config *config;
    struct err err = ERR_INIT;
    sigset_t signals;

    if (options_parse(argc, argv, &options) != 0)
        return EXIT_CONFIG;
    if (options.action == ACTION_HELP) {
        options_help();
        return EXIT_DRAINED;
    }
    if (options.action == ACTION_VERSION) {
        printf("recoverd %s\n", RECOVERD_VERSION);
        return EXIT_DRAINED;
    }
    if (setup_process(&signals, &err) < 0)
        return fail(EXIT_INTERNAL, &err);
    if (options.action == ACTION_INIT)
        return init(&options);
    if (options.action == ACTION_CHECK)
        return check(&options);
    config = load(options.config);
    if (!config)
        return EXIT_CONFIG;
    log_setup(config->log_level, config->log_format);
    return options.action == ACTION_MIGRATE ? migrate(config) : run(config, &signals);
}
