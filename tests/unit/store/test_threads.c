#include "tests/unit/store/explain.h"

#include <stdatomic.h>

#define SUBMITTERS 32
#define EACH 40
#define READERS 6
#define CLAIMERS 8
#define PARTS 300

static atomic_int commits;

static void count_commit(void *arg)
{
    (void)arg;
    atomic_fetch_add(&commits, 1);
}

static int up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    fixture_dir(f);
    f->options.on_commit = count_commit;
    fixture_open(f);
    atomic_store(&commits, 0);
    *state = f;
    return 0;
}

static int submit_fn(struct tx *tx, void *ctx, struct err *err)
{
    struct job *job = ctx;
    struct step step = {.name = "scan"};

    *job = job_of("backup.table", "shop", "table/Sales");
    if (tx_job_insert(tx, job, err) < 0)
        return -1;
    step.job_key = job->key;
    return tx_step_insert(tx, &step, err);
}

struct worker {
    struct fixture *f;
    pthread_t thread;
    atomic_bool *stop;
    int failures, seen;
    atomic_int *claimed;
};

static void *submit_main(void *arg)
{
    struct worker *worker = arg;

    for (int i = 0; i < EACH; i++) {
        struct job job;
        struct err err = ERR_INIT;

        worker->failures += store_tx(worker->f->store, "submit", submit_fn, &job, &err) < 0;
    }
    return NULL;
}

/* One read transaction sees one state: as many steps as jobs, however many come in between the two looks. */
static int look_fn(struct tx *tx, void *ctx, struct err *err)
{
    struct worker *worker = ctx;
    struct arena *arena = arena_new(1024 * 1024);
    struct job **jobs;
    size_t count = 0, steps_count;
    bool more;
    int result = tx_jobs_list(tx, &(struct job_query){.page = {.visible_all = true, .limit = 20}}, arena,
                              &jobs, &count, &more, err);

    int64_t step_rows = 0, job_rows = -1;

    if (result == 0)
        result = connection_pragma(tx->connection, "SELECT count(*) FROM step", &step_rows, err);
    usleep(2000);
    if (result == 0)
        result = connection_pragma(tx->connection, "SELECT count(*) FROM job", &job_rows, err);
    worker->failures += step_rows != job_rows;
    for (size_t i = 0; result == 0 && i < count; i++) {
        struct step **steps;
        result = tx_steps_of(tx, jobs[i]->key, arena, &steps, &steps_count, err);
        worker->failures += steps_count != 1;
        worker->seen++;
    }
    arena_free(arena);
    return result;
}

static void *look_main(void *arg)
{
    struct worker *worker = arg;

    do {
        struct err err = ERR_INIT;
        worker->failures +=
            (worker->seen % 2 ? store_read : store_read_ops)(worker->f->store, look_fn, worker, &err) < 0;
    } while (!atomic_load(worker->stop));
    return NULL;
}

static void many_submit_and_read_at_once_and_nobody_sees_half(void **state)
{
    struct fixture *f = *state;
    static struct worker submitters[SUBMITTERS], readers[READERS];
    atomic_bool stop = false;
    struct tx *tx;
    int64_t count;
    int seen = 0;

    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct worker){.f = f, .stop = &stop};
        pthread_create(&readers[i].thread, NULL, look_main, &readers[i]);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct worker){.f = f};
        pthread_create(&submitters[i].thread, NULL, submit_main, &submitters[i]);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(submitters[i].thread, NULL);
        assert_int_equal(submitters[i].failures, 0);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].failures, 0);
        seen += readers[i].seen;
    }
    assert_true(seen > 0);
    assert_true(atomic_load(&commits) > 0 && atomic_load(&commits) <= SUBMITTERS * EACH);
    tx = begin(f);
    ok(connection_pragma(tx->connection, "SELECT count(*) FROM job", &count, &f->err));
    assert_int_equal(count, SUBMITTERS * EACH);
    commit(f);
}

