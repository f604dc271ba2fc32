#include <openssl/evp.h>

#include "item/gzip_write.h"
#include "jobs/source.h"
#include "store/store.h"
#include "tests/unit/jobs/points.h"

struct world {
    struct tree t;
    struct point p;
    struct store *store;
    struct id id;
    struct recovery_point row;
};

static int insert_point(struct tx *tx, void *ctx, struct err *err)
{
    return tx_point_insert(tx, ctx, err);
}

static int update_point(struct tx *tx, void *ctx, struct err *err)
{
    return tx_point_update(tx, ctx, err);
}

/* A whole point on disk; the catalogue is empty. */
static void world_make(struct world *w)
{
    struct store_options options;
    tree_make(&w->t);
    point_make(&w->t, &w->p);
    options = (struct store_options){
        .url = arena_printf(w->t.arena, "sqlite:%s/db", w->t.dir), .data_dir = w->t.dir, .min_free_bytes = 1};
    assert_int_equal(store_open(&options, &w->store, &w->t.err), 0);
    assert_true(id_parse(BYTES(POINT_ID), &w->id));
}

static void world_drop(struct world *w)
{
    store_close(w->store);
    tree_drop(&w->t);
}

static void world_catalogue(struct world *w, enum point_status status)
{
    w->row = (struct recovery_point){.id = w->id,
                                     .environment = "test",
                                     .type = "table",
                                     .method = "scan",
                                     .origin = "recoverd",
                                     .resource = "table/Sales",
                                     .location = w->t.uri,
                                     .status = status,
                                     .trust = "unsigned",
                                     .items = 150,
                                     .manifest_sha256 = w->p.sha256,
                                     .has_manifest = true,
                                     .encryption = "none"};
    assert_int_equal(store_tx(w->store, "test", insert_point, &w->row, &w->t.err), 0);
}

static void world_status(struct world *w, enum point_status status)
{
    w->row.status = status;
    assert_int_equal(store_tx(w->store, "test", update_point, &w->row, &w->t.err), 0);
}

static int open_spec(struct world *w, json_t *spec, struct source **ret_source)
{
    int result = source_open(&w->t.options, w->store, spec, ret_source, &w->t.err);
    json_decref(spec);
    return result;
}

static int open_id(struct world *w, struct source **ret_source)
{
    return open_spec(w, json_pack("{s:s}", "recovery_point", POINT_ID), ret_source);
}

static int open_uri(struct world *w, const char *below, struct source **ret_source)
{
    return open_spec(w, json_pack("{s:o}", "uri", json_sprintf("%s%s", w->t.uri, below)), ret_source);
}

static int check_all(struct world *w, struct source *source, struct source_sums *ret_all)
{
    struct source_sums all = {0}, one;
    for (size_t i = 0; i < source->file_count; i++) {
        if (source_file_check(source, &source->files[i], SOURCE_ITEMS, NULL, NULL, &one, &w->t.err) < 0)
            return -1;
        all.items += one.items;
        all.raw_bytes += one.raw_bytes;
        fingerprint_merge(&all.fingerprint, &one.fingerprint);
    }
    *ret_all = all;
    return 0;
}

/* -- whole ones -- */

static void a_point_of_the_catalogue_is_read_whole(void **state)
{
    struct source *source;
    struct source_sums sums;
    char text[FINGERPRINT_SIZE];
    struct world w;
    (void)state;
    world_make(&w);
    world_catalogue(&w, POINT_AVAILABLE);
    assert_int_equal(open_id(&w, &source), 0);
    assert_int_equal(source->file_count, 2);
    assert_int_equal(source->items, 150);
    assert_true(bytes_is(source->capsule, "{\"format\":1}"));
    assert_memory_equal(&source->identity, &w.p.sha256, sizeof(source->identity));
    assert_int_equal(check_all(&w, source, &sums), 0);
    fingerprint_format(&sums.fingerprint, text);
    assert_string_equal(text, w.p.manifest.fingerprint);
    source_close(source);
    world_drop(&w);
}

