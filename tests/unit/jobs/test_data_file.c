#include "tests/unit/jobs/points.h"

#include "base/id.h"
#include "item/gzip_read.h"
#include "item/lines.h"
#include "jobs/data_file.h"

static struct data_writer *writer_of(struct tree *t, int part, int64_t number, size_t stored_max)
{
    struct data_writer_options options = {.root = t->root,
                                          .arena = t->arena,
                                          .table = "Sales.v1",
                                          .part = part,
                                          .number = number,
                                          .stored_max = stored_max};
    struct data_writer *writer;
    assert_int_equal(data_writer_new(&options, &writer, &t->err), 0);
    return writer;
}

static void add(struct tree *t, struct data_writer *writer, const char *item)
{
    point_item(t, writer, item);
}

/* Reads a file by the reader's own rules; returns its items. */
static int64_t read_again(struct tree *t, const struct data_file *file, struct fingerprint *ret_sum)
{
    struct gzip_options options = {.mode = GZIP_ONE, .damaged = ERR_RECOVERY_POINT_DAMAGED};
    struct root_reader *reader;
    struct gzip_seen seen;
    struct bytes item;
    int64_t size, count = 0;
    int more;

    assert_int_equal(root_read_open(t->root, file->path, &reader, &size, &t->err), 0);
    assert_int_equal(size, file->stored_size);
    struct gzip_read *gzip = gzip_read_new(&options, root_read_some, reader, &t->err);
    struct item_lines *lines = item_lines_new(gzip_read_some, gzip, ERR_RECOVERY_POINT_DAMAGED, &t->err);
    struct item_scratch *scratch = item_scratch_new(&t->err);
    while ((more = item_lines_next(lines, &item, &t->err)) > 0) {
        assert_int_equal(fingerprint_add(ret_sum, scratch, item, &t->err), 0);
        count++;
    }
    assert_int_equal(more, 0);
    assert_int_equal(gzip_read_finish(gzip, &seen, &t->err), 0);
    assert_memory_equal(seen.sha256, file->sha256.bytes, 32);
    assert_int_equal(seen.raw_bytes, file->raw_size);
    item_scratch_free(scratch);
    item_lines_free(lines);
    gzip_read_free(gzip);
    root_read_close(reader);
    return count;
}

static void a_sealed_file_is_what_its_record_says(void **state)
{
    struct fingerprint sum = FINGERPRINT_EMPTY;
    char text[FINGERPRINT_SIZE];
    struct data_file file;
    struct tree t;
    (void)state;
    tree_make(&t);
    struct data_writer *writer = writer_of(&t, 3, 7, 0);
    assert_true(data_writer_empty(writer));
    add(&t, writer, "{\"id\":{\"S\":\"1\"}}");
    add(&t, writer, "{\"id\":{\"S\":\"\xf0\x9f\x98\x80\"},\"n\":{\"N\":\"1E125\"}}");
    assert_int_equal(data_writer_seal(writer, &file, &t.err), 0);
    assert_string_equal(file.path, "tables/Sales.v1/data/0003-000007.json.gz");
    assert_int_equal(file.items, 2);
    assert_int_equal(read_again(&t, &file, &sum), 2);
    fingerprint_format(&sum, text);
    assert_string_equal(file.fingerprint, text);
    assert_true(data_writer_empty(writer));
    assert_int_equal(data_writer_number(writer), 8);
    data_writer_free(writer);
    assert_int_equal(tree_count(&t), 1);
    tree_drop(&t);
}

static void the_next_file_starts_from_nothing(void **state)
{
    struct fingerprint sum = FINGERPRINT_EMPTY;
    struct data_file first, second;
    struct tree t;
    (void)state;
    tree_make(&t);
    struct data_writer *writer = writer_of(&t, 0, 0, 0);
    add(&t, writer, "{\"id\":{\"S\":\"1\"}}");
    assert_int_equal(data_writer_seal(writer, &first, &t.err), 0);
    add(&t, writer, "{\"id\":{\"S\":\"2\"}}");
    assert_int_equal(data_writer_seal(writer, &second, &t.err), 0);
    assert_string_not_equal(first.path, second.path);
    assert_string_not_equal(first.fingerprint, second.fingerprint);
    assert_int_equal(read_again(&t, &second, &sum), 1);
    data_writer_free(writer);
    tree_drop(&t);
}

static void what_was_not_sealed_leaves_nothing(void **state)
{
    struct tree t;
    (void)state;
    tree_make(&t);
    struct data_writer *writer = writer_of(&t, 0, 0, 0);
    add(&t, writer, "{\"id\":{\"S\":\"1\"}}");
    data_writer_free(writer);
    assert_int_equal(tree_count(&t), 0);
    tree_drop(&t);
}

