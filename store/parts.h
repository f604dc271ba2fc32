/*
 * Parts: what workers claim. Every step has at least one; a step that splits gets more from its first. The
 * lease stands on the part: owner (this process's run), until (boot clock), epoch (the fence: raised by each
 * claim and whenever a lease is taken away). Every write of a worker names its lease; LEASE_LOST and no
 * effect when it is not the holder any more. Rows, absence and thread rule as in store/jobs.h; *_boot_ms,
 * lease_until and not_before are of the boot clock.
 */
#pragma once
#include "store/jobs.h"

enum part_state { PART_WAITING, PART_READY, PART_RUNNING, PART_DONE, PART_FAILED, PART_CANCELLED };

struct lease {
    int64_t part_key;
    int64_t owner; /* of the process: a row of table process */
    int64_t epoch;
};

struct part {
    int64_t key, job_key, step_key;
    int seq;
    const char *name;
    struct bytes spec;   /* JSON of the split, or empty */
    struct bytes cursor; /* the kind's own bytes, or empty */
    enum part_state state;
    struct lease lease;  /* when claimed */
    int64_t lease_until; /* of a part just claimed; 0 in those that were only read */
    int64_t not_before;
    int attempts; /* failures that count, since its last progress */
    int crashes;  /* processes that died in it since its last progress */
    int64_t items, bytes, files;
};

/* A new run of the process on this store: voids every lease of former runs at once (their parts are ready
 * again, at no cost in attempts, crashes+1 where one was running, not_before 0). Returns the owner key for
 * leases. */
int tx_process_begin(struct tx *tx, const char *node, int64_t now, int64_t *ret_owner, struct err *err);

/* Parts whose lease has run out are ready again, with one crash more: who held them did not renew it, or
 * could not record how it ended. */
int tx_leases_expire(struct tx *tx, int64_t now_boot_ms, int64_t *ret_count, struct err *err);

int tx_part_insert(struct tx *tx, struct part *part,
                   struct err *err); /* sets key; counts itself in its step's open_parts */
/* In the order of seq. */
int tx_parts_of_step(struct tx *tx, int64_t step_key, struct arena *arena, struct part ***ret_parts,
                     size_t *ret_count, struct err *err);
/* All parts of a step that are in `from` go to `to`; neither is `running`. 0 also when there are none. */
int tx_parts_move(struct tx *tx, int64_t step_key, enum part_state from, enum part_state to, struct err *err);

int tx_step_count_parts(struct tx *tx, int64_t step_key, enum part_state state, int64_t *ret_count,
                        struct err *err);
/* What the parts of a step hold together. */
int tx_step_sums(struct tx *tx, int64_t step_key, int64_t *ret_items, int64_t *ret_bytes, struct err *err);

/* One ready part of a running job whose not_before has passed: highest priority, then the job with fewest
 * running parts, then the oldest. 0 with *ret_part NULL when there is none; *ret_next_ms then is the earliest
 * not_before (0: none). */
int tx_part_claim(struct tx *tx, int64_t owner, int64_t now_boot_ms, int64_t until_boot_ms,
                  struct arena *arena, struct part **ret_part, int64_t *ret_next_ms, struct err *err);
/* Renews, and never shortens; *ret_cancelled: the job's cancel was requested. */
int tx_part_heartbeat(struct tx *tx, const struct lease *lease, int64_t until_boot_ms, bool *ret_cancelled,
                      struct err *err);
/* Fence only: 0 while the lease is held. For writes that touch other tables in the same transaction. */
int tx_part_check(struct tx *tx, const struct lease *lease, struct err *err);
/* Moves the cursor and adds to the counts; crashes and attempts become 0 (there was progress). */
int tx_part_advance(struct tx *tx, const struct lease *lease, struct bytes cursor, int64_t items,
                    int64_t bytes, int64_t files, struct err *err);
/* Gives the part back, ready at not_before; attempts grows when `failed`. */
int tx_part_release(struct tx *tx, const struct lease *lease, int64_t not_before, bool failed,
                    struct err *err);
/* Ends the part (done, failed or cancelled) and says how many of the step are still open. */
int tx_part_end(struct tx *tx, const struct lease *lease, enum part_state state, int64_t *ret_open,
                struct err *err);
/* Copies steps with their states, parts with cursors and counts, and data files of a final job to a new one:
 * done stays done, what was not is waiting again. The new job must have no steps. */
int tx_job_take_over(struct tx *tx, int64_t from_job_key, int64_t to_job_key, struct err *err);

/* -- data files: sealed, placed, recorded with the cursor in one transaction -- */

struct data_file {
    const char *path; /* below the recovery point's folder */
    int64_t stored_size, raw_size, items;
    struct hash sha256;
    const char *fingerprint;
    int64_t part_key;
};
int tx_data_file_insert(struct tx *tx, int64_t job_key, const struct data_file *file, struct err *err);
/* By path. */
int tx_data_files_of(struct tx *tx, int64_t job_key, struct arena *arena, struct data_file **ret_files,
                     size_t *ret_count, struct err *err);
