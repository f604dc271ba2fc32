#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "tests/support/folder.h"

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10
#define A250 A50 A50 A50 A50 A50

static char folder[FOLDER_SIZE];

static void put_at(const char *dir, const char *name, const char *text, mode_t mode)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
    _cleanup_(cleanup_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
}

static void put(const char *name, const char *text, mode_t mode)
{
    put_at(folder, name, text, mode);
}

static int make_world(void **state)
{
    (void)state;
    folder_make("config", folder);
    put("good.key", "0123456789abcdef0123456789abcdef\n", 0600);
    put("short.key", "0123456789abcdef0123456789abcde\n", 0600); /* 31 bytes and an editor's newline */
    put("group.key", "0123456789abcdef0123456789abcdef", 0640);
    put("others.key", "0123456789abcdef0123456789abcdef", 0604);
    put("empty.key", "", 0600);
    put("public.pem", "-----BEGIN PUBLIC KEY-----\n", 0644);
    put("jwks.json", "{\"keys\":[]}", 0644);
    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("CREDENTIALS_DIRECTORY");
    return 0;
}

static int remove_world(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static const char *config_path(void)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/recoverd.yaml", folder);
    return path;
}

struct outcome {
    struct arena *arena;
    struct faults faults;
    struct err err;
    struct config *config;
};

static void outcome_done(struct outcome *outcome)
{
    config_release(outcome->config);
    arena_free(outcome->arena);
}

static void load(const char *text, struct outcome *outcome)
{
    put("recoverd.yaml", text, 0644);
    *outcome = (struct outcome){.arena = arena_new(1 << 20)};
    faults_init(&outcome->faults, outcome->arena);
    outcome->config = config_load(config_path(), &outcome->faults, &outcome->err);
}

/* -- one table: text to faults with places -- */

#define AUTH "auth:\n  issuers:\n" /* lines 1, 2 */
#define LOCAL                                                                                                \
    "    - {issuer: local, audiences: [r], algorithms: [HS256], secret_file: good.key}\n" /* line 3 */
#define DEMO                                                                                                 \
    "environments:\n  demo:\n    region: us-east-1\n    endpoint_url: http://127.0.0.1:5000\n"               \
    "    recovery_points: s3://bucket/root\n" /* lines 4 to 8 */
/* members at 3:39 */
#define ISSUER(members) AUTH "    - {issuer: local, audiences: [r], " members "}\n" DEMO
#define ENV(lines) AUTH LOCAL DEMO lines                   /* from line 9, 4 spaces */
#define ROOT(lines) AUTH LOCAL DEMO lines                  /* from line 9 */
#define ONLY_ENV(lines) AUTH LOCAL "environments:\n" lines /* from line 5, 2 spaces */
#define RS "algorithms: [RS256], jwks_file: jwks.json"

/* Faults: "LINE:COLUMN a part of the detail", one a line, in their order and no others; "" is a good
 * configuration. */
