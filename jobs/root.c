#include "jobs/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#include <openssl/crypto.h>

#include "aws/s3.h"
#include "engine/engine.h"
#include "engine/work.h"
#include "jobs/root_internal.h"

/* -- names -- */

static bool segment_ok(const char *from, size_t len)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=-";

    return len > 0 && strspn(from, allowed) >= len && !(len == 1 && from[0] == '.') &&
           !(len == 2 && from[0] == '.' && from[1] == '.');
}

bool root_path_ok(const char *path)
{
    size_t len = strlen(path);

    if (len == 0 || len > ROOT_PATH_MAX)
        return false;
    for (;;) {
        size_t segment = strcspn(path, "/");
        if (!segment_ok(path, segment))
            return false;
        if (!path[segment])
            return true;
        path += segment + 1;
    }
}

static int path_check(const char *path, struct err *err)
{
    return root_path_ok(path)
               ? 0
               : err_set(err, ERR_URI_NOT_ALLOWED, "the path %.200s cannot be used below a root", path);
}

char *root_join(struct root *root, const char *path)
{
    const char *slash = root->below[0] && path[0] ? "/" : "";

    return arena_printf(root->options.arena, "%s%s%s", root->below, slash, path);
}

/* Is uri root itself, or below it? *ret_rest: what follows the root, without the slash between. */
static bool below(const char *uri, const char *root, const char **ret_rest)
{
    size_t len = strlen(root);

    while (len > 0 && root[len - 1] == '/')
        len--;
    if (strncmp(uri, root, len) != 0 || (uri[len] != '\0' && uri[len] != '/'))
        return false;
    *ret_rest = uri + len + (uri[len] == '/');
    return true;
}

/* The configured root that holds the uri, or NULL. */
static const char *configured(const struct environment *environment, const char *uri, const char **ret_rest)
{
    if (environment->recovery_points && below(uri, environment->recovery_points, ret_rest))
        return environment->recovery_points;
    for (size_t i = 0; i < environment->uri_roots.count; i++)
        if (below(uri, environment->uri_roots.names[i], ret_rest))
            return environment->uri_roots.names[i];
    return NULL;
}

static bool rest_ok(const char *rest)
{
    char path[ROOT_PATH_MAX + 1];
    size_t len = strlen(rest);

    if (len > 0 && rest[len - 1] == '/')
        len--;
    if (len == 0)
        return true;
    return len <= ROOT_PATH_MAX && bytes_copy(path, sizeof(path), (struct bytes){rest, len}) &&
           root_path_ok(path);
}

int root_allowed(const struct ask *ask, const char *uri, const char *pointer)
{
    const char *rest;

    for (size_t i = 0; i < ask->config->environment_count; i++) {
        const struct environment *environment = &ask->config->environments[i];
        bool own = str_is(environment->name, ask->environment->name);

        if ((own || principal_may(ask->principal, ask->kind->role, environment->name)) &&
            configured(environment, uri, &rest) && rest_ok(rest))
            return 0;
    }
    fault_add_code(ask->faults, ERR_URI_NOT_ALLOWED, pointer, "%.200s is not below an allowed root", uri);
    return -1;
}

/* -- opening -- */

static char *without_slash(struct arena *arena, const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '/')
        len--;
    return arena_strndup(arena, text, len);
}

static int open_file_root(struct root *root, const char *configured_root, const char *rest, struct err *err)
{
    struct arena *arena = root->options.arena;
    const char *path = (configured_root ? configured_root : root->uri) + strlen("file://");

    if (path[0] != '/')
        return err_set(err, ERR_URI_NOT_ALLOWED, "%.200s is not absolute", root->uri);
    root->ops = &root_file_ops;
    /* A root of another environment is opened from / on, and then no link at all is followed. */
    root->base = configured_root ? arena_strdup(arena, path) : "/";
    root->below = without_slash(arena, configured_root ? rest : path + 1);
    if (!root->base || !root->below)
        return err_set(err, ERR_NO_MEMORY, "no memory for a root");
    return 0;
}

static int open_s3_root(struct root *root, struct err *err)
{
    const char *bucket = root->uri + strlen("s3://");
    size_t len = strcspn(bucket, "/");

    root->ops = &root_s3_ops;
    root->bucket = arena_strndup(root->options.arena, bucket, len);
    root->below = without_slash(root->options.arena, bucket + len + (bucket[len] == '/'));
    if (!root->bucket || !root->below)
        return err_set(err, ERR_NO_MEMORY, "no memory for a root");
    return len > 0 ? 0 : err_set(err, ERR_URI_NOT_ALLOWED, "%.200s names no bucket", root->uri);
}

