/* What --check --online tries and says, against a server that answers as AWS would. */
#include "server/online.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tests/support/folder.h"
#include "tests/support/scripted_server.h"

#define ACCOUNT "123456789012"
#define IDENTITY(account)                                                                                    \
    {                                                                                                        \
        .expect = "GetCallerIdentity", .headers = "Content-Type: text/xml\r\n",                              \
        .body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::" account             \
                ":user/ann</Arn><UserId>U</UserId><Account>" account                                         \
                "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"                           \
    }
#define DENIED                                                                                               \
    .status = 400, .headers = "Content-Type: application/x-amz-json-1.0\r\n",                                \
    .body = "{\"__type\":\"com.amazon.coral.service#AccessDeniedException\",\"message\":\"not authorized\"}"
#define TABLE                                                                                                \
    {                                                                                                        \
        .expect = "DynamoDB_20120810.DescribeTable",                                                         \
        .headers = "Content-Type: application/x-amz-json-1.0\r\n",                                           \
        .body = "{\"Table\":{\"TableName\":\"Tab1\",\"TableArn\":\"arn:aws:dynamodb:us-east-1:" ACCOUNT      \
                ":table/Tab1\",\"TableStatus\":\"ACTIVE\",\"CreationDateTime\":1.0,\"ItemCount\":7,"         \
                "\"TableSizeBytes\":70,\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}],"     \
                "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}],"             \
                "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"}}}"                             \
    }

static char dir[FOLDER_SIZE], uri[80];
static const char *const one_table[] = {"Tab1"};
static struct environment environment;
static struct config config;
static char *said;

static int up(void **state)
{
    (void)state;
    folder_make("online", dir);
    snprintf(uri, sizeof(uri), "file://%s", dir);
    environment = (struct environment){.name = "production",
                                       .account = ACCOUNT,
                                       .region = "us-east-1",
                                       .tables = {one_table, 1},
                                       .recovery_points = uri,
                                       .allow_unencrypted = true};
    config = (struct config){.environments = &environment, .environment_count = 1};
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    return 0;
}

static int down(void **state)
{
    (void)state;
    assert_int_equal(rmdir(dir), 0); /* no probe stays */
    free(said);
    said = NULL;
    return 0;
}

/* How many failed; what was said is in `said`. */
static int try_at(const char *url)
{
    size_t len = 0;
    FILE *out = open_memstream(&said, &len);
    int failed;

    environment.endpoint_url = url;
    failed = online_check(&config, out);
    fclose(out);
    return failed;
}

static int try_script(struct scripted_server *server)
{
    int failed = try_at(scripted_server_url(server));

    if (scripted_server_fault(server))
        fail_msg("%s", scripted_server_fault(server));
    return failed;
}

static void says(const char *text)
{
    if (!strstr(said, text))
        fail_msg("no `%s` in:\n%s", text, said);
}

static void with_another_account_nothing_else_is_touched(void **state)
{
    struct scripted_server *server = SCRIPTED(IDENTITY("210987654321"));

    (void)state;
    assert_int_equal(try_script(server), 1);
    says(
        "FAIL  production: identity: account 123456789012 is configured, the credentials are of 210987654321 "
        "(ACCOUNT_MISMATCH); hint: ");
    assert_int_equal(scripted_server_requests(server), 1);
    assert_null(strstr(said, "ok  "));
    scripted_server_stop(server);
}

static void a_denied_table_names_the_action_and_the_rest_is_tried(void **state)
{
    struct scripted_server *server =
        SCRIPTED(IDENTITY(ACCOUNT), {.expect = "DynamoDB_20120810.DescribeTable", DENIED});

    (void)state;
    assert_int_equal(try_script(server), 1);
    says("ok    production: identity: account 123456789012 as arn:aws:iam::123456789012:user/ann\n");
    says("FAIL  production: table Tab1: dynamodb:DescribeTable on Tab1 is denied: not authorized "
         "(AWS_ACCESS_DENIED); hint: Give the role the permission that the detail names.\n");
    says("ok    production: root file:///tmp/");
    scripted_server_stop(server);
}

#define MISSING                                                                                              \
    {                                                                                                        \
        .expect = "DynamoDB_20120810.DescribeTable", .status = 400,                                          \
        .headers = "Content-Type: application/x-amz-json-1.0\r\n",                                           \
        .body = "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\","                \
                "\"message\":\"Requested resource not found\"}"                                              \
    }

static void a_missing_table_is_looked_for_in_the_other_regions(void **state)
{
    struct scripted_server *server = SCRIPTED(
        IDENTITY(ACCOUNT), MISSING, {.expect = "DynamoDB_20120810.ListTables.*/us-east-2/dynamodb/", DENIED},
        {.expect = "DynamoDB_20120810.ListTables",
         .repeat = true,
         .headers = "Content-Type: application/x-amz-json-1.0\r\n",
         .body = "{\"TableNames\":[\"Other\",\"Tab1\"]}"});

    (void)state;
    assert_int_equal(try_script(server), 1);
    says("FAIL  production: table Tab1: ");
    says("(AWS_NOT_FOUND); hint: the table is in us-west-1: mend `region`\n");
    assert_int_equal(scripted_server_requests(server), 2 + 33);
    scripted_server_stop(server);
}