static const struct row {
    const char *text;
    const char *faults;
} rows[] = {
    /* shape and syntax */
    {ROOT(""), ""},
    {"", "1:1 `auth` is missing\n1:1 `environments` is missing"},
    {"# nothing\n", "1:1 `auth` is missing\n1:1 `environments` is missing"},
    {"- a\n", "1:1 the configuration must be a mapping"},
    {"text\n", "1:1 the configuration must be a mapping"},
    {"a: [1\nb: 2\n", "2:2 did not find expected ',' or ']'"},
    {"a: \"x\n", "2:1 found unexpected end of stream"},
    {"\ta: 1\n", "1:1 found character that cannot start any token"},
    {ROOT("node: \xff\n"), "9:7 the file is not UTF-8"},
    {ROOT("node: \"a\\0b\"\n"), "9:7 the text has a NUL in it"},
    {ROOT("---\nnode: b\n"), "9:1 a second document begins here"},
    {ROOT("? [a]\n: b\n"), "9:3 a key must be a plain text"},
    {ROOT("node: &x n1\nplain_http: *x\n"), "9:7 anchors are not taken here: &x\n10:13 aliases are not taken "
                                            "here: *x\n10:13 `plain_http` has no value"},
    {ROOT("node: !!str n1\n"), "9:7 tags are not taken here"},
    {"a: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]\n", "1:19 nested deeper than 16"},
    /* keys */
    {ROOT("lisen: 127.0.0.1:1\n"), "9:1 unknown key `lisen`; did you mean `listen`?"},
    {ROOT("zebra: 1\n"), "9:1 unknown key `zebra`\n"},
    {ROOT("http: {conections: 5}\n"), "9:8 unknown key `conections`; did you mean `connections`?"},
    {ROOT("node: a\nlisten: 127.0.0.1:1\nnode: b\n"),
     "11:1 key `node` is repeated; it stands at FILE:9:1 already"},
    {ENV("    region: eu-west-1\n"), "9:5 key `region` is repeated; it stands at FILE:6:5 already"},
    {ROOT("node: a\nnode: b\nnode: c\n"), "10:1 key `node` is repeated; it stands at FILE:9:1\n11:1 key "
                                          "`node` is repeated; it stands at FILE:9:1"},
    /* keys of later versions */
    {ROOT("audit: {key_file: audit.key}\n"), "9:1 `audit`: not in this version"},
    {ROOT("schedules: {}\nretention: {}\nalerts: {}\nslack: {}\nmetrics: {}\ndashboard: {}\n"),
     "9:1 not in this version\n10:1 not in this version\n11:1 not in this version\n12:1 not in this version\n"
     "13:1 not in this version\n14:1 not in this version"},
    {ROOT("rate_limits: 1\ncors: 1\nrules: 1\nopenpgp: 1\n"),
     "9:1 not in this version\n10:1 not in this version\n11:1 not in this version\n12:1 not in this version"},
    {ENV("    buckets: [b]\n    functions: [f]\n    pointers: {}\n"),
     "9:5 `buckets`: not in this version\n10:5 `functions`: not in this version\n11:5 `pointers`: not in "
     "this version"},
    {ENV("    openpgp_recipients: {}\n    aws_backup: {}\n"),
     "9:5 `openpgp_recipients`: not in this version\n10:5 `aws_backup`: not in this version"},
    {ENV("    approval: {second_person: none}\n"), ""},
    {ENV("    approval: {second_person: destructive}\n"),
     "9:31 `second_person: destructive`: not in this version"},
    {ENV("    approval: {second_person: maybe}\n"), "9:31 must be one of: none destructive restore"},
    {ISSUER("algorithms: [RS256], jwks_url: https://idp/jwks"), ""},
    {ISSUER("algorithms: [RS256], jwks_url: \"https://idp/keys?p=b2c_1\""), ""},
    {ISSUER("algorithms: [RS256], jwks_url: \"http://127.0.0.1:8080/jwks\""), ""},
    {ISSUER("algorithms: [RS256], jwks_url: http://idp/jwks"),
     "3:70 `jwks_url` must be an https url (http on loopback only)"},
    {ISSUER("algorithms: [RS256], jwks_url: idp-jwks.json"),
     "3:70 `jwks_url` must be an https url (http on loopback only)"},
    {ISSUER("algorithms: [RS256], jwks_url: \"https://a@idp/jwks\""),
     "3:70 `jwks_url` must be an https url (http on loopback only)"},
    {ISSUER("algorithms: [RS256], jwks_url: https://idp/jwks, jwks_ca_file: absent.pem"),
     "3:102 file not found"},
    {ISSUER("algorithms: [HS256], jwks_url: https://idp/jwks"), "3:52 `HS256` needs a secret_file"},
    {ROOT("store: postgresql://u@h/db\n"), "9:8 not in this version"},
    /* listeners, http, log, workers */
    {ROOT("listen: \"[::1]:8480\"\nops_listen: 127.9.9.9:9480\n"), ""},
    {ROOT("listen: 0.0.0.0:8480\n"), "9:9 `listen` is not loopback: it needs `tls`, or `plain_http: true`"},
    {ROOT("listen: \"[::]:8480\"\n"), "9:9 `listen` is not loopback"},
    {ROOT("listen: \"[::ffff:10.0.0.1]:8480\"\n"), "9:9 `listen` is not loopback"},
    {ROOT("listen: \"[::ffff:127.0.0.1]:8480\"\n"), ""},
    {ROOT("listen: 0.0.0.0:8480\nplain_http: true\n"), ""},
    {ROOT("listen: 0.0.0.0:8480\ntls: {certificate_file: public.pem, key_file: good.key}\n"), ""},
    {ROOT("ops_listen: 10.0.0.1:9480\n"), ""},
    {ROOT("listen: localhost:8480\n"), "9:9 must be a numeric address and a port"},
    {ROOT("listen: 127.0.0.1\n"), "9:9 must be a numeric address and a port"},
    {ROOT("listen: 127.0.0.1:65536\n"), "9:9 must be a numeric address and a port"},
    {ROOT("listen: ::1:8480\n"), "9:9 must be a numeric address and a port"},
    {ROOT("listen: \"[127.0.0.1]:8480\"\n"), "9:9 must be a numeric address and a port"},
    {ROOT("listen: [a]\n"), "9:9 `listen` must be one value"},
    {ROOT("listen:\n"), "9:8 `listen` has no value"},
    {ROOT("listen: 127.0.0.1:9480\n"), "9:9 `listen` and `ops_listen` are the same address"},
    {ROOT("http: {connections: 10, waiters: 11}\n"), "9:1 `http.waiters` must not exceed `http.connections`"},
    {ROOT("http: {connections: 0, waiters: -1}\n"),
     "9:21 must be a whole number from 1 to 65536\n9:33 must be a whole number from 0 to 65536"},
    {ROOT("http: {connections: \"5\"}\n"), "9:21 must be a whole number"},
    {ROOT("http: {connections: 5x}\n"), "9:21 must be a whole number"},
    {ROOT("http: 5\n"), "9:7 `http` must be a mapping"},
    {ROOT("plain_http: yes\n"), "9:13 `plain_http` must be true or false"},
    {ROOT("plain_http: \"true\"\n"), "9:13 `plain_http` must be true or false"},
    {ROOT("log: {level: loud, format: xml}\n"), "9:14 `level` must be one of: debug info warn error; not "
                                                "`loud`\n9:28 `format` must be one of: json text"},
    {ROOT("workers: {threads: 257, memory: 1MiB, lease: 1s, drain: 2h, min_free: 2TiB}\n"),
     "9:20 from 1 to 256\n9:33 from 8MiB to 64GiB\n9:46 from 5s to 1h\n9:57 from 1s to 10m\n9:71 from 0B to "
     "1TiB"},
    {ROOT("workers: {memory: 64MB, lease: 60, drain: fast}\n"),
     "9:19 must be a size such as\n9:32 must be a duration such as\n9:43 must be a duration such as"},
    {ROOT("public_url: ftp://x\n"), "9:13 `public_url` must be an http or https url"},
    {ROOT("public_url: https://recover.example.com/a?b\n"), "9:13 `public_url` must be an http or https url"},
    {ROOT("trusted_proxies: [10.0.0.0/8, \"fd00::/8\"]\n"), ""},
    {ROOT("trusted_proxies: [10.0.0.1/8, 10.0.0.0, 10.0.0.0/33, x/8]\n"),
     "9:19 must be a network\n9:31 must be a network\n9:41 must be a network\n9:54 must be a network"},
    {ROOT("node: \"a b\"\n"), "9:7 `node` must be 1 to 64"},
    {ROOT("node: \"a\\u0007b\"\n"), "9:7 `node` has a control character in it"},
    {ROOT("data_dir: good.key\n"), "9:11 is no folder"},
    {ROOT("store: mysql:x\n"), "9:8 `store` must be sqlite:PATH"},
    {ROOT("store: \"sqlite:\"\n"), "9:8 `store` must be sqlite:PATH"},
    /* files */
    {ROOT("tls: {certificate_file: public.pem}\n"), "9:1 `key_file` is missing"},
    {ROOT("tls: {certificate_file: gone.pem, key_file: group.key}\n"),
     "9:25 file not found: DIR/gone.pem\n9:45 `key_file` is a secret that group or others can reach (mode "
     "0640)"},
    {ROOT("totp: {}\n"), "9:1 `key_file` is missing"},
    {ROOT("totp: {key_file: others.key}\n"), "9:18 group or others can reach (mode 0604)"},
    {ROOT("totp: {key_file: empty.key}\n"), "9:18 is empty"},
    {ROOT("totp: {key_file: .}\n"), "9:18 is no regular file"},
    {ROOT("totp: {key_file: short.key}\n"), "9:18 `key_file` must hold at least 32 bytes"},
    {ROOT("totp: {key_file: good.key}\n"), ""},
    /* issuers */
    {AUTH "    []\n" DEMO, "3:5 `issuers` must have 1 to 32 entries"},
    {"auth: {}\n" DEMO, "1:1 `issuers` is missing"},
    {"auth:\n" DEMO, "1:6 `auth` must be a mapping"},
    {AUTH "    - {}\n" DEMO,
     "3:7 `issuer` is missing\n3:7 `audiences` is missing\n3:7 `algorithms` is missing\n"
     "3:7 the issuer needs one of"},
    {AUTH LOCAL "    - {issuer: local, audiences: [r], algorithms: [RS256], jwks_file: jwks.json}\n" DEMO,
     "4:16 issuer `local` stands twice"},
    {AUTH "    - {issuer: http://idp.example.com/, audiences: [r], " RS "}\n" DEMO,
     "3:16 `issuer` must be an https url"},
    {AUTH "    - {issuer: https://idp.example.com/?x=1, audiences: [r], " RS "}\n" DEMO,
     "3:16 must be an https url"},
    {AUTH "    - {issuer: https://u@idp.example.com/, audiences: [r], " RS "}\n" DEMO,
     "3:16 must be an https url"},
    {AUTH "    - {issuer: https://idp.example.com/, audiences: [r], " RS "}\n" DEMO, ""},
    {AUTH "    - {issuer: \"http://127.0.0.1:8080/\", audiences: [r], " RS "}\n" DEMO, ""},
    {AUTH "    - {issuer: local, audiences: [], " RS "}\n" DEMO, "3:34 `audiences` must have 1 to"},
    {AUTH "    - {issuer: local, audiences: r, " RS "}\n" DEMO, "3:34 `audiences` must be a list"},
    {AUTH "    - {issuer: local, audiences: [r, r], " RS "}\n" DEMO, "3:38 `r` stands twice in `audiences`"},
    {ISSUER("algorithms: [RS256]"),
     "3:7 the issuer needs one of jwks_url, jwks_file, public_key_file, secret_file"},
    {ISSUER("algorithms: [RS256], jwks_file: jwks.json, public_key_file: public.pem"),
     "3:82 `public_key_file` beside `jwks_file`: an issuer has exactly one key source"},
    {ISSUER("algorithms: [HS256], secret_file: good.key, jwks_file: jwks.json"),
     "3:83 `jwks_file` beside `secret_file`"},
    {ISSUER("algorithms: [none, rs256, HS256], secret_file: good.key"),
     "3:52 must be one of RS256\n3:58 must be one of RS256"},
    {ISSUER("algorithms: [HS256], public_key_file: public.pem"), "3:52 `HS256` needs a secret_file"},
    {ISSUER("algorithms: [HS512, ES256], secret_file: good.key"), "3:59 `ES256` does not fit a secret_file"},
    {ISSUER("algorithms: [HS256], secret_file: short.key"), "3:73 `secret_file` must hold at least 32 bytes"},
    {ISSUER("algorithms: [HS256], secret_file: group.key"),
     "3:73 `secret_file` is a secret that group or others"},
    {ISSUER("algorithms: [EdDSA, PS512, ES384], jwks_file: jwks.json, types: [at+jwt], max_lifetime: 24h"),
     ""},
    {ISSUER("algorithms: [EdDSA], jwks_file: jwks.json, max_lifetime: 25h"), "3:96 must be from 1m to 1d"},
    {ISSUER("algorithms: [EdDSA], jwks_file: jwks.json, roles_claim: /a~2b"), "3:95 must be a claim's name"},
    {ISSUER("algorithms: [EdDSA], jwks_file: jwks.json, mfa: {}"),
     "3:82 `mfa` needs `acr_values` or `amr_values`"},
    {ISSUER("algorithms: [EdDSA], jwks_file: jwks.json, mfa: {amr_values: [mfa], max_age: 1s}"),
     "3:116 must be from 10s to 1d"},
    {ISSUER("algorithms: [EdDSA], jwks_file: jwks.json, role_map: {a: [operator@demo, viewer@*, auditor]}"),
     ""},
    {ISSUER("algorithms: [EdDSA], jwks_file: jwks.json, role_map: {a: [admin@demo, operator@prod, viewer@]}"),
     "3:97 `admin` is no role\n3:109 `operator@prod` names an environment that is not configured\n"
     "3:124 `viewer@` names an environment"},
    {ISSUER("algorithms: [EdDSA], jwks_file: jwks.json, role_map: {a: viewer}"), "3:96 `a` must be a list"},
    /* environments */
    {AUTH LOCAL "environments: {}\n", "4:15 `environments` must have 1 to 64 entries"},
    {AUTH LOCAL "environments: {../x: {}}\n", "4:16 an environment's name must have"},
    {AUTH LOCAL "environments: {a: 1}\n", "4:19 `a` must be a mapping"},
    {ONLY_ENV("  a: {}\n"),
     "5:3 `region` is missing\n5:3 `recovery_points` is missing\n5:3 `account` is missing"},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: s3://abc}\n"), "5:3 `account` is missing"},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: s3://abc, account: \"123456789012\"}\n"), ""},
    {ONLY_ENV("  a: {region: us-gov-west-1, recovery_points: s3://abc/, account: 012345678901}\n"), ""},
    {ONLY_ENV("  a: {region: useast1, recovery_points: s3://abc, account: 1234}\n"),
     "5:15 must be a region such as us-east-1\n5:60 must be an account id of 12 digits"},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: s3://abc, account: \"123456789012\", endpoint_url: "
              "http://10.0.0.1:5000}\n"),
     "5:92 `endpoint_url` must be https, or on loopback"},
    {ONLY_ENV(
         "  a: {region: us-east-1, recovery_points: s3://abc, endpoint_url: https://vpce.example.com}\n"),
     "5:3 `account` is missing"},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: s3://abc, endpoint_url: \"http://[::1]:5000\"}\n"),
     ""},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: s3://abc, endpoint_url: \"127.0.0.1:5000\"}\n"),
     "5:67 `endpoint_url` must be a url"},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: s3://abc, endpoint_url: "
              "\"http://127.0.0.1@evil.example.com/\"}\n"),
     "5:67 `endpoint_url` must be a url"},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: file:///p, endpoint_url: http://localhost:1}\n"),
     "5:43 it needs `allow_unencrypted: true`"},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: file:///p/, allow_unencrypted: true, endpoint_url: "
              "http://localhost:1}\n"),
     ""},
    {ONLY_ENV(
         "  a: {region: us-east-1, recovery_points: file:///p/../q, allow_unencrypted: true, endpoint_url: "
         "http://localhost:1}\n"),
     "5:43 `recovery_points` must be s3://bucket/prefix"},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: file://p, endpoint_url: http://localhost:1}\n"),
     "5:43 `recovery_points` must be s3://bucket/prefix"},
    {ONLY_ENV("  a: {region: us-east-1, recovery_points: s3://Bucket/x, endpoint_url: http://localhost:1}\n"),
     "5:43 `recovery_points` must be s3://bucket/prefix"},
    {ENV("    uri_roots: [s3://abc//d, gs://abc, file:///x/./y]\n"),
     "9:17 `uri_roots` must be\n9:30 `uri_roots` must be\n9:40 `uri_roots` must be"},
    {ENV("    tables: [ab, \"a b\", \"a/b\", Sales, \"Sales*\"]\n"),
     "9:14 `tables` must be a table's name\n9:18 `tables` must be a table's name\n9:25 `tables` must be a "
     "table's name"},
    {ENV("    tables: [Sales, Sales]\n"), "9:21 `Sales` stands twice in `tables`"},
    {ENV("    tables: [" A250 "aaaaa]\n"), ""},
    {ENV("    tables: [" A250 "aaaaaa]\n"), "9:14 must be a table's name"},
    {ENV("    role_arn: arn:aws:iam::1:role/x\n"), "9:15 `role_arn` must be a role"},
    {ENV("    role_arn: arn:aws-us-gov:iam::123456789012:role/a/x\n    external_id: abc\n"), ""},
    {ENV("    external_id: abc\n"), "9:5 `external_id` needs `role_arn`"},
    {ENV("    profile: p\n    role_arn: arn:aws:iam::123456789012:role/x\n"),
     "10:5 `role_arn` beside `profile`"},
    {ENV("    kms_key: nonsense\n"), "9:14 `kms_key` must be"},
    {ENV("    limits: {read_units_per_second: 0, write_units_per_second: 1.5}\n"),
     "9:37 must be a whole number\n9:64 must be a whole number"},
    {ENV("    objectives: {rto: {critical: 1h, full: 4h}, rpo: {tables: 10m, buckets: 15m}}\n"), ""},
    {ENV("    objectives: {rto: {critical: 0s}, rpo: {table: 1m}}\n"),
     "9:34 must be from 1s to 366d\n9:45 unknown key `table`; did you mean `tables`?"},
    {ENV("    tags: {owner: sales, empty: \"\"}\n"), ""},
    {ENV("    tags: {\"aws:x\": 1, \"recoverd:job\": 2, a: [1], \"\": x}\n"),
     "9:12 tags that begin with aws:\n9:24 tags that begin with aws:\n9:46 `a` must be one value\n"
     "9:51 a tag's name must have"},
