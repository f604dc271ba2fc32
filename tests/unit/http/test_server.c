/* Ordinary traffic over plain sockets, and what goes wrong in it. */
#include "tests/unit/http/fixture.h"

#include <zlib.h>

static struct fixture fixture;
static struct raw_reply reply;

static int start(void **state)
{
    (void)state;
    fixture_start(&fixture, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

static int port(void)
{
    return http_server_port(fixture.server);
}

#define HOST "Host: x\r\n"
#define CLOSE HOST "Connection: close\r\n\r\n"

static void a_body_arrives_whole_and_the_reply_has_the_standard_headers(void **state)
{
    static const char *const wanted[] = {"\"body\":5",
                                         "X-Request-Id: ",
                                         "nosniff",
                                         "Cache-Control: no-store",
                                         "application/json",
                                         "\"address\":\"127.0.0.1\"",
                                         "\"segments\":[\"a b\",\"c\"]"};

    (void)state;
    raw_request(port(), "POST /a%20b/c?q=x+y%2Bz HTTP/1.1\r\nContent-Length: 5\r\n" CLOSE "12345", &reply);
    assert_int_equal(raw_status(&reply), 200);
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        assert_true(raw_has(&reply, wanted[i]));
    assert_true(fixture_await(&fixture.done, 1));
    assert_string_equal(fixture.last_query, "x y+z");
}

static void a_connection_serves_several_requests_in_order(void **state)
{
    int fd = raw_connect(port());

    (void)state;
    raw_text(fd, "GET /one HTTP/1.1\r\n" HOST "\r\nPOST /two HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
                 "GET /three HTTP/1.1\r\n" CLOSE);
    raw_read_all(fd, &reply);
    close(fd);
    assert_int_equal(raw_replies(&reply), 3);
    const char *one = strstr(reply.text, "\"one\""), *two = strstr(reply.text, "\"two\""),
               *three = strstr(reply.text, "\"three\"");
    assert_true(one && two && three && one < two && two < three);
}

static void head_says_the_length_and_sends_no_body(void **state)
{
    size_t plain_length;
    int done = fixture_load(&fixture.done);

    (void)state;
    raw_request(port(), "HEAD /big HTTP/1.1\r\n" CLOSE, &reply);
    plain_length = strlen(raw_body(&reply));
    assert_int_equal(raw_status(&reply), 200);
    assert_true(raw_has(&reply, "Content-Length: 100000\r\n"));
    assert_int_equal(plain_length, 0);
    assert_true(fixture_await(&fixture.done, done + 1));
    assert_int_equal(fixture.last_bytes, 0); /* the log says what was sent */
}

static void large_json_is_gzipped_when_the_client_takes_it(void **state)
{
    static char plain[200000];
    z_stream z = {0};
    const char *body;

    (void)state;
    raw_request(port(), "GET /big HTTP/1.1\r\nAccept-Encoding: br, gzip;q=0.5\r\n" CLOSE, &reply);
    assert_true(raw_has(&reply, "Content-Encoding: gzip") && raw_has(&reply, "Vary: Accept-Encoding"));
    assert_true(raw_has(&reply, "ETag: \"7-gzip\""));
    body = raw_body(&reply);
    assert_int_equal(inflateInit2(&z, 31), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)body;
    z.avail_in = (uInt)(reply.len - (size_t)(body - reply.text));
    z.next_out = (Bytef *)plain;
    z.avail_out = sizeof(plain);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, 100000);
    inflateEnd(&z);
}

static void gzip_is_not_sent_to_who_refuses_it_and_not_for_small_bodies(void **state)
{
    (void)state;
    raw_request(port(), "GET /big HTTP/1.1\r\nAccept-Encoding: gzip;q=0, *;q=0\r\n" CLOSE, &reply);
    assert_false(raw_has(&reply, "Content-Encoding"));
    assert_true(raw_has(&reply, "ETag: \"7\""));
    raw_request(port(), "GET /small HTTP/1.1\r\nAccept-Encoding: gzip\r\n" CLOSE, &reply);
    assert_false(raw_has(&reply, "Content-Encoding"));
}

static void a_known_tag_gives_304_without_a_body(void **state)
{
    int fd = raw_connect(port());

    (void)state;
    raw_text(fd, "GET /big HTTP/1.1\r\nIf-None-Match: \"6\", W/\"7-gzip\"\r\n" HOST
                 "\r\nGET /next HTTP/1.1\r\n" CLOSE);
    raw_read_all(fd, &reply);
    close(fd);
    assert_int_equal(raw_status(&reply), 304);
    assert_int_equal(raw_replies(&reply), 2);
    assert_true(str_starts(raw_body(&reply), "HTTP/1.1 200"));
}

static void no_content_has_no_body_and_keeps_the_connection(void **state)
{
    (void)state;
    raw_request(port(), "GET /none HTTP/1.1\r\n" HOST "\r\nGET /next HTTP/1.1\r\n" CLOSE, &reply);
    assert_int_equal(raw_status(&reply), 204);
    assert_true(str_starts(raw_body(&reply), "HTTP/1.1 200"));
}

static void files_are_sent_whole_in_part_or_not_at_all(void **state)
{
    static const struct {
        const char *header;
        int status;
        const char *body, *range;
    } rows[] = {
        {"", 200, "0123456789", NULL},
        {"Range: bytes=2-4\r\n", 206, "234", "Content-Range: bytes 2-4/10"},
        {"Range: bytes=7-\r\n", 206, "789", "Content-Range: bytes 7-9/10"},
        {"Range: bytes=-4\r\n", 206, "6789", "Content-Range: bytes 6-9/10"},
        {"Range: bytes=8-99\r\n", 206, "89", "Content-Range: bytes 8-9/10"},
        {"Range: bytes=10-\r\n", 416, "", "Content-Range: bytes */10"},
        {"Range: bytes=0-1,3-4\r\n", 200, "0123456789", NULL},
        {"Range: bytes=2-4\r\nIf-Range: \"digits\"\r\n", 206, "234", NULL},
        {"Range: bytes=2-4\r\nIf-Range: \"other\"\r\n", 200, "0123456789", NULL},
        {"If-None-Match: \"digits\"\r\n", 304, "", NULL},
    };
    char request[256];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(request, sizeof(request), "GET /file HTTP/1.1\r\n%s" CLOSE, rows[i].header);
        raw_request(port(), request, &reply);
        if (raw_status(&reply) != rows[i].status || strcmp(raw_body(&reply), rows[i].body) != 0 ||
            (rows[i].range && !raw_has(&reply, rows[i].range)))
            fail_msg("%s -> %s", rows[i].header, reply.text);
    }
}

