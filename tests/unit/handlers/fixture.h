/*
 * What the tests of handlers/ share: the real dispatcher on a loopback listener, a SQLite store in a
 * temporary folder, an engine with kinds that touch nothing, an issuer with a secret, and a client that says
 * exactly what it is told.
 */
#pragma once
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "auth/mint.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "handlers/handlers.h"
#include "store/audit_log.h"
#include "tests/support/world.h"

#include "tests/unit/engine/kinds.h"

#define UNUSED __attribute__((unused))

struct fixture {
    struct world *world;
    struct wait_hub *hub;
    struct app *app;
    struct http_server *api, *ops;
    struct arena *arena; /* of one test */
};

static struct fixture F;

static void must(bool ok, const char *what, const struct err *err)
{
    if (ok)
        return;
    fprintf(stderr, "fixture: %s: %s\n", what, err ? err->message : "");
    exit(99);
}

static void fixture_commit(void *arg)
{
    wait_hub_wake(arg);
}

/* The world's store again, with the hub behind its commits. */
static void fixture_store(void)
{
    char url[200];
    struct err err = ERR_INIT;

    store_close(F.world->store);
    snprintf(url, sizeof(url), "sqlite:%s/recoverd.db", F.world->dir);
    struct store_options options = {.url = url,
                                    .data_dir = F.world->dir,
                                    .min_free_bytes = MIB,
                                    .on_commit = fixture_commit,
                                    .on_commit_arg = F.hub};
    must(store_open(&options, &F.world->store, &err) == 0, "store", &err);
}

static struct http_server *fixture_listen(struct http_handler handler)
{
    struct http_server_options options = {
        .host = "127.0.0.1", .connection_limit = 64, .handler = handler, .hub = F.hub};
    struct http_server *server = NULL;
    struct err err = ERR_INIT;

    must(http_server_start(&options, &server, &err) == 0, "listener", &err);
    return server;
}

static int fixture_up(void **state)
{
    static const char other[] =
        "  other:\n    region: us-east-1\n    tables: [\"U*\"]\n    endpoint_url: http://127.0.0.1:9\n"
        "    recovery_points: file:///tmp/recoverd-test-other\n    allow_unencrypted: true\n";
    struct app_options options = {.node = "test", .has_totp = true, .openapi = BYTES("openapi: 3.1.0\n")};
    char spool[128];
    struct err err = ERR_INIT;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    test_kinds_reset();
    log_setup(LOG_ERROR, LOG_TEXT);
    F.hub = wait_hub_new(16);
    F.world = world_new(NULL, other);
    F.arena = arena_new(64 * MIB);
    fixture_store();
    world_start_engine(F.world, test_kinds);
    snprintf(spool, sizeof(spool), "%s/spool", F.world->dir);
    mkdir(spool, 0700);
    options.store = F.world->store;
    options.engine = F.world->engine;
    options.hub = F.hub;
    memset(options.totp_key, 7, sizeof(options.totp_key));
    must(verifier_new(F.world->config, NULL, &options.verifier, &err) == 0, "verifier", &err);
    must(app_new(&options, &F.app, &err) == 0, "app", &err);
    app_metrics_declare(F.app);
    F.api = fixture_listen(app_handler(F.app));
    F.ops = fixture_listen(app_ops_handler(F.app));
    app_listener(F.app, F.api);
    return 0;
}

static int fixture_down(void **state)
{
    (void)state;
    app_listener(F.app, NULL);
    http_server_stop(F.api, 2000);
    http_server_stop(F.ops, 2000);
    world_stop_engine(F.world);
    app_free(F.app);
    world_free(F.world);
    wait_hub_free(F.hub);
    arena_free(F.arena);
    return 0;
}

/* -- tokens -- */

/* roles: space-separated; mfa: with fresh MFA. NULL roles: none. */
static const char *token(const char *subject, const char *roles_text, bool mfa)
{
    const char *roles[16];
    size_t count = 0;
    char *next, *copy = arena_strdup(F.arena, roles_text ? roles_text : "");
    struct mint_request request = {.subject = subject, .roles = roles, .mfa = mfa};
    const char *made = NULL;
    struct err err = ERR_INIT;

    for (char *word = strtok_r(copy, " ", &next); word && count < COUNT_OF(roles);
         word = strtok_r(NULL, " ", &next))
        roles[count++] = word;
    request.role_count = count;
    must(mint_token(&F.world->config->issuers[0], F.world->config->identity_claim, NULL, &request, F.arena,
                    &made, &err) == 0,
         "token", &err);
    return made;
}

/* -- a client -- */

struct answer {
    int status;
    char *head;
    char *body;
    size_t body_len;
    json_t *json; /* NULL: not JSON */
};

