#include "tests/unit/jobs/tree.h"

#include "engine/engine.h"

static void what_is_put_is_read_again(void **state)
{
    struct tree t;
    (void)state;
    tree_make(&t);
    tree_put(&t, "a/b/c.json", "{\"x\":1}");
    assert_true(bytes_is(tree_read(&t, "a/b/c.json"), "{\"x\":1}"));
    tree_put(&t, "empty", "");
    assert_int_equal(tree_read(&t, "empty").len, 0);
    assert_int_equal(tree_count(&t), 2);
    tree_drop(&t);
}

static void a_file_is_never_replaced(void **state)
{
    struct tree t;
    (void)state;
    tree_make(&t);
    tree_put(&t, "a/one", "first");
    assert_fails(root_put(t.root, "a/one", BYTES("other"), &t.err), ERR_AWS_CONDITION, &t.err);
    assert_fails(root_put(t.root, "a/one", BYTES("longer than the first"), &t.err), ERR_AWS_CONDITION,
                 &t.err);
    assert_true(bytes_is(tree_read(&t, "a/one"), "first"));
    assert_int_equal(tree_count(&t), 1); /* and nothing half-made lies beside it */
    tree_drop(&t);
}

static void placing_the_same_again_is_done(void **state)
{
    struct tree t;
    (void)state;
    tree_make(&t);
    tree_put(&t, "a/one", "first");
    tree_put(&t, "a/one", "first");
    assert_int_equal(tree_count(&t), 1);
    tree_drop(&t);
}

static void a_spool_that_is_not_placed_leaves_nothing(void **state)
{
    struct tree t;
    struct spool spool;
    (void)state;
    tree_make(&t);
    assert_int_equal(root_spool_open(t.root, "a/one", &spool, &t.err), 0);
    assert_int_equal(stream_write_fd(spool.fd, "half", 4, &t.err), 0);
    assert_int_equal(tree_count(&t), 1); /* a crash here would leave it to the sweep */
    root_spool_close(&spool);
    assert_int_equal(tree_count(&t), 0);
    tree_drop(&t);
}

static void after_a_conflict_the_spool_goes_under_another_name(void **state)
{
    struct tree t;
    struct spool spool;
    uint8_t digest[SHA256_BYTES];
    struct sha256 *sha;
    (void)state;
    tree_make(&t);
    tree_put(&t, "a/one", "first");
    sha = sha256_new(&t.err);
    assert_int_equal(sha256_once(sha, BYTES("second"), digest, &t.err), 0);
    sha256_free(sha);
    assert_int_equal(root_spool_open(t.root, "a/one", &spool, &t.err), 0);
    assert_int_equal(stream_write_fd(spool.fd, "second", 6, &t.err), 0);
    assert_fails(root_place(t.root, &spool, "a/one", 6, digest, &t.err), ERR_AWS_CONDITION, &t.err);
    assert_int_equal(root_place(t.root, &spool, "a/two", 6, digest, &t.err), 0);
    assert_true(bytes_is(tree_read(&t, "a/two"), "second"));
    assert_int_equal(spool.fd, -1);
    tree_drop(&t);
}

static void no_path_leads_out(void **state)
{
    static const char *const bad[] = {"",      "/etc/passwd", "..",    "../x", "a/../b",  "a/..",
                                      "a//b",  "./a",         "a/./b", "a/",   "a b",     "a\\b",
                                      "a%2fb", "~/x",         "a;b",   "a\nb", "\xc3\xa9"};
    struct bytes content;
    struct tree t;
    (void)state;
    tree_make(&t);
    tree_put(&t, "a/b", "x");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_fails(root_put(t.root, bad[i], BYTES("x"), &t.err), ERR_URI_NOT_ALLOWED, &t.err);
        assert_fails(root_get(t.root, bad[i], 10, &content, &t.err), ERR_URI_NOT_ALLOWED, &t.err);
        assert_fails(root_delete(t.root, bad[i], &t.err), ERR_URI_NOT_ALLOWED, &t.err);
    }
    tree_drop(&t);
}

