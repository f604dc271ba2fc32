/* What the engine's own files share. Not for other rooms. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "audit/log.h"
#include "aws/call.h"
#include "base/cleanup.h"
#include "engine/engine.h"
#include "engine/work.h"
#include "net/http_client.h"
#include "store/parts.h"
#include "store/store.h"
#include "store/touches.h"

/* -- realm: one configuration snapshot and the AWS clients of its environments (realm.c) -- */

struct realm;
int realm_new(const struct config *config, struct realm **ret_realm, struct err *err);
struct realm *realm_hold(struct realm *realm);
void realm_release(struct realm *realm); /* accepts NULL */
const struct config *realm_config(const struct realm *realm);
/* The client of an environment, its account checked: asked until it can be used, but after an answer that is
 * not to change by itself (a wrong account, say) only once a minute. `interrupt` ends the question; NULL:
 * nothing does. */
int realm_aws(struct realm *realm, const struct environment *environment, struct http_client *client,
              const struct http_interrupt *interrupt, struct aws **ret_aws, struct err *err);
/* What the globs of an environment match. Takes the arena, in which the names are. */
void realm_found(struct realm *realm, const struct environment *environment, struct arena *arena,
                 struct name_list tables);
/* Copied into the arena: all of them, or NO_MEMORY. */
int realm_tables(struct realm *realm, const char *environment, struct arena *arena,
                 struct name_list *ret_tables, struct err *err);
int realm_state(struct realm *realm, const char *environment, struct environment_state *ret_state,
                struct err *err);
/* The smallest of all environments. */
int realm_retry_quota(struct realm *realm, enum aws_service_id service);
struct realm *engine_realm_hold(struct engine *engine);

/* -- memory budget (budget.c), rate caps (rates.c), progress (progress.c) -- */

struct budget {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int64_t size, used;
};
void budget_init(struct budget *budget, int64_t size);
void budget_done(struct budget *budget);
/* Waits at most 200 ms; true when taken. A request above the whole size is granted alone. */
bool budget_take(struct budget *budget, int64_t bytes);
void budget_give(struct budget *budget, int64_t bytes);

struct rates;
struct rates *rates_new(void);
void rates_free(struct rates *rates);
/* How long to wait before going on, having spent `units`, in ms; -1 without memory. */
int64_t rates_spend(struct rates *rates, const char *key, double units, double per_second);

struct progress_table;
struct progress_table *progress_new(void);
void progress_free(struct progress_table *table);
/* The job is in this phase, whose parts hold that much already. Its numbers take the place of the former
 * phase's with the first that it counts. */
void progress_open(struct progress_table *table, int64_t job_key, const char *phase, int64_t done,
                   int64_t bytes);
void progress_add(struct progress_table *table, int64_t job_key, int64_t items, int64_t bytes);
void progress_set_total(struct progress_table *table, int64_t job_key, int64_t total, bool guess,
                        const char *unit);
void progress_close(struct progress_table *table, int64_t job_key);
/* As it stands, strings in arena; false when the job is not counted. */
bool progress_now(struct progress_table *table, int64_t job_key, struct arena *arena,
                  struct progress *ret_progress);
/* Calls write for each job whose numbers moved since the last flush. Strings are borrowed during the call. */
void progress_flush(struct progress_table *table,
                    void (*write)(void *arg, int64_t job_key, const struct progress *progress), void *arg);

/* -- the engine -- */

struct worker {
    struct engine *engine;
    pthread_t thread;
    bool started;
    struct http_client *client;
    struct part *part; /* handed over by the dispatcher; in `arena` */
    struct arena *arena;
    struct work_private *running; /* under engine->lock: what heartbeat and cancel may signal */
};

struct engine {
    struct store *store;
    const struct job_kind *const *kinds;
    char node[128];
    uint8_t totp_key[32];
    bool has_totp;
    int64_t owner; /* of leases */

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t look;  /* the dispatcher: there may be work */
    pthread_cond_t given; /* workers: a part was handed over, or stop */
    pthread_cond_t over;  /* heart and engine_stop: a worker became idle, or stop */
    struct realm *realm;
    struct worker *workers;
    int worker_count;
    int busy;
    bool closing;  /* no more parts are handed over: the dispatcher ends first, */
    bool stopping; /* then the workers, then the heart */
    bool dirty;    /* look again */
    char planning[PLANS_AT_ONCE][CLAIM_TEXT_MAX + 1]; /* who makes a plan now; "" a free slot */
    pthread_t dispatcher, heart, surveyor;
    bool dispatcher_started, heart_started, surveyor_started;
    struct http_client *surveyor_client;

    struct budget memory;
    struct rates *rates;
    struct progress_table *progress;
};

struct work_private {
    struct worker *worker;
    struct realm *realm;
    struct lease lease;
    int64_t job_key;
    _Atomic int signal;          /* enum err_code: ERR_NONE, CANCELLED, LEASE_LOST, DRAINING */
    _Atomic int64_t lease_until; /* boot clock */
    int64_t memory;
    int64_t pending_items, pending_bytes; /* shown as progress, not yet in a cursor */
    int64_t again_ms;
    const char *again_reason;
    struct split *splits; /* in the attempt's arena, last first */
    int split_count;
    struct aws_session session;
};
struct split {
    struct split *next;
    const char *name;
    struct bytes spec;
};

/* -- transactions that several files use -- */

/* That a transaction ended a job: for what is done once, after the commit. */
struct ending {
    bool ended;
    int64_t job_key, started_at;
    enum job_state state;
    char kind[64], environment[128];
};
/* Starts the next step of a running job, or ends the job (advance.c). Call when no part of the present step
 * is open. */
int tx_job_go_on(struct tx *tx, struct engine *engine, int64_t job_key, struct ending *ret_ending,
                 struct err *err);
