#include "base/json.h"
#include "tests/unit/jobs/points.h"

static struct tree tree;
static struct point made;

static int setup(void **state)
{
    (void)state;
    tree_make(&tree);
    point_make(&tree, &made);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tree_drop(&tree);
    return 0;
}

static void what_is_written_is_read_again(void **state)
{
    struct manifest *read;
    struct bytes text = manifest_text(&tree, &made.manifest);
    (void)state;
    assert_int_equal(manifest_parse(text, tree.arena, &read, &tree.err), 0);
    assert_int_equal(read->file_count, 3);
    assert_int_equal(read->items, 150);
    assert_string_equal(read->table, "Sales");
    assert_null(read->table_id);
    assert_true(bytes_equal(manifest_text(&tree, read), text));
}

static json_t *parsed(void)
{
    static const struct json_limits limits = {.max_depth = 8};
    json_t *value;
    assert_int_equal(json_parse(manifest_text(&tree, &made.manifest), &limits, &value, &tree.err), 0);
    return value;
}

/* Takes `value`. */
static void assert_damaged(json_t *value)
{
    struct manifest *read;
    char *text = json_canonical(tree.arena, value);
    json_decref(value);
    assert_fails(manifest_parse(bytes_of(text), tree.arena, &read, &tree.err), ERR_RECOVERY_POINT_DAMAGED,
                 &tree.err);
}

static void each_member_that_is_missing_or_of_another_type_is_damage(void **state)
{
    static const char *const members[] = {"format", "tool",         "id",          "environment", "type",
                                          "method", "table",        "consistency", "created_at",  "items",
                                          "bytes",  "stored_bytes", "fingerprint", "files"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        json_t *without = parsed(), *other = parsed();
        json_object_del(without, members[i]);
        assert_damaged(without);
        json_object_set_new(other, members[i], json_true());
        assert_damaged(other);
    }
}

static void where_it_came_from_may_be_missing(void **state)
{
    json_auto_t *value = parsed();
    struct manifest *read;

    (void)state;
    json_object_del(value, "source");
    assert_int_equal(
        manifest_parse(bytes_of(json_canonical(tree.arena, value)), tree.arena, &read, &tree.err), 0);
    assert_null(read->account);
}

static void each_sum_that_is_edited_is_damage(void **state)
{
    static const char *const sums[] = {"items", "bytes", "stored_bytes"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sums); i++) {
        json_t *value = parsed();
        json_object_set_new(value, sums[i], json_integer(json_get_int(value, sums[i], 0) + 1));
        assert_damaged(value);
        value = parsed();
        json_object_set_new(value, sums[i], json_integer(-1));
        assert_damaged(value);
    }
}

static void another_sum_of_as_many_items_is_damage(void **state)
{
    (void)state;
    json_t *value = parsed();
    char text[FINGERPRINT_SIZE];
    size_t last;

    assert_true(str_copy(text, sizeof text, json_get_text(value, "fingerprint")));
    last = strlen(text) - 1;
    text[last] = text[last] == '0' ? '1' : '0';
    json_object_set_new(value, "fingerprint", json_string(text));
    assert_damaged(value);
}

static json_t *file_of(json_t *manifest, size_t i)
{
    return json_array_get(json_object_get(manifest, "files"), i);
}

static void each_member_of_a_file_that_is_edited_is_damage(void **state)
{
    static const char *const members[] = {"path", "size", "sha256", "raw_size", "items", "fingerprint"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        json_t *value = parsed();
        json_object_del(file_of(value, 1), members[i]);
        assert_damaged(value);
        if (strcmp(members[i], "sha256")) { /* another digest is found when the file is read */
            value = parsed();
            json_object_set(file_of(value, 1), members[i], json_object_get(file_of(value, 2), members[i]));
            assert_damaged(value);
        }
    }
}

