#include "ctl/settings.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/faults.h"
#include "base/yaml.h"
#include "ctl/files.h"

#define DEFAULT_SERVER "http://127.0.0.1:8480"

const struct flag global_flags[] = {
    {"server", 0, "URL", "the server; RECOVERD_URL (default " DEFAULT_SERVER ")", false, NULL},
    {"token-file", 0, "FILE",
     "the file that holds the token; read again when the server says 401; RECOVERD_TOKEN_FILE", false, NULL},
    {"environment", 'e', "ENV",
     "the environment; RECOVERD_ENVIRONMENT (default: the only one that holds the table)", false, NULL},
    {"context", 0, "NAME",
     "a context of ~/.config/recoverd/config.yaml; RECOVERD_CONTEXT (default: its `current`)", false, NULL},
    {"output", 'o', "FORM", "the form of the result (default table)", false, "table json jsonl id"},
    {"quiet", 'q', NULL, "no progress and no remarks", false, NULL},
    {"help", 'h', NULL, "help for the command", false, NULL},
    {0},
};

const struct variable variables[] = {
    {"RECOVERD_URL", "the server, as --server"},
    {"RECOVERD_TOKEN", "the token itself"},
    {"RECOVERD_TOKEN_FILE", "the file that holds the token, as --token-file"},
    {"RECOVERD_ENVIRONMENT", "the environment, as --environment"},
    {"RECOVERD_CONTEXT", "the context, as --context"},
    {"RECOVERD_CONFIG", "the server's configuration file, for token mint and totp enrol"},
    {"AWS_CA_BUNDLE",
     "a file of certificates that replaces the system's, for a server with a private authority"},
    {"HTTPS_PROXY", "the proxy for an https server; NO_PROXY names the exceptions"},
    {"NO_COLOR", "when set, no colour"},
    {"XDG_CONFIG_HOME", "instead of ~/.config"},
    {"XDG_CACHE_HOME", "instead of ~/.cache"},
    {NULL, NULL},
};

const char *settings_path(struct arena *arena, const char *xdg, const char *fallback, const char *name)
{
    const char *base = getenv(xdg);
    const char *home = getenv("HOME");

    if (base && base[0] == '/')
        return arena_printf(arena, "%s/recoverd/%s", base, name);
    return home && home[0] == '/' ? arena_printf(arena, "%s/%s/recoverd/%s", home, fallback, name) : NULL;
}

/* -- contexts -- */

struct context {
    const char *server, *token_file, *environment;
};

static const struct {
    const char *name;
    size_t offset;
} context_keys[] = {
    {"server", offsetof(struct context, server)},
    {"token_file", offsetof(struct context, token_file)},
    {"environment", offsetof(struct context, environment)},
};

static enum exit_code take_key(struct ctl *ctl, const char *path, const struct yaml_node *key,
                               struct context *context)
{
    for (size_t i = 0; i < COUNT_OF(context_keys); i++) {
        if (!str_is(context_keys[i].name, key->name))
            continue;
        if (key->type != YAML_TEXT)
            return ctl_fail(ctl, EXIT_USAGE, "%s:%d:%d: %s wants a text", path, key->place.line,
                            key->place.column, key->name);
        *(const char **)((char *)context + context_keys[i].offset) = key->text;
        return EXIT_DONE;
    }
    return ctl_fail(ctl, EXIT_USAGE, "%s:%d:%d: unknown key %s; known are server, token_file, environment",
                    path, key->name_place.line, key->name_place.column, key->name);
}

static enum exit_code know_keys(struct ctl *ctl, const char *path, const struct yaml_node *root)
{
    for (const struct yaml_node *key = root ? root->first : NULL; key; key = key->next)
        if (!str_listed("contexts current", key->name))
            return ctl_fail(ctl, EXIT_USAGE, "%s:%d:%d: unknown key %s; known are contexts, current", path,
                            key->name_place.line, key->name_place.column, key->name);
    return EXIT_DONE;
}

