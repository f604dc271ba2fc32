/* A whole server in this process: started, reloaded all or nothing, drained; what it says of itself is in the
 * trail. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/compose.h"
#include "server/notify.h"
#include "server/options.h"
#include "server/reload.h"
#include "store/audit_log.h"
#include "tests/support/folder.h"

static char dir[FOLDER_SIZE];
static int api_port, ops_port;
static struct server server;
static struct arena *arena;

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    _cleanup_(cleanup_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&address, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return 0;
    return ntohs(address.sin_port);
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* `secret` is the issuer's key file; `more` stands at the top level, `of_environment` in the environment. */
static void write_config(const char *secret, const char *more, const char *of_environment)
{
    char text[2048];

    snprintf(text, sizeof(text),
             "listen: 127.0.0.1:%d\nops_listen: 127.0.0.1:%d\ndata_dir: data\nstore: "
             "sqlite:%s/data/recoverd.db\nnode: test\n"
             "workers: {threads: 2, min_free: 1MiB, drain: 5s}\n%s"
             "auth:\n  issuers:\n    - {issuer: local, audiences: [recoverd], algorithms: [HS256], "
             "secret_file: %s}\n"
             "environments:\n  test:\n    region: us-east-1\n    tables: [Tab1]\n    endpoint_url: "
             "http://127.0.0.1:9\n"
             "    recovery_points: file://%s/points\n    allow_unencrypted: true\n%s",
             api_port, ops_port, dir, more, secret, dir, of_environment);
    write_file("recoverd.yaml", text);
}

static struct config *load(void)
{
    struct faults faults;
    struct config *config;
    struct err err = ERR_INIT;
    char path[128];

    snprintf(path, sizeof(path), "%s/recoverd.yaml", dir);
    faults_init(&faults, arena);
    config = config_load(path, &faults, &err);
    if (!config)
        fail_msg("%s", faults.count ? faults.list[0].detail : err.message);
    return config;
}

static int up(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    log_setup(LOG_ERROR + 1, LOG_JSON);
    folder_make("server", dir);
    arena = arena_new(16 * MIB);
    api_port = free_port();
    ops_port = free_port();
    write_file("a.secret", "0123456789abcdef0123456789abcdef");
    write_file("b.secret", "fedcba9876543210fedcba9876543210");
    write_config("a.secret", "", "");
    return 0;
}

static int down(void **state)
{
    (void)state;
    server_done(&server);
    folder_remove(dir);
    arena_free(arena);
    return 0;
}

static void start(void)
{
    struct err err = ERR_INIT;

    if (server_compose(&server, load(), &err) != 0 || server_start(&server, &err) != 0)
        fail_msg("%s", err.message);
}

/* The status of GET path; 0 when nobody listens. */
static int status_of(int port, const char *path)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    _cleanup_(cleanup_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[4096];
    int status = 0;
    ssize_t got;

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return 0;
    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    got = recv(fd, text, sizeof(text) - 1, MSG_WAITALL);
    text[got > 0 ? got : 0] = '\0';
    sscanf(text, "HTTP/1.1 %d", &status);
    return status;
}

struct look {
    struct audit_record **rows;
    size_t count;
};

static int look_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct look *look = ctx;
    struct audit_query query = {.page = {.visible_all = true, .limit = 10}};
    int64_t *keys;
    bool more;

    return tx_audit_list(tx, &query, arena, &look->rows, &keys, &look->count, &more, err);
}

static const struct audit_record *newest(void)
{
    struct look look = {0};
    struct err err = ERR_INIT;

    assert_int_equal(store_read(server.store, look_tx, &look, &err), 0);
    assert_true(look.count > 0);
    return look.rows[0];
}

static bool says(const struct audit_record *row, const char *text)
{
    return memmem(row->detail.data, row->detail.len, text, strlen(text)) != NULL;
}

static void a_started_server_answers_and_has_said_so(void **state)
{
    (void)state;
    start();
    assert_int_equal(status_of(api_port, "/v1/me"), 401);
    assert_int_equal(status_of(ops_port, "/healthz"), 200);
    assert_int_equal(status_of(ops_port, "/readyz"), 200);
    assert_string_equal(newest()->action, "server.started");
    assert_true(says(newest(), server.config->sha256));
}

static void a_drained_server_listens_no_more_and_has_said_so(void **state)
{
    (void)state;
    start();
    server_drain(&server, clock_boot_ms() + 5000);
    assert_int_equal(status_of(api_port, "/v1/me"), 0);
    assert_int_equal(status_of(ops_port, "/readyz"), 503);
    assert_string_equal(newest()->action, "server.stopped");
    assert_string_equal(newest()->outcome, "ok");
}

