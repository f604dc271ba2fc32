#include "server/options.h"

#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

struct option_row {
    const char *name;
    const char *value; /* what its argument is called; NULL: takes none */
    enum action action;
    bool acts; /* says what is to be done */
    const char *help;
};

static const struct option_row rows[] = {
    {"--config", "FILE", ACTION_RUN, false, "the configuration (else the variable RECOVERD_CONFIG)"},
    {"--check", NULL, ACTION_CHECK, true, "check the configuration, name every fault, and end"},
    {"--online", NULL, ACTION_CHECK, false, "with --check: also try each environment at AWS"},
    {"--init", "DIR", ACTION_INIT, true,
     "write a commented configuration with its keys and folders into DIR"},
    {"--migrate", NULL, ACTION_MIGRATE, true, "bring the store to this version's schema, and end"},
    {"--version", NULL, ACTION_VERSION, true, "print the version"},
    {"--help", NULL, ACTION_HELP, true, "print this"},
};

void options_help(void)
{
    printf("recoverd: backs up, restores and proves what an application has on AWS\n\n"
           "usage: recoverd --config FILE [--check [--online] | --migrate]\n"
           "       recoverd --init DIR\n\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        printf("  %-10s %-5s %s\n", rows[i].name, rows[i].value ? rows[i].value : "", rows[i].help);
    printf("\nexit: 0 drained, 2 configuration, 3 store, 4 address in use, 70 internal\n");
}

static const struct option_row *find(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (bytes_is((struct bytes){name, len}, rows[i].name))
            return &rows[i];
    return NULL;
}

static int fail(const char *what, const char *name)
{
    fprintf(stderr, "recoverd: %s: %s\nhint: recoverd --help\n", name, what);
    return EXIT_CONFIG;
}

/* The option's value, behind `=` or as the next argument. */
static const char *value_of(const struct option_row *row, char **argv, int *i)
{
    const char *equals = argv[*i] + strlen(row->name);

    if (*equals == '=')
        return equals[1] ? equals + 1 : NULL;
    if (!argv[*i + 1] || str_starts(argv[*i + 1], "--"))
        return NULL;
    return argv[++*i];
}

static int complete(struct options *options)
{
    bool needs_config =
        options->action == ACTION_RUN || options->action == ACTION_CHECK || options->action == ACTION_MIGRATE;

    if (!options->config)
        options->config = getenv("RECOVERD_CONFIG");
    if (needs_config && (!options->config || !options->config[0]))
        return fail("is needed", "--config FILE");
    return 0;
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
    struct options options = {.action = ACTION_RUN};

    for (int i = 1; i < argc; i++) {
        const struct option_row *row = find(argv[i], strcspn(argv[i], "="));
        const char *name = argv[i];
        const char *value = NULL;

        if (!row || (!row->value && strchr(name, '=')))
            return fail("unknown option", name);
        if (row->value && !(value = value_of(row, argv, &i)))
            return fail("needs a value", row->name);
        if (row->acts && options.action != ACTION_RUN && options.action != row->action)
            return fail("cannot be used with another action", row->name);
        if (row->acts)
            options.action = row->action;
        if (row->action == ACTION_CHECK && !row->acts)
            options.online = true;
        if (row->action == ACTION_INIT)
            options.dir = value;
        else if (value)
            options.config = value;
    }
    if (options.online && options.action != ACTION_CHECK)
        return fail("goes with --check", "--online");
    if (complete(&options) != 0)
        return EXIT_CONFIG;
    *ret_options = options;
    return 0;
}
