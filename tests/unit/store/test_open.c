#include "tests/unit/store/explain.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* -- what other processes do: this program again, with words -- */

static pid_t run_self(const char *what, const char *url, const char *dir, int out)
{
    char *const argv[] = {(char *)"self", (char *)(uintptr_t)what, (char *)(uintptr_t)url,
                          (char *)(uintptr_t)dir, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static int status_of(pid_t pid)
{
    int status;

    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int submit_fn(struct tx *tx, void *ctx, struct err *err)
{
    struct job *job = ctx;
    struct step step = {.name = "scan"};

    *job = job_of("backup.table", "shop", "table/Sales");
    if (tx_job_insert(tx, job, err) < 0)
        return -1;
    step.job_key = job->key;
    return tx_step_insert(tx, &step, err) < 0 ? -1 : tx_document_put(tx, job->key, "spec", BYTES("{}"), err);
}

static void *submit_main(void *arg)
{
    for (;;) {
        struct job job;
        struct err err = ERR_INIT;

        if (store_tx(arg, "submit", submit_fn, &job, &err) < 0 ||
            write(STDOUT_FILENO, job.id.bytes, sizeof(job.id.bytes)) != (ssize_t)sizeof(job.id.bytes))
            _exit(9);
    }
    return NULL;
}

static int self(const char *what, const struct store_options *options)
{
    struct store *store;
    struct err err = ERR_INIT;

    if (store_open(options, &store, &err) < 0)
        return err.code == ERR_STORE_UNAVAILABLE && strstr(err.message, "another recoverd") ? 4 : 5;
    if (str_is(what, "submit")) {
        pthread_t threads[8];
        for (int i = 0; i < 8; i++)
            pthread_create(&threads[i], NULL, submit_main, store);
        pthread_join(threads[0], NULL);
    }
    if (str_is(what, "no-more-bytes")) {
        /* every write past what the files have now is an error that is not "full": it meets the commit */
        struct rlimit limit = {4096, 4096};
        struct job job;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        for (int i = 0; i < 1000; i++)
            if (store_tx(store, "submit", submit_fn, &job, &err) < 0)
                return 6;
        return 7;
    }
    return 0;
}

/* -- tests -- */

static void change(struct fixture *f, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void close_store(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
}

static void a_second_process_is_kept_out_by_either_lock(void **state)
{
    struct fixture *f = *state;
    char other_dir[80], other_url[160];

    assert_int_equal(status_of(run_self("open", f->url, f->dir, -1)), 4);
    snprintf(other_dir, sizeof(other_dir), "%s/other", f->dir);
    mkdir(other_dir, 0700);
    snprintf(other_url, sizeof(other_url), "sqlite:%s/other.db", other_dir);
    assert_int_equal(status_of(run_self("open", f->url, other_dir, -1)), 4);
    assert_int_equal(status_of(run_self("open", other_url, f->dir, -1)), 4);
    assert_int_equal(status_of(run_self("open", other_url, other_dir, -1)), 0);
    close_store(f);
    assert_int_equal(status_of(run_self("open", f->url, f->dir, -1)), 0);

    snprintf(f->url, sizeof(f->url), "sqlite:%s/recoverd", f->dir); /* both locks are one file then */
    fixture_open(f);
    assert_int_equal(status_of(run_self("open", f->url, f->dir, -1)), 4);
    assert_int_equal(status_of(run_self("open", other_url, f->dir, -1)), 4);
}

static void a_file_system_that_allows_no_wal_is_refused(void **state)
{
    struct fixture *f = *state;
    struct connection writer;

    ok(connection_open(":memory:", true, &writer, &f->err)); /* has none either */
    refused(STORE_UNAVAILABLE, connection_write(&writer, &f->err));
    connection_close(&writer);
}

static int see_nothing(struct tx *tx, void *ctx, struct err *err)
{
    (void)tx, (void)ctx, (void)err;
    return 0;
}

static void a_reader_whose_transaction_could_not_be_ended_serves_again(void **state)
{
    struct fixture *f = *state;
    struct readers *readers = &sqlite_store_of(f->store)->readers;

    for (size_t i = 0; i < COUNT_OF(readers->connections); i++)
        ok(connection_exec(&readers->connections[i], "BEGIN", &f->err));
    ok(store_read(f->store, see_nothing, NULL, &f->err));
    ok(store_read_ops(f->store, see_nothing, NULL, &f->err));
}

static void what_was_acknowledged_is_there_after_kill_9(void **state)
{
    struct fixture *f = *state;
    size_t acknowledged = 0;

    close_store(f);
    for (int round = 0; round < 5; round++) {
        int pipes[2];
        struct id id;
        struct session session;
        int64_t ok_rows, torn;
        pid_t pid;

        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        pid = run_self("submit", f->url, f->dir, pipes[1]);
        close(pipes[1]);
        struct id ids[20000];
        size_t count = 0;
        while (count < COUNT_OF(ids) && read(pipes[0], &id, sizeof(id)) == (ssize_t)sizeof(id)) {
            ids[count++] = id;
            if (count == 200 + 150 * (size_t)round)
                kill(pid, SIGKILL);
        }
        close(pipes[0]);
        assert_int_equal(status_of(pid), -SIGKILL);
        acknowledged += count;

        fixture_open(f);
        session_begin_on(&session, f->store, true);
        for (size_t i = 0; i < count; i++) {
            struct job *job;
            ok(tx_job_by_id(session.tx, &ids[i], f->arena, &job, &f->err));
        }
        ok(connection_pragma(session.tx->connection,
                             "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'",
                             &ok_rows, &f->err));
        ok(connection_pragma(session.tx->connection,
                             "SELECT (SELECT count(*) FROM job) - (SELECT count(*) FROM step) + "
                             "(SELECT count(*) FROM job) - (SELECT count(*) FROM document)",
                             &torn, &f->err));
        session_end_on(&session, 0);
        assert_int_equal(ok_rows, 1);
        assert_int_equal(torn, 0);
        close_store(f);
        arena_reset(f->arena);
    }
    assert_true(acknowledged >= 1000);
}

static void an_error_from_commit_ends_the_process(void **state)
{
    struct fixture *f = *state;

    close_store(f);
    assert_int_equal(status_of(run_self("no-more-bytes", f->url, f->dir, -1)), 3);
    fixture_open(f);
}

static void a_newer_schema_is_refused_and_left_as_it_is(void **state)
{
    struct fixture *f = *state;

    close_store(f);
    change(f, "PRAGMA user_version = 99");
    refused(SCHEMA_UNKNOWN, store_open(&f->options, &f->store, &f->err));
    change(f, "PRAGMA user_version = 2");
    fixture_open(f);
}

static void a_migration_with_another_checksum_is_refused(void **state)
{
    struct fixture *f = *state;

    close_store(f);
    change(f, "UPDATE migration SET sha256 = zeroblob(32) WHERE number = 1");
    refused(SCHEMA_UNKNOWN, store_open(&f->options, &f->store, &f->err));
    change(f, "DELETE FROM migration");
    refused(SCHEMA_UNKNOWN, store_open(&f->options, &f->store, &f->err));
}

static void a_database_of_another_program_is_refused_and_not_touched(void **state)
{
    struct fixture *f = *state;
    FILE *file;

    close_store(f);
    unlink(f->path);
    change(f, "CREATE TABLE theirs (a); PRAGMA application_id = 1234");
    refused(STORE_UNAVAILABLE, store_open(&f->options, &f->store, &f->err));
    change(f, "PRAGMA application_id = 0"); /* also when it says nothing, but has something */
    refused(STORE_UNAVAILABLE, store_open(&f->options, &f->store, &f->err));
    sqlite3 *db;
    sqlite3_stmt *statement;
    sqlite3_open(f->path, &db);
    sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &statement, NULL);
    sqlite3_step(statement);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "delete");
    sqlite3_finalize(statement);
    sqlite3_close(db);

    file = fopen(f->path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database\n", file);
    fclose(file);
    refused(STORE_CORRUPT, store_open(&f->options, &f->store, &f->err));
    refused(CONFIG, store_open(&(struct store_options){.url = "postgresql:x", .data_dir = f->dir}, &f->store,
                               &f->err));
}

static void a_migration_that_fails_leaves_the_schema_before_it(void **state)
{
    struct fixture *f = *state;
    static const char bad[] = "CREATE TABLE half (a INTEGER) STRICT; CREATE TABLE job (a INTEGER) STRICT;";
    static const char good[] = "CREATE TABLE half (a INTEGER) STRICT;";
    struct migration list[8];
    size_t known = sqlite_migration_count;
    struct connection writer;
    int64_t value;

    assert_true(known < COUNT_OF(list));
    memcpy(list, sqlite_migrations, known * sizeof(list[0]));
    list[known] = (struct migration){(int)known + 1, "bad", bad, bad + sizeof(bad) - 1};

    close_store(f);
    ok(connection_open(f->path, true, &writer, &f->err));
    refused(INTERNAL, migrate(&writer, list, known + 1, &f->err));
    ok(connection_pragma(&writer, "PRAGMA user_version", &value, &f->err));
    assert_int_equal(value, known);
    ok(connection_pragma(&writer, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'", &value, &f->err));
    assert_int_equal(value, 0);
    list[known] = (struct migration){(int)known + 1, "good", good, good + sizeof(good) - 1};
    ok(migrate(&writer, list, known + 1, &f->err));
    ok(migrate(&writer, list, known + 1, &f->err));
    ok(connection_pragma(&writer, "SELECT count(*) FROM migration", &value, &f->err));
    assert_int_equal(value, known + 1);
    connection_close(&writer);
    refused(SCHEMA_UNKNOWN,
            store_open(&f->options, &f->store, &f->err)); /* this program knows only those before */
}

static void the_database_is_its_owners_alone_and_as_durable_as_promised(void **state)
{
    struct fixture *f = *state;
    static const char *const files[] = {"recoverd.db",      "recoverd.db-wal", "recoverd.db-shm",
                                        "recoverd.db.lock", "recoverd.lock",   "recoverd.db.ballast"};
    struct tx *tx = begin(f);
    int64_t value;

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        char path[160];
        struct stat facts;

        snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
        assert_int_equal(stat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, 0600);
    }
    static const struct {
        const char *pragma;
        int64_t value;
    } pragmas[] = {{"PRAGMA synchronous", 2},
                   {"PRAGMA foreign_keys", 1},
                   {"PRAGMA trusted_schema", 0},
                   {"PRAGMA cell_size_check", 1},
                   {"PRAGMA application_id", SQLITE_APPLICATION_ID},
                   {"PRAGMA user_version", 2},
                   {"SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1}};
    for (size_t i = 0; i < COUNT_OF(pragmas); i++) {
        ok(connection_pragma(tx->connection, pragmas[i].pragma, &value, &f->err));
        assert_int_equal(value, pragmas[i].value);
    }
    ok(connection_pragma(
        tx->connection,
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "AND sql NOT LIKE '%STRICT%'",
        &value, &f->err));
    assert_int_equal(value, 0);
    commit(f);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return self(argv[1], &(struct store_options){.url = argv[2], .data_dir = argv[3]});
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
    const struct CMUnitTest tests[] = {
        TEST(a_second_process_is_kept_out_by_either_lock),
        TEST(a_file_system_that_allows_no_wal_is_refused),
        TEST(a_reader_whose_transaction_could_not_be_ended_serves_again),
        TEST(what_was_acknowledged_is_there_after_kill_9),
        TEST(an_error_from_commit_ends_the_process),
        TEST(a_newer_schema_is_refused_and_left_as_it_is),
        TEST(a_migration_with_another_checksum_is_refused),
        TEST(a_database_of_another_program_is_refused_and_not_touched),
        TEST(a_migration_that_fails_leaves_the_schema_before_it),
        TEST(the_database_is_its_owners_alone_and_as_durable_as_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
