/* credential_process: a program that prints credentials as JSON of version 1. AWS SDKs Reference Guide. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/credentials_internal.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

#define PROCESS_TIMEOUT_MS 60000
#define WORDS_MAX 64
#define READ_SIZE 4096
#define LOOK_MS 200    /* between two looks at the interrupt */
#define END_LOOK_MS 20 /* between two looks whether it has ended, after its output has */

extern char **environ;

/* Splits in place as a shell does with quotes and backslashes, and without any of a shell's powers. */
static int split_words(char *text, char *words[WORDS_MAX], struct err *err)
{
    size_t count = 0;
    char *to = text;

    for (char *p = text; *p;) {
        while (*p == ' ' || *p == '\t')
            p++;
        if (!*p)
            break;
        if (count == WORDS_MAX - 1)
            return err_set(err, ERR_AWS_CREDENTIALS, "credential_process has more than %d words",
                           WORDS_MAX - 1);
        words[count++] = to;
        char quote = 0;
        for (; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
            if (quote ? *p == quote : (*p == '"' || *p == '\'')) {
                quote = quote ? 0 : *p;
                continue;
            }
            if (*p == '\\' && quote != '\'' && p[1])
                p++;
            *to++ = *p;
        }
        if (quote)
            return err_set(err, ERR_AWS_CREDENTIALS, "credential_process has an open quote");
        if (*p)
            p++;
        *to++ = '\0';
    }
    words[count] = NULL;
    return count > 0 ? 0 : err_set(err, ERR_AWS_CREDENTIALS, "credential_process is empty");
}

/* With the signals of a new program (the server blocks and ignores some), in a process group of its own. */
static int start(char *const words[], int out_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, ignored;

    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -1;
    }
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &ignored);
    int rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawnp(ret_pid, words[0], &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return rc == 0 ? 0 : -1;
}

/* Everything the program writes until it closes its output. */
static int read_all(const struct fetch *fetch, int fd, int64_t until_boot_ms, struct buffer *out,
                    struct err *err)
{
    const struct http_interrupt *interrupt = fetch->interrupt;

    for (;;) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        enum err_code code = interrupt && interrupt->asked ? interrupt->asked(interrupt->arg) : ERR_NONE;
        if (code != ERR_NONE)
            return err_set(err, code, "credential_process was interrupted");
        if (clock_boot_ms() >= until_boot_ms)
            return err_set(err, ERR_AWS_CREDENTIALS, "it is too slow");
        char *room = buffer_reserve(out, READ_SIZE);
        if (!room)
            return err_set(err, ERR_AWS_CREDENTIALS, "its output is too long");
        if (poll(&poller, 1, LOOK_MS) <= 0)
            continue;
        ssize_t n = read(fd, room, READ_SIZE);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set(err, ERR_AWS_CREDENTIALS, "its output cannot be read");
        out->len += n > 0 ? (size_t)n : 0;
    }
}

/* A program may close its output and stay. */
static int wait_for_end(const struct fetch *fetch, pid_t pid, int64_t until_boot_ms, struct err *err)
{
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_boot_ms() >= until_boot_ms)
            return err_set(err, ERR_AWS_CREDENTIALS, "it does not end");
        if (http_client_sleep(fetch->http, END_LOOK_MS, fetch->interrupt, err) != 0)
            return -1;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_set(err, ERR_AWS_CREDENTIALS, "it failed");
}

/* What the program writes; it has ended afterwards, one way or another. */
static int run(const struct fetch *fetch, char *const words[], struct buffer *out, struct err *err)
{
    int64_t until_boot_ms = clock_boot_ms() + PROCESS_TIMEOUT_MS;
    int fds[2];
    pid_t pid = 0;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_AWS_CREDENTIALS, "there is no pipe for it");
    int rc = start(words, fds[1], &pid);
    close(fds[1]);
    if (rc != 0) {
        close(fds[0]);
        return err_set(err, ERR_AWS_CREDENTIALS, "it cannot be started");
    }
    rc = read_all(fetch, fds[0], until_boot_ms, out, err);
    close(fds[0]);
    if (rc == 0)
        rc = wait_for_end(fetch, pid, until_boot_ms, err);
    if (rc != 0) {
        kill(-pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) /* it may have been waited for already */
            ;
    }
    return rc;
}

static int check_version(struct bytes text, struct err *err)
{
    static const struct json_limits limits = {.max_depth = 8, .allow_duplicates = true};
    struct err ignored = ERR_INIT; /* its text may hold a part of the secret */
    json_auto_t *value = NULL;

    if (json_parse(text, &limits, &value, &ignored) != 0)
        return err_set(err, ERR_AWS_CREDENTIALS, "credential_process did not print JSON");
    if (json_get_int(value, "Version", 0) != 1)
        return err_set(err, ERR_AWS_CREDENTIALS, "credential_process printed another Version than 1");
    return 0;
}

int credentials_from_process(const struct fetch *fetch, const char *command, struct aws_credentials *ret,
                             struct err *err)
{
    _cleanup_(cleanup_free) char *text = strdup(command);
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT((size_t)CREDENTIAL_REPLY_MAX);
    char *words[WORDS_MAX];

    out.secret = true;
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for credential_process");
    if (split_words(text, words, err) != 0)
        return -1;
    if (run(fetch, words, &out, err) != 0)
        return err_wrap(err, "credential_process %.150s", words[0]);
    buffer_add(&out, "", 0); /* closes with NUL */
    if (check_version(buffer_bytes(&out), err) != 0)
        return -1;
    return credentials_from_json(buffer_bytes(&out), "process", ret, err);
}