struct claiming {
    struct worker *worker;
    struct arena *arena;
    struct part *part;
};

static int claim_fn(struct tx *tx, void *ctx, struct err *err)
{
    struct claiming *claiming = ctx;
    int64_t next_ms;

    return tx_part_claim(tx, 1, 100, 200, claiming->arena, &claiming->part, &next_ms, err);
}

static void *claim_main(void *arg)
{
    struct worker *worker = arg;

    for (;;) {
        struct claiming claiming = {.worker = worker, .arena = arena_new(64 * 1024)};
        struct err err = ERR_INIT;
        bool got = store_tx(worker->f->store, "claim", claim_fn, &claiming, &err) == 0 && claiming.part;

        if (got)
            atomic_fetch_add(&worker->claimed[claiming.part->seq], 1);
        worker->failures += err.code != ERR_NONE;
        arena_free(claiming.arena);
        if (!got)
            return NULL;
    }
}

static void no_part_is_given_twice(void **state)
{
    struct fixture *f = *state;
    static struct worker workers[CLAIMERS];
    static atomic_int claimed[PARTS];
    struct tx *tx = begin(f);
    struct built b;

    build(f, tx, &b, 0);
    for (int i = 0; i < PARTS; i++) {
        struct part part = {
            .job_key = b.job.key, .step_key = b.step.key, .seq = i, .name = "p", .state = PART_READY};
        ok(tx_part_insert(tx, &part, &f->err));
    }
    commit(f);
    for (int i = 0; i < CLAIMERS; i++) {
        workers[i] = (struct worker){.f = f, .claimed = claimed};
        pthread_create(&workers[i].thread, NULL, claim_main, &workers[i]);
    }
    for (int i = 0; i < CLAIMERS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].failures, 0);
    }
    for (int i = 0; i < PARTS; i++)
        assert_int_equal(atomic_load(&claimed[i]), 1);
}

struct spec {
    int64_t job_key;
    char first; /* byte of its text */
};

static int spec_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct spec *spec = ctx;
    _cleanup_(arena_free_p) struct arena *arena = arena_new(1 << 20);
    struct bytes text;

    if (tx_document_get(tx, spec->job_key, "spec", arena, &text, err) < 0)
        return -1;
    spec->first = text.len > 0 ? text.data[0] : 0;
    return 0;
}

/* The WAL is copied and started anew while it is written, whoever has read before: it does not grow with what
 * was written. And who reads sees the last commit. */
static void the_wal_stays_small_under_many_writes(void **state)
{
    struct fixture *f = *state;
    static char body[200000];
    struct built b;
    struct spec spec;
    char path[160];
    struct stat facts;

    build(f, begin(f), &b, 0);
    commit(f);
    spec.job_key = b.job.key;
    for (int i = 0; i < 300; i++) { /* 60 MB through a WAL of at most a few */
        struct tx *tx = begin(f);
        memset(body, i + 1, sizeof(body)); /* SQLite does not write what is the same */
        ok(tx_document_put(tx, b.job.key, "spec", (struct bytes){body, sizeof(body)}, &f->err));
        commit(f);
        if (i % 100 < 2) {
            ok(store_read_ops(f->store, spec_tx, &spec, &f->err));
            assert_int_equal(spec.first, (char)(i + 1));
            ok(store_read(f->store, spec_tx, &spec, &f->err));
            assert_int_equal(spec.first, (char)(i + 1));
        }
    }
    snprintf(path, sizeof(path), "%s-wal", f->path);
    assert_int_equal(stat(path, &facts), 0);
    assert_true(facts.st_size < 12 * 1024 * 1024);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, fixture_down)
    const struct CMUnitTest tests[] = {
        TEST(many_submit_and_read_at_once_and_nobody_sees_half),
        TEST(no_part_is_given_twice),
        TEST(the_wal_stays_small_under_many_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
