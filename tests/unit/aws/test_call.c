#include <pthread.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/unit/aws/aws_fixture.h"

#define DENIED "{\"__type\":\"com.amazon.coral.service#AccessDeniedException\",\"Message\":\"no policy\"}"
#define THROTTLE                                                                                             \
    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException\",\"message\":"   \
    "\"slow\"}"

static const struct aws_call describe = {.service = AWS_DYNAMODB,
                                         .operation = "DescribeTable",
                                         .resource = "orders",
                                         .body = {"{\"TableName\":\"orders\"}", 22}};

static int go(struct fixture *f, struct aws_call call)
{
    f->err = ERR_INIT;
    f->attempt_count = 0;
    return aws_send(&f->session, &call, &f->reply, &f->err);
}

static void a_request_is_signed_and_says_what_it_is(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_SESSION_TOKEN", "TOK", 1);
    SERVE(
        f,
        {.expect =
             "^POST / HTTP/1.1.*Host: 127.0.0.1:[0-9]+\r.*X-Amz-Date: [0-9]{8}T[0-9]{6}Z\r.*"
             "X-Amz-Security-Token: TOK\r.*X-Amz-Target: DynamoDB_20120810.DescribeTable\r.*"
             "Content-Type: application/x-amz-json-1.0\r.*amz-sdk-invocation-id: [-0-9a-f]{36}\r.*"
             "amz-sdk-request: attempt=1; max=4\r.*Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"
             "[0-9]{8}/eu-west-1/dynamodb/aws4_request, SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;"
             "content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}\r",
         .headers = "x-amzn-RequestId: R1\r\n",
         .body = "{}"});
    assert_int_equal(go(f, describe), 0);
    check_server(f, 1);
    assert_string_equal(f->reply.request_id, "R1");
    assert_int_equal(f->attempt_count, 1);
    assert_string_equal(f->attempts[0].outcome, "ok");
    assert_string_equal(f->attempts[0].service, "dynamodb");
}

static void a_server_error_is_tried_four_times_at_dynamodb(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 500, .headers = "x-amzn-requestid: R2\r\n", .repeat = true});
    assert_int_equal(go(f, describe), -1);
    assert_int_equal(f->err.code, ERR_AWS_UNAVAILABLE);
    assert_int_equal(f->err.aws.http_status, 500);
    assert_string_equal(f->err.aws.service, "dynamodb");
    assert_string_equal(f->err.aws.operation, "DescribeTable");
    assert_string_equal(f->err.aws.request_id, "R2");
    check_server(f, 4);
    assert_non_null(strstr(scripted_server_request(f->server, 3), "amz-sdk-request: attempt=4; max=4"));
    const char *first = strstr(scripted_server_request(f->server, 0), "amz-sdk-invocation-id: ");
    const char *last = strstr(scripted_server_request(f->server, 3), "amz-sdk-invocation-id: ");
    assert_memory_equal(first, last, 23 + 36);
    assert_int_equal(f->attempt_count, 4);
    assert_string_equal(f->attempts[3].outcome, "transient");
}

static void a_throttle_and_a_reset_pass_with_the_next_attempt(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 400, .body = THROTTLE, .headers = "x-amz-retry-after: 1\r\n"},
          {.cut = CUT_BEFORE_REPLY}, {.body = "{\"ok\":1}"});
    assert_int_equal(go(f, describe), 0);
    check_server(f, 3);
    assert_string_equal(f->attempts[0].outcome, "throttled");
    assert_string_equal(f->attempts[1].outcome, "unreachable");
    assert_int_equal(f->reply.attempts, 3);
    assert_false(f->reply.effect_unknown);
}

struct expectation {
    int status;
    const char *body;
    enum err_code code;
    const char *word;
};