/* Cancels the parts of a running step that no worker has, and goes on when none is left. */
int tx_step_cut(struct tx *tx, struct engine *engine, const struct step *step, struct ending *ret_ending,
                struct err *err);
/* NULL when the kind, which may be NULL, has no such step. */
const struct step_kind *step_kind_of(const struct job_kind *kind, const char *name);
/* Does this step run also after a failure or cancel? */
bool step_always(const struct engine *engine, const char *kind, const char *name);
/* Says why the job fails, unless that was said already. */
int tx_job_error(struct tx *tx, const struct job *job, const struct err *failure, struct arena *arena,
                 struct err *err);
/* Ends a job that is queued or running, with all that belongs to it. */
int tx_job_end(struct tx *tx, struct engine *engine, const struct job *job, enum job_state state,
               struct ending *ret_ending, struct err *err);
/* After the commit: counts it and forgets its progress. */
void job_ended(struct engine *engine, const struct ending *ending);
/* One look at the queue, from `skip` on. */
struct starting {
    int64_t skip;
    /* out */
    int64_t next_skip; /* where the next look begins; 0: the queue was seen to its end */
    int64_t culprit;   /* the job that could not be started; 0: none */
};
/* Starts what may start (start.c): queued roots whose touches are granted. */
int tx_jobs_start(struct tx *tx, struct engine *engine, struct starting *starting, struct arena *arena,
                  struct err *err);
/* Records an error on a step: first 3, last 10, a count by code. `ended`: the one that ended it. */
int tx_step_error(struct tx *tx, const struct step *step, const struct err *failure, bool ended,
                  struct arena *arena, struct err *err);
/* The problem without a status: what `error` of a job shows. In arena; data NULL without memory. */
struct bytes error_json(const struct err *failure, struct arena *arena);
/* An engine row: actor and issuer are the job's asker. */
int tx_audit_job(struct tx *tx, struct engine *engine, const struct job *job, enum audit_action action,
                 const char *outcome, const char *request_id, struct bytes detail, struct err *err);

/* The same, but the actor is whoever does this to the job: not always who asked for it. */
int tx_audit_job_by(struct tx *tx, struct engine *engine, const struct job *job,
                    const struct principal *principal, enum audit_action action, const char *request_id,
                    struct err *err);
/* What a row can hold of a detail: itself, or its size and digest when it is too long. Data NULL: err says
 * why. */
struct bytes audit_detail(struct bytes detail, struct arena *arena, struct err *err);

/* Metrics (metrics.c). */
void engine_metrics_declare(void);
/* The sets of labels of a configuration begin at 0. Any thread. */
void engine_metrics_begin(const struct job_kind *const *kinds, const struct config *config);
void engine_count_aws(void *arg, const struct aws_attempt *attempt);
void engine_count_retry(const char *kind);
void engine_count_lost(void);
void engine_count_end(const struct ending *ending);

/* The attempt's AWS session: interrupted by the work's signal (work.c). */
struct http_interrupt work_interrupt(struct work *work);
void work_session_open(struct work *work, struct aws *aws, struct http_client *client);
void work_session_close(struct work *work);
/* Makes the job's plan again, once, and compares (replan.c). Jobs without a plan pass. */
int work_replan(struct work *work, struct err *err);

/* Runs one attempt (run.c). */
void worker_run(struct worker *worker, struct part *part);
void *worker_main(void *arg);
void *dispatcher_main(void *arg);
void *heart_main(void *arg);
void *survey_main(void *arg);
/* Then, by the clock of the engine's conditions. */
struct timespec engine_in_ms(int64_t ms);
/* Tells one attempt to stop: a lost lease outweighs a drain, a drain a cancel. */
void signal_work(struct work_private *private, enum err_code code);
/* Its lease holds at least until then. */
void lease_extend(struct work_private *private, int64_t until_boot_ms);
/* Tells every running attempt of a job (0: all jobs) to stop with this code. Caller holds engine->lock. */
void signal_running(struct engine *engine, int64_t job_key, enum err_code code);

/* The new job goes on where the old one stopped (take_over.c). */
int tx_take_over(struct tx *tx, const struct job_kind *kind, const struct job *old, struct job *job,
                 struct arena *arena, struct err *err);

/* Who asks for what, judged (ask.c). Faults and config references are the arena's. */
int ask_prepare(struct engine *engine, struct submit *submit, struct ask *ask, struct err *err);
/* A spec of the store; it lives as long as the arena. NULL when there is none. */
int spec_parse(struct bytes text, struct arena *arena, json_t **ret_spec, struct err *err);
/* Makes the plan of an ask on this thread (plan.c). */
int plan_make(struct engine *engine, struct ask *ask, struct planning *planning, struct err *err);
int planning_init(struct planning *planning, struct err *err); /* planning_done also after it failed */
void planning_done(struct planning *planning);
static inline void planning_done_p(struct planning *planning)
{
    planning_done(planning);
}
/* identities and actions as they are hashed and compared. In arena; NULL without memory, or when an effect
 * has no resource or action. */
char *planning_canonical(const struct planning *planning, struct arena *arena);
/* 0 when the new planning still is what was planned; PLAN_STALE with *ret_changes (JSON array) otherwise. */
int plan_compare(const struct plan_row *row, const struct planning *now, struct arena *arena,
                 struct bytes *ret_changes, struct err *err);
/* Is there fresh MFA: by token, or by a code that tx_mfa_spend then spends (mfa.c)? Counts wrong codes at
 * once. */
int mfa_check(struct engine *engine, const struct submit *submit, int64_t *ret_totp_step, struct err *err);
int tx_mfa_spend(struct tx *tx, const struct principal *principal, int64_t totp_step, struct err *err);
