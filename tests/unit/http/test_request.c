/* The target, addresses, and problems, without a socket. */
#include "tests/unit/http/fixture.h"
#include "http/address.h"
#include "http/target.h"

static struct http_request request;

static int setup(void **state)
{
    (void)state;
    request =
        (struct http_request){.arena = arena_new(REQUEST_ARENA_MAX), .method = "GET", .peer = "10.0.0.1"};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(request.arena);
    return 0;
}

static void paths_are_split_before_they_are_decoded(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(target_parse(BYTES("/v1/a%3Fb/%F0%9F%98%80/c+d/"), &request, &err), 0);
    assert_int_equal(request.segment_count, 5);
    assert_string_equal(request.segments[1], "a?b");
    assert_string_equal(request.segments[2], "\xf0\x9f\x98\x80");
    assert_string_equal(request.segments[3], "c+d");
    assert_string_equal(request.segments[4], "");
    assert_string_equal(request.path, "/v1/a%3Fb/%F0%9F%98%80/c+d/");
}

static void the_root_has_no_segments(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(target_parse(BYTES("/?"), &request, &err), 0);
    assert_int_equal(request.segment_count, 0);
    assert_string_equal(request.path, "/");
}

static void queries_repeat_and_may_have_no_value(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(target_parse(BYTES("/?a=1&a=2%26&&b&c=x=y+z&%61%3D=3"), &request, &err), 0);
    assert_int_equal(request.query_count, 5);
    assert_string_equal(request.query[1].value, "2&");
    assert_string_equal(request.query[2].value, "");
    assert_string_equal(request.query[3].value, "x=y z");
    assert_string_equal(request.query[4].name, "a=");
    assert_string_equal(http_request_query(&request, "a"), "1");
    assert_null(http_request_query(&request, "nothing"));
}

static void no_target_of_random_bytes_brings_a_slash_or_control_into_a_segment(void **state)
{
    static const char *const pieces[] = {"/",   "%", "2f", "2F", "00", "..",     ".",  "a",
                                         "%2e", "?", "&",  "=",  "+",  "%c3%a4", "\\", "5c"};
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char target[128] = "/";
        struct err err = ERR_INIT;

        arena_reset(request.arena);
        for (int i = 0; i < 12; i++) {
            seed = seed * 1103515245u + 12345u;
            strncat(target, pieces[(seed >> 16) % COUNT_OF(pieces)], sizeof(target) - strlen(target) - 1);
        }
        request.segment_count = 0;
        if (target_parse(bytes_of(target), &request, &err) < 0) {
            assert_true(err.code == ERR_MALFORMED_REQUEST || err.code == ERR_INVALID_QUERY);
            continue;
        }
        for (size_t i = 0; i < request.segment_count; i++)
            if (strpbrk(request.segments[i], "/\\\x01\n") || strcmp(request.segments[i], "..") == 0)
                fail_msg("%s", target);
    }
}

