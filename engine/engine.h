/*
 * The job engine: one way in, one way on, one way out. Jobs become steps, steps become parts, workers claim
 * parts under a lease; every write is fenced; a job ends in the transaction of its last part (DESIGN.md
 * section 3). Thread rule: any thread after engine_start.
 */
#pragma once
#include "engine/kind.h"
#include "store/plans.h"

struct engine_options {
    struct store *store;
    const struct config *config;         /* held by the engine */
    const struct job_kind *const *kinds; /* ends with NULL */
    const char *node;
    uint8_t totp_key[32];
    bool has_totp;
};

int engine_new(const struct engine_options *options, struct engine **ret_engine, struct err *err);
int engine_start(struct engine *engine, struct err *err); /* voids former leases, then workers */
/* Stops taking work, interrupts calls, hands leases back; returns when no part runs or at the deadline (boot
 * clock). */
void engine_stop(struct engine *engine, int64_t deadline_boot_ms);
void engine_free(struct engine *engine);
/* A new configuration: running attempts keep the old snapshot, the next ones take this. */
int engine_reload(struct engine *engine, const struct config *config, struct err *err);
/* There may be work: the dispatcher looks. Never blocks. */
void engine_wake(struct engine *engine);

const struct job_kind *const *engine_kinds(const struct engine *engine);
struct store *engine_store(const struct engine *engine);
const struct config *engine_config_hold(struct engine *engine); /* release with config_release */
int engine_workers_busy(struct engine *engine);

/* -- plans and jobs -- */

/* One request: who, what. Everything is borrowed until the call returns; results are in `arena`. */
struct submit {
    const struct principal *principal;
    struct arena *arena;
    struct faults *faults; /* of the body: pointers */
    const char *kind;
    const char *environment;
    json_t *spec; /* as sent; NULL: {} */
    const char *note;
    struct hash plan_hash;
    bool has_plan_hash;
    const char *otp; /* header Recoverd-OTP, or NULL */
    const char *request_id;
    struct id retry_of; /* zero: none. Then kind, environment and spec are taken from that job */
    /* idempotency; scope all zero: none */
    struct hash idempotency_scope;
    struct hash body_sha256;
    /* the stored answer is written by this in the accepting transaction: status 202, location, body. In
     * arena. */
    int (*answer)(struct tx *tx, const struct job *job, struct arena *arena, struct bytes *ret_body,
                  struct err *err);
    /* out, when PLAN_STALE: what changed. In arena: JSON array text. */
    struct bytes changes;
};

struct accepted {
    struct job *job;
    struct bytes spec; /* normalised, with: */
    struct step **steps;
    size_t step_count; /* 0: it took over an older job's, and only the store knows them */
    bool replayed;     /* an earlier request with this key: */
    const struct idempotency_row *original; /* its stored answer */
};

int engine_submit(struct engine *engine, struct submit *submit, struct accepted *ret_accepted,
                  struct err *err);
/* Plans; the body of GET /v1/plans/{hash} is in ret_plan->body. */
int engine_plan(struct engine *engine, struct submit *submit, struct plan_row **ret_plan, struct err *err);

/* Idempotent by state: asking again is fine; JOB_STATE when it ended otherwise. Needs the kind's role; never
 * MFA. */
int engine_cancel(struct engine *engine, const struct principal *principal, const struct id *id,
                  const char *request_id, struct arena *arena, struct job **ret_job, struct err *err);

/* A job if the principal sees its environment: NOT_FOUND otherwise. */
int engine_job(struct engine *engine, const struct principal *principal, const struct id *id,
               struct arena *arena, struct job **ret_job, struct err *err);
/* The same in a transaction that goes on to read more of it. */
int tx_job_visible(struct tx *tx, const struct principal *principal, const struct id *id, struct arena *arena,
                   struct job **ret_job, struct err *err);

/* -- environments -- */

/* A session on an environment for the calling thread, with a time budget; ACCOUNT_MISMATCH, AWS_CREDENTIALS
 * ... when it cannot be used. The session lives until engine_session_done. */
struct engine_session;
int engine_session_open(struct engine *engine, const char *environment, int64_t budget_ms,
                        struct engine_session **ret_session, struct err *err);
struct aws_session *engine_session_aws(struct engine_session *session);
void engine_session_done(struct engine_session *session); /* accepts NULL */
static inline void engine_session_done_p(struct engine_session **session)
{
    engine_session_done(*session);
}

struct environment_state {
    bool checked; /* GetCallerIdentity was asked, or need not be */
    bool usable;
    char account[16]; /* found */
    char arn[256];
    char source[32];               /* of the credentials */
    int64_t credentials_expire_at; /* 0: never or unknown */
    int64_t clock_offset_ms;
    int64_t checked_at;
    struct err err; /* when not usable */
};
/* usable, unusable, or unknown while nobody asked. */
const char *environment_state_word(const struct environment_state *state);
int engine_environment_state(struct engine *engine, const char *environment,
                             struct environment_state *ret_state, struct err *err);
/* What the globs of an environment matched when AWS was last asked (at the start and each hour), at most
 * ENVIRONMENT_TABLES_MAX; none before the first answer. In arena. */
int engine_tables_found(struct engine *engine, const char *environment, struct arena *arena,
                        struct name_list *ret_tables, struct err *err);
/* Walks the AWS services from n = 0: name, and what is left of the smallest retry quota. False behind the
 * last. */
bool engine_retry_quota(struct engine *engine, size_t n, const char **ret_service, int *ret_left);
