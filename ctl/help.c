/* help and version, from the table of commands and the kinds of the server. */
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/kinds.h"
#include "ctl/settings.h"
#include "ctl/spec.h"
#include "ctl/submit.h"
#include "ctl/text.h"

#define HELP_COLUMN 30

static void put_flag(FILE *to, const struct flag *flag)
{
    char left[160];

    snprintf(left, sizeof(left), "%s%c%s--%s%s%s", flag->letter ? "-" : "  ",
             flag->letter ? flag->letter : ' ', flag->letter ? ", " : " ", flag->name, flag->arg ? " " : "",
             flag->arg ? flag->arg : "");
    fputs("  ", to);
    text_put(to, left); /* a kind's flags are named by the server */
    fprintf(to, "%*s  ", text_width(left) < HELP_COLUMN ? HELP_COLUMN - (int)text_width(left) : 0, "");
    text_put(to, flag->help);
    if (flag->choices) {
        fputs(" [", to);
        text_put(to, flag->choices);
        fputc(']', to);
    }
    fputc('\n', to);
}

static void put_flags(FILE *to, const struct flag *flags)
{
    for (; flags->name; flags++)
        put_flag(to, flags);
}

static void put_commands(FILE *to)
{
    char left[80];

    for (const struct command *command = commands; command->words; command++) {
        snprintf(left, sizeof(left), "%s %s", command->words, command->arguments);
        fprintf(to, "  %-*s  %s\n", HELP_COLUMN, left, command->summary);
    }
}

void help_overview(FILE *to)
{
    fputs("usage: recoverctl [FLAGS] COMMAND ...\n\n"
          "Backs up and restores through a recoverd server. A kind of job is run by its words:\n"
          "  recoverctl backup table NAME\n"
          "  recoverctl restore table latest:NAME --target-table OTHER\n"
          "  recoverctl validate backup SOURCE\n"
          "A SOURCE is the id of a recovery point, s3://..., file://... or latest:TABLE. With `plan` before "
          "it, a job is\n"
          "only planned. `recoverctl help KIND` shows the flags of a kind.\n\ncommands:\n",
          to);
    put_commands(to);
    fputs("\nflags, anywhere:\n", to);
    put_flags(to, global_flags);
    fputs("\nenvironment variables and exit codes: recoverctl man | man -l -\n", to);
}

static void help_command(FILE *to, const struct command *command)
{
    fprintf(to, "usage: recoverctl %s%s%s%s\n\n%s\n", command->words, command->arguments[0] ? " " : "",
            command->arguments, command->tables[0] ? " [FLAGS]" : "", command->summary);
    if (command->more)
        fprintf(to, "\n%s\n", command->more);
    if (command->tables[0])
        fputs("\nflags:\n", to);
    for (size_t i = 0; i < COMMAND_TABLES_MAX && command->tables[i]; i++)
        put_flags(to, command->tables[i]);
    fputs("\nflags of every command: recoverctl help\n", to);
}

static enum exit_code help_kind(struct ctl *ctl, const json_t *kind)
{
    const char *summary = json_get_text(kind, "summary"), *role = json_get_text(kind, "role");
    struct spec_flags flags;
    struct err err = ERR_INIT;

    if (spec_flags_of(ctl->arena, json_object_get(kind, "spec"), &flags, &err) < 0)
        return ctl_err(ctl, EXIT_UNREACHABLE, &err);
    fputs("usage: recoverctl [plan] ", ctl->out);
    text_put(ctl->out, kind_words(ctl->arena, kind));
    if (flags.positional)
        fprintf(ctl->out, " %s", flags.flags[flags.positional - flags.members].arg);
    fputs(" [FLAGS]\n\n", ctl->out);
    text_put(ctl->out, summary ? summary : "");
    fputs("\nrole: ", ctl->out);
    text_put(ctl->out, role ? role : "?");
    fputs(json_get_bool(kind, "needs_plan", false) ? "; planned first\n" : "\n", ctl->out);
    fputs("\nthe spec:\n", ctl->out);
    put_flags(ctl->out, flags.flags);
    put_flags(ctl->out, spec_file_flags);
    fputs("\nthe job:\n", ctl->out);
    put_flags(ctl->out, submit_flags);
    return EXIT_DONE;
}

enum exit_code help_of_words(struct ctl *ctl, const char *const *words, size_t count)
{
    size_t used = 0;
    const struct command *command;
    const json_t *kind;

    if (count > 0 && strcmp(words[0], "plan") == 0) {
        words++;
        count--;
    }
    command = command_find(words, count, &used);
    if (count == 0) {
        help_overview(ctl->out);
        return EXIT_DONE;
    }
    if (command) {
        help_command(ctl->out, command);
        return EXIT_DONE;
    }
    kind = kinds_by_words(kinds_for_help(ctl), words, count, &used);
    if (kind)
        return help_kind(ctl, kind);
    ctl_fail(ctl, EXIT_USAGE, "there is no help for %s", words[0]);
    ctl_hint(ctl, "recoverctl help lists the commands; the kinds are known once the server was reached "
                  "(recoverctl kinds)");
    return EXIT_USAGE;
}

enum exit_code print_help(struct ctl *ctl, const struct args *args)
{
    return help_of_words(ctl, args->words, args->word_count);
}

enum exit_code print_version(struct ctl *ctl, const struct args *args)
{
    (void)args;
    if (ctl->settings.output == OUTPUT_JSON || ctl->settings.output == OUTPUT_JSONL)
        fputs("{\"version\":\"" RECOVERD_VERSION "\"}\n", ctl->out);
    else
        fputs("recoverctl " RECOVERD_VERSION "\n", ctl->out);
    return EXIT_DONE;
}
