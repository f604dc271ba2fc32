/* STS AssumeRole and AssumeRoleWithWebIdentity: the query protocol, at the regional endpoint. */
#include "aws/credentials_internal.h"
#include "aws/sigv4.h"
#include "aws/xml.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/limits.h"

#define STS_TRIES 3
#define STS_TIMEOUT_MS 10000

static void add_parameter(struct buffer *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buffer_printf(out, "&%s=", name);
    uri_encode(out, bytes_of(value), false);
}

static void make_body(const struct fetch *fetch, const struct role *role, struct buffer *out)
{
    out->secret = true;
    buffer_printf(out, "Action=%s&Version=2011-06-15",
                  role->web_token ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    add_parameter(out, "RoleArn", role->arn);
    add_parameter(out, "RoleSessionName",
                  role->session_name ? role->session_name : fetch->settings->session_name);
    add_parameter(out, "DurationSeconds", role->duration_s);
    add_parameter(out, "ExternalId", role->external_id);
    add_parameter(out, "WebIdentityToken", role->web_token);
}

/* One request, signed when there is something to sign with. */
static int send_once(const struct fetch *fetch, struct bytes body, const struct aws_credentials *base,
                     struct http_answer *answer, struct err *err)
{
    const struct aws_endpoint *endpoint = &fetch->settings->sts;
    struct sigv4_scope scope = {
        .region = fetch->settings->region, .service = "sts", .time_ms = *fetch->now_ms};
    _cleanup_(buffer_done) struct buffer authorization = BUFFER_INIT(4096);
    char date[TIME_SIZE], hash[HEX_SIZE(32)], url[320];
    struct http_header headers[6] = {
        {"Host", endpoint->host},
        {"Content-Type", aws_service(AWS_STS)->content_type},
        {"X-Amz-Date", date},
    };
    size_t count = 3;

    time_format_basic(scope.time_ms, date);
    if (base) {
        if (*base->session_token)
            headers[count++] = (struct http_header){"X-Amz-Security-Token", base->session_token};
        struct sigv4_request request = {.method = "POST",
                                        .path = BYTES("/"),
                                        .headers = headers,
                                        .header_count = count,
                                        .payload_hash = hash};
        if (sha256_hex(body, hash, err) != 0 ||
            sigv4_authorization(&request, &scope, base->access_key, base->secret_key, NULL, &authorization,
                                err) != 0)
            return -1;
        headers[count++] = (struct http_header){"Authorization", authorization.data};
    }
    snprintf(url, sizeof(url), "%s/", endpoint->url);
    struct http_call call = {.method = "POST",
                             .url = url,
                             .headers = headers,
                             .header_count = count,
                             .body = body,
                             .reply_max = (size_t)CREDENTIAL_REPLY_MAX,
                             .timeout_ms = STS_TIMEOUT_MS};
    if (fetch->interrupt)
        call.interrupt = *fetch->interrupt;
    int rc = http_client_send(fetch->http, &call, answer, err);
    answer->body.secret = true;
    return rc;
}

/* Takes the credentials out of a 2xx, or makes an error of what is there instead. */
static int read_answer(const struct http_answer *answer, struct aws_credentials *ret, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new((size_t)MIB);
    struct xml_node *root = NULL;
    struct err bad = ERR_INIT;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for sts");
    if (xml_parse(buffer_bytes(&answer->body), arena, &root, &bad) != 0)
        return err_set(err, ERR_AWS_CREDENTIALS, "sts answered %d without readable xml", answer->status);
    const struct xml_node *fault = xml_child(root, "Error");
    if (fault || answer->status != 200) {
        const char *code = xml_text(fault, "Code"), *message = xml_text(fault, "Message");
        err_set(err, ERR_AWS_CREDENTIALS, "sts: %.80s: %.300s", code ? code : "error",
                message ? message : "");
        str_copy(err->aws.service, sizeof(err->aws.service), "sts");
        str_copy(err->aws.code, sizeof(err->aws.code), code ? code : "");
        err->aws.http_status = answer->status;
        return -1;
    }
    const struct xml_node *found =
        xml_child(root->child, "Credentials"); /* <XResponse><XResult><Credentials> */
    const char *end = xml_text(found, "Expiration");
    int64_t expires = 0;
    if (!found || !end || !time_parse(bytes_of(end), &expires))
        return err_set(err, ERR_AWS_CREDENTIALS, "sts answered without credentials");
    if (credentials_set(ret, "assume role", xml_text(found, "AccessKeyId"),
                        xml_text(found, "SecretAccessKey"), xml_text(found, "SessionToken"), err) != 0)
        return -1;
    ret->expires_ms = expires;
    return 0;
}

static bool worth_another_try(int rc, const struct http_answer *answer, const struct err *err)
{
    if (rc != 0)
        return err->code == ERR_AWS_UNREACHABLE || err->code == ERR_AWS_TIMEOUT;
    const char *body = answer->status == 400 && answer->body.data ? answer->body.data : "";
    return answer->status >= 500 || answer->status == 429 || strstr(body, "IDPCommunicationError") ||
           strstr(body, "<Code>Throttling</Code>");
}

/* Was it refused at a time that is not AWS's? Then that time is put right. */
static bool learn_time(const struct http_answer *answer, int64_t *now_ms)
{
    const char *date = http_answer_header(answer, "date");
    int64_t said = 0;

    if (answer->status / 100 != 4 || !date || !time_parse_http(bytes_of(date), &said) ||
        (said - *now_ms < AWS_SKEW_MS && *now_ms - said < AWS_SKEW_MS))
        return false;
    *now_ms = said;
    return true;
}

static int wait_for_try(const struct fetch *fetch, int i, struct err *err)
{
    uint16_t jitter;

    if (i == 0)
        return 0;
    random_bytes(&jitter, sizeof(jitter));
    return http_client_sleep(fetch->http, jitter % (100 << i), fetch->interrupt, err);
}

int credentials_assume_role(const struct fetch *fetch, const struct role *role,
                            const struct aws_credentials *base, struct aws_credentials *ret, struct err *err)
{
    _cleanup_(buffer_done) struct buffer body = BUFFER_INIT((size_t)CREDENTIAL_REPLY_MAX);
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct err last = ERR_INIT;
    bool again = true;
    int rc = -1;

    make_body(fetch, role, &body);
    if (buffer_ok(&body, "the request to sts", err) != 0)
        return -1;
    for (int i = 0; again && i < STS_TRIES; i++) {
        last = ERR_INIT;
        rc = wait_for_try(fetch, i, &last);
        if (rc != 0)
            break;
        rc = send_once(fetch, buffer_bytes(&body), base, &answer, &last);
        again =
            worth_another_try(rc, &answer, &last) || (rc == 0 && base && learn_time(&answer, fetch->now_ms));
    }
    if (rc == 0)
        rc = read_answer(&answer, ret, &last);
    http_answer_done(&answer);
    if (rc == 0)
        return 0;
    err_wrap(&last, "role %.160s cannot be assumed", role->arn);
    return credentials_failed(&last, err);
}