/* two environments claiming one resource */
#define TWO(a, b)                                                                                            \
    ONLY_ENV("  a: {region: us-east-1, account: 111111111111, recovery_points: s3://abc, tables: [" a "]}\n" \
             "  b: {region: us-east-1, " b "]}\n")
#define SAME "account: 111111111111, recovery_points: s3://abc, tables: ["
    {TWO("Sales, Buyers", SAME "Producers, Buyers"),
     "6:96 `Buyers` is claimed by environment `a` too, as `Buyers` at FILE:5:92"},
    {TWO("\"Sales-*\"", SAME "Sales-1, Sale"),
     "6:85 `Sales-1` is claimed by environment `a` too, as `Sales-*` at FILE:5:85"},
    {TWO("Sales-1", SAME "\"Sales-?\""),
     "6:85 `Sales-?` is claimed by environment `a` too, as `Sales-1` at FILE:5:85"},
    {TWO("\"S*\"", SAME "\"S*\""), "6:85 `S*` is claimed by environment `a` too"},
    {TWO("\"S*\"", SAME "\"T*\""), ""},
    {TWO("Sales", "account: 222222222222, recovery_points: s3://abc, tables: [Sales"), ""},
    {TWO("Sales", "endpoint_url: http://127.0.0.1:1, recovery_points: s3://abc, tables: [Sales"), ""},
    /* all of them in one run */
    {"lisen: x\nlisten: 0.0.0.0:1\nstore: x\nauth:\n  issuers: [{}]\nenvironments:\n  demo: {region: x}\n",
     "1:1 unknown key `lisen`\n3:8 `store` must be\n5:13 `issuer` is missing\n5:13 `audiences` is missing\n"
     "5:13 `algorithms` is missing\n5:13 the issuer needs\n7:18 must be a region\n7:3 `recovery_points` is "
     "missing\n"
     "7:3 `account` is missing\n2:9 `listen` is not loopback"},
};

