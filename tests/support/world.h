/* A small world for tests: a temporary folder, a configuration, a SQLite store, and an engine with kinds of
 * the test's. */
#pragma once
#include "base/config.h"
#include "engine/engine.h"
#include "tests/support/folder.h"

struct world {
    char dir[FOLDER_SIZE];
    struct config *config;
    struct store *store;
    struct engine *engine;
    struct arena *arena;
    struct principal principal; /* admin at "test", MFA fresh */
    struct grant grant;
};

/* kinds NULL: no engine. Ends the test program when anything fails. `extra` is put below the environment
 * `test`. */
struct world *world_new(const struct job_kind *const *kinds, const char *extra);
void world_free(struct world *world);
void world_start_engine(struct world *world, const struct job_kind *const *kinds);
void world_stop_engine(struct world *world);

struct submit world_submit(struct world *world, const char *kind, const char *spec_json);
/* Accepts or ends the test. */
struct job *world_accept(struct world *world, const char *kind, const char *spec_json);
struct job *world_job(struct world *world, const struct id *id);
/* Waits (at most 20 s) until the job is final. */
struct job *world_wait(struct world *world, const struct id *id);
const char *world_document(struct world *world, const struct job *job,
                           const char *name); /* NULL when absent */
