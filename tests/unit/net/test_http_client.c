#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/http_client.h"
#include "tests/support/scripted_server.h"

struct fixture {
    struct http_client *client;
    struct http_answer answer;
    struct err err;
};

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->client = http_client_new(&f->err);
    *state = f;
    return f->client ? 0 : -1;
}

static int end(void **state)
{
    struct fixture *f = *state;
    http_answer_done(&f->answer);
    http_client_free(f->client);
    free(f);
    return 0;
}

static int go(struct fixture *f, struct scripted_server *server, struct http_call call)
{
    char url[128];
    snprintf(url, sizeof(url), "%s/x/../y?q=1", scripted_server_url(server));
    if (!call.url)
        call.url = url;
    f->err = ERR_INIT;
    return http_client_send(f->client, &call, &f->answer, &f->err);
}

static void a_get_brings_status_headers_and_body(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.expect = "^GET /x/\\.\\./y\\?q=1 HTTP/1\\.1.*X-One: 1",
                                          .status = 404,
                                          .headers = "X-Amz-RequestId:  R1 \r\nETag: \"e\"\r\n",
                                          .body = "hello"});
    struct http_header headers[] = {{"X-One", "1"}};
    int rc = go(f, s,
                (struct http_call){.method = "GET", .headers = headers, .header_count = 1, .reply_max = 100});
    assert_int_equal(rc, 0);
    assert_null(scripted_server_fault(s));
    assert_null(strcasestr(scripted_server_request(s, 0), "accept-encoding"));
    assert_int_equal(f->answer.status, 404);
    assert_string_equal(f->answer.body.data, "hello");
    assert_string_equal(http_answer_header(&f->answer, "x-amz-requestid"), "R1");
    assert_string_equal(http_answer_header(&f->answer, "etag"), "\"e\"");
    assert_null(http_answer_header(&f->answer, "none"));
    assert_true(f->answer.head_at_ms > 0);
    scripted_server_stop(s);
}

/* The trap of REFERENCE.md section 3.1: the first request leaves a connection for reuse, the second dies on
 * it. */
static void check_never_twice(struct fixture *f, const char *method, struct bytes body)
{
    struct scripted_server *s =
        SCRIPTED({.body = "ok"}, {.cut = CUT_BEFORE_REPLY}, {.body = "again", .repeat = true});
    struct http_call call = {.method = method, .body = body, .reply_max = 100};

    assert_int_equal(go(f, s, (struct http_call){.method = "GET", .reply_max = 100}), 0);
    assert_int_equal(go(f, s, call), -1);
    assert_int_equal(f->err.code, ERR_AWS_UNREACHABLE);
    assert_true(f->answer.may_have_effect);
    assert_int_equal(scripted_server_requests(s), 2);
    assert_int_equal(go(f, s, call), 0); /* the client is fit for the next call */
    scripted_server_stop(s);
}

static void a_post_on_a_dead_connection_is_never_sent_twice(void **state)
{
    check_never_twice(*state, "POST", BYTES("{\"CreateBackup\":1}"));
}

static void a_put_on_a_dead_connection_is_never_sent_twice(void **state)
{
    check_never_twice(*state, "PUT", BYTES("data"));
}

static void a_delete_without_a_body_is_never_sent_twice(void **state)
{
    check_never_twice(*state, "DELETE", (struct bytes){0});
}

static void a_post_without_a_body_is_never_sent_twice(void **state)
{
    check_never_twice(*state, "POST", (struct bytes){0});
}

static void posts_share_a_connection(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.expect = "^POST .*\r\n\r\nbody$", .body = "ok", .repeat = true});
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            go(f, s, (struct http_call){.method = "POST", .body = BYTES("body"), .reply_max = 9}), 0);
    assert_null(scripted_server_fault(s));
    assert_int_equal(scripted_server_connections(s), 1);
    scripted_server_stop(s);
}

static void an_answer_larger_than_its_limit_is_refused(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = "0123456789"}, {.body = "0123456789"});
    assert_int_equal(go(f, s, (struct http_call){.method = "GET", .reply_max = 9}), -1);
    assert_int_equal(f->err.code, ERR_LIMIT_EXCEEDED);
    assert_int_equal(go(f, s, (struct http_call){.method = "GET", .reply_max = 10}), 0);
    scripted_server_stop(s);
}

static void a_body_that_is_cut_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = "0123456789", .cut = CUT_IN_BODY});
    assert_int_equal(go(f, s, (struct http_call){.method = "GET", .reply_max = 100}), -1);
    assert_int_equal(f->err.code, ERR_AWS_UNREACHABLE);
    scripted_server_stop(s);
}

static void a_server_that_never_answers_times_out(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.cut = CUT_HANG});
    assert_int_equal(go(f, s, (struct http_call){.method = "POST", .body = BYTES("x"), .timeout_ms = 60}),
                     -1);
    assert_int_equal(f->err.code, ERR_AWS_TIMEOUT);
    assert_true(f->answer.may_have_effect);
    scripted_server_stop(s);
}

