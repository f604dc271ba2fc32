/*
 * A root on disk. The configured folder is opened as the administrator wrote it; below it every folder and
 * file is opened step by step without following a link, so that a link planted in the tree leads nowhere.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/id.h"
#include "jobs/root_internal.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static int failed(struct err *err, bool writing, const char *what, const char *path)
{
    int cause = errno;
    enum err_code code = ERR_IO;

    if (cause == ENOSPC || cause == EDQUOT)
        code = ERR_DISK_FULL;
    else if (cause == ELOOP)
        code = ERR_URI_NOT_ALLOWED; /* a link: never followed */
    else if (!writing && (cause == ENOENT || cause == ENOTDIR))
        code = ERR_NOT_FOUND;
    else if (cause == EACCES || cause == EPERM || cause == EROFS || cause == ENOENT || cause == ENOTDIR)
        code = writing ? ERR_ROOT_UNWRITABLE : ERR_SOURCE_UNREADABLE;
    return err_set(err, code, "%s %s: %s", what, path, strerror(cause));
}

/* -- folders -- */

/* Makes a folder, given by an absolute path, and syncs it into its parent. */
static int make_folder(const char *path)
{
    _cleanup_(cleanup_close) int fd = -1;
    size_t above = (size_t)(strrchr(path, '/') - path);
    _cleanup_(cleanup_free) char *parent = strndup(path, above ? above : 1);

    if (mkdir(path, 0700) < 0)
        return errno == EEXIST ? 0 : -1;
    if (!parent) {
        errno = ENOMEM;
        return -1;
    }
    fd = open(parent, FOLDER_FLAGS);
    if (fd < 0)
        return errno == EACCES ? 0 : -1; /* who may not read a folder cannot sync it */
    return fsync(fd);
}

/* The configured folder itself: links in its path are the administrator's. Missing ones are made when
 * `create`. */
static int base_open(struct root *root, bool create, struct err *err)
{
    char path[ROOT_PATH_MAX + 1];
    size_t len = strlen(root->base);

    if (root->base_fd >= 0)
        return 0;
    root->base_fd = open(root->base, FOLDER_FLAGS);
    if (root->base_fd >= 0)
        return 0;
    if (!create || errno != ENOENT || !str_copy(path, sizeof(path), root->base))
        return failed(err, create, "open", root->base);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        path[i] = '\0';
        if (make_folder(path) < 0)
            return failed(err, true, "make folder", path);
        path[i] = i < len ? '/' : '\0';
    }
    root->base_fd = open(root->base, FOLDER_FLAGS);
    return root->base_fd >= 0 ? 0 : failed(err, true, "open", root->base);
}

static int file_open(struct root *root, struct err *err)
{
    if (base_open(root, false, err) == 0)
        return 0;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    err_clear(err); /* it is made by the first write; until then nothing is in it */
    return 0;
}

static void file_close(struct root *root)
{
    if (root->base_fd >= 0)
        close(root->base_fd);
}

/* One step down. A folder that is made, or may have been made before a crash, is synced into its parent. */
static int step_down(int parent, const char *name, bool create, bool sync)
{
    int fd = openat(parent, name, FOLDER_FLAGS | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT && create) {
        if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
            return -1;
        fd = openat(parent, name, FOLDER_FLAGS | O_NOFOLLOW);
        sync = true;
    }
    if (fd >= 0 && create && sync && fsync(parent) < 0) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    return fd;
}

/* The folder `folder` ("" is the root itself) below the root; the caller closes *ret_fd. */
static int folder_open(struct root *root, const char *folder, bool create, int *ret_fd, struct err *err)
{
    char *full = root_join(root, folder);
    bool sync = !str_is(root->ensured, full);
    char *rest = full, *name;
    int fd;

    if (!full)
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    if (base_open(root, create, err) < 0)
        return -1;
    fd = dup(root->base_fd);
    while (fd >= 0 && (name = strsep(&rest, "/")) != NULL) {
        int next;
        if (!name[0])
            continue;
        next = step_down(fd, name, create, sync);
        close(fd);
        fd = next;
    }
    if (fd < 0)
        return failed(err, create, "open folder", folder);
    if (create && sync)
        root->ensured = root_join(root, folder);
    *ret_fd = fd;
    return 0;
}

