/* From argv to a command: global flags anywhere, then the words, then the command's own flags. */
#include <signal.h>
#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "ctl/api.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/settings.h"

#define ARENA_MAX (2 * GIB) /* a whole audit trail may be in it */

static enum exit_code run_command(struct ctl *ctl, const struct command *command, int argc, const char **argv)
{
    struct args args = {0};
    struct err err = ERR_INIT;

    if (args_parse(command->tables, argc, (char *const *)(uintptr_t)argv, &args, NULL, NULL, &err) < 0) {
        ctl_err(ctl, EXIT_USAGE, &err);
        ctl_hint(ctl, "recoverctl help %s", command->words);
        return EXIT_USAGE;
    }
    if (args.word_count < command->least || args.word_count > command->most) {
        ctl_fail(ctl, EXIT_USAGE, "usage: recoverctl %s%s%s", command->words,
                 command->arguments[0] ? " " : "", command->arguments);
        ctl_hint(ctl, "recoverctl help %s", command->words);
        return EXIT_USAGE;
    }
    return command->run(ctl, &args);
}

/* `plan` before a command that makes a job. */
static enum exit_code plan_command(struct ctl *ctl, int argc, const char **argv)
{
    if (argc == 2 && strcmp(argv[0], "retry") == 0)
        return plan_retry(ctl, argv[1]);
    if (argc > 0)
        return run_kind(ctl, true, argc, argv);
    ctl_fail(ctl, EXIT_USAGE, "plan what? The words of a kind and its flags follow, or run KIND --spec FILE");
    return EXIT_USAGE;
}

static size_t count_words(int argc, const char *const *argv)
{
    size_t count = 0;

    while (count < (size_t)argc && argv[count][0] != '-')
        count++;
    return count;
}

static enum exit_code dispatch(struct ctl *ctl, bool help, int argc, const char **argv)
{
    size_t words = count_words(argc, argv), used;
    const struct command *command = command_find(argv, words, &used);

    if (argc == 0) {
        help_overview(help ? ctl->out : ctl->log);
        return help ? EXIT_DONE : EXIT_USAGE;
    }
    if (help)
        return help_of_words(ctl, argv, words);
    if (strcmp(argv[0], "plan") == 0)
        return plan_command(ctl, argc - 1, argv + 1);
    if (command)
        return run_command(ctl, command, argc - (int)used, argv + used);
    return run_kind(ctl, false, argc, argv);
}

static enum exit_code run(struct ctl *ctl, int argc, char **argv)
{
    _cleanup_(cleanup_free) const char **rest = calloc((size_t)argc + 1, sizeof(*rest));
    const struct flag *const tables[] = {global_flags, NULL};
    struct args args = {0};
    struct err err = ERR_INIT;
    int count = 0;
    enum exit_code code;

    if (!rest)
        return ctl_no_memory(ctl);
    if (args_parse(tables, argc - 1, argv + 1, &args, rest, &count, &err) < 0)
        return ctl_err(ctl, EXIT_USAGE, &err);
    code = settings_read(ctl, &args);
    if (code != EXIT_DONE)
        return code;
    return dispatch(ctl, args_on(&args, "help"), count, rest);
}

int ctl_main(int argc, char **argv)
{
    struct ctl ctl = {.arena = arena_new(ARENA_MAX), .out = stdout, .log = stderr};
    enum exit_code code, written;

    if (!ctl.arena) {
        fputs("recoverctl: out of memory\n", stderr);
        return EXIT_UNREACHABLE;
    }
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    code = run(&ctl, argc, argv);
    written = output_end(&ctl);
    api_close(&ctl);
    arena_free(ctl.arena);
    curl_global_cleanup();
    return (int)(code == EXIT_DONE ? written : code);
}