static void each_refusal_has_its_code(void **state)
{
    struct fixture *f = *state;
    static const struct expectation cases[] = {
        {400, DENIED, ERR_AWS_ACCESS_DENIED, "dynamodb:DescribeTable on orders is denied: no policy"},
        {400, "{\"__type\":\"x#UnknownOperationException\"}", ERR_AWS_UNSUPPORTED,
         "UnknownOperationException"},
        {501, "", ERR_AWS_UNSUPPORTED, "http 501"},
        {400, "{\"__type\":\"x#ResourceNotFoundException\"}", ERR_AWS_NOT_FOUND, "ResourceNotFound"},
        {400, "{\"__type\":\"x#ResourceInUseException\"}", ERR_AWS_CONFLICT, "ResourceInUse"},
        {400, "{\"__type\":\"x#ConditionalCheckFailedException\"}", ERR_AWS_CONDITION, "Conditional"},
        {400, "{\"__type\":\"x#ValidationException\",\"message\":\"bad\\nthing\"}", ERR_AWS_REFUSED,
         "bad thing"},
        {400, "{\"__type\":\"x#LimitExceededException\"}", ERR_AWS_LIMIT, "LimitExceeded"},
        {400, "not json", ERR_AWS_REFUSED, "http 400"},
        {404, "", ERR_AWS_NOT_FOUND, "http 404"},
        {412, "", ERR_AWS_CONDITION, "http 412"},
    };
    struct scripted_reply script[sizeof(cases) / sizeof(*cases)];
    memset(script, 0, sizeof(script));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        script[i].status = cases[i].status;
        script[i].body = cases[i].body;
    }
    serve(f, script, sizeof(cases) / sizeof(*cases));
    struct aws_call call = describe;
    call.control = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(go(f, call), -1);
        assert_int_equal(f->err.code, cases[i].code);
        if (!strstr(f->err.message, cases[i].word))
            fail_msg("%s: no %s", f->err.message, cases[i].word);
        assert_false(f->reply.effect_unknown);
    }
    check_server(f, sizeof(cases) / sizeof(*cases)); /* none was repeated */
}

static void what_aws_says_of_items_stays_out_of_the_message(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 400,
              .body = "{\"__type\":\"x#ValidationException\",\"message\":\"numeric value: SECRET\"}"});
    struct aws_call call = describe;
    call.items = true;
    assert_int_equal(go(f, call), -1);
    assert_null(strstr(f->err.message, "SECRET"));
}

static void a_wrong_checksum_is_tried_again_and_told(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.headers = "x-amz-crc32: 2745614147\r\n", .body = "{}"},
          {.headers = "x-amz-crc32: 1\r\n", .body = "{}"},
          {.headers = "x-amz-crc32: 2745614147\r\n", .body = "{}"},
          {.headers = "x-amz-crc32: 2\r\n", .body = "{}", .repeat = true});
    assert_int_equal(go(f, describe), 0);
    assert_int_equal(f->reply.attempts, 1);
    assert_int_equal(go(f, describe), 0);
    assert_int_equal(f->reply.attempts, 2);
    assert_int_equal(go(f, describe), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    check_server(f, 7);
}

static void an_error_inside_a_200_is_an_error(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.body = "{\"__type\":\"x#InternalServerError\"}"}, {.body = "{\"Table\":{}}"});
    assert_int_equal(go(f, describe), 0);
    assert_int_equal(f->reply.attempts, 2);
}

static void a_wrong_clock_is_put_right_once(void **state)
{
    struct fixture *f = *state;
    SERVE(f,
          {.expect = "X-Amz-Date: 2",
           .status = 400,
           .headers = "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n",
           .body = "{\"__type\":\"x#InvalidSignatureException\",\"message\":\"Signature expired\"}"},
          {.expect = "X-Amz-Date: 21000101T0000",
           .headers = "Date: Fri, 01 Jan 2100 00:00:01 GMT\r\n",
           .body = "{}"},
          {.expect = "X-Amz-Date: 21000101T0000",
           .status = 400,
           .headers = "Date: Fri, 01 Jan 2100 00:00:01 GMT\r\n",
           .body = "{\"__type\":\"x#InvalidSignatureException\"}"});
    assert_int_equal(go(f, describe), 0);
    assert_true(aws_clock_offset_ms(f->aws) > 240000);
    assert_int_equal(go(f, describe), -1); /* the clock was right: it is the key that is wrong */
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    check_server(f, 3);
}

static const struct aws_call head = {
    .service = AWS_S3, .operation = "HeadObject", .method = "HEAD", .path = "/bucket/key"};

static void a_refused_head_says_a_wrong_clock_by_its_date_alone(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 403, .headers = "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n"},
          {.headers = "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n"},
          {.status = 403, .headers = "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n"});
    assert_int_equal(go(f, head), 0);
    check_server(f, 2);
    assert_int_equal(go(f, head), -1); /* the clock was right: it is denied */
    assert_int_equal(f->err.code, ERR_AWS_ACCESS_DENIED);
    check_server(f, 3);
}

static void a_503_to_a_head_is_a_throttle(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 503, .repeat = true});
    assert_int_equal(go(f, head), -1);
    assert_int_equal(f->err.code, ERR_AWS_THROTTLED);
}

