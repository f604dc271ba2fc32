/*
 * What stands beside jobs: plans (kept a day, spent once), idempotency keys, TOTP enrolments, tables that
 * jobs made, and rates of environments. Rows, times, absence and thread rule as in store/jobs.h.
 */
#pragma once
#include "store/jobs.h"

struct plan_row {
    struct hash hash;
    const char *requester; /* identity */
    const char *environment;
    const char *kind;
    struct bytes spec;       /* canonical JSON of the normalised spec */
    struct bytes identities; /* canonical JSON: resources, actions */
    struct bytes nonce;
    struct bytes body; /* what GET /v1/plans/{hash} answers */
    bool destructive;
    bool needs_mfa;
    struct id retry_of; /* zero: none */
    int64_t created_at, expires_at;
    struct id spent_by; /* zero: not spent */
};
int tx_plan_insert(struct tx *tx, const struct plan_row *plan, struct err *err);
/* Also one that has expired or was spent: the caller judges. */
int tx_plan_get(struct tx *tx, const struct hash *hash, struct arena *arena, struct plan_row **ret_plan,
                struct err *err);
int tx_plan_spend(struct tx *tx, const struct hash *hash, const struct id *job,
                  struct err *err);                               /* PLAN_SPENT when it was */
int tx_plans_expire(struct tx *tx, int64_t now, struct err *err); /* deletes unspent ones past their day */

struct idempotency_row {
    struct hash scope; /* SHA-256 over issuer, subject, method, path, key */
    struct hash body;  /* SHA-256 of the request's bytes */
    struct id job;     /* zero: none */
    int status;        /* of the stored answer */
    const char *location;
    struct bytes answer;
    int64_t created_at, expires_at;
};
/* 0 with *ret_row NULL: the key was free and is now claimed (insert). 0 with a row: it was used, the stored
 * answer is in it. */
int tx_idempotency_claim(struct tx *tx, const struct hash *scope, const struct hash *body, int64_t now,
                         struct arena *arena, struct idempotency_row **ret_row, struct err *err);
int tx_idempotency_get(struct tx *tx, const struct hash *scope, struct arena *arena,
                       struct idempotency_row **ret_row,
                       struct err *err); /* *ret_row NULL when absent or expired */
/* The answer of a claimed key. expires_at 0: IDEMPOTENCY_KEPT_MS from created_at on. */
int tx_idempotency_store(struct tx *tx, const struct idempotency_row *row, struct err *err);
int tx_idempotency_expire(struct tx *tx, int64_t now, struct err *err); /* past, and their job is final */

struct totp_row {
    const char *identity;
    struct bytes sealed; /* the secret under the key of totp.key_file */
    int64_t last_step, failures, locked_until, created_at;
};
int tx_totp_get(struct tx *tx, const char *identity, struct arena *arena, struct totp_row **ret_row,
                struct err *err);                                            /* NULL: absent */
int tx_totp_put(struct tx *tx, const struct totp_row *row, struct err *err); /* insert or replace */
int tx_totp_delete(struct tx *tx, const char *identity, struct err *err);    /* NOT_FOUND when absent */

struct made_table {
    const char *environment, *table, *arn, *table_id;
    struct id job;
    int64_t created_at;
};
int tx_made_table_put(struct tx *tx, const struct made_table *made, struct err *err); /* or replaces */
int tx_made_table_forget(struct tx *tx, const char *environment, const char *table,
                         struct err *err); /* 0 also when there was none */
int tx_made_table_exists(struct tx *tx, const char *environment, const char *table, bool *ret_exists,
                         struct err *err);

struct environment_limits {
    int64_t read_units_per_second, write_units_per_second; /* 0: as configured */
    int64_t version;
};
int tx_environment_limits_get(struct tx *tx, const char *environment, struct environment_limits *ret_limits,
                              struct err *err); /* zeros when absent */
int tx_environment_limits_put(struct tx *tx, const char *environment, const struct environment_limits *limits,
                              struct err *err);