/* The folder of a path, and its last name, which is borrowed from the path. */
static int parent_open(struct root *root, const char *path, bool create, int *ret_fd, const char **ret_name,
                       struct err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = arena_strndup(root->options.arena, path, slash ? (size_t)(slash - path) : 0);

    if (!folder)
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    *ret_name = slash ? slash + 1 : path;
    return folder_open(root, folder, create, ret_fd, err);
}

/* -- writing -- */

static int file_spool_open(struct root *root, const char *path, struct spool *ret_spool, struct err *err)
{
    unsigned char random[12];
    char hex[HEX_SIZE(sizeof(random))];
    const char *name;

    if (parent_open(root, path, true, &ret_spool->folder_fd, &name, err) < 0)
        return -1;
    random_bytes(random, sizeof(random));
    hex_encode(random, sizeof(random), hex);
    snprintf(ret_spool->name, sizeof(ret_spool->name), ".part-%s", hex);
    ret_spool->fd = openat(ret_spool->folder_fd, ret_spool->name,
                           O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (ret_spool->fd >= 0)
        return 0;
    ret_spool->name[0] = '\0';
    return failed(err, true, "make a file for", path);
}

/* Is a file with this size and digest there already? It is then what a run before a crash has placed. */
static int same_file(int folder, const char *name, int64_t size, const uint8_t sha256[SHA256_BYTES],
                     bool *ret_same, struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);
    _cleanup_(cleanup_free) char *block = malloc(256 * KIB);
    _cleanup_(cleanup_close) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    uint8_t digest[SHA256_BYTES];
    struct stat st;
    size_t n = 1;

    *ret_same = false;
    if (fd < 0 && errno != ELOOP && errno != ENXIO) /* a link or a socket is another file; all else unknown */
        return failed(err, true, "compare with", name);
    if (!sha || !block)
        return err_set(err, ERR_NO_MEMORY, "no memory for comparing files");
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != size)
        return 0;
    while (n > 0) {
        if (stream_read_fd(&fd, block, 256 * KIB, &n, err) < 0 || sha256_add(sha, block, n, err) < 0)
            return -1;
    }
    if (sha256_end(sha, digest, err) < 0)
        return -1;
    *ret_same = memcmp(digest, sha256, sizeof(digest)) == 0;
    return 0;
}

/* rename that never replaces; where the file system cannot do that at once, a link and an unlink. */
static int rename_new(int from_fd, const char *from, int to_fd, const char *to)
{
    if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(from_fd, from, to_fd, to, 0) < 0)
        return -1;
    return unlinkat(from_fd, from, 0);
}

static int file_place(struct root *root, struct spool *spool, const char *path, int64_t size,
                      const uint8_t sha256[SHA256_BYTES], struct err *err)
{
    _cleanup_(cleanup_close) int folder = -1;
    const char *name;
    bool same = false;

    if (parent_open(root, path, true, &folder, &name, err) < 0)
        return -1;
    if (fsync(spool->fd) < 0)
        return failed(err, true, "sync", path);
    if (rename_new(spool->folder_fd, spool->name, folder, name) == 0) {
        spool->name[0] = '\0';
    } else {
        if (errno != EEXIST)
            return failed(err, true, "rename into", path);
        if (same_file(folder, name, size, sha256, &same, err) < 0)
            return -1;
        if (!same)
            return err_set(err, ERR_AWS_CONDITION, "another file is at %s", path);
    }
    /* also when it was there: the run that placed it may have died before this line */
    return fsync(folder) == 0 ? 0 : failed(err, true, "sync the folder of", path);
}

