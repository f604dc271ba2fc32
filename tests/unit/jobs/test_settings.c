#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "jobs/settings.h"

struct fixture {
    struct arena *arena;
    json_t *raw;
    struct dynamodb_table table;
    struct setting_view view;
};

static json_t *parse(const char *text)
{
    struct err err = ERR_INIT;
    json_t *value = NULL;

    assert_int_equal(json_parse(bytes_of(text), &(struct json_limits){.max_depth = 32}, &value, &err), 0);
    return value;
}

static void open_table(struct fixture *f, const char *text)
{
    struct err err = ERR_INIT;

    f->arena = arena_new(1 << 20);
    f->raw = parse(text);
    assert_int_equal(dynamodb_read_table(f->raw, f->arena, &f->table, &err), 0);
    f->view = (struct setting_view){NULL, f->arena, &f->table};
}

static void close_table(struct fixture *f)
{
    json_decref(f->raw);
    arena_free(f->arena);
}

static const char provisioned[] =
    "{\"TableName\":\"T\",\"TableStatus\":\"ACTIVE\",\"TableArn\":\"arn:T\","
    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"n\",\"KeyType\":"
    "\"RANGE\"}],"
    "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"},{\"AttributeName\":\"n\","
    "\"AttributeType\":\"N\"},{\"AttributeName\":\"g\",\"AttributeType\":\"B\"}],"
    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6},"
    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"z\",\"IndexStatus\":\"ACTIVE\",\"KeySchema\":[{"
    "\"AttributeName\":\"g\","
    "\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"q\",\"b\"]"
    "},"
    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":7,\"WriteCapacityUnits\":8},\"WarmThroughput\":{"
    "\"Status\":\"ACTIVE\"}}],"
    "\"LocalSecondaryIndexes\":[{\"IndexName\":\"a\",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":"
    "\"HASH\"},"
    "{\"AttributeName\":\"g\",\"KeyType\":\"RANGE\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}]}";

static void read_as(const char *table, const char *setting, const char *expected)
{
    struct fixture f;
    struct err err = ERR_INIT;
    json_t *value = NULL;
    json_auto_t *wanted = NULL;

    open_table(&f, table);
    assert_int_equal(setting_find(setting)->read(&f.view, &value, &err), 0);
    wanted = parse(expected);
    assert_string_equal(json_canonical(f.arena, value), json_canonical(f.arena, wanted));
    json_decref(value);
    close_table(&f);
}

static void what_a_table_is_made_of_is_read_without_what_only_aws_sets(void **state)
{
    (void)state;
    read_as(provisioned, "key_schema",
            "{\"hash\":\"id\",\"hash_type\":\"S\",\"range\":\"n\",\"range_type\":\"N\"}");
    read_as(provisioned, "indexes",
            "[{\"name\":\"a\",\"type\":\"local\",\"hash\":\"id\",\"hash_type\":\"S\",\"range\":\"g\",\"range_"
            "type\":\"B\","
            "\"projection\":\"ALL\"},{\"name\":\"z\",\"type\":\"global\",\"hash\":\"g\",\"hash_type\":\"B\","
            "\"projection\":"
            "\"INCLUDE\",\"include\":[\"b\",\"q\"]}]");
    read_as(provisioned, "billing",
            "{\"mode\":\"PROVISIONED\",\"read\":5,\"write\":6,\"indexes\":{\"z\":{\"read\":7,\"write\":8}}}");
    read_as(provisioned, "on_demand_maximum", "null");
    read_as(provisioned, "stream", "null");
    read_as(provisioned, "sse", "null");
    read_as(provisioned, "table_class", "\"STANDARD\"");
    read_as(provisioned, "deletion_protection", "false");
    read_as(provisioned, "replicas", "[]");
}

static void on_demand_maxima_of_table_and_index_are_kept(void **state)
{
    (void)state;
    read_as(
        "{\"TableName\":\"T\",\"TableStatus\":\"ACTIVE\",\"KeySchema\":[{\"AttributeName\":\"id\","
        "\"KeyType\":\"HASH\"}],"
        "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}],"
        "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"},\"OnDemandThroughput\":{"
        "\"MaxReadRequestUnits\":10,"
        "\"MaxWriteRequestUnits\":-1},\"GlobalSecondaryIndexes\":[{\"IndexName\":\"z\",\"KeySchema\":[{"
        "\"AttributeName\":"
        "\"id\",\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"ALL\"},\"OnDemandThroughput\":"
        "{\"MaxWriteRequestUnits\":3}}]}",
        "on_demand_maximum", "{\"read\":10,\"indexes\":{\"z\":{\"write\":3}}}");
}

static void an_index_is_asked_for_in_the_form_of_create_table(void **state)
{
    json_auto_t *index = parse(
        "{\"name\":\"z\",\"type\":\"global\",\"hash\":\"g\",\"hash_type\":\"S\",\"projection\":\"INCLUDE\","
        "\"include\":[\"b\"]}");
    json_auto_t *request = setting_index_request(index);
    json_auto_t *expected = parse(
        "{\"IndexName\":\"z\",\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"}],\"Projection\":"
        "{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"b\"]}}");

    (void)state;
    assert_true(json_equal(request, expected));
}

