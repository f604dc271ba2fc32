/*
 * Runs the built recoverctl: without a terminal, or on a pseudo-terminal on which a script waits for texts
 * and types answers. HOME is a folder of the test's own. The test has a server's thread, so its forked child
 * does nothing but exec: an allocator's lock may be held in it for ever.
 */
#pragma once
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/ctl.h"
#include "tests/support/folder.h"
#include "tests/support/scripted_server.h"

#define OUTCOME_MAX 65536

struct outcome {
    int code; /* -1: it did not end by itself */
    char out[OUTCOME_MAX];
    char err[OUTCOME_MAX]; /* on a terminal both are in out */
};

/* After `wait` was seen (behind what was seen before), `type` is typed. */
struct typing {
    const char *wait;
    const char *type;
};

#define ARGS(...) ((const char *const[]){"recoverctl", __VA_ARGS__, NULL})

static char harness_home[FOLDER_SIZE];
static const char *harness_token; /* for RECOVERD_TOKEN; NULL: unset */

static inline int harness_begin(void **state)
{
    (void)state;
    folder_make("ctl", harness_home);
    return 0;
}

static inline int harness_end(void **state)
{
    (void)state;
    folder_remove(harness_home);
    return 0;
}

static inline const char *harness_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", harness_home, name);
    return path;
}

