#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "jobs/capsule.h"
#include "jobs/restore_settings.h"
#include "jobs/table_copy.h"
#include "jobs/table_load.h"

static json_t *parse(const char *text)
{
    struct err err = ERR_INIT;
    json_t *value = NULL;

    assert_int_equal(json_parse(bytes_of(text), &(struct json_limits){.max_depth = 32}, &value, &err), 0);
    return value;
}

static const char capsule[] = "{\"format\":1,\"settings\":{\"key_schema\":{\"value\":{\"hash\":\"id\",\"hash_"
                              "type\":\"S\"}},\"indexes\":{\"value\":"
                              "[{\"name\":\"z\",\"type\":\"global\",\"hash\":\"g\",\"hash_type\":\"N\","
                              "\"projection\":\"ALL\"},{\"name\":\"l\",\"type\":"
                              "\"local\",\"hash\":\"id\",\"hash_type\":\"S\",\"range\":\"g\",\"range_type\":"
                              "\"N\",\"projection\":\"KEYS_ONLY\"}]},"
                              "\"billing\":{\"value\":{\"mode\":\"PAY_PER_REQUEST\"}},\"table_class\":{"
                              "\"value\":\"STANDARD_INFREQUENT_ACCESS\"},"
                              "\"sse\":{\"value\":{\"type\":\"KMS\",\"key\":\"k\"}},\"tags\":{\"value\":{"
                              "\"owner\":\"ann\"}},\"ttl\":{\"value\":\"t\"}}}";

static int settings_of(const char *of, const char *spec, json_t **ret, struct err *err)
{
    json_auto_t *value = parse(spec);

    return copy_settings(of ? bytes_of(of) : (struct bytes){0}, value, ret, err);
}

/* -- what the target shall have -- */

static void without_capsule_and_override_nothing_says_the_keys(void **state)
{
    json_t *wanted = json_null();
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(settings_of(NULL, "{}", &wanted, &err), 0);
    assert_null(wanted);
}

static void lines_get_their_keys_from_the_override(void **state)
{
    json_t *wanted = NULL;
    struct dynamodb_key key;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(settings_of(NULL,
                                 "{\"overrides\":{\"key_schema\":{\"hash\":\"a\",\"range\":\"b\"},"
                                 "\"attributes\":{\"a\":\"S\",\"b\":"
                                 "\"N\"}}}",
                                 &wanted, &err),
                     0);
    assert_int_equal(capsule_key(wanted, &key, &err), 0);
    assert_string_equal(key.hash, "a");
    assert_int_equal(key.range_type, 'N');
    json_decref(wanted);
}

static void refused(const char *of, const char *spec, enum err_code code, const char *pointer)
{
    json_t *wanted = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(settings_of(of, spec, &wanted, &err), -1);
    assert_int_equal(err.code, code);
    assert_string_equal(err.pointer, pointer);
}

static void overrides_that_cannot_be_are_refused_with_their_place(void **state)
{
    (void)state;
    refused(NULL, "{\"overrides\":{\"key_schema\":{\"hash\":\"a\"}}}", ERR_INVALID_SPEC,
            "/spec/overrides/attributes");
    refused(NULL, "{\"overrides\":{\"key_schema\":{\"hash\":\"a\"},\"attributes\":{\"a\":\"L\"}}}",
            ERR_INVALID_SPEC, "/spec/overrides/attributes");
    refused(capsule, "{\"overrides\":{\"billing_mode\":\"PROVISIONED\"}}", ERR_INVALID_SPEC,
            "/spec/overrides/billing_mode");
    refused(capsule,
            "{\"overrides\":{\"indexes\":[{\"name\":\"n\",\"type\":\"global\",\"hash\":\"unknown\"}]}}",
            ERR_INVALID_SPEC, "/spec/overrides/attributes");
    refused("{\"format\":1}", "{}", ERR_RECOVERY_POINT_DAMAGED, "");
    refused("{\"format\":1", "{}", ERR_RECOVERY_POINT_DAMAGED, "");
}

static void overrides_take_the_place_of_the_capsule(void **state)
{
    json_t *wanted = NULL;
    struct err err = ERR_INIT;
    const json_t *indexes;

    (void)state;
    assert_int_equal(
        settings_of(
            capsule,
            "{\"overrides\":{\"indexes\":[{\"name\":\"n\",\"type\":\"global\",\"hash\":\"g\",\"projection\":"
            "\"ALL\"}],\"sse\":{\"type\":\"AWS_OWNED\"}}}",
            &wanted, &err),
        0);
    indexes = capsule_value(wanted, "indexes");
    assert_int_equal(json_array_size(indexes), 1);
    assert_string_equal(json_get_text(json_array_get(indexes, 0), "hash_type"),
                        "N"); /* the capsule knew it */
    assert_true(json_is_null(capsule_value(wanted, "sse")));
    assert_string_equal(json_string_value(capsule_value(wanted, "ttl")), "t");
    json_decref(wanted);
}

/* -- CreateTable -- */

static bool skip_indexes(const void *arg, const char *setting)
{
    (void)arg;
    return !strcmp(setting, "indexes");
}