static void a_small_refused_body_is_read_and_the_connection_goes_on(void **state)
{
    (void)state;
    raw_request(port(),
                "POST /refuse HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /next HTTP/1.1\r\n" CLOSE,
                &reply);
    assert_int_equal(raw_status(&reply), 401);
    assert_true(raw_has(&reply, "WWW-Authenticate: Bearer realm=\"recoverd\""));
    assert_int_equal(raw_replies(&reply), 2);
    assert_int_equal(fixture_load(&fixture.responded), 1);
}

static void a_large_refused_body_is_answered_before_it_is_sent(void **state)
{
    static char filler[1 << 20];
    int fault = 0;
    socklen_t fault_len = sizeof(fault);

    (void)state;
    for (int i = 0; i < 5; i++) {
        int fd = raw_connect(port());

        raw_text(fd, "POST /refuse HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n");
        raw_send(fd, filler, sizeof(filler) / 2);
        raw_read_all(fd, &reply);
        poll(NULL, 0, 50); /* for a reset, which may overtake the reply on a real network */
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &fault_len);
        close(fd);
        assert_int_equal(fault, 0);
        assert_int_equal(raw_status(&reply), 401);
        assert_true(raw_has(&reply, "Connection: close"));
    }
}

static void a_reply_that_does_not_fit_is_500_and_not_half_a_reply(void **state)
{
    (void)state;
    raw_request(port(), "GET /too-large HTTP/1.1\r\n" CLOSE, &reply);
    assert_int_equal(raw_status(&reply), 500);
    assert_true(raw_has(&reply, "\"code\":\"INTERNAL\""));
}