static void a_400_to_a_head_is_an_expired_token_unless_the_region_is_wrong(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 400}, {.status = 200}, {.status = 400}, {.status = 400},
          {.status = 400, .headers = "x-amz-bucket-region: eu-north-1\r\n"});
    assert_int_equal(go(f, head), 0); /* with credentials fetched again */
    check_server(f, 2);
    assert_int_equal(go(f, head), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    check_server(f, 4);
    assert_int_equal(go(f, head), -1);
    assert_int_equal(f->err.code, ERR_AWS_REFUSED);
    check_server(f, 5);
}

static void a_date_from_a_cache_is_not_believed(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.headers = "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\nAge: 7\r\n", .body = "{}"});
    assert_int_equal(go(f, describe), 0);
    assert_int_equal(aws_clock_offset_ms(f->aws), 0);
}

static void expired_keys_are_fetched_again_once(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 400, .body = "{\"__type\":\"x#ExpiredTokenException\"}"},
          {.status = 400, .body = "{\"__type\":\"x#ExpiredTokenException\"}"}, {.body = "{}"});
    assert_int_equal(go(f, describe), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    check_server(f, 2);
}

/* Whoever puts right a wrong secret in the shared file need not restart the server. */
static void a_secret_that_was_put_right_is_read_again(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/recoverd-call-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "[default]\naws_access_key_id = AK\naws_secret_access_key = wrong\n") > 0);
    unsetenv("AWS_ACCESS_KEY_ID");
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    SERVE(f, {.status = 403, .body = "{\"__type\":\"x#SignatureDoesNotMatch\"}"},
          {.expect = "X-Amz-Security-Token: NEW\r", .body = "{}"},
          {.status = 400, .body = "{\"__type\":\"x#AccessDeniedException\"}"},
          {.expect = "X-Amz-Security-Token: NEW\r", .body = "{}"});
    assert_int_equal(go(f, describe), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    for (size_t i = 0; i < COUNT_OF(f->session.keys.entries); i++)
        assert_string_equal(f->session.keys.entries[i].id, ""); /* nothing is left of the wrong one */
    assert_true(dprintf(fd, "aws_session_token = NEW\n") > 0);
    assert_int_equal(go(f, describe), 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(go(f, describe), -1); /* a denial says nothing of the secret */
    assert_int_equal(go(f, describe), 0);
    check_server(f, 4);
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    close(fd);
    unlink(path);
}

static bool take_nothing(void *arg, const char *data, size_t len)
{
    (void)arg;
    (void)data;
    (void)len;
    return false;
}

static void who_ends_a_call_himself_was_not_refused(void **state)
{
    struct fixture *f = *state;
    struct http_sink sink = {take_nothing, NULL};
    struct aws_call call = {
        .service = AWS_S3, .operation = "GetObject", .method = "GET", .path = "/b/k", .sink = &sink};
    SERVE(f, {.body = "abc"}, {.status = 403});
    assert_int_equal(go(f, call), -1);
    assert_int_equal(f->err.code, ERR_IO);
    assert_string_equal(f->attempts[0].outcome, "interrupted");
    assert_int_equal(go(f, call), -1);
    assert_string_equal(f->attempts[0].outcome, "refused");
}

static void what_must_not_be_repeated_is_not_when_its_fate_is_unknown(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.cut = CUT_BEFORE_REPLY}, {.status = 500}, {.status = 400, .body = THROTTLE}, {.body = "{}"});
    struct aws_call call = describe;
    call.once = true;
    assert_int_equal(go(f, call), -1);
    assert_int_equal(f->err.code, ERR_AWS_UNREACHABLE);
    assert_true(f->reply.effect_unknown);
    check_server(f, 1);
    assert_int_equal(go(f, call), -1);
    assert_true(f->reply.effect_unknown);
    check_server(f, 2);
    assert_int_equal(go(f, call), 0); /* a throttle did nothing: it may be sent again */
    check_server(f, 4);
}

static void a_hang_with_once_is_a_timeout_of_unknown_effect(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.cut = CUT_HANG});
    struct aws_call call = describe;
    call.once = true;
    call.timeout_ms = 60;
    assert_int_equal(go(f, call), -1);
    assert_int_equal(f->err.code, ERR_AWS_TIMEOUT);
    assert_true(f->reply.effect_unknown);
    check_server(f, 1);
}

static void where_nobody_listens_nothing_was_done(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.body = "{}"});
    scripted_server_stop(f->server);
    f->server = NULL;
    struct aws_call call = describe;
    call.once = true;
    assert_int_equal(go(f, call), -1);
    assert_int_equal(f->err.code, ERR_AWS_UNREACHABLE);
    assert_false(f->reply.effect_unknown);
    assert_int_equal(f->reply.attempts, 4); /* nothing was sent, so also `once` goes on */
}

