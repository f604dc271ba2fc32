/* An environment whose every endpoint is a scripted server. Included by this folder's tests. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/call.h"
#include "base/clock.h"
#include "tests/support/scripted_server.h"

#define ATTEMPTS_MAX 32

struct fixture {
    struct http_client *http;
    struct aws *aws;
    struct aws_session session;
    struct aws_reply reply;
    struct err err;
    struct scripted_server *server;
    struct aws_attempt attempts[ATTEMPTS_MAX];
    size_t attempt_count;
};

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("AWS_ENDPOINT_URL");
    f->http = http_client_new(&f->err);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    aws_reply_done(&f->reply);
    if (f->aws)
        aws_session_done(&f->session);
    aws_free(f->aws);
    http_client_free(f->http);
    scripted_server_stop(f->server);
    free(f);
    return 0;
}

static void note_attempt(void *arg, const struct aws_attempt *attempt)
{
    struct fixture *f = arg;
    if (f->attempt_count < ATTEMPTS_MAX)
        f->attempts[f->attempt_count++] = *attempt;
}

static void serve(struct fixture *f, const struct scripted_reply *script, size_t count)
{
    f->server = scripted_server_start(script, count);
    struct environment environment = {
        .name = "test", .region = "eu-west-1", .endpoint_url = scripted_server_url(f->server)};
    f->aws = aws_new(&environment, &f->err);
    assert_non_null(f->aws);
    aws_session_init(&f->session, f->aws, f->http);
    f->session.attempted = note_attempt;
    f->session.attempted_arg = f;
}
#define SERVE(f, ...)                                                                                        \
    serve(f, (const struct scripted_reply[]){__VA_ARGS__},                                                   \
          sizeof((const struct scripted_reply[]){__VA_ARGS__}) / sizeof(struct scripted_reply))

static void check_server(struct fixture *f, size_t requests) /* every request was the one that was expected */
{
    if (scripted_server_fault(f->server)) {
        fputs(scripted_server_fault(f->server), stderr); /* cmocka cuts long messages */
        fail();
    }
    assert_int_equal(scripted_server_requests(f->server), requests);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
