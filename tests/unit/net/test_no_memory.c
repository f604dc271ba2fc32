/* Memory runs out at each allocation of a call in turn: it brings the whole answer, or NO_MEMORY. (All else
 * that takes outside bytes: tests/unit/jobs/test_no_memory.c.) */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/http_client.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/scripted_server.h"

#define BODY_LEN 5000

/* A client that found no memory for the name of its proxy would go past it. */
static int call(const char *url, struct err *err)
{
    const struct http_header headers[] = {{"X-One", "1"}};
    const struct http_call call = {
        .method = "GET", .url = url, .headers = headers, .header_count = 1, .reply_max = 10000};
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct http_client *client = http_client_new(err);
    int result;

    assert_false(client && alloc_failed());
    if (!client)
        return -1;
    result = http_client_send(client, &call, &answer, err);
    if (result == 0) {
        assert_int_equal(answer.body.len, BODY_LEN);
        assert_string_equal(http_answer_header(&answer, "x-two"), "2");
    }
    http_answer_done(&answer);
    http_client_free(client);
    return result;
}

static void sweep(const char *url, long run)
{
    for (long n = 1;; n++) {
        struct err err = ERR_INIT;
        int result;
        bool failed;

        alloc_fail_run(n, run);
        result = call(url, &err);
        failed = alloc_failed();
        alloc_fail_at(0);
        if (!failed) {
            assert_int_equal(result, 0);
            assert_true(n > 5);
            return;
        }
        if (result < 0 && err.code != ERR_NO_MEMORY)
            fail_msg("allocation %ld: %s %s", n, err_info(err.code)->name, err.message);
    }
}

static void each_allocation_may_fail(void **state)
{
    static char body[BODY_LEN + 1];
    struct scripted_server *server;

    (void)state;
    memset(body, 'x', BODY_LEN);
    server = SCRIPTED({.headers = "X-Two: 2\r\n", .body = body, .repeat = true});
    setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1);
    setenv("NO_PROXY", "example.com", 1);
    sweep(scripted_server_url(server), 1);
    sweep(scripted_server_url(server), 2);
    sweep(scripted_server_url(server), LONG_MAX);
    scripted_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