static void a_tree_by_uri_needs_no_catalogue(void **state)
{
    static const char *const ways[] = {"", "/", "/manifest.json"};
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        assert_int_equal(open_uri(&w, ways[i], &source), 0);
        assert_non_null(source->manifest);
        assert_null(source->point);
        assert_int_equal(source->file_count, 2);
        source_close(source);
    }
    world_drop(&w);
}

static void a_tree_by_uri_that_the_catalogue_knows_is_held_to_it(void **state)
{
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    world_catalogue(&w, POINT_VERIFIED);
    assert_int_equal(open_uri(&w, "", &source), 0);
    assert_non_null(source->point);
    source_close(source);
    world_status(&w, POINT_FAILED);
    assert_fails(open_uri(&w, "", &source), ERR_RECOVERY_POINT_UNUSABLE, &w.t.err);
    world_drop(&w);
}

struct seen {
    size_t count;
    size_t stop_at;
};

static int see_item(void *arg, struct bytes item, int64_t line, struct err *err)
{
    struct seen *seen = arg;
    assert_true(item.len > 2 && item.data[0] == '{');
    assert_int_equal(line, (int64_t)++seen->count);
    return seen->count == seen->stop_at ? err_set(err, ERR_CANCELLED, "stop") : 0;
}

/* The catalogue is asked by one spelling. */
static void a_uri_names_its_folder_however_it_ends(void **state)
{
    static const char *const uris[] = {"s3://b/p/20260130", "s3://b/p/20260130/",
                                       "s3://b/p/20260130/manifest.json"};
    _cleanup_(arena_free_p) struct arena *arena = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(uris); i++)
        assert_string_equal(source_folder(arena, uris[i]), "s3://b/p/20260130");
}

static void items_come_in_order_with_their_lines_and_can_be_stopped(void **state)
{
    struct source *source;
    struct seen seen = {0};
    struct world w;
    (void)state;
    world_make(&w);
    assert_int_equal(open_uri(&w, "", &source), 0);
    assert_int_equal(source_file_items(source, &source->files[0], see_item, &seen, &w.t.err), 0);
    assert_int_equal(seen.count, 100);
    seen = (struct seen){.stop_at = 10};
    assert_fails(source_file_items(source, &source->files[0], see_item, &seen, &w.t.err), ERR_CANCELLED,
                 &w.t.err);
    assert_int_equal(seen.count, 10);
    source_close(source);
    world_drop(&w);
}

/* -- which points may be used -- */

static void only_whole_points_are_opened(void **state)
{
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    world_catalogue(&w, POINT_WRITING);
    for (enum point_status status = POINT_WRITING; status < POINT_STATUS_COUNT; status++) {
        world_status(&w, status);
        if (status == POINT_AVAILABLE || status == POINT_VERIFIED || status == POINT_PROVEN) {
            assert_int_equal(open_id(&w, &source), 0);
            source_close(source);
        } else {
            assert_fails(open_id(&w, &source),
                         status == POINT_DAMAGED ? ERR_RECOVERY_POINT_DAMAGED : ERR_RECOVERY_POINT_UNUSABLE,
                         &w.t.err);
        }
    }
    world_drop(&w);
}

static void a_damaged_point_may_be_looked_at_again(void **state)
{
    json_auto_t *spec = json_pack("{s:s}", "recovery_point", POINT_ID);
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    world_catalogue(&w, POINT_DAMAGED);
    assert_int_equal(source_open_damaged(&w.t.options, w.store, spec, &source, &w.t.err), 0);
    source_close(source);
    world_drop(&w);
}

static void what_is_nowhere_is_not_found(void **state)
{
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    assert_fails(open_id(&w, &source), ERR_RECOVERY_POINT_NOT_FOUND, &w.t.err);
    assert_fails(open_uri(&w, "/none", &source), ERR_RECOVERY_POINT_NOT_FOUND, &w.t.err);
    assert_fails(open_uri(&w, "/none.json.gz", &source), ERR_RECOVERY_POINT_NOT_FOUND, &w.t.err);
    assert_fails(open_uri(&w, "/none/none.json", &source), ERR_RECOVERY_POINT_NOT_FOUND, &w.t.err);
    world_drop(&w);
}

