/*
 * Jobs, their documents, steps and events (tables job, job_progress, document, step, event).
 * Strings of rows read are in the arena given. Where a row that is asked for or changed is absent it is
 * NOT_FOUND, if the comment does not say otherwise. Times are wall clock milliseconds, 0: not yet. Thread
 * rule of all tx_*: inside a store_fn only (store/store.h).
 */
#pragma once
#include "base/limits.h"
#include "store/page.h"
#include "store/store.h"

enum job_state {
    JOB_AWAITING_APPROVAL,
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_SUCCEEDED, /* from here on: final */
    JOB_PARTIAL,
    JOB_FAILED,
    JOB_CANCELLED,
    JOB_STATE_COUNT
};
const char *job_state_name(enum job_state state);
bool job_state_parse(const char *name, enum job_state *ret_state);
static inline bool job_state_final(enum job_state state)
{
    return state >= JOB_SUCCEEDED;
}
/* The one table of moves, as bitmaps; SQL guards the same by WHERE state = .. */
bool job_move_allowed(enum job_state from, enum job_state to);

struct hash {
    uint8_t bytes[32];
};

struct progress {
    const char *phase; /* NULL: none yet */
    const char *unit;  /* "items", "files" */
    int64_t done;
    int64_t total; /* -1: unknown */
    int64_t bytes;
    double items_per_second;
    double bytes_per_second;
    int64_t eta_seconds; /* -1: unknown */
    bool eta_is_guess;   /* from the table's own lagging ItemCount, or a rate younger than 10 s */
    int64_t updated_at;
};

struct job {
    int64_t key; /* the row's */
    struct id id;
    struct id
        origin_id; /* the first job of the chain of retries; its own id without one: names and tags use it */
    struct id parent_id; /* zero: none */
    struct id retry_of;  /* zero: none */
    int64_t root_key;    /* its own key for a root */
    const char *kind;
    int spec_version;
    const char *environment;
    const char *resource; /* table/NAME, what lists filter by */
    enum job_state state;
    int priority;
    const char *created_by; /* identity */
    const char *created_issuer;
    const char *created_subject;
    const char *created_from; /* address */
    struct hash plan_hash;
    bool has_plan;
    const char *note; /* NULL: none */
    int64_t created_at, started_at, finished_at, cancel_requested_at;
    int attempt;
    int64_t version;            /* ETag: state, approvals, result */
    const char *waiting_reason; /* conflict, aws, children, ... or NULL */
    int64_t waiting_until;      /* wall; 0: unknown */
    bool partial;               /* a step said so: the end is `partial` unless worse */
    const char *error_code;     /* NULL: none; the whole error is a document */
    int64_t event_seq;
    struct progress progress;
};

/* Inserts; sets job->key, and where they are 0 root_key, origin_id and version: a store_fn that may run again
 * puts root_key back to 0 first. created_at, id and so on are the caller's. */
int tx_job_insert(struct tx *tx, struct job *job, struct err *err);
int tx_job_by_id(struct tx *tx, const struct id *id, struct arena *arena, struct job **ret_job,
                 struct err *err);
int tx_job_by_key(struct tx *tx, int64_t key, struct arena *arena, struct job **ret_job, struct err *err);
/* Moves from `from` to `to`; sets started_at/finished_at as the move says, version+1; it waits for nothing
 * any more. JOB_STATE when it is not in `from`. */
int tx_job_move(struct tx *tx, int64_t key, enum job_state from, enum job_state to, int64_t now,
                struct err *err);
/* Sets cancel_requested_at unless set. 0 also when it was. */
int tx_job_request_cancel(struct tx *tx, int64_t key, int64_t now, struct err *err);
int tx_job_set_partial(struct tx *tx, int64_t key, struct err *err);
int tx_job_set_error_code(struct tx *tx, int64_t key, const char *code,
                          struct err *err); /* the first stays */
int tx_job_set_waiting(struct tx *tx, int64_t key, const char *reason, int64_t until,
                       struct err *err); /* NULL: no more */
int tx_job_set_progress(struct tx *tx, int64_t key, const struct progress *progress, struct err *err);
int tx_job_count_attempt(struct tx *tx, int64_t key, struct err *err);
int tx_job_bump_version(struct tx *tx, int64_t key, struct err *err);