static void the_budget_ends_the_attempts(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 400, .body = THROTTLE, .headers = "x-amz-retry-after: 4000\r\n", .repeat = true});
    struct aws_call call = describe;
    call.budget_ms = 500;
    assert_int_equal(go(f, call), -1);
    assert_int_equal(f->err.code, ERR_AWS_THROTTLED);
    check_server(f, 1);
    f->session.deadline_boot_ms = clock_boot_ms() - 1;
    assert_int_equal(go(f, describe), -1);
    assert_int_equal(f->err.code, ERR_AWS_TIMEOUT);
    check_server(f, 1);
}

static void the_quota_ends_retries_when_everything_fails(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 500, .repeat = true});
    size_t sent = 0;
    for (int i = 0; i < 14; i++)
        assert_int_equal(go(f, describe), -1);
    sent = scripted_server_requests(f->server);
    assert_int_equal(sent, 14 + 500 / 14); /* 35 retries, then none */
    assert_int_equal(f->reply.attempts, 1);
}

static enum err_code cancelled(void *arg)
{
    struct fixture *f = arg;
    return f->attempt_count > 0 ? ERR_CANCELLED : ERR_NONE;
}

static void a_wait_between_attempts_is_interrupted(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.status = 400, .body = THROTTLE, .headers = "x-amz-retry-after: 5000\r\n", .repeat = true});
    f->session.interrupt = (struct http_interrupt){cancelled, f};
    assert_int_equal(go(f, describe), -1);
    assert_int_equal(f->err.code, ERR_CANCELLED);
    check_server(f, 1);
}

static void the_standard_of_2026_gives_its_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        assert_in_range(retry_delay_ms(AWS_DYNAMODB, AWS_ERROR_TRANSIENT, 0, -1), 0, 25);
        assert_in_range(retry_delay_ms(AWS_DYNAMODB, AWS_ERROR_TRANSIENT, 2, -1), 0, 100);
        assert_in_range(retry_delay_ms(AWS_S3, AWS_ERROR_TRANSIENT, 1, -1), 0, 100);
        assert_in_range(retry_delay_ms(AWS_S3, AWS_ERROR_THROTTLE, 1, -1), 0, 2000);
        assert_in_range(retry_delay_ms(AWS_S3, AWS_ERROR_THROTTLE, 60, -1), 0, 20000);
        assert_in_range(retry_delay_ms(AWS_DYNAMODB, AWS_ERROR_TRANSIENT, 0, 900000), 5000, 5025);
        assert_in_range(retry_delay_ms(AWS_DYNAMODB, AWS_ERROR_TRANSIENT, 0, 300), 300, 300);
    }
    assert_int_equal(retry_attempts(AWS_S3), 3);
    assert_int_equal(retry_cost(AWS_ERROR_TRANSIENT), 14);
    assert_int_equal(retry_cost(AWS_ERROR_THROTTLE), 5);
    struct retry_quota quota;
    retry_quota_init(&quota);
    retry_quota_give(&quota, 100);
    for (int i = 0; i < 100; i++)
        assert_true(retry_quota_take(&quota, 5));
    assert_false(retry_quota_take(&quota, 5));
    retry_quota_give(&quota, 5);
    assert_true(retry_quota_take(&quota, 5));
}

struct place {
    const char *region;
    const char *fips, *dual, *url, *service_url, *configured;
    enum aws_service_id service;
    const char *want; /* NULL: refused */
};