static void a_link_is_followed_neither_as_file_nor_as_folder(void **state)
{
    struct tree t;
    struct bytes content;
    struct root *below;
    (void)state;
    tree_make(&t);
    tree_put(&t, "real/file", "secret");
    assert_int_equal(symlink("file", tree_path(&t, "real/link")), 0);
    assert_int_equal(symlink("real", tree_path(&t, "folder")), 0);
    assert_int_equal(symlink("/etc", tree_path(&t, "etc")), 0);
    assert_fails(root_get(t.root, "real/link", 100, &content, &t.err), ERR_URI_NOT_ALLOWED, &t.err);
    assert_fails(root_get(t.root, "folder/file", 100, &content, &t.err), ERR_NOT_FOUND, &t.err);
    assert_fails(root_get(t.root, "etc/passwd", 1 << 20, &content, &t.err), ERR_NOT_FOUND, &t.err);
    assert_fails(root_put(t.root, "folder/new", BYTES("x"), &t.err), ERR_ROOT_UNWRITABLE, &t.err);
    /* a root that is itself below a link */
    assert_int_equal(root_open(&t.options, arena_printf(t.arena, "%s/folder", t.uri), &below, &t.err), 0);
    assert_fails(root_get(below, "file", 100, &content, &t.err), ERR_NOT_FOUND, &t.err);
    root_close(below);
    /* deleting takes the link, not what it points to */
    assert_int_equal(root_delete(t.root, "real/link", &t.err), 0);
    assert_true(tree_has(&t, "real/file"));
    tree_drop(&t);
}

static void what_is_no_file_is_not_read(void **state)
{
    struct tree t;
    struct bytes content;
    (void)state;
    tree_make(&t);
    tree_put(&t, "a/b", "x");
    assert_int_equal(mkfifo(tree_path(&t, "a/fifo"), 0600), 0);
    assert_fails(root_get(t.root, "a/fifo", 100, &content, &t.err), ERR_NOT_FOUND, &t.err);
    assert_fails(root_get(t.root, "a", 100, &content, &t.err), ERR_NOT_FOUND, &t.err);
    assert_fails(root_get(t.root, "a/none", 100, &content, &t.err), ERR_NOT_FOUND, &t.err);
    assert_fails(root_get(t.root, "a/b", 0, &content, &t.err), ERR_LIMIT_EXCEEDED, &t.err);
    tree_drop(&t);
}

static void a_listing_is_by_path_and_holds_what_does_not_belong(void **state)
{
    static const char *const expected[] = {".hidden", "a-b", "a/b/c", "a/d", "z"};
    struct root_file *files;
    struct tree t;
    size_t count;
    (void)state;
    tree_make(&t);
    tree_put(&t, "z", "1");
    tree_put(&t, "a/d", "22");
    tree_put(&t, "a/b/c", "333");
    tree_put(&t, "a-b", "4444");
    tree_write(&t, ".hidden", BYTES("55555"));
    assert_int_equal(root_list(t.root, "", &files, &count, &t.err), 0);
    assert_int_equal(count, COUNT_OF(expected));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(files[i].path, expected[i]);
    assert_int_equal(files[2].size, 3);
    assert_int_equal(root_list(t.root, "a/", &files, &count, &t.err), 0);
    assert_int_equal(count, 2);
    assert_int_equal(root_list(t.root, "none/", &files, &count, &t.err), 0);
    assert_int_equal(count, 0);
    tree_drop(&t);
}

static void a_root_that_is_not_there_is_unreadable_not_empty_handed(void **state)
{
    struct tree t;
    struct bytes content;
    (void)state;
    tree_make(&t);
    assert_false(tree_has(&t, ""));
    /* a disk that is not mounted must not look like a point whose files are gone */
    assert_fails(root_get(t.root, "manifest.json", 100, &content, &t.err), ERR_SOURCE_UNREADABLE, &t.err);
    assert_int_equal(tree_count(&t), 0);
    tree_drop(&t);
}

static void deleting_what_is_absent_is_fine(void **state)
{
    struct tree t;
    (void)state;
    tree_make(&t);
    tree_put(&t, "a/b", "x");
    struct root_keep keep = {.version = true};
    assert_int_equal(root_keeps(t.root, "a/b", &keep, &t.err), 0);
    assert_false(keep.version); /* a disk keeps nothing of what is deleted */
    assert_int_equal(root_delete(t.root, "a/b", &t.err), 0);
    assert_false(tree_has(&t, "a/b"));
    assert_int_equal(root_delete(t.root, "a/b", &t.err), 0);
    assert_int_equal(root_delete(t.root, "none/at/all", &t.err), 0);
    tree_drop(&t);
}

