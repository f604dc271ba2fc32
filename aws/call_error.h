/* Reading what AWS said when it said no. Private to aws/call.c. */
#pragma once
#include "aws/call.h"

struct aws_fault {
    bool found; /* an error is in the answer, also in one of 200 */
    char code[80];
    char message[300];
};

/* From x-amzn-ErrorType, JSON (__type, code) or XML (Error/Code), whatever came. */
void aws_fault_read(const struct http_answer *answer, enum aws_protocol protocol,
                    struct aws_fault *ret_fault);
/* x-amzn-requestid or x-amz-request-id; "" without. */
const char *aws_request_id(const struct http_answer *answer);
/* "s3:GetObject" for HeadObject, "s3:GetObjectVersion" for one of a named version, and the like. */
void aws_iam_action(const struct aws_service *service, const struct aws_call *call, char ret_action[80]);
