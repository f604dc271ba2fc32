/* A whole recovery point on disk, made as backup.table makes it, without an engine. */
#pragma once
#include "item/sha256.h"
#include "jobs/data_file.h"
#include "jobs/manifest.h"
#include "tests/unit/jobs/tree.h"

#define POINT_ID "01890000-0000-7000-8000-000000000001"
#define CAPSULE_PATH "tables/Sales/capsule.json"

struct point {
    struct manifest manifest;
    struct manifest_file files[16];
    struct hash sha256; /* of manifest.json */
};

static inline struct hash digest_of(struct tree *t, struct bytes content)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(&t->err);
    struct hash hash;
    assert_int_equal(sha256_once(sha, content, hash.bytes, &t->err), 0);
    return hash;
}

static inline struct bytes manifest_text(struct tree *t, const struct manifest *manifest)
{
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(1 * MIB);
    manifest_write(manifest, &text);
    assert_int_equal(buffer_ok(&text, "manifest", &t->err), 0);
    return arena_bytes(t->arena, buffer_bytes(&text));
}

/* Of the table Sales, with no item yet. Nothing is copied. */
static inline struct manifest point_manifest(struct manifest_file *files, size_t count, int64_t stored,
                                             const char *fingerprint)
{
    return (struct manifest){.tool = "recoverd test",
                             .id = POINT_ID,
                             .environment = "test",
                             .type = "table",
                             .method = "scan",
                             .table = "Sales",
                             .account = "123456789012",
                             .region = "us-east-1",
                             .arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Sales",
                             .consistency_from = 1000,
                             .consistency_to = 2000,
                             .created_at = 2000,
                             .stored_bytes = stored,
                             .fingerprint = fingerprint,
                             .files = files,
                             .file_count = count};
}

/* What is in no tree yet: a manifest with nothing but the capsule. */
static inline void point_begin(struct tree *t, struct point *p)
{
    static const char capsule[] = "{\"format\":1}";
    char text[FINGERPRINT_SIZE];
    struct fingerprint none = FINGERPRINT_EMPTY;

    *p = (struct point){0};
    fingerprint_format(&none, text);
    p->files[0] = (struct manifest_file){
        .path = CAPSULE_PATH, .size = sizeof(capsule) - 1, .sha256 = digest_of(t, bytes_of(capsule))};
    p->manifest = point_manifest(p->files, 1, sizeof(capsule) - 1, arena_strdup(t->arena, text));
    tree_put(t, CAPSULE_PATH, capsule);
}

static inline void point_add(struct tree *t, struct point *p, const struct data_file *file)
{
    struct fingerprint sum, one;
    char text[FINGERPRINT_SIZE];

    assert_true(fingerprint_parse(bytes_of(p->manifest.fingerprint), &sum));
    assert_true(fingerprint_parse(bytes_of(file->fingerprint), &one));
    fingerprint_merge(&sum, &one);
    fingerprint_format(&sum, text);
    p->files[p->manifest.file_count++] = (struct manifest_file){
        file->path, file->stored_size, file->sha256, true, file->raw_size, file->items, file->fingerprint};
    p->manifest.fingerprint = arena_strdup(t->arena, text);
    p->manifest.items += file->items;
    p->manifest.bytes += file->raw_size;
    p->manifest.stored_bytes += file->stored_size;
}

static inline void point_item(struct tree *t, struct data_writer *writer, const char *item)
{
    struct item_scratch *scratch = item_scratch_new(&t->err);
    unsigned char digest[1][SHA256_BYTES];
    struct bytes bytes = bytes_of(item);

    assert_int_equal(item_digest(scratch, bytes, digest[0], NULL, &t->err), 0);
    assert_int_equal(
        data_writer_add(writer, &(struct item_page){.items = &bytes, .digests = digest, .count = 1}, &t->err),
        0);
    item_scratch_free(scratch);
}

/* One data file of `items` items whose ids begin at `from`. */
static inline void point_file(struct tree *t, struct point *p, int part, int from, int items)
{
    struct data_writer_options options = {.root = t->root, .arena = t->arena, .table = "Sales", .part = part};
    struct data_writer *writer;
    struct data_file file;

    assert_int_equal(data_writer_new(&options, &writer, &t->err), 0);
    for (int i = from; i < from + items; i++) {
        char *item = arena_printf(t->arena, "{\"id\":{\"S\":\"sale-%d\"},\"amount\":{\"N\":\"%d\"}}", i, i);
        point_item(t, writer, item);
    }
    assert_int_equal(data_writer_seal(writer, &file, &t->err), 0);
    data_writer_free(writer);
    point_add(t, p, &file);
}

static inline void point_end(struct tree *t, struct point *p)
{
    struct bytes text = manifest_text(t, &p->manifest);
    p->sha256 = digest_of(t, text);
    assert_int_equal(root_put(t->root, MANIFEST_PATH, text, &t->err), 0);
}

static inline void point_make(struct tree *t, struct point *p)
{
    point_begin(t, p);
    point_file(t, p, 0, 0, 100);
    point_file(t, p, 1, 100, 50);
    point_end(t, p);
}