/* -- which uris are allowed -- */

struct asking {
    struct environment environments[2];
    struct config config;
    struct job_kind kind;
    struct grant grants[2];
    struct principal principal;
    struct ask ask;
    struct faults faults;
    struct arena *arena;
};

static void asking_make(struct asking *a)
{
    static const char *const roots[] = {"s3://bucket/exports", "file:///srv/exports"};
    *a = (struct asking){0};
    a->environments[0] = (struct environment){
        .name = "mine", .recovery_points = "s3://bucket/points", .uri_roots = {roots, 2}};
    a->environments[1] = (struct environment){.name = "other", .recovery_points = "s3://theirs/points"};
    a->config.environments = a->environments;
    a->config.environment_count = 2;
    a->kind = (struct job_kind){.name = "restore.table", .role = ROLE_ADMIN};
    a->grants[0] = (struct grant){ROLE_ADMIN, "mine"};
    a->grants[1] = (struct grant){ROLE_VIEWER, "other"};
    a->principal = (struct principal){.identity = "me", .grants = a->grants, .grant_count = 2};
    a->arena = arena_new(1 * MIB);
    faults_init(&a->faults, a->arena);
    a->ask = (struct ask){.config = &a->config,
                          .environment = &a->environments[0],
                          .kind = &a->kind,
                          .principal = &a->principal,
                          .faults = &a->faults,
                          .arena = a->arena};
}

static void a_uri_is_allowed_only_below_a_root_by_whole_names(void **state)
{
    static const char *const good[] = {"s3://bucket/points", "s3://bucket/points/",
                                       "s3://bucket/points/mine/20260101-000000-x",
                                       "s3://bucket/exports/a.json.gz", "file:///srv/exports/a.json"};
    static const char *const bad[] = {"s3://bucket/pointsX/a",
                                      "s3://bucket/point",
                                      "s3://bucket",
                                      "s3://other/points/a",
                                      "file:///srv/exports/../../etc/passwd",
                                      "file:///srv/exportsX",
                                      "file:///etc/passwd",
                                      "s3://bucket/points/a/../../x",
                                      "s3://bucket/points//a",
                                      "http://bucket/points",
                                      "s3://theirs/points/a",
                                      "file:///srv/exports/a b"};
    struct asking a;
    (void)state;
    asking_make(&a);
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_int_equal(root_allowed(&a.ask, good[i], "/spec/source/uri"), 0);
    assert_int_equal(a.faults.total, 0);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(root_allowed(&a.ask, bad[i], "/spec/source/uri"), -1);
    assert_int_equal(a.faults.total, COUNT_OF(bad));
    assert_int_equal(a.faults.code, ERR_URI_NOT_ALLOWED);
    arena_free(a.arena);
}

static void another_environments_root_needs_the_role_there(void **state)
{
    struct asking a;
    (void)state;
    asking_make(&a);
    assert_int_equal(root_allowed(&a.ask, "s3://theirs/points/a", "/x"), -1); /* viewer is not enough */
    a.grants[1].role = ROLE_ADMIN;
    assert_int_equal(root_allowed(&a.ask, "s3://theirs/points/a", "/x"), 0);
    arena_free(a.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_read_again),
        cmocka_unit_test(a_file_is_never_replaced),
        cmocka_unit_test(placing_the_same_again_is_done),
        cmocka_unit_test(a_spool_that_is_not_placed_leaves_nothing),
        cmocka_unit_test(after_a_conflict_the_spool_goes_under_another_name),
        cmocka_unit_test(no_path_leads_out),
        cmocka_unit_test(a_link_is_followed_neither_as_file_nor_as_folder),
        cmocka_unit_test(what_is_no_file_is_not_read),
        cmocka_unit_test(a_listing_is_by_path_and_holds_what_does_not_belong),
        cmocka_unit_test(a_root_that_is_not_there_is_unreadable_not_empty_handed),
        cmocka_unit_test(deleting_what_is_absent_is_fine),
        cmocka_unit_test(a_uri_is_allowed_only_below_a_root_by_whole_names),
        cmocka_unit_test(another_environments_root_needs_the_role_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