/* FILE and DIR in what is wanted stand for the configuration and its folder. */
static bool has_part(const char *detail, const char *wanted, size_t wanted_len)
{
    char part[600];
    size_t len = 0;
    for (size_t i = 0; i < wanted_len;) {
        struct bytes rest = {wanted + i, wanted_len - i};
        const char *stands = bytes_starts(rest, "FILE")   ? config_path()
                             : bytes_starts(rest, "DIR/") ? folder
                                                          : NULL;
        if (stands)
            len += (size_t)snprintf(part + len, sizeof part - len, "%s", stands);
        else
            part[len++] = wanted[i];
        i += !stands ? 1 : stands == folder ? 3 : 4;
    }
    part[len] = '\0';
    return strstr(detail, part) != NULL;
}

static bool is_fault(const struct fault *fault, const char *line, size_t len)
{
    size_t place_len = strcspn(line, " "), path_len = strlen(config_path());
    return strncmp(fault->place, config_path(), path_len) == 0 && fault->place[path_len] == ':' &&
           strlen(fault->place + path_len + 1) == place_len &&
           strncmp(fault->place + path_len + 1, line, place_len) == 0 &&
           has_part(fault->detail, line + place_len + 1, len - place_len - 1);
}

static bool check_row(const struct row *row)
{
    _cleanup_(outcome_done) struct outcome o;
    size_t found = 0;
    bool good = true;
    load(row->text, &o);
    for (const char *line = row->faults; *line;) {
        size_t len = strcspn(line, "\n");
        good = good && found < o.faults.count && is_fault(&o.faults.list[found], line, len);
        found++;
        line += len + (line[len] == '\n');
    }
    good = good && found == o.faults.count && (o.config != NULL) == (found == 0) &&
           o.err.code == (found ? ERR_CONFIG : ERR_NONE);
    if (good)
        return true;
    print_error("row %zu:\n%s\nwanted:\n%s\nfound:\n", (size_t)(row - rows), row->text, row->faults);
    for (size_t i = 0; i < o.faults.count; i++)
        print_error("%s %s\n", o.faults.list[i].place, o.faults.list[i].detail);
    return false;
}

