/* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. */
#include "aws/credentials_internal.h"

int credentials_from_env(const struct fetch *fetch, struct aws_credentials *ret, struct err *err)
{
    const char *access = getenv("AWS_ACCESS_KEY_ID");
    const char *token = getenv("AWS_SESSION_TOKEN");

    (void)fetch;
    if (!access || !*access)
        return 0;
    ret->expires_ms = 0;
    return credentials_set(ret, "environment", access, getenv("AWS_SECRET_ACCESS_KEY"), token, err) == 0 ? 1
                                                                                                         : -1;
}
