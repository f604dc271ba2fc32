#include "aws/dynamodb.h"
#include "aws/json_call.h"
#include "base/cleanup.h"

static struct json_call setting(const char *operation, const char *resource)
{
    return (struct json_call){
        .service = AWS_DYNAMODB, .operation = operation, .resource = resource, .control = true};
}

/* {"TableName": table} and the answer. */
static int describe(struct aws_session *session, const char *operation, const char *table,
                    json_t **ret_answer, struct err *err)
{
    struct json_call call = setting(operation, table);

    return aws_json_call_take(session, &call, json_pack("{s:s}", "TableName", table), ret_answer, err);
}

static int change(struct aws_session *session, const char *operation, const char *resource, json_t *request,
                  struct err *err)
{
    struct json_call call = setting(operation, resource);

    return aws_json_call_take(session, &call, request, NULL, err);
}

int dynamodb_describe_ttl(struct aws_session *session, const char *table, struct arena *arena,
                          const char **ret_status, const char **ret_attribute, struct err *err)
{
    json_auto_t *answer = NULL;

    if (describe(session, "DescribeTimeToLive", table, &answer, err) != 0)
        return -1;
    const json_t *ttl = json_object_get(answer, "TimeToLiveDescription");
    const char *status = json_get_text(ttl, "TimeToLiveStatus");
    bool on = status && (strcmp(status, "ENABLED") == 0 || strcmp(status, "ENABLING") == 0);
    const char *attribute = on ? json_get_text(ttl, "AttributeName") : NULL;
    if (!status)
        return err_set(err, ERR_AWS_LIED, "DescribeTimeToLive %.100s answered without a status", table);
    char *kept_status = arena_strdup(arena, status), *kept = arena_strdup(arena, attribute);
    if (!kept_status || (attribute && !kept))
        return err_set(err, ERR_NO_MEMORY, "no memory for a table's settings");
    if (ret_status)
        *ret_status = kept_status;
    *ret_attribute = kept;
    return 0;
}

int dynamodb_update_ttl(struct aws_session *session, const char *table, const char *attribute, bool enabled,
                        struct err *err)
{
    return change(session, "UpdateTimeToLive", table,
                  json_pack("{s:s, s:{s:b, s:s}}", "TableName", table, "TimeToLiveSpecification", "Enabled",
                            enabled, "AttributeName", attribute),
                  err);
}

int dynamodb_describe_pitr(struct aws_session *session, const char *table, struct dynamodb_pitr *ret_pitr,
                           struct err *err)
{
    json_auto_t *answer = NULL;

    if (describe(session, "DescribeContinuousBackups", table, &answer, err) != 0)
        return -1;
    const json_t *backups = json_object_get(answer, "ContinuousBackupsDescription");
    const json_t *pitr = json_object_get(backups, "PointInTimeRecoveryDescription");
    if (!backups)
        return err_set(err, ERR_AWS_LIED, "DescribeContinuousBackups %.100s answered without a description",
                       table);
    *ret_pitr = (struct dynamodb_pitr){
        .enabled = str_is(json_get_text(pitr, "PointInTimeRecoveryStatus"), "ENABLED"),
        .period_days = json_get_int(pitr, "RecoveryPeriodInDays", 0),
        .earliest_ms = aws_json_time(pitr, "EarliestRestorableDateTime"),
        .latest_ms = aws_json_time(pitr, "LatestRestorableDateTime"),
    };
    return 0;
}

int dynamodb_update_pitr(struct aws_session *session, const char *table, bool enabled, int64_t period_days,
                         struct err *err)
{
    json_t *specification = enabled && period_days > 0
                                ? json_pack("{s:b, s:I}", "PointInTimeRecoveryEnabled", true,
                                            "RecoveryPeriodInDays", (json_int_t)period_days)
                                : json_pack("{s:b}", "PointInTimeRecoveryEnabled", enabled);

    return change(
        session, "UpdateContinuousBackups", table,
        json_pack("{s:s, s:o}", "TableName", table, "PointInTimeRecoverySpecification", specification), err);
}

