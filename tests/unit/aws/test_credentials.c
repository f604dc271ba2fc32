#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/credentials.h"
#include "base/clock.h"
#include "tests/support/folder.h"
#include "tests/support/scripted_server.h"

#define MINUTE 60000LL
#define NOW 1767225600000LL /* 2026-01-01T00:00:00Z */
#define KEYS(access, end)                                                                                    \
    "{\"AccessKeyId\":\"" access                                                                             \
    "\",\"SecretAccessKey\":\"secret\",\"Token\":\"token\",\"Expiration\":\"" end "\"}"
#define STS_KEYS(access, end)                                                                                \
    "<AssumeRoleResponse xmlns=\"x\"><AssumeRoleResult><Credentials><AccessKeyId>" access                    \
    "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>" end       \
    "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"

static const char *const variables[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_PROFILE",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_ROLE_SESSION_NAME",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                        "AWS_EC2_METADATA_DISABLED",
                                        "AWS_ENDPOINT_URL_STS",
                                        "AWS_ENDPOINT_URL"};

struct fixture {
    char folder[FOLDER_SIZE];
    char path[4][128];
    struct http_client *http;
    struct environment environment;
    struct credentials_provider *provider;
    struct aws_credentials got;
    struct err err;
};

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
        unsetenv(variables[i]);
    folder_make("credentials", f->folder);
    for (int i = 0; i < 4; i++)
        snprintf(f->path[i], sizeof(f->path[i]), "%s/%d", f->folder, i);
    setenv("AWS_SHARED_CREDENTIALS_FILE", f->path[0], 1);
    setenv("AWS_CONFIG_FILE", f->path[1], 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    f->environment = (struct environment){.name = "prod", .region = "eu-central-1"};
    f->http = http_client_new(&f->err);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    credentials_provider_free(f->provider);
    http_client_free(f->http);
    folder_remove(f->folder);
    free(f);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int get_at(struct fixture *f, int64_t now)
{
    f->err = ERR_INIT;
    if (!f->provider)
        f->provider = credentials_provider_new(&f->environment, &f->err);
    if (!f->provider)
        return -1;
    return credentials_get(f->provider, f->http, NULL, now, &f->got, &f->err);
}

static void use_imds(struct scripted_server *s)
{
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", scripted_server_url(s), 1);
}

static void use_container(struct scripted_server *s)
{
    char url[128];
    snprintf(url, sizeof(url), "%s/creds", scripted_server_url(s));
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
}

static void the_environment_comes_first(void **state)
{
    struct fixture *f = *state;
    write_file(f->path[0], "[default]\naws_access_key_id=FILE\naws_secret_access_key=x\n");
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_SESSION_TOKEN", "token", 1);
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "ENV");
    assert_string_equal(f->got.session_token, "token");
    assert_string_equal(f->got.source, "environment");
    assert_int_equal(f->got.expires_ms, 0);
}

static void half_a_pair_in_the_environment_is_an_error(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    assert_int_equal(get_at(f, NOW), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
}

static void nothing_configured_says_where_it_looked(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get_at(f, NOW), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    assert_non_null(strstr(f->err.message, "instance metadata"));
}

static void the_credentials_file_wins_over_the_config_file(void **state)
{
    struct fixture *f = *state;
    write_file(f->path[0], "# comment\n[shop]\naws_access_key_id = A ; comment\naws_secret_access_key=b#c\n");
    write_file(f->path[1],
               "[profile shop]\naws_access_key_id = Z\nregion = x\ns3 =\n  aws_access_key_id = nested\n"
               "[shop]\naws_access_key_id = NOT\n");
    f->environment.profile = "shop";
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1); /* an environment with a profile uses that profile only */
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "A");
    assert_string_equal(f->got.secret_key, "b#c");
    assert_string_equal(f->got.source, "profile");
}