static void a_body_over_the_limit_of_its_call_is_413(void **state)
{
    (void)state;
    raw_request(port(), "POST /tiny HTTP/1.1\r\nContent-Length: 11\r\n" CLOSE "12345678901", &reply);
    assert_int_equal(raw_status(&reply), 413);
    assert_true(raw_has(&reply, "BODY_TOO_LARGE"));
    raw_request(port(), "POST /tiny HTTP/1.1\r\nContent-Length: 10\r\n" CLOSE "1234567890", &reply);
    assert_int_equal(raw_status(&reply), 200);
}

static void continue_is_said_only_when_the_body_is_wanted(void **state)
{
    int fd = raw_connect(port());

    (void)state;
    raw_text(fd, "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" CLOSE);
    raw_read_one(fd, &reply);
    assert_int_equal(raw_status(&reply), 100);
    raw_text(fd, "abc");
    raw_read_all(fd, &reply);
    close(fd);
    assert_int_equal(raw_status(&reply), 200);
    raw_request(port(), "POST /refuse HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" HOST "\r\n",
                &reply);
    assert_int_equal(raw_status(&reply), 401);
    assert_true(reply.closed);
}

static void five_hundred_arguments_leave_nothing_behind(void **state)
{
    char request[16384];
    size_t len = (size_t)snprintf(request, sizeof(request), "GET /?");

    (void)state;
    for (int i = 0; i < 500; i++)
        len += (size_t)snprintf(request + len, sizeof(request) - len, "a%d=1&", i);
    snprintf(request + len, sizeof(request) - len, " HTTP/1.1\r\n" CLOSE);
    for (int i = 0; i < 50; i++) {
        int fd = raw_connect(port());

        raw_text(fd, request);
        shutdown(fd, SHUT_WR);
        raw_read_all(fd, &reply);
        close(fd);
        assert_int_equal(fixture_load(&fixture.responded), 0);
    }
    /* what a connection held is freed when it closes: the leak checker of the asan build reads the rest */
    for (int i = 0; i < 500 && http_server_connections(fixture.server) > 0; i++)
        poll(NULL, 0, 10);
    assert_int_equal(http_server_connections(fixture.server), 0);
    assert_int_equal(fixture_load(&fixture.begun), 0);
}

static void sixty_five_query_parameters_are_refused(void **state)
{
    char request[4096];
    size_t len = (size_t)snprintf(request, sizeof(request), "GET /?");

    (void)state;
    for (int i = 0; i < HTTP_QUERY_MAX + 1; i++)
        len += (size_t)snprintf(request + len, sizeof(request) - len, "a%d=1&", i);
    snprintf(request + len, sizeof(request) - len, " HTTP/1.1\r\n" CLOSE);
    raw_request(port(), request, &reply);
    assert_int_equal(raw_status(&reply), 400);
    assert_true(raw_has(&reply, "INVALID_QUERY"));
}

