/* Each row of REFERENCE.md section 1.3, byte by byte over a socket: what is answered, that the connection
 * then ends, and that nothing behind the head was ever taken for a request. */
#include "tests/unit/http/fixture.h"

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
#define PLAIN "GET /a HTTP/1.1\r\nHost: x\r\n"
#define END "\r\n" SMUGGLED

struct row {
    const char *name;
    const char *bytes;
    size_t len;
    int status;       /* 0: closed without a word of ours */
    const char *code; /* in problem+json; NULL: libmicrohttpd's own page */
};
#define ROW(name, bytes, status, code)                                                                       \
    {                                                                                                        \
        name, bytes, sizeof(bytes) - 1, status, code                                                         \
    }

static const struct row rows[] = {
    ROW("no Host", "GET /a HTTP/1.1\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("length and chunked",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" END, 411,
        "LENGTH_REQUIRED"),
    ROW("chunked alone",
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED, 411,
        "LENGTH_REQUIRED"),
    ROW("gzip, chunked", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n" END, 411,
        "LENGTH_REQUIRED"),
    ROW("identity", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n" END, 411,
        "LENGTH_REQUIRED"),
    ROW("two lengths",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\n12345" SMUGGLED, 400,
        "MALFORMED_REQUEST"),
    ROW("the same length twice",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n12345" SMUGGLED, 400,
        "MALFORMED_REQUEST"),
    ROW("space before the colon", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\n" SMUGGLED, 400,
        "MALFORMED_REQUEST"),
    ROW("tab before the colon", PLAIN "X-A\t: 5\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("folded line", PLAIN "X-A: one\r\n two\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("folded last line", PLAIN "X-A: one\r\n\ttwo\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("folded empty line", PLAIN "X-A: one\r\n \r\nX-B: two\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("folded first line", "GET /a HTTP/1.1\r\n X: y\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("bare LF everywhere", "GET /a HTTP/1.1\nHost: x\nX-A: 1\n\n" SMUGGLED, 400, "MALFORMED_REQUEST"),
    ROW("bare LF after the first line", "GET /a HTTP/1.1\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("bare LF in the middle", "GET /a HTTP/1.1\r\nHost: x\nX-A: 1\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("bare LF at the end of a value", PLAIN "X-A: 1\n\r\n" SMUGGLED, 400, "MALFORMED_REQUEST"),
    ROW("bare LF as the empty line", PLAIN "X-A: 1\r\n\n" SMUGGLED, 400, "MALFORMED_REQUEST"),
    ROW("bare CR in a value", PLAIN "X-A: 1\rX-B: 2\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("one letter between bare line ends", PLAIN "X-A: \no\r\r" SMUGGLED, 400, NULL),
    ROW("bare CR as the empty line", PLAIN "X-A: 1\r\n\r" SMUGGLED, 400, NULL),
    ROW("NUL in a value", PLAIN "X-A: a\0b\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("NUL at the end of a value", PLAIN "X-A: a\0\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("NUL and a byte before bare LFs at the end", PLAIN "X-A: a\0b\n\n" SMUGGLED, 400,
        "MALFORMED_REQUEST"),
    ROW("NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("NUL in a name", PLAIN "X\0Y: a\r\n" END, 400, NULL),
    ROW("control byte in a value", PLAIN "X-A: a\001b\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("DEL in a value", PLAIN "X-A: a\177b\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("a name that is no token", PLAIN "X(A): a\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("an empty name", PLAIN ": a\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("a line without a colon", PLAIN "X-A\r\n" END, 400, NULL),
    ROW("encoded NUL", "GET /a%00b HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("encoded slash", "GET /a%2Fb HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("encoded slash, lower case", "GET /a%2fb HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("encoded backslash", "GET /a%5Cb HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("backslash", "GET /a\\b HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("encoded newline", "GET /a%0Ab HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("half an escape", "GET /a%2 HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("encoded bytes that are no UTF-8", "GET /a%ff HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("overlong UTF-8", "GET /%c0%ae HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("raw UTF-8", "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("dot dot", "GET /a/../b HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("encoded dot dot", "GET /a/%2e%2E/b HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("dot", "GET /./b HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("an empty segment", "GET //evil/a HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("absolute form", "GET http://evil/a HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("authority form", "CONNECT evil:443 HTTP/1.1\r\nHost: x\r\n" END, 405, "METHOD_NOT_ALLOWED"),
    ROW("a space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("two spaces", "GET  /a HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("a tab for a space", "GET\t/a HTTP/1.1\r\nHost: x\r\n" END, 400, NULL),
    ROW("a space behind the version", "GET /a HTTP/1.1 \r\nHost: x\r\n" END, 400, NULL),
    ROW("two Authorization", PLAIN "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n" END, 400,
        "MALFORMED_REQUEST"),
    ROW("two Host", PLAIN "hOST: y\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("two Content-Type", PLAIN "Content-Type: a/b\r\nContent-Type: a/b\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("two Idempotency-Key", PLAIN "Idempotency-Key: a\r\nIdempotency-Key: b\r\n" END, 400,
        "MALFORMED_REQUEST"),
    ROW("two If-Match", PLAIN "If-Match: \"a\"\r\nIf-Match: \"b\"\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("two If-None-Match", PLAIN "If-None-Match: \"a\"\r\nIf-None-Match: \"b\"\r\n" END, 400,
        "MALFORMED_REQUEST"),
    ROW("two Recoverd-OTP", PLAIN "Recoverd-OTP: 1\r\nRecoverd-OTP: 2\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("two Prefer", PLAIN "Prefer: wait=1\r\nPrefer: wait=2\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("a Host with a path", "GET /a HTTP/1.1\r\nHost: x/y\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("a length with a sign", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n12345" SMUGGLED,
        400, NULL),
    ROW("a negative length", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n" END, 400, NULL),
    ROW("a list of lengths", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n12345" SMUGGLED, 400,
        NULL),
    ROW("an enormous length", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n" END,
        413, NULL),
    ROW("a large length", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n" END, 413,
        "BODY_TOO_LARGE"),
    ROW("another expectation", PLAIN "Expect: tea\r\n" END, 400, "INVALID_HEADER"),
    ROW("an unknown method", "FOO /a HTTP/1.1\r\nHost: x\r\n" END, 405, "METHOD_NOT_ALLOWED"),
    ROW("a method that is not ours", "PATCH /a HTTP/1.1\r\nHost: x\r\n" END, 405, "METHOD_NOT_ALLOWED"),
    ROW("TRACE", "TRACE /a HTTP/1.1\r\nHost: x\r\n" END, 405, "METHOD_NOT_ALLOWED"),
    ROW("a method in lower case", "get /a HTTP/1.1\r\nHost: x\r\n" END, 405, "METHOD_NOT_ALLOWED"),
    ROW("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, NULL),
    ROW("HTTP/1.2", "GET /a HTTP/1.2\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
    ROW("no version", "GET /a\r\nHost: x\r\n" END, 400, NULL),
    ROW("control character in the query", "GET /a?q=%01 HTTP/1.1\r\nHost: x\r\n" END, 400, "INVALID_QUERY"),
    ROW("NUL in the query", "GET /a?q=%00 HTTP/1.1\r\nHost: x\r\n" END, 400, "INVALID_QUERY"),
    ROW("a fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n" END, 400, "MALFORMED_REQUEST"),
};

static struct fixture fixture;
static struct raw_reply reply;

static int start(void **state)
{
    struct http_deadlines deadlines = {
        .header_ms = 1500, .request_ms = 1500, .idle_ms = 1500, .stall_ms = 5000};

    (void)state;
    fixture_start(&fixture, &deadlines);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

static void what_libmicrohttpd_lets_through_is_refused_and_the_connection_ends(void **state)
{
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        char code[64];
        int replies;

        raw_exchange(http_server_port(fixture.server), row->bytes, row->len, &reply);
        replies = raw_replies(&reply);
        snprintf(code, sizeof(code), "\"code\":\"%s\"", row->code ? row->code : "");
        if (raw_status(&reply) == row->status && reply.closed && fixture_load(&fixture.responded) == 0 &&
            (!row->code || (raw_has(&reply, code) && raw_has(&reply, "X-Request-Id: ") && replies == 1 &&
                            raw_has(&reply, "application/problem+json"))))
            continue;
        failures++;
        print_error("%s: wanted %d %s, got closed %d, handled %d, replies %d:\n%.600s\n", row->name,
                    row->status, row->code ? row->code : "(html)", reply.closed,
                    fixture_load(&fixture.responded), replies, reply.text);
        __atomic_store_n(&fixture.responded, 0, __ATOMIC_SEQ_CST);
    }
    assert_int_equal(failures, 0);
}

static void one_byte_at_a_time_is_judged_like_one_packet(void **state)
{
    static const char fold[] = PLAIN "X-A: one\r\n two\r\n\r\n";
    int fd = raw_connect(http_server_port(fixture.server));

    (void)state;
    for (size_t i = 0; i < sizeof(fold) - 1; i++)
        raw_send(fd, fold + i, 1);
    raw_read_all(fd, &reply);
    close(fd);
    assert_int_equal(raw_status(&reply), 400);
    assert_true(raw_has(&reply, "MALFORMED_REQUEST"));
}

static void an_ordinary_request_passes(void **state)
{
    static const char *const good[] = {
        PLAIN "Connection: close\r\n\r\n",
        "\r\n" PLAIN "Connection: close\r\n\r\n",
        PLAIN "X-A:  spaces round it \t \r\nX-Empty:\r\nX-Also-Empty:  \r\nX-Umlaut: \xc3\xa4\r\nCookie: "
              "a=b; c=\"d\"\r\n"
              "Connection: close\r\n\r\n",
        "GET /a?x=%41&y HTTP/1.1\r\nHost: x:8080\r\nConnection: close\r\n\r\n",
        "GET /a HTTP/1.0\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\nContent-Length: 5\r\n\r\n12345",
        "POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        raw_request(http_server_port(fixture.server), good[i], &reply);
        if (raw_status(&reply) != 200)
            fail_msg("%s\n->\n%s", good[i], reply.text);
    }
}

/* A long value is looked at eight bytes at a time. */
static void a_control_character_is_found_wherever_a_value_has_it(void **state)
{
    static const struct {
        char byte;
        int status;
    } bytes[] = {{0x01, 400}, {0x1f, 400}, {0x7f, 400}, {'\t', 200}, {(char)0x80, 200}, {(char)0xff, 200}};
    char request[200];

    (void)state;
    for (size_t at = 0; at < 20; at++)
        for (size_t i = 0; i < COUNT_OF(bytes); i++) {
            int n = snprintf(request, sizeof(request), PLAIN "Connection: close\r\nX-A: (%s",
                             "abcdefghijklmnopqrst");

            request[n - 20 + (int)at] = bytes[i].byte;
            memcpy(request + n, ")\r\n\r\n", 6);
            raw_request(http_server_port(fixture.server), request, &reply);
            if (raw_status(&reply) != bytes[i].status)
                fail_msg("0x%02x at %zu: %d", (unsigned char)bytes[i].byte, at, raw_status(&reply));
        }
}

static void too_long_targets_and_heads_are_414_and_431(void **state)
{
    static char request[80000];
    struct {
        size_t target, header;
        int status;
    } sizes[] = {{HTTP_TARGET_MAX + 1, 1, 414}, {70000, 1, 414}, {1, HTTP_HEADER_MAX, 431}, {1, 70000, 431}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        memset(request, 'a', sizeof(request));
        memcpy(request, "GET /", 5);
        size_t len = 5 + sizes[i].target;
        len += (size_t)snprintf(request + len, 100, " HTTP/1.1\r\nHost: x\r\nX-A: ");
        request[len] = 'a';
        len += sizes[i].header;
        memcpy(request + len, "\r\n\r\n", 4);
        raw_exchange(http_server_port(fixture.server), request, len + 4, &reply);
        assert_int_equal(raw_status(&reply), sizes[i].status);
        assert_true(reply.closed);
    }
}

static void a_hundred_and_one_headers_are_431(void **state)
{
    static char request[8192];
    size_t len = (size_t)snprintf(request, sizeof(request), "GET /a HTTP/1.1\r\nHost: x\r\n");

    (void)state;
    for (int i = 0; i < HTTP_HEADERS_MAX; i++)
        len += (size_t)snprintf(request + len, sizeof(request) - len, "X-%d: 1\r\n", i);
    snprintf(request + len, sizeof(request) - len, "\r\n");
    raw_request(http_server_port(fixture.server), request, &reply);
    assert_int_equal(raw_status(&reply), 431);
    assert_true(raw_has(&reply, "HEADERS_TOO_LARGE"));
}

static void a_large_head_in_small_pieces_passes_also_behind_a_body(void **state)
{
    static char request[120000];
    size_t len = (size_t)snprintf(request, sizeof(request),
                                  "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    int fd = raw_connect(http_server_port(fixture.server));

    (void)state;
    memset(request + len, 'b', 60000);
    len += 60000;
    for (int part = 0; part < 2; part++) {
        len += (size_t)snprintf(request + len, 100, "GET /head%d HTTP/1.1\r\nHost: x\r\n", part);
        for (int i = 0; i < 60; i++)
            len += (size_t)snprintf(request + len, 600, "X-%d: %0450d\r\n", i, i);
        len += (size_t)snprintf(request + len, 100, "%s\r\n", part ? "Connection: close\r\n" : "");
    }
    for (size_t at = 0; at < len; at += 700)
        raw_send(fd, request + at, len - at < 700 ? len - at : 700);
    raw_read_all(fd, &reply);
    close(fd);
    assert_int_equal(raw_replies(&reply), 3);
    assert_int_equal(fixture_load(&fixture.responded), 3);
}

/* A reader of RFC 9112 that forgives nothing, as a proxy in front may be. Empty lines before the first line
 * are skipped. */
static bool is_strict(const char *at, const char *end)
{
    const char *line;

    while (at < end && (*at == '\r' || *at == '\n'))
        at++;
    for (int number = 0;; number++) {
        line = at;
        at = memmem(at, (size_t)(end - at), "\r\n", 2);
        if (!at)
            return false;
        struct bytes text = {line, (size_t)(at - line)};
        at += 2;
        if (text.len == 0)
            return number > 0;
        for (size_t i = 0; i < text.len; i++)
            if (((unsigned char)text.data[i] < 0x20 && text.data[i] != '\t') || text.data[i] == 0x7f)
                return false;
        const char *mark = memchr(text.data, number == 0 ? ' ' : ':', text.len);
        if (!mark || !http_is_token((struct bytes){text.data, (size_t)(mark - text.data)}))
            return false;
        if (number > 0)
            continue;
        const char *second = memchr(mark + 1, ' ', text.len - (size_t)(mark - text.data) - 1);
        size_t rest = second ? text.len - (size_t)(second - text.data) - 1 : 0;
        if (!second || second == mark + 1 || memchr(mark + 1, '\t', (size_t)(second - mark)) || rest != 8 ||
            memcmp(second + 1, "HTTP/1.", 7) != 0)
            return false;
    }
}

/* The one thing that cannot be seen afterwards (http/gate.h): NUL and a bare LF or CR instead of CRLF. */
static bool has_invisible(const char *at, const char *end)
{
    for (; at + 1 < end; at++)
        if (at[0] == '\0' && (at[1] == '\n' || at[1] == '\r'))
            return true;
    return false;
}

static void nul_and_lf_end_a_line_where_a_lenient_reader_ends_it_too(void **state)
{
    static const char bytes[] =
        "POST /a HTTP/1.1\r\nHost: x\r\nX-A: 1\0\nContent-Length: 3\r\nConnection: close\r\n\r\nabc" SMUGGLED;

    (void)state;
    raw_exchange(http_server_port(fixture.server), bytes, sizeof(bytes) - 1, &reply);
    assert_true(raw_has(&reply, "\"body\":3"));
    assert_int_equal(raw_replies(&reply), 1);
    assert_int_equal(fixture_load(&fixture.responded), 1);
}

static void what_a_strict_reader_refuses_never_reaches_the_handler(void **state)
{
    static const char bytes[] = "\r\n\0 \t:;,a/%\x01\x7f\"",
                      valid[] = PLAIN "X-A: one\r\nX-B:two \r\nX-C:\r\n\r\n";
    uint32_t seed = 20261123;
    int refused = 0;

    (void)state;
    for (int round = 0; round < 6000; round++) {
        char head[sizeof(valid) + 16 + sizeof(SMUGGLED)];
        size_t len = sizeof(valid) - 1;
        int before = fixture_load(&fixture.responded), fd;

        memcpy(head, valid, len);
        for (int changes = 1 + round % 3; changes > 0; changes--) {
            seed = seed * 1664525u + 1013904223u;
            size_t at = (seed >> 8) % len;
            char byte = bytes[(seed >> 20) % (sizeof(bytes) - 1)];

            if ((seed >> 28) % 3 == 0) { /* take one away, put one in, or change one */
                memmove(head + at, head + at + 1, --len - at);
            } else {
                if ((seed >> 28) % 3 == 1)
                    memmove(head + at + 1, head + at, len++ - at);
                head[at] = byte;
            }
        }
        memcpy(head + len, "\r\n\r\n", 4);
        if (is_strict(head, head + len + 4) || has_invisible(head, head + len + 4))
            continue;
        refused++;
        fd = raw_connect(http_server_port(fixture.server));
        raw_send(fd, head, len + 4);
        shutdown(fd, SHUT_WR);
        raw_read_all(fd, &reply);
        close(fd);
        if (fixture_load(&fixture.responded) != before || raw_status(&reply) == 200) {
            for (size_t i = 0; i < len; i++)
                print_error("%c", head[i] >= ' ' && head[i] < 0x7f ? head[i]
                                  : head[i] == '\r'                ? '<'
                                  : head[i] == '\n'                ? '>'
                                                                   : '?');
            fail_msg("was taken: round %d", round);
        }
    }
    assert_true(refused > 1000);
}

static void several_forwarded_lines_are_no_fault(void **state)
{
    (void)state;
    raw_request(http_server_port(fixture.server),
                PLAIN "Forwarded: for=a\r\nForwarded: for=b\r\nConnection: close\r\n\r\n", &reply);
    assert_int_equal(raw_status(&reply), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_libmicrohttpd_lets_through_is_refused_and_the_connection_ends,
                                        start, stop),
        cmocka_unit_test_setup_teardown(one_byte_at_a_time_is_judged_like_one_packet, start, stop),
        cmocka_unit_test_setup_teardown(an_ordinary_request_passes, start, stop),
        cmocka_unit_test_setup_teardown(a_control_character_is_found_wherever_a_value_has_it, start, stop),
        cmocka_unit_test_setup_teardown(too_long_targets_and_heads_are_414_and_431, start, stop),
        cmocka_unit_test_setup_teardown(a_large_head_in_small_pieces_passes_also_behind_a_body, start, stop),
        cmocka_unit_test_setup_teardown(what_a_strict_reader_refuses_never_reaches_the_handler, start, stop),
        cmocka_unit_test_setup_teardown(nul_and_lf_end_a_line_where_a_lenient_reader_ends_it_too, start,
                                        stop),
        cmocka_unit_test_setup_teardown(several_forwarded_lines_are_no_fault, start, stop),
        cmocka_unit_test_setup_teardown(a_hundred_and_one_headers_are_431, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