static void a_path_that_does_not_match_the_layout_exactly_is_damage(void **state)
{
    static const char *const paths[] = {"",
                                        "/etc/passwd",
                                        "../x",
                                        "tables/Sales/data/../0-0.json.gz",
                                        "tables/Other/data/0000-000000.json.gz",
                                        "tables/Sales/data/0000-000000.json",
                                        "tables/Sales/data/0000.json.gz",
                                        "tables/Sales/data/a-0.json.gz",
                                        "tables/Sales/data/0000-000000.json.gz/",
                                        "tables/Sales/data//0000-000000.json.gz",
                                        "tables/Sales/data/0-.json.gz",
                                        "tables/Sales/data/0000-000000.json.gz.gz",
                                        "tables/Salesx/data/0-0.json.gz",
                                        "Tables/Sales/data/0-0.json.gz",
                                        "tables/Sales/capsule.json",
                                        "manifest.json",
                                        "tables/Sales/data/0000000000000-0.json.gz"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        json_t *value = parsed();
        json_object_set_new(file_of(value, 1), "path", json_string(paths[i]));
        assert_damaged(value);
    }
}

static void files_out_of_order_twice_or_without_capsule_are_damage(void **state)
{
    json_t *value = parsed(), *files = json_object_get(value, "files");
    (void)state;
    json_array_append(files, json_array_get(files, 1));
    assert_damaged(value);
    value = parsed();
    files = json_object_get(value, "files");
    json_array_insert(files, 0, json_array_get(files, 2));
    json_array_remove(files, 3);
    assert_damaged(value);
    value = parsed();
    files = json_object_get(value, "files");
    json_object_set_new(
        value, "stored_bytes",
        json_integer(json_get_int(value, "stored_bytes", 0) - json_get_int(file_of(value, 0), "size", 0)));
    json_array_remove(files, 0);
    assert_damaged(value);
}

static void counts_that_overflow_are_damage(void **state)
{
    json_t *value = parsed();
    (void)state;
    json_object_set_new(file_of(value, 1), "raw_size", json_integer(INT64_MAX));
    assert_damaged(value);
    value = parsed();
    json_object_set_new(file_of(value, 1), "size", json_integer(INT64_MAX));
    assert_damaged(value);
}

static void another_format_type_or_method_is_not_read(void **state)
{
    json_t *value = parsed();
    (void)state;
    json_object_set_new(value, "format", json_integer(2));
    assert_damaged(value);
    value = parsed();
    json_object_set_new(value, "type", json_string("bucket"));
    assert_damaged(value);
    value = parsed();
    json_object_set_new(value, "method", json_string("native"));
    assert_damaged(value);
    value = parsed();
    json_object_set_new(value, "table", json_string("../Sales"));
    assert_damaged(value);
}

static void a_text_cut_anywhere_is_damage(void **state)
{
    struct bytes text = manifest_text(&tree, &made.manifest);
    struct manifest *read;
    (void)state;
    for (size_t len = 0; len < text.len - 2; len += 7)
        assert_fails(manifest_parse((struct bytes){text.data, len}, tree.arena, &read, &tree.err),
                     ERR_RECOVERY_POINT_DAMAGED, &tree.err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(each_member_that_is_missing_or_of_another_type_is_damage),
        cmocka_unit_test(where_it_came_from_may_be_missing),
        cmocka_unit_test(each_sum_that_is_edited_is_damage),
        cmocka_unit_test(another_sum_of_as_many_items_is_damage),
        cmocka_unit_test(each_member_of_a_file_that_is_edited_is_damage),
        cmocka_unit_test(a_path_that_does_not_match_the_layout_exactly_is_damage),
        cmocka_unit_test(files_out_of_order_twice_or_without_capsule_are_damage),
        cmocka_unit_test(counts_that_overflow_are_damage),
        cmocka_unit_test(another_format_type_or_method_is_not_read),
        cmocka_unit_test(a_text_cut_anywhere_is_damage),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