static void endpoints_are_found_or_refused(void **state)
{
    (void)state;
    static const struct place places[] = {
        {.region = "eu-central-1", .want = "https://dynamodb.eu-central-1.amazonaws.com"},
        {.region = "cn-north-1", .service = AWS_S3, .want = "https://s3.cn-north-1.amazonaws.com.cn"},
        {.region = "us-gov-west-1",
         .service = AWS_CLOUDWATCH,
         .want = "https://monitoring.us-gov-west-1.amazonaws.com"},
        {.region = "us-iso-east-1"},
        {.region = "us-iso-east-1",
         .configured = "https://vpce-1.dynamodb.example",
         .want = "https://vpce-1.dynamodb.example"},
        {.region = "US/../x"},
        {.region = "us-east-1", .fips = "true", .want = "https://dynamodb-fips.us-east-1.amazonaws.com"},
        {.region = "us-gov-west-1", .fips = "TRUE", .want = "https://dynamodb.us-gov-west-1.amazonaws.com"},
        {.region = "us-gov-west-1",
         .fips = "true",
         .service = AWS_S3,
         .want = "https://s3-fips.us-gov-west-1.amazonaws.com"},
        {.region = "eu-central-1", .fips = "true"},
        {.region = "cn-north-1", .fips = "true"},
        {.region = "us-east-1", .dual = "true"},
        {.region = "us-east-1", .url = "http://127.0.0.1:1/", .want = "http://127.0.0.1:1"},
        {.region = "us-east-1",
         .url = "http://127.0.0.1:1",
         .service_url = "http://[::1]:2",
         .want = "http://[::1]:2"},
        {.region = "us-east-1",
         .service_url = "http://[::1]:2",
         .configured = "https://x.y",
         .want = "https://x.y"},
        {.region = "us-east-1", .url = "http://10.0.0.1"},
        {.region = "us-east-1", .url = "http://127.0.0.1.example.com"},
        {.region = "us-east-1", .url = "https://x.y/path"},
        {.region = "us-east-1", .url = "ftp://127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        const struct place *p = &places[i];
        struct environment environment = {.region = p->region, .endpoint_url = p->configured};
        struct aws_endpoint endpoint = {0};
        struct err err = ERR_INIT;
        setenv("AWS_USE_FIPS_ENDPOINT", p->fips ? p->fips : "", 1);
        setenv("AWS_USE_DUALSTACK_ENDPOINT", p->dual ? p->dual : "", 1);
        setenv("AWS_ENDPOINT_URL", p->url ? p->url : "", 1);
        setenv("AWS_ENDPOINT_URL_DYNAMODB", p->service_url ? p->service_url : "", 1);
        int rc = aws_endpoint_find(&environment, p->service, &endpoint, &err);
        if (!p->want) {
            assert_int_equal(rc, -1);
            assert_int_equal(err.code, ERR_CONFIG);
        } else {
            assert_int_equal(rc, 0);
            assert_string_equal(endpoint.url, p->want);
        }
    }
    unsetenv("AWS_USE_FIPS_ENDPOINT");
    unsetenv("AWS_USE_DUALSTACK_ENDPOINT");
    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("AWS_ENDPOINT_URL_DYNAMODB");
}

struct sharer {
    struct aws *aws;
    int failed;
};

static void *share(void *arg)
{
    struct sharer *sharer = arg;
    struct err err = ERR_INIT;
    struct http_client *http = http_client_new(&err);
    struct aws_session session;
    aws_session_init(&session, sharer->aws, http);
    for (int i = 0; i < 5; i++) {
        struct aws_reply reply = AWS_REPLY_INIT;
        sharer->failed += aws_send(&session, &describe, &reply, &err) != 0;
        aws_reply_done(&reply);
    }
    aws_session_done(&session);
    http_client_free(http);
    return NULL;
}

static void one_client_serves_many_threads(void **state)
{
    struct fixture *f = *state;
    struct sharer sharers[4];
    pthread_t threads[4];
    SERVE(f, {.status = 500},
          {.headers = "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n", .body = "{}", .repeat = true});
    for (int i = 0; i < 4; i++) {
        sharers[i] = (struct sharer){.aws = f->aws};
        assert_int_equal(pthread_create(&threads[i], NULL, share, &sharers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(sharers[i].failed, 0);
    }
    check_server(f, 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_signed_and_says_what_it_is),
        TEST(a_server_error_is_tried_four_times_at_dynamodb),
        TEST(a_throttle_and_a_reset_pass_with_the_next_attempt),
        TEST(each_refusal_has_its_code),
        TEST(what_aws_says_of_items_stays_out_of_the_message),
        TEST(a_wrong_checksum_is_tried_again_and_told),
        TEST(an_error_inside_a_200_is_an_error),
        TEST(a_wrong_clock_is_put_right_once),
        TEST(a_refused_head_says_a_wrong_clock_by_its_date_alone),
        TEST(a_503_to_a_head_is_a_throttle),
        TEST(a_400_to_a_head_is_an_expired_token_unless_the_region_is_wrong),
        TEST(a_date_from_a_cache_is_not_believed),
        TEST(expired_keys_are_fetched_again_once),
        TEST(a_secret_that_was_put_right_is_read_again),
        TEST(who_ends_a_call_himself_was_not_refused),
        TEST(what_must_not_be_repeated_is_not_when_its_fate_is_unknown),
        TEST(a_hang_with_once_is_a_timeout_of_unknown_effect),
        TEST(where_nobody_listens_nothing_was_done),
        TEST(the_budget_ends_the_attempts),
        TEST(the_quota_ends_retries_when_everything_fails),
        TEST(a_wait_between_attempts_is_interrupted),
        TEST(one_client_serves_many_threads),
        TEST(the_standard_of_2026_gives_its_numbers),
        cmocka_unit_test(endpoints_are_found_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
