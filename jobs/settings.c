#include "jobs/settings.h"

#include <string.h>

#include "base/cleanup.h"

int setting_value(json_t *value, json_t **ret_value, struct err *err)
{
    if (!value)
        return err_set(err, ERR_NO_MEMORY, "no memory for a setting");
    *ret_value = value;
    return 0;
}

int setting_update(const struct setting_view *view, json_t *request, struct err *err)
{
    json_auto_t *owned = request;

    if (!owned)
        return err_set(err, ERR_NO_MEMORY, "no memory for a setting");
    return dynamodb_update_table(view->aws, owned, err);
}

/* -- small ones -- */

static int read_class(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    return setting_value(json_string(view->table->table_class), ret_value, err);
}

static int apply_class(const struct setting_view *view, const json_t *wanted, const json_t *found,
                       struct err *err)
{
    (void)found;
    return setting_update(
        view, json_pack("{s:s,s:s}", "TableName", view->table->name, "TableClass", json_string_value(wanted)),
        err);
}

/* AWS's own key is no setting: SSEDescription is silent then. */
static int read_sse(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    const struct dynamodb_table *table = view->table;

    if (!table->sse_status || str_is(table->sse_status, "DISABLED") || str_is(table->sse_status, "DISABLING"))
        return setting_value(json_null(), ret_value, err);
    return setting_value(
        json_pack("{s:s,s:s*}", "type", table->sse_type ? table->sse_type : "KMS", "key", table->sse_key),
        ret_value, err);
}

static int apply_sse(const struct setting_view *view, const json_t *wanted, const json_t *found,
                     struct err *err)
{
    json_t *sse = json_pack("{s:b}", "Enabled", json_is_object(wanted));

    (void)found;
    if (sse && json_is_object(wanted)) {
        json_object_set_new(sse, "SSEType", json_string(json_get_text(wanted, "type")));
        if (json_get_text(wanted, "key"))
            json_object_set_new(sse, "KMSMasterKeyId", json_string(json_get_text(wanted, "key")));
    }
    return setting_update(
        view, json_pack("{s:s,s:o}", "TableName", view->table->name, "SSESpecification", sse), err);
}

static int read_tags(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    json_auto_t *tags = NULL;
    json_auto_t *map = json_object();
    const json_t *tag;
    size_t i;

    if (dynamodb_list_tags(view->aws, view->table->arn, &tags, err) < 0)
        return -1;
    json_array_foreach(tags, i, tag) {
        const char *key = json_get_text(tag, "Key"), *value = json_get_text(tag, "Value");

        /* recoverd's own say which job made this table: they are no setting of it. */
        if (key && !str_starts(key, "recoverd:"))
            json_object_set_new(map, key, json_string(value ? value : ""));
    }
    return setting_value(TAKE(map), ret_value, err);
}

/* Adds and changes; a tag that is there but not wanted was given to this table by somebody: it stays. */
static int apply_tags(const struct setting_view *view, const json_t *wanted, const json_t *found,
                      struct err *err)
{
    json_auto_t *tags = json_array();
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)wanted, key, value)
        if (!json_equal(value, json_object_get(found, key)))
            json_array_append_new(tags, json_pack("{s:s,s:O}", "Key", key, "Value", value));
    if (!tags)
        return err_set(err, ERR_NO_MEMORY, "no memory for tags");
    return json_array_size(tags) == 0 ? 0 : dynamodb_tag(view->aws, view->table->arn, tags, err);
}

static int read_stream(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    if (!view->table->stream_enabled)
        return setting_value(json_null(), ret_value, err);
    return setting_value(json_pack("{s:s*}", "view", view->table->stream_view), ret_value, err);
}

/* A stream's view cannot be changed: it is turned off first, and on again in the next step. */
static int apply_stream(const struct setting_view *view, const json_t *wanted, const json_t *found,
                        struct err *err)
{
    bool on = json_is_object(wanted) && json_is_null(found);
    json_t *stream = json_pack("{s:b}", "StreamEnabled", on);

    if (stream && on)
        json_object_set_new(stream, "StreamViewType", json_string(json_get_text(wanted, "view")));
    return setting_update(
        view, json_pack("{s:s,s:o}", "TableName", view->table->name, "StreamSpecification", stream), err);
}

static int read_pitr(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    struct dynamodb_pitr pitr;
    json_t *value;

    if (dynamodb_describe_pitr(view->aws, view->table->name, &pitr, err) < 0)
        return -1;
    value = json_pack("{s:b}", "enabled", pitr.enabled);
    if (value && pitr.enabled && pitr.period_days > 0)
        json_object_set_new(value, "days", json_integer(pitr.period_days));
    return setting_value(value, ret_value, err);
}