static void a_profile_that_is_not_there_is_an_error(void **state)
{
    struct fixture *f = *state;
    f->environment.profile = "gone";
    assert_int_equal(get_at(f, NOW), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    assert_non_null(strstr(f->err.message, "gone"));
}

static void a_profile_assumes_its_role_by_its_source(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED(
        {.expect = "^POST / .*Credential=BASE/20260101/eu-central-1/sts/aws4_request.*Action=AssumeRole&.*"
                   "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&DurationSeconds=900&"
                   "ExternalId=x%2Fy$",
         .body = STS_KEYS("ROLE", "2026-01-01T01:00:00Z")});
    setenv("AWS_ENDPOINT_URL_STS", scripted_server_url(s), 1);
    write_file(f->path[0], "[base]\naws_access_key_id=BASE\naws_secret_access_key=x\n");
    write_file(f->path[1],
               "[profile p]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=base\nexternal_id=x/y\n"
               "role_session_name=me\nduration_seconds=900\n");
    f->environment.profile = "p";
    assert_int_equal(get_at(f, NOW), 0);
    assert_null(scripted_server_fault(s));
    assert_string_equal(f->got.access_key, "ROLE");
    assert_int_equal(f->got.expires_ms, NOW + 60 * MINUTE);
    scripted_server_stop(s);
}

static void profiles_that_name_each_other_are_refused(void **state)
{
    struct fixture *f = *state;
    write_file(f->path[1],
               "[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\nrole_arn=r\nsource_profile=a\n");
    f->environment.profile = "a";
    assert_int_equal(get_at(f, NOW), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    assert_non_null(strstr(f->err.message, "its own source"));
}

static void an_sso_profile_is_refused_with_the_command_that_helps(void **state)
{
    struct fixture *f = *state;
    write_file(f->path[1], "[profile p]\nsso_session=corp\nsso_account_id=1\n");
    f->environment.profile = "p";
    assert_int_equal(get_at(f, NOW), -1);
    assert_non_null(strstr(f->err.message, "aws configure export-credentials --profile p"));
}

static void a_profile_that_wants_a_code_is_refused(void **state)
{
    struct fixture *f = *state;
    write_file(f->path[1], "[profile p]\nrole_arn=r\nsource_profile=q\nmfa_serial=m\n");
    f->environment.profile = "p";
    assert_int_equal(get_at(f, NOW), -1);
    assert_non_null(strstr(f->err.message, "mfa_serial"));
}

static void a_process_prints_credentials(void **state)
{
    struct fixture *f = *state;
    char config[512];
    write_file(f->path[2], "#!/bin/sh\n[ \"$1\" = 'a b' ] || exit 3\n"
                           "echo '{\"Version\":1,\"AccessKeyId\":\"PROC\",\"SecretAccessKey\":\"s\","
                           "\"SessionToken\":\"t\",\"Expiration\":\"2026-01-01T01:00:00Z\"}'\n");
    chmod(f->path[2], 0700);
    snprintf(config, sizeof(config), "[profile p]\ncredential_process = %s \"a b\"\n", f->path[2]);
    write_file(f->path[1], config);
    f->environment.profile = "p";
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "PROC");
    assert_string_equal(f->got.session_token, "t");
    assert_string_equal(f->got.source, "process");
}

static void a_process_that_fails_or_prints_another_version_is_an_error(void **state)
{
    struct fixture *f = *state;
    static const char *const processes[] = {"false", "true", "echo {\"Version\":2}", "/nonexistent/x",
                                            "echo 'open"};
    for (size_t i = 0; i < sizeof(processes) / sizeof(*processes); i++) {
        char config[512];
        snprintf(config, sizeof(config), "[profile p]\ncredential_process = %s\n", processes[i]);
        write_file(f->path[1], config);
        f->environment.profile = "p";
        assert_int_equal(get_at(f, NOW), -1);
        assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    }
}

struct patience {
    const char *path; /* the process writes its id there when it has begun to stay */
    int calls;        /* since then */
};

static enum err_code drain_later(void *arg)
{
    struct patience *patience = arg;
    struct stat file;
    if (stat(patience->path, &file) == 0 && file.st_size > 0)
        patience->calls++;
    return patience->calls > 5 ? ERR_DRAINING : ERR_NONE;
}

/* One that never writes, and one that closes its output and stays. Both would hold a worker, and whoever
 * waits for its credentials. */
static void a_process_that_stays_is_ended_by_the_interrupt(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = {"", "exec >&-\n"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        char text[512];
        struct patience patience = {.path = f->path[3]};
        struct http_interrupt interrupt = {drain_later, &patience};
        unlink(f->path[3]);
        snprintf(text, sizeof(text), "#!/bin/sh\n%secho $$ > %s\nexec sleep 600\n", bodies[i], f->path[3]);
        write_file(f->path[2], text);
        chmod(f->path[2], 0700);
        snprintf(text, sizeof(text), "[profile p]\ncredential_process = %s\n", f->path[2]);
        write_file(f->path[1], text);
        f->environment.profile = "p";
        f->err = ERR_INIT;
        credentials_provider_free(f->provider);
        f->provider = credentials_provider_new(&f->environment, &f->err);
        assert_int_equal(credentials_get(f->provider, f->http, &interrupt, NOW, &f->got, &f->err), -1);
        assert_int_equal(f->err.code, ERR_DRAINING);
        FILE *file = fopen(f->path[3], "r");
        int pid = 0;
        assert_non_null(file);
        assert_int_equal(fscanf(file, "%d", &pid), 1);
        fclose(file);
        assert_int_equal(kill(pid, 0), -1); /* it is gone */
    }
}

/* The server blocks SIGTERM and ignores SIGPIPE; a helper that uses timeout(1) or a pipe needs both. */
static void a_process_begins_with_its_own_signals(void **state)
{
    struct fixture *f = *state;
    char config[512];
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);
    write_file(f->path[2], "#!/bin/sh\nsh -c 'kill -TERM $$; exit 0' && exit 1\n"
                           "sh -c 'kill -PIPE $$; exit 0' && exit 1\n"
                           "echo '{\"Version\":1,\"AccessKeyId\":\"PROC\",\"SecretAccessKey\":\"s\"}'\n");
    chmod(f->path[2], 0700);
    snprintf(config, sizeof(config), "[profile p]\ncredential_process = %s\n", f->path[2]);
    write_file(f->path[1], config);
    f->environment.profile = "p";
    int rc = get_at(f, NOW);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, pipe_before);
    assert_int_equal(rc, 0);
}