static void a_table_is_created_on_demand_tagged_and_with_all_that_goes_with_it(void **state)
{
    json_auto_t *from = parse(capsule);
    struct table_make make = {"New", from, NULL, NULL};
    json_t *request = NULL;
    json_auto_t *expected = parse("{\"TableName\":\"New\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":["
                                  "{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],"
                                  "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":"
                                  "\"S\"},{\"AttributeName\":\"g\",\"AttributeType\":"
                                  "\"N\"}],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"z\",\"KeySchema\":[{"
                                  "\"AttributeName\":\"g\",\"KeyType\":\"HASH\"}],"
                                  "\"Projection\":{\"ProjectionType\":\"ALL\"}}],\"LocalSecondaryIndexes\":[{"
                                  "\"IndexName\":\"l\",\"KeySchema\":"
                                  "[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"g\","
                                  "\"KeyType\":\"RANGE\"}],\"Projection\":"
                                  "{\"ProjectionType\":\"KEYS_ONLY\"}}],\"TableClass\":\"STANDARD_INFREQUENT_"
                                  "ACCESS\",\"SSESpecification\":{\"Enabled\":true,"
                                  "\"SSEType\":\"KMS\",\"KMSMasterKeyId\":\"k\"},\"Tags\":[{\"Key\":"
                                  "\"recoverd:job\",\"Value\":\"job-1\"},{\"Key\":\"owner\","
                                  "\"Value\":\"ann\"}]}");
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(table_make_request(&make, "job-1", &request, &err), 0);
    assert_true(json_equal(request, expected));
    json_decref(request);
}

static void attributes_of_indexes_that_are_left_out_are_not_defined(void **state)
{
    json_auto_t *from = parse(capsule);
    struct table_make make = {"New", from, skip_indexes, NULL};
    json_t *request = NULL;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(table_make_request(&make, "job-1", &request, &err), 0);
    assert_null(json_object_get(request, "GlobalSecondaryIndexes"));
    assert_int_equal(json_array_size(json_object_get(request, "AttributeDefinitions")),
                     1); /* AWS refuses unused ones */
    json_decref(request);
}

static void a_table_is_known_by_id_else_by_when_it_was_made(void **state)
{
    json_auto_t *with_id = parse("{\"table_id\":\"a\",\"created_at\":5}");
    json_auto_t *without = parse("{\"created_at\":5}");
    struct dynamodb_table same_id = {.table_id = "a", .created_ms = 6},
                          other_id = {.table_id = "b", .created_ms = 5};
    struct dynamodb_table none = {.created_ms = 5}, later = {.created_ms = 6};

    (void)state;
    assert_true(table_same(with_id, &same_id));
    assert_false(table_same(with_id, &other_id));
    assert_true(table_same(without, &none));
    assert_false(table_same(without, &later));
    assert_false(table_same(NULL, &none));
}

static void a_table_is_ready_when_its_indexes_are(void **state)
{
    struct dynamodb_index index = {.name = "z", .status = "ACTIVE", .global = true};
    struct dynamodb_table table = {.status = "ACTIVE", .indexes = &index, .index_count = 1};

    (void)state;
    assert_true(table_ready(&table));
    index.backfilling = true;
    assert_false(table_ready(&table));
    index.backfilling = false;
    index.status = "CREATING";
    assert_false(table_ready(&table));
    index.status = "ACTIVE";
    table.status = "UPDATING";
    assert_false(table_ready(&table));
}

/* -- which settings, and TTL -- */

static void what_takes_over_from_the_old_table_is_applied_only_when_named(void **state)
{
    json_auto_t *plain = parse("{}");
    json_auto_t *asked =
        parse("{\"settings\":{\"apply\":[\"alarms\"],\"skip\":[\"stream\",\"tags\"],\"ttl\":false}}");

    (void)state;
    assert_true(restore_takes_setting(plain, "billing"));
    assert_true(restore_takes_setting(plain, "ttl"));
    assert_false(restore_takes_setting(plain, "alarms"));
    assert_false(restore_takes_setting(plain, "replicas"));
    assert_false(restore_takes_setting(plain, "no such thing"));
    assert_true(restore_takes_setting(asked, "alarms"));
    assert_false(restore_takes_setting(asked, "kinesis"));
    assert_false(restore_takes_setting(asked, "stream"));
    assert_false(restore_takes_setting(asked, "ttl"));
    assert_true(copy_skips(asked, "tags"));
    assert_false(copy_skips(asked, "sse"));
}

static void an_item_has_expired_when_its_second_is_past_but_not_five_years(void **state)
{
    const int64_t now = 1800000000;

    (void)state;
    assert_true(table_load_expired(BYTES("{\"N\":\"1799999999\"}"), now));
    assert_true(table_load_expired(BYTES("{ \"N\" : \"1799999999.9\" }"), now));
    assert_false(table_load_expired(BYTES("{\"N\":\"1800000000\"}"), now));
    assert_false(table_load_expired(BYTES("{\"N\":\"1900000000\"}"), now));
    assert_false(table_load_expired(BYTES("{\"N\":\"1600000000\"}"), now)); /* more than five years ago */
    assert_false(table_load_expired(BYTES("{\"N\":\"0\"}"), now));
    assert_false(table_load_expired(BYTES("{\"S\":\"1799999999\"}"), now));
    assert_false(table_load_expired(BYTES("{\"N\":\"soon\"}"), now));
    assert_false(table_load_expired(BYTES("{}"), now));
    assert_false(table_load_expired(BYTES(""), now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_capsule_and_override_nothing_says_the_keys),
        cmocka_unit_test(lines_get_their_keys_from_the_override),
        cmocka_unit_test(overrides_that_cannot_be_are_refused_with_their_place),
        cmocka_unit_test(overrides_take_the_place_of_the_capsule),
        cmocka_unit_test(a_table_is_created_on_demand_tagged_and_with_all_that_goes_with_it),
        cmocka_unit_test(attributes_of_indexes_that_are_left_out_are_not_defined),
        cmocka_unit_test(a_table_is_known_by_id_else_by_when_it_was_made),
        cmocka_unit_test(a_table_is_ready_when_its_indexes_are),
        cmocka_unit_test(what_takes_over_from_the_old_table_is_applied_only_when_named),
        cmocka_unit_test(an_item_has_expired_when_its_second_is_past_but_not_five_years),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