static void an_attribute_of_two_types_is_refused(void **state)
{
    json_auto_t *definitions = json_array();
    json_auto_t *one = parse("{\"hash\":\"g\",\"hash_type\":\"S\"}");
    json_auto_t *other = parse("{\"hash\":\"g\",\"hash_type\":\"N\"}");
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(setting_add_attributes(definitions, one, &err), 0);
    assert_int_equal(setting_add_attributes(definitions, one, &err), 0);
    assert_int_equal(json_array_size(definitions), 1);
    assert_int_equal(setting_add_attributes(definitions, other, &err), -1);
    assert_int_equal(err.code, ERR_INVALID_SPEC);
}

static bool same(const char *setting, const char *wanted, const char *found)
{
    json_auto_t *a = parse(wanted);
    json_auto_t *b = parse(found);

    return setting_same(setting_find(setting), a, b);
}

static void tags_that_others_added_do_not_count_and_missing_ones_do(void **state)
{
    (void)state;
    assert_true(same("tags", "{\"a\":\"1\"}", "{\"a\":\"1\",\"b\":\"2\"}"));
    assert_false(same("tags", "{\"a\":\"1\"}", "{\"a\":\"2\"}"));
    assert_false(same("tags", "{\"a\":\"1\"}", "{}"));
}

static void pitr_is_the_same_when_both_are_on_for_as_long_as_both_say(void **state)
{
    (void)state;
    assert_true(same("pitr", "{\"enabled\":true,\"days\":7}", "{\"enabled\":true,\"days\":7}"));
    assert_true(same("pitr", "{\"enabled\":true,\"days\":35}", "{\"enabled\":true}"));
    assert_false(same("pitr", "{\"enabled\":true,\"days\":7}", "{\"enabled\":true,\"days\":35}"));
    assert_false(same("pitr", "{\"enabled\":true}", "{\"enabled\":false}"));
    assert_false(same("pitr", "{\"enabled\":false}", "{\"enabled\":true}"));
}

static void billing_of_indexes_that_were_left_out_does_not_count(void **state)
{
    static const char wanted[] =
        "{\"mode\":\"PROVISIONED\",\"read\":5,\"write\":6,\"indexes\":{\"z\":{\"read\":7,\"write\":8}}}";

    (void)state;
    assert_true(same("billing", wanted, wanted));
    assert_true(same("billing", wanted, "{\"mode\":\"PROVISIONED\",\"read\":5,\"write\":6,\"indexes\":{}}"));
    assert_false(same("billing", wanted, "{\"mode\":\"PROVISIONED\",\"read\":5,\"write\":9,\"indexes\":{}}"));
    assert_false(same(
        "billing", wanted,
        "{\"mode\":\"PROVISIONED\",\"read\":5,\"write\":6,\"indexes\":{\"z\":{\"read\":1,\"write\":8}}}"));
    assert_false(same("billing", wanted, "{\"mode\":\"PAY_PER_REQUEST\"}"));
    assert_false(same("on_demand_maximum", "{\"read\":10}", "null"));
}

static void a_key_is_the_same_by_id_or_arn(void **state)
{
    (void)state;
    assert_true(same("sse", "{\"type\":\"KMS\",\"key\":\"abc\"}",
                     "{\"type\":\"KMS\",\"key\":\"arn:aws:kms:r:1:key/abc\"}"));
    assert_true(same("sse", "{\"type\":\"KMS\"}", "{\"type\":\"KMS\",\"key\":\"arn:aws:kms:r:1:key/abc\"}"));
    assert_false(same("sse", "{\"type\":\"KMS\",\"key\":\"abc\"}", "null"));
    assert_true(same("sse", "null", "null"));
    assert_false(same("ttl", "\"a\"", "null"));
}

static void lists_are_ordered_by_name(void **state)
{
    json_auto_t *list = parse("[{\"n\":\"b\"},{},{\"n\":\"a\"}]");
    json_auto_t *expected = parse("[{},{\"n\":\"a\"},{\"n\":\"b\"}]");
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(setting_sort(list, "n", &err), 0);
    assert_true(json_equal(list, expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_table_is_made_of_is_read_without_what_only_aws_sets),
        cmocka_unit_test(on_demand_maxima_of_table_and_index_are_kept),
        cmocka_unit_test(an_index_is_asked_for_in_the_form_of_create_table),
        cmocka_unit_test(an_attribute_of_two_types_is_refused),
        cmocka_unit_test(tags_that_others_added_do_not_count_and_missing_ones_do),
        cmocka_unit_test(pitr_is_the_same_when_both_are_on_for_as_long_as_both_say),
        cmocka_unit_test(billing_of_indexes_that_were_left_out_does_not_count),
        cmocka_unit_test(a_key_is_the_same_by_id_or_arn),
        cmocka_unit_test(lists_are_ordered_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
