/* environments: which resources belong together, and which of them are ours to touch. */
#include "base/config_internal.h"

#define ENV(name_, type_, field, ...)                                                                        \
    {                                                                                                        \
        .name = (name_), .type = (type_), .offset = offsetof(struct environment, field), ##__VA_ARGS__       \
    }
#define LATER(name_)                                                                                         \
    {                                                                                                        \
        .name = (name_), .type = CONFIG_LATER                                                                \
    }
#define OBJECT(name_, keys_)                                                                                 \
    {                                                                                                        \
        .name = (name_), .type = CONFIG_OBJECT, .keys = (keys_)                                              \
    }
#define END                                                                                                  \
    {                                                                                                        \
        .type = CONFIG_END                                                                                   \
    }
#define UNITS .min = 1, .max = 10000000
#define OBJECTIVE .min = 1000, .max = 366LL * 86400 * 1000

static void take_tags(struct loader *l, const struct yaml_node *node, void *object);
static void take_second_person(struct loader *l, const struct yaml_node *node, void *object);

static const struct config_key limits_keys[] = {
    ENV("read_units_per_second", CONFIG_INT64, read_units_per_second, UNITS),
    ENV("write_units_per_second", CONFIG_INT64, write_units_per_second, UNITS),
    END,
};
static const struct config_key rto_keys[] = {
    ENV("critical", CONFIG_DURATION, rto_critical_ms, OBJECTIVE),
    ENV("full", CONFIG_DURATION, rto_full_ms, OBJECTIVE),
    END,
};
static const struct config_key rpo_keys[] = {
    ENV("tables", CONFIG_DURATION, rpo_tables_ms, OBJECTIVE),
    ENV("buckets", CONFIG_DURATION, rpo_buckets_ms, OBJECTIVE),
    END,
};
static const struct config_key objectives_keys[] = {OBJECT("rto", rto_keys), OBJECT("rpo", rpo_keys), END};
static const struct config_key approval_keys[] = {
    {.name = "second_person", .type = CONFIG_SPECIAL, .required = true, .take = take_second_person}, END};

#define ROOT_WANTED "s3://bucket/prefix or file:///absolute/path without dot segments and double slashes"
static const struct config_key environment_keys[] = {
    ENV("account", CONFIG_TEXT, account, .valid = valid_account, .wanted = "an account id of 12 digits"),
    ENV("region", CONFIG_TEXT, region, .required = true, .valid = valid_region,
        .wanted = "a region such as us-east-1"),
    ENV("tables", CONFIG_TEXTS, tables, .max = CONFIG_LIST_MAX, .valid = valid_table_or_glob,
        .wanted = "a table's name (3 to 255 of a-zA-Z0-9_.-) or a glob with * and ?"),
    LATER("buckets"),
    LATER("functions"),
    LATER("pointers"),
    ENV("recovery_points", CONFIG_TEXT, recovery_points, .required = true, .valid = valid_root,
        .wanted = ROOT_WANTED),
    ENV("allow_unencrypted", CONFIG_FLAG, allow_unencrypted),
    ENV("uri_roots", CONFIG_TEXTS, uri_roots, .max = CONFIG_LIST_MAX, .valid = valid_root,
        .wanted = ROOT_WANTED),
    LATER("openpgp_recipients"),
    LATER("aws_backup"),
    ENV("profile", CONFIG_TEXT, profile),
    ENV("role_arn", CONFIG_TEXT, role_arn, .valid = valid_role_arn,
        .wanted = "a role such as arn:aws:iam::123456789012:role/recoverd"),
    ENV("external_id", CONFIG_TEXT, external_id, .valid = valid_external_id,
        .wanted = "2 to 1224 of a-zA-Z0-9_+=,.@:/-"),
    ENV("endpoint_url", CONFIG_TEXT, endpoint_url),
    ENV("kms_key", CONFIG_TEXT, kms_key, .valid = valid_kms_key,
        .wanted = "a key's id or ARN, or alias/NAME"),
    OBJECT("limits", limits_keys),
    OBJECT("approval", approval_keys),
    OBJECT("objectives", objectives_keys),
    {.name = "tags", .type = CONFIG_SPECIAL, .take = take_tags},
    END,
};