static void every_fault_is_found_in_one_run_with_its_place(void **state)
{
    (void)state;
    size_t bad = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        bad += !check_row(&rows[i]);
    assert_int_equal(bad, 0);
    assert_true(COUNT_OF(rows) >= 80);
}

/* -- what comes out -- */

static void what_is_left_out_has_the_contracts_defaults(void **state)
{
    (void)state;
    _cleanup_(outcome_done) struct outcome o;
    load(ROOT("    tables: [Sales, \"Buy*\"]\n"), &o);
    assert_non_null(o.config);
    const struct config *c = o.config;
    assert_string_equal(c->listen.host, "127.0.0.1");
    assert_int_equal(c->listen.port, 8480);
    assert_true(c->listen.loopback);
    assert_int_equal(c->ops_listen.port, 9480);
    assert_int_equal(c->http_connections, 512);
    assert_int_equal(c->http_waiters, 256);
    assert_string_equal(c->data_dir, "/var/lib/recoverd");
    assert_string_equal(c->store, "sqlite:/var/lib/recoverd/recoverd.db");
    assert_int_equal(c->log_level, LOG_INFO);
    assert_int_equal(c->log_format, LOG_JSON);
    assert_int_equal(c->worker_threads, 16);
    assert_int_equal(c->worker_memory, 64 * MIB);
    assert_int_equal(c->lease_ms, 60000);
    assert_int_equal(c->drain_ms, 30000);
    assert_int_equal(c->min_free_bytes, 256 * MIB);
    assert_string_equal(c->identity_claim, "sub");
    assert_null(c->tls_certificate_file);
    assert_null(c->totp_key_file);
    assert_true(c->node[0] != '\0');
    assert_string_equal(c->path, config_path());
    const struct issuer_config *issuer = &c->issuers[0];
    assert_int_equal(issuer->max_lifetime_ms, 3600000);
    assert_int_equal(issuer->types.count, 2);
    assert_string_equal(issuer->roles_claim, "roles");
    assert_null(issuer->role_map);
    assert_false(issuer->mfa);
    assert_int_equal(issuer->mfa_max_age_ms, 300000);
    const struct environment *demo = config_environment(c, "demo");
    assert_non_null(demo);
    assert_true(environment_lists_table(demo, "Buyers"));
    assert_null(config_environment(c, "prod"));
    assert_null(config_environment(c, NULL));
}

