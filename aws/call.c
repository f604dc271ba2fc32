#include "aws/call.h"

#include <isa-l/crc.h>

#include "aws/call_error.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/limits.h"

#define OFFSET_NOISE_MS 2000 /* Date has whole seconds, and the way takes time */
#define OFFSET_CALL_MAX_MS (900 * 1000)
#define HEADERS_MAX 40

struct aws {
    char *region;
    struct aws_endpoint endpoints[AWS_SERVICE_COUNT];
    struct credentials_provider *credentials;
    struct retry_quota quotas[AWS_SERVICE_COUNT];
    atomic_int_fast64_t offset_ms;
};

struct aws *aws_new(const struct environment *environment, struct err *err)
{
    struct aws *aws = calloc(1, sizeof(*aws));

    if (!aws || !(aws->region = strdup(environment->region ? environment->region : ""))) {
        err_set(err, ERR_NO_MEMORY, "no memory for an aws client");
        aws_free(aws);
        return NULL;
    }
    atomic_init(&aws->offset_ms, 0);
    for (size_t i = 0; i < AWS_SERVICE_COUNT; i++) {
        retry_quota_init(&aws->quotas[i]);
        if (aws_endpoint_find(environment, (enum aws_service_id)i, &aws->endpoints[i], err) != 0) {
            aws_free(aws);
            return NULL;
        }
    }
    aws->credentials = credentials_provider_new(environment, err);
    if (!aws->credentials) {
        aws_free(aws);
        return NULL;
    }
    return aws;
}

void aws_free(struct aws *aws)
{
    if (!aws)
        return;
    credentials_provider_free(aws->credentials);
    free(aws->region);
    free(aws);
}

int64_t aws_clock_offset_ms(struct aws *aws)
{
    return atomic_load(&aws->offset_ms);
}

int64_t aws_now_ms(struct aws *aws)
{
    return clock_wall_ms() + aws_clock_offset_ms(aws);
}

const char *aws_region(const struct aws *aws)
{
    return aws->region;
}

const struct aws_endpoint *aws_endpoint(const struct aws *aws, enum aws_service_id service)
{
    return &aws->endpoints[service];
}

int aws_retry_quota(struct aws *aws, enum aws_service_id service)
{
    return atomic_load(&aws->quotas[service].left);
}

struct credentials_provider *aws_credentials(struct aws *aws)
{
    return aws->credentials;
}

void aws_session_init(struct aws_session *session, struct aws *aws, struct http_client *http)
{
    *session = (struct aws_session){.aws = aws, .http = http};
}

void aws_session_done(struct aws_session *session)
{
    sigv4_keys_done(&session->keys);
}

void aws_session_wake(struct aws_session *session)
{
    http_client_wake(session->http);
}

void aws_reply_done(struct aws_reply *reply)
{
    http_answer_done(&reply->answer);
    *reply = AWS_REPLY_INIT;
}

/* -- one attempt -- */

/* Everything that aws_send knows between attempts. */
struct sending {
    struct aws_session *session;
    const struct aws_call *call;
    const struct aws_service *service;
    struct aws_reply *reply;
    char invocation[ID_SIZE];
    char hash[HEX_SIZE(32)];
    int64_t until_boot_ms;
    int attempts_max;
    int64_t signed_offset_ms; /* the clock offset of the last attempt */
    char access_key[132];     /* of the last attempt */
    bool skew_used;
    bool credentials_used;
    int last_cost;
    struct aws_fault fault; /* of the last attempt */
};

struct headers {
    struct http_header list[HEADERS_MAX];
    size_t count;
};

static void add(struct headers *headers, const char *name, const char *value)
{
    if (value && headers->count < HEADERS_MAX)
        headers->list[headers->count++] = (struct http_header){name, value};
}

static int make_url(const struct sending *s, char *ret_url, size_t url_size, char *ret_host, size_t host_size,
                    struct err *err)
{
    const struct aws_call *call = s->call;
    const struct aws_endpoint *endpoint = &s->session->aws->endpoints[call->service];
    const char *base = call->base_url ? call->base_url : endpoint->url;
    const char *host = strstr(base, "://");
    const char *prefix = call->host_prefix ? call->host_prefix : "";

