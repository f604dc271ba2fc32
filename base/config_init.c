/* recoverd --init DIR: a configuration to start from, that passes --check as it is. */
#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/buffer.h"
#include "base/cleanup.h"

#define VAR_DIR "/var/lib/recoverd"

/* What was made so far, newest last: all of it goes again when a later step fails. */
struct making {
    int dir;
    const char *dir_name;
    char real[PATH_MAX];
    bool packaged; /* below /etc, which holds no data and which the unit may not write */
    const char *made[8];
    size_t made_count;
};

static const char config_text[] =
    "# recoverd: the configuration. Check it with: recoverd --check --config FILE\n"
    "# Relative paths are relative to this file. Durations: 500ms 30s 5m 4h 35d. Sizes: 64KiB 5GiB.\n"
    "# Secrets are only ever in files that nobody else can read (mode 0600), or in systemd credentials.\n"
    "\n"
    "listen: 127.0.0.1:8480          # the API; an address that is not loopback needs tls, or plain_http: "
    "true behind a proxy\n"
    "ops_listen: 127.0.0.1:9480      # /metrics /healthz /readyz /version\n"
    "# public_url: https://recover.example.com\n"
    "# trusted_proxies: [10.0.0.0/8] # whose Forwarded headers count\n"
    "# http: {connections: 512, waiters: 256}\n"
    "data_dir: %s       # store, spool and uploads; created with mode 0700\n"
    "# store: sqlite:/srv/recoverd/recoverd.db      # default: recoverd.db in data_dir\n"
    "# log: {level: info, format: json}\n"
    "# tls: {certificate_file: server.pem, key_file: server.key}\n"
    "# workers: {threads: 16, memory: 64MiB, lease: 60s, drain: 30s, min_free: 256MiB}\n"
    "# node: this-server             # default: the host's name\n"
    "\n"
    "# One-time codes, for a site without an identity provider: recoverctl totp enrol\n"
    "totp: {key_file: keys/totp.key}\n"
    "\n"
    "auth:\n"
    "  identity_claim: sub           # who is the same person over issuers\n"
    "  issuers:                      # exactly one key source each: jwks_url, jwks_file, public_key_file "
    "(PEM) or secret_file (HS*)\n"
    "    # Tokens made on this machine: recoverctl token mint --config FILE. Whoever can read the secret is "
    "anyone.\n"
    "    - issuer: recoverd-local\n"
    "      audiences: [recoverd]\n"
    "      algorithms: [HS256]\n"
    "      secret_file: keys/issuer.secret\n"
    "      max_lifetime: 15m\n"
    "      roles_claim: roles        # a claim's name; a JSON pointer when it begins with /\n"
    "      mfa: {amr_values: [mfa], max_age: 5m}\n"
    "    # - issuer: https://idp.example.com/\n"
    "    #   audiences: [recoverd]\n"
    "    #   algorithms: [RS256]\n"
    "    #   jwks_url: https://idp.example.com/jwks     # fetched and renewed; jwks_ca_file: its own CA\n"
    "    #   role_map: {backup-admins: [BackupAdministrator@demo], devs: [operator@demo, viewer@*]}\n"
    "    #   mfa: {acr_values: [urn:example:mfa], max_age: 5m}\n"
    "\n"
    "environments:\n"
    "  demo:                         # an emulated AWS on this machine\n"
    "    # account: \"123456789012\"   # checked with GetCallerIdentity; required unless the endpoint is "
    "loopback\n"
    "    region: us-east-1\n"
    "    endpoint_url: http://127.0.0.1:5000       # leave it out for AWS itself; otherwise https, or "
    "loopback\n"
    "    tables: [SalesTable-demo, BuyersTable-demo, ProducersTable-demo]       # names or globs\n"
    "    recovery_points: %s       # or s3://bucket/prefix\n"
    "    allow_unencrypted: true     # a file root needs it\n"
    "    # uri_roots: [s3://bucket/exports]         # where else a source may lie\n"
    "    # profile: demo             # or role_arn and external_id; else the default credential chain\n"
    "    # limits: {read_units_per_second: 1000, write_units_per_second: 1000}\n"
    "    # objectives: {rto: {critical: 1h, full: 4h}, rpo: {tables: 10m}}\n"
    "    tags: {owner: demo}\n";