static void take_second_person(struct loader *l, const struct yaml_node *node, void *object)
{
    (void)object;
    if (!config_text(l, node) || strcmp(node->text, "none") == 0)
        return;
    if (str_listed("destructive restore", node->text))
        config_fault(l, node->place, "`second_person: %s`: not in this version", node->text);
    else
        config_fault(l, node->place, "`second_person` must be one of: none destructive restore; not `%.80s`",
                     node->text);
}

static bool check_tag(struct loader *l, const struct yaml_node *tag)
{
    size_t name_len = strlen(tag->name);
    if (name_len == 0 || name_len > 128) {
        config_fault(l, tag->name_place, "a tag's name must have 1 to 128 bytes");
        return false;
    }
    if (str_starts(tag->name, "aws:") || str_starts(tag->name, "recoverd:")) {
        config_fault(l, tag->name_place, "tags that begin with aws: or recoverd: are not yours to set");
        return false;
    }
    if (tag->type == YAML_TEXT && strlen(tag->text) > 256) {
        config_fault(l, tag->place, "a tag's value must have at most 256 bytes");
        return false;
    }
    return tag->type == YAML_TEXT && tag->text[0] == '\0' && tag->quoted ? true : config_text(l, tag);
}

static void take_tags(struct loader *l, const struct yaml_node *node, void *object)
{
    struct environment *environment = object;
    if (!config_is(l, node, YAML_MAP))
        return;
    if (node->count > CONFIG_TAGS_MAX) {
        config_fault(l, node->place, "`tags` must have at most %d entries", CONFIG_TAGS_MAX);
        return;
    }
    const char **names = config_array(l, node, sizeof *names),
               **values = config_array(l, node, sizeof *values);
    environment->tag_names = names;
    environment->tag_values = values;
    for (const struct yaml_node *tag = node->first; names && values && tag; tag = tag->next) {
        if (!check_tag(l, tag))
            continue;
        names[environment->tag_count] = tag->name;
        values[environment->tag_count++] = tag->text;
    }
}

/* -- what must fit together -- */

/* AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> count where the configuration names no endpoint. True when
 * the general one is loopback, and every one of a service too; all of them are held to the rule of
 * endpoint_url. */
static bool variables_are_loopback(struct loader *l, struct yaml_place at)
{
    static const char prefix[] = "AWS_ENDPOINT_URL";
    bool general = false, others = true;
    for (char **variable = environ; variable && *variable; variable++) {
        const char *value = strchr(*variable, '=');
        if (!str_starts(*variable, prefix) || !value || !value[1])
            continue;
        size_t len = (size_t)(value - *variable);
        struct url url = {0};
        if (len > sizeof prefix - 1 && (*variable)[sizeof prefix - 1] != '_')
            continue;
        if (!url_parse(value + 1, &url) || (!url.https && !url.loopback))
            config_fault(l, at, "the variable %.*s must be an https url, or one on loopback", (int)len,
                         *variable);
        if (len == sizeof prefix - 1)
            general = url.loopback;
        else
            others = others && url.loopback;
    }
    return general && others;
}

static void check_endpoint(struct loader *l, const struct yaml_node *node,
                           const struct environment *environment)
{
    bool loopback;
    struct url url = {0};
    if (!environment->endpoint_url) {
        if (yaml_get(node, "endpoint_url"))
            return; /* it was no text: said already */
        loopback = variables_are_loopback(l, config_place(node));
    } else {
        struct yaml_place at = yaml_get(node, "endpoint_url")->place;
        bool parsed = url_parse(environment->endpoint_url, &url);
        loopback = url.loopback;
        if (!parsed)
            config_fault(l, at, "`endpoint_url` must be a url such as https://host:port, not `%.120s`",
                         environment->endpoint_url);
        else if (!url.https && !loopback)
            config_fault(l, at, "`endpoint_url` must be https, or on loopback");
        if (!parsed)
            return;
    }
    if (!loopback && !yaml_get(node, "account"))
        config_fault(l, config_place(node),
                     "`account` is missing; it is required unless every endpoint is loopback");
}

