#include "server/online.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "aws/sts.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/limits.h"
#include "jobs/root.h"
#include "jobs/settings.h"
#include "server/online_regions.h"

#define SKEW_MAX_MS 300000

/* One environment being tried. */
struct trial {
    FILE *out;
    int failed;
    const struct environment *environment;
    struct aws_session *aws;
    struct arena *arena;
    const char *spool; /* a folder of our own: the data folder may be another user's */
    struct other_regions others;
};

/* -- saying -- */

__attribute__((format(printf, 3, 4))) static void say_ok(struct trial *t, const char *what,
                                                         const char *format, ...)
{
    va_list arguments;

    fprintf(t->out, "ok    %s: %s: ", t->environment->name, what);
    va_start(arguments, format);
    vfprintf(t->out, format, arguments);
    va_end(arguments);
    fputc('\n', t->out);
}

/* S3 tells of a key that may not be used as of a put that is denied; the action is in AWS's own words. */
static bool names_kms_action(const char *message, char ret_action[64])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *at = strstr(message, "kms:");

    if (!at)
        return false;
    size_t len = 4 + strspn(at + 4, letters);
    return len > 4 && bytes_copy(ret_action, 64, (struct bytes){at, len});
}

static bool is_known_region(const char *region)
{
    const char *const *known = aws_regions(region);

    if (!*known)
        return true; /* a partition of which this version has no list */
    while (*known && strcmp(*known, region) != 0)
        known++;
    return *known != NULL;
}

static const char *hint_of(const struct trial *t, const struct err *err)
{
    static const struct {
        enum err_code code;
        const char *hint;
    } more[] = {
        {ERR_ACCOUNT_MISMATCH, "use credentials of the configured account, or mend `account`"},
        {ERR_AWS_NOT_FOUND, "mend the name, or make it; tables are looked for in the environment's region"},
        {ERR_AWS_UNSUPPORTED, "this endpoint is not AWS"},
    };
    char action[64];

    if (!is_known_region(t->environment->region))
        return arena_printf(t->arena, "`region` %s is none that this version knows", t->environment->region);
    if (names_kms_action(err->message, action))
        return arena_printf(t->arena, "give the role %s on the key %s", action,
                            t->environment->kms_key ? t->environment->kms_key : "of the bucket");
    if (str_starts(err->aws.code, "KMS."))
        return arena_printf(t->arena, "mend the key %s",
                            t->environment->kms_key ? t->environment->kms_key : "of the bucket");
    for (size_t i = 0; i < COUNT_OF(more); i++)
        if (more[i].code == err->code)
            return more[i].hint;
    return err_info(err->code)->hint;
}

static void say_failed_with(struct trial *t, const char *what, const struct err *err, const char *hint)
{
    t->failed++;
    fprintf(t->out, "FAIL  %s: %s: %s (%s)%s%s\n", t->environment->name, what, err->message,
            err_info(err->code)->name, hint && *hint ? "; hint: " : "", hint ? hint : "");
}

static void say_failed(struct trial *t, const char *what, const struct err *err)
{
    say_failed_with(t, what, err, hint_of(t, err));
}

/* -- who -- */

static bool try_identity(struct trial *t)
{
    const char *account = t->environment->account;
    struct sts_identity identity;
    struct err err = ERR_INIT;

    if (!account) {
        say_ok(t, "identity", "not asked: no account is configured, and every endpoint is loopback");
        return true;
    }
    if (sts_get_caller_identity(t->aws, &identity, &err) == 0 && strcmp(identity.account, account) != 0)
        err_set(&err, ERR_ACCOUNT_MISMATCH, "account %s is configured, the credentials are of %s", account,
                identity.account);
    int64_t offset_ms = aws_clock_offset_ms(t->aws->aws);
    if (err.code == ERR_NONE && llabs(offset_ms) > SKEW_MAX_MS)
        err_set(&err, ERR_AWS_REFUSED, "this machine's clock is %lld s away from AWS's",
                (long long)offset_ms / 1000);
    if (err.code != ERR_NONE) {
        say_failed(t, "identity", &err);
        return false;
    }
    say_ok(t, "identity", "account %s as %s", identity.account, identity.arn);
    return true;
}

/* -- tables -- */

/* Everything that a backup reads beside the items, then one item's worth of a scan. */
static int try_reads(struct trial *t, const char *what, const struct setting_view *view)
{
    struct dynamodb_scan scan = {.table = view->table->name, .limit = 1, .select = "COUNT"};
    struct aws_reply reply = AWS_REPLY_INIT;
    struct err err = ERR_INIT;
    int before = t->failed;

    for (const struct setting *setting = settings; setting->name; setting++) {
        struct err failed = ERR_INIT;
        json_auto_t *value = NULL;

        if (setting->read(view, &value, &failed) < 0 && failed.code != ERR_AWS_UNSUPPORTED)
            say_failed(t, what, &failed);
    }
    if (dynamodb_scan(t->aws, &scan, &reply, &err) < 0)
        say_failed(t, what, &err);
    aws_reply_done(&reply);
    return t->failed - before;
}