static void every_key_of_the_contract_comes_to_its_place(void **state)
{
    (void)state;
    _cleanup_(outcome_done) struct outcome o;
    load(
        "listen: \"[::1]:1\"\nops_listen: 127.0.0.2:2\npublic_url: https://r.example.com\n"
        "trusted_proxies: [10.0.0.0/8]\nhttp: {connections: 3, waiters: 2}\ndata_dir: d\nstore: sqlite:s.db\n"
        "log: {level: warn, format: text}\ntls: {certificate_file: public.pem, key_file: good.key}\n"
        "workers: {threads: 4, memory: 9MiB, lease: 5s, drain: 6s, min_free: 7KiB}\nnode: n1\n"
        "totp: {key_file: good.key}\nauth:\n  identity_claim: email\n  issuers:\n"
        "  - issuer: https://idp.example.com/\n    audiences: [a, b]\n    algorithms: [RS256]\n"
        "    public_key_file: public.pem\n    types: [JWT]\n    max_lifetime: 10m\n    roles_claim: "
        "/x/roles\n"
        "    role_map: {admins: [BackupAdministrator@prod], devs: [operator@prod, viewer]}\n"
        "    mfa: {acr_values: [urn:x], max_age: 1m}\n"
        "environments:\n  prod:\n    account: \"000000000012\"\n    region: eu-central-1\n    tables: [T-1]\n"
        "    recovery_points: s3://bucket/root/\n    uri_roots: [s3://bucket/other/, file:///srv/x/]\n"
        "    role_arn: arn:aws:iam::123456789012:role/r\n    external_id: ext\n    kms_key: alias/k\n"
        "    limits: {read_units_per_second: 10, write_units_per_second: 20}\n"
        "    objectives: {rto: {critical: 1h, full: 4h}, rpo: {tables: 10m, buckets: 15m}}\n"
        "    tags: {owner: sales}\n",
        &o);
    assert_non_null(o.config);
    const struct config *c = o.config;
    char wanted[400];
    assert_string_equal(c->listen.host, "::1");
    assert_int_equal(c->listen.port, 1);
    assert_string_equal(c->ops_listen.host, "127.0.0.2");
    assert_string_equal(c->public_url, "https://r.example.com");
    assert_string_equal(c->trusted_proxies.names[0], "10.0.0.0/8");
    assert_int_equal(c->http_connections, 3);
    assert_int_equal(c->http_waiters, 2);
    snprintf(wanted, sizeof wanted, "%s/d", folder);
    assert_string_equal(c->data_dir, wanted);
    snprintf(wanted, sizeof wanted, "sqlite:%s/s.db", folder);
    assert_string_equal(c->store, wanted);
    assert_int_equal(c->log_level, LOG_WARN);
    assert_int_equal(c->log_format, LOG_TEXT);
    snprintf(wanted, sizeof wanted, "%s/good.key", folder);
    assert_string_equal(c->tls_key_file, wanted);
    assert_string_equal(c->totp_key_file, wanted);
    assert_int_equal(c->worker_threads, 4);
    assert_int_equal(c->worker_memory, 9 * MIB);
    assert_int_equal(c->lease_ms, 5000);
    assert_int_equal(c->drain_ms, 6000);
    assert_int_equal(c->min_free_bytes, 7 * KIB);
    assert_string_equal(c->node, "n1");
    assert_string_equal(c->identity_claim, "email");
    const struct issuer_config *issuer = &c->issuers[0];
    assert_int_equal(issuer->key_source, KEY_PUBLIC_FILE);
    assert_int_equal(issuer->audiences.count, 2);
    assert_int_equal(issuer->role_map_count, 2);
    assert_string_equal(issuer->role_map[1].from, "devs");
    assert_int_equal(issuer->role_map[1].grants[0].role, ROLE_OPERATOR);
    assert_string_equal(issuer->role_map[1].grants[0].environment, "prod");
    assert_string_equal(issuer->role_map[1].grants[1].environment, "*");
    assert_true(issuer->mfa);
    assert_string_equal(issuer->mfa_acr_values.names[0], "urn:x");
    assert_int_equal(issuer->mfa_max_age_ms, 60000);
    const struct environment *prod = &c->environments[0];
    assert_string_equal(prod->account, "000000000012");
    assert_string_equal(prod->recovery_points, "s3://bucket/root");
    assert_string_equal(prod->uri_roots.names[0], "s3://bucket/other");
    assert_string_equal(prod->uri_roots.names[1], "file:///srv/x");
    assert_string_equal(prod->external_id, "ext");
    assert_string_equal(prod->kms_key, "alias/k");
    assert_int_equal(prod->read_units_per_second, 10);
    assert_int_equal(prod->write_units_per_second, 20);
    assert_int_equal(prod->rto_full_ms, 4 * 3600000);
    assert_int_equal(prod->rpo_buckets_ms, 15 * 60000);
    assert_string_equal(prod->tag_names[0], "owner");
    assert_string_equal(prod->tag_values[0], "sales");
}

static void the_sha256_is_that_of_the_files_bytes(void **state)
{
    (void)state;
    _cleanup_(outcome_done) struct outcome a, b;
    load(ROOT(""), &a);
    load(ROOT("# x\n"), &b);
    assert_int_equal(strlen(a.config->sha256), 64);
    assert_string_not_equal(a.config->sha256, b.config->sha256);
}

static void a_file_that_is_not_there_is_a_fault_and_so_is_a_large_one(void **state)
{
    (void)state;
    _cleanup_(outcome_done) struct outcome o = {.arena = arena_new(1 << 20)};
    faults_init(&o.faults, o.arena);
    assert_null(config_load("/nonexistent/recoverd.yaml", &o.faults, &o.err));
    assert_int_equal(o.faults.count, 1);
    assert_string_equal(o.faults.list[0].place, "/nonexistent/recoverd.yaml");
    assert_int_equal(o.err.code, ERR_CONFIG);
    outcome_done(&o);
    char *large = malloc(CONFIG_MAX + 2);
    memset(large, '#', CONFIG_MAX + 1);
    large[CONFIG_MAX + 1] = '\0';
    load(large, &o);
    free(large);
    assert_null(o.config);
    assert_non_null(strstr(o.faults.list[0].detail, "larger than 256 KiB"));
}