static void a_leftover_of_a_dead_run_is_stepped_over_never_replaced(void **state)
{
    struct data_file file, other;
    struct tree t;
    (void)state;
    tree_make(&t);
    struct data_writer *dead = writer_of(&t, 0, 0, 0);
    add(&t, dead, "{\"id\":{\"S\":\"old\"}}");
    assert_int_equal(data_writer_seal(dead, &other, &t.err),
                     0); /* placed, and then killed before it was recorded */
    data_writer_free(dead);
    struct data_writer *writer = writer_of(&t, 0, 0, 0);
    add(&t, writer, "{\"id\":{\"S\":\"new\"}}");
    assert_int_equal(data_writer_seal(writer, &file, &t.err), 0);
    assert_string_equal(file.path, "tables/Sales.v1/data/0000-000001.json.gz");
    assert_int_equal(data_writer_number(writer), 2);
    data_writer_free(writer);
    assert_int_equal(tree_count(&t), 2);
    tree_drop(&t);
}

static void a_leftover_with_the_same_bytes_is_taken_as_ours(void **state)
{
    struct data_file file, other;
    struct tree t;
    (void)state;
    tree_make(&t);
    struct data_writer *dead = writer_of(&t, 0, 0, 0);
    add(&t, dead, "{\"id\":{\"S\":\"same\"}}");
    assert_int_equal(data_writer_seal(dead, &other, &t.err), 0);
    data_writer_free(dead);
    struct data_writer *writer = writer_of(&t, 0, 0, 0);
    add(&t, writer, "{\"id\":{\"S\":\"same\"}}");
    assert_int_equal(data_writer_seal(writer, &file, &t.err), 0);
    assert_string_equal(file.path, other.path);
    assert_int_equal(tree_count(&t), 1);
    data_writer_free(writer);
    tree_drop(&t);
}

/* Text that deflate cannot shorten much. */
static char *noise_item(struct tree *t, size_t size)
{
    char *item = arena_alloc(t->arena, size + 1024);
    unsigned char random[255];
    size_t at = (size_t)snprintf(item, 32, "{\"b\":{\"B\":\"");
    while (at < size) {
        random_bytes(random, sizeof(random));
        at += base64_encode(random, sizeof(random), item + at);
    }
    snprintf(item + at, 8, "\"}}");
    return item;
}

static void a_file_is_full_before_a_page_could_make_it_too_large(void **state)
{
    const size_t max = 12 * MIB;
    struct data_file file;
    struct tree t;
    (void)state;
    tree_make(&t);
    struct data_writer *writer = writer_of(&t, 0, 0, max);
    char *item = noise_item(&t, 300000);
    while (!data_writer_full(writer))
        add(&t, writer, item);
    for (size_t page = 0; page + strlen(item) + 10 < (size_t)PAGE_MAX; page += strlen(item) + 10)
        add(&t, writer, item); /* the page that is in flight when it is found to be full */
    assert_int_equal(data_writer_seal(writer, &file, &t.err), 0);
    assert_true(file.stored_size <= (int64_t)max);
    assert_true(file.stored_size > 1 * MIB);
    data_writer_free(writer);
    tree_drop(&t);
}

static void the_floor_of_free_space_is_left_alone(void **state)
{
    struct data_writer *writer;
    struct tree t;
    (void)state;
    tree_make(&t);
    struct data_writer_options options = {
        .root = t.root, .arena = t.arena, .table = "Sales", .min_free = INT64_MAX};
    assert_int_equal(data_writer_new(&options, &writer, &t.err), 0);
    struct bytes item = BYTES("{\"id\":{\"S\":\"1\"}}");
    struct item_page page = {.items = &item, .count = 1};
    assert_fails(data_writer_add(writer, &page, &t.err), ERR_DISK_FULL, &t.err);
    assert_int_equal(tree_count(&t), 0);
    data_writer_free(writer);
    tree_drop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_file_is_what_its_record_says),
        cmocka_unit_test(the_next_file_starts_from_nothing),
        cmocka_unit_test(what_was_not_sealed_leaves_nothing),
        cmocka_unit_test(a_leftover_of_a_dead_run_is_stepped_over_never_replaced),
        cmocka_unit_test(a_leftover_with_the_same_bytes_is_taken_as_ours),
        cmocka_unit_test(a_file_is_full_before_a_page_could_make_it_too_large),
        cmocka_unit_test(the_floor_of_free_space_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
