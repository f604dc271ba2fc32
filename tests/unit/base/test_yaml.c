#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/cleanup.h"

struct reading {
    struct arena *arena;
    struct faults faults;
    struct yaml_node *root;
};

static struct reading read_bytes(struct bytes text)
{
    struct reading r = {.arena = arena_new(64 << 20)};
    assert_non_null(r.arena);
    faults_init(&r.faults, r.arena);
    r.root = yaml_read(text, "f.yaml", r.arena, &r.faults);
    return r;
}

static struct reading read_text(const char *text)
{
    return read_bytes(bytes_of(text));
}

static void reading_done(struct reading *r)
{
    arena_free(r->arena);
}

static void assert_fault(const struct reading *r, size_t i, const char *place, const char *part)
{
    assert_true(i < r->faults.count);
    assert_string_equal(r->faults.list[i].place, place);
    if (!strstr(r->faults.list[i].detail, part))
        fail_msg("wanted %s, found %s", part, r->faults.list[i].detail);
}

static void every_value_knows_its_line_and_column(void **state)
{
    (void)state;
    _cleanup_(reading_done) struct reading r = read_text("# comment\n"
                                                         "a: 1\n"
                                                         "\xc3\xa9t\xc3\xa9: [x, 'y z']\n"
                                                         "m:\n"
                                                         "  n: \"q\\n\"\n");
    assert_int_equal(r.faults.total, 0);
    assert_int_equal(r.root->type, YAML_MAP);
    assert_int_equal(r.root->count, 3);
    const struct yaml_node *a = yaml_get(r.root, "a");
    assert_int_equal(a->place.line, 2);
    assert_int_equal(a->place.column, 4);
    assert_int_equal(a->name_place.column, 1);
    assert_string_equal(a->text, "1");
    assert_false(a->quoted);
    const struct yaml_node *list = yaml_get(r.root, "\xc3\xa9t\xc3\xa9");
    assert_int_equal(list->type, YAML_LIST);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->place.column, 6); /* characters, not bytes */
    assert_null(list->first->name);
    assert_string_equal(list->first->next->text, "y z");
    assert_true(list->first->next->quoted);
    assert_int_equal(list->first->next->place.column, 10);
    const struct yaml_node *n = yaml_get(yaml_get(r.root, "m"), "n");
    assert_string_equal(n->text, "q\n");
    assert_int_equal(n->name_place.line, 5);
    assert_int_equal(n->name_place.column, 3);
    assert_null(yaml_get(n, "x"));
    assert_null(yaml_get(r.root, "x"));
    assert_null(yaml_get(NULL, "x"));
}

static void scalars_stay_text(void **state)
{
    (void)state;
    _cleanup_(reading_done) struct reading r =
        read_text("a: 012345678901\nb: no\nc: 1:30\nd: ~\ne:\nf: 2026-01-01\n");
    static const char *const pairs[][2] = {
        {"a", "012345678901"}, {"b", "no"}, {"c", "1:30"}, {"d", "~"}, {"e", ""}, {"f", "2026-01-01"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        assert_string_equal(yaml_get(r.root, pairs[i][0])->text, pairs[i][1]);
}

static void nothing_is_an_empty_mapping(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n\n", "# only a comment\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        _cleanup_(reading_done) struct reading r = read_text(texts[i]);
        assert_int_equal(r.faults.total, 0);
        assert_int_equal(r.root->type, YAML_MAP);
        assert_int_equal(r.root->count, 0);
    }
}

static void a_repeated_key_names_both_places_and_the_first_stays(void **state)
{
    (void)state;
    _cleanup_(reading_done) struct reading r = read_text("a: 1\nb: {c: 1, d: 2, c: 3}\na: 4\na: 5\n");
    assert_int_equal(r.faults.total, 3);
    assert_fault(&r, 0, "f.yaml:2:17", "key `c` is repeated; it stands at f.yaml:2:5 already");
    assert_fault(&r, 1, "f.yaml:3:1", "it stands at f.yaml:1:1 already");
    assert_fault(&r, 2, "f.yaml:4:1", "it stands at f.yaml:1:1 already");
    assert_int_equal(r.root->count, 2);
    assert_string_equal(yaml_get(r.root, "a")->text, "1");
    assert_int_equal(yaml_get(r.root, "b")->count, 2);
}

static void anchors_aliases_and_tags_are_refused_and_the_rest_is_read(void **state)
{
    (void)state;
    _cleanup_(reading_done) struct reading r =
        read_text("a: &x [1]\nb: *x\nc: !foo d\n<<: *x\ne: !!map {f: &y g}\n");
    assert_int_equal(r.faults.total, 6);
    assert_fault(&r, 0, "f.yaml:1:4", "anchors are not taken here: &x");
    assert_fault(&r, 1, "f.yaml:2:4", "aliases are not taken here: *x");
    assert_fault(&r, 2, "f.yaml:3:4", "tags are not taken here: !foo");
    assert_fault(&r, 3, "f.yaml:4:5", "aliases are not taken here: *x");
    assert_fault(&r, 4, "f.yaml:5:4", "tags are not taken here");
    assert_fault(&r, 5, "f.yaml:5:14", "anchors are not taken here: &y");
    assert_string_equal(yaml_get(yaml_get(r.root, "e"), "f")->text, "g");
}

static void an_alias_as_a_key_is_refused(void **state)
{
    (void)state;
    _cleanup_(reading_done) struct reading r = read_text("&x a: 1\n*x : 2\n");
    assert_int_equal(r.faults.total, 2);
    assert_fault(&r, 1, "f.yaml:2:1", "aliases are not taken here: *x");
}

static void syntax_ends_the_reading_at_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place, *part;
    } rows[] = {
        {"a: [1\n", "f.yaml:2:1", "did not find expected"},
        {"a: 1\n b: 2\n", "f.yaml:2:3", "mapping values are not allowed"},
        {"a: 'x\n", "f.yaml:2:1", "unexpected end of stream"},
        {"a: \"\\q\"\n", "f.yaml:1:5", "unknown escape"},
        {"a: @b\n", "f.yaml:1:4", "cannot start any token"},
        {"a: 1\n---\nb: 2\n", "f.yaml:2:1", "a second document"},
        {"a: 1\n...\nb: 2\n", "f.yaml:3:1", "document start"},
        {"[a]: 1\n", "f.yaml:1:1", "a key must be a plain text"},
        {"{a: 1}: 1\n", "f.yaml:1:1", "a key must be a plain text"},
        {"a: \"\\0\"\n", "f.yaml:1:4", "NUL"},
        {"%YAML 3.0\n---\na: 1\n", "f.yaml:1:1", "incompatible YAML document"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        _cleanup_(reading_done) struct reading r = read_text(rows[i].text);
        assert_null(r.root);
        assert_int_equal(r.faults.total, 1);
        assert_fault(&r, 0, rows[i].place, rows[i].part);
    }
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    _cleanup_(reading_done) struct reading r = read_text("a: 1\n\xc3\xa9: \xed\xa0\x80\n");
    assert_null(r.root);
    assert_fault(&r, 0, "f.yaml:2:4", "not UTF-8");
    reading_done(&r);
    r = read_bytes((struct bytes){"\xff\xfe"
                                  "a\0:\0 \0b\0",
                                  10}); /* libyaml would take it for UTF-16 */
    assert_null(r.root);
    assert_fault(&r, 0, "f.yaml:1:1", "not UTF-8");
}