static int file_delete(struct root *root, const char *path, struct err *err)
{
    _cleanup_(cleanup_close) int folder = -1;
    const char *name;

    if (parent_open(root, path, false, &folder, &name, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        err_clear(err); /* absent is fine */
        return 0;
    }
    if (unlinkat(folder, name, 0) < 0) {
        if (errno == ENOENT)
            return 0;
        return failed(err, true, "delete", path);
    }
    return fsync(folder) == 0 ? 0 : failed(err, true, "sync the folder of", path);
}

/* -- reading -- */

static int file_read_open(struct root *root, const char *path, struct root_reader *reader, struct err *err)
{
    _cleanup_(cleanup_close) int folder = -1;
    const char *name;
    struct stat st;

    if (base_open(root, false, err) < 0) {
        if (err->code ==
            ERR_NOT_FOUND) /* a disk that is not mounted: nothing is known about the files on it */
            err->code = ERR_SOURCE_UNREADABLE;
        return -1;
    }
    if (parent_open(root, path, false, &folder, &name, err) < 0)
        return -1;
    reader->fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (reader->fd < 0 || fstat(reader->fd, &st) < 0)
        return failed(err, false, "open", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_NOT_FOUND, "%s is not a file", path);
    reader->size = st.st_size;
    return 0;
}

static int file_read_some(struct root_reader *reader, void *to, size_t size, size_t *ret_len, struct err *err)
{
    return stream_read_fd(&reader->fd, to, size, ret_len, err);
}

static int list_folder(struct root_files *files, int fd, const char *prefix, int depth, struct err *err);

static int list_entry(struct root_files *files, int folder, const char *prefix, const char *name, int depth,
                      struct err *err)
{
    char path[ROOT_PATH_MAX + NAME_MAX + 2];
    struct stat st;
    int fd;

    if ((size_t)snprintf(path, sizeof(path), "%s%s", prefix, name) > ROOT_PATH_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "a path below %s is too long", prefix);
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : failed(err, false, "look at", path);
    if (!S_ISDIR(st.st_mode)) /* links and the like too: whoever compares finds them to be extra */
        return root_files_add(files, path, S_ISREG(st.st_mode) ? st.st_size : 0, err);
    if (depth >= ROOT_DEPTH)
        return err_set(err, ERR_LIMIT_EXCEEDED, "folders are nested more than %d deep at %s", ROOT_DEPTH,
                       path);
    fd = openat(folder, name, FOLDER_FLAGS | O_NOFOLLOW);
    if (fd < 0)
        return failed(err, false, "open", path);
    str_copy(path + strlen(path), 2, "/");
    return list_folder(files, fd, path, depth + 1, err);
}

/* Takes fd. */
static int list_folder(struct root_files *files, int fd, const char *prefix, int depth, struct err *err)
{
    DIR *folder = fdopendir(fd);
    struct dirent *entry;
    int result = 0;

    if (!folder) {
        close(fd);
        return failed(err, false, "read folder", prefix);
    }
    errno = 0;
    while (result == 0 && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            result = list_entry(files, fd, prefix, entry->d_name, depth, err);
        errno = 0;
    }
    if (result == 0 && errno != 0)
        result = failed(err, false, "read folder", prefix);
    closedir(folder);
    return result;
}

static int file_list(struct root *root, const char *folder, struct root_files *files, struct err *err)
{
    int fd = -1;

    if (folder_open(root, folder, false, &fd, err) == 0)
        return list_folder(files, fd, folder, 0, err);
    if (err->code != ERR_NOT_FOUND)
        return -1;
    err_clear(err); /* a folder that is not there holds nothing */
    return 0;
}

const struct root_ops root_file_ops = {
    .open = file_open,
    .close = file_close,
    .spool_open = file_spool_open,
    .place = file_place,
    .read_open = file_read_open,
    .read_some = file_read_some,
    .list = file_list,
    .delete = file_delete,
};