    host = host ? host + 3 : base;
    int n = snprintf(ret_url, url_size, "%.*s%s%s%s%s%s", (int)(host - base), base, prefix, host,
                     call->path ? call->path : "/", call->query ? "?" : "", call->query ? call->query : "");
    int h = snprintf(ret_host, host_size, "%s%s", prefix, host);
    if (n < 0 || (size_t)n >= url_size || h < 0 || (size_t)h >= host_size)
        return err_set(err, ERR_LIMIT_EXCEEDED, "the address of the request is too long");
    return 0;
}

static const char *payload_hash(const struct sending *s)
{
    if (s->call->payload_hash)
        return s->call->payload_hash;
    return s->call->stream ? SIGV4_UNSIGNED_PAYLOAD : s->hash;
}

/* Body, limits and routes of the http call. */
static void fill_call(const struct sending *s, const struct http_source *source, struct http_call *http)
{
    const struct aws_call *call = s->call;
    int64_t left = s->until_boot_ms - clock_boot_ms();

    http->method = call->method ? call->method : "POST";
    http->body = call->body;
    http->source = call->stream ? source : NULL;
    http->sink = call->sink;
    http->reply_max = call->reply_max ? call->reply_max : call->sink ? 0 : (size_t)AWS_REPLY_MAX;
    http->connect_timeout_ms = AWS_CONNECT_TIMEOUT_MS;
    http->interrupt = s->session->interrupt;
    if (call->timeout_ms >= 0) {
        http->timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : AWS_CALL_TIMEOUT_MS;
        if (http->timeout_ms > left)
            http->timeout_ms = left > 1 ? left : 1;
    }
}

/* Signs with what the credentials give and sends once. */
static int sign_and_send(struct sending *s, const struct aws_credentials *credentials, struct err *err)
{
    const struct aws_call *call = s->call;
    struct aws *aws = s->session->aws;
    _cleanup_(buffer_done) struct buffer authorization = BUFFER_INIT(4096);
    _cleanup_(buffer_done) struct buffer url = BUFFER_INIT((size_t)(16 * KIB));
    char host[320], date[TIME_SIZE], attempt[48], target[160];
    struct headers headers = {.count = 0};
    struct http_source source = {0};
    struct http_call http = {0};

    char *room = buffer_reserve(&url, 8192);
    if (!room)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request");
    if (make_url(s, room, 8192, host, sizeof(host), err) != 0)
        return -1;
    s->signed_offset_ms = aws_clock_offset_ms(aws);
    struct sigv4_scope scope = {.region = call->region ? call->region : aws->region,
                                .service = s->service->signing_name,
                                .time_ms = clock_wall_ms() + s->signed_offset_ms,
                                .s3_path = call->service == AWS_S3};
    time_format_basic(scope.time_ms, date);
    snprintf(attempt, sizeof(attempt), "attempt=%d; max=%d", s->reply->attempts, s->attempts_max);
    snprintf(target, sizeof(target), "%s.%s", s->service->target ? s->service->target : "", call->operation);
    add(&headers, "Host", host);
    add(&headers, "X-Amz-Date", date);
    add(&headers, "X-Amz-Security-Token", *credentials->session_token ? credentials->session_token : NULL);
    add(&headers, "X-Amz-Target", s->service->target ? target : NULL);
    add(&headers, "X-Amz-Content-Sha256", call->service == AWS_S3 ? payload_hash(s) : NULL);
    add(&headers, "Content-Type", call->body.data || call->stream ? s->service->content_type : NULL);
    add(&headers, "amz-sdk-invocation-id", s->invocation);
    add(&headers, "amz-sdk-request", attempt);
    for (size_t i = 0; i < call->header_count; i++)
        add(&headers, call->headers[i].name, call->headers[i].value);
    struct sigv4_request request = {.method = call->method ? call->method : "POST",
                                    .path = bytes_of(call->path ? call->path : "/"),
                                    .query = bytes_of(call->query),
                                    .headers = headers.list,
                                    .header_count = headers.count,
                                    .payload_hash = payload_hash(s)};
    if (sigv4_authorization(&request, &scope, credentials->access_key, credentials->secret_key,
                            &s->session->keys, &authorization, err) != 0)
        return -1;
    add(&headers, "Authorization", authorization.data);
    if (call->stream)
        source = (struct http_source){call->stream->read, call->stream->arg, call->stream->len};
    http.url = room;
    http.headers = headers.list;
    http.header_count = headers.count;
    fill_call(s, &source, &http);
    return http_client_send(s->session->http, &http, &s->reply->answer, err);
}

