#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "jobs/scan_course.h"

/* How many pages until it is noticed, when after `way` keys the same `circle` keys come again and again; 0:
 * never. */
static int noticed_after(int way, int circle, int most)
{
    struct scan_course course = SCAN_COURSE_INIT;
    char start[32] = "", key[32];
    int found = 0;

    for (int i = 0; i < most && !found; i++) {
        snprintf(key, sizeof(key), "{%d}", i < way || !circle ? i : way + (i - way) % circle);
        if (scan_goes_round(&course, (struct bytes){start, strlen(start)}, (struct bytes){key, strlen(key)}))
            found = i + 1;
        snprintf(start, sizeof(start), "%s", key);
    }
    scan_course_done(&course);
    return found;
}

static void a_key_that_does_not_move_is_noticed_at_once(void **state)
{
    (void)state;
    assert_int_equal(noticed_after(0, 1, 100), 2);
    assert_int_equal(noticed_after(20, 1, 100), 22);
}

static void any_circle_is_noticed(void **state)
{
    (void)state;
    for (int way = 0; way < 20; way++)
        for (int circle = 1; circle < 20; circle++)
            assert_in_range(noticed_after(way, circle, 1000), way + circle, 4 * (way + circle) + 2);
}

static void keys_that_move_on_are_no_circle(void **state)
{
    (void)state;
    assert_int_equal(noticed_after(0, 0, 10000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_does_not_move_is_noticed_at_once),
        cmocka_unit_test(any_circle_is_noticed),
        cmocka_unit_test(keys_that_move_on_are_no_circle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
