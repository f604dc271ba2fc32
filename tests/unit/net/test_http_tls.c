#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "net/http_client.h"
#include "tests/support/tls_server.h"

/* One GET; 0 with the status in *ret_status, or -1. */
static int get(const struct tls_server *server, bool with_bundle, int *ret_status, struct err *err,
               bool *ret_may_have_effect)
{
    struct http_answer answer = HTTP_ANSWER_INIT;
    struct http_call call = {
        .method = "GET", .url = tls_server_url(server), .reply_max = 100, .timeout_ms = 10000};

    if (with_bundle)
        setenv("AWS_CA_BUNDLE", tls_server_ca(server), 1);
    struct http_client *client = http_client_new(err);
    unsetenv("AWS_CA_BUNDLE");
    int rc = http_client_send(client, &call, &answer, err);
    *ret_status = answer.status;
    *ret_may_have_effect = answer.may_have_effect;
    http_answer_done(&answer);
    http_client_free(client);
    return rc;
}

struct expectation {
    const char *names;
    int max_version;
    bool bundle;
    bool works;
};

static void only_a_known_certificate_of_that_host_by_tls_1_2_is_spoken_to(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {"IP:127.0.0.1", TLS1_3_VERSION, true, true},     {"IP:127.0.0.1", TLS1_2_VERSION, true, true},
        {"IP:127.0.0.1", TLS1_1_VERSION, true, false},    /* too old */
        {"IP:127.0.0.1", TLS1_3_VERSION, false, false},   /* not in the system's bundle */
        {"DNS:example.com", TLS1_3_VERSION, true, false}, /* another's name */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct tls_server *server = tls_server_start_as(cases[i].names, cases[i].max_version);
        struct err err = ERR_INIT;
        int status = 0;
        bool effect = true;
        tls_server_say(server, (struct tls_reply){.status = 200, .body = "ok"});
        int rc = get(server, cases[i].bundle, &status, &err, &effect);
        assert_int_equal(tls_server_requests(server), cases[i].works);
        tls_server_stop(server);
        assert_int_equal(rc, cases[i].works ? 0 : -1);
        assert_int_equal(status, cases[i].works ? 200 : 0);
        if (!cases[i].works) {
            assert_int_equal(err.code, ERR_AWS_UNREACHABLE);
            assert_false(effect);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_known_certificate_of_that_host_by_tls_1_2_is_spoken_to),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