static void a_tree_without_manifest_is_never_opened(void **state)
{
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    assert_int_equal(unlink(tree_path(&w.t, "manifest.json")), 0);
    assert_fails(open_uri(&w, "", &source), ERR_RECOVERY_POINT_NOT_FOUND, &w.t.err);
    world_catalogue(&w, POINT_VERIFIED);
    assert_fails(open_id(&w, &source), ERR_RECOVERY_POINT_DAMAGED, &w.t.err);
    world_drop(&w);
}

/* -- damage -- */

static const char *data_path(struct world *w, size_t i)
{
    return w->p.manifest.files[i + 1].path;
}

static void assert_damage_named(struct world *w, int result, const char *name)
{
    assert_int_equal(result, -1);
    assert_string_equal(err_info(w->t.err.code)->name, "RECOVERY_POINT_DAMAGED");
    assert_non_null(strstr(w->t.err.message, name));
    err_clear(&w->t.err);
}

static void a_file_that_is_gone_cut_or_extra_is_damage_with_its_name(void **state)
{
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    assert_int_equal(truncate(tree_path(&w.t, data_path(&w, 0)), w.p.manifest.files[1].size - 1), 0);
    assert_damage_named(&w, open_uri(&w, "", &source), data_path(&w, 0));
    assert_int_equal(unlink(tree_path(&w.t, data_path(&w, 0))), 0);
    assert_damage_named(&w, open_uri(&w, "", &source), data_path(&w, 0));
    world_drop(&w);
    world_make(&w);
    assert_int_equal(unlink(tree_path(&w.t, data_path(&w, 1))), 0); /* the last one */
    assert_damage_named(&w, open_uri(&w, "", &source), data_path(&w, 1));
    world_drop(&w);
    world_make(&w);
    tree_write(&w.t, "tables/Sales/data/0000-000009.json.gz", BYTES("x"));
    assert_damage_named(&w, open_uri(&w, "", &source), "0000-000009");
    world_drop(&w);
    world_make(&w);
    assert_int_equal(symlink("/etc/passwd", tree_path(&w.t, "zzz")), 0);
    assert_damage_named(&w, open_uri(&w, "", &source), "zzz");
    world_drop(&w);
}

/* Every byte of a data file, one bit each: found when the file is checked, by its name. */
static void a_bit_flipped_anywhere_is_damage(void **state)
{
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    assert_int_equal(open_uri(&w, "", &source), 0);
    struct bytes whole = tree_read(&w.t, data_path(&w, 0));
    char *copy = arena_copy(w.t.arena, whole.data, whole.len);
    struct recovery_point vouched = {.items = source->items};
    source->point = &vouched; /* else every depth is the deepest */
    for (size_t i = 0; i < whole.len; i++) {
        copy[i] = (char)(copy[i] ^ (1 << (i % 8)));
        tree_write(&w.t, data_path(&w, 0), (struct bytes){copy, whole.len});
        for (enum source_depth depth = SOURCE_BYTES; depth <= SOURCE_ITEMS; depth++) {
            struct source_sums sums;
            int result = source_file_check(source, &source->files[0], depth, NULL, NULL, &sums, &w.t.err);
            assert_damage_named(&w, result, data_path(&w, 0));
        }
        copy[i] = whole.data[i];
    }
    source->point = NULL;
    source_close(source);
    world_drop(&w);
}

static void files_of_equal_size_that_were_swapped_are_damage(void **state)
{
    struct source *source;
    struct source_sums sums;
    struct world w;
    (void)state;
    world_make(&w);
    assert_int_equal(open_uri(&w, "", &source), 0);
    source->files[0].path = source->files[1].path; /* the other's bytes under this one's sums */
    source->files[0].size = source->files[1].size;
    assert_int_equal(source_file_check(source, &source->files[0], SOURCE_LINES, NULL, NULL, &sums, &w.t.err),
                     -1);
    assert_int_equal(w.t.err.code, ERR_RECOVERY_POINT_DAMAGED);
    source_close(source);
    world_drop(&w);
}

static void an_edited_manifest_is_caught_by_the_catalogue(void **state)
{
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    world_catalogue(&w, POINT_VERIFIED);
    w.p.manifest.tool = "somebody else"; /* a manifest that is sound in itself */
    tree_write(&w.t, "manifest.json", manifest_text(&w.t, &w.p.manifest));
    assert_damage_named(&w, open_id(&w, &source), "manifest.json");
    assert_damage_named(&w, open_uri(&w, "", &source), "manifest.json");
    world_drop(&w);
}

