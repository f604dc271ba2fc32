#include "aws/endpoint.h"

#include <strings.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "net/http_client.h"

static const struct aws_service services[AWS_SERVICE_COUNT] = {
    [AWS_DYNAMODB] = {"dynamodb", "dynamodb", "dynamodb", "AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB_20120810",
                      "application/x-amz-json-1.0", AWS_JSON, true},
    [AWS_S3] = {"s3", "s3", "s3", "AWS_ENDPOINT_URL_S3", NULL, "application/octet-stream", AWS_REST_XML,
                false},
    [AWS_STS] = {"sts", "sts", "sts", "AWS_ENDPOINT_URL_STS", NULL,
                 "application/x-www-form-urlencoded; charset=utf-8", AWS_QUERY, true},
    [AWS_AUTOSCALING] = {"application-autoscaling", "application-autoscaling", "application-autoscaling",
                         "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING", "AnyScaleFrontendService",
                         "application/x-amz-json-1.1", AWS_JSON, true},
    [AWS_CLOUDWATCH] = {"cloudwatch", "monitoring", "monitoring", "AWS_ENDPOINT_URL_CLOUDWATCH",
                        "GraniteServiceVersion20100801", "application/x-amz-json-1.0", AWS_JSON, true},
    [AWS_LAMBDA] = {"lambda", "lambda", "lambda", "AWS_ENDPOINT_URL_LAMBDA", NULL, "application/json",
                    AWS_REST_JSON, false},
};

const struct aws_service *aws_service(enum aws_service_id id)
{
    return &services[id];
}

struct partition {
    const char *region_prefix;
    const char *name; /* NULL: not supported */
    const char *suffix;
};

/* The first whose prefix fits. */
static const struct partition partitions[] = {
    {"us-gov-", "aws-us-gov", "amazonaws.com"},
    {"cn-", "aws-cn", "amazonaws.com.cn"},
    {"us-iso", NULL, NULL},
    {"eu-iso", NULL, NULL},
    {"eusc-", NULL, NULL},
    {"", "aws", "amazonaws.com"},
};

static const struct partition *partition_of(const char *region)
{
    size_t i = 0;

    while (!str_starts(region, partitions[i].region_prefix))
        i++;
    return &partitions[i];
}

const char *aws_partition(const char *region)
{
    return region ? partition_of(region)->name : NULL;
}

const char *const *aws_regions(const char *region)
{
    /* botocore 1.44.5, get_available_regions("dynamodb", partition) */
    static const char *const aws[] = {
        "us-east-1",      "us-east-2",      "us-west-1",      "us-west-2",      "eu-central-1",
        "eu-central-2",   "eu-north-1",     "eu-south-1",     "eu-south-2",     "eu-west-1",
        "eu-west-2",      "eu-west-3",      "ap-east-1",      "ap-east-2",      "ap-northeast-1",
        "ap-northeast-2", "ap-northeast-3", "ap-south-1",     "ap-south-2",     "ap-southeast-1",
        "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
        "ap-southeast-7", "af-south-1",     "ca-central-1",   "ca-west-1",      "il-central-1",
        "me-central-1",   "me-south-1",     "mx-central-1",   "sa-east-1",      NULL};
    static const char *const gov[] = {"us-gov-east-1", "us-gov-west-1", NULL};
    static const char *const cn[] = {"cn-north-1", "cn-northwest-1", NULL};
    static const struct {
        const char *partition;
        const char *const *regions;
    } all[] = {{"aws", aws}, {"aws-us-gov", gov}, {"aws-cn", cn}};
    static const char *const none[] = {NULL};

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (str_is(aws_partition(region), all[i].partition))
            return all[i].regions;
    }
    return none;
}

bool aws_endpoint_elsewhere(const struct aws_endpoint *endpoint, const char *region, const char *other,
                            char *ret_url, size_t size)
{
    const char *at = endpoint->custom ? NULL : strstr(endpoint->url, region);
    int len = at ? snprintf(ret_url, size, "%.*s%s%s", (int)(at - endpoint->url), endpoint->url, other,
                            at + strlen(region))
                 : snprintf(ret_url, size, "%s", endpoint->url);

    return len > 0 && (size_t)len < size;
}

