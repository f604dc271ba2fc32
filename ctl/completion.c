/*
 * Completion: the script of a shell only asks `recoverctl complete -- LINE...`, which answers from the same
 * tables as the help, and from the cached kinds. So the script never has to change.
 */
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/kinds.h"
#include "ctl/settings.h"
#include "ctl/spec.h"
#include "ctl/submit.h"

static const struct {
    const char *shell;
    const char *script;
} scripts[] = {
    {"bash", "_recoverctl() {\n"
             "    local IFS=$'\\n'\n"
             "    COMPREPLY=($(compgen -W \"$(recoverctl complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
             "2>/dev/null)\" -- "
             "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
             "}\n"
             "complete -o default -F _recoverctl recoverctl\n"},
    {"zsh", "#compdef recoverctl\n"
            "_recoverctl() {\n"
            "    local -a answers\n"
            "    answers=(${(f)\"$(recoverctl complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"})\n"
            "    if (( $#answers )); then compadd -a answers; else _files; fi\n"
            "}\n"
            "compdef _recoverctl recoverctl\n"},
    {"fish",
     "complete -c recoverctl -f -a '(recoverctl complete -- (commandline -opc)[2..-1] (commandline -ct) "
     "2>/dev/null)'\n"
     "complete -c recoverctl -F -n 'contains -- (commandline -opc)[-1] --spec --config --token-file --key -O "
     "--output-file'\n"},
};

enum exit_code print_completion(struct ctl *ctl, const struct args *args)
{
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (strcmp(scripts[i].shell, args->words[0]) == 0) {
            fputs(scripts[i].script, ctl->out);
            return EXIT_DONE;
        }
    }
    return ctl_fail(ctl, EXIT_USAGE, "completion for %s is not in this version: bash, zsh or fish",
                    args->words[0]);
}

/* -- what may come next -- */

static void put_flags(FILE *to, const struct flag *flags)
{
    for (; flags->name; flags++)
        fprintf(to, "--%s\n", flags->name);
}

static void put_lines(FILE *to, const char *words)
{
    for (; *words; words++)
        fputc(*words == ' ' ? '\n' : *words, to);
    fputc('\n', to);
}

/* The next word of `line`, when `words` are its beginning. */
static void put_next(FILE *to, const char *line, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(line, " ");

        if (strlen(words[i]) != len || memcmp(words[i], line, len) != 0 || line[len] == '\0')
            return;
        line += len + 1;
    }
    fprintf(to, "%.*s\n", (int)strcspn(line, " "), line);
}

static void put_words(struct ctl *ctl, const char *const *words, size_t count, bool planned)
{
    const json_t *kinds = kinds_cached(ctl);
    size_t i;
    json_t *kind;

    for (const struct command *command = commands; command->words && !planned; command++)
        put_next(ctl->out, command->words, words, count);
    json_array_foreach(json_object_get(kinds, "items"), i, kind)
        put_next(ctl->out, kind_words(ctl->arena, kind), words, count);
    if (count > 0)
        return;
    fputs(planned ? "run\nretry\n" : "plan\n", ctl->out);
    put_flags(ctl->out, global_flags);
}

/* A flag that waits for its value: its choices, or nothing, so that the shell offers files. */
static bool put_value(struct ctl *ctl, flag_tables tables, const char *last)
{
    const struct flag *flag =
        last && str_starts(last, "--") ? flags_find(tables, last + 2, strlen(last + 2)) : NULL;

    if (last && (strcmp(last, "-o") == 0))
        flag = flags_find(tables, "output", strlen("output"));
    if (!flag || !flag->arg)
        return false;
    if (flag->choices)
        put_lines(ctl->out, flag->choices);
    return true;
}

static void put_of_command(struct ctl *ctl, const struct command *command, const char *last)
{
    const struct flag *tables[COMMAND_TABLES_MAX + 2] = {global_flags};

    for (size_t i = 0; i < COMMAND_TABLES_MAX && command->tables[i]; i++)
        tables[i + 1] = command->tables[i];
    if (put_value(ctl, tables, last))
        return;
    for (size_t i = 0; tables[i]; i++)
        put_flags(ctl->out, tables[i]);
    if (strcmp(command->words, "completion") == 0)
        put_lines(ctl->out, "bash zsh fish");
}

static void put_of_kind(struct ctl *ctl, const json_t *kind, const char *last)
{
    struct spec_flags flags;
    struct err err = ERR_INIT;

    if (spec_flags_of(ctl->arena, json_object_get(kind, "spec"), &flags, &err) < 0)
        return; /* nothing to offer */
    const struct flag *const tables[] = {flags.flags, spec_file_flags, submit_flags, global_flags, NULL};
    if (put_value(ctl, tables, last))
        return;
    for (size_t i = 0; tables[i]; i++)
        put_flags(ctl->out, tables[i]);
}

/* Words without the global flags and their values. */
static size_t plain_words(const struct args *args, const char **ret_words)
{
    const struct flag *const tables[] = {global_flags, NULL};
    size_t count = 0;

    for (size_t i = 0; i < args->word_count; i++) {
        const char *word = args->words[i];
        const struct flag *flag = NULL;

        if (str_starts(word, "--") && !strchr(word, '='))
            flag = flags_find(tables, word + 2, strlen(word + 2));
        else if (strcmp(word, "-e") == 0 || strcmp(word, "-o") == 0)
            i++;
        if (flag && flag->arg)
            i++;
        else if (word[0] != '-')
            ret_words[count++] = word;
    }
    return count;
}

enum exit_code complete_words(struct ctl *ctl, const struct args *args)
{
    const char *words[ARGS_WORDS_MAX] = {NULL};
    const char *last = args->word_count > 1 ? args->words[args->word_count - 2] : NULL;
    struct args before = *args;
    const struct command *command;
    const struct flag *const tables[] = {global_flags, NULL};
    size_t count, used, planned;
    const json_t *kind;

    if (before.word_count > 0)
        before.word_count--; /* the last is what is being typed */
    count = plain_words(&before, words);
    planned = count > 0 && strcmp(words[0], "plan") == 0;
    kind = kinds_by_words(kinds_cached(ctl), words + planned, count - planned, &used);
    if (kind) {
        put_of_kind(ctl, kind, last);
        return EXIT_DONE;
    }
    command = command_find(words + planned, count - planned, &used);
    if (command)
        put_of_command(ctl, command, last);
    if ((!command || used == count - planned) && !put_value(ctl, tables, last))
        put_words(ctl, words + planned, count - planned, planned);
    return EXIT_DONE;
}