static void check_root(struct loader *l, const struct yaml_node *node, struct environment *environment)
{
    if (!environment->recovery_points)
        return;
    if (str_starts(environment->recovery_points, "file:") && !environment->allow_unencrypted)
        config_fault(l, yaml_get(node, "recovery_points")->place,
                     "recovery points in files are not encrypted: it needs `allow_unencrypted: true`");
    environment->recovery_points = root_trim(l, environment->recovery_points);
    const char **roots = arena_array(l->arena, const char *, environment->uri_roots.count + 1);
    if (!roots)
        config_no_memory(l, config_place(node));
    for (size_t i = 0; roots && i < environment->uri_roots.count; i++)
        roots[i] = root_trim(l, environment->uri_roots.names[i]);
    environment->uri_roots.names = roots;
}

static void check_credentials(struct loader *l, const struct yaml_node *node)
{
    const struct yaml_node *role = yaml_get(node, "role_arn"), *external_id = yaml_get(node, "external_id");
    if (role && yaml_get(node, "profile"))
        config_fault(l, role->name_place,
                     "`role_arn` beside `profile`: give one; a profile can name its own role");
    if (external_id && !role)
        config_fault(l, external_id->name_place, "`external_id` needs `role_arn`");
}

/* -- claims: a table belongs to one environment -- */

/* The same name is another table in another account or region, or behind another endpoint. */
static bool same_place(const struct environment *a, const struct environment *b)
{
    return str_is(a->region, b->region) && str_is(a->endpoint_url, b->endpoint_url) &&
           (!a->account || !b->account || strcmp(a->account, b->account) == 0);
}

/* Equal names or globs, or a name that the other's glob matches. Whether two different globs can meet is not
 * judged. */
static bool overlap(const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return true;
    if (is_glob(a) == is_glob(b))
        return false;
    return is_glob(a) ? glob_match(a, b) : glob_match(b, a);
}

static void check_claim(struct loader *l, const struct yaml_node *table, const struct yaml_node *other)
{
    const struct yaml_node *tables = yaml_get(other, "tables");
    for (const struct yaml_node *at = tables && tables->type == YAML_LIST ? tables->first : NULL; at;
         at = at->next) {
        if (at->type != YAML_TEXT || !overlap(table->text, at->text))
            continue;
        config_fault(l, table->place,
                     "`%.100s` is claimed by environment `%.64s` too, as `%.100s` at %.150s:%d:%d",
                     table->text, other->name, at->text, l->file, at->place.line, at->place.column);
        return;
    }
}

static void check_claims(struct loader *l, const struct yaml_node *node, const struct yaml_node *other)
{
    const struct yaml_node *tables = yaml_get(node, "tables");
    for (const struct yaml_node *at = tables && tables->type == YAML_LIST ? tables->first : NULL; at;
         at = at->next) {
        if (at->type == YAML_TEXT)
            check_claim(l, at, other);
        if (l->faults->total > FAULTS_MAX)
            return; /* no further one would be kept */
    }
}

static bool take_environment(struct loader *l, const struct yaml_node *node, struct environment *environment)
{
    environment->name = node->name;
    if (!valid_name(node->name)) {
        config_fault(
            l, node->name_place,
            "an environment's name must have 1 to 64 of a-zA-Z0-9_.- and begin with a letter or digit");
        return false;
    }
    if (!config_is(l, node, YAML_MAP))
        return false;
    config_take(l, environment_keys, node, environment);
    check_endpoint(l, node, environment);
    check_root(l, node, environment);
    check_credentials(l, node);
    return true;
}

void config_take_environments(struct loader *l, const struct yaml_node *node, void *object)
{
    struct config *config = object;
    if (!config_is(l, node, YAML_MAP))
        return;
    if (node->count == 0 || node->count > CONFIG_ENVIRONMENTS_MAX) {
        config_fault(l, node->place, "`environments` must have 1 to %d entries", CONFIG_ENVIRONMENTS_MAX);
        return;
    }
    struct environment *environments = config_array(l, node, sizeof *environments);
    const struct yaml_node *nodes[CONFIG_ENVIRONMENTS_MAX];
    config->environments = environments;
    for (const struct yaml_node *at = node->first; environments && at; at = at->next) {
        size_t n = config->environment_count;
        nodes[n] = at;
        if (!take_environment(l, at, &environments[n]))
            continue;
        for (size_t i = 0; i < n; i++) {
            if (same_place(&environments[i], &environments[n]))
                check_claims(l, at, nodes[i]);
        }
        config->environment_count++;
    }
}
