/* What is known of an environment can be seen while AWS is being asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world.h"
#include "tests/unit/engine/kinds.h"

static void *open_session(void *arg)
{
    struct engine_session *session = NULL;
    struct err err = ERR_INIT;

    if (engine_session_open(arg, "slow", 20000, &session, &err) == 0)
        engine_session_done(session);
    return err.code != ERR_NONE ? arg : NULL;
}

static void a_look_at_an_environment_does_not_wait_for_aws(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct environment_state found = {0};
    struct err err = ERR_INIT;
    struct world *w;
    pthread_t thread;
    char extra[400];
    void *failed;
    int call;

    (void)state;
    test_kinds_reset();
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    snprintf(extra, sizeof(extra),
             "  slow:\n    region: us-east-1\n    account: \"123456789012\"\n    tables: [\"S*\"]\n    "
             "endpoint_url: "
             "http://127.0.0.1:%d\n    recovery_points: file:///tmp/recoverd-nowhere\n    allow_unencrypted: "
             "true\n",
             ntohs(at.sin_port));
    w = world_new(test_kinds, extra);
    assert_int_equal(pthread_create(&thread, NULL, open_session, w->engine), 0);
    call = accept(listener, NULL, NULL); /* STS is being asked, and does not answer */
    assert_true(call >= 0);
    assert_int_equal(engine_environment_state(w->engine, "slow", &found, &err), 0);
    assert_false(found.checked);
    close(listener);
    close(call);
    pthread_join(thread, &failed);
    assert_non_null(failed);
    assert_int_equal(engine_environment_state(w->engine, "slow", &found, &err), 0);
    assert_true(found.checked && !found.usable && found.err.code != ERR_NONE);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_look_at_an_environment_does_not_wait_for_aws)};

    setenv("AWS_ACCESS_KEY_ID", "testing", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "testing", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
