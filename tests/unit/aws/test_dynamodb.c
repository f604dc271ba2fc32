#include "aws/autoscaling.h"
#include "aws/cloudwatch.h"
#include "aws/dynamodb.h"
#include "aws/lambda.h"
#include "aws/sts.h"
#include "base/cleanup.h"
#include "tests/unit/aws/aws_fixture.h"

#define TABLE                                                                                                \
    "{\"Table\":{\"TableName\":\"orders\",\"TableArn\":\"arn:t\",\"TableId\":\"id-1\",\"TableStatus\":"      \
    "\"ACTIVE\","                                                                                            \
    "\"CreationDateTime\":1.7672256005E9,\"AttributeDefinitions\":[{\"AttributeName\":\"pk\","               \
    "\"AttributeType\":\"S\"},"                                                                              \
    "{\"AttributeName\":\"sk\",\"AttributeType\":\"N\"}],\"KeySchema\":[{\"AttributeName\":\"pk\","          \
    "\"KeyType\":\"HASH\"},"                                                                                 \
    "{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}],\"ItemCount\":7,\"TableSizeBytes\":99,"               \
    "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"},\"OnDemandThroughput\":{"                  \
    "\"MaxReadRequestUnits\":5,"                                                                             \
    "\"MaxWriteRequestUnits\":-1},\"GlobalSecondaryIndexes\":[{\"IndexName\":\"g\",\"IndexStatus\":"         \
    "\"CREATING\","                                                                                          \
    "\"Backfilling\":true,\"KeySchema\":[{\"AttributeName\":\"sk\",\"KeyType\":\"HASH\"}]}],"                \
    "\"LocalSecondaryIndexes\":[{\"IndexName\":\"l\",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":"  \
    "\"HASH\"}]}],"                                                                                          \
    "\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"},\"LatestStreamArn\":" \
    "\"arn:s\","                                                                                             \
    "\"SSEDescription\":{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\",\"KMSMasterKeyArn\":\"arn:k\"},"         \
    "\"DeletionProtectionEnabled\":true}}"