static int make_folder(struct making *m, const char *name, struct err *err)
{
    if (mkdirat(m->dir, name, 0700) < 0)
        return err_set(err, errno == EEXIST ? ERR_CONFLICT : ERR_IO, "cannot make folder %s/%s: %s",
                       m->dir_name, name, strerror(errno));
    m->made[m->made_count++] = name;
    return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

/* O_EXCL: what is there already is somebody's. fchmod: the umask may have taken even the owner's right. */
static int make_file(struct making *m, const char *name, const char *data, size_t len, struct err *err)
{
    _cleanup_(cleanup_close) int fd =
        openat(m->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, errno == EEXIST ? ERR_CONFLICT : ERR_IO, "cannot make %s/%s: %s", m->dir_name,
                       name, strerror(errno));
    m->made[m->made_count++] = name;
    if (fchmod(fd, 0600) < 0 || write_all(fd, data, len) < 0)
        return err_set(err, ERR_IO, "cannot write %s/%s: %s", m->dir_name, name, strerror(errno));
    return 0;
}

/* 256 random bits as hex: printable, so that no tool takes a newline off it. */
static int make_secret(struct making *m, const char *name, struct err *err)
{
    unsigned char random[32];
    char text[HEX_SIZE(sizeof random)];
    if (RAND_priv_bytes(random, sizeof random) != 1)
        return err_set(err, ERR_INTERNAL, "no random bytes for %s", name);
    hex_encode(random, sizeof random, text);
    int rc = make_file(m, name, text, sizeof text - 1, err);
    OPENSSL_cleanse(random, sizeof random);
    OPENSSL_cleanse(text, sizeof text);
    return rc;
}

/* SCHEME, PATH, NAME in double quotes of YAML, which escape as JSON does. */
static int quoted_path(const char *scheme, const char *real, const char *name, struct buffer *out,
                       struct err *err)
{
    buffer_add_char(out, '"');
    buffer_add_str(out, scheme);
    for (const char *c = real; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return err_set(err, ERR_CONFIG, "the folder's name has a control character in it");
        if (*c == '"' || *c == '\\')
            buffer_add_char(out, '\\');
        buffer_add_char(out, *c);
    }
    buffer_add_str(out, name);
    buffer_add_char(out, '"');
    return buffer_ok(out, "the folder's name", err);
}

static int make_config(struct making *m, struct err *err)
{
    const char *home = m->packaged ? VAR_DIR : m->real;
    _cleanup_(buffer_done) struct buffer data = BUFFER_INIT(2 * PATH_MAX), root = BUFFER_INIT(2 * PATH_MAX),
                                         text = BUFFER_INIT(8 * PATH_MAX);
    if (quoted_path("", home, m->packaged ? "" : "/data", &data, err) < 0 ||
        quoted_path("file://", home, "/points", &root, err) < 0)
        return -1;
    const struct buffer *fill[] = {&data, &root};
    const char *from = config_text;
    for (size_t i = 0; i < 2; i++) {
        const char *hole = strstr(from, "%s");
        buffer_add(&text, from, (size_t)(hole - from));
        buffer_add_bytes(&text, buffer_bytes(fill[i]));
        from = hole + 2;
    }
    buffer_add_str(&text, from);
    if (buffer_ok(&text, "the configuration", err) < 0)
        return -1;
    return make_file(m, "recoverd.yaml", text.data, text.len, err);
}

static int sync_folder(struct making *m, const char *name, struct err *err)
{
    _cleanup_(cleanup_close) int fd = openat(m->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_set(err, ERR_IO, "cannot sync %s/%s: %s", m->dir_name, name, strerror(errno));
    return 0;
}

/* The configuration last: where there is one, everything it names is there. */
static int make_all(struct making *m, struct err *err)
{
    if (faccessat(m->dir, "recoverd.yaml", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(err, ERR_CONFLICT, "%s has a recoverd.yaml already", m->dir_name);
    if (!m->packaged && (make_folder(m, "data", err) < 0 || make_folder(m, "points", err) < 0))
        return -1;
    if (make_folder(m, "keys", err) < 0 || make_secret(m, "keys/issuer.secret", err) < 0 ||
        make_secret(m, "keys/totp.key", err) < 0 || sync_folder(m, "keys", err) < 0 ||
        make_config(m, err) < 0)
        return -1;
    return sync_folder(m, ".", err);
}

static void unmake(const struct making *m)
{
    for (size_t i = m->made_count; i > 0; i--) {
        if (unlinkat(m->dir, m->made[i - 1], 0) < 0)
            unlinkat(m->dir, m->made[i - 1], AT_REMOVEDIR);
    }
}

static int place(struct making *m, struct err *err)
{
    if (!realpath(m->dir_name, m->real))
        return err_set(err, ERR_IO, "cannot resolve %s: %s", m->dir_name, strerror(errno));
    m->packaged = strncmp(m->real, "/etc/", 5) == 0;
    return 0;
}

int config_init(const char *dir, struct err *err)
{
    bool new = mkdir(dir, 0700) == 0;
    if (!new &&errno != EEXIST)
        return err_set(err, ERR_IO, "cannot make folder %s: %s", dir, strerror(errno));
    _cleanup_(cleanup_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot open folder %s: %s", dir, strerror(errno));
    struct making m = {.dir = fd, .dir_name = dir};
    if (place(&m, err) == 0 && make_all(&m, err) == 0)
        return 0;
    unmake(&m);
    if (new)
        rmdir(dir);
    return -1;
}