static void a_reload_takes_the_new_keys(void **state)
{
    struct verifier *before, *after;

    (void)state;
    start();
    before = app_verifier_hold(server.app);
    write_config("b.secret", "public_url: https://recover.example.com\n", "");
    server_reload(&server);
    after = app_verifier_hold(server.app);
    assert_ptr_not_equal(before, after);
    verifier_release(before);
    verifier_release(after);
    assert_string_equal(newest()->action, "config.reloaded");
    assert_true(says(newest(), server.config->sha256));
    assert_true(says(newest(), "b.secret"));
    assert_string_equal(server.config->public_url, "https://recover.example.com");
}

static void a_faulty_configuration_leaves_everything_as_it_was(void **state)
{
    static const struct {
        const char *secret, *more;
    } faulty[] = {
        {"a.secret", "no_such_key: 1\n"}, {"missing.secret", ""}, {"a.secret", "listen: nonsense\n"}};
    char sha256[65];

    (void)state;
    start();
    memcpy(sha256, server.config->sha256, sizeof(sha256));
    for (size_t i = 0; i < COUNT_OF(faulty); i++) {
        struct verifier *before = app_verifier_hold(server.app), *after;
        const struct config *engine_config;

        write_config(faulty[i].secret, faulty[i].more, "");
        server_reload(&server);
        after = app_verifier_hold(server.app);
        engine_config = engine_config_hold(server.engine);
        assert_ptr_equal(before, after);
        assert_string_equal(server.config->sha256, sha256);
        assert_string_equal(engine_config->sha256, sha256);
        assert_string_equal(newest()->action, "config.refused");
        assert_false(atomic_load(&server.app->reload_ok));
        config_release((struct config *)(uintptr_t)engine_config);
        verifier_release(before);
        verifier_release(after);
    }
    assert_int_equal(status_of(api_port, "/v1/me"), 401);
}

static int runs_of_the_engine(void)
{
    char path[128];
    sqlite3_stmt *query;
    sqlite3 *db;
    int runs;

    snprintf(path, sizeof(path), "%s/data/recoverd.db", dir);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM process", -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    runs = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return runs;
}

static void an_address_in_use_is_exit_4(void **state)
{
    struct err err = ERR_INIT;
    int taken = api_port;
    _cleanup_(cleanup_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)taken), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(server_compose(&server, load(), &err), 0);
    assert_int_equal(server_start(&server, &err), EXIT_ADDRESS);
    server_done(&server);
    assert_int_equal(runs_of_the_engine(),
                     0); /* each would count as a crash in the parts of the one before */
}

static void a_store_that_cannot_be_opened_is_exit_3(void **state)
{
    struct err err = ERR_INIT;
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/data", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(
        "data/recoverd.db",
        "this is no database, and it is longer than a page header would be: 0123456789012345678901234567890");
    assert_int_equal(server_compose(&server, load(), &err), EXIT_STORE);
}

static void an_environment_that_cannot_be_used_is_shown_and_stops_nothing(void **state)
{
    struct environment_state found = {0};
    struct err err = ERR_INIT;

    (void)state;
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_PROFILE");
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
    setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
    write_config("a.secret", "", "    account: \"123456789012\"\n"); /* it has to be asked for */
    start();
    while (!found.checked) { /* the survey looks by itself */
        assert_int_equal(engine_environment_state(server.engine, "test", &found, &err), 0);
        usleep(10000);
    }
    assert_false(found.usable);
    assert_true(found.err.code != ERR_NONE);
    assert_int_equal(status_of(ops_port, "/readyz"), 200);
    assert_int_equal(status_of(api_port, "/v1/me"), 401);
}

static void a_check_reads_the_keys_too(void **state)
{
    struct config *config = load();
    struct err err = ERR_INIT;
    char path[128];

    (void)state;
    assert_int_equal(server_check(config, &err), 0);
    write_file("a.secret", "short");
    assert_int_equal(server_check(config, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    snprintf(path, sizeof(path), "%s/a.secret", dir);
    assert_non_null(strstr(err.message, path));
    config_release(config);
}

static void systemd_is_told(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char got[128];
    ssize_t len;

    (void)state;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", dir);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    notify("READY=1"); /* nobody asked: nothing happens */
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    notify("READY=1");
    len = recv(fd, got, sizeof(got) - 1, 0);
    assert_true(bytes_is((struct bytes){got, (size_t)len}, "READY=1"));
    notify_reloading();
    len = recv(fd, got, sizeof(got) - 1, 0);
    got[len > 0 ? len : 0] = '\0';
    assert_true(str_starts(got, "RELOADING=1\nMONOTONIC_USEC="));
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
    unsetenv("NOTIFY_SOCKET");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        CASE(a_started_server_answers_and_has_said_so),
        CASE(a_drained_server_listens_no_more_and_has_said_so),
        CASE(a_reload_takes_the_new_keys),
        CASE(a_faulty_configuration_leaves_everything_as_it_was),
        CASE(an_address_in_use_is_exit_4),
        CASE(a_store_that_cannot_be_opened_is_exit_3),
        CASE(an_environment_that_cannot_be_used_is_shown_and_stops_nothing),
        CASE(a_check_reads_the_keys_too),
        CASE(systemd_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
