/* EC2 instance metadata, version 2 only: a session token by PUT, then the role's name, then its credentials.
 */
#include <strings.h>

#include "aws/credentials_internal.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define IMDS_TIMEOUT_MS 1000
#define IMDS_PATH "/latest/meta-data/iam/security-credentials/"

static const char *base_url(void)
{
    const char *endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (endpoint && *endpoint)
        return endpoint;
    return mode && strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

static int ask(const struct fetch *fetch, const char *method, const char *path, struct http_header header,
               struct http_answer *answer, struct err *err)
{
    const char *base = base_url();
    size_t len = strlen(base);
    char url[512];
    struct http_header headers[1] = {header};

    while (len > 0 && base[len - 1] == '/')
        len--;
    int n = snprintf(url, sizeof(url), "%.*s%s", (int)len, base, path);
    if (n < 0 || (size_t)n >= sizeof(url))
        return err_set(err, ERR_AWS_CREDENTIALS, "imds: the role's name is too long");
    struct http_call call = {.method = method,
                             .url = url,
                             .headers = headers,
                             .header_count = 1,
                             .reply_max = (size_t)CREDENTIAL_REPLY_MAX,
                             .timeout_ms = IMDS_TIMEOUT_MS,
                             .connect_timeout_ms = IMDS_TIMEOUT_MS};
    if (fetch->interrupt)
        call.interrupt = *fetch->interrupt;
    int rc = http_client_send(fetch->http, &call, answer, err);
    answer->body.secret = true;
    return rc == 0 ? 0 : err_wrap(err, "imds");
}

static bool is_role_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-") ==
                        strlen(name);
}

/* With a session token: the role's name, then its credentials. */
static int ask_role(const struct fetch *fetch, const char *token, struct aws_credentials *ret,
                    struct err *err)
{
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct http_header header = {"X-aws-ec2-metadata-token", token};
    char path[300] = "";

    int rc = ask(fetch, "GET", IMDS_PATH, header, &answer, err);
    if (rc == 0 && answer.status == 404) {
        http_answer_done(&answer);
        return 0; /* an instance without a role */
    }
    if (rc == 0 && answer.status != 200)
        rc = err_set(err, ERR_AWS_CREDENTIALS, "imds: the list of roles answered %d", answer.status);
    if (rc == 0) {
        char *name = answer.body.data ? answer.body.data : path;
        name[strcspn(name, "\r\n")] = '\0';
        if (is_role_name(name))
            snprintf(path, sizeof(path), IMDS_PATH "%.200s", name);
        else
            rc = err_set(err, ERR_AWS_CREDENTIALS, "imds: the role's name is not one");
    }
    if (rc == 0)
        rc = ask(fetch, "GET", path, header, &answer, err);
    if (rc == 0 && answer.status != 200)
        rc = err_set(err, ERR_AWS_CREDENTIALS, "imds: the role's credentials answered %d", answer.status);
    if (rc == 0)
        rc = credentials_from_json(buffer_bytes(&answer.body), "imds", ret, err);
    http_answer_done(&answer);
    return rc == 0 ? 1 : -1;
}

int credentials_from_imds(const struct fetch *fetch, struct aws_credentials *ret, struct err *err)
{
    const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct http_header header = {"X-aws-ec2-metadata-token-ttl-seconds", "21600"};
    struct err last = ERR_INIT;
    int rc;

    if (disabled && strcasecmp(disabled, "true") == 0)
        return 0;
    rc = ask(fetch, "PUT", "/latest/api/token", header, &answer, &last);
    if (rc != 0 && (last.code == ERR_AWS_UNREACHABLE || last.code == ERR_AWS_TIMEOUT))
        rc = 0; /* not on an instance */
    else if (rc == 0 && answer.status == 200 && answer.body.len > 0 && !strpbrk(answer.body.data, "\r\n"))
        rc = ask_role(fetch, answer.body.data, ret, &last); /* without version 2 there is no way back to 1 */
    http_answer_done(&answer);
    return rc < 0 ? credentials_failed(&last, err) : rc;
}
