/*
 * backup.table, after the scan: the manifest is written, then everything is read back against it. What makes
 * the manifest's bytes is fixed in the job's state first, so that it is the same manifest when it is written
 * twice.
 */
#include "item/sha256.h"
#include "jobs/backup_table_internal.h"
#include "jobs/source.h"

struct finishing {
    struct work *work;
    struct root *root;
    struct data_file *files;
    size_t file_count;
    struct manifest manifest;
    struct bytes capsule;
    struct hash manifest_sha256;
};

/* -- is it still the same table? -- */

static int same_table(struct work *work, const json_t *source, struct err *err)
{
    const char *id = json_get_text(source, "table_id");
    struct dynamodb_table now;
    bool same;

    if (backup_describe(work->aws, json_get_text(source, "table"), work->arena, &now, err) < 0)
        return -1;
    same = str_is(now.arn, json_get_text(source, "arn"));
    if (id && now.table_id)
        same = same && str_is(id, now.table_id);
    else
        same = same && now.created_ms == json_get_int(source, "created_ms", 0);
    return same ? 0
                : err_set(err, ERR_TABLE_REPLACED, "table %s is another one than the one whose scan began",
                          now.name);
}

/* -- what is fixed once -- */

static int fixed(struct work *work, json_t **ret_finish, struct err *err)
{
    json_auto_t *fresh = NULL;
    int64_t now = clock_wall_ms();

    if (work_state_get(work, "finish", ret_finish, err) < 0 || *ret_finish)
        return *ret_finish ? 0 : -1;
    fresh = json_pack("{s:I,s:s}", "to", (json_int_t)now, "tool", "recoverd " RECOVERD_VERSION);
    if (!fresh)
        return err_set(err, ERR_NO_MEMORY, "no memory for a manifest");
    if (work_state_put(work, "finish", fresh, err) < 0)
        return -1;
    *ret_finish = TAKE(fresh);
    return 0;
}

static int read_files(struct tx *tx, void *ctx, struct err *err)
{
    struct finishing *f = ctx;

    return tx_data_files_of(tx, f->work->job->key, f->work->arena, &f->files, &f->file_count, err);
}

/* -- the manifest -- */

static int digest_of(struct bytes content, struct hash *ret_hash, struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);

    return sha ? sha256_once(sha, content, ret_hash->bytes, err) : -1;
}

