/* The log while a reload changes its level and format under those who write, and lines that wait. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
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

/* Points stderr at an unlinked file; ret_kept is where it pointed. */
static FILE *open_log(int *ret_kept)
{
    FILE *file = tmpfile();
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

    assert_non_null(file);
    assert_true(kept >= 0 && fcntl(fileno(file), F_SETFL, O_APPEND) == 0);
    dup2(fileno(file), STDERR_FILENO);
    *ret_kept = kept;
    return file;
}

static void close_log(FILE *file, int kept)
{
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
}

static FILE *written_by_two_threads(void)
{
    int kept;
    FILE *file = open_log(&kept);
    pthread_t threads[2];

    writing = 2;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, write_lines, NULL);
    for (int i = 0; writing > 0; i++)
        log_setup(i % 3 ? LOG_INFO : LOG_ERROR, i % 2 ? LOG_JSON : LOG_TEXT);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    close_log(file, kept);
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

static long size_of(FILE *file)
{
    struct stat found;

    assert_int_equal(fstat(fileno(file), &found), 0);
    return (long)found.st_size;
}

static void expect_lines(FILE *file, const char *const *messages)
{
    char line[512];

    for (; *messages; messages++) {
        assert_non_null(fgets(line, sizeof(line), file));
        assert_non_null(strstr(line, *messages));
    }
    assert_null(fgets(line, sizeof(line), file));
    fclose(file);
}

static void lines_wait_for_one_that_does_not_and_keep_their_order(void **state)
{
    static const char *const order[] = {"first", "second", "third", "fourth", NULL};
    long waiting, with_the_third, at_the_end;
    int kept;
    FILE *file = open_log(&kept);

    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    log_write_later(LOG_INFO, "first", NULL);
    log_write_later(LOG_INFO, "second", NULL);
    log_write_later(LOG_DEBUG, "not wanted", NULL);
    waiting = size_of(file);
    log_write(LOG_INFO, "third", NULL);
    with_the_third = size_of(file);
    log_write_later(LOG_INFO, "fourth", NULL);
    log_flush();
    log_flush();
    at_the_end = size_of(file);
    close_log(file, kept);
    assert_int_equal(waiting, 0);
    assert_true(with_the_third > 0 && at_the_end > with_the_third);
    expect_lines(file, order);
}

static void what_waits_is_bounded(void **state)
{
    int kept, lines = 0;
    FILE *file = open_log(&kept);
    long first_out;

    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    for (; size_of(file) == 0 && lines < 100000; lines++)
        log_write_later(LOG_INFO, "many", NULL);
    first_out = size_of(file);
    log_flush();
    close_log(file, kept);
    assert_in_range(first_out, 1, LOG_KEPT_MAX);
    assert_int_equal(first_out % (lines - 1), 0); /* all but the last, each of one length */
    fclose(file);
}

/* What is written to stderr by one line with this value. */
static void write_one(const char *value, char *ret_text, size_t size)
{
    int kept;
    FILE *file = open_log(&kept);

    log_write(LOG_WARN, "what happened", "name", value, NULL);
    close_log(file, kept);
    ret_text[fread(ret_text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void of_a_line_that_is_too_long_the_message_is_left(void **state)
{
    static char value[20000], text[20000];

    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    log_setup(LOG_INFO, LOG_JSON);
    write_one(value, text, sizeof(text));
    assert_non_null(
        strstr(text, "\"level\":\"warn\",\"message\":\"what happened\",\"rest\":\"it was too long"));
    assert_string_equal(text + strlen(text) - 3, "\"}\n");
    log_setup(LOG_INFO, LOG_TEXT);
    write_one(value, text, sizeof(text));
    assert_non_null(strstr(text, " warn  what happened rest=it was too long"));
    write_one("v", text, sizeof(text));
    assert_non_null(strstr(text, " warn  what happened name=v\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_one_format_whatever_changes_meanwhile),
        cmocka_unit_test(lines_wait_for_one_that_does_not_and_keep_their_order),
        cmocka_unit_test(what_waits_is_bounded),
        cmocka_unit_test(of_a_line_that_is_too_long_the_message_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
