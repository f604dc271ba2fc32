#include "aws/lambda.h"

#include "aws/json_call.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define PATH "/2015-03-31/event-source-mappings"
#define PAGES_MAX 100

static int list_page(struct aws_session *session, const char *stream_arn, const char *marker,
                     json_t **ret_answer, struct err *err)
{
    _cleanup_(buffer_done) struct buffer query = BUFFER_INIT(8192);
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;

    buffer_add_str(&query, "EventSourceArn=");
    uri_encode(&query, bytes_of(stream_arn), false);
    if (marker) {
        buffer_add_str(&query, "&Marker=");
        uri_encode(&query, bytes_of(marker), false);
    }
    if (buffer_ok(&query, "ListEventSourceMappings", err) != 0)
        return -1;
    struct aws_call call = {.service = AWS_LAMBDA,
                            .operation = "ListEventSourceMappings",
                            .resource = stream_arn,
                            .method = "GET",
                            .path = PATH,
                            .query = query.data,
                            .reply_max = (size_t)AWS_CONTROL_REPLY_MAX};
    if (aws_send(session, &call, &reply, err) != 0)
        return -1;
    return aws_json_body(buffer_bytes(&reply.answer.body), "ListEventSourceMappings", ret_answer, err);
}

int lambda_mappings_of_stream(struct aws_session *session, const char *stream_arn, json_t **ret_mappings,
                              struct err *err)
{
    json_auto_t *list = json_array();
    json_auto_t *answer = NULL;

    for (int page = 0; page < PAGES_MAX; page++) {
        json_auto_t *before = TAKE(answer);
        const char *marker = json_get_text(before, "NextMarker");
        if (list_page(session, stream_arn, marker, &answer, err) != 0)
            return -1;
        json_t *found = json_object_get(answer, "EventSourceMappings");
        if (!json_is_array(found))
            return err_set(err, ERR_AWS_LIED, "ListEventSourceMappings answered without mappings");
        if (json_array_extend(list, found) != 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for ListEventSourceMappings");
        const char *more = json_get_text(answer, "NextMarker");
        if (!more || !*more) {
            *ret_mappings = TAKE(list);
            return 0;
        }
        if (str_is(marker, more))
            break;
    }
    return err_set(err, ERR_AWS_LIED, "ListEventSourceMappings: its pages do not end");
}

const char *const lambda_mapping_settings[LAMBDA_MAPPING_SETTINGS] = {
    "BatchSize",
    "FilterCriteria",
    "KMSKeyArn",
    "MetricsConfig",
    "ScalingConfig",
    "MaximumBatchingWindowInSeconds",
    "StartingPosition",
    "DestinationConfig",
    "ParallelizationFactor",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "TumblingWindowInSeconds",
    "FunctionResponseTypes",
};

int lambda_create_mapping(struct aws_session *session, const json_t *mapping, bool *ret_effect_unknown,
                          struct err *err)
{
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    json_auto_t *request = aws_json_pick(mapping, lambda_mapping_settings, LAMBDA_MAPPING_SETTINGS);
    const char *function = json_get_text(mapping, "FunctionArn"), *state = json_get_text(mapping, "State");
    json_auto_t *ends =
        json_pack("{s:s*, s:s*, s:b}", "EventSourceArn", json_get_text(mapping, "EventSourceArn"),
                  "FunctionName", function, "Enabled", !state || !str_starts(state, "Disabl"));
    _cleanup_(cleanup_free) char *text = NULL;

    if (request && ends && json_object_update(request, ends) == 0)
        text = json_dumped(request, JSON_COMPACT);
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for CreateEventSourceMapping");
    struct aws_call call = {.service = AWS_LAMBDA,
                            .operation = "CreateEventSourceMapping",
                            .resource = function,
                            .path = PATH,
                            .body = bytes_of(text),
                            .once = true,
                            .reply_max = (size_t)AWS_CONTROL_REPLY_MAX};
    int rc = aws_send(session, &call, &reply, err);
    if (ret_effect_unknown)
        *ret_effect_unknown = reply.effect_unknown;
    return rc;
}