static int add_files(struct finishing *f, struct err *err)
{
    struct manifest *m = &f->manifest;
    struct fingerprint sum = FINGERPRINT_EMPTY, one;
    char text[FINGERPRINT_SIZE];

    m->files = arena_array(f->work->arena, struct manifest_file, f->file_count + 1);
    if (!m->files)
        return err_set(err, ERR_NO_MEMORY, "no memory for a manifest");
    m->files[0].path = arena_printf(f->work->arena, "tables/%s/capsule.json", m->table);
    m->files[0].size = m->stored_bytes = (int64_t)f->capsule.len;
    if (!m->files[0].path || digest_of(f->capsule, &m->files[0].sha256, err) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a manifest");
    for (size_t i = 0; i < f->file_count; i++) { /* capsule.json comes before data/ */
        const struct data_file *file = &f->files[i];

        m->files[i + 1] = (struct manifest_file){file->path,     file->stored_size, file->sha256,     true,
                                                 file->raw_size, file->items,       file->fingerprint};
        m->items += file->items;
        m->bytes += file->raw_size;
        m->stored_bytes += file->stored_size;
        if (!fingerprint_parse(bytes_of(file->fingerprint), &one))
            return err_set(err, ERR_INTERNAL, "%s has no fingerprint", file->path);
        fingerprint_merge(&sum, &one);
    }
    m->file_count = f->file_count + 1;
    fingerprint_format(&sum, text);
    m->fingerprint = arena_strdup(f->work->arena, text);
    return m->fingerprint ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a manifest");
}

static const char *kept(struct work *work, const json_t *object, const char *name)
{
    return arena_strdup(work->arena, json_get_text(object, name));
}

static int make_manifest(struct finishing *f, const json_t *source, const json_t *tree, const json_t *finish,
                         struct err *err)
{
    struct work *work = f->work;
    json_auto_t *capsule = NULL;
    char *text;

    if (backup_state(work, "capsule", &capsule, err) < 0)
        return -1;
    text = json_canonical(work->arena, capsule);
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for a capsule");
    f->capsule = bytes_of(text);
    f->manifest = (struct manifest){.tool = kept(work, finish, "tool"),
                                    .id = kept(work, tree, "point"),
                                    .environment = work->environment->name,
                                    .type = "table",
                                    .method = "scan",
                                    .table = kept(work, source, "table"),
                                    .account = kept(work, source, "account"),
                                    .region = kept(work, source, "region"),
                                    .arn = kept(work, source, "arn"),
                                    .table_id = kept(work, source, "table_id"),
                                    .consistency_from = json_get_int(tree, "from", 0),
                                    .consistency_to = json_get_int(finish, "to", 0),
                                    .created_at = json_get_int(finish, "to", 0)};
    if (!f->manifest.tool || !f->manifest.id || !f->manifest.table)
        return err_set(err, ERR_NO_MEMORY, "no memory for a manifest");
    return store_read(engine_store(work->engine), read_files, f, err) < 0 ? -1 : add_files(f, err);
}

/* -- the tree -- */

static int compare_path(const void *path, const void *file)
{
    return strcmp(path, ((const struct manifest_file *)file)->path);
}

/* What crashed attempts left is gone before the manifest says what belongs to the point. */
static int sweep(struct finishing *f, struct err *err)
{
    const struct manifest *m = &f->manifest;
    struct root_file *found;
    size_t count;

    if (root_list(f->root, "", &found, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (str_is(found[i].path, MANIFEST_PATH) ||
            bsearch(found[i].path, m->files, m->file_count, sizeof(m->files[0]), compare_path))
            continue;
        if (work_go(f->work, err) < 0 || backup_delete(f->work, f->root, found[i].path, err) < 0)
            return -1;
    }
    return 0;
}

static int put_manifest(struct finishing *f, struct err *err)
{
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(MANIFEST_MAX);

    manifest_write(&f->manifest, &text);
    if (buffer_ok(&text, MANIFEST_PATH, err) < 0 ||
        digest_of(buffer_bytes(&text), &f->manifest_sha256, err) < 0)
        return -1;
    return backup_put(f->work, f->root, MANIFEST_PATH, buffer_bytes(&text), err);
}

static void is_available(struct recovery_point *point, const void *arg)
{
    const struct finishing *f = arg;

    point->status = POINT_AVAILABLE;
    point->consistency_to = f->manifest.consistency_to;
    point->items = f->manifest.items;
    point->bytes = f->manifest.bytes;
    point->stored_bytes = f->manifest.stored_bytes;
    point->fingerprint = f->manifest.fingerprint;
    point->manifest_sha256 = f->manifest_sha256;
    point->has_manifest = true;
}

static int write_tree(struct finishing *f, struct err *err)
{
    if (sweep(f, err) < 0 || backup_put(f->work, f->root, f->manifest.files[0].path, f->capsule, err) < 0 ||
        put_manifest(f, err) < 0)
        return -1;
    return backup_point_change(f->work, is_available, f, err);
}

int backup_finish(struct work *work, struct err *err)
{
    struct finishing f = {.work = work};
    _cleanup_(root_close_p) struct root *root = NULL;
    json_auto_t *source = NULL, *tree = NULL, *finish = NULL;

    if (backup_state(work, "source", &source, err) < 0 || backup_state(work, "tree", &tree, err) < 0 ||
        backup_leftover(work, true, err) < 0 || fixed(work, &finish, err) < 0 ||
        same_table(work, source, err) < 0 || backup_root(work, &root, err) < 0)
        return -1;
    f.root = root;
    if (make_manifest(&f, source, tree, finish, err) < 0 ||
        backup_nothing_twice(work, f.manifest.table, err) < 0 || write_tree(&f, err) < 0)
        return -1;
    if (backup_leftover(work, false, err) < 0)
        return -1;
    return json_get_bool(source, "unreadable", false)
               ? work_partial(work, "SettingsRead", ERR_INCOMPLETE,
                              "some settings of the table could not be read; the capsule names them", err)
               : 0;
}

/* -- reading back: the files of the manifest, a run of them a part -- */

/* The job before this one could not read it back, and called it failed. */
static void is_to_be_read_back(struct recovery_point *point, const void *arg)
{
    (void)arg;
    if (point->status == POINT_FAILED && point->has_manifest)
        point->status = POINT_AVAILABLE;
}

static int open_point(struct work *work, struct source **ret_source, struct err *err)
{
    struct root_options options = root_options_of(work);
    json_auto_t *tree = NULL, *source = NULL;

    if (backup_state(work, "tree", &tree, err) < 0 ||
        (!id_is_zero(&work->job->retry_of) && backup_point_change(work, is_to_be_read_back, NULL, err) < 0))
        return -1;
    source = json_pack("{s:s}", "recovery_point", json_get_text(tree, "point"));
    return source_open(&options, engine_store(work->engine), source, ret_source, err);
}

int backup_read_back_split(struct work *work, struct err *err)
{
    _cleanup_(source_close_p) struct source *source = NULL;

    if (open_point(work, &source, err) < 0)
        return -1;
    return source_split(work, source, READ_BACK_PARTS_MAX, err);
}

int backup_read_back(struct work *work, struct err *err)
{
    _cleanup_(source_close_p) struct source *source = NULL;
    struct source_run run;

    if (open_point(work, &source, err) < 0 || source_run_of(work, source, &run, err) < 0)
        return -1;
    work_progress_total(work, source->items, false, "items");
    for (; run.next < run.to; run.next++) {
        const struct source_file *file = &source->files[run.next];
        struct source_sums sums;

        if (source_work_check(work, source, file, SOURCE_LINES, &sums, err) < 0)
            return -1;
        work_progress(work, sums.items, sums.raw_bytes);
        if (source_run_advance(work, &run, sums.items, sums.raw_bytes, err) < 0)
            return -1;
    }
    return WORK_DONE;
}

/* -- close -- */

/* Failed: the job before this one had read all of it back, and ended before it came to this step. */
static void is_verified(struct recovery_point *point, const void *arg)
{
    if (point->status != POINT_AVAILABLE && point->status != POINT_FAILED)
        return; /* a proof came before us: proven is more than verified */
    point->status = POINT_VERIFIED;
    point->verified_at = *(const int64_t *)arg;
}

struct found {
    struct work *work;
    struct recovery_point *point;
};

static int find_point(struct tx *tx, void *ctx, struct err *err)
{
    struct found *found = ctx;

    return tx_point_by_job(tx, &found->work->job->origin_id, found->work->arena, &found->point, err);
}

int backup_close(struct work *work, struct err *err)
{
    struct found found = {.work = work};
    int64_t now = clock_wall_ms();
    json_auto_t *members = NULL;
    char id[ID_SIZE];

    if (backup_point_change(work, is_verified, &now, err) < 0 ||
        store_read(engine_store(work->engine), find_point, &found, err) < 0)
        return -1;
    if (found.point->status != POINT_VERIFIED && found.point->status != POINT_PROVEN)
        return err_set(err, ERR_RECOVERY_POINT_DAMAGED,
                       "it was read back, and another job found it %s meanwhile",
                       point_status_name(found.point->status));
    id_format(&found.point->id, id);
    members = json_pack("{s:s,s:I,s:I,s:s}", "recovery_point", id, "items", (json_int_t)found.point->items,
                        "bytes", (json_int_t)found.point->bytes, "fingerprint", found.point->fingerprint);
    return members ? work_result(work, members, err) : err_set(err, ERR_NO_MEMORY, "no memory for a result");
}
