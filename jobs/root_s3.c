/*
 * A root in a bucket. A file is one object, written by one conditional PutObject of known length with its
 * SHA-256 and encryption; it is read by ranges, each tied to the ETag of the first look, so that no two
 * versions are mixed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "aws/s3.h"
#include "base/id.h"
#include "jobs/root_internal.h"

static int s3_root_open(struct root *root, struct err *err)
{
    root->s3 = arena_make(root->options.arena, struct s3_bucket);
    if (!root->s3)
        return err_set(err, ERR_NO_MEMORY, "no memory for a root");
    return s3_bucket_init(root->s3, root->options.aws, root->bucket, err);
}

static void s3_root_close(struct root *root)
{
    (void)root;
}

/* -- writing -- */

static int spool_failed(struct err *err, const char *what)
{
    bool full = errno == ENOSPC || errno == EDQUOT;

    return err_set(err, full ? ERR_DISK_FULL : ERR_IO, "%s: %s", what, strerror(errno));
}

/* The spool has a name only for a moment: a crash leaves nothing to be cleaned. */
static int s3_spool_open(struct root *root, const char *path, struct spool *ret_spool, struct err *err)
{
    char *folder = arena_printf(root->options.arena, "%s/spool", root->options.data_dir);
    struct id id = id_new();
    char text[ID_SIZE];
    char *name;

    (void)path;
    id_format(&id, text);
    name = folder ? arena_printf(root->options.arena, "%s/%s", folder, text) : NULL;
    if (!name)
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return spool_failed(err, folder);
    ret_spool->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (ret_spool->fd < 0 || unlink(name) < 0)
        return spool_failed(err, name);
    return 0;
}

static void tag_text(struct buffer *out, const struct environment *environment)
{
    for (size_t i = 0; i < environment->tag_count; i++) {
        buffer_add_str(out, i ? "&" : "");
        uri_encode(out, bytes_of(environment->tag_names[i]), false);
        buffer_add_char(out, '=');
        uri_encode(out, bytes_of(environment->tag_values[i]), false);
    }
}

/* Some S3 servers take the header and store in the clear: what a root promises must be said in the answer. */
static int is_encrypted(struct root *root, const char *key, const char *said, struct err *err)
{
    const char *wanted = root_encryption(root);

    if (root->options.environment->allow_unencrypted || str_is(said, wanted))
        return 0;
    return err_set(err, ERR_AWS_LIED, "s3://%s/%s is encrypted with %s, and %s was asked for", root->bucket,
                   key, *said ? said : "nothing", wanted);
}

/* Reads the object: for a peer that keeps no checksum. */
static int has_digest(struct root *root, const char *path, const uint8_t sha256[SHA256_BYTES], bool *ret_same,
                      struct err *err)
{
    _cleanup_(root_read_close_p) struct root_reader *reader = NULL;
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);
    _cleanup_(cleanup_free) char *block = malloc(64 * KIB);
    uint8_t digest[SHA256_BYTES];
    int64_t size;
    size_t n = 1;

    if (!sha || !block)
        return err_set(err, ERR_NO_MEMORY, "no memory for comparing");
    if (root_read_open(root, path, &reader, &size, err) < 0)
        return -1;
    while (n > 0)
        if (root_read_some(reader, block, 64 * KIB, &n, err) < 0 || sha256_add(sha, block, n, err) < 0)
            return -1;
    if (sha256_end(sha, digest, err) < 0)
        return -1;
    *ret_same = memcmp(digest, sha256, sizeof(digest)) == 0;
    return 0;
}

/* 412: is what stands there what we wanted to put? S3's own checksum says so. */
static int is_ours(struct root *root, const char *path, const char *key, int64_t size,
                   const uint8_t sha256[SHA256_BYTES], struct err *err)
{
    char wanted[BASE64_SIZE(SHA256_BYTES)];
    struct s3_head head;
    bool same;

    if (s3_head(root->s3, key, NULL, &head, err) < 0)
        return -1;
    base64_encode(sha256, SHA256_BYTES, wanted);
    same = head.size == size && !strcmp(head.checksum_sha256, wanted);
    if (head.size == size && !head.checksum_sha256[0] && has_digest(root, path, sha256, &same, err) < 0)
        return -1;
    if (same)
        return is_encrypted(root, key, head.sse, err);
    return err_set(err, ERR_AWS_CONDITION, "another object is at s3://%s/%s", root->bucket, key);
}

