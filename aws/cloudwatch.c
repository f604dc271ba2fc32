#include "aws/cloudwatch.h"

#include "aws/json_call.h"
#include "base/cleanup.h"

static bool names_table(const json_t *dimensions, const char *table)
{
    size_t i;
    json_t *dimension;

    json_array_foreach(dimensions, i, dimension) {
        if (str_is(json_get_text(dimension, "Name"), "TableName") &&
            str_is(json_get_text(dimension, "Value"), table))
            return true;
    }
    return false;
}

static bool is_of_table(const json_t *alarm, const char *table)
{
    size_t i;
    json_t *metric;
    const char *name = json_get_text(alarm, "AlarmName");

    if (!name || str_starts(name, "TargetTracking-table/"))
        return false;
    if (names_table(json_object_get(alarm, "Dimensions"), table))
        return true;
    json_array_foreach(json_object_get(alarm, "Metrics"), i, metric) {
        const json_t *inner = json_object_get(json_object_get(metric, "MetricStat"), "Metric");
        if (names_table(json_object_get(inner, "Dimensions"), table))
            return true;
    }
    return false;
}

int cloudwatch_alarms_of_table(struct aws_session *session, const char *table, json_t **ret_alarms,
                               struct err *err)
{
    struct json_call call = {.service = AWS_CLOUDWATCH, .operation = "DescribeAlarms", .resource = table};
    json_t *alarms = NULL;

    if (aws_json_pages(session, &call,
                       json_pack("{s:[s], s:i}", "AlarmTypes", "MetricAlarm", "MaxRecords", 100), "NextToken",
                       "MetricAlarms", &alarms, err) != 0)
        return -1;
    for (size_t i = json_array_size(alarms); i-- > 0;) {
        if (!is_of_table(json_array_get(alarms, i), table))
            json_array_remove(alarms, i);
    }
    *ret_alarms = alarms;
    return 0;
}

const char *const cloudwatch_alarm_members[CLOUDWATCH_ALARM_MEMBERS] = {"AlarmName",
                                                                        "AlarmDescription",
                                                                        "ActionsEnabled",
                                                                        "OKActions",
                                                                        "AlarmActions",
                                                                        "InsufficientDataActions",
                                                                        "MetricName",
                                                                        "Namespace",
                                                                        "Statistic",
                                                                        "ExtendedStatistic",
                                                                        "Dimensions",
                                                                        "Period",
                                                                        "Unit",
                                                                        "EvaluationPeriods",
                                                                        "DatapointsToAlarm",
                                                                        "Threshold",
                                                                        "ComparisonOperator",
                                                                        "TreatMissingData",
                                                                        "EvaluateLowSampleCountPercentile",
                                                                        "Metrics",
                                                                        "ThresholdMetricId"};

int cloudwatch_put_alarm(struct aws_session *session, const json_t *alarm, struct err *err)
{
    struct json_call call = {.service = AWS_CLOUDWATCH,
                             .operation = "PutMetricAlarm",
                             .resource = json_get_text(alarm, "AlarmName"),
                             .control = true};

    return aws_json_call_take(
        session, &call, aws_json_pick(alarm, cloudwatch_alarm_members, CLOUDWATCH_ALARM_MEMBERS), NULL, err);
}
