/* Settings that other calls and other services hold: autoscaling, insights, consumers of the stream, alarms.
 */
#include <string.h>

#include "aws/autoscaling.h"
#include "aws/cloudwatch.h"
#include "aws/lambda.h"
#include "base/cleanup.h"
#include "jobs/settings.h"

/* A copy of the named members that are there and not null. */
static json_t *pick(const json_t *from, const char *const *names, size_t count)
{
    json_t *to = json_object();

    for (size_t i = 0; to && i < count; i++) {
        json_t *value = json_object_get(from, names[i]);

        if (value && !json_is_null(value))
            json_object_set(to, names[i], value);
    }
    return to;
}

/* -- autoscaling -- */

/* table/NAME, then table/NAME/index/INDEX of the global ones. In arena. */
static const char **resource_ids(const struct setting_view *view, size_t *ret_count, struct err *err)
{
    const struct dynamodb_table *table = view->table;
    const char **ids = arena_array(view->arena, const char *, table->index_count + 1);
    size_t count = 0;

    if (ids)
        ids[count++] = arena_printf(view->arena, "table/%s", table->name);
    for (size_t i = 0; ids && i < table->index_count; i++)
        if (table->indexes[i].global)
            ids[count++] =
                arena_printf(view->arena, "table/%s/index/%s", table->name, table->indexes[i].name);
    for (size_t i = 0; i < count; i++)
        if (!ids[i])
            ids = NULL, count = 0;
    if (!ids)
        err_set(err, ERR_NO_MEMORY, "no memory for autoscaling");
    *ret_count = count;
    return ids;
}

/* table/NAME/index/I -> {table}/index/I, and back. */
static json_t *renamed(const struct setting_view *view, const char *id, bool to_capsule)
{
    const char *prefix = arena_printf(view->arena, "table/%s", view->table->name);
    const char *from = to_capsule ? prefix : SETTING_TABLE, *to = to_capsule ? SETTING_TABLE : prefix;
    const char *text;

    if (!id || !prefix || !str_starts(id, from))
        return NULL;
    text = arena_printf(view->arena, "%s%s", to, id + strlen(from));
    return text ? json_string(text) : NULL;
}

static const char *const policy_members[] = {"PolicyName",
                                             "ServiceNamespace",
                                             "ResourceId",
                                             "ScalableDimension",
                                             "PolicyType",
                                             "StepScalingPolicyConfiguration",
                                             "TargetTrackingScalingPolicyConfiguration",
                                             "PredictiveScalingPolicyConfiguration"};
static const char *const target_members[] = {"ServiceNamespace", "ResourceId",  "ScalableDimension",
                                             "MinCapacity",      "MaxCapacity", "SuspendedState"};

/* Each row gets `order`, a text that sorts the same on both tables. */
static int tidy(const struct setting_view *view, json_t *to, const json_t *from, const char *const *members,
                size_t count, const char *name, struct err *err)
{
    const json_t *row;
    size_t i;

    json_array_foreach(from, i, row) {
        json_t *one = pick(row, members, count);
        json_t *id = renamed(view, json_get_text(row, "ResourceId"), true);
        const char *dimension = json_get_text(row, "ScalableDimension");
        const char *own = name ? json_get_text(row, name) : NULL;

        if (!one || !id) {
            json_decref(one);
            json_decref(id);
            return err_set(err, ERR_AWS_LIED, "autoscaling of table %s answered with another resource",
                           view->table->name);
        }
        json_object_set_new(one, "ResourceId", id);
        json_object_set_new(one, "order",
                            json_sprintf("%s %s %s", json_get_text(one, "ResourceId"),
                                         dimension ? dimension : "", own ? own : ""));
        json_array_append_new(to, one);
    }
    return setting_sort(to, "order", err);
}

int setting_read_autoscaling(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    size_t count = 0;
    const char **ids = resource_ids(view, &count, err);
    json_auto_t *targets = NULL;
    json_auto_t *value = json_pack("{s:[],s:[]}", "targets", "policies");

    if (!ids || autoscaling_describe_targets(view->aws, ids, count, &targets, err) < 0)
        return -1;
    if (tidy(view, json_object_get(value, "targets"), targets, target_members, COUNT_OF(target_members), NULL,
             err) < 0)
        return -1;
    for (size_t i = 0; json_array_size(targets) > 0 && i < count; i++) {
        json_auto_t *policies = NULL;

        if (autoscaling_describe_policies(view->aws, ids[i], &policies, err) < 0 ||
            tidy(view, json_object_get(value, "policies"), policies, policy_members, COUNT_OF(policy_members),
                 "PolicyName", err) < 0)
            return -1;
    }
    return setting_value(TAKE(value), ret_value, err);
}