static int open_by_scheme(struct root *root, struct err *err)
{
    const char *rest = "";
    const char *found = configured(root->options.environment, root->uri, &rest);

    if (str_starts(root->uri, "file://")) {
        if (open_file_root(root, found, rest, err) < 0)
            return -1;
    } else if (str_starts(root->uri, "s3://")) {
        if (open_s3_root(root, err) < 0)
            return -1;
    } else {
        return err_set(err, ERR_URI_NOT_ALLOWED, "%.200s is neither s3:// nor file://", root->uri);
    }
    if (root->below[0] && !root_path_ok(root->below))
        return err_set(err, ERR_URI_NOT_ALLOWED, "%.200s cannot be used as a root", root->uri);
    return root->ops->open(root, err);
}

struct root_options root_options_of(const struct work *work)
{
    return (struct root_options){.environment = work->environment,
                                 .aws = work->aws,
                                 .arena = work->arena,
                                 .data_dir = work->config->data_dir};
}

int root_open(const struct root_options *options, const char *uri, struct root **ret_root, struct err *err)
{
    _cleanup_(root_close_p) struct root *root = calloc(1, sizeof(*root));

    if (!root)
        return err_set(err, ERR_NO_MEMORY, "no memory for a root");
    root->options = *options;
    root->base_fd = -1;
    root->below = "";
    root->uri = without_slash(options->arena, uri);
    if (!root->uri)
        return err_set(err, ERR_NO_MEMORY, "no memory for a root");
    if (open_by_scheme(root, err) < 0)
        return -1;
    *ret_root = TAKE(root);
    return 0;
}

void root_close(struct root *root)
{
    if (!root)
        return;
    if (root->ops)
        root->ops->close(root);
    free(root);
}

const char *root_uri(const struct root *root)
{
    return root->uri;
}

bool root_is_remote(const struct root *root)
{
    return root->ops == &root_s3_ops;
}

const char *root_request_id(const struct root *root)
{
    return root->request_id;
}

const char *root_encryption(const struct root *root)
{
    if (!root_is_remote(root))
        return "none";
    return root->options.environment->kms_key ? "aws:kms" : "AES256";
}

const char *root_region(const struct root *root)
{
    return root->s3 ? root->s3->region : "";
}

int root_free_bytes(struct root *root, int64_t *ret_bytes, struct err *err)
{
    struct statvfs fs;
    int failed = root_is_remote(root) ? statvfs(root->options.data_dir, &fs)
                 : root->base_fd >= 0 ? fstatvfs(root->base_fd, &fs)
                                      : statvfs(root->base, &fs);

    if (failed)
        return err_set(err, ERR_IO, "free space of %s: %s", root->uri, strerror(errno));
    *ret_bytes = (int64_t)(fs.f_bavail * fs.f_frsize);
    return 0;
}

/* -- writing -- */

int root_spool_open(struct root *root, const char *path, struct spool *ret_spool, struct err *err)
{
    struct spool spool = SPOOL_NONE;

    spool.root = root;
    if (path_check(path, err) < 0)
        return -1;
    if (root->ops->spool_open(root, path, &spool, err) < 0) {
        root_spool_close(&spool);
        return -1;
    }
    *ret_spool = spool;
    return 0;
}

void root_spool_close(struct spool *spool)
{
    if (spool->folder_fd >= 0) {
        if (spool->name[0])
            unlinkat(spool->folder_fd, spool->name, 0);
        close(spool->folder_fd);
    }
    if (spool->fd >= 0)
        close(spool->fd);
    *spool = SPOOL_NONE;
}

int root_place(struct root *root, struct spool *spool, const char *path, int64_t size,
               const uint8_t sha256[SHA256_BYTES], struct err *err)
{
    int result;

    root->request_id[0] = '\0';
    result = path_check(path, err) < 0 ? -1 : root->ops->place(root, spool, path, size, sha256, err);
    if (result == 0 || err->code != ERR_AWS_CONDITION)
        root_spool_close(spool);
    return result;
}

static void spool_done(struct spool *spool)
{
    root_spool_close(spool);
}

int root_put(struct root *root, const char *path, struct bytes content, struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);
    _cleanup_(spool_done) struct spool spool = SPOOL_NONE;
    uint8_t digest[SHA256_BYTES];

    if (!sha || sha256_once(sha, content, digest, err) < 0)
        return -1;
    if (root_spool_open(root, path, &spool, err) < 0 ||
        stream_write_fd(spool.fd, content.data, content.len, err) < 0)
        return -1;
    return root_place(root, &spool, path, (int64_t)content.len, digest, err);
}

int root_delete(struct root *root, const char *path, struct err *err)
{
    root->request_id[0] = '\0';
    return path_check(path, err) < 0 ? -1 : root->ops->delete (root, path, err);
}

int root_keeps(struct root *root, const char *path, struct root_keep *ret_keep, struct err *err)
{
    struct root_keep nothing = {.version = false};

    if (path_check(path, err) < 0)
        return -1;
    if (root->ops->keeps)
        return root->ops->keeps(root, path, ret_keep, err);
    *ret_keep = nothing;
    return 0;
}

/* -- reading -- */

