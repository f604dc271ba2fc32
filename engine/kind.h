/*
 * A job kind as data: the engine knows kinds only by the table it is given (jobs/kinds.c). Role, mfa and
 * may_destroy have no default: engine_new and a test refuse a row without them. Rows are constant.
 */
#pragma once
#include "base/config.h"
#include "base/fields.h"
#include "store/jobs.h"
#include "store/touches.h"

struct engine;
struct work;
struct aws_session;

enum mfa_rule { MFA_UNSET, MFA_NONE, MFA_FRESH };
enum destroys { DESTROYS_UNSET, DESTROYS_NEVER, DESTROYS_AS_PLANNED };

/*
 * Somebody asks for a job: what check and plan get. Strings and JSON are in `arena` or live as long as the
 * ask. check judges names against the environment and says resource and touches; it reads the store, never
 * AWS. plan reads AWS (through `aws`, with the planning budget) and changes nothing.
 */
struct ask {
    struct engine *engine;
    const struct job_kind *kind;
    const struct principal *principal;
    const struct config *config;
    const struct environment *environment;
    struct arena *arena;
    const json_t *spec; /* normalised by the kind's fields */
    struct faults *faults;
    struct aws_session *aws; /* plan only */
    /* what check says */
    const char *resource; /* table/NAME */
    struct touch touches[8];
    size_t touch_count;
    /* what is being taken over; NULL: nothing, also when a retry starts anew. Its own tables and tree are not
     * in its way. */
    const struct job *retry_of;
};

/* What a plan consists of; every json_t is owned by the planning's owner. `identities` and `actions` are
 * hashed, nothing else. */
struct planning {
    json_t *identities; /* object: resource -> {arn, table_id, schema, manifest_sha256, ...} */
    json_t *effects;    /* array of {resource, action, count, bytes, destructive, reversible} */
    json_t *estimates;  /* object: duration_p50_seconds, duration_p95_seconds, read_units, aws_cost_usd,
                           against rto ... */
    json_t *warnings;   /* array of text */
    bool destructive;
};

enum { WORK_DONE = 0, WORK_AGAIN = 1 }; /* -1: err says why */
typedef int step_fn(struct work *work, struct err *err);

/* When a retry that goes on where the old job stopped does a step again that was done. */
enum {
    AGAIN_AFTER_MISMATCH = 1, /* what it did was compared, and is not what it should be */
    AGAIN_AFTER_PARTIAL = 2,  /* it did less than all, and can do the rest alone */
};

struct step_kind {
    const char *name;
    step_fn *run;   /* a step of one part: this */
    step_fn *split; /* or: this says the parts by work_split, */
    step_fn *part;  /* and each of them runs this */
    bool always;    /* runs also after a failure or cancel: gives back what the job made for itself */
    bool replan;    /* the first destructive step: the plan is made again before it, once */
    unsigned again; /* AGAIN_*; with it the later ones have it too */
};

#define STEPS_MAX 8
struct job_kind {
    const char *name;
    const char *summary;
    enum role role;
    enum mfa_rule mfa;
    enum destroys may_destroy;
    int spec_version;
    const struct field *spec;
    const struct field *result;
    int max_attempts; /* of a part since its progress, for errors that may go away; 3 more when nobody answers
                       */
    bool takes_over;  /* a retry goes on where the failed job stopped; else it starts anew */
    /* What that job did is not to be built on, by the code it ended with: a retry starts anew. NULL: never.
     */
    bool (*anew)(const struct job *old);
    int (*check)(struct ask *ask, struct err *err);
    int (*plan)(struct ask *ask, struct planning *planning, struct err *err);
    /* In the transaction that ends the job: last writes to the catalogue. May be NULL. */
    int (*ended)(struct tx *tx, const struct job *job, enum job_state state, struct arena *arena,
                 struct err *err);
    struct step_kind steps[STEPS_MAX]; /* ends with a NULL name */
};

/* The kinds' table must be sound: 0, or -1 with what is wrong. */
int kinds_sound(const struct job_kind *const *kinds, struct err *err);
const struct job_kind *kind_find(const struct job_kind *const *kinds,
                                 const char *name); /* NULL when unknown */
/* Does a retry of this job, which has ended without success, go on where it stopped? */
bool kind_goes_on(const struct job_kind *kind, const struct job *old);
/* The AGAIN_* of a retry that goes on. */
unsigned kind_again(const struct job *old);
