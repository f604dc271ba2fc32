#include "aws/retry.h"

#include "base/cleanup.h"
#include "base/id.h"
#include "base/str.h"

#define DELAY_MAX_MS 20000
#define HINT_MAX_MS 5000

void retry_quota_init(struct retry_quota *quota)
{
    atomic_init(&quota->left, RETRY_QUOTA);
}

bool retry_quota_take(struct retry_quota *quota, int cost)
{
    int left = atomic_load(&quota->left);

    while (left >= cost) {
        if (atomic_compare_exchange_weak(&quota->left, &left, left - cost))
            return true;
    }
    return false;
}

void retry_quota_give(struct retry_quota *quota, int amount)
{
    int left = atomic_load(&quota->left);
    int more;

    do
        more = left + amount < RETRY_QUOTA ? left + amount : RETRY_QUOTA;
    while (!atomic_compare_exchange_weak(&quota->left, &left, more));
}

struct row {
    const char *code;
    enum aws_error_class class;
    enum err_code error;
};

/* AWS's own names. What is not here goes by its HTTP status. */
static const struct row rows[] = {
    {"Throttling", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"ThrottlingException", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"ThrottledException", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"RequestThrottledException", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"RequestThrottled", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"TooManyRequestsException", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"ProvisionedThroughputExceededException", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"TransactionInProgressException", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"RequestLimitExceeded", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"BandwidthLimitExceeded", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"LimitExceededException", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"LimitExceeded", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"LimitExceededFault", AWS_ERROR_FINAL, ERR_AWS_LIMIT},
    {"SlowDown", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"PriorRequestNotComplete", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},
    {"EC2ThrottledException", AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED},

    {"RequestTimeout", AWS_ERROR_TRANSIENT, ERR_AWS_TIMEOUT},
    {"RequestTimeoutException", AWS_ERROR_TRANSIENT, ERR_AWS_TIMEOUT},
    {"InternalError", AWS_ERROR_TRANSIENT, ERR_AWS_UNAVAILABLE},
    {"InternalServerError", AWS_ERROR_TRANSIENT, ERR_AWS_UNAVAILABLE},
    {"ServiceUnavailable", AWS_ERROR_TRANSIENT, ERR_AWS_UNAVAILABLE},
    {"IDPCommunicationError", AWS_ERROR_TRANSIENT, ERR_AWS_UNAVAILABLE},
    {"ConditionalRequestConflict", AWS_ERROR_TRANSIENT, ERR_AWS_CONFLICT},
    {"OperationAborted", AWS_ERROR_TRANSIENT, ERR_AWS_CONFLICT},

    {"RequestExpired", AWS_ERROR_SKEW, ERR_AWS_CREDENTIALS},
    {"RequestInTheFuture", AWS_ERROR_SKEW, ERR_AWS_CREDENTIALS},
    {"RequestTimeTooSkewed", AWS_ERROR_SKEW, ERR_AWS_CREDENTIALS},
    {"InvalidSignatureException", AWS_ERROR_SKEW, ERR_AWS_CREDENTIALS},
    {"SignatureDoesNotMatch", AWS_ERROR_SKEW, ERR_AWS_CREDENTIALS},
    {"AuthFailure", AWS_ERROR_SKEW, ERR_AWS_CREDENTIALS},

    {"ExpiredToken", AWS_ERROR_CREDENTIALS, ERR_AWS_CREDENTIALS},
    {"ExpiredTokenException", AWS_ERROR_CREDENTIALS, ERR_AWS_CREDENTIALS},
    {"UnrecognizedClientException", AWS_ERROR_CREDENTIALS, ERR_AWS_CREDENTIALS},
    {"InvalidClientTokenId", AWS_ERROR_CREDENTIALS, ERR_AWS_CREDENTIALS},
    {"InvalidAccessKeyId", AWS_ERROR_CREDENTIALS, ERR_AWS_CREDENTIALS},
    {"InvalidToken", AWS_ERROR_CREDENTIALS, ERR_AWS_CREDENTIALS},
    {"MissingAuthenticationTokenException", AWS_ERROR_FINAL, ERR_AWS_CREDENTIALS},
    {"MissingAuthenticationToken", AWS_ERROR_FINAL, ERR_AWS_CREDENTIALS},

    {"AccessDeniedException", AWS_ERROR_SKEW,
     ERR_AWS_ACCESS_DENIED}, /* also said of a request from another time */
    {"AccessDenied", AWS_ERROR_FINAL, ERR_AWS_ACCESS_DENIED},
    {"UnauthorizedOperation", AWS_ERROR_FINAL, ERR_AWS_ACCESS_DENIED},
    {"AllAccessDisabled", AWS_ERROR_FINAL, ERR_AWS_ACCESS_DENIED},

    {"UnknownOperationException", AWS_ERROR_FINAL, ERR_AWS_UNSUPPORTED},
    {"UnknownOperation", AWS_ERROR_FINAL, ERR_AWS_UNSUPPORTED},
    {"InvalidAction", AWS_ERROR_FINAL, ERR_AWS_UNSUPPORTED},
    {"NotImplemented", AWS_ERROR_FINAL, ERR_AWS_UNSUPPORTED},

    {"ConditionalCheckFailedException", AWS_ERROR_FINAL, ERR_AWS_CONDITION},
    {"PreconditionFailed", AWS_ERROR_FINAL, ERR_AWS_CONDITION},

    {"ResourceNotFoundException", AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},
    {"ResourceNotFound", AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},
    {"TableNotFoundException", AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},
    {"ObjectNotFoundException", AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},
    {"PolicyNotFoundException", AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},
    {"NoSuchKey", AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},
    {"NoSuchBucket", AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},
    {"NoSuchVersion", AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},
    {"NotFound", AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},

    {"InvalidObjectState", AWS_ERROR_FINAL, ERR_AWS_ARCHIVED},

    {"ResourceInUseException", AWS_ERROR_FINAL, ERR_AWS_CONFLICT},
    {"TableInUseException", AWS_ERROR_FINAL, ERR_AWS_CONFLICT},
    {"TableAlreadyExistsException", AWS_ERROR_FINAL, ERR_AWS_CONFLICT},
    {"ResourceConflictException", AWS_ERROR_FINAL, ERR_AWS_CONFLICT},
    {"ConcurrentUpdateException", AWS_ERROR_FINAL, ERR_AWS_CONFLICT},
    {"ContinuousBackupsUnavailableException", AWS_ERROR_FINAL, ERR_AWS_CONFLICT},
};