struct job_query {
    struct list_page page;
    struct filter environment, kind, state, resource;
    struct id parent_id; /* zero: any */
};
/* Newest first. *ret_more: there is at least one more. Each single filter is served by an index (a test
 * asserts EXPLAIN); repeated values are merged by key, other filters are applied to the narrow rows. */
int tx_jobs_list(struct tx *tx, const struct job_query *query, struct arena *arena, struct job ***ret_jobs,
                 size_t *ret_count, bool *ret_more, struct err *err);
/* Roots in `queued`, highest priority first and of those the oldest; at most limit, behind the first `skip`.
 */
int tx_jobs_startable(struct tx *tx, int64_t skip, size_t limit, struct arena *arena, struct job ***ret_jobs,
                      size_t *ret_count, struct err *err);
struct job_count {
    const char *kind, *environment;
    enum job_state state;
    int64_t count;
    int64_t oldest_start, oldest_created;
};
/* Only states that are not final, by index. */
int tx_jobs_count(struct tx *tx, struct arena *arena, struct job_count **ret_counts, size_t *ret_count,
                  struct err *err);
/* How the last succeeded jobs of this kind on this resource went, newest first: for estimates. */
struct job_history {
    int64_t duration_ms, items, bytes;
};
int tx_jobs_history(struct tx *tx, const char *kind, const char *environment, const char *resource,
                    struct job_history ret_rows[JOB_HISTORY_MAX], size_t *ret_count, struct err *err);

/* A final job is tried again at most once at a time: NOT_RETRYABLE while a job with retry_of = id, or another
 * one of its chain (they share names, tags and folders), exists that is not final, or has succeeded. */
int tx_job_claim_retry(struct tx *tx, const struct id *id, struct err *err);

/* -- documents: spec, result, error, plan, left_behind, conditions, and steps' own state (state.*) -- */

int tx_document_put(struct tx *tx, int64_t job_key, const char *name, struct bytes json, struct err *err);
/* In arena; data NULL when absent. */
int tx_document_get(struct tx *tx, int64_t job_key, const char *name, struct arena *arena,
                    struct bytes *ret_json, struct err *err);
/* Several at once, but none whose name begins with "state.": fills each `json` as tx_document_get does. */
struct document_wanted {
    const char *name;
    struct bytes *ret_json;
};
int tx_documents_get(struct tx *tx, int64_t job_key, const struct document_wanted *wanted, size_t count,
                     struct arena *arena, struct err *err);
/* Copies every document whose name begins with "state." */
int tx_documents_copy_state(struct tx *tx, int64_t from_job_key, int64_t to_job_key, struct err *err);

/* -- steps -- */

enum step_state { STEP_WAITING, STEP_RUNNING, STEP_DONE, STEP_FAILED, STEP_CANCELLED, STEP_SKIPPED };
const char *step_state_name(enum step_state state);

struct step {
    int64_t key;
    int64_t job_key;
    int seq;
    const char *name;
    enum step_state state;
    int attempts; /* times a part of it was claimed */
    int64_t open_parts;
    int64_t started_at, finished_at;
    const char *detail;     /* NULL: none */
    struct bytes errors;    /* JSON {first:[],last:[],by_code:{}}; data NULL: none */
    const char *error_code; /* of the error that ended it */
};

int tx_step_insert(struct tx *tx, struct step *step, struct err *err); /* sets key */
int tx_steps_of(struct tx *tx, int64_t job_key, struct arena *arena, struct step ***ret_steps,
                size_t *ret_count, struct err *err);
int tx_step_get(struct tx *tx, int64_t step_key, struct arena *arena, struct step **ret_step,
                struct err *err);
int tx_step_set_state(struct tx *tx, int64_t step_key, enum step_state state, int64_t now, struct err *err);
/* As if it had never run: waiting, without parts. None of them may be running. */
int tx_step_renew(struct tx *tx, int64_t step_key, struct err *err);
int tx_step_set_detail(struct tx *tx, int64_t step_key, const char *detail, struct err *err);
int tx_step_set_errors(struct tx *tx, int64_t step_key, struct bytes errors, const char *error_code,
                       struct err *err);

/* -- events: numbered per job -- */

int tx_event(struct tx *tx, int64_t job_key, const char *type, struct bytes json, int64_t now,
             struct err *err);
