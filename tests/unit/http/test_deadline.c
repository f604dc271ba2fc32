/* Clients that are slow on purpose, and too many of them. Deadlines are shortened; a run that is slow itself
 * only makes these tests longer. */
#include "tests/unit/http/fixture.h"

#include <sys/resource.h>

static struct fixture fixture;
static struct raw_reply reply;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

/* Sends `text` a byte each 20 ms until the server ends the connection; false when it never did. */
static bool drip(int fd, const char *text)
{
    char byte;

    for (int i = 0; i < PATIENCE_MS / 20; i++) {
        raw_send(fd, text[0] ? text++ : "a", 1);
        poll(NULL, 0, 20);
        ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);

        if (got == 0 || (got < 0 && errno != EAGAIN))
            return true;
    }
    return false;
}

static void a_dripping_head_is_cut_off(void **state)
{
    struct http_deadlines deadlines = {.header_ms = 400, .request_ms = 60000, .idle_ms = 60000};
    int fd;

    (void)state;
    fixture_start(&fixture, &deadlines);
    fd = raw_connect(http_server_port(fixture.server));
    assert_true(drip(fd, "GET /a HTTP/1.1\r\nHost: x\r\nX-A: "));
    close(fd);
    assert_int_equal(fixture_load(&fixture.begun), 0);
}

