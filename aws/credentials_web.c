/* A token in a file, exchanged at STS (EKS service accounts, OIDC): AWS_WEB_IDENTITY_TOKEN_FILE and
 * AWS_ROLE_ARN. */
#include "aws/credentials_internal.h"
#include "base/cleanup.h"
#include "base/limits.h"

int credentials_web_identity(const struct fetch *fetch, const char *token_file, const struct role *role,
                             struct aws_credentials *ret, struct err *err)
{
    _cleanup_(buffer_done) struct buffer token =
        BUFFER_INIT((size_t)(20 * KIB)); /* STS takes 20,000 characters */
    struct role with_token = *role;

    if (credentials_read_file(token_file, &token, err) != 0)
        return -1;
    while (token.len > 0 && (token.data[token.len - 1] == '\n' || token.data[token.len - 1] == '\r'))
        token.data[--token.len] = '\0';
    if (token.len == 0)
        return err_set(err, ERR_AWS_CREDENTIALS, "web identity: %.300s is empty", token_file);
    with_token.web_token = token.data;
    if (credentials_assume_role(fetch, &with_token, NULL, ret, err) != 0)
        return -1;
    str_copy(ret->source, sizeof(ret->source), "web identity");
    return 0;
}

int credentials_from_web_identity(const struct fetch *fetch, struct aws_credentials *ret, struct err *err)
{
    const char *file = getenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    struct role role = {.arn = getenv("AWS_ROLE_ARN"), .session_name = getenv("AWS_ROLE_SESSION_NAME")};

    if (!file || !*file)
        return 0;
    if (!role.arn || !*role.arn)
        return err_set(err, ERR_AWS_CREDENTIALS, "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN");
    return credentials_web_identity(fetch, file, &role, ret, err) == 0 ? 1 : -1;
}