int root_read_open(struct root *root, const char *path, struct root_reader **ret_reader, int64_t *ret_size,
                   struct err *err)
{
    struct root_reader *reader;

    if (path_check(path, err) < 0)
        return -1;
    reader = calloc(1, sizeof(*reader));
    if (!reader)
        return err_set(err, ERR_NO_MEMORY, "no memory for reading");
    reader->root = root;
    reader->fd = -1;
    reader->path = arena_strdup(root->options.arena, path);
    if (!reader->path || root->ops->read_open(root, path, reader, err) < 0) {
        root_read_close(reader);
        return err_set(err, ERR_NO_MEMORY, "no memory for reading");
    }
    *ret_size = reader->size;
    *ret_reader = reader;
    return 0;
}

int root_read_some(void *arg, void *to, size_t size, size_t *ret_len, struct err *err)
{
    struct root_reader *reader = arg;

    return reader->root->ops->read_some(reader, to, size, ret_len, err);
}

void root_read_close(struct root_reader *reader)
{
    if (!reader)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    if (reader->chunk) /* the last piece may have been shorter than those before it */
        OPENSSL_cleanse(reader->chunk, reader->size < ROOT_CHUNK ? (size_t)reader->size : (size_t)ROOT_CHUNK);
    free(reader->chunk);
    free(reader);
}

static int read_whole(struct root_reader *reader, char *to, size_t size, struct err *err)
{
    size_t at = 0, n;

    while (at < size) {
        if (root_read_some(reader, to + at, size - at, &n, err) < 0)
            return -1;
        if (n == 0)
            return err_set(err, ERR_SOURCE_UNREADABLE, "%s ended %zu bytes early", reader->path, size - at);
        at += n;
    }
    return 0;
}

int root_get_buffer(struct root *root, const char *path, struct buffer *out, struct err *err)
{
    _cleanup_(root_read_close_p) struct root_reader *reader = NULL;
    int64_t size;
    char *to;

    if (root_read_open(root, path, &reader, &size, err) < 0)
        return -1;
    if (size >= (int64_t)out->max || !(to = buffer_reserve(out, (size_t)size)))
        return err_set(err, ERR_LIMIT_EXCEEDED, "%s has %lld bytes; at most %zu are read", path,
                       (long long)size, out->max);
    if (read_whole(reader, to, (size_t)size, err) < 0)
        return -1;
    out->len += (size_t)size;
    return 0;
}

int root_get(struct root *root, const char *path, size_t max, struct bytes *ret_content, struct err *err)
{
    _cleanup_(root_read_close_p) struct root_reader *reader = NULL;
    int64_t size;
    char *data;

    if (root_read_open(root, path, &reader, &size, err) < 0)
        return -1;
    if (size > (int64_t)max)
        return err_set(err, ERR_LIMIT_EXCEEDED, "%s has %lld bytes; at most %zu are read", path,
                       (long long)size, max);
    data = arena_alloc(root->options.arena, (size_t)size + 1);
    if (!data)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", path);
    if (read_whole(reader, data, (size_t)size, err) < 0)
        return -1;
    data[size] = '\0';
    *ret_content = (struct bytes){data, (size_t)size};
    return 0;
}

/* -- listing -- */

int root_files_add(struct root_files *files, const char *path, int64_t size, struct err *err)
{
    if (files->count == ROOT_FILES_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "a listing has more than %d files", ROOT_FILES_MAX);
    if (files->count == files->room) {
        size_t room = files->room ? files->room * 2 : 64;
        struct root_file *grown = realloc(files->files, room * sizeof(*grown));
        if (!grown)
            return err_set(err, ERR_NO_MEMORY, "no memory for a listing");
        files->files = grown;
        files->room = room;
    }
    path = arena_strdup(files->arena, path);
    if (!path)
        return err_set(err, ERR_NO_MEMORY, "no memory for a listing");
    files->files[files->count++] = (struct root_file){path, size};
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct root_file *)a)->path, ((const struct root_file *)b)->path);
}

static void drop_doubles(struct root_files *files)
{
    size_t kept = 0;

    if (files->count == 0)
        return;
    qsort(files->files, files->count, sizeof(*files->files), by_path);
    for (size_t i = 1; i < files->count; i++)
        if (strcmp(files->files[i].path, files->files[kept].path))
            files->files[++kept] = files->files[i];
    files->count = kept + 1;
}

int root_list(struct root *root, const char *folder, struct root_file **ret_files, size_t *ret_count,
              struct err *err)
{
    struct root_files files = {.arena = root->options.arena};
    int result = root->ops->list(root, folder, &files, err);

    if (result == 0) {
        drop_doubles(&files);
        *ret_files = arena_copy(files.arena, files.files ? (void *)files.files : (void *)"",
                                files.count * sizeof(*files.files));
        *ret_count = files.count;
        if (!*ret_files)
            result = err_set(err, ERR_NO_MEMORY, "no memory for a listing");
    }
    free(files.files);
    return result;
}