static void a_table_is_described(void **state)
{
    struct fixture *f = *state;
    struct arena *arena = arena_new(1 << 20);
    struct dynamodb_table table;
    SERVE(f, {.expect = "DescribeTable\r.*\r\n\r\n\\{\"TableName\":\"orders\"\\}$", .body = TABLE},
          {.body = "{\"Table\":{}}"}, {.body = "[]"});
    assert_int_equal(dynamodb_describe_table(&f->session, "orders", arena, &table, &f->err), 0);
    assert_string_equal(table.table_id, "id-1");
    assert_int_equal(table.created_ms, 1767225600500LL);
    assert_string_equal(table.key.hash, "pk");
    assert_int_equal(table.key.hash_type, 'S');
    assert_string_equal(table.key.range, "sk");
    assert_int_equal(table.key.range_type, 'N');
    assert_int_equal(table.items, 7);
    assert_true(table.on_demand);
    assert_int_equal(table.max_read_units, 5);
    assert_int_equal(table.max_write_units, -1);
    assert_int_equal(table.index_count, 2);
    assert_true(table.indexes[0].global && table.indexes[0].backfilling);
    assert_string_equal(table.indexes[0].status, "CREATING");
    assert_false(table.indexes[1].global);
    assert_true(table.stream_enabled && table.deletion_protection);
    assert_string_equal(table.stream_arn, "arn:s");
    assert_string_equal(table.sse_key, "arn:k");
    assert_string_equal(table.table_class, "STANDARD");
    assert_int_equal(dynamodb_describe_table(&f->session, "orders", arena, &table, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    f->err = ERR_INIT;
    assert_int_equal(dynamodb_describe_table(&f->session, "orders", arena, &table, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    arena_free(arena);
}

static void a_scan_sends_its_cursor_as_it_came(void **state)
{
    struct fixture *f = *state;
    SERVE(f,
          {.expect = "\r\n\r\n\\{\"TableName\":\"t\",\"Segment\":2,\"TotalSegments\":4,\"ExclusiveStartKey\":"
                     "\\{ \"pk\" : \\{\"S\":\"\\\\u00e9\\\\\"\"\\} \\},\"ConsistentRead\":true,"
                     "\"ReturnConsumedCapacity\":\"TOTAL\"\\}$",
           .body = "{\"Items\":[],\"Count\":0,\"ConsumedCapacity\":{\"CapacityUnits\":12.5}}"});
    struct dynamodb_scan scan = {.table = "t",
                                 .segment = 2,
                                 .total_segments = 4,
                                 .consistent = true,
                                 .start_key = BYTES("{ \"pk\" : {\"S\":\"\\u00e9\\\"\"} }")};
    assert_int_equal(dynamodb_scan(&f->session, &scan, &f->reply, &f->err), 0);
    check_server(f, 1);
    assert_true(dynamodb_consumed(buffer_bytes(&f->reply.answer.body)) == 12.5);
}

static void what_was_not_processed_is_marked(void **state)
{
    struct fixture *f = *state;
    struct bytes items[] = {BYTES("{\"pk\":{\"S\":\"a\"},\"v\":{\"N\":\"1\"}}"),
                            BYTES("{\"pk\":{\"S\":\"b\"}}"), BYTES("{\"pk\":{\"S\":\"c\"}}")};
    bool left[3];
    double units = 0;
    SERVE(f,
          {.expect = "\\{\"RequestItems\":\\{\"t\":\\[\\{\"PutRequest\":\\{\"Item\":\\{\"pk\":\\{\"S\":\"a\"",
           .body = "{\"UnprocessedItems\":{\"t\":[{\"PutRequest\":{\"Item\":{ \"v\":{\"N\":\"1\"}, "
                   "\"pk\":{\"S\":\"a\"} }}}]},"
                   "\"ConsumedCapacity\":[{\"CapacityUnits\":2.0},{\"CapacityUnits\":1}]}"},
          {.body = "{\"UnprocessedItems\":{}}"});
    assert_int_equal(dynamodb_batch_put(&f->session, "t", items, 3, left, &units, &f->err), 1);
    assert_true(left[0] && !left[1] && !left[2]);
    assert_true(units == 3.0);
    assert_int_equal(dynamodb_batch_put(&f->session, "t", items, 3, left, &units, &f->err), 0);
    assert_false(left[0] || left[1] || left[2]);
    check_server(f, 2);
}

/* To send them again would be to wait for ever: they are not ours to send. */
static void what_comes_back_and_was_not_sent_is_a_lie(void **state)
{
    static const char *const lies[] = {
        "{\"t\":[{\"PutRequest\":{\"Item\":{\"other\":{\"N\":\"1\"}}}}]}",
        "{\"t\":[{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":\"b\"}}}},{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":"
        "\"b\"}}}}]}",
        "{\"u\":[{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":\"b\"}}}}]}",
        "{\"t\":[{\"DeleteRequest\":{\"Key\":{\"pk\":{\"S\":\"b\"}}}}]}",
        "{\"t\":[{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":\"b\"}}}}",
        "{\"t\":7}",
        "7",
    };
    struct fixture *f = *state;
    struct bytes items[] = {BYTES("{\"pk\":{\"S\":\"a\"},\"v\":{\"N\":\"100\"}}"),
                            BYTES("{\"pk\":{\"S\":\"b\"}}")};
    struct scripted_reply script[COUNT_OF(lies) + 2] = {{0}};
    char bodies[COUNT_OF(lies)][200];
    bool left[2];

    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        snprintf(bodies[i], sizeof(bodies[i]), "{\"UnprocessedItems\":%s}", lies[i]);
        script[i].body = bodies[i];
    }
    script[COUNT_OF(lies)].body = "{}"; /* says nothing about what became of them */
    /* the same item in another spelling is not another item */
    script[COUNT_OF(lies) + 1].body = "{\"UnprocessedItems\":{\"t\":[{\"PutRequest\":{\"Item\":{\"v\":{\"N\":"
                                      "\"1E2\"},\"pk\":{\"S\":\"\\u0061\"}}}}]}}";
    serve(f, script, COUNT_OF(script));
    for (size_t i = 0; i <= COUNT_OF(lies); i++) {
        f->err = ERR_INIT;
        assert_int_equal(dynamodb_batch_put(&f->session, "t", items, 2, left, NULL, &f->err), -1);
        assert_int_equal(f->err.code, ERR_AWS_LIED);
    }
    f->err = ERR_INIT;
    assert_int_equal(dynamodb_batch_put(&f->session, "t", items, 2, left, NULL, &f->err), 1);
    assert_true(left[0] && !left[1]);
    check_server(f, COUNT_OF(script));
}

static void a_conditional_put_says_that_an_item_is_there(void **state)
{
    struct fixture *f = *state;
    bool unknown = true;
    SERVE(f,
          {.expect = "\"ConditionExpression\":\"attribute_not_exists\\(#k\\)\",\"ExpressionAttributeNames\":"
                     "\\{\"#k\":\"p\\\\\"k\"\\}",
           .status = 400,
           .body = "{\"__type\":\"x#ConditionalCheckFailedException\"}"},
          {.cut = CUT_BEFORE_REPLY},
          {.status = 400, .body = "{\"__type\":\"x#ConditionalCheckFailedException\"}"});
    struct bytes item = BYTES("{\"p\\\"k\":{\"S\":\"a\"}}");
    assert_int_equal(dynamodb_put_item(&f->session, "t", item, "p\"k", &unknown, NULL, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_CONDITION);
    assert_false(unknown);
    f->err = ERR_INIT;
    assert_int_equal(dynamodb_put_item(&f->session, "t", item, "p\"k", &unknown, NULL, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_CONDITION);
    assert_true(unknown); /* it may be our own first attempt that is there */
    check_server(f, 3);
}

static void settings_are_read(void **state)
{
    struct fixture *f = *state;
    struct arena *arena = arena_new(1 << 20);
    struct dynamodb_pitr pitr;
    const char *status = NULL, *attribute = NULL, *policy = "x";
    json_t *tags = NULL;
    SERVE(
        f,
        {.expect = "DescribeTimeToLive\r",
         .body = "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"ENABLED\",\"AttributeName\":\"ttl\"}}"},
        {.expect = "DescribeContinuousBackups\r",
         .body = "{\"ContinuousBackupsDescription\":{\"ContinuousBackupsStatus\":\"ENABLED\","
                 "\"PointInTimeRecoveryDescription\":"
                 "{\"PointInTimeRecoveryStatus\":\"ENABLED\",\"RecoveryPeriodInDays\":7,"
                 "\"LatestRestorableDateTime\":1767225600}}}"},
        {.expect = "GetResourcePolicy\r",
         .status = 400,
         .body = "{\"__type\":\"x#PolicyNotFoundException\"}"},
        {.expect = "ListTagsOfResource\r.*\\{\"ResourceArn\":\"arn\"\\}$",
         .body = "{\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"},{\"Key\":\"aws:x\",\"Value\":\"1\"}],"
                 "\"NextToken\":\"n\"}"},
        {.expect = "\"NextToken\":\"n\"", .body = "{\"Tags\":[{\"Key\":\"b\",\"Value\":\"2\"}]}"},
        {.expect = "DescribeContributorInsights\r",
         .status = 400,
         .body = "{\"__type\":\"x#UnknownOperationException\"}"});
    assert_int_equal(dynamodb_describe_ttl(&f->session, "t", arena, &status, &attribute, &f->err), 0);
    assert_string_equal(attribute, "ttl");
    assert_int_equal(dynamodb_describe_pitr(&f->session, "t", &pitr, &f->err), 0);
    assert_true(pitr.enabled);
    assert_int_equal(pitr.period_days, 7);
    assert_int_equal(pitr.latest_ms, 1767225600000LL);
    assert_int_equal(dynamodb_get_policy(&f->session, "arn", arena, &policy, &f->err), 0);
    assert_null(policy);
    assert_int_equal(dynamodb_list_tags(&f->session, "arn", &tags, &f->err), 0);
    assert_int_equal(json_array_size(tags), 2);
    json_decref(tags);
    assert_int_equal(dynamodb_describe_insights(&f->session, "t", NULL, &tags, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_UNSUPPORTED);
    check_server(f, 6);
    arena_free(arena);
}

static void pages_that_do_not_move_are_noticed(void **state)
{
    struct fixture *f = *state;
    json_t *tags = NULL;
    SERVE(f, {.body = "{\"Tags\":[],\"NextToken\":\"n\"}", .repeat = true});
    assert_int_equal(dynamodb_list_tags(&f->session, "arn", &tags, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    check_server(f, 2);
}

static void a_list_that_is_not_there_is_no_empty_list(void **state)
{
    struct fixture *f = *state;
    struct arena *arena = arena_new(64 << 10);
    const char *start = NULL, **names;
    size_t count;
    json_t *list = NULL;
    SERVE(f, {.body = "{}"}, {.body = "{\"TableNames\":[\"a\",1]}"},
          {.body = "{\"Tags\":[],\"NextToken\":7}"}, {.body = "{}"}, {.body = "{\"TableNames\":[]}"});
    assert_int_equal(dynamodb_list_tables(&f->session, arena, &start, &names, &count, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    f->err = ERR_INIT;
    assert_int_equal(dynamodb_list_tables(&f->session, arena, &start, &names, &count, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    f->err = ERR_INIT;
    assert_int_equal(dynamodb_list_tags(&f->session, "arn", &list, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    f->err = ERR_INIT;
    assert_int_equal(lambda_mappings_of_stream(&f->session, "arn", &list, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    f->err = ERR_INIT;
    assert_int_equal(dynamodb_list_tables(&f->session, arena, &start, &names, &count, &f->err), 0);
    assert_int_equal(count, 0);
    check_server(f, 5);
    arena_free(arena);
}

/* The name of the next page did not fit: without an error the list would end there. */
static void a_list_is_not_cut_for_want_of_memory(void **state)
{
    struct fixture *f = *state;
    char body[2100] = "{\"TableNames\":[],\"LastEvaluatedTableName\":\"";
    size_t len = strlen(body);
    struct arena *arena = arena_new(1024);
    const char *start = NULL, **names;
    size_t count;
    memset(body + len, 'n', 2000);
    memcpy(body + len + 2000, "\"}", 3);
    SERVE(f, {.body = body});
    assert_int_equal(dynamodb_list_tables(&f->session, arena, &start, &names, &count, &f->err), -1);
    assert_int_equal(f->err.code, ERR_NO_MEMORY);
    arena_free(arena);
}

static void a_key_of_no_type_is_no_key(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64 << 10);
    struct dynamodb_table table;
    struct err err = ERR_INIT;
    json_t *raw = json_pack("{s:s, s:s, s:[{s:s, s:s}], s:[{s:s, s:s}]}", "TableName", "t", "TableStatus",
                            "ACTIVE", "KeySchema", "AttributeName", "k", "KeyType", "HASH",
                            "AttributeDefinitions", "AttributeName", "k", "AttributeType", "");
    assert_int_equal(dynamodb_read_table(raw, arena, &table, &err), -1);
    assert_int_equal(err.code, ERR_AWS_LIED);
    json_decref(raw);
    arena_free(arena);
}

static void the_other_services_are_asked_in_their_ways(void **state)
{
    struct fixture *f = *state;
    json_t *list = NULL;
    const char *ids[] = {"table/t"};
    struct sts_identity identity;
    json_t *alarm = NULL;
    bool unknown = true;
    SERVE(
        f,
        {.expect = "AnyScaleFrontendService.DescribeScalableTargets\r.*x-amz-json-1.1.*/eu-west-1/"
                   "application-autoscaling/",
         .body = "{\"ScalableTargets\":[{\"ResourceId\":\"table/t\"}]}"},
        {.expect = "GraniteServiceVersion20100801.DescribeAlarms\r.*/eu-west-1/monitoring/",
         .body = "{\"MetricAlarms\":[{\"AlarmName\":\"mine\",\"Dimensions\":[{\"Name\":\"TableName\","
                 "\"Value\":\"t\"}],"
                 "\"StateValue\":\"OK\",\"OKActions\":[]},{\"AlarmName\":\"other\",\"Dimensions\":[]},"
                 "{\"AlarmName\":\"TargetTracking-table/"
                 "t-x\",\"Dimensions\":[{\"Name\":\"TableName\",\"Value\":\"t\"}]}]}"},
        {.expect = "PutMetricAlarm\r.*\r\n\r\n\\{\"AlarmName\":\"mine\",\"Dimensions\":\\[\\{\"Name\":"
                   "\"TableName\",\"Value\":\"t\"\\}\\]\\}$",
         .body = "{}"},
        {.expect = "^GET /2015-03-31/event-source-mappings\\?EventSourceArn=arn%3As%2F1 .*/eu-west-1/lambda/",
         .body = "{\"EventSourceMappings\":[{\"UUID\":\"u\",\"FunctionArn\":\"arn:f\",\"State\":\"Disabled\","
                 "\"BatchSize\":5}]}"},
        {.expect = "^POST /2015-03-31/event-source-mappings "
                   ".*\\{\"BatchSize\":5,\"FunctionName\":\"arn:f\",\"Enabled\":false\\}$",
         .status = 202,
         .body = "{}"},
        {.expect = "Action=GetCallerIdentity&Version=2011-06-15$",
         .body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:me</Arn><UserId>U</UserId>"
                 "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"},
        {.body = "<x/>"});
    assert_int_equal(autoscaling_describe_targets(&f->session, ids, 1, &list, &f->err), 0);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    assert_int_equal(cloudwatch_alarms_of_table(&f->session, "t", &alarm, &f->err), 0);
    assert_int_equal(json_array_size(alarm), 1);
    assert_int_equal(cloudwatch_put_alarm(&f->session, json_array_get(alarm, 0), &f->err), 0);
    json_decref(alarm);
    assert_int_equal(lambda_mappings_of_stream(&f->session, "arn:s/1", &list, &f->err), 0);
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(lambda_create_mapping(&f->session, json_array_get(list, 0), &unknown, &f->err), 0);
    assert_false(unknown);
    json_decref(list);
    assert_int_equal(sts_get_caller_identity(&f->session, &identity, &f->err), 0);
    assert_string_equal(identity.account, "123456789012");
    assert_int_equal(sts_get_caller_identity(&f->session, &identity, &f->err), -1);
    assert_int_equal(f->err.code, ERR_AWS_LIED);
    check_server(f, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_is_described),
        TEST(a_scan_sends_its_cursor_as_it_came),
        TEST(what_was_not_processed_is_marked),
        TEST(what_comes_back_and_was_not_sent_is_a_lie),
        TEST(a_conditional_put_says_that_an_item_is_there),
        TEST(settings_are_read),
        TEST(pages_that_do_not_move_are_noticed),
        TEST(a_list_that_is_not_there_is_no_empty_list),
        TEST(a_list_is_not_cut_for_want_of_memory),
        TEST(a_key_of_no_type_is_no_key),
        TEST(the_other_services_are_asked_in_their_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
