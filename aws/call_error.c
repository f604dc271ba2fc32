#include "aws/call_error.h"

#include "aws/xml.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"

/* "com.amazonaws.dynamodb.v20120810#ThrottlingException:http://..." -> ThrottlingException */
static void set_code(struct aws_fault *fault, const char *text)
{
    const char *hash = text ? strrchr(text, '#') : NULL;
    const char *start = hash ? hash + 1 : text;

    if (!start || !*start)
        return;
    bytes_copy(fault->code, sizeof(fault->code), (struct bytes){start, strcspn(start, ":")});
    fault->found = true;
}

static void read_json(struct bytes body, struct aws_fault *fault)
{
    static const struct json_limits limits = {.max_depth = 16, .allow_duplicates = true};
    struct err ignored = ERR_INIT; /* an error without readable JSON is judged by its status */
    json_auto_t *value = NULL;

    if (json_parse(body, &limits, &value, &ignored) != 0)
        return;
    static const char *const names[] = {"__type", "code", "Code"};
    for (size_t i = 0; i < COUNT_OF(names) && !*fault->code; i++)
        set_code(fault, json_get_text(value, names[i]));
    const char *message = json_get_text(value, "message");
    if (!message)
        message = json_get_text(value, "Message");
    str_copy(fault->message, sizeof(fault->message), message ? message : "");
}

static void read_xml(struct bytes body, struct aws_fault *fault)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new((size_t)MIB);
    struct xml_node *root = NULL;
    struct err ignored = ERR_INIT; /* as above */

    if (!arena || xml_parse(body, arena, &root, &ignored) != 0)
        return;
    const struct xml_node *error = strcmp(root->name, "Error") == 0 ? root : xml_child(root, "Error");
    if (!error)
        return;
    set_code(fault, xml_text(error, "Code"));
    const char *message = xml_text(error, "Message");
    str_copy(fault->message, sizeof(fault->message), message ? message : "");
    fault->found = true;
}

/* Does a 2xx look like an error? Both forms say so in their first bytes. */
static bool looks_wrong(struct bytes body, enum aws_protocol protocol)
{
    char start[160];

    bytes_copy(start, sizeof(start), body);
    if (protocol == AWS_REST_XML || protocol == AWS_QUERY)
        return strstr(start, "<Error>") || strstr(start, "<Error ") || strstr(start, "<ErrorResponse");
    return strstr(start, "\"__type\"") != NULL;
}

/* Line breaks and other controls of a foreign text have no place in ours. */
static void make_plain(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20)
            *text = ' ';
    }
}

void aws_fault_read(const struct http_answer *answer, enum aws_protocol protocol, struct aws_fault *ret_fault)
{
    struct bytes body = buffer_bytes(&answer->body);

    *ret_fault = (struct aws_fault){0};
    if (answer->status / 100 == 2 && (body.len == 0 || !looks_wrong(body, protocol)))
        return;
    set_code(ret_fault, http_answer_header(answer, "x-amzn-errortype"));
    if (body.len > 0 && (protocol == AWS_REST_XML || protocol == AWS_QUERY))
        read_xml(body, ret_fault);
    else if (body.len > 0)
        read_json(body, ret_fault);
    if (answer->status / 100 != 2)
        ret_fault->found = true;
    make_plain(ret_fault->code);
    make_plain(ret_fault->message);
}

const char *aws_request_id(const struct http_answer *answer)
{
    const char *id = http_answer_header(answer, "x-amzn-requestid");

    if (!id)
        id = http_answer_header(answer, "x-amz-request-id");
    return id ? id : "";
}

void aws_iam_action(const struct aws_service *service, const struct aws_call *call, char ret_action[80])
{
    static const struct {
        const char *service, *operation, *action, *of_version;
    } others[] = {
        {"s3", "HeadObject", "GetObject", "GetObjectVersion"},
        {"s3", "GetObject", "GetObject", "GetObjectVersion"},
        {"s3", "DeleteObject", "DeleteObject", "DeleteObjectVersion"},
        {"s3", "ListObjectsV2", "ListBucket", "ListBucket"},
    };
    bool version = call->query && str_starts(call->query, "versionId=");
    const char *action = call->operation;

    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (strcmp(others[i].service, service->name) == 0 &&
            strcmp(others[i].operation, call->operation) == 0)
            action = version ? others[i].of_version : others[i].action;
    }
    snprintf(ret_action, 80, "%s:%s", service->name, action);
}
