/* The log while a reload changes its level and format under those who write. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

#define LINES 3000

static atomic_int writing;

static void *write_lines(void *arg)
{
    (void)arg;
    for (int i = 0; i < LINES; i++)
        log_write(LOG_ERROR, "line", "name", "value", NULL);
    writing--;
    return NULL;
}

/* Points stderr at an unlinked file for the length of the writing. */
static FILE *written_by_two_threads(void)
{
    FILE *file = tmpfile();
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    pthread_t threads[2];

    assert_non_null(file);
    assert_true(kept >= 0 && fcntl(fileno(file), F_SETFL, O_APPEND) == 0);
    dup2(fileno(file), STDERR_FILENO);
    writing = 2;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, write_lines, NULL);
    for (int i = 0; writing > 0; i++)
        log_setup(i % 3 ? LOG_INFO : LOG_ERROR, i % 2 ? LOG_JSON : LOG_TEXT);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    return file;
}

static void a_line_has_one_format_whatever_changes_meanwhile(void **state)
{
    FILE *file = written_by_two_threads();
    char line[512];
    int lines = 0;

    (void)state;
    while (fgets(line, sizeof(line), file)) {
        size_t len = strlen(line);

        lines++;
        if (line[0] == '{')
            assert_string_equal(line + len - 3, "\"}\n");
        else
            assert_string_equal(line + len - 22, "error line name=value\n");
    }
    fclose(file);
    assert_int_equal(lines, 2 * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_line_has_one_format_whatever_changes_meanwhile)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
