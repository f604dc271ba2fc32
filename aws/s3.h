/*
 * S3: put, get, head, list, delete. Path style for custom endpoints and for buckets with dots, else virtual
 * hosts. A bucket of another region is found once by x-amz-bucket-region (301, 307, 400) and remembered in
 * the handle. Errors: as aws_send; AWS_CONDITION for a condition that did not hold (412), AWS_NOT_FOUND for a
 * bucket, key or version that is not there, AWS_ARCHIVED for a body in an archive class, AWS_CONFLICT for a
 * conditional write that met another (409, after retries). Thread rule: a handle as its session. Source:
 * Amazon S3 API reference; botocore's model of s3, 1.44.5.
 */
#pragma once
#include "aws/call.h"
#include "base/arena.h"

struct s3_bucket {
    struct aws_session *session; /* borrowed */
    char name[64];
    char region[40];
    char base_url[160]; /* "" for a custom endpoint */
    bool path_style;
};
/* AWS_REFUSED for a name that no bucket can have. No I/O. */
int s3_bucket_init(struct s3_bucket *ret_bucket, struct aws_session *session, const char *name,
                   struct err *err);

struct s3_put {
    const char *key;
    struct bytes body; /* in memory; with data NULL: */
    int fd;            /* `len` bytes from `offset`, read by pread */
    int64_t offset;
    int64_t len;
    const uint8_t *sha256;              /* of the body, 32 bytes: signed, and kept by S3 as its checksum */
    bool if_none_match;                 /* only when no object has the key */
    const char *if_match;               /* ETag; NULL: any */
    const char *sse;                    /* AES256, aws:kms; NULL: the bucket's default */
    const char *kms_key;                /* with aws:kms; NULL: AWS's own */
    const char *tagging;                /* a=b&c=d, encoded; NULL: none */
    const struct http_header *metadata; /* names with x-amz-meta- */
    size_t metadata_count;              /* at most 8 */
};
struct s3_put_result {
    char etag[100];
    char version_id[100]; /* "" when the bucket has no versions */
    char sse[24];
    char request_id[80];
    bool effect_unknown; /* with an error */
};
/* ret_result (may be NULL) is filled with an error too. */
int s3_put(struct s3_bucket *bucket, const struct s3_put *put, struct s3_put_result *ret_result,
           struct err *err);

struct s3_object {
    const char *key;
    int64_t size;
    const char *etag;    /* NULL when the row has none */
    int64_t modified_ms; /* 0 when it has none */
};

struct s3_head {
    int64_t size;        /* of the whole object; after s3_get -1 when the answer does not say */
    int64_t modified_ms; /* 0 when it does not say */
    char etag[100];
    char version_id[100];
    char checksum_sha256[48]; /* base64; "" when S3 has none, or one of parts */
    char sse[24];
    char kms_key[300];
    char lock_mode[16];      /* GOVERNANCE, COMPLIANCE; "" without retention, or when it may not be seen */
    int64_t retain_until_ms; /* with a lock_mode */
};
int s3_head(struct s3_bucket *bucket, const char *key, const char *version_id, struct s3_head *ret_head,
            struct err *err);

struct s3_get {
    const char *key;
    const char *version_id; /* NULL: the current one */
    int64_t offset;
    int64_t len;          /* 0: to the end */
    const char *if_match; /* ETag; NULL: any */
    const struct http_sink *sink;
    bool (*sink_rewind)(void *arg); /* as aws_call; NULL: what came is not asked for again */
    int64_t max;                    /* bytes; 0: any number */
};
/* The body goes to the sink. ret_head (may be NULL): of the object; size is the whole's also with a range. An
 * answer that is not the range that was asked for is AWS_LIED. */
int s3_get(struct s3_bucket *bucket, const struct s3_get *get, struct s3_head *ret_head, struct err *err);

/* Every key below the prefix in order, each once, to `each` (false stops; the strings live for that call).
 * Rows of the page before that a peer repeats are dropped; a listing that does not move, or is
 * not in order, is AWS_LIED. */
int s3_list(struct s3_bucket *bucket, const char *prefix,
            bool (*each)(void *arg, const struct s3_object *object), void *arg, struct err *err);

/* A key that is not there is deleted too. version_id: that version for good. */
int s3_delete(struct s3_bucket *bucket, const char *key, const char *version_id, struct err *err);