static void a_client_that_leaves_in_the_middle_is_counted_as_incomplete(void **state)
{
    int fd = raw_connect(port());

    (void)state;
    raw_text(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    assert_true(fixture_await(&fixture.begun, 1));
    close(fd);
    assert_true(fixture_await(&fixture.incomplete, 1));
    assert_int_equal(fixture_load(&fixture.responded), 0);
}

static void a_stop_cuts_off_what_does_not_end_in_time(void **state)
{
    struct fixture other = {.hub = fixture.hub};
    struct http_server_options options = fixture_options(&other);
    struct err err = ERR_INIT;
    int fd;

    (void)state;
    assert_int_equal(http_server_start(&options, &other.server, &err), 0);
    fd = raw_connect(http_server_port(other.server));
    raw_text(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    assert_true(fixture_await(&other.begun, 1));
    http_server_stop(other.server,
                     100); /* the request's own deadline is 60 s: without the cut this test hangs so long */
    raw_read_all(fd, &reply);
    assert_true(reply.closed);
    close(fd);
    assert_int_equal(fixture_load(&other.incomplete), 1);
}

static void an_address_in_use_is_a_conflict(void **state)
{
    struct http_server_options options = fixture_options(&fixture);
    struct http_server *second;
    struct err err = ERR_INIT;

    (void)state;
    options.port = port();
    assert_int_equal(http_server_start(&options, &second, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
}

static void a_socket_that_is_already_listening_is_taken_over(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct http_server_options options = fixture_options(&fixture);
    struct http_server *second;
    struct err err = ERR_INIT;

    (void)state;
    options.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(options.listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(options.listen_fd, 8), 0);
    assert_int_equal(http_server_start(&options, &second, &err), 0);
    raw_request(http_server_port(second), "GET /a HTTP/1.1\r\n" CLOSE, &reply);
    assert_int_equal(raw_status(&reply), 200);
    http_server_stop(second, 2000);
}

static void forwarded_addresses_count_only_from_a_trusted_proxy(void **state)
{
    static const char *const proxies[] = {"127.0.0.0/8", "10.0.0.0/8"};
    struct fixture trusting = {0};
    struct http_server_options options = fixture_options(&trusting);
    struct err err = ERR_INIT;

    (void)state;
    raw_request(port(), "GET /a HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\n" CLOSE, &reply);
    assert_true(raw_has(&reply, "\"address\":\"127.0.0.1\""));
    options.trusted_proxies = (struct name_list){proxies, 2};
    assert_int_equal(http_server_start(&options, &trusting.server, &err), 0);
    raw_request(http_server_port(trusting.server),
                "GET /a HTTP/1.1\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.1.1.1\r\n" CLOSE, &reply);
    assert_true(raw_has(&reply, "\"address\":\"192.0.2.1\""));
    raw_request(http_server_port(trusting.server),
                "GET /a HTTP/1.1\r\nForwarded: for=6.6.6.6, for=\"[2001:db8::7]:99\";proto=https\r\n" CLOSE,
                &reply);
    assert_true(raw_has(&reply, "\"address\":\"2001:db8::7\""));
    http_server_stop(trusting.server, 2000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_body_arrives_whole_and_the_reply_has_the_standard_headers),
        TEST(a_connection_serves_several_requests_in_order),
        TEST(head_says_the_length_and_sends_no_body),
        TEST(large_json_is_gzipped_when_the_client_takes_it),
        TEST(gzip_is_not_sent_to_who_refuses_it_and_not_for_small_bodies),
        TEST(a_known_tag_gives_304_without_a_body),
        TEST(no_content_has_no_body_and_keeps_the_connection),
        TEST(files_are_sent_whole_in_part_or_not_at_all),
        TEST(a_small_refused_body_is_read_and_the_connection_goes_on),
        TEST(a_large_refused_body_is_answered_before_it_is_sent),
        TEST(a_reply_that_does_not_fit_is_500_and_not_half_a_reply),
        TEST(a_body_over_the_limit_of_its_call_is_413),
        TEST(continue_is_said_only_when_the_body_is_wanted),
        TEST(five_hundred_arguments_leave_nothing_behind),
        TEST(sixty_five_query_parameters_are_refused),
        TEST(a_client_that_leaves_in_the_middle_is_counted_as_incomplete),
        TEST(a_stop_cuts_off_what_does_not_end_in_time),
        TEST(an_address_in_use_is_a_conflict),
        TEST(a_socket_that_is_already_listening_is_taken_over),
        TEST(forwarded_addresses_count_only_from_a_trusted_proxy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
