/*
 * GET /v1/recovery-points/{id}/manifest and /files/{path...}: what lies in a recovery point's tree. A file is
 * fetched whole into an unlinked spool file and held against its sha256 first, so that no byte of a damaged
 * one is served.
 */
#include "handlers/handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "audit/log.h"
#include "handlers/point_json.h"
#include "item/sha256.h"
#include "jobs/manifest.h"
#include "jobs/root.h"

#define CHUNK (64 * KIB)

/* A recovery point's folder, open for the length of one request. */
struct tree {
    struct request *req;
    const struct recovery_point *point;
    struct arena *arena; /* a manifest can be larger than a request */
    struct engine_session *session;
    struct root *root;
    struct bytes manifest;
};

static void tree_close(struct tree *tree)
{
    root_close(tree->root);
    engine_session_done(tree->session);
    arena_free(tree->arena);
    if (tree->req)
        atomic_fetch_sub(&tree->req->app->reading, 1);
}

static int check_sha256(struct bytes content, const struct hash *wanted, const char *path, struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);
    struct hash found = {0};

    if (!sha || sha256_once(sha, content, found.bytes, err) < 0)
        return -1;
    if (memcmp(&found, wanted, sizeof(found)) != 0)
        return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s is not what the catalogue knows", path);
    return 0;
}

static int open_root(struct tree *tree, struct err *err)
{
    const struct config *config = tree->req->config;
    struct root_options options = {.environment = config_environment(config, tree->point->environment),
                                   .arena = tree->arena,
                                   .data_dir = config->data_dir};

    if (!options.environment)
        return err_set(err, ERR_RECOVERY_POINT_UNUSABLE, "environment %s is not configured any more",
                       tree->point->environment);
    if (!str_starts(tree->point->location, "file://")) {
        if (engine_session_open(tree->req->app->engine, tree->point->environment, FILE_READ_BUDGET_MS,
                                &tree->session, err) < 0)
            return -1;
        options.aws = engine_session_aws(tree->session);
    }
    return root_open(&options, tree->point->location, &tree->root, err);
}

static int tree_open(struct request *req, const struct recovery_point *point, struct tree *tree,
                     struct err *err)
{
    if (!point->has_manifest)
        return err_set(err, ERR_RECOVERY_POINT_UNUSABLE, "the recovery point is %s and has no manifest",
                       point_status_name(point->status));
    if (atomic_fetch_add(&req->app->reading, 1) >= FILE_READS_AT_ONCE) {
        atomic_fetch_sub(&req->app->reading, 1);
        return err_set(err, ERR_BUSY, "%d files are being read already", FILE_READS_AT_ONCE);
    }
    tree->req = req;
    tree->point = point;
    tree->arena = arena_new(TREE_ARENA_MAX);
    if (!tree->arena)
        return err_set(err, ERR_NO_MEMORY, "no memory to read a recovery point");
    if (open_root(tree, err) < 0)
        return -1;
    if (root_get(tree->root, MANIFEST_PATH, MANIFEST_MAX, &tree->manifest, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            err->code = ERR_RECOVERY_POINT_DAMAGED; /* the caller's path is right: the tree is not */
        return -1;
    }
    return check_sha256(tree->manifest, &point->manifest_sha256, MANIFEST_PATH, err);
}

/* -- spool -- */

static int spool_open(const struct config *config, int64_t size, int *ret_fd, struct err *err)
{
    char folder[4096];
    struct statvfs disk;
    int fd;

    snprintf(folder, sizeof(folder), "%s/spool", config->data_dir);
    if (statvfs(folder, &disk) < 0)
        return err_set(err, ERR_IO, "spool folder: %s", strerrordesc_np(errno));
    if ((int64_t)(disk.f_bavail * disk.f_frsize) - size < config->min_free_bytes)
        return err_set(err, ERR_DISK_FULL,
                       "a file of %lld bytes would leave less than min_free in the spool folder",
                       (long long)size);
    fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "spool file: %s", strerrordesc_np(errno));
    *ret_fd = fd;
    return 0;
}

static int spool_bytes(struct request *req, struct bytes content, int *ret_fd, struct err *err)
{
    _cleanup_(cleanup_close) int fd = -1;

    if (spool_open(req->config, (int64_t)content.len, &fd, err) < 0 ||
        stream_write_fd(fd, content.data, content.len, err) < 0)
        return -1;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* Copies and hashes; *ret_size is what came. */
static int copy(struct root_reader *reader, int fd, int64_t limit, struct hash *ret_sha256, int64_t *ret_size,
                struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);
    _cleanup_(cleanup_free) char *chunk = malloc(CHUNK);
    int64_t size = 0;
    size_t len;

    if (!sha || !chunk)
        return err_set(err, ERR_NO_MEMORY, "no memory to read a file");
    for (;;) {
        if (root_read_some(reader, chunk, CHUNK, &len, err) < 0)
            return -1;
        if (len == 0)
            break;
        size += (int64_t)len;
        if (size > limit) /* no need to read on: it is not the file of the manifest */
            break;
        if (sha256_add(sha, chunk, len, err) < 0 || stream_write_fd(fd, chunk, len, err) < 0)
            return -1;
    }
    *ret_size = size;
    return sha256_end(sha, ret_sha256->bytes, err);
}