static void a_dripping_second_head_is_cut_off(void **state)
{
    struct http_deadlines deadlines = {.header_ms = 400, .request_ms = 60000, .idle_ms = 60000};
    int fd;

    (void)state;
    fixture_start(&fixture, &deadlines);
    fd = raw_connect(http_server_port(fixture.server));
    raw_text(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_read_one(fd, &reply);
    assert_int_equal(raw_status(&reply), 200);
    assert_true(drip(fd, "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    close(fd);
    assert_int_equal(fixture_load(&fixture.begun), 1);
}

static void a_dripping_body_is_cut_off(void **state)
{
    struct http_deadlines deadlines = {.header_ms = 60000, .request_ms = 600, .idle_ms = 60000};
    int fd;

    (void)state;
    fixture_start(&fixture, &deadlines);
    fd = raw_connect(http_server_port(fixture.server));
    raw_text(fd, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n");
    assert_true(drip(fd, ""));
    close(fd);
    assert_true(fixture_await(&fixture.incomplete, 1));
    assert_int_equal(fixture_load(&fixture.responded), 0);
}

static void a_silent_connection_is_closed(void **state)
{
    struct http_deadlines deadlines = {.header_ms = 60000, .request_ms = 60000, .idle_ms = 300};
    int fd;

    (void)state;
    fixture_start(&fixture, &deadlines);
    fd = raw_connect(http_server_port(fixture.server));
    raw_read_all(fd, &reply);
    assert_true(reply.closed);
    close(fd);
}

static void a_reader_that_takes_nothing_is_cut_off(void **state)
{
    struct http_deadlines deadlines = {.stall_ms = 800};
    int fd, small = 4096;

    (void)state;
    fixture_start(&fixture, &deadlines);
    fd = raw_connect(http_server_port(fixture.server));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    raw_text(fd, "GET /huge HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(fixture_await(&fixture.done, 1));
    assert_int_equal(fixture_load(&fixture.incomplete), 1);
    close(fd);
}

static void a_slow_reader_that_goes_on_gets_everything(void **state)
{
    struct http_deadlines deadlines = {.stall_ms = 1500};
    static char chunk[32768];
    size_t total = 0;
    ssize_t got;
    int fd;

    (void)state;
    fixture_start(&fixture, &deadlines);
    fd = raw_connect(http_server_port(fixture.server));
    raw_text(fd, "GET /huge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    while ((got = recv(fd, chunk, sizeof(chunk), 0)) > 0) {
        total += (size_t)got;
        poll(NULL, 0, 10); /* 384 times: for more than two stalls */
    }
    close(fd);
    assert_true(total > 12 * MIB);
}

static void a_long_poll_is_no_slow_request(void **state)
{
    struct http_deadlines deadlines = {.header_ms = 300, .request_ms = 300, .idle_ms = 300};
    int fd;

    (void)state;
    fixture_start(&fixture, &deadlines);
    fd = raw_connect(http_server_port(fixture.server));
    raw_text(fd, "GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(fixture_await(&fixture.waiting, 1));
    poll(NULL, 0, 1000); /* three times every deadline */
    wait_hub_wake(fixture.hub);
    raw_read_all(fd, &reply);
    close(fd);
    assert_int_equal(raw_status(&reply), 200);
}

static void a_long_poll_whose_client_has_gone_ends(void **state)
{
    int fd;

    (void)state;
    fixture_start(&fixture, NULL);
    fd = raw_connect(http_server_port(fixture.server));
    raw_text(fd, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(fixture_await(&fixture.waiting, 1));
    close(fd);
    assert_true(fixture_await(&fixture.done, 1)); /* PATIENCE_MS is less than the poll's 50 s */
    assert_int_equal(wait_hub_waiters(fixture.hub), 0);
}

static void five_hundred_arguments_are_cut_off_by_the_heads_deadline(void **state)
{
    struct http_deadlines deadlines = {.header_ms = 400, .idle_ms = 60000};
    char request[16384];
    size_t len = (size_t)snprintf(request, sizeof(request), "GET /?");
    int fd;

    (void)state;
    fixture_start(&fixture, &deadlines);
    for (int i = 0; i < 1500; i++)
        len += (size_t)snprintf(request + len, sizeof(request) - len, "a%d&", i);
    snprintf(request + len, sizeof(request) - len, " HTTP/1.1\r\nHost: x\r\n\r\n");
    fd = raw_connect(http_server_port(fixture.server));
    raw_text(fd, request);
    raw_read_all(fd, &reply); /* libmicrohttpd may say nothing at all; the connection must end all the same */
    close(fd);
    assert_true(reply.closed);
    assert_int_equal(fixture_load(&fixture.responded), 0);
}

#define CROWD 1000
#define ROOM_FOR 100

static void a_thousand_idle_connections_leave_the_second_listener_alone(void **state)
{
    struct fixture ops = {0};
    struct http_server_options options;
    struct rlimit files = {8192, 8192};
    static int crowd[CROWD];
    struct err err = ERR_INIT;

    (void)state;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    memset(&fixture, 0, sizeof(fixture));
    fixture.hub = wait_hub_new(1);
    options = fixture_options(&fixture);
    options.connection_limit = ROOM_FOR;
    options.deadlines.idle_ms = 1000;
    assert_int_equal(http_server_start(&options, &fixture.server, &err), 0);
    options = fixture_options(&ops);
    assert_int_equal(http_server_start(&options, &ops.server, &err), 0);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = raw_connect(http_server_port(fixture.server));
    for (int i = 0; i < 20; i++) {
        assert_true(http_server_connections(fixture.server) <= ROOM_FOR);
        raw_request(http_server_port(ops.server),
                    "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &reply);
        assert_int_equal(raw_status(&reply), 200);
    }
    for (int i = 0; i < CROWD; i++)
        if (crowd[i] >= 0)
            close(crowd[i]);
    /* the crowd is gone: there is room again */
    raw_request(http_server_port(fixture.server), "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                &reply);
    assert_int_equal(raw_status(&reply), 200);
    http_server_stop(ops.server, 1000);
}

static void the_longest_silent_make_room_for_who_comes(void **state)
{
    struct http_server_options options;
    static int crowd[2 * ROOM_FOR];
    struct err err = ERR_INIT;
    int poll_fd;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    memset(&fixture, 0, sizeof(fixture));
    fixture.hub = wait_hub_new(1);
    options = fixture_options(&fixture);
    options.connection_limit = ROOM_FOR;
    options.deadlines = (struct http_deadlines){.idle_ms = 600000, .patience_ms = 200};
    assert_int_equal(http_server_start(&options, &fixture.server, &err), 0);
    poll_fd = raw_connect(http_server_port(fixture.server));
    raw_text(poll_fd, "GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(fixture_await(&fixture.waiting, 1));
    for (size_t i = 0; i < COUNT_OF(crowd); i++)
        crowd[i] = raw_connect(http_server_port(fixture.server));
    raw_request(http_server_port(fixture.server), "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                &reply);
    assert_int_equal(raw_status(&reply), 200);
    wait_hub_wake(fixture.hub); /* what the server itself is busy with is nobody's silence */
    raw_read_all(poll_fd, &reply);
    assert_int_equal(raw_status(&reply), 200);
    close(poll_fd);
    for (size_t i = 0; i < COUNT_OF(crowd); i++)
        close(crowd[i]);
}

/* Asks for 12 MiB and takes next to nothing of it. */
static int lazy_reader(void)
{
    int fd = raw_connect(http_server_port(fixture.server)), small = 4096;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    raw_text(fd, "GET /huge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return fd;
}

static void lazy_readers_give_way_when_memory_is_short(void **state)
{
    struct http_deadlines deadlines = {.stall_ms = 600000, .patience_ms = 300, .held_bytes = 20 * MIB};
    int first, second;

    (void)state;
    fixture_start(&fixture, &deadlines);
    first = lazy_reader();
    poll(NULL, 0, 1000); /* alone it is left in peace, though its patience is over */
    assert_int_equal(fixture_load(&fixture.done), 0);
    second = lazy_reader();
    assert_true(fixture_await(&fixture.incomplete, 1));
    poll(NULL, 0, 1000);
    assert_int_equal(fixture_load(&fixture.done), 1);
    while (recv(first, reply.text, sizeof(reply.text), 0) > 0)
        continue; /* it is the first that ends before its time */
    close(first);
    close(second);
}

static void a_large_reply_without_room_is_refused(void **state)
{
    struct http_deadlines deadlines = {.held_bytes = 5 * MIB};

    (void)state;
    fixture_start(&fixture, &deadlines);
    raw_request(http_server_port(fixture.server),
                "GET /huge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &reply);
    assert_int_equal(raw_status(&reply), 503);
    assert_true(raw_has(&reply, "\"BUSY\"") && raw_has(&reply, "Retry-After: "));
    raw_request(http_server_port(fixture.server), "GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                &reply);
    assert_int_equal(raw_status(&reply), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_dripping_head_is_cut_off, stop),
        cmocka_unit_test_teardown(a_dripping_second_head_is_cut_off, stop),
        cmocka_unit_test_teardown(a_dripping_body_is_cut_off, stop),
        cmocka_unit_test_teardown(a_silent_connection_is_closed, stop),
        cmocka_unit_test_teardown(a_reader_that_takes_nothing_is_cut_off, stop),
        cmocka_unit_test_teardown(a_slow_reader_that_goes_on_gets_everything, stop),
        cmocka_unit_test_teardown(a_long_poll_is_no_slow_request, stop),
        cmocka_unit_test_teardown(a_long_poll_whose_client_has_gone_ends, stop),
        cmocka_unit_test_teardown(five_hundred_arguments_are_cut_off_by_the_heads_deadline, stop),
        cmocka_unit_test_teardown(a_thousand_idle_connections_leave_the_second_listener_alone, stop),
        cmocka_unit_test_teardown(the_longest_silent_make_room_for_who_comes, stop),
        cmocka_unit_test_teardown(lazy_readers_give_way_when_memory_is_short, stop),
        cmocka_unit_test_teardown(a_large_reply_without_room_is_refused, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