static void an_edited_capsule_is_damage(void **state)
{
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    tree_write(&w.t, CAPSULE_PATH, BYTES("{\"format\":2}"));
    assert_damage_named(&w, open_uri(&w, "", &source), "capsule.json");
    world_drop(&w);
}

/* -- one foreign file -- */

static struct bytes gzipped(struct world *w, struct bytes text)
{
    char name[] = "/tmp/recoverd-gzip-XXXXXX";
    _cleanup_(cleanup_close) int fd = mkstemp(name);
    struct gzip_write *gzip = gzip_write_open(fd, &w->t.err);
    struct gzip_written written;
    char *data;
    unlink(name);
    assert_int_equal(gzip_write_add(gzip, text.data, text.len, &w->t.err), 0);
    assert_int_equal(gzip_write_finish(gzip, &written, &w->t.err), 0);
    gzip_write_abort(gzip);
    data = arena_alloc(w->t.arena, written.stored_bytes);
    assert_int_equal(pread(fd, data, written.stored_bytes, 0), (ssize_t)written.stored_bytes);
    return (struct bytes){data, written.stored_bytes};
}

static struct bytes joined(struct world *w, struct bytes a, struct bytes b)
{
    char *data = arena_alloc(w->t.arena, a.len + b.len);
    memcpy(data, a.data, a.len);
    memcpy(data + a.len, b.data, b.len);
    return (struct bytes){data, a.len + b.len};
}

static const struct bytes line_one = {"{\"Item\":{\"id\":{\"S\":\"1\"}}}\n", 26};
static const struct bytes line_two = {"{\"Item\":{\"id\":{\"S\":\"2\"}}}\n", 26};

static int64_t foreign_items(struct world *w, const char *name, struct bytes content)
{
    struct source *source;
    struct source_sums sums;
    tree_write(&w->t, name, content);
    assert_int_equal(open_uri(w, arena_printf(w->t.arena, "/%s", name), &source), 0);
    assert_null(source->manifest);
    assert_true(source->files[0].foreign);
    int result = check_all(w, source, &sums);
    source_close(source);
    return result < 0 ? -1 : sums.items;
}

static void a_file_of_lines_is_read_plain_or_gzip_with_many_members(void **state)
{
    struct world w;
    (void)state;
    world_make(&w);
    assert_int_equal(foreign_items(&w, "a.json", joined(&w, line_one, line_two)), 2);
    assert_int_equal(foreign_items(&w, "a.json.gz", gzipped(&w, joined(&w, line_one, line_two))), 2);
    assert_int_equal(foreign_items(&w, "b.json.gz", joined(&w, gzipped(&w, line_one), gzipped(&w, line_two))),
                     2);
    assert_int_equal(foreign_items(&w, "c.json", BYTES("")), 0);
    world_drop(&w);
}

static void a_foreign_line_that_is_no_item_is_named_by_its_number(void **state)
{
    static const char *const bad[] = {
        "{\"Item\":{\"id\":{\"S\":1}}}\n",       "{\"Item\":{\"id\":{\"N\":\"1x\"}}}\n", "{}\n", "\n", "x\n",
        "{\"Item\":{\"id\":{\"S\":\"\xff\"}}}\n"};
    struct world w;
    (void)state;
    world_make(&w);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(foreign_items(&w, "bad.json", joined(&w, line_one, bytes_of(bad[i]))), -1);
        assert_string_equal(err_info(w.t.err.code)->name, "RECOVERY_POINT_DAMAGED");
        assert_non_null(strstr(w.t.err.message, "bad.json"));
        assert_non_null(strstr(w.t.err.message, "line 2"));
        err_clear(&w.t.err);
    }
    world_drop(&w);
}

