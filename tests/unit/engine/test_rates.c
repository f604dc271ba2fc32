/* Caps of rate and of memory. The clocks are this test's: boot time goes on when it is told to, and the wall
 * clock stands an hour ahead, as when it is about to be put back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/internal.h"

static int64_t boot_ms = 1000000;

static int64_t boot(void)
{
    return boot_ms;
}

/* In the place of the library's, also for what it was linked with. */
int clock_gettime(clockid_t id, struct timespec *ret_at)
{
    long result = syscall(SYS_clock_gettime, id, ret_at);

    if (id == CLOCK_REALTIME)
        ret_at->tv_sec += 3600;
    return (int)result;
}

static void who_is_ahead_of_his_rate_waits(void **state)
{
    struct rates *rates = rates_new();

    (void)state;
    assert_int_equal(rates_spend(rates, "a", 1000, 1000), 0); /* the second that was saved */
    assert_int_equal(rates_spend(rates, "a", 500, 1000), 500);
    assert_int_equal(rates_spend(rates, "b", 500, 1000), 0);
    boot_ms += 500;
    assert_int_equal(rates_spend(rates, "a", 100, 1000), 100);
    assert_int_equal(rates_spend(rates, "a", 1e9, 0), 0); /* no cap */
    rates_free(rates);
}

/* Each job makes tables of its own: a server that runs for years must not keep an account of each. */
static void a_table_that_is_not_used_any_more_is_forgotten(void **state)
{
    struct rates *rates = rates_new();
    size_t before = 0;
    char key[64];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        if (i == 100)
            before = mallinfo2().uordblks;
        snprintf(key, sizeof(key), "production/SalesTable-%d/write", i);
        assert_int_equal(rates_spend(rates, key, 10, 1000), 0);
        assert_int_equal(rates_spend(rates, "production/SalesTable/read", 1010, 1000), 10);
        boot_ms += 1010; /* of the busy table nothing is saved meanwhile: its account must be kept */
    }
    assert_true(mallinfo2().uordblks < before + 100000);
    rates_free(rates);
}

/* With a wait by the wall clock this would take an hour, and the runner would end it. */
static void a_wait_for_memory_is_not_by_the_wall_clock(void **state)
{
    struct budget budget;

    (void)state;
    budget_init(&budget, 100);
    assert_true(budget_take(&budget, 80));
    assert_false(budget_take(&budget, 30));
    budget_give(&budget, 80);
    assert_true(budget_take(&budget, 300)); /* larger than all: alone */
    assert_false(budget_take(&budget, 1));
    budget_give(&budget, 300);
    budget_done(&budget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_ahead_of_his_rate_waits),
        cmocka_unit_test(a_table_that_is_not_used_any_more_is_forgotten),
        cmocka_unit_test(a_wait_for_memory_is_not_by_the_wall_clock),
    };

    clock_replace(NULL, boot);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