static void a_web_identity_is_read_again_at_each_refresh(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.expect = "Action=AssumeRoleWithWebIdentity&.*&WebIdentityToken=one$",
                  .body = STS_KEYS("W1", "2026-01-01T01:00:00Z")},
                 {.expect = "&WebIdentityToken=two$", .body = STS_KEYS("W2", "2026-01-01T02:00:00Z")});
    setenv("AWS_ENDPOINT_URL_STS", scripted_server_url(s), 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", f->path[3], 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/w", 1);
    write_file(f->path[3], "one\n");
    assert_int_equal(get_at(f, NOW), 0);
    assert_null(strstr(scripted_server_request(s, 0), "Authorization:")); /* unsigned */
    assert_string_equal(f->got.source, "web identity");
    write_file(f->path[3], "two\n");
    assert_int_equal(get_at(f, NOW + 50 * MINUTE), 0);
    assert_string_equal(f->got.access_key, "W2");
    assert_null(scripted_server_fault(s));
    scripted_server_stop(s);
}

static void sts_says_no_inside_a_200(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = "<ErrorResponse><Error><Code>AccessDenied</"
                                                  "Code><Message>not you</Message></Error></ErrorResponse>"});
    setenv("AWS_ENDPOINT_URL_STS", scripted_server_url(s), 1);
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    f->environment.role_arn = "arn:aws:iam::1:role/r";
    f->environment.external_id = "ext";
    assert_int_equal(get_at(f, NOW), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    assert_non_null(strstr(f->err.message, "AccessDenied: not you"));
    assert_non_null(strstr(scripted_server_request(s, 0), "&ExternalId=ext"));
    assert_int_equal(scripted_server_requests(s), 1);
    scripted_server_stop(s);
}

static void sts_is_asked_again_after_a_server_error(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.status = 503}, {.cut = CUT_BEFORE_REPLY},
                                         {.body = STS_KEYS("ROLE", "2026-01-01T01:00:00Z")});
    setenv("AWS_ENDPOINT_URL_STS", scripted_server_url(s), 1);
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    f->environment.role_arn = "arn:aws:iam::1:role/r";
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "ROLE");
    scripted_server_stop(s);
}

static void use_role(struct fixture *f, struct scripted_server *s)
{
    setenv("AWS_ENDPOINT_URL_STS", scripted_server_url(s), 1);
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    f->environment.role_arn = "arn:aws:iam::1:role/r";
}