static void a_relative_file_may_be_a_systemd_credential(void **state)
{
    (void)state;
    char credentials[300];
    snprintf(credentials, sizeof credentials, "%s/credentials", folder);
    assert_int_equal(mkdir(credentials, 0700), 0);
    put_at(credentials, "totp.cred", "0123456789abcdef0123456789abcdef",
           0440); /* as systemd's access list shows */
    put_at(credentials, "open.cred", "0123456789abcdef0123456789abcdef", 0444);
    _cleanup_(outcome_done) struct outcome o;
    load(ROOT("totp: {key_file: totp.cred}\n"), &o);
    assert_null(o.config);
    outcome_done(&o);
    setenv("CREDENTIALS_DIRECTORY", credentials, 1);
    load(ROOT("totp: {key_file: totp.cred}\n"), &o);
    assert_non_null(o.config);
    assert_true(str_starts(o.config->totp_key_file, credentials));
    outcome_done(&o);
    load(ROOT("totp: {key_file: open.cred}\n"), &o);
    assert_null(o.config);
    outcome_done(&o);
    char loop[340];
    snprintf(loop, sizeof loop, "%s/loop.cred", credentials);
    assert_int_equal(symlink("loop.cred", loop), 0);
    load(ROOT("totp: {key_file: loop.cred}\n"), &o); /* it is there, and cannot be read */
    assert_non_null(strstr(o.faults.list[0].detail, "/credentials/loop.cred cannot be read: "));
    outcome_done(&o);
    load(ROOT("totp: {key_file: none.cred}\n"), &o);
    assert_non_null(strstr(o.faults.list[0].detail, "file not found: "));
    assert_null(strstr(o.faults.list[0].detail, "/credentials/"));
    outcome_done(&o);
    load(ROOT("totp: {key_file: /totp.cred}\n"), &o); /* absolute: meant as it stands */
    assert_null(o.config);
    outcome_done(&o);
    load(ROOT("totp: {key_file: ../credentials/../totp.cred}\n"), &o);
    assert_null(o.config);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void the_endpoint_variables_are_held_to_the_same_rule(void **state)
{
    (void)state;
    static const char text[] = ONLY_ENV("  a: {region: us-east-1, recovery_points: s3://abc}\n");
    static const struct {
        const char *general, *service;
        const char *fault; /* "" for none */
    } cases[] = {
        {"http://127.0.0.1:1", NULL, ""},
        {"http://127.0.0.1:1", "http://localhost:2", ""},
        {"http://127.0.0.1:1", "https://s3.example.com", "`account` is missing"},
        {"https://aws.example.com", NULL, "`account` is missing"},
        {"http://10.0.0.1", NULL, "the variable AWS_ENDPOINT_URL must be an https url, or one on loopback"},
        {NULL, "http://127.0.0.1:1", "`account` is missing"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_(outcome_done) struct outcome o;
        if (cases[i].general)
            setenv("AWS_ENDPOINT_URL", cases[i].general, 1);
        if (cases[i].service)
            setenv("AWS_ENDPOINT_URL_S3", cases[i].service, 1);
        load(text, &o);
        unsetenv("AWS_ENDPOINT_URL");
        unsetenv("AWS_ENDPOINT_URL_S3");
        assert_int_equal(o.config != NULL, cases[i].fault[0] == '\0');
        if (!o.config)
            assert_non_null(strstr(o.faults.list[0].detail, cases[i].fault));
    }
}

static void a_snapshot_lives_until_its_last_holder_lets_go(void **state)
{
    (void)state;
    struct outcome o;
    load(ROOT(""), &o);
    struct config *held = config_hold(o.config);
    outcome_done(&o);
    assert_string_equal(held->environments[0].name, "demo"); /* ASan watches */
    config_release(held);
    config_release(NULL);
}

static void what_needs_a_restart_and_what_changed_for_security_is_named(void **state)
{
    (void)state;
    _cleanup_(outcome_done) struct outcome a, b;
    load(ROOT(""), &a);
    load(ROOT("    uri_roots: [s3://other]\nlisten: 127.0.0.1:1\nnode: other\nlog: {level: debug}\n"), &b);
    assert_string_equal(config_restart_keys(a.config, a.config, a.arena), "");
    assert_string_equal(config_restart_keys(a.config, b.config, a.arena), "listen node");
    json_auto_t *first = config_security_changes(NULL, a.config);
    json_auto_t *changes = config_security_changes(a.config, b.config);
    json_auto_t *none = config_security_changes(a.config, a.config);
    assert_true(json_is_null(json_object_get(first, "before")));
    assert_non_null(json_object_get(json_object_get(first, "after"), "issuers"));
    json_auto_t *before, *after;
    before =
        json_pack("{s:s, s:{s:{s:[]}}}", "listen", "127.0.0.1:8480", "environments", "demo", "uri_roots");
    after = json_pack("{s:s, s:{s:{s:[s]}}}", "listen", "127.0.0.1:1", "environments", "demo", "uri_roots",
                      "s3://other");
    assert_true(json_equal(json_object_get(changes, "before"), before));
    assert_true(json_equal(json_object_get(changes, "after"), after));
    assert_int_equal(json_object_size(json_object_get(none, "after")), 0);
}

/* What only the start takes is named, each by its key; what the next reader takes is not. */
static void each_key_that_waits_for_a_restart_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *named;
    } cases[] = {
        {ROOT("trusted_proxies: [10.0.0.0/8]\n"), "trusted_proxies"},
        {ROOT("http: {connections: 9, waiters: 9}\n"), "http"},
        {ROOT("ops_listen: 127.0.0.1:1\n"), "ops_listen"},
        {ROOT("data_dir: /srv\n"), "data_dir store"},
        {ROOT("store: sqlite:/srv/x.db\n"), "store"},
        {ROOT("totp: {key_file: good.key}\n"), "totp"},
        {ROOT("workers: {threads: 3}\n"), "workers"},
        {ROOT("workers: {min_free: 1MiB}\n"), "workers"},
        {ROOT("workers: {lease: 90s, drain: 90s}\n"), ""},
        {ROOT("    limits: {read_units_per_second: 7}\n"), ""},
    };
    _cleanup_(outcome_done) struct outcome before;
    load(ROOT(""), &before);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_(outcome_done) struct outcome after;
        load(cases[i].text, &after);
        assert_non_null(after.config);
        assert_string_equal(config_restart_keys(before.config, after.config, after.arena), cases[i].named);
    }
    _cleanup_(outcome_done) struct outcome one, two;
    load(ROOT("trusted_proxies: [10.0.0.0/8, 192.168.0.0/16]\n"), &one);
    load(ROOT("trusted_proxies: [10.0.0.0/8, 192.168.1.0/24]\n"), &two);
    assert_string_equal(config_restart_keys(one.config, two.config, two.arena), "trusted_proxies");
    assert_string_equal(config_restart_keys(one.config, one.config, two.arena), "");
}

