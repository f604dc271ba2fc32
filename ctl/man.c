/* The manual page recoverctl(1) as roff (man(7) of groff), from the same tables as the help. */
#include "base/buffer.h"
#include "ctl/commands.h"
#include "ctl/settings.h"
#include "ctl/submit.h"

/* Backslashes and hyphens are roff's own; a line must not begin with a dot or quote. */
static void put(FILE *to, const char *text)
{
    bool start = true;

    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", to);
        if (*text == '-')
            fputs("\\-", to);
        else if (*text == '\\')
            fputs("\\e", to);
        else
            fputc(*text, to);
        start = *text == '\n';
    }
}

static void put_line(FILE *to, const char *text)
{
    put(to, text);
    fputc('\n', to);
}

static void put_flag(FILE *to, const struct flag *flag)
{
    fputs(".TP\n", to);
    if (flag->letter)
        fprintf(to, "\\fB\\-%c\\fR, ", flag->letter);
    fputs("\\fB", to);
    put(to, "--");
    put(to, flag->name);
    fputs("\\fR", to);
    if (flag->arg) {
        fputs(" \\fI", to);
        put(to, flag->arg);
        fputs("\\fR", to);
    }
    fputc('\n', to);
    put(to, flag->help);
    if (flag->choices) {
        fputs(" [", to);
        put(to, flag->choices);
        fputc(']', to);
    }
    fputc('\n', to);
}

static void put_flags(FILE *to, const struct flag *flags)
{
    for (; flags->name; flags++)
        put_flag(to, flags);
}

/* Flags that several commands share are in a section of their own. */
static void put_command(FILE *to, const struct command *command)
{
    fputs(".SS ", to);
    put(to, command->words);
    fputc(' ', to);
    put_line(to, command->arguments);
    put(to, command->summary);
    put_line(to, ".");
    if (command->more)
        put_line(to, command->more);
    for (size_t i = 0; i < COMMAND_TABLES_MAX && command->tables[i]; i++) {
        if (command->tables[i] == submit_flags)
            fputs(".PP\nAlso the flags of every job, below.\n", to);
        else
            put_flags(to, command->tables[i]);
    }
}

static const char *const kinds_text[] = {
    "The words of a kind run a job of it, with its spec as flags; the server says which kinds there are and "
    "what their specs "
    "hold. recoverctl kinds lists them, recoverctl help KIND shows the flags of one. recoverctl plan before "
    "the words only "
    "shows the plan.",
    "A SOURCE is the id of a recovery point, s3://..., file://... or latest:TABLE, the newest usable "
    "recovery point of a "
    "table; where a table is compared, also table:NAME, another table. What is no plain value is given as "
    "JSON, or as @FILE.",
    "What needs a plan makes it, shows it and goes on. What destroys wants the resource's name typed on a "
    "terminal, or "
    "--plan-hash without one. Then it waits for the end, with a progress bar on a terminal. Ctrl-C detaches: "
    "the job goes on.",
};

static void put_kinds(FILE *to)
{
    fputs(".SH KINDS OF JOB\n", to);
    for (size_t i = 0; i < sizeof(kinds_text) / sizeof(kinds_text[0]); i++) {
        fputs(".PP\n", to);
        put_line(to, kinds_text[i]);
    }
    fputs(".SS flags of every job\n", to);
    put_flags(to, submit_flags);
    fputs(".SS flags of every kind by its words\n", to);
    put_flags(to, spec_file_flags);
}

static void put_rest(FILE *to)
{
    fputs(".SH ENVIRONMENT\n", to);
    for (const struct variable *variable = variables; variable->name; variable++) {
        fprintf(to, ".TP\n.B %s\n", variable->name);
        put_line(to, variable->help);
    }
    fputs(".SH EXIT STATUS\n", to);
    for (const struct exit_row *row = exit_rows; row->help; row++) {
        fprintf(to, ".TP\n.B %d\n", (int)row->code);
        put_line(to, row->help);
    }
    fputs(".SH FILES\n.TP\n.I ~/.config/recoverd/config.yaml\n", to);
    put_line(to, "Contexts: `contexts: {NAME: {server: URL, token_file: FILE, environment: ENV}}`, and "
                 "`current: NAME`.");
    fputs(".TP\n.I ~/.cache/recoverd/\n", to);
    put_line(to, "The kinds of each server, for help and completion.");
}

enum exit_code print_man(struct ctl *ctl, const struct args *args)
{
    FILE *to = ctl->out;

    (void)args;
    fputs(".TH RECOVERCTL 1 \"\" \"recoverd " RECOVERD_VERSION "\" \"recoverd\"\n"
          ".SH NAME\nrecoverctl \\- backs up and restores through a recoverd server\n"
          ".SH SYNOPSIS\n.B recoverctl\n[\\fIflags\\fR] \\fIcommand\\fR ...\n"
          ".SH DESCRIPTION\n",
          to);
    put_line(to, "Standard output carries only the result, in the form that -o names; everything else goes "
                 "to standard error.");
    fputs(".SH FLAGS\n", to);
    put_flags(to, global_flags);
    fputs(".SH COMMANDS\n", to);
    for (const struct command *command = commands; command->words; command++)
        put_command(to, command);
    put_kinds(to);
    put_rest(to);
    return EXIT_DONE;
}
