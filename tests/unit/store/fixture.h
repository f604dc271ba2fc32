/* A store in a folder of its own, and a way to run a transaction as a nested function. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/audit_log.h"
#include "store/parts.h"
#include "store/plans.h"
#include "store/points.h"
#include "store/touches.h"
#include "tests/support/folder.h"

/* A transaction that the test's own thread works in: the writer's function hands its tx over and waits, so
 * that the tests' calls and asserts stand in the test. */
struct session {
    struct store *store;
    pthread_t thread;
    sem_t ready, finish;
    struct tx *tx;
    int result, returned;
    struct err err;
    bool read, open;
};

struct fixture {
    char dir[FOLDER_SIZE];
    char url[160];
    char path[128];
    struct store_options options;
    struct store *store;
    struct arena *arena;
    struct err err;
    struct session session;
};

static inline void fixture_dir(struct fixture *f)
{
    *f = (struct fixture){0};
    folder_make("store", f->dir);
    snprintf(f->path, sizeof(f->path), "%s/recoverd.db", f->dir);
    snprintf(f->url, sizeof(f->url), "sqlite:%s", f->path);
    f->options = (struct store_options){.url = f->url, .data_dir = f->dir};
    f->arena = arena_new(64 * 1024 * 1024);
    assert_non_null(f->arena);
}

static inline void fixture_open(struct fixture *f)
{
    f->err = ERR_INIT;
    if (store_open(&f->options, &f->store, &f->err) < 0)
        fail_msg("store_open: %s", f->err.message);
}

static inline int fixture_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    fixture_dir(f);
    fixture_open(f);
    *state = f;
    return 0;
}

static inline int session_fn(struct tx *tx, void *ctx, struct err *err)
{
    struct session *session = ctx;

    session->tx = tx;
    sem_post(&session->ready);
    sem_wait(&session->finish);
    return session->result < 0 ? err_set(err, ERR_INTERNAL, "rolled back by the test") : 0;
}

static inline void *session_main(void *arg)
{
    struct session *session = arg;

    session->returned = session->read ? store_read(session->store, session_fn, session, &session->err)
                                      : store_tx(session->store, "test", session_fn, session, &session->err);
    return NULL;
}

static inline void session_begin_on(struct session *session, struct store *store, bool read)
{
    *session = (struct session){.store = store, .read = read};
    sem_init(&session->ready, 0, 0);
    sem_init(&session->finish, 0, 0);
    assert_int_equal(pthread_create(&session->thread, NULL, session_main, session), 0);
    sem_wait(&session->ready);
    session->open = true;
}

static inline int session_end_on(struct session *session, int result)
{
    session->result = result;
    session->open = false;
    sem_post(&session->finish);
    pthread_join(session->thread, NULL);
    sem_destroy(&session->ready);
    sem_destroy(&session->finish);
    return session->returned;
}

static inline int fixture_down(void **state)
{
    struct fixture *f = *state;

    if (f->session.open) /* an assert has left it: the writer waits */
        session_end_on(&f->session, -1);
    store_close(f->store);
    arena_free(f->arena);
    folder_remove(f->dir);
    free(f);
    return 0;
}

static inline struct tx *begin(struct fixture *f)
{
    session_begin_on(&f->session, f->store, false);
    f->err = ERR_INIT;
    return f->session.tx;
}
static inline void commit(struct fixture *f)
{
    assert_int_equal(session_end_on(&f->session, 0), 0);
}
static inline void roll_back(struct fixture *f)
{
    assert_int_equal(session_end_on(&f->session, -1), -1);
}

#define ok(call)                                                                                             \
    do {                                                                                                     \
        f->err = ERR_INIT;                                                                                   \
        if ((call) != 0)                                                                                     \
            fail_msg("%s: %s", #call, f->err.message);                                                       \
    } while (0)
#define refused(error, call)                                                                                 \
    do {                                                                                                     \
        f->err = ERR_INIT;                                                                                   \
        assert_int_equal((call), -1);                                                                        \
        assert_string_equal(err_info(f->err.code)->name, #error);                                            \
    } while (0)

/* A root job with what a row must have. */
static inline struct job job_of(const char *kind, const char *environment, const char *resource)
{
    return (struct job){.id = id_new(),
                        .kind = kind,
                        .spec_version = 1,
                        .environment = environment,
                        .resource = resource,
                        .state = JOB_QUEUED,
                        .created_by = "ada",
                        .created_at = 1000};
}

/* A running job with one step of `parts` ready parts. */
struct built {
    struct job job;
    struct step step;
    struct part parts[8];
};
static inline void build(struct fixture *f, struct tx *tx, struct built *ret_built, int parts)
{
    *ret_built = (struct built){.job = job_of("backup.table", "shop", "table/Sales")};
    ok(tx_job_insert(tx, &ret_built->job, &f->err));
    ok(tx_job_move(tx, ret_built->job.key, JOB_QUEUED, JOB_RUNNING, 2000, &f->err));
    ret_built->step = (struct step){.job_key = ret_built->job.key, .seq = 0, .name = "scan"};
    ok(tx_step_insert(tx, &ret_built->step, &f->err));
    for (int i = 0; i < parts; i++) {
        ret_built->parts[i] = (struct part){.job_key = ret_built->job.key,
                                            .step_key = ret_built->step.key,
                                            .seq = i,
                                            .name = "segment",
                                            .state = PART_READY};
        ok(tx_part_insert(tx, &ret_built->parts[i], &f->err));
    }
}

static inline struct part *claim(struct fixture *f, struct tx *tx, int64_t owner)
{
    struct part *part;
    int64_t next_ms;

    ok(tx_part_claim(tx, owner, 100, 200, f->arena, &part, &next_ms, &f->err));
    return part;
}