static int spool_file(struct tree *tree, const struct manifest_file *file, int *ret_fd, struct err *err)
{
    _cleanup_(root_read_close_p) struct root_reader *reader = NULL;
    _cleanup_(cleanup_close) int fd = -1;
    struct hash found;
    int64_t size;

    if (root_read_open(tree->root, file->path, &reader, &size, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            err->code = ERR_RECOVERY_POINT_DAMAGED;
        return -1;
    }
    if (spool_open(tree->req->config, file->size, &fd, err) < 0 ||
        copy(reader, fd, file->size, &found, &size, err) < 0)
        return -1;
    if (size != file->size || memcmp(&found, &file->sha256, sizeof(found)) != 0)
        return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s is not what the manifest says", file->path);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* -- answering -- */

static void reply_spooled(struct request *req, struct http_reply *reply, int fd, int64_t size,
                          const struct hash *sha256, const char *content_type)
{
    char etag[HEX_SIZE(32)];

    hex_encode(sha256->bytes, sizeof(sha256->bytes), etag);
    http_reply_file(reply, req->http, fd, size, etag, content_type);
}

int points_manifest(struct request *req, struct http_reply *reply, struct err *err)
{
    _cleanup_(tree_close) struct tree tree = {0};
    struct recovery_point *point;
    int fd = -1;

    if (request_point(req, ROLE_VIEWER, &point, err) < 0 || tree_open(req, point, &tree, err) < 0 ||
        spool_bytes(req, tree.manifest, &fd, err) < 0)
        return -1;
    reply_spooled(req, reply, fd, (int64_t)tree.manifest.len, &point->manifest_sha256, "application/json");
    return 0;
}

/* Only what the manifest lists is there. */
static int find_file(struct tree *tree, const char *path, const struct manifest_file **ret_file,
                     struct err *err)
{
    struct manifest *manifest;

    if (manifest_parse(tree->manifest, tree->arena, &manifest, err) < 0)
        return -1;
    for (size_t i = 0; i < manifest->file_count; i++)
        if (strcmp(manifest->files[i].path, path) == 0) {
            *ret_file = &manifest->files[i];
            return 0;
        }
    return err_set(err, ERR_NOT_FOUND, "the recovery point has no such file");
}

struct reading {
    struct request *req;
    const struct recovery_point *point;
    const struct manifest_file *file;
};

static int record_tx(struct tx *tx, void *ctx, struct err *err)
{
    const struct reading *reading = ctx;
    struct audit_entry entry = audit_entry_by(reading->req->principal, AUDIT_DATA_READ, "ok");
    struct bytes range = http_request_header(reading->req->http, "Range");
    _cleanup_(buffer_done) struct buffer detail = BUFFER_INIT(AUDIT_FIELD_MAX);
    struct json_writer w;

    json_put_begin(&w, &detail);
    json_put_object(&w, NULL);
    json_put_text(&w, "path", reading->file->path);
    json_put_text_bytes(&w, "range", range); /* as it was sent, which need not be UTF-8 */
    json_put_id(&w, "recovery_point", &reading->point->id);
    json_put_hash(&w, "sha256", &reading->file->sha256);
    json_put_int(&w, "size", reading->file->size);
    json_put_object_end(&w);
    if (buffer_ok(&detail, "an audit row", err) < 0)
        return -1;
    entry.object = reading->point->resource;
    entry.environment = reading->point->environment;
    entry.request_id = reading->req->http->id;
    entry.detail = detail.data;
    return tx_audit(tx, reading->req->app->node, &entry, err);
}

static const char *type_of(const char *path)
{
    return str_ends(path, ".gz")     ? "application/gzip"
           : str_ends(path, ".json") ? "application/json"
                                     : "application/octet-stream";
}

int files_get(struct request *req, struct http_reply *reply, struct err *err)
{
    _cleanup_(tree_close) struct tree tree = {0};
    struct reading reading = {.req = req};
    struct recovery_point *point;
    int fd = -1;

    if (request_point(req, ROLE_DATA_READER, &point, err) < 0 || tree_open(req, point, &tree, err) < 0 ||
        find_file(&tree, req->params[1], &reading.file, err) < 0 ||
        spool_file(&tree, reading.file, &fd, err) < 0)
        return -1;
    reading.point = point;
    /* the row is durable before the first byte leaves; HEAD takes none away */
    if (!req->http->is_head && store_tx(req->app->store, "data read", record_tx, &reading, err) < 0) {
        close(fd);
        return -1;
    }
    reply_spooled(req, reply, fd, reading.file->size, &reading.file->sha256, type_of(reading.file->path));
    return 0;
}