static void a_glob_that_finds_nothing_here_is_tried_in_the_other_regions(void **state)
{
    static const char *const glob[] = {"Tab*"};
    struct scripted_server *server = SCRIPTED(IDENTITY(ACCOUNT),
                                              {.expect = "DynamoDB_20120810.ListTables.*/us-east-1/dynamodb/",
                                               .headers = "Content-Type: application/x-amz-json-1.0\r\n",
                                               .body = "{\"TableNames\":[\"Other\"]}"},
                                              {.expect = "DynamoDB_20120810.ListTables",
                                               .repeat = true,
                                               .headers = "Content-Type: application/x-amz-json-1.0\r\n",
                                               .body = "{\"TableNames\":[\"Other\",\"Tab1\"]}"});

    (void)state;
    environment.tables.names = glob;
    assert_int_equal(try_script(server), 1);
    says("FAIL  production: tables: globs find no table in us-east-1 (AWS_NOT_FOUND); hint: us-east-2 has "
         "Tab1: "
         "mend `region`\n");
    scripted_server_stop(server);
}

static void a_region_that_there_is_not_is_named(void **state)
{
    (void)state;
    environment.region = "us-esat-1";
    assert_int_equal(try_at("http://127.0.0.1:9"), 1);
    says("(AWS_UNREACHABLE); hint: `region` us-esat-1 is none that this version knows\n");
}

static void every_missing_action_of_a_table_has_its_line(void **state)
{
    static const char *const actions[] = {"dynamodb:DescribeContinuousBackups",
                                          "dynamodb:ListTagsOfResource",
                                          "dynamodb:DescribeTimeToLive",
                                          "dynamodb:DescribeContributorInsights",
                                          "dynamodb:DescribeKinesisStreamingDestination",
                                          "dynamodb:GetResourcePolicy",
                                          "dynamodb:Scan",
                                          "cloudwatch:DescribeAlarms",
                                          "application-autoscaling:DescribeScalableTargets"};
    struct scripted_server *server = SCRIPTED(IDENTITY(ACCOUNT), TABLE, {.repeat = true, DENIED});

    (void)state;
    assert_true(try_script(server) >= (int)COUNT_OF(actions));
    for (size_t i = 0; i < COUNT_OF(actions); i++)
        says(actions[i]);
    assert_null(strstr(said, "ok    production: table"));
    scripted_server_stop(server);
}

static void a_key_that_may_not_be_used_is_named(void **state)
{
    struct scripted_server *server =
        SCRIPTED(IDENTITY(ACCOUNT),
                 {.expect = "^PUT /backups/r/recoverd-check-",
                  .status = 403,
                  .headers = "Content-Type: application/xml\r\n",
                  .body = "<Error><Code>AccessDenied</Code><Message>User: ann is not authorized to perform: "
                          "kms:GenerateDataKey on resource: arn:aws:kms:x</Message></Error>"},
                 {.expect = "^DELETE /backups/r/recoverd-check-", .status = 204});

    (void)state;
    environment.tables.count = 0;
    environment.recovery_points = "s3://backups/r";
    environment.allow_unencrypted = false;
    environment.kms_key = "alias/backups";
    assert_int_equal(try_script(server), 1);
    says("FAIL  production: root s3://backups/r: s3:PutObject on ");
    says("hint: give the role kms:GenerateDataKey on the key alias/backups\n");
    scripted_server_stop(server);
}

static void a_bucket_that_takes_a_second_write_is_refused(void **state)
{
    static const char encrypted[] = "x-amz-server-side-encryption: AES256\r\nETag: \"e\"\r\n";
    struct scripted_server *server =
        SCRIPTED(IDENTITY(ACCOUNT), {.expect = "^PUT .*[Ii]f-[Nn]one-[Mm]atch: \\*", .headers = encrypted},
                 {.expect = "^HEAD ", .headers = encrypted, .body = "recoverd --check --online\n"},
                 {.expect = "^GET ",
                  .status = 206,
                  .headers = "Content-Range: bytes 0-25/26\r\nETag: \"e\"\r\n",
                  .body = "recoverd --check --online\n"},
                 {.expect = "^PUT ", .headers = encrypted}, {.expect = "^DELETE ", .status = 204});

    (void)state;
    environment.tables.count = 0;
    environment.recovery_points = "s3://backups/r";
    assert_int_equal(try_script(server), 1);
    says("If-None-Match is not kept (AWS_LIED)");
    scripted_server_stop(server);
}

static void what_cannot_be_reached_is_said_once(void **state)
{
    (void)state;
    assert_int_equal(try_at("http://127.0.0.1:9"), 1);
    says("(AWS_UNREACHABLE); hint: Check the network, the proxy and the endpoint.\n");
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

int main(void)
{
#define PROMISE(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        PROMISE(with_another_account_nothing_else_is_touched),
        PROMISE(a_denied_table_names_the_action_and_the_rest_is_tried),
        PROMISE(a_missing_table_is_looked_for_in_the_other_regions),
        PROMISE(a_glob_that_finds_nothing_here_is_tried_in_the_other_regions),
        PROMISE(a_region_that_there_is_not_is_named),
        PROMISE(every_missing_action_of_a_table_has_its_line),
        PROMISE(a_key_that_may_not_be_used_is_named),
        PROMISE(a_bucket_that_takes_a_second_write_is_refused),
        PROMISE(what_cannot_be_reached_is_said_once),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
