/*
 * The one way to AWS: sign, send, classify, retry.
 *
 * `struct aws` is one environment's client (credentials, clock offset, retry quotas, endpoints); `struct
 * aws_session` is one thread's use of it. aws_send tries as the retry standard says (aws/retry.h) within the
 * call's budget, puts the clock right when AWS says that it is wrong, fetches credentials again when AWS says
 * that they are old, and checks x-amz-crc32 of DynamoDB's answers. What comes out is a 2xx in the reply, or
 * an error whose code is the classification and whose err->aws says what AWS said. Thread rule: struct aws
 * any thread; a session one thread (aws_session_wake: any).
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/retry.h"
#include "aws/sigv4.h"
#include "base/environment.h"
#include "base/err.h"
#include "net/http_client.h"

struct aws;

/* Copies what it needs of the environment. No I/O. NULL with CONFIG. */
struct aws *aws_new(const struct environment *environment, struct err *err);
void aws_free(struct aws *aws); /* accepts NULL; no session may use it any more */
/* AWS's time: wall clock and the offset measured from Date headers. */
int64_t aws_now_ms(struct aws *aws);
int64_t aws_clock_offset_ms(struct aws *aws);
const char *aws_region(const struct aws *aws);
const struct aws_endpoint *aws_endpoint(const struct aws *aws, enum aws_service_id service);
/* What is left of the service's retry quota: 500 when all is well, 0 when nothing is retried any more. */
int aws_retry_quota(struct aws *aws, enum aws_service_id service);
struct credentials_provider *aws_credentials(struct aws *aws); /* for reports; borrowed */

/* One attempt, as told to the hook. */
struct aws_attempt {
    const char *service;
    const char *operation;
    const char *outcome; /* ok, throttled, transient, refused, unreachable, interrupted (by us) */
    int http_status;     /* 0 without an answer */
    int64_t latency_us;
    int number; /* from 1 */
};

struct aws_session {
    struct aws *aws;
    struct http_client *http;
    struct http_interrupt interrupt; /* cancel, lease lost, drain */
    int64_t deadline_boot_ms;        /* no attempt begins and no wait ends after it; 0: none */
    void (*attempted)(void *arg, const struct aws_attempt *attempt);
    void *attempted_arg;
    struct sigv4_keys keys;
    /* AWS's ids of the first and the last request since aws_session_forget_ids: for audit rows. */
    char first_request_id[80];
    char last_request_id[80];
};
/* `http` is borrowed. */
void aws_session_init(struct aws_session *session, struct aws *aws, struct http_client *http);
void aws_session_done(struct aws_session *session); /* wipes the keys */
void aws_session_wake(struct aws_session *session);
void aws_session_forget_ids(struct aws_session *session);

/* A body that is read as it is sent, and again for each attempt. */
struct aws_stream {
    long (*read)(void *arg, char *to, size_t size);
    bool (*rewind)(void *arg);
    void *arg;
    int64_t len;
};

struct aws_call {
    enum aws_service_id service;
    const char *operation;
    const char *resource;              /* for messages: table/orders, bucket/key; may be NULL */
    const char *method;                /* NULL: POST */
    const char *path;                  /* encoded; NULL: / */
    const char *query;                 /* encoded, without ?; NULL: none */
    const char *host_prefix;           /* S3's virtual host: "bucket."; NULL: none */
    const char *region;                /* NULL: the environment's */
    const char *base_url;              /* NULL: the service's endpoint (S3: another region's) */
    const struct http_header *headers; /* further ones; signed too */
    size_t header_count;               /* at most 24 */
    struct bytes body;
    const struct aws_stream *stream;
    const char
        *payload_hash; /* NULL: SHA-256 of body; with a stream: UNSIGNED-PAYLOAD over https, else needed */
    const struct http_sink *sink;
    /* Called before a further attempt when something had reached the sink: forget what came. NULL: then no
     * further attempt is made. */
    bool (*sink_rewind)(void *arg);
    bool once;    /* must not be repeated blindly: no further attempt after one that may have had an effect */
    bool control; /* LimitExceededException means AWS_LIMIT and is not retried here */
    bool items;   /* the body holds items: AWS's message about it stays out of errors */
    int64_t budget_ms;  /* all attempts and waits; 0: AWS_BUDGET_MS */
    int64_t timeout_ms; /* an attempt; 0: AWS_CALL_TIMEOUT_MS; -1: none but the low-speed rule */
    size_t reply_max;   /* 0: AWS_REPLY_MAX */
};

struct aws_reply {
    struct http_answer answer; /* the last attempt's */
    char request_id[80];
    char first_request_id[80];
    int attempts;
    bool effect_unknown; /* with an error: the request may have had its effect; look before sending again */
};
#define AWS_REPLY_INIT ((struct aws_reply){0})
void aws_reply_done(struct aws_reply *reply);

/* 0: a 2xx answer. -1: AWS_THROTTLED, AWS_ACCESS_DENIED (naming the IAM action), AWS_UNSUPPORTED,
 * AWS_LIMIT, AWS_NOT_FOUND, AWS_CONFLICT, AWS_CONDITION, AWS_CREDENTIALS, AWS_REFUSED, AWS_UNAVAILABLE,
 * AWS_UNREACHABLE, AWS_TIMEOUT, AWS_LIED (crc), LIMIT_EXCEEDED, IO, or the interrupt's code. */
int aws_send(struct aws_session *session, const struct aws_call *call, struct aws_reply *reply,
             struct err *err);