/* Nothing else has asked AWS yet: a host whose clock is wrong would never get a role. */
static void a_wrong_clock_is_put_right_for_sts_too(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED(
        {.expect = "X-Amz-Date: 20260101T000000Z",
         .status = 403,
         .headers = "Date: Wed, 01 Jan 2020 00:00:00 GMT\r\n",
         .body = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>"},
        {.expect = "X-Amz-Date: 20200101T000000Z", .body = STS_KEYS("ROLE", "2020-01-01T01:00:00Z")},
        {.status = 403,
         .headers = "Date: Wed, 01 Jan 2020 00:00:10 GMT\r\n",
         .body = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>"});
    use_role(f, s);
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "ROLE");
    credentials_reject(f->provider, "ROLE");
    assert_int_equal(get_at(f, 1577836800000LL), -1); /* the time was right: it is the key */
    assert_int_equal(scripted_server_requests(s), 3);
    assert_null(scripted_server_fault(s));
    scripted_server_stop(s);
}

static void sts_throttles_with_a_400(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED(
        {.status = 400, .body = "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"},
        {.body = STS_KEYS("ROLE", "2026-01-01T01:00:00Z")});
    use_role(f, s);
    assert_int_equal(get_at(f, NOW), 0);
    scripted_server_stop(s);
}

static enum err_code drain_at_last(void *arg)
{
    int *asks = arg;
    return --*asks <= 0 ? ERR_DRAINING : ERR_NONE;
}

/* Wherever it comes, in a request or in the wait before the next: it is told as what it is. */
static void an_interrupt_is_not_taken_for_a_failure_of_sts(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.cut = CUT_BEFORE_REPLY, .repeat = true});
    use_role(f, s);
    for (int n = 1; n <= 8; n++) { /* three requests and two waits ask at least so often */
        int asks = n;
        struct http_interrupt interrupt = {drain_at_last, &asks};
        f->err = ERR_INIT;
        credentials_provider_free(f->provider);
        f->provider = credentials_provider_new(&f->environment, &f->err);
        assert_int_equal(credentials_get(f->provider, f->http, &interrupt, NOW, &f->got, &f->err), -1);
        assert_int_equal(f->err.code, ERR_DRAINING);
    }
    scripted_server_stop(s);
}

static void a_place_that_cannot_be_asked_is_a_fault_of_the_credentials(void **state)
{
    struct fixture *f = *state;
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://10.0.0.7", 1);
    assert_int_equal(get_at(f, NOW), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS); /* not INVALID_BODY, which is said of the client's */
    assert_non_null(strstr(f->err.message, "imds: plain http to 10.0.0.7"));
}

static void a_container_gives_credentials_to_who_has_the_token(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.status = 500}, {.expect = "^GET /creds .*Authorization: from file\r",
                                   .body = KEYS("ECS", "2026-01-01T01:00:00Z")});
    use_container(s);
    write_file(f->path[3], "from file\n");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "from env", 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", f->path[3], 1);
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "ECS");
    assert_string_equal(f->got.source, "container");
    assert_null(scripted_server_fault(s));
    scripted_server_stop(s);
}

static void a_container_endpoint_elsewhere_by_plain_http_is_refused(void **state)
{
    struct fixture *f = *state;
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.7/creds", 1);
    assert_int_equal(get_at(f, NOW), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
}

static void instance_metadata_is_asked_by_version_2(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED(
        {.expect = "^PUT /latest/api/token .*X-aws-ec2-metadata-token-ttl-seconds: 21600", .body = "TOK"},
        {.expect = "^GET /latest/meta-data/iam/security-credentials/ .*X-aws-ec2-metadata-token: TOK",
         .body = "role-1"},
        {.expect = "^GET /latest/meta-data/iam/security-credentials/role-1 .*X-aws-ec2-metadata-token: TOK",
         .body = KEYS("EC2", "2026-01-01T06:00:00Z")});
    use_imds(s);
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "EC2");
    assert_string_equal(f->got.source, "imds");
    assert_null(scripted_server_fault(s));
    scripted_server_stop(s);
}

static void instance_metadata_without_version_2_is_not_used(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.status = 403});
    use_imds(s);
    assert_int_equal(get_at(f, NOW), -1);
    assert_int_equal(scripted_server_requests(s), 1);
    scripted_server_stop(s);
}

static void instance_metadata_says_no_inside_a_200(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.body = "TOK"}, {.body = "role"},
                 {.body = "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"no trust\"}"});
    use_imds(s);
    assert_int_equal(get_at(f, NOW), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    assert_non_null(strstr(f->err.message, "AssumeRoleUnauthorizedAccess: no trust"));
    scripted_server_stop(s);
}

static void expired_instance_credentials_are_used_on(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.body = "TOK"}, {.body = "role"}, {.body = KEYS("OLD", "2025-12-31T23:00:00Z")});
    use_imds(s);
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "OLD");
    assert_in_range(f->got.expires_ms, NOW + 12 * MINUTE, NOW + 20 * MINUTE);
    scripted_server_stop(s);
}