static enum exit_code take_context(struct ctl *ctl, const char *path, const struct yaml_node *root,
                                   const char *name, struct context *context)
{
    const struct yaml_node *current = yaml_get(root, "current");
    const struct yaml_node *found;
    enum exit_code code = know_keys(ctl, path, root);

    if (code != EXIT_DONE)
        return code;
    if (!name)
        name = current && current->type == YAML_TEXT ? current->text : NULL;
    if (!name)
        return EXIT_DONE;
    found = yaml_get(yaml_get(root, "contexts"), name);
    if (!found || found->type != YAML_MAP)
        return ctl_fail(ctl, EXIT_USAGE, "%s has no context %s", path, name);
    for (const struct yaml_node *key = found->first; key && code == EXIT_DONE; key = key->next)
        code = take_key(ctl, path, key, context);
    return code;
}

static enum exit_code read_contexts(struct ctl *ctl, const char *name, struct context *context)
{
    const char *path = settings_path(ctl->arena, "XDG_CONFIG_HOME", ".config", "config.yaml");
    struct err err = ERR_INIT;
    struct faults faults;
    struct yaml_node *root;
    struct bytes text;

    if (!path || (access(path, F_OK) < 0 && errno == ENOENT))
        return name ? ctl_fail(ctl, EXIT_USAGE, "there is no context %s: %s does not exist", name,
                               path ? path : "the file")
                    : EXIT_DONE;
    if (file_read(path, CONFIG_MAX, ctl->arena, &text, &err) < 0)
        return ctl_err(ctl, EXIT_USAGE, &err);
    faults_init(&faults, ctl->arena);
    root = yaml_read(text, path, ctl->arena, &faults);
    if (faults.count > 0)
        return ctl_fail(ctl, EXIT_USAGE, "%s: %s", faults.list[0].place, faults.list[0].detail);
    return take_context(ctl, path, root, name, context);
}

/* -- all together -- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

static const char *first(const char *a, const char *b, const char *c)
{
    return a ? a : b ? b : c;
}

static bool output_parse(const char *text, enum output *ret_output)
{
    static const char *const names[] = {
        [OUTPUT_TABLE] = "table", [OUTPUT_JSON] = "json", [OUTPUT_JSONL] = "jsonl", [OUTPUT_ID] = "id"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_is(names[i], text)) {
            *ret_output = (enum output)i;
            return true;
        }
    }
    return false;
}

static enum exit_code take_server(struct ctl *ctl, const char *server)
{
    size_t len = strlen(server);

    while (len > 0 && server[len - 1] == '/')
        len--;
    ctl->settings.server = arena_strndup(ctl->arena, server, len);
    if (!ctl->settings.server)
        return ctl_no_memory(ctl);
    if (!str_starts(server, "http://") && !str_starts(server, "https://"))
        return ctl_fail(ctl, EXIT_USAGE, "the server %s is no http or https URL", server);
    return EXIT_DONE;
}

enum exit_code settings_read(struct ctl *ctl, const struct args *args)
{
    struct settings *settings = &ctl->settings;
    const char *output = args_get(args, "output");
    struct context context = {0};
    enum exit_code code;

    settings->quiet = args_on(args, "quiet");
    settings->terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    settings->color = isatty(STDERR_FILENO) && !variable("NO_COLOR") && !str_is(getenv("TERM"), "dumb");
    if (output && !output_parse(output, &settings->output))
        return ctl_fail(ctl, EXIT_USAGE, "-o %s: the forms are table, json, jsonl and id", output);
    code = read_contexts(ctl, first(args_get(args, "context"), variable("RECOVERD_CONTEXT"), NULL), &context);
    if (code != EXIT_DONE)
        return code;
    settings->token_file = args_get(args, "token-file");
    if (!settings->token_file)
        settings->token = variable("RECOVERD_TOKEN");
    settings->token_file = first(settings->token_file, variable("RECOVERD_TOKEN_FILE"), context.token_file);
    settings->environment =
        first(args_get(args, "environment"), variable("RECOVERD_ENVIRONMENT"), context.environment);
    return take_server(ctl, first(first(args_get(args, "server"), variable("RECOVERD_URL"), context.server),
                                  DEFAULT_SERVER, NULL));
}