static void a_port_where_nobody_listens_had_no_effect(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = "ok"});
    char url[128];
    snprintf(url, sizeof(url), "%s/", scripted_server_url(s));
    scripted_server_stop(s);
    struct http_call call = {.method = "POST", .url = url, .body = BYTES("x")};
    assert_int_equal(http_client_send(f->client, &call, &f->answer, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_UNREACHABLE);
    assert_false(f->answer.may_have_effect);
}

struct stop {
    struct http_client *client;
    atomic_bool now;
    struct scripted_server *server;
};

static enum err_code asked(void *arg)
{
    struct stop *stop = arg;
    return atomic_load(&stop->now) ? ERR_LEASE_LOST : ERR_NONE;
}

static void *wake_when_sent(void *arg)
{
    struct stop *stop = arg;
    while (stop->server && scripted_server_requests(stop->server) == 0)
        sched_yield();
    atomic_store(&stop->now, true);
    http_client_wake(stop->client);
    return NULL;
}

static void a_call_is_interrupted_from_another_thread(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.cut = CUT_HANG}, {.body = "ok"});
    struct stop stop = {.client = f->client, .server = s};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_when_sent, &stop), 0);
    struct http_call call = {
        .method = "POST", .body = BYTES("x"), .interrupt = {asked, &stop}, .reply_max = 10};
    assert_int_equal(go(f, s, call), -1);
    assert_int_equal(f->err.code, ERR_LEASE_LOST);
    assert_true(f->answer.may_have_effect);
    pthread_join(thread, NULL);
    call.interrupt.asked = NULL;
    assert_int_equal(go(f, s, call), 0);
    scripted_server_stop(s);
}

static void a_wait_is_interrupted_from_another_thread(void **state)
{
    struct fixture *f = *state;
    struct stop stop = {.client = f->client};
    struct http_interrupt interrupt = {asked, &stop};
    pthread_t thread;
    assert_int_equal(http_client_sleep(f->client, 1, &interrupt, &f->err), 0);
    assert_int_equal(pthread_create(&thread, NULL, wake_when_sent, &stop), 0);
    assert_int_equal(http_client_sleep(f->client, 3600 * 1000, &interrupt, &f->err), -1);
    assert_int_equal(f->err.code, ERR_LEASE_LOST);
    pthread_join(thread, NULL);
}

struct stream {
    const char *data;
    size_t left;
    char taken[64];
    size_t taken_len;
    bool refuse;
};

static long give(void *arg, char *to, size_t size)
{
    struct stream *stream = arg;
    size_t n = stream->left < 3 ? stream->left : 3;
    if (stream->refuse)
        return -1;
    assert_true(size >= n);
    memcpy(to, stream->data, n);
    stream->data += n;
    stream->left -= n;
    return (long)n;
}

static bool take(void *arg, const char *data, size_t len)
{
    struct stream *stream = arg;
    if (stream->refuse || stream->taken_len + len > sizeof(stream->taken))
        return false;
    memcpy(stream->taken + stream->taken_len, data, len);
    stream->taken_len += len;
    return true;
}

static void bodies_stream_both_ways(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.expect = "^PUT .*Content-Length: 8\r\n.*\r\n\r\nabcdefgh$", .body = "pong"});
    struct stream stream = {.data = "abcdefgh", .left = 8};
    struct http_source source = {give, &stream, 8};
    struct http_sink sink = {take, &stream};
    assert_int_equal(go(f, s, (struct http_call){.method = "PUT", .source = &source, .sink = &sink}), 0);
    assert_null(scripted_server_fault(s));
    assert_memory_equal(stream.taken, "pong", 4);
    assert_int_equal(f->answer.received, 4);
    assert_int_equal(f->answer.body.len, 0);
    scripted_server_stop(s);
}

static void an_error_body_does_not_go_to_the_sink(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.status = 403, .body = "<Error/>"});
    struct stream stream = {0};
    struct http_sink sink = {take, &stream};
    assert_int_equal(go(f, s, (struct http_call){.method = "GET", .sink = &sink}), 0);
    assert_int_equal(stream.taken_len, 0);
    assert_string_equal(f->answer.body.data, "<Error/>");
    scripted_server_stop(s);
}

static void a_sink_and_a_source_that_fail_end_the_call(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = "pong", .repeat = true});
    struct stream stream = {.refuse = true};
    struct http_source source = {give, &stream, 8};
    struct http_sink sink = {take, &stream};
    assert_int_equal(go(f, s, (struct http_call){.method = "GET", .sink = &sink}), -1);
    assert_int_equal(f->err.code, ERR_IO);
    assert_int_equal(go(f, s, (struct http_call){.method = "PUT", .source = &source, .reply_max = 9}), -1);
    assert_int_equal(f->err.code, ERR_IO);
    scripted_server_stop(s);
}

static void a_sink_has_a_limit_too(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = "0123456789"});
    struct stream stream = {0};
    struct http_sink sink = {take, &stream};
    assert_int_equal(go(f, s, (struct http_call){.method = "GET", .sink = &sink, .reply_max = 9}), -1);
    assert_int_equal(f->err.code, ERR_LIMIT_EXCEEDED);
    scripted_server_stop(s);
}