static void instance_credentials_outlive_an_ill_metadata_service(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.body = "TOK"}, {.body = "role"}, {.body = KEYS("OLD", "2026-01-01T01:00:00Z")},
                 {.status = 500, .repeat = true});
    use_imds(s);
    assert_int_equal(get_at(f, NOW), 0);
    assert_int_equal(get_at(f, NOW + 61 * MINUTE), 0); /* past its end */
    assert_string_equal(f->got.access_key, "OLD");
    assert_in_range(f->got.expires_ms, NOW + 73 * MINUTE, NOW + 81 * MINUTE);
    scripted_server_stop(s);
}

static void expired_container_credentials_are_not_used(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.body = KEYS("A", "2026-01-01T01:00:00Z")}, {.status = 400, .repeat = true});
    use_container(s);
    assert_int_equal(get_at(f, NOW), 0);
    assert_int_equal(get_at(f, NOW + 55 * MINUTE), 0); /* a refresh failed, but they are good */
    assert_string_equal(f->got.access_key, "A");
    assert_int_equal(get_at(f, NOW + 61 * MINUTE), -1);
    assert_int_equal(f->err.code, ERR_AWS_CREDENTIALS);
    scripted_server_stop(s);
}

static void credentials_that_come_expired_are_refused(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = KEYS("A", "2025-01-01T01:00:00Z")});
    use_container(s);
    assert_int_equal(get_at(f, NOW), -1);
    assert_non_null(strstr(f->err.message, "expired"));
    scripted_server_stop(s);
}

static void they_are_fetched_once_until_the_window_opens(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.body = KEYS("A", "2026-01-01T01:00:00Z")}, {.body = KEYS("B", "2026-01-01T02:00:00Z")});
    use_container(s);
    assert_int_equal(get_at(f, NOW), 0);
    assert_int_equal(get_at(f, NOW + 44 * MINUTE), 0);
    assert_string_equal(f->got.access_key, "A");
    assert_int_equal(scripted_server_requests(s), 1);
    assert_int_equal(get_at(f, NOW + 46 * MINUTE), 0);
    assert_string_equal(f->got.access_key, "B");
    assert_int_equal(scripted_server_requests(s), 2);
    scripted_server_stop(s);
}

static void after_a_failed_refresh_the_next_waits_a_minute(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = KEYS("A", "2026-01-01T01:00:00Z")}, {.status = 400},
                                         {.body = KEYS("B", "2026-01-01T02:00:00Z")});
    use_container(s);
    assert_int_equal(get_at(f, NOW), 0);
    assert_int_equal(get_at(f, NOW + 46 * MINUTE), 0);
    assert_int_equal(get_at(f, NOW + 46 * MINUTE + 59000), 0);
    assert_string_equal(f->got.access_key, "A");
    assert_int_equal(scripted_server_requests(s), 2);
    assert_int_equal(get_at(f, NOW + 47 * MINUTE), 0);
    assert_string_equal(f->got.access_key, "B");
    scripted_server_stop(s);
}

static void rejected_credentials_are_fetched_again(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.body = KEYS("A", "2026-01-01T01:00:00Z")}, {.body = KEYS("B", "2026-01-01T02:00:00Z")});
    use_container(s);
    assert_int_equal(get_at(f, NOW), 0);
    credentials_reject(f->provider, "OTHER");
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "A");
    credentials_reject(f->provider, "A");
    assert_int_equal(get_at(f, NOW), 0);
    assert_string_equal(f->got.access_key, "B");
    scripted_server_stop(s);
}

struct user {
    struct credentials_provider *provider;
    int64_t now;
    char access_key[132];
    int rc;
};

static void *use(void *arg)
{
    struct user *user = arg;
    struct err err = ERR_INIT;
    struct aws_credentials got;
    struct http_client *http = http_client_new(&err);
    user->rc = credentials_get(user->provider, http, NULL, user->now, &got, &err);
    if (user->rc == 0)
        str_copy(user->access_key, sizeof(user->access_key), got.access_key);
    http_client_free(http);
    return NULL;
}

static void use_by_many(struct user users[8], struct credentials_provider *provider, int64_t now)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        users[i] = (struct user){.provider = provider, .now = now};
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