static char *repeat(const char *what, size_t count)
{
    size_t len = strlen(what);
    char *text = malloc(len * count + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, what, len);
    text[len * count] = '\0';
    return text;
}

static void depth_and_size_have_their_bounds(void **state)
{
    (void)state;
    _cleanup_(reading_done) struct reading r = read_text("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
    assert_int_equal(r.faults.total, 0);
    reading_done(&r);
    r = read_text("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]");
    assert_null(r.root);
    assert_fault(&r, 0, "f.yaml:1:17", "nested deeper than 16");
    reading_done(&r);
    static const char *const bombs[] = {"[", "{a: ", "- "};
    for (size_t i = 0; i < COUNT_OF(bombs); i++) {
        _cleanup_(cleanup_free) char *bomb = repeat(bombs[i], CONFIG_MAX / strlen(bombs[i]));
        r = read_text(bomb);
        assert_null(r.root);
        assert_int_equal(r.faults.total, 1);
        reading_done(&r);
    }
    _cleanup_(cleanup_free) char *large = repeat("#", CONFIG_MAX + 1);
    r = read_text(large);
    assert_fault(&r, 0, "f.yaml:1:1", "larger than 256 KiB");
    reading_done(&r);
    large[CONFIG_MAX] = '\0';
    r = read_text(large);
    assert_int_equal(r.faults.total, 0);
}

static void a_file_full_of_one_key_is_counted_only_so_far(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *text = repeat("k: v\n", 50000);
    _cleanup_(reading_done) struct reading r = read_text(text);
    assert_int_equal(r.faults.count, FAULTS_MAX);
    assert_fault(&r, 0, "f.yaml:2:1", "key `k` is repeated");
}

static void an_arena_that_ends_is_a_fault_not_a_crash(void **state)
{
    (void)state;
    static const char text[] = "a: {b: [c, d, e], f: {g: h}}\ni: \"jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj\"\n";
    size_t good = 0;
    for (size_t limit = 0; limit < 16 * KIB; limit += 48) {
        struct arena *small = arena_new(limit);
        struct reading r = {.arena = arena_new(1 << 20)};
        faults_init(&r.faults, r.arena);
        r.root = small ? yaml_read(bytes_of(text), "f.yaml", small, &r.faults) : NULL;
        assert_true(!small || (r.root != NULL) == (r.faults.total == 0));
        good += r.root != NULL;
        arena_free(small);
        reading_done(&r);
    }
    assert_true(good > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_knows_its_line_and_column),
        cmocka_unit_test(scalars_stay_text),
        cmocka_unit_test(nothing_is_an_empty_mapping),
        cmocka_unit_test(a_repeated_key_names_both_places_and_the_first_stays),
        cmocka_unit_test(anchors_aliases_and_tags_are_refused_and_the_rest_is_read),
        cmocka_unit_test(an_alias_as_a_key_is_refused),
        cmocka_unit_test(syntax_ends_the_reading_at_its_place),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
        cmocka_unit_test(depth_and_size_have_their_bounds),
        cmocka_unit_test(a_file_full_of_one_key_is_counted_only_so_far),
        cmocka_unit_test(an_arena_that_ends_is_a_fault_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
