/*
 * Reading one file of a source: stored bytes -> (md5) -> gzip -> lines -> items. Everything is checked on the
 * way; a file that ends well has the size, the digest, the count and, when asked, the fingerprint that it
 * should have.
 */
#include <openssl/evp.h>

#include "item/gzip_read.h"
#include "item/lines.h"
#include "jobs/source_internal.h"

/* What a foreign file may inflate to; our own are bounded by DATA_FILE_RAW_MAX. */
#define FOREIGN_RAW_MAX ((uint64_t)1024 * GIB)
#define GO_EVERY 1024

struct walk {
    struct source *source;
    const struct source_file *file;
    enum source_depth depth;
    source_item_fn *fn; /* NULL: check only */
    void *arg;
    int (*go)(void *arg, struct err *err); /* NULL: never asked */
    void *go_arg;

    struct root_reader *reader;
    EVP_MD_CTX *md5; /* of an exported file */
    struct gzip_read *gzip;
    struct item_lines *lines;
    struct item_scratch *scratch;
    struct source_sums sums;
};

static void walk_done(struct walk *walk)
{
    item_lines_free(walk->lines);
    gzip_read_free(walk->gzip);
    root_read_close(walk->reader);
    item_scratch_free(walk->scratch);
    EVP_MD_CTX_free(walk->md5);
}

static int damaged(struct err *err, const char *what)
{
    return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s", what);
}

/* A stream_read_fn between root and gzip. */
static int read_stored(void *arg, void *to, size_t size, size_t *ret_len, struct err *err)
{
    struct walk *walk = arg;

    if (walk->go && walk->go(walk->go_arg, err) < 0)
        return -1;
    if (root_read_some(walk->reader, to, size, ret_len, err) < 0)
        return -1;
    if (walk->md5 && EVP_DigestUpdate(walk->md5, to, *ret_len) != 1)
        return source_no_memory(err);
    return 0;
}

static int open_stored(struct walk *walk, struct err *err)
{
    const struct source_file *file = walk->file;
    int64_t size;

    if (root_read_open(walk->source->root, file->path, &walk->reader, &size, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            err->code = ERR_RECOVERY_POINT_DAMAGED; /* it was there when the source was opened, or the
                                                       manifest says so */
        return -1;
    }
    if (size != file->size)
        return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%lld bytes instead of %lld", (long long)size,
                       (long long)file->size);
    if (!file->exported)
        return 0;
    walk->md5 = EVP_MD_CTX_new();
    return walk->md5 && EVP_DigestInit_ex(walk->md5, EVP_md5(), NULL) == 1 ? 0 : source_no_memory(err);
}

static int walk_open(struct walk *walk, struct err *err)
{
    const struct source_file *file = walk->file;
    struct gzip_options options = {.damaged = ERR_RECOVERY_POINT_DAMAGED, .mode = GZIP_ONE};

    if (walk->depth == SOURCE_BYTES) {
        options.mode = GZIP_PLAIN;
    } else if (file->foreign) {
        options.mode = file->plain ? GZIP_PLAIN : GZIP_MANY;
        options.raw_max = FOREIGN_RAW_MAX;
    }
    if (open_stored(walk, err) < 0)
        return -1;
    walk->gzip = gzip_read_new(&options, read_stored, walk, err);
    walk->lines =
        walk->gzip ? item_lines_new(gzip_read_some, walk->gzip, ERR_RECOVERY_POINT_DAMAGED, err) : NULL;
    walk->scratch = walk->lines ? item_scratch_new(err) : NULL;
    return walk->scratch ? 0 : -1;
}

static int judge_item(struct walk *walk, struct bytes item, struct err *err)
{
    if (walk->depth == SOURCE_ITEMS &&
        fingerprint_add(&walk->sums.fingerprint, walk->scratch, item, err) < 0) {
        if (err->code == ERR_ITEM_INVALID)
            err->code = ERR_RECOVERY_POINT_DAMAGED;
        return err_wrap(err, "line %llu", (unsigned long long)item_lines_number(walk->lines));
    }
    return walk->fn ? walk->fn(walk->arg, item, (int64_t)item_lines_number(walk->lines), err) : 0;
}

