/*
 * The catalogue of recovery points (table recovery_point). Words are CONTRACT.md's (section 3). Rows, times,
 * absence and thread rule as in store/jobs.h.
 */
#pragma once
#include "store/jobs.h"

enum point_status {
    POINT_WRITING,
    POINT_AVAILABLE,
    POINT_VERIFIED,
    POINT_PROVEN,
    POINT_DAMAGED,
    POINT_FAILED,
    POINT_ORPHAN,
    POINT_ARCHIVED,
    POINT_EXPIRED,
    POINT_DELETED,
    POINT_STATUS_COUNT
};
const char *point_status_name(enum point_status status);
bool point_status_parse(const char *name, enum point_status *ret_status);

struct recovery_point {
    int64_t key;
    struct id id;
    const char *environment;
    const char *type;                              /* table */
    const char *method;                            /* scan */
    const char *origin;                            /* recoverd, foreign */
    const char *resource;                          /* table/NAME */
    const char *account, *region, *arn, *table_id; /* of the source; table_id NULL: the peer has none */
    const char *location;                          /* root uri + folder */
    enum point_status status;
    const char *trust; /* signed, unsigned */
    int64_t consistency_from, consistency_to;
    int64_t items, bytes, stored_bytes; /* items -1: unknown */
    const char *fingerprint;            /* NULL: unknown */
    struct hash manifest_sha256;
    bool has_manifest;
    struct id job;
    const char *encryption; /* none, AES256, aws:kms */
    const char *note;
    struct bytes tags; /* JSON object, data NULL: none */
    int64_t created_at, verified_at, proven_at;
    int64_t version;
};

int tx_point_insert(struct tx *tx, struct recovery_point *point, struct err *err); /* sets key, version */
/* Writes every column but key, id, created_at; version+1. */
int tx_point_update(struct tx *tx, const struct recovery_point *point, struct err *err);
/* version+1; `verified` and `proven` also set their time. */
int tx_point_set_status(struct tx *tx, const struct id *id, enum point_status status, int64_t now,
                        struct err *err);
int tx_point_by_id(struct tx *tx, const struct id *id, struct arena *arena, struct recovery_point **ret_point,
                   struct err *err);
/* The point that this chain of retries writes: by the origin job's id. NOT_FOUND when there is none. */
int tx_point_by_job(struct tx *tx, const struct id *origin_job, struct arena *arena,
                    struct recovery_point **ret_point, struct err *err);
/* The point whose location this is: NOT_FOUND when there is none. */
int tx_point_by_location(struct tx *tx, const char *location, struct arena *arena,
                         struct recovery_point **ret_point, struct err *err);
/* The newest usable one (available, verified, proven) of a resource. NOT_FOUND when there is none. */
int tx_point_latest(struct tx *tx, const char *environment, const char *resource, struct arena *arena,
                    struct recovery_point **ret_point, struct err *err);

struct point_query {
    struct list_page page;
    struct filter environment, resource, type, method, status;
};
/* Newest first, as tx_jobs_list. */
int tx_points_list(struct tx *tx, const struct point_query *query, struct arena *arena,
                   struct recovery_point ***ret_points, size_t *ret_count, bool *ret_more, struct err *err);
struct point_count {
    const char *environment, *type;
    enum point_status status;
    int64_t count;
};
/* How many there are of each environment, type and status. */
int tx_points_count(struct tx *tx, struct arena *arena, struct point_count **ret_counts, size_t *ret_count,
                    struct err *err);
/* Per environment, resource and method: time and stored bytes of the newest verified or proven point, and of
 * the newest proof. */
struct point_latest {
    const char *environment, *resource, *method;
    int64_t created_at, stored_bytes, proven_at;
};
int tx_points_latest(struct tx *tx, struct arena *arena, struct point_latest **ret_rows, size_t *ret_count,
                     struct err *err);
