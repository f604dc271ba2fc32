/* ECS task roles and EKS Pod Identity: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, with a token of
 * its own. */
#include "aws/credentials_internal.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define CONTAINER_TIMEOUT_MS 2000
#define CONTAINER_TRIES 3

static int find_url(struct buffer *url, struct err *err)
{
    const char *relative = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (relative && *relative) {
        buffer_printf(url, "http://169.254.170.2%s%s", *relative == '/' ? "" : "/", relative);
        return 1;
    }
    if (!full || !*full)
        return 0;
    if (!str_starts(full, "https://") &&
        !(str_starts(full, "http://") && http_host_is_local(http_url_host(full))))
        return err_set(
            err, ERR_AWS_CREDENTIALS,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, loopback or the container's own address");
    buffer_add_str(url, full);
    return 1;
}

/* The file wins and is read each time: it is rotated. */
static int find_token(struct buffer *token, struct err *err)
{
    const char *file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *value = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");

    token->secret = true;
    if (file && *file) {
        if (credentials_read_file(file, token, err) != 0)
            return -1;
        while (token->len > 0 && token->data[token->len - 1] == '\n')
            token->data[--token->len] = '\0';
    } else if (value) {
        buffer_add_str(token, value);
    }
    if (token->len > 0 && strpbrk(token->data, "\r\n"))
        return err_set(err, ERR_AWS_CREDENTIALS, "container: the authorization token has a line break");
    return 0;
}

int credentials_from_container(const struct fetch *fetch, struct aws_credentials *ret, struct err *err)
{
    _cleanup_(buffer_done) struct buffer url = BUFFER_INIT(4096);
    _cleanup_(buffer_done) struct buffer token = BUFFER_INIT((size_t)(16 * KIB));
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct err last = ERR_INIT;

    int found = find_url(&url, err);
    if (found <= 0)
        return found;
    if (find_token(&token, err) != 0)
        return -1;
    struct http_header headers[1] = {{"Authorization", token.data}};
    struct http_call call = {.method = "GET",
                             .url = url.data,
                             .headers = headers,
                             .header_count = token.len ? 1 : 0,
                             .reply_max = (size_t)CREDENTIAL_REPLY_MAX,
                             .timeout_ms = CONTAINER_TIMEOUT_MS};
    if (fetch->interrupt)
        call.interrupt = *fetch->interrupt;
    int rc = -1;
    for (int i = 0; i < CONTAINER_TRIES; i++) {
        last = ERR_INIT;
        rc = http_client_send(fetch->http, &call, &answer, &last);
        answer.body.secret = true;
        bool again =
            rc != 0 ? last.code == ERR_AWS_UNREACHABLE || last.code == ERR_AWS_TIMEOUT : answer.status >= 500;
        if (!again)
            break;
    }
    if (rc != 0) {
        err_wrap(&last, "container");
        credentials_failed(&last, err);
    } else if (answer.status != 200) {
        rc = err_set(err, ERR_AWS_CREDENTIALS, "container: the credentials endpoint answered %d",
                     answer.status);
    } else {
        rc = credentials_from_json(buffer_bytes(&answer.body), "container", ret, err);
    }
    http_answer_done(&answer);
    return rc == 0 ? 1 : -1;
}
