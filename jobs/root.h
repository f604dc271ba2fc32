/*
 * Where recovery points lie: one root uri, s3:// or file://, seen as flat files with paths below it. Files of
 * a file root are opened beneath it step by step without following links; paths are of [A-Za-z0-9._/=-]
 * without dot segments, whatever the caller says.
 * Thread rule: a root belongs to one attempt (it uses that attempt's AWS session).
 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/environment.h"
#include "engine/kind.h"
#include "item/sha256.h"
#include "item/stream.h"

struct root;

struct root_options {
    const struct environment *environment;
    struct aws_session *aws;
    struct arena *arena;
    const char *data_dir; /* where spool files of an s3 root lie */
};

struct work;
struct root_options root_options_of(const struct work *work); /* of an attempt */
/* `uri`: one of the environment's roots, or below one (root_allowed was asked). */
int root_open(const struct root_options *options, const char *uri, struct root **ret_root, struct err *err);
void root_close(struct root *root); /* accepts NULL */
static inline void root_close_p(struct root **root)
{
    root_close(*root);
}
/* Is the uri below recovery_points or a uri_root of the environment, or of another one where the principal
 * may `role`? URI_NOT_ALLOWED, the same whether or not anything is there. */
int root_allowed(const struct ask *ask, const char *uri, const char *pointer);

/* A new file to be filled: beside its place for a file root, by a name .part-..., in data_dir/spool for s3,
 * without a name. */
struct spool {
    int fd;        /* -1: none */
    int folder_fd; /* of a file root; -1 otherwise */
    struct root *root;
    char name[64]; /* in that folder; "": nothing to remove */
};
#define SPOOL_NONE ((struct spool){.fd = -1, .folder_fd = -1})
int root_spool_open(struct root *root, const char *path, struct spool *ret_spool, struct err *err);
void root_spool_close(struct spool *spool); /* what was not placed is gone */
/* Synced, then renamed into place with its folder synced; or one PutObject of known length with checksum,
 * encryption, tags and If-None-Match: * (412: HEAD; the same checksum is done). ROOT_UNWRITABLE, DISK_FULL,
 * AWS_*; AWS_CONDITION when another file is there: then, and only then, the spool may be placed under another
 * name of the same folder; else it is used up. */
int root_place(struct root *root, struct spool *spool, const char *path, int64_t size,
               const uint8_t sha256[SHA256_BYTES], struct err *err);
/* A whole small file (manifest, capsule) by the same way. */
int root_put(struct root *root, const char *path, struct bytes content, struct err *err);

/* Streams a file; a stream_read_fn reads it (arg is the struct root_reader). NOT_FOUND when absent. */
struct root_reader;
int root_read_open(struct root *root, const char *path, struct root_reader **ret_reader, int64_t *ret_size,
                   struct err *err);
int root_read_some(void *reader, void *to, size_t size, size_t *ret_len, struct err *err);
void root_read_close(struct root_reader *reader); /* accepts NULL */
static inline void root_read_close_p(struct root_reader **reader)
{
    root_read_close(*reader);
}
/* A whole small file in arena; LIMIT_EXCEEDED above max. */
int root_get(struct root *root, const char *path, size_t max, struct bytes *ret_content, struct err *err);
/* The same at the end of a buffer, whose own maximum holds. */
int root_get_buffer(struct root *root, const char *path, struct buffer *out, struct err *err);

struct root_file {
    const char *path;
    int64_t size;
};
/* Every file below a folder (path prefix ending in /), by path. Doubles that a peer repeats are removed; a
 * listing that does not move ends with AWS_LIED. */
int root_list(struct root *root, const char *folder, struct root_file **ret_files, size_t *ret_count,
              struct err *err);
int root_delete(struct root *root, const char *path, struct err *err); /* absent is fine */
/* What a delete of this file would leave: where a bucket keeps versions, the version itself, below a marker.
 */
struct root_keep {
    bool version;
    char lock_mode[16]; /* of Object Lock: COMPLIANCE, GOVERNANCE; "" when nothing holds the version */
    int64_t until_ms;
};
int root_keeps(struct root *root, const char *path, struct root_keep *ret_keep, struct err *err);
/* Are the writes AWS mutations, to be audited as such? Then the request id of the last one is AWS's, else "".
 */
bool root_is_remote(const struct root *root);
const char *root_request_id(const struct root *root);
/* Free bytes where spools of this root lie. */
int root_free_bytes(struct root *root, int64_t *ret_bytes, struct err *err);
const char *root_uri(const struct root *root);
const char *root_encryption(const struct root *root); /* none, AES256, aws:kms */
/* Where its bucket is, as far as it was asked; "" of a file root. */
const char *root_region(const struct root *root);