struct status_row {
    int from, to;
    enum aws_error_class class;
    enum err_code error;
};

/* The first that holds the status. */
static const struct status_row status_rows[] = {
    {501, 501, AWS_ERROR_FINAL, ERR_AWS_UNSUPPORTED},  {500, 599, AWS_ERROR_TRANSIENT, ERR_AWS_UNAVAILABLE},
    {429, 429, AWS_ERROR_THROTTLE, ERR_AWS_THROTTLED}, {412, 412, AWS_ERROR_FINAL, ERR_AWS_CONDITION},
    {404, 404, AWS_ERROR_FINAL, ERR_AWS_NOT_FOUND},    {403, 403, AWS_ERROR_FINAL, ERR_AWS_ACCESS_DENIED},
    {401, 401, AWS_ERROR_FINAL, ERR_AWS_CREDENTIALS},  {408, 408, AWS_ERROR_TRANSIENT, ERR_AWS_TIMEOUT},
    {0, 1000, AWS_ERROR_FINAL, ERR_AWS_REFUSED},
};

static const struct row *row_of(const char *code)
{
    for (size_t i = 0; code && i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].code, code) == 0)
            return &rows[i];
    }
    return NULL;
}

static const struct status_row *status_row_of(int status)
{
    size_t i = 0;

    while (i + 1 < COUNT_OF(status_rows) && (status < status_rows[i].from || status > status_rows[i].to))
        i++;
    return &status_rows[i];
}

enum aws_error_class aws_error_class(const char *code, int status)
{
    const struct row *row = row_of(code);

    return row ? row->class : status_row_of(status)->class;
}

enum err_code aws_error_code(const char *code, int status, bool control)
{
    const struct row *row = row_of(code);

    if (control && code && strcmp(code, "LimitExceededException") == 0)
        return ERR_AWS_LIMIT;
    return row ? row->error : status_row_of(status)->error;
}

int retry_attempts(enum aws_service_id service)
{
    return service == AWS_DYNAMODB ? 4 : 3;
}

int retry_cost(enum aws_error_class class)
{
    return class == AWS_ERROR_THROTTLE ? 5 : 14;
}

int64_t retry_delay_ms(enum aws_service_id service, enum aws_error_class class, int i, int64_t hint_ms)
{
    int64_t base = class == AWS_ERROR_THROTTLE ? 1000 : service == AWS_DYNAMODB ? 25 : 50;
    int64_t most = i < 10 ? base << i : DELAY_MAX_MS;
    uint32_t random;

    if (most > DELAY_MAX_MS)
        most = DELAY_MAX_MS;
    random_bytes(&random, sizeof(random));
    int64_t delay = (int64_t)(((uint64_t)random * (uint64_t)(most + 1)) >> 32);
    if (hint_ms < delay) /* also without one: -1 */
        return delay;
    return hint_ms > delay + HINT_MAX_MS ? delay + HINT_MAX_MS : hint_ms;
}