static int apply_pitr(const struct setting_view *view, const json_t *wanted, const json_t *found,
                      struct err *err)
{
    (void)found;
    return dynamodb_update_pitr(view->aws, view->table->name, json_get_bool(wanted, "enabled", false),
                                json_get_int(wanted, "days", 0), err);
}

static int read_protection(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    return setting_value(json_boolean(view->table->deletion_protection), ret_value, err);
}

static int apply_protection(const struct setting_view *view, const json_t *wanted, const json_t *found,
                            struct err *err)
{
    (void)found;
    return setting_update(view,
                          json_pack("{s:s,s:b}", "TableName", view->table->name, "DeletionProtectionEnabled",
                                    json_is_true(wanted)),
                          err);
}

static int read_ttl(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    const char *attribute = NULL;

    if (dynamodb_describe_ttl(view->aws, view->table->name, view->arena, NULL, &attribute, err) < 0)
        return -1;
    return setting_value(attribute ? json_string(attribute) : json_null(), ret_value, err);
}

static int apply_ttl(const struct setting_view *view, const json_t *wanted, const json_t *found,
                     struct err *err)
{
    /* On another attribute it must be turned off first; AWS allows one change an hour and says so. */
    if (json_is_string(found))
        return dynamodb_update_ttl(view->aws, view->table->name, json_string_value(found), false, err);
    return dynamodb_update_ttl(view->aws, view->table->name, json_string_value(wanted), true, err);
}

/* Every `from` of text becomes `to`. In arena; NULL without memory. */
static char *replace(struct arena *arena, const char *text, const char *from, const char *to)
{
    _cleanup_(buffer_done) struct buffer out = BUFFER_INIT(CAPSULE_MAX);
    const char *at;

    for (; (at = strstr(text, from)) != NULL; text = at + strlen(from)) {
        buffer_add(&out, text, (size_t)(at - text));
        buffer_add_str(&out, to);
    }
    buffer_add_str(&out, text);
    return out.failed ? NULL : arena_strdup(arena, out.data ? out.data : "");
}

static int read_policy(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    const char *policy = NULL;

    if (dynamodb_get_policy(view->aws, view->table->arn, view->arena, &policy, err) < 0)
        return -1;
    if (!policy)
        return setting_value(json_null(), ret_value, err);
    policy = replace(view->arena, policy, view->table->arn, SETTING_TABLE_ARN);
    return setting_value(policy ? json_string(policy) : NULL, ret_value, err);
}

static int apply_policy(const struct setting_view *view, const json_t *wanted, const json_t *found,
                        struct err *err)
{
    const char *policy;

    (void)found;
    if (!json_is_string(wanted))
        return err_set(err, ERR_SETTING_FAILED,
                       "the source had no resource policy; removing one is not done by a restore");
    policy = replace(view->arena, json_string_value(wanted), SETTING_TABLE_ARN, view->table->arn);
    if (!policy)
        return err_set(err, ERR_NO_MEMORY, "no memory for a resource policy");
    return dynamodb_put_policy(view->aws, view->table->arn, policy, err);
}

static int read_replicas(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    json_t *regions = json_array();
    const json_t *replica;
    size_t i;

    json_array_foreach(json_object_get(view->table->raw, "Replicas"), i, replica)
        json_array_append_new(regions, json_pack("{s:s*}", "region", json_get_text(replica, "RegionName")));
    if (regions && setting_sort(regions, "region", err) < 0) {
        json_decref(regions);
        return -1;
    }
    return setting_value(regions, ret_value, err);
}

/* -- what is the same -- */

/* Every tag that is wanted is there; others were given to this table by somebody. */
static bool covers(const json_t *wanted, const json_t *found)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)wanted, key, value)
        if (!json_equal(value, json_object_get(found, key)))
            return false;
    return true;
}

/* Members that only one side knows (peers of another age are silent on them) do not count; `enabled` does. */
static bool agrees(const json_t *wanted, const json_t *found)
{
    const char *name;
    json_t *value;

    if (json_get_bool(wanted, "enabled", false) != json_get_bool(found, "enabled", false))
        return false;
    json_object_foreach((json_t *)(uintptr_t)wanted, name, value)
        if (json_object_get(found, name) && !json_equal(value, json_object_get(found, name)))
            return false;
    return json_equal(json_object_get(wanted, "indexes"), json_object_get(found, "indexes")) ||
           !json_object_get(wanted, "indexes");
}

