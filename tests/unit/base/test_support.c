/* What every test stands on: an assertion that fails on another thread ends the program at once, and says
 * where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { FAILS_AT = __LINE__ + 5 };

static void *fails(void *arg)
{
    (void)arg;
    assert_int_equal(1, 2);
    return NULL;
}

static void fail_elsewhere(int to)
{
    pthread_t thread;

    alarm(10); /* it would hang, or end without a word */
    dup2(to, STDERR_FILENO);
    pthread_create(&thread, NULL, fails, NULL);
    pthread_join(thread, NULL);
    _exit(0);
}

static void a_failure_on_another_thread_ends_the_program_and_says_where(void **state)
{
    char said[200] = "", wanted[100];
    int ends[2], status = -1;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        fail_elsewhere(ends[1]);
    close(ends[1]);
    assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 98);
    snprintf(wanted, sizeof(wanted), "test_support.c:%d: ", FAILS_AT);
    assert_non_null(strstr(said, wanted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_on_another_thread_ends_the_program_and_says_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
