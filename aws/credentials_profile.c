/* A profile of the shared files: keys, a role with its source, a process, web identity. */
#include "aws/credentials_internal.h"
#include "aws/profile_file.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define PROFILE_CHAIN_MAX 8

struct walk {
    const struct fetch *fetch;
    struct profile_files files;
    const char *seen[PROFILE_CHAIN_MAX];
    size_t depth;
};

static int resolve(struct walk *walk, const char *profile, struct aws_credentials *ret, struct err *err);

static bool has_keys(const struct walk *walk, const char *profile)
{
    return profile_get(&walk->files, profile, "aws_access_key_id") != NULL;
}

static int static_keys(const struct walk *walk, const char *profile, struct aws_credentials *ret,
                       struct err *err)
{
    const struct profile_files *files = &walk->files;

    ret->expires_ms = 0;
    return credentials_set(ret, "profile", profile_get(files, profile, "aws_access_key_id"),
                           profile_get(files, profile, "aws_secret_access_key"),
                           profile_get(files, profile, "aws_session_token"), err);
}

static int from_named_source(const struct walk *walk, const char *profile, const char *name,
                             struct aws_credentials *ret, struct err *err)
{
    static const struct {
        const char *name;
        credentials_fetch *fetch;
    } sources[] = {
        {"Environment", credentials_from_env},
        {"Ec2InstanceMetadata", credentials_from_imds},
        {"EcsContainer", credentials_from_container},
    };

    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        if (strcmp(sources[i].name, name) != 0)
            continue;
        int rc = sources[i].fetch(walk->fetch, ret, err);
        if (rc == 0)
            return err_set(err, ERR_AWS_CREDENTIALS, "profile %.80s: credential_source %s has no credentials",
                           profile, name);
        return rc < 0 ? -1 : 0;
    }
    return err_set(err, ERR_AWS_CREDENTIALS, "profile %.80s: credential_source %.40s is not known", profile,
                   name);
}

static int source_of_role(struct walk *walk, const char *profile, struct aws_credentials *ret,
                          struct err *err)
{
    const char *source = profile_get(&walk->files, profile, "source_profile");
    const char *named = profile_get(&walk->files, profile, "credential_source");

    if (source && named)
        return err_set(err, ERR_AWS_CREDENTIALS,
                       "profile %.80s has both source_profile and credential_source", profile);
    if (named)
        return from_named_source(walk, profile, named, ret, err);
    if (!source)
        return err_set(err, ERR_AWS_CREDENTIALS,
                       "profile %.80s: role_arn needs source_profile or credential_source", profile);
    if (strcmp(source, profile) == 0) /* the role's own keys are its source */
        return static_keys(walk, profile, ret, err);
    return resolve(walk, source, ret, err);
}

static int assume(struct walk *walk, const char *profile, struct aws_credentials *ret, struct err *err)
{
    const struct profile_files *files = &walk->files;
    const char *token_file = profile_get(files, profile, "web_identity_token_file");
    struct aws_credentials base = {0};
    struct role role = {
        .arn = profile_get(files, profile, "role_arn"),
        .session_name = profile_get(files, profile, "role_session_name"),
        .external_id = profile_get(files, profile, "external_id"),
        .duration_s = profile_get(files, profile, "duration_seconds"),
    };

    if (profile_get(files, profile, "mfa_serial"))
        return err_set(err, ERR_AWS_CREDENTIALS,
                       "profile %.80s asks for a code by mfa_serial; a daemon has nobody to ask", profile);
    if (token_file)
        return credentials_web_identity(walk->fetch, token_file, &role, ret, err);
    int rc = source_of_role(walk, profile, &base, err);
    if (rc == 0)
        rc = credentials_assume_role(walk->fetch, &role, &base, ret, err);
    aws_credentials_done(&base);
    return rc;
}

static bool is_sso(const struct profile_files *files, const char *profile)
{
    static const char *const keys[] = {"sso_session", "sso_start_url", "sso_account_id", "login_session"};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (profile_get(files, profile, keys[i]))
            return true;
    }
    return false;
}

static int resolve(struct walk *walk, const char *profile, struct aws_credentials *ret, struct err *err)
{
    const struct profile_files *files = &walk->files;
    const char *process = profile_get(files, profile, "credential_process");

    for (size_t i = 0; i < walk->depth; i++) {
        if (strcmp(walk->seen[i], profile) == 0)
            return err_set(err, ERR_AWS_CREDENTIALS, "profile %.80s is its own source", profile);
    }
    if (walk->depth == PROFILE_CHAIN_MAX)
        return err_set(err, ERR_AWS_CREDENTIALS, "more than %d profiles in a chain", PROFILE_CHAIN_MAX);
    walk->seen[walk->depth++] = profile;
    if (!profile_exists(files, profile))
        return err_set(err, ERR_AWS_CREDENTIALS, "there is no profile %.80s in the shared AWS files",
                       profile);
    if (profile_get(files, profile, "role_arn"))
        return assume(walk, profile, ret, err);
    if (has_keys(walk, profile))
        return static_keys(walk, profile, ret, err);
    if (process)
        return credentials_from_process(walk->fetch, process, ret, err);
    if (is_sso(files, profile))
        return err_set(err, ERR_AWS_CREDENTIALS,
                       "profile %.80s logs in through a browser; make another with credential_process = "
                       "aws configure export-credentials --profile %.80s --format process",
                       profile, profile);
    return err_set(err, ERR_AWS_CREDENTIALS, "profile %.80s has no credentials", profile);
}

/* The default profile is no source when it names no credentials; a profile that was asked for has to. */
static bool configured(const struct walk *walk, const char *profile)
{
    static const char *const keys[] = {"role_arn", "aws_access_key_id", "credential_process"};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (profile_get(&walk->files, profile, keys[i]))
            return true;
    }
    return is_sso(&walk->files, profile);
}

int credentials_from_profile(const struct fetch *fetch, struct aws_credentials *ret, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new((size_t)(2 * MIB));
    const char *asked = fetch->settings->profile ? fetch->settings->profile : getenv("AWS_PROFILE");
    struct walk walk = {.fetch = fetch};

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for the shared AWS files");
    int rc = profile_files_read(arena, &walk.files, err);
    bool by_name = asked && *asked;
    if (rc == 0 && (by_name || configured(&walk, "default")))
        rc = resolve(&walk, by_name ? asked : "default", ret, err) == 0 ? 1 : -1;
    profile_files_done(&walk.files);
    return rc;
}
