#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "jobs/capsule.h"

static json_t *parse(const char *text)
{
    struct err err = ERR_INIT;
    json_t *value = NULL;

    assert_int_equal(json_parse(bytes_of(text), &(struct json_limits){.max_depth = 32}, &value, &err), 0);
    return value;
}

static const char good[] =
    "{\"format\":1,\"table\":\"T\",\"settings\":{\"key_schema\":{\"value\":{\"hash\":\"id\",\"hash_type\":"
    "\"S\","
    "\"range\":\"n\",\"range_type\":\"N\"}},\"ttl\":{\"value\":null},\"pitr\":{\"unsupported\":true},"
    "\"tags\":{\"unreadable\":{\"code\":\"AWS_UNAVAILABLE\",\"message\":\"503\"}}}}";

static void a_capsule_says_its_keys(void **state)
{
    json_auto_t *capsule = parse(good);
    struct dynamodb_key key;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(capsule_check(capsule, &err), 0);
    assert_int_equal(capsule_key(capsule, &key, &err), 0);
    assert_string_equal(key.hash, "id");
    assert_int_equal(key.hash_type, 'S');
    assert_string_equal(key.range, "n");
    assert_int_equal(key.range_type, 'N');
}

static void a_setting_is_read_or_unsupported_or_unreadable_or_absent(void **state)
{
    json_auto_t *capsule = parse(good);

    (void)state;
    assert_int_equal(capsule_state(capsule, "ttl"), CAPSULE_READ);
    assert_true(json_is_null(capsule_value(capsule, "ttl")));
    assert_int_equal(capsule_state(capsule, "pitr"), CAPSULE_UNSUPPORTED);
    assert_int_equal(capsule_state(capsule, "tags"), CAPSULE_UNREADABLE);
    assert_int_equal(capsule_state(capsule, "stream"), CAPSULE_ABSENT);
    assert_null(capsule_value(capsule, "pitr"));
    assert_int_equal(capsule_state(NULL, "ttl"), CAPSULE_ABSENT);
}

static void what_is_no_capsule_is_damage(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"format\":2,\"settings\":{\"key_schema\":{\"value\":{\"hash\":\"id\",\"hash_type\":\"S\"}}}}",
        "{\"format\":1,\"settings\":[]}",
        "{\"format\":1,\"settings\":{}}",
        "{\"format\":1,\"settings\":{\"key_schema\":{\"unsupported\":true}}}",
        "{\"format\":1,\"settings\":{\"key_schema\":{\"value\":{\"hash\":\"\",\"hash_type\":\"S\"}}}}",
        "{\"format\":1,\"settings\":{\"key_schema\":{\"value\":{\"hash\":\"id\",\"hash_type\":\"SS\"}}}}",
        "{\"format\":1,\"settings\":{\"key_schema\":{\"value\":{\"hash\":\"id\",\"hash_type\":\"L\"}}}}",
        "{\"format\":1,\"settings\":{\"key_schema\":{\"value\":{\"hash\":\"id\",\"hash_type\":\"S\","
        "\"range\":\"n\"}}}}",
        "{\"format\":1,\"settings\":{\"key_schema\":{\"value\":{\"hash\":\"id\",\"hash_type\":\"S\"}},"
        "\"ttl\":7}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_auto_t *capsule = parse(bad[i]);
        struct err err = ERR_INIT;

        assert_int_equal(capsule_check(capsule, &err), -1);
        assert_int_equal(err.code, ERR_RECOVERY_POINT_DAMAGED);
    }
}

static void a_new_capsule_takes_values(void **state)
{
    json_t *capsule = NULL;
    struct err err = ERR_INIT;
    struct dynamodb_key key;

    (void)state;
    assert_int_equal(capsule_new(&capsule, &err), 0);
    assert_int_equal(capsule_check(capsule, &err), -1);
    err_clear(&err);
    assert_int_equal(
        capsule_set(capsule, "key_schema", json_pack("{s:s,s:s}", "hash", "id", "hash_type", "B"), &err), 0);
    assert_int_equal(capsule_check(capsule, &err), 0);
    assert_int_equal(capsule_key(capsule, &key, &err), 0);
    assert_null(key.range);
    json_decref(capsule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capsule_says_its_keys),
        cmocka_unit_test(a_setting_is_read_or_unsupported_or_unreadable_or_absent),
        cmocka_unit_test(what_is_no_capsule_is_damage),
        cmocka_unit_test(a_new_capsule_takes_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
