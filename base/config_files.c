#include "base/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <openssl/crypto.h>

const char *config_resolve(struct loader *l, const char *path)
{
    const char *text =
        path[0] == '/' ? arena_strdup(l->arena, path) : arena_printf(l->arena, "%s/%s", l->dir, path);
    if (!text)
        config_no_memory(l, (struct yaml_place){1, 1});
    return text;
}

void config_take_path(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to)
{
    (void)key;
    const char *path = config_text(l, node) ? config_resolve(l, node->text) : NULL;
    struct stat st;
    if (!path)
        return;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        config_fault(l, node->place, "%.300s is no folder", path);
    else
        memcpy(to, &path, sizeof path);
}

/* Beside the configuration, else where systemd puts credentials. Not blocking: a FIFO must not hang the
 * start. */
static int open_file(struct loader *l, const struct yaml_node *node, const char **ret_path,
                     bool *ret_credential)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    const char *path = config_resolve(l, node->text);
    if (!path)
        return -1;
    int fd = open(path, flags);
    int cause = errno;
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    *ret_credential = fd < 0 && cause == ENOENT && node->text[0] != '/' && credentials &&
                      credentials[0] == '/' && !strstr(node->text, "..");
    if (*ret_credential) {
        const char *other = arena_printf(l->arena, "%s/%s", credentials, node->text);
        if (!other) {
            config_no_memory(l, node->place);
            return -1;
        }
        fd = open(other, flags);
        cause = errno;
        path = fd >= 0 || cause != ENOENT ? other : path; /* missing in both: the first is named */
    }
    if (fd < 0 && cause == ENOENT)
        config_fault(l, node->place, "file not found: %.300s", path);
    else if (fd < 0)
        config_fault(l, node->place, "%.300s cannot be read: %s", path, strerror(cause));
    *ret_path = path;
    return fd;
}

/* How many bytes the secret has: the one newline that an editor leaves behind a text does not count. */
static int64_t secret_length(int fd, int64_t size)
{
    unsigned char data[CONFIG_SECRET_PROBE];
    if (size > (int64_t)sizeof data)
        return size;
    ssize_t n = pread(fd, data, sizeof data, 0);
    int64_t len = n < 0 ? 0 : n;
    if (len > 0 && data[len - 1] == '\n')
        len--;
    if (len > 0 && data[len - 1] == '\r')
        len--;
    for (int64_t i = 0; i < len; i++) {
        if (data[i] < 0x20 || data[i] >= 0x7f)
            len = n; /* random bytes may well end with 0x0a */
    }
    OPENSSL_cleanse(data, sizeof data);
    return len;
}

/* A credential is root's, and its group bits are the mask of systemd's access list, not a group's right. */
static bool check_secret(struct loader *l, const struct config_key *key, const struct yaml_node *node, int fd,
                         const struct stat *st, bool credential)
{
    if (st->st_mode & (credential ? 007 : 077)) {
        config_fault(l, node->place,
                     "`%s` is a secret that group or others can reach (mode %04o); hint: chmod 600",
                     key->name, (unsigned)(st->st_mode & 07777));
        return false;
    }
    if (st->st_size > SECRET_FILE_MAX) {
        config_fault(l, node->place, "`%s` is larger than %lld KiB", key->name, SECRET_FILE_MAX / KIB);
        return false;
    }
    if (secret_length(fd, st->st_size) < key->min) {
        config_fault(l, node->place, "`%s` must hold at least %lld bytes", key->name, (long long)key->min);
        return false;
    }
    return true;
}

void config_take_file(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to)
{
    const char *path;
    bool credential;
    struct stat st;
    if (!config_text(l, node))
        return;
    _cleanup_(cleanup_close) int fd = open_file(l, node, &path, &credential);
    if (fd < 0)
        return;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        config_fault(l, node->place, "%.300s is no regular file", path);
        return;
    }
    if (st.st_size == 0) {
        config_fault(l, node->place, "%.300s is empty", path);
        return;
    }
    if (key->type == CONFIG_SECRET && !check_secret(l, key, node, fd, &st, credential))
        return;
    memcpy(to, &path, sizeof path);
}

/* -- the configuration itself -- */

int config_read(const char *path, struct buffer *out, struct faults *faults)
{
    struct stat st;
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        fault_add(faults, path, "the configuration cannot be read: %s", strerror(errno));
        return -1;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX) {
        fault_add(faults, path,
                  S_ISREG(st.st_mode) ? "the configuration is larger than %lld KiB"
                                      : "the configuration is no regular file (%lld KiB at most)",
                  CONFIG_MAX / KIB);
        return -1;
    }
    for (ssize_t n = 1; n > 0;) {
        char *to = buffer_reserve(out, 16 * KIB);
        n = to ? read(fd, to, 16 * KIB) : -1;
        out->len += n > 0 ? (size_t)n : 0;
        if (n < 0) {
            fault_add_code(faults, out->no_memory ? ERR_NO_MEMORY : ERR_CONFIG, path,
                           "the configuration cannot be read: %s",
                           to               ? strerror(errno)
                           : out->no_memory ? "out of memory"
                                            : "too large");
            return -1;
        }
    }
    return 0;
}

const char *config_folder(struct loader *l)
{
    char folder[PATH_MAX], real[PATH_MAX];
    bool fits = str_copy(folder, sizeof folder, l->file);
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash[1] = '\0';
    else if (slash)
        *slash = '\0';
    if (!fits || !realpath(slash ? folder : ".", real)) {
        fault_add(l->faults, l->file, "the folder of the configuration cannot be resolved");
        return NULL;
    }
    const char *text = arena_strdup(l->arena, real);
    if (!text)
        config_no_memory(l, (struct yaml_place){1, 1});
    return text;
}
