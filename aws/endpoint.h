/*
 * Which services there are and where they answer. Order of overrides: the environment's endpoint_url, then
 * AWS_ENDPOINT_URL_<SERVICE>, then AWS_ENDPOINT_URL (unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true). An
 * override takes signed traffic elsewhere, so it is https, or plain http on loopback. Partitions: aws,
 * aws-cn, aws-us-gov; others are refused. AWS_USE_FIPS_ENDPOINT=true is honoured where AWS has such endpoints
 * (United States, Canada, GovCloud), else refused. AWS_USE_DUALSTACK_ENDPOINT=true is refused. VPC endpoints
 * are overrides. Source: AWS SDKs and Tools Reference Guide; botocore's endpoint rule sets. Thread
 * rule: any thread; the process's environment variables are only read.
 */
#pragma once
#include <stdbool.h>

#include "base/environment.h"
#include "base/err.h"

enum aws_protocol { AWS_JSON, AWS_REST_JSON, AWS_REST_XML, AWS_QUERY };

enum aws_service_id {
    AWS_DYNAMODB,
    AWS_S3,
    AWS_STS,
    AWS_AUTOSCALING,
    AWS_CLOUDWATCH,
    AWS_LAMBDA,
    AWS_SERVICE_COUNT,
};

struct aws_service {
    const char *name; /* as in errors and metrics, and IAM's prefix: dynamodb, s3, cloudwatch ... */
    const char *signing_name;
    const char *prefix;       /* of the host name */
    const char *variable;     /* AWS_ENDPOINT_URL_DYNAMODB */
    const char *target;       /* X-Amz-Target's first part; NULL without */
    const char *content_type; /* of request bodies */
    enum aws_protocol protocol;
    bool gov_plain_fips; /* in GovCloud the plain name is the FIPS endpoint */
};

const struct aws_service *aws_service(enum aws_service_id id);

struct aws_endpoint {
    char url[300];  /* without a slash at its end */
    char host[256]; /* with the port when it is given: the Host header */
    bool custom;    /* by an override */
    bool loopback;
};

/* -1: CONFIG, naming the key or variable at fault. */
int aws_endpoint_find(const struct environment *environment, enum aws_service_id id,
                      struct aws_endpoint *ret_endpoint, struct err *err);
/* The same service in another region: what stands for `region` in the address becomes `other`. The same
 * address when it is an override. False when it would be too long. */
bool aws_endpoint_elsewhere(const struct aws_endpoint *endpoint, const char *region, const char *other,
                            char *ret_url, size_t size);
/* "aws", "aws-cn", "aws-us-gov"; NULL for a partition that this version does not know. */
const char *aws_partition(const char *region);
/* Every region of this one's partition that has DynamoDB, ended by NULL; none of an unknown partition. */
const char *const *aws_regions(const char *region);