static int connect_to(struct http_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_server_port(server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect", NULL);
    return fd;
}

static struct answer read_answer(int fd)
{
    static const struct json_limits limits = {.max_depth = 64};
    struct buffer all = BUFFER_INIT(32 * MIB);
    struct answer answer = {0};
    struct err err = ERR_INIT;
    char chunk[16384];
    ssize_t got;
    char *end;

    while ((got = recv(fd, chunk, sizeof(chunk), 0)) > 0)
        buffer_add(&all, chunk, (size_t)got);
    close(fd);
    answer.head = arena_strndup(F.arena, all.data ? all.data : "", all.len);
    end = strstr(answer.head, "\r\n\r\n");
    if (end) {
        end[2] = '\0';
        answer.body = end + 4;
        answer.body_len = all.len - (size_t)(end + 4 - answer.head);
        sscanf(answer.head, "HTTP/1.1 %d", &answer.status);
        if (answer.body_len &&
            json_parse((struct bytes){answer.body, answer.body_len}, &limits, &answer.json, &err) == 0)
            arena_defer(F.arena, json_decref_p, answer.json);
    }
    buffer_done(&all);
    return answer;
}

static int send_to(struct http_server *server, const char *method, const char *target, const char *auth,
                   const char *headers, struct bytes body)
{
    struct buffer out = BUFFER_INIT(MIB);
    int fd = connect_to(server);

    buffer_printf(&out, "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n", method, target);
    if (auth)
        buffer_printf(&out, "Authorization: Bearer %s\r\n", auth);
    if (headers)
        buffer_add_str(&out, headers);
    if (body.data)
        buffer_printf(&out, "%sContent-Length: %zu\r\n",
                      headers && strcasestr(headers, "content-type:") ? ""
                                                                      : "Content-Type: application/json\r\n",
                      body.len);
    buffer_add_str(&out, "\r\n");
    buffer_add_bytes(&out, body);
    for (size_t at = 0; at < out.len;) {
        ssize_t sent = send(fd, out.data + at, out.len - at, MSG_NOSIGNAL);

        if (sent <= 0)
            break; /* refused before it was read: the answer says so */
        at += (size_t)sent;
    }
    buffer_done(&out);
    return fd;
}

static struct answer ask(const char *method, const char *target, const char *auth, const char *headers,
                         const char *body)
{
    return read_answer(send_to(F.api, method, target, auth, headers, bytes_of(body)));
}

static UNUSED struct answer get(const char *target, const char *auth)
{
    return ask("GET", target, auth, NULL, NULL);
}

static UNUSED struct answer post(const char *target, const char *auth, const char *body)
{
    return ask("POST", target, auth, NULL, body);
}

/* A header's value in arena, or NULL. */
static UNUSED const char *header(const struct answer *answer, const char *name)
{
    char *want = arena_printf(F.arena, "\r\n%s: ", name);
    const char *at = strcasestr(answer->head, want);

    if (!at)
        return NULL;
    at += strlen(want);
    return arena_strndup(F.arena, at, strcspn(at, "\r"));
}

/* A member's text, "" when there is none. */
static UNUSED const char *text_of(const struct answer *answer, const char *name)
{
    const char *text = answer->json ? json_get_text(answer->json, name) : NULL;

    return text ? text : "";
}

/* Checks status, and for errors that it is a whole problem with this code. */
static UNUSED void expect(const char *what, const struct answer *answer, int status, const char *code)
{
    const char *found = text_of(answer, "code");

    if (answer->status != status || (code && !str_is(found, code)))
        fail_msg("%s: %d %s (%s), expected %d %s", what, answer->status, found,
                 answer->body ? answer->body : "", status, code ? code : "-");
    if (status < 400)
        return;
    assert_string_equal(header(answer, "Content-Type"), "application/problem+json");
    assert_int_equal(json_get_int(answer->json, "status", 0), status);
    assert_string_not_equal(text_of(answer, "request_id"), "");
    assert_string_equal(text_of(answer, "request_id"), header(answer, "X-Request-Id"));
    assert_string_not_equal(text_of(answer, "title"), "");
    assert_string_not_equal(text_of(answer, "type"), "");
}

/* -- the world behind it -- */

static int count_audit(struct tx *tx, void *ctx, struct err *err)
{
    return tx_audit_count(tx, ctx, err);
}

static UNUSED int64_t audit_rows(void)
{
    struct err err = ERR_INIT;
    int64_t count = -1;

    must(store_read(F.world->store, count_audit, &count, &err) == 0, "audit", &err);
    return count;
}

struct audit_look {
    struct audit_record **rows;
    size_t count;
};

static int newest_audit(struct tx *tx, void *ctx, struct err *err)
{
    struct audit_look *look = ctx;
    struct audit_query query = {.page = {.visible_all = true, .limit = 1}};
    int64_t *keys;
    bool more;

    return tx_audit_list(tx, &query, F.arena, &look->rows, &keys, &look->count, &more, err);
}

static UNUSED const struct audit_record *last_audit(void)
{
    struct audit_look look = {0};
    struct err err = ERR_INIT;

    must(store_read(F.world->store, newest_audit, &look, &err) == 0 && look.count == 1, "audit", &err);
    return look.rows[0];
}

static int all_jobs(struct tx *tx, void *ctx, struct err *err)
{
    struct job_query query = {.page = {.visible_all = true, .limit = LIST_MAX}};
    size_t *count = ctx;
    struct job **jobs;
    bool more;

    return tx_jobs_list(tx, &query, F.arena, &jobs, count, &more, err);
}

static UNUSED size_t job_rows(void)
{
    struct err err = ERR_INIT;
    size_t count = 0;

    must(store_read(F.world->store, all_jobs, &count, &err) == 0, "jobs", &err);
    return count;
}

#define OPERATOR "operator@test"
#define ADMIN "BackupAdministrator@test"
#define HARMLESS "{\"kind\":\"test.harmless\",\"environment\":\"test\",\"spec\":{\"table\":\"Tab1\"}}"

/* Accepts a job and gives its id. */
static UNUSED const char *accept_job(const char *auth, const char *body)
{
    struct answer answer = post("/v1/jobs", auth, body);

    expect("accept", &answer, 202, NULL);
    return text_of(&answer, "id");
}
