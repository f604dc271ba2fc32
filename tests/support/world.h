/* A small world for tests: a temporary folder, a configuration, a SQLite store, and an engine with kinds of
 * the test's. */
#pragma once
#include "base/config.h"
#include "engine/engine.h"
#include "tests/support/folder.h"

/* The least that a kind of a test's is: an operator's, which destroys nothing; and one that must be approved.
 */
#define KIND_HARMLESS .role = ROLE_OPERATOR, .mfa = MFA_NONE, .may_destroy = DESTROYS_NEVER, .spec_version = 1
#define KIND_GUARDED                                                                                         \
    .role = ROLE_ADMIN, .mfa = MFA_FRESH, .may_destroy = DESTROYS_AS_PLANNED, .spec_version = 1
/* For the resource table/T1x, touching nothing; with nothing in its plan. */
int world_check(struct ask *ask, struct err *err);
int world_plan(struct ask *ask, struct planning *planning, struct err *err);

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