static bool env_true(const char *name)
{
    const char *value = getenv(name);

    return value && strcasecmp(value, "true") == 0;
}

static const char *override_of(const struct environment *environment, const struct aws_service *service,
                               const char **ret_from)
{
    const char *const names[] = {service->variable, "AWS_ENDPOINT_URL"};

    *ret_from = "endpoint_url";
    if (environment->endpoint_url)
        return environment->endpoint_url;
    for (size_t i = 0; i < COUNT_OF(names) && !env_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"); i++) {
        const char *value = getenv(names[i]);
        *ret_from = names[i];
        if (value && *value)
            return value;
    }
    return NULL;
}

static int use_override(const char *url, const char *from, struct aws_endpoint *endpoint, struct err *err)
{
    struct bytes host = http_url_host(url);
    bool loopback = http_host_is_loopback(host);
    const char *rest = strstr(url, "://");

    if (!host.data || !rest || strlen(url) >= sizeof(endpoint->url))
        return err_set(err, ERR_CONFIG, "%s is not a url: %.200s", from, url);
    if (!str_starts(url, "https://") && !(str_starts(url, "http://") && loopback))
        return err_set(err, ERR_CONFIG, "%s must be https, or http on loopback: %.200s", from, url);
    size_t host_len = strcspn(rest + 3, "/?#");
    const char *tail = rest + 3 + host_len;
    if (*tail && strcmp(tail, "/") != 0)
        return err_set(err, ERR_CONFIG, "%s must have no path: %.200s", from, url);
    endpoint->custom = true;
    endpoint->loopback = loopback;
    if (!bytes_copy(endpoint->url, sizeof(endpoint->url), (struct bytes){url, (size_t)(tail - url)}) ||
        !bytes_copy(endpoint->host, sizeof(endpoint->host), (struct bytes){rest + 3, host_len}))
        return err_set(err, ERR_CONFIG, "%s is too long", from);
    return 0;
}

static bool valid_region(const char *region)
{
    size_t len = region ? strlen(region) : 0;

    return len > 0 && len < 40 && strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

int aws_endpoint_find(const struct environment *environment, enum aws_service_id id,
                      struct aws_endpoint *ret_endpoint, struct err *err)
{
    const struct aws_service *service = &services[id];
    const char *region = environment->region;
    struct aws_endpoint endpoint = {0};
    const char *from = NULL;
    const char *url = override_of(environment, service, &from);

    if (!valid_region(region))
        return err_set(err, ERR_CONFIG, "the environment has no usable region");
    if (url) {
        if (use_override(url, from, &endpoint, err) != 0)
            return -1;
        *ret_endpoint = endpoint;
        return 0;
    }
    const struct partition *partition = partition_of(region);
    if (!partition->name)
        return err_set(err, ERR_CONFIG, "the partition of region %s is not supported; set endpoint_url",
                       region);
    if (env_true("AWS_USE_DUALSTACK_ENDPOINT"))
        return err_set(err, ERR_CONFIG, "AWS_USE_DUALSTACK_ENDPOINT is not supported; set endpoint_url");
    bool gov = strcmp(partition->name, "aws-us-gov") == 0;
    bool fips = env_true("AWS_USE_FIPS_ENDPOINT");
    if (fips && !gov && !str_starts(region, "us-") && !str_starts(region, "ca-"))
        return err_set(err, ERR_CONFIG, "AWS has no FIPS endpoints in region %s; unset AWS_USE_FIPS_ENDPOINT",
                       region);
    snprintf(endpoint.host, sizeof(endpoint.host), "%s%s.%s.%s", service->prefix,
             fips && !(gov && service->gov_plain_fips) ? "-fips" : "", region, partition->suffix);
    snprintf(endpoint.url, sizeof(endpoint.url), "https://%s", endpoint.host);
    *ret_endpoint = endpoint;
    return 0;
}
