/* run KIND, and the words of a kind with its spec as flags. */
#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "ctl/api.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/kinds.h"
#include "ctl/place.h"
#include "ctl/spec.h"
#include "ctl/submit.h"

const struct flag run_flags[] = {
    {"spec", 0, "FILE", "the spec as JSON; - is standard input", false, NULL},
    {0},
};
const struct flag spec_file_flags[] = {
    {"spec", 0, "FILE", "begin with this spec (JSON; - is standard input); flags go over it", false, NULL},
    {0},
};

static enum exit_code read_spec(struct ctl *ctl, const char *path, json_t **ret_spec)
{
    static const struct json_limits limits = {.max_depth = HTTP_BODY_DEPTH, .allow_duplicates = false};
    struct err err = ERR_INIT;
    struct bytes text;

    if (!path) {
        *ret_spec = json_object();
        return *ret_spec ? EXIT_DONE : ctl_no_memory(ctl);
    }
    if (file_read(path, SPEC_MAX, ctl->arena, &text, &err) < 0 ||
        json_parse(text, &limits, ret_spec, &err) < 0)
        return ctl_fail(ctl, EXIT_USAGE, "--spec %s: %s", path, err.message);
    if (json_is_object(*ret_spec))
        return EXIT_DONE;
    json_decref(TAKE(*ret_spec));
    return ctl_fail(ctl, EXIT_USAGE, "--spec %s: an object is wanted", path);
}

static enum exit_code execute(struct ctl *ctl, const json_t *kind, const json_t *spec, bool plan,
                              const struct args *args)
{
    struct order order = {.kind = json_get_text(kind, "name"),
                          .spec = spec,
                          .needs_plan = json_get_bool(kind, "needs_plan", false)};
    enum exit_code code = place_find(ctl, spec, &order.environment);

    if (code != EXIT_DONE)
        return code;
    return plan ? submit_plan(ctl, &order) : submit_job(ctl, &order, args);
}

static enum exit_code run_named(struct ctl *ctl, bool plan, const struct args *args)
{
    json_auto_t *spec = NULL;
    const json_t *kinds, *kind;
    enum exit_code code;

    if (args->word_count != 1 || !args_get(args, "spec"))
        return ctl_fail(ctl, EXIT_USAGE, "usage: recoverctl run KIND --spec FILE|-");
    code = kinds_fetch(ctl, &kinds);
    if (code != EXIT_DONE)
        return code;
    kind = kinds_find(kinds, args->words[0]);
    if (!kind) {
        ctl_fail(ctl, EXIT_USAGE, "there is no kind %s", args->words[0]);
        ctl_hint(ctl, "recoverctl kinds lists them");
        return EXIT_USAGE;
    }
    code = read_spec(ctl, args_get(args, "spec"), &spec);
    return code == EXIT_DONE ? execute(ctl, kind, spec, plan, args) : code;
}

enum exit_code run_general(struct ctl *ctl, const struct args *args)
{
    return run_named(ctl, false, args);
}

static enum exit_code plan_general(struct ctl *ctl, int argc, const char **argv)
{
    const struct flag *const tables[] = {run_flags, NULL};
    struct args args = {0};
    struct err err = ERR_INIT;

    if (args_parse(tables, argc, (char *const *)(uintptr_t)argv, &args, NULL, NULL, &err) < 0)
        return ctl_err(ctl, EXIT_USAGE, &err);
    return run_named(ctl, true, &args);
}

static enum exit_code run_with_flags(struct ctl *ctl, const json_t *kind, bool plan, int argc,
                                     const char **argv)
{
    struct spec_flags flags;
    struct err err = ERR_INIT;
    json_auto_t *spec = NULL;
    struct args args = {0};
    enum exit_code code;

    if (spec_flags_of(ctl->arena, json_object_get(kind, "spec"), &flags, &err) < 0)
        return ctl_err(ctl, EXIT_UNREACHABLE, &err);
    const struct flag *const tables[] = {flags.flags, spec_file_flags, plan ? NULL : submit_flags, NULL};
    if (args_parse(tables, argc, (char *const *)(uintptr_t)argv, &args, NULL, NULL, &err) < 0) {
        ctl_err(ctl, EXIT_USAGE, &err);
        ctl_hint(ctl, "recoverctl help %s shows the flags of this kind", kind_words(ctl->arena, kind));
        return EXIT_USAGE;
    }
    code = read_spec(ctl, args_get(&args, "spec"), &spec);
    if (code == EXIT_DONE)
        code = spec_fill(ctl, &flags, &args, spec);
    return code == EXIT_DONE ? execute(ctl, kind, spec, plan, &args) : code;
}

static enum exit_code unknown(struct ctl *ctl, const json_t *kinds, const char *word)
{
    size_t len = strlen(word), i;
    json_t *kind;

    ctl_fail(ctl, EXIT_USAGE, "there is no command or kind %s", word);
    json_array_foreach(json_object_get(kinds, "items"), i, kind) {
        const char *words = kind_words(ctl->arena, kind);

        if (strncmp(words, word, len) == 0 && words[len] == ' ')
            ctl_hint(ctl, "recoverctl %s ...", words);
    }
    ctl_hint(ctl, "recoverctl help lists the commands, recoverctl kinds the kinds");
    return EXIT_USAGE;
}

enum exit_code run_kind(struct ctl *ctl, bool plan, int argc, const char **argv)
{
    const json_t *kinds, *kind;
    size_t words = 0, used = 0;
    enum exit_code code;

    if (argv[0][0] == '-')
        return ctl_fail(ctl, EXIT_USAGE, "unknown flag %s; the command comes first", argv[0]);
    if (plan && strcmp(argv[0], "run") == 0)
        return plan_general(ctl, argc - 1, argv + 1);
    while (words < (size_t)argc && argv[words][0] != '-')
        words++;
    code = kinds_fetch(ctl, &kinds);
    if (code != EXIT_DONE)
        return code;
    kind = kinds_by_words(kinds, argv, words, &used);
    return kind ? run_with_flags(ctl, kind, plan, argc - (int)used, argv + used)
                : unknown(ctl, kinds, argv[0]);
}