static void networks_are_parsed_strictly(void **state)
{
    static const struct {
        const char *network, *inside, *outside;
    } good[] = {{"10.0.0.0/8", "10.255.1.2", "11.0.0.1"},
                {"192.0.2.7", "192.0.2.7", "192.0.2.8"},
                {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
                {"0.0.0.0/0", "8.8.8.8", "::1"},
                {"::1", "::1", "127.0.0.1"}};
    static const char *const bad[] = {"10.0.0.1/8", "10.0.0.0/33", "::/129",    "",
                                      "/8",         "localhost",   "10.0.0.0/", "10.0.0.0/-1"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct network network;
        struct err err = ERR_INIT;

        assert_int_equal(network_parse(good[i].network, &network, &err), 0);
        assert_true(network_has(&network, 1, good[i].inside));
        assert_false(network_has(&network, 1, good[i].outside));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct network network;
        struct err err = ERR_INIT;

        if (network_parse(bad[i], &network, &err) == 0)
            fail_msg("%s was taken", bad[i]);
    }
}

static void the_client_is_the_first_from_the_right_that_is_no_proxy(void **state)
{
    static const struct {
        const char *name, *value, *client;
    } rows[] = {{"X-Forwarded-For", "192.0.2.1", "192.0.2.1"},
                {"X-Forwarded-For", "6.6.6.6, 192.0.2.1, 10.0.0.9", "192.0.2.1"},
                {"X-Forwarded-For", "192.0.2.1, garbage", "10.0.0.1"},
                {"X-Forwarded-For", "192.0.2.1, garbage, 10.0.0.9", "10.0.0.9"},
                {"X-Forwarded-For", "10.0.0.8, 10.0.0.9", "10.0.0.8"},
                {"X-Forwarded-For", "", "10.0.0.1"},
                {"Forwarded", "for=192.0.2.1;by=10.0.0.1", "192.0.2.1"},
                {"Forwarded", "proto=https;for=\"[2001:db8::1]:443\"", "2001:db8::1"},
                {"Forwarded", "for=unknown", "10.0.0.1"},
                {"forwarded", "for=192.0.2.1:80", "192.0.2.1"}};
    struct network trusted;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(network_parse("10.0.0.0/8", &trusted, &err), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_field header = {bytes_of(rows[i].name), bytes_of(rows[i].value)};
        const char *client;

        request.headers = &header;
        request.header_count = 1;
        client = address_of_client(&request, &trusted, 1);
        if (strcmp(client, rows[i].client) != 0)
            fail_msg("%s: %s", rows[i].value, client);
        assert_string_equal(address_of_client(&request, NULL, 0), "10.0.0.1");
    }
}

/* A proxy that writes X-Forwarded-For hands on the Forwarded that a client made up, or the other way round.
 */
static void two_headers_that_disagree_are_not_believed(void **state)
{
    struct http_field both[] = {{BYTES("X-Forwarded-For"), BYTES("192.0.2.1")},
                                {BYTES("Forwarded"), BYTES("for=6.6.6.6")}};
    struct network trusted;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(network_parse("10.0.0.0/8", &trusted, &err), 0);
    request.headers = both;
    request.header_count = 2;
    assert_string_equal(address_of_client(&request, &trusted, 1), "10.0.0.1");
    both[1].value = BYTES("for=192.0.2.1");
    assert_string_equal(address_of_client(&request, &trusted, 1), "192.0.2.1");
}

static void more_member(struct json_writer *w, void *arg)
{
    json_put_text(w, "changes", arg);
}

static void a_problem_says_all_that_is_known_and_replaces_the_reply(void **state)
{
    struct http_reply reply;
    struct err err = ERR_INIT;
    struct faults faults;
    char some[] = "some";
    struct http_problem_extra extra = {.faults = &faults, .members = more_member, .members_arg = some};
    json_t *problem;
    json_error_t fault;

    (void)state;
    request.path = "/v1/jobs";
    str_copy(request.id, sizeof(request.id), "the-id");
    faults_init(&faults, request.arena);
    fault_add(&faults, "/spec/table", "must be a name");
    err_set(&err, ERR_AWS_THROTTLED, "slow down");
    err.retry_after_s = 7;
    str_copy(err.aws.service, sizeof(err.aws.service), "dynamodb");
    str_copy(err.aws.code, sizeof(err.aws.code), "ThrottlingException");
    http_reply_init(&reply, request.arena);
    buffer_add_str(&reply.body, "half a reply");
    http_reply_header(&reply, "Location", "/x");
    http_problem(&reply, &request, &err, &extra);
    assert_int_equal(reply.status, 503);
    assert_int_equal(reply.header_count, 1);
    assert_string_equal(reply.headers[0].value, "7");
    problem = json_loadb(reply.body.data, reply.body.len, 0, &fault);
    assert_non_null(problem);
    assert_string_equal(json_get_text(problem, "type"), "/problems/AWS_THROTTLED");
    assert_string_equal(json_get_text(problem, "instance"), "/v1/jobs");
    assert_string_equal(json_get_text(problem, "request_id"), "the-id");
    assert_string_equal(json_get_text(problem, "detail"), "slow down");
    assert_string_equal(json_get_text(problem, "changes"), "some");
    assert_int_equal(json_get_int(problem, "status", 0), 503);
    assert_true(json_get_bool(problem, "retryable", false));
    assert_string_equal(json_get_text(json_array_get(json_object_get(problem, "errors"), 0), "pointer"),
                        "/spec/table");
    assert_string_equal(json_get_text(json_object_get(problem, "aws"), "code"), "ThrottlingException");
    json_decref(problem);
    http_reply_done(&reply);
}

static void an_internal_problem_keeps_its_message_inside(void **state)
{
    struct http_reply reply;
    struct err err = ERR_INIT;

    (void)state;
    request.path = "/";
    err_set(&err, ERR_INTERNAL, "secret of the house");
    http_reply_init(&reply, request.arena);
    http_problem(&reply, &request, &err, NULL);
    assert_int_equal(reply.status, 500);
    assert_null(memmem(reply.body.data, reply.body.len, "secret", 6));
    http_reply_done(&reply);
}

static void a_header_with_a_line_break_is_left_out(void **state)
{
    struct http_reply reply;

    (void)state;
    http_reply_init(&reply, request.arena);
    assert_false(http_reply_header(&reply, "Location", "/a\r\nX-Evil: 1"));
    assert_false(http_reply_etag(&reply, "a\"b"));
    assert_int_equal(reply.header_count, 0);
    assert_null(reply.etag);
    http_reply_done(&reply);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(paths_are_split_before_they_are_decoded),
        TEST(the_root_has_no_segments),
        TEST(queries_repeat_and_may_have_no_value),
        TEST(no_target_of_random_bytes_brings_a_slash_or_control_into_a_segment),
        TEST(networks_are_parsed_strictly),
        TEST(the_client_is_the_first_from_the_right_that_is_no_proxy),
        TEST(two_headers_that_disagree_are_not_believed),
        TEST(a_problem_says_all_that_is_known_and_replaces_the_reply),
        TEST(an_internal_problem_keeps_its_message_inside),
        TEST(a_header_with_a_line_break_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