static bool is_named(const void *name, const char *found)
{
    return !strcmp(name, found);
}

/* A missing table is often there, in a region that the configuration does not name. */
static void say_missing(struct trial *t, const char *what, const char *name, const struct err *err)
{
    const char *found;
    const char *region = other_regions_find(&t->others, t->aws, t->arena, is_named, name, &found);

    say_failed_with(t, what, err,
                    region ? arena_printf(t->arena, "the table is in %s: mend `region`", region)
                           : hint_of(t, err));
}

static void try_table(struct trial *t, const char *name)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(AWS_CONTROL_REPLY_MAX * 2);
    const char *what = arena_printf(t->arena, "table %s", name);
    struct dynamodb_table table;
    struct setting_view view = {t->aws, arena, &table};
    struct err err = ERR_INIT;

    if (!arena || !what)
        err_set(&err, ERR_NO_MEMORY, "no memory for table %s", name);
    else if (dynamodb_describe_table(t->aws, name, arena, &table, &err) == 0) {
        if (try_reads(t, what, &view) == 0)
            say_ok(t, what, "%s, about %lld items of %lld bytes; settings, PITR, tags and items can be read",
                   table.status, (long long)table.items, (long long)table.bytes);
        return;
    }
    if (err.code == ERR_AWS_NOT_FOUND)
        say_missing(t, what, name, &err);
    else
        say_failed(t, what ? what : "table", &err);
}

/* By a glob only: who is named has a line of his own. */
static bool is_globbed(const void *environment, const char *name)
{
    const struct environment *its = environment;

    for (size_t i = 0; i < its->tables.count; i++)
        if (!strcmp(its->tables.names[i], name))
            return false;
    return environment_lists_table(its, name);
}

/* No table may be right, on a first day; but not when another region has some. */
static void say_found(struct trial *t, size_t found)
{
    const char *name = NULL, *own = t->environment->region;
    const char *region =
        found == 0 ? other_regions_find(&t->others, t->aws, t->arena, is_globbed, t->environment, &name)
                   : NULL;
    struct err err = ERR_INIT;

    if (!region) {
        say_ok(t, "tables", "globs find %zu tables", found);
        return;
    }
    err_set(&err, ERR_AWS_NOT_FOUND, "globs find no table in %s", own);
    say_failed_with(t, "tables", &err, arena_printf(t->arena, "%s has %s: mend `region`", region, name));
}

/* Tables that a glob finds and no name names; each once, however many globs find it. */
static void try_found(struct trial *t)
{
    const char *start = NULL;
    const char **names;
    size_t count, found = 0;
    struct err err = ERR_INIT;

    do {
        if (dynamodb_list_tables(t->aws, t->arena, &start, &names, &count, &err) < 0) {
            say_failed(t, "tables", &err);
            return;
        }
        for (size_t i = 0; i < count; i++) {
            if (!is_globbed(t->environment, names[i]))
                continue;
            found++;
            try_table(t, names[i]);
        }
    } while (start);
    say_found(t, found);
}

static void try_tables(struct trial *t)
{
    const struct name_list *tables = &t->environment->tables;

    for (size_t i = 0; i < tables->count; i++)
        if (!is_glob(tables->names[i]))
            try_table(t, tables->names[i]);
    if (environment_has_globs(t->environment))
        try_found(t);
}

/* -- roots -- */

static int open_root(struct trial *t, const char *uri, struct root **ret_root, struct err *err)
{
    const struct root_options options = {
        .environment = t->environment, .aws = t->aws, .arena = t->arena, .data_dir = t->spool};

    return root_open(&options, uri, ret_root, err);
}

/* A name that is nobody's. */
static const char *probe_name(struct trial *t)
{
    struct id id = id_new();
    char text[ID_SIZE];

    id_format(&id, text);
    return arena_printf(t->arena, "recoverd-check-%s", text);
}

/* What it put is what it finds, and a second put of other bytes must be refused: points rely on it. */
static int write_and_read(struct root *root, const char *path, struct err *err)
{
    static const char first[] = "recoverd --check --online\n", second[] = "this must not be taken\n";
    struct bytes found;
    struct err refused = ERR_INIT;

    if (root_put(root, path, bytes_of(first), err) < 0 || root_get(root, path, 1024, &found, err) < 0)
        return -1;
    if (!bytes_is(found, first))
        return err_set(err, ERR_AWS_LIED, "what was written to %s is not what is read", path);
    if (root_put(root, path, bytes_of(second), &refused) == 0)
        return err_set(err, ERR_AWS_LIED, "a conditional write over %s was taken: If-None-Match is not kept",
                       path);
    if (refused.code != ERR_AWS_CONDITION)
        return err_set(err, refused.code, "%s", refused.message);
    return 0;
}

static int list_nothing(struct trial *t, struct root *root, struct err *err)
{
    const char *name = probe_name(t);
    const char *folder = name ? arena_printf(t->arena, "%s/", name) : NULL;
    struct root_file *files;
    size_t count;

    return folder ? root_list(root, folder, &files, &count, err)
                  : err_set(err, ERR_NO_MEMORY, "no memory for a name");
}