/* Units of the table, and of the indexes that both have: a restore may leave indexes out. */
static bool fits(const json_t *wanted, const json_t *found)
{
    static const char *const members[] = {"mode", "read", "write"};
    const json_t *indexes = json_object_get(wanted, "indexes");
    const char *name;
    json_t *units;

    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (!json_object_get(wanted, members[i]) != !json_object_get(found, members[i]) ||
            (json_object_get(wanted, members[i]) &&
             !json_equal(json_object_get(wanted, members[i]), json_object_get(found, members[i]))))
            return false;
    json_object_foreach(json_object_get(found, "indexes"), name, units)
        if (json_object_get(indexes, name) && !json_equal(json_object_get(indexes, name), units))
            return false;
    return true;
}

/* AWS answers with the key's ARN, whatever form it was asked for in. */
static bool same_key(const json_t *wanted, const json_t *found)
{
    const char *key = json_get_text(wanted, "key"), *now = json_get_text(found, "key");

    if (!json_is_object(wanted) || !json_is_object(found))
        return json_equal(wanted, found);
    return str_is(json_get_text(wanted, "type"), json_get_text(found, "type")) &&
           (!key || str_starts(key, "alias/") || (now && str_ends(now, key)));
}

bool setting_same(const struct setting *setting, const json_t *wanted, const json_t *found)
{
    return setting->same ? setting->same(wanted, found) : json_equal(wanted, found);
}

bool setting_is_set(const json_t *value)
{
    return value && !json_is_null(value) && !(json_is_array(value) && json_array_size(value) == 0);
}

/* -- the table -- */

const struct setting settings[] = {
    {"key_schema", SETTING_WITH_TABLE, "dynamodb:CreateTable", setting_read_key_schema, NULL, NULL},
    {"indexes", SETTING_WITH_TABLE, "dynamodb:UpdateTable", setting_read_indexes, setting_apply_indexes,
     NULL},
    {"table_class", SETTING_WITH_TABLE, "dynamodb:UpdateTable", read_class, apply_class, NULL},
    {"sse", SETTING_WITH_TABLE, "dynamodb:UpdateTable", read_sse, apply_sse, same_key},
    {"tags", SETTING_WITH_TABLE, "dynamodb:TagResource", read_tags, apply_tags, covers},
    {"billing", SETTING_AFTER, "dynamodb:UpdateTable", setting_read_billing, setting_apply_billing, fits},
    {"on_demand_maximum", SETTING_AFTER, "dynamodb:UpdateTable", setting_read_maximum, setting_apply_maximum,
     fits},
    {"autoscaling", SETTING_AFTER, "application-autoscaling:PutScalingPolicy", setting_read_autoscaling,
     setting_apply_autoscaling, NULL},
    {"stream", SETTING_AFTER, "dynamodb:UpdateTable", read_stream, apply_stream, NULL},
    {"event_source_mappings", SETTING_WHEN_NAMED, "lambda:CreateEventSourceMapping", setting_read_mappings,
     setting_apply_mappings, NULL},
    {"kinesis", SETTING_WHEN_NAMED, "dynamodb:EnableKinesisStreamingDestination", setting_read_kinesis,
     setting_apply_kinesis, NULL},
    {"pitr", SETTING_AFTER, "dynamodb:UpdateContinuousBackups", read_pitr, apply_pitr, agrees},
    {"contributor_insights", SETTING_AFTER, "dynamodb:UpdateContributorInsights", setting_read_insights,
     setting_apply_insights, agrees},
    {"alarms", SETTING_WHEN_NAMED, "cloudwatch:PutMetricAlarm", setting_read_alarms, setting_apply_alarms,
     NULL},
    {"resource_policy", SETTING_WHEN_NAMED, "dynamodb:PutResourcePolicy", read_policy, apply_policy, NULL},
    {"replicas", SETTING_NEVER, "dynamodb:UpdateTable", read_replicas, NULL, NULL},
    {"deletion_protection", SETTING_AFTER, "dynamodb:UpdateTable", read_protection, apply_protection, NULL},
    {"ttl", SETTING_AFTER, "dynamodb:UpdateTimeToLive", read_ttl, apply_ttl, NULL},
    {NULL, SETTING_NEVER, NULL, NULL, NULL, NULL},
};

const struct setting *setting_find(const char *name)
{
    for (const struct setting *s = settings; name && s->name; s++)
        if (!strcmp(s->name, name))
            return s;
    return NULL;
}
