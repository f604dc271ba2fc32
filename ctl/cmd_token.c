/* token mint: a token made from the server's configuration. */
#include <pwd.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "auth/mint.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/output.h"
#include "ctl/server_config.h"

const struct flag mint_flags[] = {
    {"config", 0, "FILE", "the server's configuration; RECOVERD_CONFIG", false, NULL},
    {"issuer", 0, "ISSUER",
     "the issuer of the configuration (default: the only one, or the only one with a secret_file)", false,
     NULL},
    {"key", 0, "PEM", "the issuer's private key, instead of its secret_file", false, NULL},
    {"subject", 0, "NAME", "who the token is for (default: your name on this machine)", false, NULL},
    {"role", 0, "ROLE@ENV", "a grant, like BackupAdministrator@production or viewer@*; may be repeated", true,
     NULL},
    {"ttl", 0, "DURATION", "how long it is good, at most 15m (default: the most)", false, NULL},
    {"mfa", 0, NULL, "claim a second factor; only when every environment's endpoint is on this machine",
     false, NULL},
    {"output-file", 'O', "FILE", "write it to this file, readable only by you, instead of stdout", false,
     NULL},
    {0},
};

enum exit_code server_config_load(struct ctl *ctl, const char *path, struct config **ret_config)
{
    struct err err = ERR_INIT;
    struct faults faults;

    if (!path)
        path = getenv("RECOVERD_CONFIG");
    if (!path || !path[0]) {
        ctl_fail(ctl, EXIT_USAGE, "which configuration? --config FILE or RECOVERD_CONFIG");
        return EXIT_USAGE;
    }
    faults_init(&faults, ctl->arena);
    *ret_config = config_load(path, &faults, &err);
    if (*ret_config)
        return EXIT_DONE;
    for (size_t i = 0; i < faults.count; i++)
        ctl_fail(ctl, EXIT_USAGE, "%s: %s", faults.list[i].place, faults.list[i].detail);
    return faults.count > 0 ? EXIT_USAGE : ctl_err(ctl, EXIT_USAGE, &err);
}

/* -- which issuer -- */

static const struct issuer_config *only_with_secret(const struct config *config)
{
    const struct issuer_config *found = NULL;

    for (size_t i = 0; i < config->issuer_count; i++) {
        if (config->issuers[i].key_source != KEY_SECRET_FILE)
            continue;
        if (found)
            return NULL;
        found = &config->issuers[i];
    }
    return found;
}

static enum exit_code find_issuer(struct ctl *ctl, const struct config *config, const char *name, bool key,
                                  const struct issuer_config **ret_issuer)
{
    *ret_issuer = NULL;
    for (size_t i = 0; name && i < config->issuer_count; i++)
        if (str_is(config->issuers[i].issuer, name))
            *ret_issuer = &config->issuers[i];
    if (!name)
        *ret_issuer = config->issuer_count == 1 ? &config->issuers[0] : key ? NULL : only_with_secret(config);
    if (!*ret_issuer)
        return ctl_fail(ctl, EXIT_USAGE,
                        name ? "the configuration has no issuer %s"
                             : "there are several issuers: choose with --issuer",
                        name);
    if ((*ret_issuer)->key_source != KEY_SECRET_FILE && !key)
        return ctl_fail(ctl, EXIT_USAGE, "the issuer %s has no secret_file: give its private key with --key",
                        (*ret_issuer)->issuer);
    return EXIT_DONE;
}

/* -- what it says -- */

static bool all_loopback(const struct config *config)
{
    for (size_t i = 0; i < config->environment_count; i++) {
        const char *endpoint = config->environments[i].endpoint_url;

        if (!endpoint || !http_host_is_loopback(http_url_host(endpoint)))
            return false;
    }
    return true;
}

#define PASSWD_MAX 16384