static void two_members_in_a_file_of_our_own_are_damage(void **state)
{
    struct source *source;
    struct source_sums sums;
    struct world w;
    (void)state;
    world_make(&w);
    assert_int_equal(open_uri(&w, "", &source), 0);
    struct bytes two = joined(&w, gzipped(&w, line_one), gzipped(&w, line_two));
    tree_write(&w.t, data_path(&w, 0), two);
    struct source_file file = source->files[0];
    file.size = (int64_t)two.len;
    file.expected.size = file.size;
    file.expected.sha256 = digest_of(&w.t, two); /* even when the manifest says so */
    assert_damage_named(&w, source_file_check(source, &file, SOURCE_ITEMS, NULL, NULL, &sums, &w.t.err),
                        data_path(&w, 0));
    source_close(source);
    world_drop(&w);
}

/* -- an export of AWS -- */

static void write_export(struct world *w, const char *md5_of, int count, int total, const char *format)
{
    unsigned char md5[EVP_MAX_MD_SIZE];
    char base64[BASE64_SIZE(16)];
    struct bytes data = gzipped(w, joined(w, line_one, line_two));
    struct bytes of = md5_of ? bytes_of(md5_of) : data;

    assert_int_equal(EVP_Digest(of.data, of.len, md5, NULL, EVP_md5(), NULL), 1);
    base64_encode(md5, 16, base64);
    mkdir(tree_path(&w->t, "AWSDynamoDB"), 0700);
    mkdir(tree_path(&w->t, "AWSDynamoDB/01"), 0700);
    mkdir(tree_path(&w->t, "AWSDynamoDB/01/data"), 0700);
    tree_write(&w->t, "AWSDynamoDB/01/data/abc.json.gz", data);
    tree_write(&w->t, "AWSDynamoDB/01/data/empty.json.gz", BYTES(""));
    tree_write(
        &w->t, "AWSDynamoDB/01/manifest-files.json",
        bytes_of(arena_printf(
            w->t.arena,
            "{\"itemCount\":%d,\"md5Checksum\":\"%s\",\"etag\":\"x\",\"dataFileS3Key\":"
            "\"old/prefix/AWSDynamoDB/01/data/abc.json.gz\"}\n"
            "{\"itemCount\":0,\"md5Checksum\":\"1B2M2Y8AsgTpgAmY7PhCfg==\",\"etag\":\"y\",\"dataFileS3Key\":"
            "\"old/prefix/AWSDynamoDB/01/data/empty.json.gz\"}\n",
            count, base64)));
    tree_write(&w->t, "AWSDynamoDB/01/manifest-summary.json",
               bytes_of(arena_printf(w->t.arena,
                                     "{\"version\":\"2020-06-30\",\"itemCount\":%d,\"outputFormat\":\"%s\"}",
                                     total, format)));
}

static void an_export_is_read_by_its_own_manifests_wherever_it_lies(void **state)
{
    static const char *const ways[] = {"/AWSDynamoDB/01", "/AWSDynamoDB/01/",
                                       "/AWSDynamoDB/01/manifest-summary.json"};
    struct source_sums sums;
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    write_export(&w, NULL, 2, 2, "DYNAMODB_JSON");
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        assert_int_equal(open_uri(&w, ways[i], &source), 0);
        assert_int_equal(source->items, 2);
        assert_int_equal(source->file_count, 2);
        assert_int_equal(check_all(&w, source, &sums), 0);
        assert_int_equal(sums.items, 2);
        source_close(source);
    }
    world_drop(&w);
}

static void write_sum(struct world *w, const char *path, const char *of, bool hex)
{
    unsigned char md5[EVP_MAX_MD_SIZE];
    char text[HEX_SIZE(16)];

    assert_int_equal(EVP_Digest(of, strlen(of), md5, NULL, EVP_md5(), NULL), 1);
    if (hex)
        hex_encode(md5, 16, text);
    else
        base64_encode(md5, 16, text);
    tree_write(&w->t, path, bytes_of(arena_printf(w->t.arena, "%s\n", text)));
}