/* Deleted whatever came before: a put whose answer was lost may have left it. */
static int try_probe(struct trial *t, struct root *root, struct root_keep *ret_keep, struct err *err)
{
    const char *path = probe_name(t);
    struct err removed = ERR_INIT;
    int rc;

    if (!path)
        return err_set(err, ERR_NO_MEMORY, "no memory for a name");
    rc = write_and_read(root, path, err);
    if (rc == 0)
        rc = root_keeps(root, path, ret_keep, err);
    if (root_delete(root, path, &removed) < 0 && rc == 0)
        rc = err_set(err, removed.code, "%s; %s is left there", removed.message, path);
    return rc < 0 ? -1 : list_nothing(t, root, err);
}

/* What stays of a file that recoverd deletes there. */
static const char *stays(struct trial *t, const struct root_keep *keep)
{
    char until[TIME_SIZE];
    const char *text;

    if (!keep->version)
        return "";
    time_format(keep->until_ms, until);
    text = keep->lock_mode[0]
               ? arena_printf(t->arena, "; what is deleted stays as a version, locked until %s (%s)", until,
                              keep->lock_mode)
               : "; what is deleted stays as a version until a lifecycle rule of the bucket ends it";
    return text ? text : "";
}

/* Its bucket may be in another region than the tables: then it says so. */
static void say_root(struct trial *t, const char *what, const struct root *root, const struct root_keep *keep)
{
    const char *region = root_region(root);
    bool away = *region && strcmp(region, t->environment->region) != 0;

    say_ok(t, what, "%s%s%swritten once, read, listed and deleted; encryption %s%s", away ? "in " : "",
           away ? region : "", away ? ", " : "", root_encryption(root), stays(t, keep));
}

static void try_root(struct trial *t)
{
    const char *uri = t->environment->recovery_points;
    const char *what = arena_printf(t->arena, "root %s", uri);
    _cleanup_(root_close_p) struct root *root = NULL;
    struct root_keep keep = {.version = false};
    struct err err = ERR_INIT;

    if (open_root(t, uri, &root, &err) < 0 || try_probe(t, root, &keep, &err) < 0)
        say_failed(t, what ? what : "root", &err);
    else
        say_root(t, what ? what : "root", root, &keep);
}

/* Of where else a source may lie only listing can be tried: what is there is somebody's. */
static void try_uri_root(struct trial *t, const char *uri)
{
    const char *what = arena_printf(t->arena, "uri_root %s", uri);
    _cleanup_(root_close_p) struct root *root = NULL;
    struct err err = ERR_INIT;

    if (open_root(t, uri, &root, &err) < 0 || list_nothing(t, root, &err) < 0)
        say_failed(t, what ? what : "uri_root", &err);
    else
        say_ok(t, what ? what : "uri_root", "listed");
}

/* -- all -- */

static void try_everything(struct trial *t)
{
    if (!try_identity(t)) /* with another's credentials nothing is touched */
        return;
    try_tables(t);
    try_root(t);
    for (size_t i = 0; i < t->environment->uri_roots.count; i++)
        try_uri_root(t, t->environment->uri_roots.names[i]);
}

static void aws_free_p(struct aws **aws)
{
    aws_free(*aws);
}

static void http_client_free_p(struct http_client **client)
{
    http_client_free(*client);
}

static int try_environment(const struct environment *environment, const char *spool, FILE *out)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(ONLINE_ARENA_MAX);
    struct trial t = {.out = out, .environment = environment, .arena = arena, .spool = spool};
    struct err err = ERR_INIT;
    _cleanup_(aws_free_p) struct aws *aws = aws_new(environment, &err);
    _cleanup_(http_client_free_p) struct http_client *client = aws ? http_client_new(&err) : NULL;
    struct aws_session session;

    if (!arena || !client) {
        if (err.code == ERR_NONE)
            err_set(&err, ERR_NO_MEMORY, "no memory for an environment");
        fprintf(out, "FAIL  %s: %s (%s)\n", environment->name, err.message, err_info(err.code)->name);
        return 1;
    }
    aws_session_init(&session, aws, client);
    t.aws = &session;
    try_everything(&t);
    aws_session_done(&session);
    return t.failed;
}

int online_check(const struct config *config, FILE *out)
{
    char folder[] = "/tmp/recoverd-check-XXXXXX", spool[sizeof(folder) + sizeof("/spool")];
    int failed = 0;

    if (!mkdtemp(folder)) {
        fprintf(out, "FAIL  /tmp: no folder can be made: %s\n", strerrordesc_np(errno));
        return 1;
    }
    for (size_t i = 0; i < config->environment_count; i++)
        failed += try_environment(&config->environments[i], folder, out);
    snprintf(spool, sizeof(spool), "%s/spool", folder);
    rmdir(spool);
    rmdir(folder);
    return failed;
}
