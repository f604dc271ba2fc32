/*
 * What a step or part function works with: one attempt at one part by one worker. Every write goes through
 * the lease: when it is lost, cancelled or draining, the call says so (LEASE_LOST, CANCELLED, DRAINING) and
 * nothing was written; the function returns -1 and leaves nothing of its own behind. Thread rule: the
 * worker's thread only.
 */
#pragma once
#include "engine/kind.h"
#include "store/parts.h"

struct work {
    struct engine *engine;
    const struct job_kind *kind;
    const struct config *config;
    const struct environment *environment;
    struct aws_session *aws; /* interrupted by cancel, lease loss and drain */
    struct arena *arena;     /* of this attempt */
    struct job *job;
    struct step *step;
    struct part *part;
    json_t *spec;      /* of the job, normalised */
    json_t *part_spec; /* of the part; NULL for the only one */
    struct principal
        *principal;   /* the engine, for whoever asked: may what the job's asker might in this environment */
    char id[ID_SIZE]; /* of the job */
    char origin[ID_SIZE]; /* of the first job of the chain of retries: names, tags, folders */
    struct work_private *private;
};

/* 0 while the attempt may go on. Cheap: call it in every loop. */
int work_go(struct work *work, struct err *err);

/* A transaction that begins with the fence. fn by the rules of store.h. */
int work_tx(struct work *work, const char *name, store_fn *fn, void *ctx, struct err *err);

/* The job's own durable state: survives crashes, is taken over by a retry. Names are the kind's ("table",
 * "tree"). get: a new reference, NULL when absent. put: committed when it returns 0. */
int work_state_get(struct work *work, const char *name, json_t **ret_value, struct err *err);
int work_state_put(struct work *work, const char *name, const json_t *value, struct err *err);

/* Before an AWS mutation: the audit intent row, and with `name` a state document of the same transaction (the
 * intent that a run after a crash looks for first). Makes sure that the lease outlasts the call's retry
 * budget. */
struct effect {
    const char *action; /* IAM form: dynamodb:CreateTable */
    const char *object; /* ARN, or environment/table */
    const char *name;   /* of the state document; NULL: none */
    const json_t *state;
    const json_t *detail; /* for the audit row; NULL: none. Never an item */
};
int work_intent(struct work *work, const struct effect *effect, struct err *err);
/* After it: the audit outcome row, ok or failed with the AWS code. `failure` NULL: done. Returns 0 unless the
 * row could not be written. */
int work_outcome(struct work *work, const struct effect *effect, const struct err *failure,
                 const char *aws_request_id, struct err *err);

/* Says the parts of a split step; inserted in the transaction that ends the splitting part. `spec` is copied.
 */
int work_split(struct work *work, const char *name, const json_t *spec, struct err *err);

/* A sealed and placed file, or NULL, and the new cursor, with their counts, in one transaction. `more` (may
 * be NULL) runs in it. */
struct advance {
    const struct data_file *file;
    struct bytes cursor;
    int64_t items, bytes;
    store_fn *more;
    void *more_ctx;
};
int work_advance(struct work *work, const struct advance *advance, struct err *err);

/* "Again in ms": return what this returns. `reason` is shown as waiting_for while the job holds no worker. */
int work_again(struct work *work, int64_t ms, const char *reason);
/* Sleeps, woken by cancel, lease loss and drain (then -1). For waits below a few seconds. */
int work_sleep(struct work *work, int64_t ms, struct err *err);

/* Progress: adds to the job's; total once known (guess: from numbers that lag). Flushed about once a second;
 * each step counts from 0. What no advance covers is taken back when the attempt fails: it will be read
 * again. */
void work_progress(struct work *work, int64_t items, int64_t bytes);
void work_progress_total(struct work *work, int64_t total, bool guess, const char *unit);
int work_detail(struct work *work, const char *text, struct err *err);

/* The end will be `partial` unless worse; the condition is shown on the job. */
int work_partial(struct work *work, const char *type, enum err_code reason, const char *message,
                 struct err *err);
/* Members are merged into the job's result. */
int work_result(struct work *work, const json_t *members, struct err *err);
/* Names something that stays behind at AWS or on disk when the job fails or is cancelled. Same text once. */
int work_left_behind(struct work *work, const char *text, struct err *err);
int work_not_left_behind(struct work *work, const char *text, struct err *err); /* it is gone again */

/* Page memory of all workers together: waits for it. Given back at the end of the attempt at the latest. */
int work_memory_take(struct work *work, int64_t bytes, struct err *err);
void work_memory_give(struct work *work, int64_t bytes);

/* Rate caps of a table in units a second, shared by all workers: waits until `units` may be spent. 0 a
 * second: no cap. Units are known only after the call: take what the last one cost. */
int work_rate_take(struct work *work, const char *table, bool write, double units, double units_per_second,
                   struct err *err);
/* The cap that holds for a table of this environment: live limits over configured ones. 0: none set. */
int64_t work_rate_limit(struct work *work, bool write);