/* AWS's clock from the Date header, when it is fresh. */
static void learn_clock(struct sending *s, int64_t began_ms)
{
    const struct http_answer *answer = &s->reply->answer;
    const char *date = http_answer_header(answer, "date");
    int64_t date_ms = 0;

    if (!date || http_answer_header(answer, "age") || answer->head_at_ms - began_ms > OFFSET_CALL_MAX_MS ||
        !time_parse_http(bytes_of(date), &date_ms))
        return;
    int64_t offset = date_ms + 500 - answer->head_at_ms; /* the middle of that second */
    int64_t known = aws_clock_offset_ms(s->session->aws);
    if (offset > known + OFFSET_NOISE_MS || offset < known - OFFSET_NOISE_MS)
        atomic_store(&s->session->aws->offset_ms,
                     offset > -OFFSET_NOISE_MS && offset < OFFSET_NOISE_MS ? 0 : offset);
}

static bool crc_wrong(const struct http_answer *answer)
{
    const char *header = http_answer_header(answer, "x-amz-crc32");
    uint64_t want = 0;

    if (!header || !uint_parse(bytes_of(header), &want))
        return false;
    struct bytes body = buffer_bytes(&answer->body);
    return crc32_gzip_refl(0, (const unsigned char *)body.data, body.len) != want;
}

/* -- judging -- */

static void say_what_aws_said(const struct sending *s, struct err *err)
{
    str_copy(err->aws.service, sizeof(err->aws.service), s->service->name);
    str_copy(err->aws.operation, sizeof(err->aws.operation), s->call->operation);
    str_copy(err->aws.code, sizeof(err->aws.code), s->fault.code);
    str_copy(err->aws.request_id, sizeof(err->aws.request_id), s->reply->request_id);
    err->aws.http_status = s->reply->answer.status;
}

static void say_fault(const struct sending *s, struct err *err)
{
    const struct aws_call *call = s->call;
    int status = s->reply->answer.status;
    enum err_code code = aws_error_code(s->fault.code, status, call->control);
    const char *message = call->items && code == ERR_AWS_REFUSED ? "" : s->fault.message;
    const char *resource = call->resource ? call->resource : "";
    char action[80];

    if (code == ERR_AWS_ACCESS_DENIED) {
        aws_iam_action(s->service, call, action);
        err_set(err, code, "%s on %.120s is denied%s%.250s", action, *resource ? resource : "*",
                *message ? ": " : "", message);
        return;
    }
    char number[24];
    snprintf(number, sizeof(number), "http %d", status);
    err_set(err, code, "%s %s%s%.160s: %s%s%.250s", s->service->name, call->operation, *resource ? " " : "",
            resource, *s->fault.code ? s->fault.code : number, *message ? ": " : "", message);
}

/* The answer to a HEAD has no body to say why. S3's other 503 asks for no less patience than SlowDown; 400 is
 * what an expired token gets, and a wrong region with the right one in a header. */
static void guess_fault(struct sending *s)
{
    const struct http_answer *answer = &s->reply->answer;

    if (answer->status == 503)
        str_copy(s->fault.code, sizeof(s->fault.code), "SlowDown");
    if (answer->status != 400 || *s->fault.code || http_answer_header(answer, "x-amz-bucket-region"))
        return;
    str_copy(s->fault.code, sizeof(s->fault.code), "ExpiredToken");
    str_copy(s->fault.message, sizeof(s->fault.message),
             "by its status alone, for the answer to a HEAD has no body");
}

/* The class of what came; err says it. */
static enum aws_error_class judge(struct sending *s, int rc, struct err *err)
{
    const struct aws_call *call = s->call;
    const struct http_answer *answer = &s->reply->answer;

    s->fault = (struct aws_fault){0};
    if (rc != 0) {
        bool network = err->code == ERR_AWS_UNREACHABLE || err->code == ERR_AWS_TIMEOUT;
        err_wrap(err, "%s %s", s->service->name, call->operation);
        return network ? AWS_ERROR_TRANSIENT : AWS_ERROR_FINAL;
    }
    if (call->service == AWS_DYNAMODB && crc_wrong(answer)) {
        err_set(err, ERR_AWS_LIED, "%s %s: the answer does not have its checksum", s->service->name,
                call->operation);
        return AWS_ERROR_TRANSIENT;
    }
    aws_fault_read(answer, s->service->protocol, &s->fault);
    if (!s->fault.found)
        return AWS_ERROR_NONE;
    if (call->service == AWS_S3 && str_is(call->method, "HEAD"))
        guess_fault(s);
    say_fault(s, err);
    if (call->control && err->code == ERR_AWS_LIMIT)
        return AWS_ERROR_FINAL;
    if (answer->status / 100 == 2) /* an error inside a 200 */
        return AWS_ERROR_TRANSIENT;
    return aws_error_class(s->fault.code, answer->status);
}

