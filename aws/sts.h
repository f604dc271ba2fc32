/* STS: whose credentials are these? (AssumeRole is credentials_sts.c's.) Errors as aws_send. Thread rule: as
 * the session. */
#pragma once
#include "aws/call.h"

struct sts_identity {
    char account[16];
    char arn[300];
    char user_id[140];
};

/* AWS_LIED when the answer names no account. */
int sts_get_caller_identity(struct aws_session *session, struct sts_identity *ret_identity, struct err *err);