static const char *own_name(struct arena *arena)
{
    char *room = arena_alloc(arena, PASSWD_MAX);
    struct passwd user, *found = NULL;

    return room && getpwuid_r(getuid(), &user, room, PASSWD_MAX, &found) == 0 && found ? user.pw_name : NULL;
}

struct roles {
    const char *names[GRANTS_MAX];
    size_t count;
};

static enum exit_code read_roles(struct ctl *ctl, const struct args *args, struct roles *roles)
{
    for (size_t i = 0; i < args->value_count; i++) {
        if (strcmp(args->values[i].flag->name, "role") != 0)
            continue;
        if (roles->count == GRANTS_MAX)
            return ctl_fail(ctl, EXIT_USAGE, "too many roles: a token has at most %d", GRANTS_MAX);
        roles->names[roles->count++] = args->values[i].value;
    }
    return roles->count > 0
               ? EXIT_DONE
               : ctl_fail(ctl, EXIT_USAGE, "a token without a role may do nothing: give --role ROLE@ENV");
}

static enum exit_code read_request(struct ctl *ctl, const struct args *args, const struct config *config,
                                   struct roles *roles, struct mint_request *ret_request)
{
    const char *ttl = args_get(args, "ttl"), *subject = args_get(args, "subject");
    struct mint_request request = {.subject = subject ? subject : own_name(ctl->arena),
                                   .roles = roles->names,
                                   .mfa = args_on(args, "mfa")};

    enum exit_code code = read_roles(ctl, args, roles);

    if (code != EXIT_DONE)
        return code;
    request.role_count = roles->count;
    if (ttl && (!duration_parse(bytes_of(ttl), &request.lifetime_ms) || request.lifetime_ms <= 0))
        return ctl_fail(ctl, EXIT_USAGE, "--ttl %s: a duration like 5m is wanted", ttl);
    if (request.mfa && !all_loopback(config))
        return ctl_fail(ctl, EXIT_FORBIDDEN,
                        "--mfa is only for a configuration whose endpoints are all on this machine");
    *ret_request = request;
    return EXIT_DONE;
}

static enum exit_code put_token(struct ctl *ctl, const char *token, const char *file)
{
    struct err err = ERR_INIT;
    char *line;
    int result;

    if (file) {
        line = arena_printf(ctl->arena, "%s\n", token);
        if (!line)
            return ctl_no_memory(ctl);
        result = file_replace(file, bytes_of(line), 0600, &err);
        OPENSSL_cleanse(line, strlen(line));
        return result < 0 ? ctl_err(ctl, EXIT_USAGE, &err) : EXIT_DONE;
    }
    if (ctl->settings.output == OUTPUT_JSON || ctl->settings.output == OUTPUT_JSONL) {
        json_auto_t *answer = json_pack("{s:s}", "token", token);

        output_line(ctl, answer);
        return EXIT_DONE;
    }
    fprintf(ctl->out, "%s\n", token);
    return EXIT_DONE;
}

enum exit_code mint(struct ctl *ctl, const struct args *args)
{
    _cleanup_(config_release_p) struct config *config = NULL;
    const struct issuer_config *issuer;
    const char *key = args_get(args, "key"), *token;
    struct mint_request request;
    struct roles roles = {0};
    struct err err = ERR_INIT;
    enum exit_code code = server_config_load(ctl, args_get(args, "config"), &config);

    if (code == EXIT_DONE)
        code = find_issuer(ctl, config, args_get(args, "issuer"), key != NULL, &issuer);
    if (code == EXIT_DONE)
        code = read_request(ctl, args, config, &roles, &request);
    if (code != EXIT_DONE)
        return code;
    if (mint_token(issuer, config->identity_claim, key, &request, ctl->arena, &token, &err) < 0)
        return ctl_err(ctl, EXIT_USAGE, &err);
    code = put_token(ctl, token, args_get(args, "output-file"));
    OPENSSL_cleanse((char *)(uintptr_t)token, strlen(token));
    return code;
}