static void a_redirect_is_an_answer_and_not_followed(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.status = 301, .headers = "Location: /other\r\n"}, {.body = "x"});
    assert_int_equal(go(f, s, (struct http_call){.method = "GET", .reply_max = 10}), 0);
    assert_int_equal(f->answer.status, 301);
    assert_int_equal(scripted_server_requests(s), 1);
    scripted_server_stop(s);
}

static void plain_http_goes_only_to_this_machine(void **state)
{
    struct fixture *f = *state;
    static const char *const refused[] = {"http://example.com/", "http://10.0.0.1/",
                                          "file:///etc/passwd",  "ftp://127.0.0.1/",
                                          "http://u@127.0.0.1/", "http://128.0.0.1.x/"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        f->err = ERR_INIT;
        struct http_call call = {.method = "GET", .url = refused[i]};
        assert_int_equal(http_client_send(f->client, &call, &f->answer, &f->err), -1);
        assert_int_equal(f->err.code, ERR_INVALID_BODY);
    }
}

static void hosts_are_judged_by_their_number(void **state)
{
    (void)state;
    assert_true(http_host_is_loopback(http_url_host("http://127.0.0.1:80/x")));
    assert_true(http_host_is_loopback(http_url_host("http://[::1]:80/x")));
    assert_true(http_host_is_loopback(http_url_host("http://[::ffff:127.0.0.1]:80/x")));
    assert_false(http_host_is_loopback(http_url_host("http://[::ffff:10.0.0.1]:80/x")));
    assert_true(http_host_is_loopback(http_url_host("http://localhost")));
    assert_false(http_host_is_loopback(http_url_host("http://localhost.example.com/")));
    assert_false(http_host_is_loopback(http_url_host("http://127.0.0.1.example.com/")));
    assert_false(http_host_is_loopback(http_url_host("http://169.254.169.254/")));
    assert_true(http_host_is_local(http_url_host("http://169.254.169.254/")));
    assert_true(http_host_is_local(http_url_host("http://[fd00:ec2::254]/")));
    assert_false(http_host_is_local(http_url_host("http://[fd00:ec3::254]/")));
    assert_null(http_url_host("nonsense").data);
}

static void a_header_with_a_line_break_is_refused(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = "x"});
    struct http_header headers[] = {{"X-One", "1\r\nX-Two: 2"}};
    assert_int_equal(go(f, s, (struct http_call){.method = "GET", .headers = headers, .header_count = 1}),
                     -1);
    assert_int_equal(f->err.code, ERR_INVALID_HEADER);
    assert_int_equal(scripted_server_requests(s), 0);
    scripted_server_stop(s);
}

static void a_proxy_is_asked_for_https_and_not_for_this_machine(void **state)
{
    (void)state;
    struct scripted_server *s = SCRIPTED({.expect = "^CONNECT example\\.com:443 HTTP", .status = 403},
                                         {.expect = "^GET /direct ", .body = "ok"});
    setenv("HTTPS_PROXY", scripted_server_url(s), 1);
    struct err err = ERR_INIT;
    struct http_client *client = http_client_new(&err);
    unsetenv("HTTPS_PROXY");
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct http_call call = {.method = "GET", .url = "https://example.com/", .reply_max = 10};
    assert_int_equal(http_client_send(client, &call, &answer, &err), -1);
    assert_int_equal(err.code, ERR_AWS_UNREACHABLE);
    assert_false(answer.may_have_effect);
    char url[128];
    snprintf(url, sizeof(url), "%s/direct", scripted_server_url(s));
    call.url = url;
    err = ERR_INIT;
    assert_int_equal(http_client_send(client, &call, &answer, &err), 0);
    assert_null(scripted_server_fault(s));
    assert_int_equal(scripted_server_requests(s), 2);
    http_answer_done(&answer);
    http_client_free(client);
    scripted_server_stop(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_get_brings_status_headers_and_body),
        TEST(a_post_on_a_dead_connection_is_never_sent_twice),
        TEST(a_put_on_a_dead_connection_is_never_sent_twice),
        TEST(a_delete_without_a_body_is_never_sent_twice),
        TEST(a_post_without_a_body_is_never_sent_twice),
        TEST(posts_share_a_connection),
        TEST(an_answer_larger_than_its_limit_is_refused),
        TEST(a_body_that_is_cut_is_an_error),
        TEST(a_server_that_never_answers_times_out),
        TEST(a_port_where_nobody_listens_had_no_effect),
        TEST(a_call_is_interrupted_from_another_thread),
        TEST(a_wait_is_interrupted_from_another_thread),
        TEST(bodies_stream_both_ways),
        TEST(an_error_body_does_not_go_to_the_sink),
        TEST(a_sink_and_a_source_that_fail_end_the_call),
        TEST(a_sink_has_a_limit_too),
        TEST(a_redirect_is_an_answer_and_not_followed),
        TEST(plain_http_goes_only_to_this_machine),
        TEST(hosts_are_judged_by_their_number),
        TEST(a_header_with_a_line_break_is_refused),
        TEST(a_proxy_is_asked_for_https_and_not_for_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
