#include "aws/json_call.h"

#include <math.h>

#include "base/cleanup.h"
#include "base/limits.h"

#define PAGES_MAX 1000

int aws_json_body(struct bytes body, const char *what, json_t **ret_value, struct err *err)
{
    static const struct json_limits limits = {.max_depth = 64, .allow_duplicates = false};
    struct err bad = ERR_INIT;
    json_t *value = NULL;

    if (json_parse(body, &limits, &value, &bad) != 0)
        return err_set(err, ERR_AWS_LIED, "the answer to %s is not JSON: %.200s", what, bad.message);
    if (!json_is_object(value)) {
        json_decref(value);
        return err_set(err, ERR_AWS_LIED, "the answer to %s is not an object", what);
    }
    *ret_value = value;
    return 0;
}

int aws_json_call(struct aws_session *session, const struct json_call *call, const json_t *request,
                  json_t **ret_answer, struct err *err)
{
    _cleanup_(cleanup_free) char *text = request ? json_dumped(request, JSON_COMPACT) : strdup("{}");
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    struct aws_call send = {.service = call->service,
                            .operation = call->operation,
                            .resource = call->resource,
                            .body = bytes_of(text),
                            .once = call->once,
                            .control = call->control,
                            .reply_max = (size_t)AWS_CONTROL_REPLY_MAX};
    char url[320];

    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", call->operation);
    if (call->region) {
        if (!aws_endpoint_elsewhere(aws_endpoint(session->aws, call->service), aws_region(session->aws),
                                    call->region, url, sizeof(url)))
            return err_set(err, ERR_LIMIT_EXCEEDED, "the address of region %.40s is too long", call->region);
        send.region = call->region;
        send.base_url = url;
    }
    int rc = aws_send(session, &send, &reply, err);
    if (call->ret_effect_unknown)
        *call->ret_effect_unknown = reply.effect_unknown;
    if (rc != 0 || !ret_answer)
        return rc;
    return aws_json_body(buffer_bytes(&reply.answer.body), call->operation, ret_answer, err);
}

int aws_json_call_take(struct aws_session *session, const struct json_call *call, json_t *request,
                       json_t **ret_answer, struct err *err)
{
    json_auto_t *mine = request;

    if (!mine)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", call->operation);
    return aws_json_call(session, call, mine, ret_answer, err);
}

json_t *aws_json_pick(const json_t *from, const char *const *names, size_t count)
{
    json_auto_t *to = json_object();

    for (size_t i = 0; to && i < count; i++) {
        json_t *value = json_object_get(from, names[i]);
        bool empty = json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);
        if (value && !empty && json_object_set(to, names[i], value) != 0)
            return NULL;
    }
    return TAKE(to);
}

int64_t aws_json_time(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    double seconds = json_is_number(value) ? json_number_value(value) : 0;

    return seconds > 0 && seconds < 1e12 ? (int64_t)llround(seconds * 1000) : 0;
}

int aws_json_pages(struct aws_session *session, const struct json_call *call, json_t *request,
                   const char *token_name, const char *list_name, json_t **ret_list, struct err *err)
{
    json_auto_t *mine = request;
    json_auto_t *list = json_array();

    if (!mine || !list)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", call->operation);
    for (int page = 0; page < PAGES_MAX; page++) {
        json_auto_t *answer = NULL;
        if (aws_json_call(session, call, mine, &answer, err) != 0)
            return -1;
        json_t *found = json_object_get(answer, list_name); /* some services leave an empty one out */
        json_t *token = json_object_get(answer, token_name);
        if ((found && !json_is_array(found)) || (token && !json_is_string(token) && !json_is_null(token)))
            return err_set(err, ERR_AWS_LIED, "%s: %s is not an array, or %s not text", call->operation,
                           list_name, token_name);
        if (found && json_array_extend(list, found) != 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for %s", call->operation);
        if (!json_is_string(token) || json_string_length(token) == 0) {
            *ret_list = TAKE(list);
            return 0;
        }
        if (json_equal(token, json_object_get(mine, token_name)))
            return err_set(err, ERR_AWS_LIED, "%s: the same page comes again and again", call->operation);
        if (json_object_set(mine, token_name, token) != 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for %s", call->operation);
    }
    return err_set(err, ERR_AWS_LIED, "%s: more than %d pages", call->operation, PAGES_MAX);
}