static void the_sums_beside_an_export_s_manifests_are_held_to_by_either_name(void **state)
{
    static const char summary[] =
        "{\"version\":\"2020-06-30\",\"itemCount\":2,\"outputFormat\":\"DYNAMODB_JSON\"}";
    static const char *const names[] = {"checksum", "md5"};
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    write_export(&w, NULL, 2, 2, "DYNAMODB_JSON");
    for (size_t i = 0; i < 2 * COUNT_OF(names); i++) {
        const char *path = arena_printf(w.t.arena, "AWSDynamoDB/01/manifest-summary.%s", names[i / 2]);
        const char *list = arena_printf(w.t.arena, "AWSDynamoDB/01/manifest-files.%s", names[i / 2]);

        write_sum(&w, path, summary, i % 2);
        assert_int_equal(open_uri(&w, "/AWSDynamoDB/01", &source), 0);
        source_close(source);
        write_sum(&w, path, "another", i % 2);
        assert_damage_named(&w, open_uri(&w, "/AWSDynamoDB/01", &source), "manifest-summary.json");
        tree_write(&w.t, path, BYTES("in a form of its own"));
        write_sum(&w, list, "another", i % 2);
        assert_damage_named(&w, open_uri(&w, "/AWSDynamoDB/01", &source), "manifest-files.json");
        tree_write(&w.t, list, BYTES("in a form of its own"));
    }
    world_drop(&w);
}

static void an_export_that_contradicts_its_manifests_is_damage(void **state)
{
    struct source_sums sums;
    struct source *source;
    struct world w;
    (void)state;
    world_make(&w);
    write_export(&w, NULL, 2, 3, "DYNAMODB_JSON");
    assert_fails(open_uri(&w, "/AWSDynamoDB/01", &source), ERR_RECOVERY_POINT_DAMAGED, &w.t.err);
    write_export(&w, NULL, 3, 3, "DYNAMODB_JSON");
    assert_int_equal(open_uri(&w, "/AWSDynamoDB/01", &source), 0);
    assert_damage_named(&w, check_all(&w, source, &sums), "abc.json.gz");
    source_close(source);
    write_export(&w, "other bytes", 2, 2, "DYNAMODB_JSON");
    assert_int_equal(open_uri(&w, "/AWSDynamoDB/01", &source), 0);
    assert_damage_named(&w, check_all(&w, source, &sums), "MD5");
    source_close(source);
    write_export(&w, NULL, 2, 2, "ION");
    assert_fails(open_uri(&w, "/AWSDynamoDB/01", &source), ERR_UNSUPPORTED_HERE, &w.t.err);
    write_export(&w, NULL, 2, 2, "DYNAMODB_JSON");
    tree_write(&w.t, "AWSDynamoDB/01/data/extra.json.gz", BYTES(""));
    assert_damage_named(&w, open_uri(&w, "/AWSDynamoDB/01", &source), "extra.json.gz");
    world_drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_of_the_catalogue_is_read_whole),
        cmocka_unit_test(a_tree_by_uri_needs_no_catalogue),
        cmocka_unit_test(a_tree_by_uri_that_the_catalogue_knows_is_held_to_it),
        cmocka_unit_test(a_uri_names_its_folder_however_it_ends),
        cmocka_unit_test(items_come_in_order_with_their_lines_and_can_be_stopped),
        cmocka_unit_test(only_whole_points_are_opened),
        cmocka_unit_test(a_damaged_point_may_be_looked_at_again),
        cmocka_unit_test(what_is_nowhere_is_not_found),
        cmocka_unit_test(a_tree_without_manifest_is_never_opened),
        cmocka_unit_test(a_file_that_is_gone_cut_or_extra_is_damage_with_its_name),
        cmocka_unit_test(a_bit_flipped_anywhere_is_damage),
        cmocka_unit_test(files_of_equal_size_that_were_swapped_are_damage),
        cmocka_unit_test(an_edited_manifest_is_caught_by_the_catalogue),
        cmocka_unit_test(an_edited_capsule_is_damage),
        cmocka_unit_test(a_file_of_lines_is_read_plain_or_gzip_with_many_members),
        cmocka_unit_test(a_foreign_line_that_is_no_item_is_named_by_its_number),
        cmocka_unit_test(two_members_in_a_file_of_our_own_are_damage),
        cmocka_unit_test(an_export_is_read_by_its_own_manifests_wherever_it_lies),
        cmocka_unit_test(the_sums_beside_an_export_s_manifests_are_held_to_by_either_name),
        cmocka_unit_test(an_export_that_contradicts_its_manifests_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