static inline void harness_write(const char *name, const char *text)
{
    FILE *file = fopen(harness_path(name), "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static inline void harness_read(const char *path, char to[OUTCOME_MAX])
{
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(to, 1, OUTCOME_MAX - 1, file) : 0;

    to[len] = '\0';
    if (file)
        fclose(file);
}

static inline void harness_environment(const struct scripted_server *server)
{
    static const char *const gone[] = {"RECOVERD_TOKEN",  "RECOVERD_ENVIRONMENT", "RECOVERD_CONTEXT",
                                       "RECOVERD_CONFIG", "XDG_CONFIG_HOME",      "XDG_CACHE_HOME",
                                       "NO_COLOR"};

    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        unsetenv(gone[i]);
    if (harness_token)
        setenv("RECOVERD_TOKEN", harness_token, 1);
    setenv("HOME", harness_home, 1);
    setenv("TERM", "xterm", 1);
    setenv("RECOVERD_URL", server ? scripted_server_url(server) : "http://127.0.0.1:1", 1);
    setenv("RECOVERD_TOKEN_FILE", harness_path("token"), 1);
}

static inline int harness_argc(const char *const *argv)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    return argc;
}

/* The program of the same build: this one is BUILD/tests/unit/ctl/test_x. */
static inline void harness_program(char to[PATH_MAX])
{
    static const char name[] = "/recoverctl";
    ssize_t len = readlink("/proc/self/exe", to, PATH_MAX - sizeof(name));

    assert_true(len > 0);
    to[len] = '\0';
    for (int up = 0; up < 4; up++)
        *strrchr(to, '/') = '\0';
    memcpy(to + strlen(to), name, sizeof(name));
}

static inline void harness_exec(const char *program, const char *const *argv)
{
    execv(program, (char **)(uintptr_t)argv);
    _exit(127);
}

static inline pid_t harness_start(const struct scripted_server *server, const char *input,
                                  const char *const *argv)
{
    char program[PATH_MAX];
    int files[3];
    pid_t child;

    harness_program(program);
    harness_environment(server);
    if (input)
        harness_write("in", input);
    files[0] = open(input ? harness_path("in") : "/dev/null", O_RDONLY | O_CLOEXEC);
    files[1] = open(harness_path("out"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    files[2] = open(harness_path("err"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setsid(); /* no /dev/tty */
        for (int fd = 0; fd < 3; fd++)
            dup2(files[fd], fd);
        harness_exec(program, argv);
    }
    for (int fd = 0; fd < 3; fd++)
        close(files[fd]);
    return child;
}

static inline void harness_finish(pid_t child, struct outcome *outcome)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    outcome->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    harness_read(harness_path("out"), outcome->out);
    harness_read(harness_path("err"), outcome->err);
}

static inline void run_with(const struct scripted_server *server, const char *input, const char *const *argv,
                            struct outcome *outcome)
{
    harness_finish(harness_start(server, input, argv), outcome);
}

static inline void run(const struct scripted_server *server, const char *const *argv, struct outcome *outcome)
{
    run_with(server, NULL, argv, outcome);
}

static inline void run_on_terminal(const struct scripted_server *server, const struct typing *typing,
                                   const char *const *argv, struct outcome *outcome)
{
    struct winsize size = {.ws_row = 24, .ws_col = 100};
    size_t len = 0, seen = 0;
    char program[PATH_MAX];
    int master, status;
    pid_t child;

    harness_program(program);
    harness_environment(server);
    child = forkpty(&master, NULL, NULL, &size);
    assert_true(child >= 0);
    if (child == 0)
        harness_exec(program, argv);
    outcome->err[0] = '\0';
    for (;;) {
        ssize_t got = read(master, outcome->out + len, OUTCOME_MAX - 1 - len);
        const char *found;

        if (got <= 0)
            break; /* EIO: the child has closed its side */
        len += (size_t)got;
        outcome->out[len] = '\0';
        found = typing && typing->wait ? strstr(outcome->out + seen, typing->wait) : NULL;
        if (found) {
            seen = (size_t)(found - outcome->out) + strlen(typing->wait);
            assert_int_equal(write(master, typing->type, strlen(typing->type)), strlen(typing->type));
            typing++;
        }
    }
    outcome->out[len] = '\0';
    close(master);
    assert_int_equal(waitpid(child, &status, 0), child);
    outcome->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static inline void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%s", part, text);
}

/* Stops it; everything that it was asked was as scripted. */
static inline void end(struct scripted_server *server)
{
    if (scripted_server_fault(server))
        fail_msg("not as scripted: %s", scripted_server_fault(server));
    scripted_server_stop(server);
}

#define JSON_HEAD "Content-Type: application/json\r\nX-Request-Id: req-1\r\n"
#define PROBLEM_HEAD "Content-Type: application/problem+json\r\nX-Request-Id: req-1\r\n"
#define ID_JOB "01a20869-8838-742d-a5f9-e9d994c01774"
#define ID_POINT "01a20869-875e-76cb-9c66-3dbdd16d9ad9"
#define HASH "18c8d3f130a6144d5fcc5d8474cc301189ff6433be3d6ba901a3bca60a74a6e4"

#define KINDS                                                                                                \
    "{\"items\":[{\"name\":\"backup.table\",\"summary\":\"Back up one "                                      \
    "table\",\"role\":\"operator\",\"mfa\":false,"                                                           \
    "\"may_destroy\":false,\"needs_plan\":false,\"spec\":{\"type\":\"object\",\"properties\":{\"table\":{"   \
    "\"description\":"                                                                                       \
    "\"the table\",\"type\":\"string\"},\"segments\":{\"type\":\"integer\"},\"tags\":{\"type\":\"object\","  \
    "\"additionalProperties\":{\"type\":\"string\"}},\"skip\":{\"type\":\"array\",\"items\":{\"type\":"      \
    "\"string\"}},\"ttl\":{\"description\":\"keep it\",\"type\":\"boolean\"}},"                              \
    "\"required\":[\"table\"]}},"                                                                            \
    "{\"name\":\"wipe.table\",\"summary\":\"Overwrite\",\"role\":\"BackupAdministrator\",\"mfa\":true,"      \
    "\"may_destroy\":true,\"needs_plan\":true,\"spec\":{\"type\":\"object\",\"properties\":{\"source\":{"    \
    "\"type\":"                                                                                              \
    "\"object\",\"properties\":{\"recovery_point\":{\"type\":\"string\"},\"uri\":{\"type\":\"string\"}},"    \
    "\"minProperties\":1,\"maxProperties\":1},\"target_table\":{\"type\":\"string\"}},"                      \
    "\"required\":[\"source\",\"target_table\"]}}]}"
#define PLAN                                                                                                 \
    "{\"plan_hash\":\"" HASH                                                                                 \
    "\",\"kind\":\"wipe.table\",\"environment\":\"production\",\"spec\":{},\"effects\":[{"                   \
    "\"resource\":\"table/Sales\",\"action\":\"overwrite\",\"count\":3,\"bytes\":30,\"destructive\":true}]," \
    "\"estimates\":{},\"warnings\":[\"mind the "                                                             \
    "gap\"],\"needs\":{\"mfa\":true},\"expires_at\":\"2026-11-24T12:00:00.000Z\"}"
#define JOB(state, more)                                                                                     \
    "{\"id\":\"" ID_JOB                                                                                      \
    "\",\"kind\":\"backup.table\",\"environment\":\"production\",\"resource\":\"table/Sales\","              \
    "\"state\":\"" state                                                                                     \
    "\",\"progress\":{\"phase\":\"scan\",\"done\":250,\"total\":1000,\"unit\":\"items\","                    \
    "\"bytes\":1000,\"items_per_second\":50,\"bytes_per_second\":2048,\"eta_seconds\":15,\"eta_is_guess\":"  \
    "true}" more "}"
#define REPLY_JSON(text) .headers = JSON_HEAD, .body = (text)
#define REPLY_PROBLEM(status_, code_)                                                                        \
    .status = (status_), .headers = PROBLEM_HEAD,                                                            \
    .body = "{\"title\":\"A title\",\"detail\":\"a detail\",\"code\":\"" code_ "\",\"hint\":\"do this\"}"