/* -- init -- */

static mode_t mode_of(const char *dir, const char *name)
{
    char path[400];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void init_writes_what_passes_the_check_and_only_the_owner_can_read(void **state)
{
    (void)state;
    char dir[300], path[400];
    snprintf(dir, sizeof dir, "%s/in it \"quoted\"", folder);
    snprintf(path, sizeof path, "%s/recoverd.yaml", dir);
    struct err err = ERR_INIT;
    mode_t old = umask(0);
    assert_int_equal(config_init(dir, &err), 0);
    umask(old);
    static const char *const folders[] = {".", "data", "points", "keys"};
    static const char *const files[] = {"recoverd.yaml", "keys/issuer.secret", "keys/totp.key"};
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        assert_int_equal(mode_of(dir, folders[i]), 0700);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        assert_int_equal(mode_of(dir, files[i]), 0600);
    _cleanup_(outcome_done) struct outcome o = {.arena = arena_new(1 << 20)};
    faults_init(&o.faults, o.arena);
    o.config = config_load(path, &o.faults, &o.err);
    assert_non_null(o.config);
    assert_string_equal(o.config->issuers[0].issuer, "recoverd-local");
    assert_true(o.config->issuers[0].mfa);
    assert_non_null(config_environment(o.config, "demo"));
    assert_non_null(o.config->totp_key_file);
}

/* Only root may write there; whoever else runs this would be testing the kernel. */
static void init_below_etc_keeps_data_out_of_it(void **state)
{
    (void)state;
    char dir[] = "/etc/recoverd-test-XXXXXX", path[400];
    struct err err = ERR_INIT;
    if (!mkdtemp(dir))
        skip();
    assert_int_equal(config_init(dir, &err), 0);
    snprintf(path, sizeof path, "%s/recoverd.yaml", dir);
    _cleanup_(outcome_done) struct outcome o = {.arena = arena_new(1 << 20)};
    faults_init(&o.faults, o.arena);
    o.config = config_load(path, &o.faults, &o.err);
    static const char *const made[] = {"recoverd.yaml", "keys/issuer.secret", "keys/totp.key", "keys"};
    for (size_t i = 0; i < COUNT_OF(made); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, made[i]);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(rmdir(dir), 0); /* it goes only when nothing else is in it */
    assert_non_null(o.config);
    assert_string_equal(o.config->data_dir, "/var/lib/recoverd");
    assert_string_equal(config_environment(o.config, "demo")->recovery_points,
                        "file:///var/lib/recoverd/points");
}

static void init_leaves_what_is_there_alone(void **state)
{
    (void)state;
    char dir[300];
    snprintf(dir, sizeof dir, "%s/there", folder);
    struct err err = ERR_INIT;
    assert_int_equal(mkdir(dir, 0755), 0);
    put_at(dir, "points", "mine", 0600);
    assert_int_equal(config_init(dir, &err), -1); /* a file stands where a folder should */
    assert_int_equal(mode_of(dir, "points"), 0600);
    char path[400];
    snprintf(path, sizeof path, "%s/data", dir);
    assert_int_equal(access(path, F_OK), -1); /* what was made before is gone again */
    snprintf(path, sizeof path, "%s/points", dir);
    unlink(path);
    err = ERR_INIT;
    assert_int_equal(config_init(dir, &err), 0);
    assert_int_equal(config_init(dir, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "has a recoverd.yaml already"));
    assert_int_equal(mode_of(dir, "keys/totp.key"), 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_found_in_one_run_with_its_place),
        cmocka_unit_test(what_is_left_out_has_the_contracts_defaults),
        cmocka_unit_test(every_key_of_the_contract_comes_to_its_place),
        cmocka_unit_test(the_sha256_is_that_of_the_files_bytes),
        cmocka_unit_test(a_file_that_is_not_there_is_a_fault_and_so_is_a_large_one),
        cmocka_unit_test(a_relative_file_may_be_a_systemd_credential),
        cmocka_unit_test(the_endpoint_variables_are_held_to_the_same_rule),
        cmocka_unit_test(a_snapshot_lives_until_its_last_holder_lets_go),
        cmocka_unit_test(what_needs_a_restart_and_what_changed_for_security_is_named),
        cmocka_unit_test(each_key_that_waits_for_a_restart_is_named),
        cmocka_unit_test(init_writes_what_passes_the_check_and_only_the_owner_can_read),
        cmocka_unit_test(init_below_etc_keeps_data_out_of_it),
        cmocka_unit_test(init_leaves_what_is_there_alone),
    };
    return cmocka_run_group_tests(tests, make_world, remove_world);
}