/* AWS names a policy "$name:table/NAME"; the name has no other meaning, so it is kept where it names another
 * table. */
int setting_apply_autoscaling(const struct setting_view *view, const json_t *wanted, const json_t *found,
                              struct err *err)
{
    static const char *const lists[] = {"targets", "policies"};

    (void)found;
    for (size_t list = 0; list < COUNT_OF(lists); list++) {
        const json_t *row;
        size_t i;

        json_array_foreach(json_object_get(wanted, lists[list]), i, row) {
            json_auto_t *request = json_deep_copy(row);
            json_t *id = renamed(view, json_get_text(row, "ResourceId"), false);
            int result;

            if (!request || !id) {
                json_decref(id);
                return err_set(err, ERR_SETTING_FAILED,
                               "the recorded autoscaling names no resource of a table");
            }
            json_object_set_new(request, "ResourceId", id);
            result = list == 0 ? autoscaling_register_target(view->aws, request, err)
                               : autoscaling_put_policy(view->aws, request, err);
            if (result < 0)
                return -1;
        }
    }
    return 0;
}

/* -- Contributor Insights -- */

static int read_insight(const struct setting_view *view, const char *index, json_t **ret_value,
                        struct err *err)
{
    json_auto_t *answer = NULL;
    const char *status, *mode;
    bool on;

    if (dynamodb_describe_insights(view->aws, view->table->name, index, &answer, err) < 0)
        return -1;
    status = json_get_text(answer, "ContributorInsightsStatus");
    mode = json_get_text(answer, "ContributorInsightsMode");
    on = str_is(status, "ENABLED") || str_is(status, "ENABLING");
    return setting_value(json_pack("{s:b,s:s*}", "enabled", on, "mode", on ? mode : NULL), ret_value, err);
}

/* Indexes without it are left out: most tables have none anywhere. */
int setting_read_insights(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    json_auto_t *value = NULL;
    json_auto_t *indexes = json_object();

    if (read_insight(view, NULL, &value, err) < 0)
        return -1;
    for (size_t i = 0; i < view->table->index_count; i++) {
        json_t *one = NULL;

        if (!view->table->indexes[i].global)
            continue;
        if (read_insight(view, view->table->indexes[i].name, &one, err) < 0)
            return -1;
        if (json_get_bool(one, "enabled", false))
            json_object_set(indexes, view->table->indexes[i].name, one);
        json_decref(one);
    }
    if (json_object_size(indexes) > 0)
        json_object_set(value, "indexes", indexes);
    return setting_value(TAKE(value), ret_value, err);
}

int setting_apply_insights(const struct setting_view *view, const json_t *wanted, const json_t *found,
                           struct err *err)
{
    const json_t *indexes = json_object_get(wanted, "indexes");
    bool on = json_get_bool(wanted, "enabled", false);
    const char *name;
    json_t *one;

    if (on != json_get_bool(found, "enabled", false) ||
        !str_is(json_get_text(wanted, "mode"), json_get_text(found, "mode")))
        if (dynamodb_update_insights(view->aws, view->table->name, NULL, on, json_get_text(wanted, "mode"),
                                     err) < 0)
            return -1;
    json_object_foreach((json_t *)(uintptr_t)indexes, name, one)
        if (!json_equal(one, json_object_get(json_object_get(found, "indexes"), name)))
            if (dynamodb_update_insights(view->aws, view->table->name, name, true, json_get_text(one, "mode"),
                                         err) < 0)
                return -1;
    return 0;
}

/* -- who reads the stream -- */

int setting_read_mappings(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    json_auto_t *mappings = NULL;
    json_auto_t *value = json_array();
    const json_t *mapping;
    size_t i;

    if (view->table->stream_arn &&
        lambda_mappings_of_stream(view->aws, view->table->stream_arn, &mappings, err) < 0)
        return -1;
    json_array_foreach(mappings, i, mapping) {
        json_t *one = pick(mapping, lambda_mapping_settings, LAMBDA_MAPPING_SETTINGS);
        const char *state = json_get_text(mapping, "State");

        if (json_array_append_new(value, one) < 0 ||
            json_object_set(one, "FunctionArn", json_object_get(mapping, "FunctionArn")) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for event source mappings");
        json_object_set_new(one, "State",
                            json_string(state && str_starts(state, "Disabl") ? "Disabled" : "Enabled"));
    }
    if (setting_sort(value, "FunctionArn", err) < 0)
        return -1;
    return setting_value(TAKE(value), ret_value, err);
}

static bool has(const json_t *list, const char *member, const char *text)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
        if (str_is(json_get_text(one, member), text))
            return true;
    return false;
}

