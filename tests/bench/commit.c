/*
 * A raw group commit of the rows that recoverd wrote: what POST /v1/jobs is compared with. Reads each job's
 * rows of FROM, then writes them into a new database of the same schema, with the same pragmas, for CLIENTS
 * threads that each wait until their job is durable before they bring the next; one thread commits what has
 * come together. No savepoints, no checks, nothing read back. commit FROM TO JOBS CLIENTS
 * Prints one JSON object: jobs a second, microseconds of CPU of the process a job, at the median of latency.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <sqlite3.h>

#include "tests/bench/measure.h"

#define GROUP_MAX 256
#define COLUMNS_MAX 48
#define SQL_MAX 1024

/* The tables in which accepting a job leaves rows, parents first, and how to find a job's. */
static const struct table {
    const char *name, *rows;
} tables[] = {
    {"job", "SELECT * FROM job WHERE key = ?1"},
    {"document", "SELECT * FROM document WHERE job_key = ?1"},
    {"event", "SELECT * FROM event WHERE job_key = ?1"},
    {"step", "SELECT * FROM step WHERE job_key = ?1"},
    {"part", "SELECT * FROM part WHERE job_key = ?1"},
    {"touch", "SELECT * FROM touch WHERE root_key = ?1"},
    {"audit", "SELECT a.* FROM bench_audit b JOIN audit a ON a.key = b.audit_key WHERE b.job_key = ?1"},
    {"audit_node", "SELECT * FROM audit_node WHERE ?1 = ?1"},
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

struct row {
    struct row *next;
    size_t table;
    int columns;
    sqlite3_value *values[COLUMNS_MAX];
};

struct work {
    struct work *next;
    const struct row *rows;
    sem_t done;
};

static struct row **jobs;
static long job_count, next_job;
static int64_t *took_ns;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static struct work *first, **last = &first;
static bool closing;

static void must_db(bool ok, sqlite3 *db, const char *what)
{
    if (!ok)
        fprintf(stderr, "%s\n", sqlite3_errmsg(db));
    must(ok, what);
}

static void run(sqlite3 *db, const char *sql)
{
    must_db(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, db, sql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;

    must_db(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) == SQLITE_OK, db,
            sql);
    return statement;
}

/* -- the rows -- */

static struct row *read_row(sqlite3_stmt *from, size_t table)
{
    struct row *row = calloc(1, sizeof(*row));

    must(row && sqlite3_column_count(from) <= COLUMNS_MAX, "a row");
    row->table = table;
    row->columns = sqlite3_column_count(from);
    for (int i = 0; i < row->columns; i++)
        row->values[i] = sqlite3_value_dup(sqlite3_column_value(from, i));
    return row;
}

static struct row *rows_of(sqlite3_stmt *const *from, int64_t job_key)
{
    struct row *all = NULL, **end = &all;

    for (size_t i = 0; i < TABLES; i++) {
        sqlite3_bind_int64(from[i], 1, job_key);
        while (sqlite3_step(from[i]) == SQLITE_ROW) {
            *end = read_row(from[i], i);
            end = &(*end)->next;
        }
        sqlite3_reset(from[i]);
    }
    return all;
}

/* The newest jobs, oldest first. A job's audit rows name it by its id as text: looked up once for all. */
static void read_jobs(sqlite3 *db, long count)
{
    static const char newest[] =
        "SELECT key FROM (SELECT key FROM job ORDER BY key DESC LIMIT ?1) ORDER BY key";
    sqlite3_stmt *keys, *from[TABLES];

    run(db, "CREATE TEMP TABLE bench_job AS SELECT key, lower(hex(id)) AS id FROM job; "
            "CREATE INDEX temp.by_id ON bench_job (id); "
            "CREATE TEMP TABLE bench_audit AS SELECT j.key AS job_key, a.key AS audit_key FROM audit a "
            "CROSS JOIN bench_job j WHERE j.id = replace(a.job_id, '-', ''); "
            "CREATE INDEX temp.by_job ON bench_audit (job_key)");
    for (size_t i = 0; i < TABLES; i++)
        from[i] = prepare(db, tables[i].rows);
    keys = prepare(db, newest);
    sqlite3_bind_int64(keys, 1, count);
    jobs = calloc((size_t)count, sizeof(struct row *));
    took_ns = calloc((size_t)count, sizeof(int64_t));
    must(jobs && took_ns, "memory");
    while (sqlite3_step(keys) == SQLITE_ROW)
        jobs[job_count++] = rows_of(from, sqlite3_column_int64(keys, 0));
    sqlite3_finalize(keys);
    for (size_t i = 0; i < TABLES; i++)
        sqlite3_finalize(from[i]);
    must(job_count == count, "fewer jobs than asked for");
}

/* -- the new database -- */

/* As connection_open and connection_write of store/sqlite/connection.c. */
static sqlite3 *open_new(const char *path, sqlite3 *like)
{
    sqlite3_stmt *schema = prepare(like, "SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL AND name "
                                         "NOT LIKE 'sqlite_%' ORDER BY rowid");
    sqlite3 *db;

    must(sqlite3_open_v2(path, &db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                             SQLITE_OPEN_PRIVATECACHE,
                         NULL) == SQLITE_OK,
         path);
    run(db,
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA "
        "mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
        "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192");
    while (sqlite3_step(schema) == SQLITE_ROW)
        run(db, (const char *)sqlite3_column_text(schema, 0));
    sqlite3_finalize(schema);
    return db;
}

static sqlite3_stmt *insert_into(sqlite3 *db, const char *table, int columns)
{
    char sql[SQL_MAX];
    int len = snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO %s VALUES (?", table);

    for (int i = 1; i < columns; i++)
        len += snprintf(sql + len, sizeof(sql) - (size_t)len, ",?");
    snprintf(sql + len, sizeof(sql) - (size_t)len, ")");
    return prepare(db, sql);
}

static void write_row(sqlite3 *db, sqlite3_stmt **inserts, const struct row *row)
{
    sqlite3_stmt **insert = &inserts[row->table];

    if (!*insert)
        *insert = insert_into(db, tables[row->table].name, row->columns);
    for (int i = 0; i < row->columns; i++)
        sqlite3_bind_value(*insert, i + 1, row->values[i]);
    must_db(sqlite3_step(*insert) == SQLITE_DONE, db, tables[row->table].name);
    sqlite3_reset(*insert);
}

/* -- committing -- */

static struct work *take_group(void)
{
    struct work *group, *end;

    pthread_mutex_lock(&lock);
    while (!first && !closing)
        pthread_cond_wait(&wake, &lock);
    group = end = first;
    for (int i = 1; end && end->next && i < GROUP_MAX; i++)
        end = end->next;
    first = end ? end->next : NULL;
    if (end)
        end->next = NULL;
    if (!first)
        last = &first;
    pthread_mutex_unlock(&lock);
    return group;
}

static void *writer(void *arg)
{
    sqlite3 *db = arg;
    sqlite3_stmt *inserts[TABLES] = {0};
    sqlite3_stmt *begin = prepare(db, "BEGIN IMMEDIATE"), *commit = prepare(db, "COMMIT");
    struct work *group, *next;

    while ((group = take_group())) {
        must_db(sqlite3_step(begin) == SQLITE_DONE, db, "begin");
        sqlite3_reset(begin);
        for (struct work *work = group; work; work = work->next)
            for (const struct row *row = work->rows; row; row = row->next)
                write_row(db, inserts, row);
        must_db(sqlite3_step(commit) == SQLITE_DONE, db, "commit");
        sqlite3_reset(commit);
        for (struct work *work = group; work; work = next) {
            next = work->next;
            sem_post(&work->done);
        }
    }
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    for (size_t i = 0; i < TABLES; i++)
        sqlite3_finalize(inserts[i]);
    return NULL;
}

static void *client(void *arg)
{
    struct work work = {0};

    (void)arg;
    sem_init(&work.done, 0, 0);
    for (;;) {
        int64_t began = wall_ns();
        long job;

        pthread_mutex_lock(&lock);
        job = next_job < job_count ? next_job++ : -1;
        if (job >= 0) {
            work.rows = jobs[job];
            work.next = NULL;
            *last = &work;
            last = &work.next;
            pthread_cond_signal(&wake);
        }
        pthread_mutex_unlock(&lock);
        if (job < 0)
            return NULL;
        sem_wait(&work.done);
        took_ns[job] = wall_ns() - began;
    }
}

static double cpu_us(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void run_all(sqlite3 *db, long clients)
{
    pthread_t *threads = calloc((size_t)clients + 1, sizeof(*threads));
    double cpu = cpu_us();
    int64_t began = wall_ns();

    must(threads && pthread_create(&threads[clients], NULL, writer, db) == 0, "threads");
    for (long i = 0; i < clients; i++)
        must(pthread_create(&threads[i], NULL, client, NULL) == 0, "threads");
    for (long i = 0; i < clients; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_lock(&lock);
    closing = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    pthread_join(threads[clients], NULL);
    double seconds = (double)(wall_ns() - began) / 1e9;
    cpu = cpu_us() - cpu;
    qsort(took_ns, (size_t)job_count, sizeof(*took_ns), by_time);
    printf("{\"rate\": %.1f, \"cpu_us\": %.2f, \"p50_us\": %.1f}\n", (double)job_count / seconds,
           cpu / (double)job_count, (double)took_ns[job_count / 2] / 1e3);
    free(threads);
}

int main(int argc, char **argv)
{
    sqlite3 *from, *to;

    if (argc != 5)
        return 2;
    must(sqlite3_open(argv[1], &from) == SQLITE_OK, argv[1]);
    read_jobs(from, atol(argv[3]));
    to = open_new(argv[2], from);
    run_all(to, atol(argv[4]));
    sqlite3_close(from);
    sqlite3_close(to);
    return 0;
}
