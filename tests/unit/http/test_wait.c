#include "tests/unit/http/fixture.h"

struct sleeper {
    struct wait_hub *hub;
    uint64_t seen;
    int64_t until_ms;
    int fd;
    enum wait_result result;
};

static void *sleep_on(void *arg)
{
    struct sleeper *one = arg;

    assert_true(wait_hub_enter(one->hub));
    one->result = wait_hub_wait(one->hub, one->fd, one->seen, one->until_ms);
    wait_hub_leave(one->hub);
    return NULL;
}

static void await_waiters(struct wait_hub *hub, int count)
{
    int64_t until = clock_boot_ms() + PATIENCE_MS;

    while (wait_hub_waiters(hub) != count && clock_boot_ms() < until)
        poll(NULL, 0, 2);
    assert_int_equal(wait_hub_waiters(hub), count);
}

static struct sleeper sleeper_of(struct wait_hub *hub)
{
    return (struct sleeper){hub, wait_hub_generation(hub), clock_boot_ms() + 60000, -1, WAIT_TIMEOUT};
}

static void a_commit_wakes_every_waiter(void **state)
{
    struct wait_hub *hub = wait_hub_new(4);
    struct sleeper sleepers[4];
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        sleepers[i] = sleeper_of(hub);
        pthread_create(&threads[i], NULL, sleep_on, &sleepers[i]);
    }
    await_waiters(hub, 4);
    wait_hub_wake(hub);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(sleepers[i].result, WAIT_WOKEN);
    }
    wait_hub_free(hub);
}

static void a_commit_between_looking_and_waiting_is_not_lost(void **state)
{
    struct wait_hub *hub = wait_hub_new(1);
    uint64_t seen = wait_hub_generation(hub);

    (void)state;
    wait_hub_wake(hub);
    assert_int_equal(wait_hub_wait(hub, -1, seen, clock_boot_ms() + 60000), WAIT_WOKEN);
    wait_hub_free(hub);
}

static void a_place_is_kept_from_look_to_look(void **state)
{
    struct wait_hub *hub = wait_hub_new(1);
    struct sleeper one = sleeper_of(hub);
    pthread_t thread;

    (void)state;
    pthread_create(&thread, NULL, sleep_on, &one);
    await_waiters(hub, 1);
    assert_false(wait_hub_enter(hub));
    wait_hub_wake(hub);
    pthread_join(thread, NULL);
    assert_true(wait_hub_enter(hub));
    assert_int_equal(wait_hub_wait(hub, -1, wait_hub_generation(hub), clock_boot_ms() + 1), WAIT_TIMEOUT);
    assert_false(wait_hub_enter(hub)); /* it is looking, and will wait again */
    wait_hub_leave(hub);
    assert_int_equal(wait_hub_waiters(hub), 0);
    wait_hub_free(hub);
}

static void a_drain_ends_present_and_future_waits(void **state)
{
    struct wait_hub *hub = wait_hub_new(2);
    struct sleeper one = sleeper_of(hub);
    pthread_t thread;

    (void)state;
    pthread_create(&thread, NULL, sleep_on, &one);
    await_waiters(hub, 1);
    wait_hub_drain(hub);
    pthread_join(thread, NULL);
    assert_int_equal(one.result, WAIT_DRAIN);
    assert_int_equal(wait_hub_wait(hub, -1, wait_hub_generation(hub), clock_boot_ms() + 60000), WAIT_DRAIN);
    wait_hub_free(hub);
}

static void a_client_that_hangs_up_ends_its_wait(void **state)
{
    struct wait_hub *hub = wait_hub_new(1);
    struct sleeper one = sleeper_of(hub);
    pthread_t thread;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    one.fd = pair[0];
    pthread_create(&thread, NULL, sleep_on, &one);
    await_waiters(hub, 1);
    close(pair[1]);
    pthread_join(thread, NULL);
    assert_int_equal(one.result, WAIT_GONE);
    close(pair[0]);
    wait_hub_free(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_wakes_every_waiter),
        cmocka_unit_test(a_commit_between_looking_and_waiting_is_not_lost),
        cmocka_unit_test(a_place_is_kept_from_look_to_look),
        cmocka_unit_test(a_drain_ends_present_and_future_waits),
        cmocka_unit_test(a_client_that_hangs_up_ends_its_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
