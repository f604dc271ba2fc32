/*
 * Which errors are which, and AWS's retry standard of 2026: up to 3 attempts (DynamoDB 4), delay
 * rand(0,1) * min(base * 2^i, 20 s) with base 50 ms (DynamoDB 25 ms) for transient errors and 1 s for
 * throttling, a quota of 500 from which a retry takes 14 (transient) or 5 (throttling), given back by
 * success; x-amz-retry-after (milliseconds) is kept within [delay, delay + 5 s]. Source: SDK reference "Retry
 * behavior"; REFERENCE.md 3.3. Thread rule: any thread.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "aws/endpoint.h"
#include "base/err.h"

#define RETRY_QUOTA 500

struct retry_quota {
    atomic_int left;
};
void retry_quota_init(struct retry_quota *quota);
/* False when there is not that much. */
bool retry_quota_take(struct retry_quota *quota, int cost);
void retry_quota_give(struct retry_quota *quota, int amount);

enum aws_error_class {
    AWS_ERROR_NONE,
    AWS_ERROR_FINAL, /* the request is at fault: never again */
    AWS_ERROR_TRANSIENT,
    AWS_ERROR_THROTTLE,
    AWS_ERROR_SKEW,        /* the clock may be wrong */
    AWS_ERROR_CREDENTIALS, /* expired or unknown: once more with fresh ones */
};

/* By AWS's error code (without namespace and anything behind a colon) and HTTP status. */
enum aws_error_class aws_error_class(const char *code, int status);
/* What the caller is told: AWS_NOT_FOUND, AWS_CONFLICT ... `control`: LimitExceededException means AWS_LIMIT.
 */
enum err_code aws_error_code(const char *code, int status, bool control);

int retry_attempts(enum aws_service_id service);
int retry_cost(enum aws_error_class class);
/* i: 0 before the first repeat. hint_ms: -1 without x-amz-retry-after. */
int64_t retry_delay_ms(enum aws_service_id service, enum aws_error_class class, int i, int64_t hint_ms);