static int walk_items(struct walk *walk, struct err *err)
{
    bool skip = walk->depth < SOURCE_ITEMS && !walk->fn;
    struct bytes item;
    int more;

    while ((more = skip ? item_lines_skip(walk->lines, err) : item_lines_next(walk->lines, &item, err)) > 0) {
        if (!skip && judge_item(walk, item, err) < 0)
            return -1;
        walk->sums.items++;
        if (walk->go && walk->sums.items % GO_EVERY == 0 && walk->go(walk->go_arg, err) < 0)
            return -1;
    }
    return more;
}

/* -- what it should have been -- */

static int compare_own(struct walk *walk, const struct gzip_seen *seen, struct err *err)
{
    const struct manifest_file *expected = &walk->file->expected;
    char text[FINGERPRINT_SIZE];

    if (memcmp(seen->sha256, expected->sha256.bytes, sizeof(seen->sha256)))
        return damaged(err, "another SHA-256 than the manifest says");
    if (walk->depth == SOURCE_BYTES) {
        walk->sums = (struct source_sums){.items = expected->items, .raw_bytes = expected->raw_size};
        return 0;
    }
    if (seen->raw_bytes != (uint64_t)expected->raw_size)
        return damaged(err, "another inflated size than the manifest says");
    if (walk->sums.items != expected->items)
        return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%lld items instead of %lld",
                       (long long)walk->sums.items, (long long)expected->items);
    if (walk->depth < SOURCE_ITEMS)
        return 0;
    fingerprint_format(&walk->sums.fingerprint, text);
    return str_is(text, expected->fingerprint) ? 0
                                               : damaged(err, "another fingerprint than the manifest says");
}

static int compare_exported(struct walk *walk, struct err *err)
{
    unsigned char md5[EVP_MAX_MD_SIZE];

    if (EVP_DigestFinal_ex(walk->md5, md5, NULL) != 1)
        return source_no_memory(err);
    if (memcmp(md5, walk->file->md5, sizeof(walk->file->md5)))
        return damaged(err, "another MD5 than the export's manifest says");
    if (walk->sums.items != walk->file->exported_items)
        return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%lld items instead of %lld",
                       (long long)walk->sums.items, (long long)walk->file->exported_items);
    return 0;
}

static int walk_end(struct walk *walk, struct err *err)
{
    struct gzip_seen seen;
    bool unread = walk->depth == SOURCE_BYTES;

    if ((unread ? gzip_read_check(walk->gzip, &seen, err) : gzip_read_finish(walk->gzip, &seen, err)) < 0)
        return -1;
    walk->sums.raw_bytes = (int64_t)seen.raw_bytes;
    if (!walk->file->foreign)
        return compare_own(walk, &seen, err);
    return walk->file->exported ? compare_exported(walk, err) : 0;
}

static int walk_all(struct walk *walk, struct err *err)
{
    /* AWS may export an empty partition as nothing at all */
    if (walk->file->exported && walk->file->size == 0 && walk->file->exported_items == 0)
        return 0;
    if (walk_open(walk, err) == 0 && (walk->depth == SOURCE_BYTES || walk_items(walk, err) == 0) &&
        walk_end(walk, err) == 0)
        return 0;
    return err_wrap(err, "%s", walk->file->path);
}

static enum source_depth depth_of(const struct source *source, const struct source_file *file,
                                  enum source_depth asked)
{
    return file->foreign || !source->point ? SOURCE_ITEMS : asked;
}

int source_file_check(struct source *source, const struct source_file *file, enum source_depth depth,
                      int (*go)(void *arg, struct err *err), void *go_arg, struct source_sums *ret_sums,
                      struct err *err)
{
    _cleanup_(walk_done) struct walk walk = {
        .source = source, .file = file, .depth = depth_of(source, file, depth), .go = go, .go_arg = go_arg};

    if (walk_all(&walk, err) < 0)
        return -1;
    *ret_sums = walk.sums;
    return 0;
}

int source_file_items(struct source *source, const struct source_file *file, source_item_fn *fn, void *arg,
                      struct err *err)
{
    _cleanup_(walk_done) struct walk walk = {
        .source = source, .file = file, .depth = depth_of(source, file, SOURCE_LINES), .fn = fn, .arg = arg};

    return walk_all(&walk, err);
}