static int s3_place(struct root *root, struct spool *spool, const char *path, int64_t size,
                    const uint8_t sha256[SHA256_BYTES], struct err *err)
{
    const struct environment *environment = root->options.environment;
    _cleanup_(buffer_done) struct buffer tags = BUFFER_INIT(16 * KIB);
    char *key = root_join(root, path);
    struct s3_put put = {.key = key,
                         .fd = spool->fd,
                         .len = size,
                         .sha256 = sha256,
                         .if_none_match = true,
                         .sse = root_encryption(root),
                         .kms_key = environment->kms_key};
    struct s3_put_result result;

    tag_text(&tags, environment);
    if (!key || buffer_ok(&tags, "the tags of an object", err) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a key");
    put.tagging = tags.len ? tags.data : NULL;
    if (s3_put(root->s3, &put, &result, err) == 0) {
        str_copy(root->request_id, sizeof(root->request_id), result.request_id);
        if (is_encrypted(root, key, result.sse, err) == 0)
            return 0;
        struct err removed = ERR_INIT; /* it must not stay there; Object Lock may hold it */
        if (s3_delete(root->s3, key, result.version_id, &removed) < 0)
            return err_wrap(err, "it could not be deleted again (%s)", removed.message);
        return -1;
    }
    str_copy(root->request_id, sizeof(root->request_id), err->aws.request_id);
    if (err->code != ERR_AWS_CONDITION)
        return -1;
    err_clear(err); /* an earlier attempt, or a run before a crash, may have put it: then it is done */
    return is_ours(root, path, key, size, sha256, err);
}

static int s3_remove(struct root *root, const char *path, struct err *err)
{
    char *key = root_join(root, path);

    return key ? s3_delete(root->s3, key, NULL, err) : err_set(err, ERR_NO_MEMORY, "no memory for a key");
}

/* A null version is replaced by the marker; every other one stays below it. */
static int s3_keeps(struct root *root, const char *path, struct root_keep *ret_keep, struct err *err)
{
    char *key = root_join(root, path);
    struct s3_head head;
    struct root_keep keep = {.version = false};

    if (!key)
        return err_set(err, ERR_NO_MEMORY, "no memory for a key");
    if (s3_head(root->s3, key, NULL, &head, err) < 0)
        return -1;
    keep.version = head.version_id[0] && strcmp(head.version_id, "null") != 0;
    str_copy(keep.lock_mode, sizeof(keep.lock_mode), head.lock_mode);
    keep.until_ms = head.retain_until_ms;
    *ret_keep = keep;
    return 0;
}

/* -- reading -- */

static int s3_read_open(struct root *root, const char *path, struct root_reader *reader, struct err *err)
{
    struct s3_head head;

    reader->key = root_join(root, path);
    if (!reader->key)
        return err_set(err, ERR_NO_MEMORY, "no memory for a key");
    if (s3_head(root->s3, reader->key, NULL, &head, err) < 0) {
        if (err->code == ERR_AWS_NOT_FOUND)
            err->code = ERR_NOT_FOUND;
        return -1;
    }
    reader->size = head.size;
    str_copy(reader->etag, sizeof(reader->etag), head.etag);
    reader->chunk = malloc(ROOT_CHUNK);
    return reader->chunk ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for reading");
}

static bool chunk_write(void *arg, const char *data, size_t len)
{
    struct root_reader *reader = arg;

    if (len > (size_t)ROOT_CHUNK - reader->chunk_len)
        return false;
    memcpy(reader->chunk + reader->chunk_len, data, len);
    reader->chunk_len += len;
    return true;
}

static bool chunk_rewind(void *arg)
{
    ((struct root_reader *)arg)->chunk_len = 0;
    return true;
}

static int fetch(struct root_reader *reader, struct err *err)
{
    struct http_sink sink = {chunk_write, reader};
    int64_t left = reader->size - reader->at;
    struct s3_get get = {.key = reader->key,
                         .offset = reader->at,
                         .len = left < ROOT_CHUNK ? left : ROOT_CHUNK,
                         .if_match = reader->etag[0] ? reader->etag : NULL,
                         .sink = &sink,
                         .sink_rewind = chunk_rewind,
                         .max = ROOT_CHUNK};

    reader->chunk_at = reader->chunk_len = 0;
    if (s3_get(reader->root->s3, &get, NULL, err) < 0) {
        if (err->code == ERR_AWS_CONDITION || err->code == ERR_AWS_NOT_FOUND)
            err->code = ERR_SOURCE_UNREADABLE; /* replaced or deleted while it was read */
        return -1;
    }
    if ((int64_t)reader->chunk_len != get.len)
        return err_set(err, ERR_AWS_LIED, "s3://%s/%s gave %zu bytes of %lld", reader->root->bucket,
                       reader->key, reader->chunk_len, (long long)get.len);
    reader->at += get.len;
    return 0;
}

static int s3_read_some(struct root_reader *reader, void *to, size_t size, size_t *ret_len, struct err *err)
{
    size_t have;

    if (reader->chunk_at == reader->chunk_len && reader->at < reader->size && fetch(reader, err) < 0)
        return -1;
    have = reader->chunk_len - reader->chunk_at;
    *ret_len = have < size ? have : size;
    memcpy(to, reader->chunk + reader->chunk_at, *ret_len);
    reader->chunk_at += *ret_len;
    return 0;
}

/* -- listing -- */

struct listing {
    struct root_files *files;
    size_t skip; /* of each key: what stands before the root's own paths */
    struct err *err;
    bool failed;
};

static bool list_object(void *arg, const struct s3_object *object)
{
    struct listing *listing = arg;
    size_t len = strlen(object->key);

    if (len <= listing->skip || object->key[len - 1] == '/') /* a marker of a folder holds nothing */
        return true;
    listing->failed =
        root_files_add(listing->files, object->key + listing->skip, object->size, listing->err) < 0;
    return !listing->failed;
}

static int s3_files(struct root *root, const char *folder, struct root_files *files, struct err *err)
{
    struct listing listing = {.files = files, .err = err};
    char *prefix =
        arena_printf(root->options.arena, "%s%s%s", root->below, root->below[0] ? "/" : "", folder);

    if (!prefix)
        return err_set(err, ERR_NO_MEMORY, "no memory for a listing");
    listing.skip = strlen(prefix) - strlen(folder);
    if (s3_list(root->s3, prefix, list_object, &listing, err) < 0)
        return -1;
    return listing.failed ? -1 : 0;
}

const struct root_ops root_s3_ops = {
    .open = s3_root_open,
    .close = s3_root_close,
    .spool_open = s3_spool_open,
    .place = s3_place,
    .read_open = s3_read_open,
    .read_some = s3_read_some,
    .list = s3_files,
    .delete = s3_remove,
    .keeps = s3_keeps,
};