int dynamodb_list_tags(struct aws_session *session, const char *arn, json_t **ret_tags, struct err *err)
{
    struct json_call call = setting("ListTagsOfResource", arn);
    json_t *tags = NULL;

    if (aws_json_pages(session, &call, json_pack("{s:s}", "ResourceArn", arn), "NextToken", "Tags", &tags,
                       err) != 0)
        return -1;
    for (size_t i = json_array_size(tags); i-- > 0;) {
        const char *key = json_get_text(json_array_get(tags, i), "Key");
        if (!key || str_starts(key, "aws:"))
            json_array_remove(tags, i);
    }
    *ret_tags = tags;
    return 0;
}

int dynamodb_tag(struct aws_session *session, const char *arn, const json_t *tags, struct err *err)
{
    return change(session, "TagResource", arn,
                  json_pack("{s:s, s:o}", "ResourceArn", arn, "Tags", json_deep_copy(tags)), err);
}

int dynamodb_get_policy(struct aws_session *session, const char *arn, struct arena *arena,
                        const char **ret_policy, struct err *err)
{
    struct json_call call = setting("GetResourcePolicy", arn);
    json_auto_t *answer = NULL;
    struct err failed = ERR_INIT;

    if (aws_json_call_take(session, &call, json_pack("{s:s}", "ResourceArn", arn), &answer, &failed) != 0) {
        if (strcmp(failed.aws.code, "PolicyNotFoundException") == 0) { /* the usual case */
            *ret_policy = NULL;
            return 0;
        }
        if (err->code == ERR_NONE)
            *err = failed;
        return -1;
    }
    const char *policy = json_get_text(answer, "Policy");
    char *kept = arena_strdup(arena, policy);
    if (policy && !kept)
        return err_set(err, ERR_NO_MEMORY, "no memory for a resource policy");
    *ret_policy = kept;
    return 0;
}

int dynamodb_put_policy(struct aws_session *session, const char *arn, const char *policy, struct err *err)
{
    return change(session, "PutResourcePolicy", arn,
                  json_pack("{s:s, s:s}", "ResourceArn", arn, "Policy", policy), err);
}

int dynamodb_describe_insights(struct aws_session *session, const char *table, const char *index,
                               json_t **ret_answer, struct err *err)
{
    struct json_call call = setting("DescribeContributorInsights", table);

    return aws_json_call_take(
        session, &call, json_pack("{s:s, s:s*}", "TableName", table, "IndexName", index), ret_answer, err);
}

int dynamodb_update_insights(struct aws_session *session, const char *table, const char *index, bool enable,
                             const char *mode, struct err *err)
{
    return change(session, "UpdateContributorInsights", table,
                  json_pack("{s:s, s:s*, s:s, s:s*}", "TableName", table, "IndexName", index,
                            "ContributorInsightsAction", enable ? "ENABLE" : "DISABLE",
                            "ContributorInsightsMode", mode),
                  err);
}

int dynamodb_describe_kinesis(struct aws_session *session, const char *table, json_t **ret_destinations,
                              struct err *err)
{
    json_auto_t *answer = NULL;

    if (describe(session, "DescribeKinesisStreamingDestination", table, &answer, err) != 0)
        return -1;
    json_t *list = json_object_get(answer, "KinesisDataStreamDestinations");
    *ret_destinations = json_is_array(list) ? json_incref(list) : json_array();
    return *ret_destinations ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a table's settings");
}

int dynamodb_enable_kinesis(struct aws_session *session, const char *table, const char *stream_arn,
                            const char *precision, struct err *err)
{
    json_t *request = precision ? json_pack("{s:s, s:s, s:{s:s}}", "TableName", table, "StreamArn",
                                            stream_arn, "EnableKinesisStreamingConfiguration",
                                            "ApproximateCreationDateTimePrecision", precision)
                                : json_pack("{s:s, s:s}", "TableName", table, "StreamArn", stream_arn);

    return change(session, "EnableKinesisStreamingDestination", table, request, err);
}
