/* Shared by aws/s3.c and aws/s3_list.c. */
#pragma once
#include "aws/s3.h"
#include "base/buffer.h"

/* Sends `call` with address, region and query filled, and once more when S3 says that the bucket is
 * elsewhere. */
int s3_send(struct s3_bucket *bucket, const char *key, const char *query, const struct aws_call *call,
            struct aws_reply *reply, struct err *err);