static const char *outcome(const struct sending *s, enum aws_error_class class, const struct err *err)
{
    if (class == AWS_ERROR_NONE)
        return "ok";
    if (class == AWS_ERROR_THROTTLE)
        return "throttled";
    if (err->code == ERR_AWS_UNREACHABLE || err->code == ERR_AWS_TIMEOUT)
        return "unreachable";
    if (class == AWS_ERROR_TRANSIENT)
        return "transient";
    return s->fault.found ? "refused" : "interrupted";
}

static void tell(const struct sending *s, enum aws_error_class class, const struct err *err)
{
    struct aws_attempt attempt = {.service = s->service->name,
                                  .operation = s->call->operation,
                                  .outcome = outcome(s, class, err),
                                  .http_status = s->reply->answer.status,
                                  .latency_us = s->reply->answer.latency_us,
                                  .number = s->reply->attempts};

    if (s->session->attempted)
        s->session->attempted(s->session->attempted_arg, &attempt);
}

void aws_session_forget_ids(struct aws_session *session)
{
    session->first_request_id[0] = session->last_request_id[0] = '\0';
}

static void note_request_id(struct aws_session *session, struct aws_reply *reply)
{
    str_copy(reply->request_id, sizeof(reply->request_id), aws_request_id(&reply->answer));
    if (!*reply->first_request_id)
        str_copy(reply->first_request_id, sizeof(reply->first_request_id), reply->request_id);
    str_copy(session->last_request_id, sizeof(session->last_request_id), reply->request_id);
    if (!*session->first_request_id)
        str_copy(session->first_request_id, sizeof(session->first_request_id), reply->request_id);
}

static int attempt(struct sending *s, enum aws_error_class *ret_class, struct err *err)
{
    struct aws_credentials credentials;
    int64_t began = clock_wall_ms();

    *ret_class = AWS_ERROR_FINAL;
    http_answer_done(&s->reply->answer);
    if (credentials_get(s->session->aws->credentials, s->session->http, &s->session->interrupt,
                        aws_now_ms(s->session->aws), &credentials, err) != 0)
        return -1;
    str_copy(s->access_key, sizeof(s->access_key), credentials.access_key);
    if (s->call->stream && !s->call->stream->rewind(s->call->stream->arg)) {
        aws_credentials_done(&credentials);
        return err_set(err, ERR_IO, "the body to send cannot be read from its beginning");
    }
    s->reply->attempts++;
    int rc = sign_and_send(s, &credentials, err);
    aws_credentials_done(&credentials);
    if (s->reply->answer.status > 0) {
        learn_clock(s, began);
        note_request_id(s->session, s->reply);
    }
    *ret_class = judge(s, rc, err);
    if (*ret_class == AWS_ERROR_NONE)
        return 0;
    say_what_aws_said(s, err);
    return -1;
}

/* -- again? -- */

/* An answer of 4xx or 501 says that nothing was done; everything else that left this machine may have been.
 */
static bool effect_unknown(const struct sending *s, enum aws_error_class class)
{
    const struct http_answer *answer = &s->reply->answer;

    if (class == AWS_ERROR_THROTTLE && answer->status > 0)
        return false;
    if ((answer->status >= 400 && answer->status < 500) || answer->status == 501)
        return false;
    return answer->may_have_effect;
}

static bool clock_was_wrong(const struct sending *s)
{
    int64_t moved = aws_clock_offset_ms(s->session->aws) - s->signed_offset_ms;

    return moved >= AWS_SKEW_MS || moved <= -AWS_SKEW_MS;
}

/* The next request fetches credentials anew, and derives its keys from them: also the secret of the same
 * access key may have been put right since. */
static void forget_credentials(struct sending *s)
{
    credentials_reject(s->session->aws->credentials, s->access_key);
    sigv4_keys_done(&s->session->keys);
}

/* 1: at once, without a wait; 0: by the standard; -1: no. The answer to a HEAD has no body to say
 * RequestTimeTooSkewed. */
