#include "aws/lambda.h"

#include "aws/json_call.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define PATH "/2015-03-31/event-source-mappings"
#define PAGES_MAX 100

static void reply_end(struct aws_reply *reply)
{
    aws_reply_done(reply);
}

static void buffer_end(struct buffer *buffer)
{
    buffer_done(buffer);
}

static int list_page(struct aws_session *session, const char *stream_arn, const char *marker,
                     json_t **ret_answer, struct err *err)
{
    _cleanup_(buffer_end) struct buffer query = BUFFER_INIT(8192);
    _cleanup_(reply_end) struct aws_reply reply = AWS_REPLY_INIT;

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

    for (int page = 0; list && page < PAGES_MAX; page++) {
        json_t *next = NULL;
        const char *marker = json_get_text(answer, "NextMarker");
        if (list_page(session, stream_arn, marker, &next, err) != 0)
            return -1;
        bool stuck = marker && str_is(marker, json_get_text(next, "NextMarker"));
        json_decref(answer);
        answer = next;
        json_array_extend(list, json_object_get(answer, "EventSourceMappings"));
        const char *more = json_get_text(answer, "NextMarker");
        if (!more || !*more) {
            *ret_mappings = TAKE(list);
            return 0;
        }
        if (stuck)
            break;
    }
    return err_set(err, list ? ERR_AWS_LIED : ERR_NO_MEMORY, "ListEventSourceMappings: its pages do not end");
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

static void copy_member(json_t *to, const json_t *from, const char *name)
{
    json_t *value = json_object_get(from, name);

    if (value && !json_is_null(value))
        json_object_set(to, name, value);
}

int lambda_create_mapping(struct aws_session *session, const json_t *mapping, bool *ret_effect_unknown,
                          struct err *err)
{
    _cleanup_(reply_end) struct aws_reply reply = AWS_REPLY_INIT;
    json_auto_t *request = json_object();
    const char *function = json_get_text(mapping, "FunctionArn"), *state = json_get_text(mapping, "State");

    copy_member(request, mapping, "EventSourceArn");
    for (size_t i = 0; i < LAMBDA_MAPPING_SETTINGS; i++)
        copy_member(request, mapping, lambda_mapping_settings[i]);
    json_object_set_new(request, "FunctionName", json_string(function ? function : ""));
    json_object_set_new(request, "Enabled", json_boolean(!state || !str_starts(state, "Disabl")));
    char *text = json_dumps(request, JSON_COMPACT);
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
    free(text);
    if (ret_effect_unknown)
        *ret_effect_unknown = reply.effect_unknown;
    return rc;
}
