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

static int start(char *const words[], int out_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;

    if (!words[0] || posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    int rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawnp(ret_pid, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return rc == 0 ? 0 : -1;
}

/* Everything the program writes until it closes its output; false when it is too slow or too talkative. */
static bool read_all(int fd, struct buffer *out)
{
    int64_t until = clock_boot_ms() + PROCESS_TIMEOUT_MS;

    for (;;) {
        int64_t left = until - clock_boot_ms();
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&poller, 1, (int)left) < 0)
            return false;
        char *room = buffer_reserve(out, 4096);
        if (!room)
            return false;
        if (!poller.revents)
            continue;
        ssize_t n = read(fd, room, 4096);
        if (n <= 0)
            return n == 0;
        out->len += (size_t)n;
    }
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

int credentials_from_process(const char *command, struct aws_credentials *ret, struct err *err)
{
    _cleanup_(cleanup_free) char *text = strdup(command);
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT((size_t)CREDENTIAL_REPLY_MAX);
    char *words[WORDS_MAX];
    int fds[2];
    pid_t pid = 0;
    int status = 0;

    out.secret = true;
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for credential_process");
    if (split_words(text, words, err) != 0)
        return -1;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_AWS_CREDENTIALS, "credential_process: no pipe");
    int rc = start(words, fds[1], &pid);
    close(fds[1]);
    bool whole = rc == 0 && read_all(fds[0], &out);
    close(fds[0]);
    if (rc != 0)
        return err_set(err, ERR_AWS_CREDENTIALS, "credential_process %.200s cannot be started", words[0]);
    if (!whole)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!whole || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_AWS_CREDENTIALS, "credential_process %.200s failed%s", words[0],
                       whole ? "" : " (too slow, or its output is too long)");
    buffer_add(&out, "", 0);
    if (check_version(buffer_bytes(&out), err) != 0)
        return -1;
    return credentials_from_json(buffer_bytes(&out), "process", ret, err);
}