static void one_thread_fetches_for_all(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = KEYS("A", "2026-01-01T01:00:00Z"), .delay_ms = 50},
                                         {.body = KEYS("B", "2026-01-01T02:00:00Z"), .delay_ms = 50});
    struct user users[8];
    use_container(s);
    f->provider = credentials_provider_new(&f->environment, &f->err);
    use_by_many(users, f->provider, NOW);
    assert_int_equal(scripted_server_requests(s), 1);
    for (int i = 0; i < 8; i++)
        assert_string_equal(users[i].access_key, "A");
    use_by_many(users, f->provider, NOW + 55 * MINUTE); /* mandatory: everyone waits for the new ones */
    assert_int_equal(scripted_server_requests(s), 2);
    for (int i = 0; i < 8; i++)
        assert_string_equal(users[i].access_key, "B");
    scripted_server_stop(s);
}

static void the_others_go_on_with_the_old_while_one_refreshes(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.body = KEYS("A", "2026-01-01T01:00:00Z")},
                                         {.body = KEYS("B", "2026-01-01T02:00:00Z"), .hold = true});
    use_container(s);
    assert_int_equal(get_at(f, NOW), 0);
    struct user slow = {.provider = f->provider, .now = NOW + 46 * MINUTE};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, use, &slow), 0);
    while (scripted_server_requests(s) < 2)
        sched_yield();
    assert_int_equal(get_at(f, NOW + 46 * MINUTE), 0); /* the refresh hangs at the server */
    assert_string_equal(f->got.access_key, "A");
    scripted_server_let_go(s);
    pthread_join(thread, NULL);
    assert_string_equal(slow.access_key, "B");
    scripted_server_stop(s);
}

static enum err_code drain(void *arg)
{
    (void)arg;
    return ERR_DRAINING;
}

static void a_fetch_is_interrupted(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s = SCRIPTED({.cut = CUT_HANG});
    struct http_interrupt interrupt = {drain, NULL};
    use_container(s);
    f->provider = credentials_provider_new(&f->environment, &f->err);
    assert_int_equal(credentials_get(f->provider, f->http, &interrupt, NOW, &f->got, &f->err), -1);
    assert_int_equal(f->err.code, ERR_DRAINING);
    scripted_server_stop(s);
}

static void no_message_has_a_secret(void **state)
{
    struct fixture *f = *state;
    struct scripted_server *s =
        SCRIPTED({.body = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"TOPSECRET\", oops"});
    use_container(s);
    assert_int_equal(get_at(f, NOW), -1);
    assert_null(strstr(f->err.message, "TOPSECRET"));
    scripted_server_stop(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_environment_comes_first),
        TEST(half_a_pair_in_the_environment_is_an_error),
        TEST(nothing_configured_says_where_it_looked),
        TEST(the_credentials_file_wins_over_the_config_file),
        TEST(a_profile_that_is_not_there_is_an_error),
        TEST(a_profile_assumes_its_role_by_its_source),
        TEST(profiles_that_name_each_other_are_refused),
        TEST(an_sso_profile_is_refused_with_the_command_that_helps),
        TEST(a_profile_that_wants_a_code_is_refused),
        TEST(a_process_prints_credentials),
        TEST(a_process_that_fails_or_prints_another_version_is_an_error),
        TEST(a_process_that_stays_is_ended_by_the_interrupt),
        TEST(a_process_begins_with_its_own_signals),
        TEST(a_web_identity_is_read_again_at_each_refresh),
        TEST(sts_says_no_inside_a_200),
        TEST(sts_is_asked_again_after_a_server_error),
        TEST(a_wrong_clock_is_put_right_for_sts_too),
        TEST(sts_throttles_with_a_400),
        TEST(an_interrupt_is_not_taken_for_a_failure_of_sts),
        TEST(a_place_that_cannot_be_asked_is_a_fault_of_the_credentials),
        TEST(a_container_gives_credentials_to_who_has_the_token),
        TEST(a_container_endpoint_elsewhere_by_plain_http_is_refused),
        TEST(instance_metadata_is_asked_by_version_2),
        TEST(instance_metadata_without_version_2_is_not_used),
        TEST(instance_metadata_says_no_inside_a_200),
        TEST(expired_instance_credentials_are_used_on),
        TEST(instance_credentials_outlive_an_ill_metadata_service),
        TEST(expired_container_credentials_are_not_used),
        TEST(credentials_that_come_expired_are_refused),
        TEST(they_are_fetched_once_until_the_window_opens),
        TEST(after_a_failed_refresh_the_next_waits_a_minute),
        TEST(rejected_credentials_are_fetched_again),
        TEST(one_thread_fetches_for_all),
        TEST(the_others_go_on_with_the_old_while_one_refreshes),
        TEST(a_fetch_is_interrupted),
        TEST(no_message_has_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