static int special(struct sending *s, enum aws_error_class class)
{
    bool silent = s->reply->answer.status == 403 && !*s->fault.code && clock_was_wrong(s);

    if (class == AWS_ERROR_SKEW || (class == AWS_ERROR_FINAL && silent)) {
        bool again = clock_was_wrong(s) && !s->skew_used;
        s->skew_used = true;
        if (!again && aws_error_code(s->fault.code, s->reply->answer.status, false) == ERR_AWS_CREDENTIALS)
            forget_credentials(s); /* the signature is wrong, and not by its time */
        return again ? 1 : -1;
    }
    if (class == AWS_ERROR_CREDENTIALS) {
        bool again = !s->credentials_used;
        s->credentials_used = true;
        forget_credentials(s);
        return again ? 1 : -1;
    }
    return class == AWS_ERROR_FINAL ? -1 : 0;
}

static int64_t retry_hint(const struct http_answer *answer)
{
    const char *text = http_answer_header(answer, "x-amz-retry-after");
    int64_t ms = -1;

    return text && int_parse(bytes_of(text), &ms) && ms >= 0 ? ms : -1;
}

static bool sink_ready(const struct sending *s)
{
    if (!s->call->sink || s->reply->answer.status / 100 != 2 || s->reply->answer.received == 0)
        return true;
    return s->call->sink_rewind && s->call->sink_rewind(s->call->sink->arg);
}

/* Waits for its turn; false when there is none (err keeps the attempt's error, or becomes the interrupt's).
 */
static bool wait_for_turn(struct sending *s, enum aws_error_class class, struct err *err)
{
    struct retry_quota *quota = &s->session->aws->quotas[s->call->service];
    int cost = retry_cost(class);
    struct err interrupted = ERR_INIT;

    if (s->reply->attempts >= s->attempts_max)
        return false;
    int64_t delay =
        retry_delay_ms(s->call->service, class, s->reply->attempts - 1, retry_hint(&s->reply->answer));
    if (clock_boot_ms() + delay >= s->until_boot_ms || !retry_quota_take(quota, cost))
        return false;
    s->last_cost = cost;
    if (http_client_sleep(s->session->http, delay, &s->session->interrupt, &interrupted) == 0)
        return true;
    *err = interrupted;
    return false;
}

static bool go_again(struct sending *s, enum aws_error_class class, struct err *err)
{
    bool unknown = effect_unknown(s, class);

    s->reply->effect_unknown |=
        unknown; /* an earlier attempt's effect stays unknown, whatever a later one says */
    int now = special(s, class);
    if (now < 0 || (unknown && s->call->once) || !sink_ready(s))
        return false;
    if (now > 0)
        return clock_boot_ms() < s->until_boot_ms;
    return wait_for_turn(s, class, err);
}

static void start(struct sending *s)
{
    struct id id = id_new();
    int64_t budget = s->call->budget_ms > 0 ? s->call->budget_ms : AWS_BUDGET_MS;

    id_format(&id, s->invocation);
    s->until_boot_ms = clock_boot_ms() + budget;
    if (s->session->deadline_boot_ms > 0 && s->session->deadline_boot_ms < s->until_boot_ms)
        s->until_boot_ms = s->session->deadline_boot_ms;
    s->attempts_max = retry_attempts(s->call->service);
}

int aws_send(struct aws_session *session, const struct aws_call *call, struct aws_reply *reply,
             struct err *err)
{
    struct sending s = {
        .session = session, .call = call, .service = aws_service(call->service), .reply = reply};
    struct err last = ERR_INIT;
    enum aws_error_class class;

    aws_reply_done(reply);
    start(&s);
    if (!call->payload_hash && !call->stream &&
        sigv4_payload_hash(&session->keys, call->body, s.hash, err) != 0)
        return -1;
    if (s.until_boot_ms <= clock_boot_ms())
        return err_set(err, ERR_AWS_TIMEOUT, "%s %s: no time is left for it", s.service->name,
                       call->operation);
    do {
        last = ERR_INIT;
        int before = reply->attempts;
        int rc = attempt(&s, &class, &last);
        if (reply->attempts > before)
            tell(&s, class, &last);
        if (rc == 0) {
            reply->effect_unknown = false;
            retry_quota_give(&session->aws->quotas[call->service], s.last_cost ? s.last_cost : 1);
            return 0;
        }
        if (reply->attempts == before) /* no credentials, or no body: nothing was sent */
            break;
    } while (go_again(&s, class, &last));
    if (reply->attempts > 1 && last.aws.http_status != 0)
        err_wrap(&last, "after %d attempts", reply->attempts);
    if (err->code == ERR_NONE)
        *err = last;
    return -1;
}