int setting_apply_mappings(const struct setting_view *view, const json_t *wanted, const json_t *found,
                           struct err *err)
{
    const json_t *mapping;
    size_t i;

    if (!view->table->stream_arn)
        return err_set(err, ERR_SETTING_FAILED, "the table has no stream that a function could read");
    json_array_foreach(wanted, i, mapping) {
        json_auto_t *request = json_deep_copy(mapping);
        struct err failed = ERR_INIT;

        if (has(found, "FunctionArn", json_get_text(mapping, "FunctionArn")))
            continue;
        if (!request)
            return err_set(err, ERR_NO_MEMORY, "no memory for event source mappings");
        json_object_set_new(request, "EventSourceArn", json_string(view->table->stream_arn));
        if (lambda_create_mapping(view->aws, request, NULL, &failed) < 0 && failed.code != ERR_AWS_CONFLICT) {
            *err = failed; /* a conflict means that the function reads this stream already */
            return -1;
        }
    }
    return 0;
}

int setting_read_kinesis(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    json_auto_t *destinations = NULL;
    json_auto_t *value = json_array();
    const json_t *one;
    size_t i;

    if (dynamodb_describe_kinesis(view->aws, view->table->name, &destinations, err) < 0)
        return -1;
    json_array_foreach(destinations, i, one) {
        const char *status = json_get_text(one, "DestinationStatus");

        if (!str_is(status, "ACTIVE") && !str_is(status, "ENABLING") && !str_is(status, "UPDATING"))
            continue;
        if (json_array_append_new(
                value, json_pack("{s:s*,s:s*}", "stream", json_get_text(one, "StreamArn"), "precision",
                                 json_get_text(one, "ApproximateCreationDateTimePrecision"))) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for Kinesis destinations");
    }
    if (setting_sort(value, "stream", err) < 0)
        return -1;
    return setting_value(TAKE(value), ret_value, err);
}

int setting_apply_kinesis(const struct setting_view *view, const json_t *wanted, const json_t *found,
                          struct err *err)
{
    const json_t *one;
    size_t i;

    json_array_foreach(wanted, i, one) {
        const char *stream = json_get_text(one, "stream");

        if (stream && !has(found, "stream", stream) &&
            dynamodb_enable_kinesis(view->aws, view->table->name, stream, json_get_text(one, "precision"),
                                    err) < 0)
            return -1;
    }
    return 0;
}

/* -- alarms -- */

static void rename_dimensions(json_t *dimensions, const char *from, const char *to)
{
    json_t *dimension;
    size_t i;

    json_array_foreach(dimensions, i, dimension)
        if (str_is(json_get_text(dimension, "Name"), "TableName") &&
            str_is(json_get_text(dimension, "Value"), from))
            json_object_set_new(dimension, "Value", json_string(to));
}

static void rename_alarm(json_t *alarm, const char *from, const char *to)
{
    json_t *metric;
    size_t i;

    rename_dimensions(json_object_get(alarm, "Dimensions"), from, to);
    json_array_foreach(json_object_get(alarm, "Metrics"), i, metric)
        rename_dimensions(
            json_object_get(json_object_get(json_object_get(metric, "MetricStat"), "Metric"), "Dimensions"),
            from, to);
}

int setting_read_alarms(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    json_auto_t *alarms = NULL;
    json_auto_t *value = json_array();
    const json_t *alarm;
    size_t i;

    if (cloudwatch_alarms_of_table(view->aws, view->table->name, &alarms, err) < 0)
        return -1;
    json_array_foreach(alarms, i, alarm) {
        json_auto_t *picked = pick(alarm, cloudwatch_alarm_members, CLOUDWATCH_ALARM_MEMBERS);
        json_t *copy = picked ? json_deep_copy(picked) : NULL;

        if (json_array_append_new(value, copy) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for alarms");
        rename_alarm(copy, view->table->name, SETTING_TABLE);
    }
    if (setting_sort(value, "AlarmName", err) < 0)
        return -1;
    return setting_value(TAKE(value), ret_value, err);
}

int setting_apply_alarms(const struct setting_view *view, const json_t *wanted, const json_t *found,
                         struct err *err)
{
    const json_t *alarm;
    size_t i;

    (void)found;
    json_array_foreach(wanted, i, alarm) {
        json_auto_t *request = json_deep_copy(alarm);

        if (!request)
            return err_set(err, ERR_NO_MEMORY, "no memory for alarms");
        rename_alarm(request, SETTING_TABLE, view->table->name);
        if (cloudwatch_put_alarm(view->aws, request, err) < 0)
            return -1;
    }
    return 0;
}
