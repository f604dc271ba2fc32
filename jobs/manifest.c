#include "jobs/manifest.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "item/fingerprint.h"

/* -- writing -- */

static void write_file(struct json_writer *w, const struct manifest_file *file)
{
    char hex[HEX_SIZE(32)];

    hex_encode(file->sha256.bytes, sizeof(file->sha256.bytes), hex);
    json_put_object(w, NULL);
    json_put_text(w, "path", file->path);
    json_put_int(w, "size", file->size);
    json_put_text(w, "sha256", hex);
    if (file->data) {
        json_put_int(w, "raw_size", file->raw_size);
        json_put_int(w, "items", file->items);
        json_put_text(w, "fingerprint", file->fingerprint);
    }
    json_put_object_end(w);
}

static void write_source(struct json_writer *w, const struct manifest *manifest)
{
    json_put_object(w, "source");
    json_put_text_opt(w, "account", manifest->account);
    json_put_text_opt(w, "region", manifest->region);
    json_put_text_opt(w, "arn", manifest->arn);
    json_put_text_opt(w, "table_id", manifest->table_id);
    json_put_object_end(w);
    json_put_object(w, "consistency");
    json_put_time(w, "from", manifest->consistency_from);
    json_put_time(w, "to", manifest->consistency_to);
    json_put_object_end(w);
}

void manifest_write(const struct manifest *manifest, struct buffer *out)
{
    struct json_writer w;

    json_put_begin(&w, out);
    json_put_object(&w, NULL);
    json_put_int(&w, "format", MANIFEST_FORMAT);
    json_put_text(&w, "tool", manifest->tool);
    json_put_text(&w, "id", manifest->id);
    json_put_text(&w, "environment", manifest->environment);
    json_put_text(&w, "type", manifest->type);
    json_put_text(&w, "method", manifest->method);
    json_put_text(&w, "table", manifest->table);
    write_source(&w, manifest);
    json_put_time(&w, "created_at", manifest->created_at);
    json_put_int(&w, "items", manifest->items);
    json_put_int(&w, "bytes", manifest->bytes);
    json_put_int(&w, "stored_bytes", manifest->stored_bytes);
    json_put_text(&w, "fingerprint", manifest->fingerprint);
    json_put_array(&w, "files");
    for (size_t i = 0; i < manifest->file_count; i++)
        write_file(&w, &manifest->files[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    buffer_add_char(out, '\n');
}

/* -- reading: every member by one of these, each naming what is wrong -- */

struct reading {
    struct arena *arena;
    struct err *err;
};

static int damaged(struct reading *r, const char *what, const char *member)
{
    return err_set(r->err, ERR_RECOVERY_POINT_DAMAGED, "manifest.json: %s %s", member, what);
}

/* Texts of one line only: they are shown, and paths are made of some. */
static int take_text(struct reading *r, const json_t *object, const char *name, bool required,
                     const char **ret_text)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);

    *ret_text = NULL;
    if (!value)
        return required ? damaged(r, "is missing", name) : 0;
    if (!text || json_string_length(value) > ROOT_PATH_MAX)
        return damaged(r, "is not a short text", name);
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return damaged(r, "has control characters", name);
    *ret_text = arena_strdup(r->arena, text);
    return *ret_text ? 0 : err_set(r->err, ERR_NO_MEMORY, "no memory for a manifest");
}

static int take_count(struct reading *r, const json_t *object, const char *name, int64_t *ret_value)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return damaged(r, "is not a count", name);
    *ret_value = json_integer_value(value);
    return 0;
}

static int take_time(struct reading *r, const json_t *object, const char *name, int64_t *ret_time)
{
    const char *text = json_get_text(object, name);

    return text && time_parse(bytes_of(text), ret_time) ? 0 : damaged(r, "is not a time", name);
}

static int take_fingerprint(struct reading *r, const json_t *object, int64_t items, const char **ret_text,
                            struct fingerprint *ret_fingerprint)
{
    if (take_text(r, object, "fingerprint", true, ret_text) < 0)
        return -1;
    if (!fingerprint_parse(bytes_of(*ret_text), ret_fingerprint))
        return damaged(r, "is not a fingerprint", "fingerprint");
    if (ret_fingerprint->count != (uint64_t)items)
        return damaged(r, "counts other items than items says", "fingerprint");
    return 0;
}

/* -- paths -- */

static const char *after(const char *text, const char *prefix)
{
    return text && str_starts(text, prefix) ? text + strlen(prefix) : NULL;
}

static const char *after_digits(const char *text)
{
    size_t n = text ? strspn(text, "0123456789") : 0;

    return n >= 1 && n <= 12 ? text + n : NULL;
}

/* tables/<table>/capsule.json or tables/<table>/data/<part>-<n>.json.gz, exactly. */
static bool path_fits(const char *path, const char *table, bool *ret_data)
{
    const char *rest = after(after(path, "tables/"), table);

    *ret_data = false;
    if (rest && !strcmp(rest, "/capsule.json"))
        return true;
    *ret_data = true;
    rest = after_digits(after(rest, "/data/"));
    rest = after_digits(after(rest, "-"));
    return rest && !strcmp(rest, ".json.gz");
}

static bool table_name_ok(const char *table)
{
    size_t len = strlen(table);

    return len >= 3 && len <= 255 &&
           strspn(table, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

/* -- files -- */

struct sums {
    int64_t items, bytes, stored;
    struct fingerprint fingerprint;
    size_t capsules;
};

static int add(struct reading *r, int64_t *sum, int64_t value)
{
    return __builtin_add_overflow(*sum, value, sum)
               ? damaged(r, "add up to more than a count can hold", "files")
               : 0;
}

static int take_data(struct reading *r, const json_t *value, struct manifest_file *file, struct sums *sums)
{
    struct fingerprint fingerprint;

    if (take_count(r, value, "raw_size", &file->raw_size) < 0 ||
        take_count(r, value, "items", &file->items) < 0 ||
        take_fingerprint(r, value, file->items, &file->fingerprint, &fingerprint) < 0)
        return -1;
    fingerprint_merge(&sums->fingerprint, &fingerprint);
    return add(r, &sums->items, file->items) < 0 || add(r, &sums->bytes, file->raw_size) < 0 ? -1 : 0;
}

static int take_file(struct reading *r, const json_t *value, const char *table, struct manifest_file *file,
                     struct sums *sums)
{
    const char *hex;

    if (!json_is_object(value))
        return damaged(r, "has an entry that is no object", "files");
    if (take_text(r, value, "path", true, &file->path) < 0)
        return -1;
    if (!path_fits(file->path, table, &file->data))
        return damaged(r, "is not a path of a recovery point", file->path);
    if (take_count(r, value, "size", &file->size) < 0 || take_text(r, value, "sha256", true, &hex) < 0 ||
        add(r, &sums->stored, file->size) < 0)
        return err_wrap(r->err, "%s", file->path);
    if (strspn(hex, "0123456789abcdef") != 64 ||
        !hex_decode(bytes_of(hex), file->sha256.bytes, sizeof(file->sha256.bytes)))
        return damaged(r, "has no SHA-256", file->path);
    if (!file->data)
        sums->capsules++;
    else if (take_data(r, value, file, sums) < 0)
        return err_wrap(r->err, "%s", file->path);
    return 0;
}

static int take_files(struct reading *r, const json_t *object, struct manifest *manifest, struct sums *sums)
{
    const json_t *files = json_object_get(object, "files");
    size_t count = json_array_size(files);

    if (!json_is_array(files))
        return damaged(r, "is not a list", "files");
    manifest->files = arena_array(r->arena, struct manifest_file, count + 1);
    if (!manifest->files)
        return err_set(r->err, ERR_NO_MEMORY, "no memory for a manifest");
    manifest->file_count = count;
    for (size_t i = 0; i < count; i++) {
        if (take_file(r, json_array_get(files, i), manifest->table, &manifest->files[i], sums) < 0)
            return -1;
        if (i > 0 && strcmp(manifest->files[i - 1].path, manifest->files[i].path) >= 0)
            return damaged(r, "is out of order, or there twice", manifest->files[i].path);
    }
    return sums->capsules == 1 ? 0 : damaged(r, "lacks the capsule", "files");
}

/* -- the whole -- */

static int take_head(struct reading *r, const json_t *object, struct manifest *manifest)
{
    if (json_get_int(object, "format", -1) != MANIFEST_FORMAT)
        return damaged(r, "is not one that this version reads", "format");
    if (take_text(r, object, "tool", true, &manifest->tool) < 0 ||
        take_text(r, object, "id", true, &manifest->id) < 0 ||
        take_text(r, object, "environment", true, &manifest->environment) < 0 ||
        take_text(r, object, "type", true, &manifest->type) < 0 ||
        take_text(r, object, "method", true, &manifest->method) < 0 ||
        take_text(r, object, "table", true, &manifest->table) < 0)
        return -1;
    if (!str_is(manifest->type, "table") || !str_is(manifest->method, "scan"))
        return damaged(r, "is not one that this version reads", "type");
    return table_name_ok(manifest->table) ? 0 : damaged(r, "is not a name of a table", "table");
}

static int take_origin(struct reading *r, const json_t *object, struct manifest *manifest)
{
    const json_t *source = json_object_get(object, "source");
    const json_t *consistency = json_object_get(object, "consistency");

    if (take_text(r, source, "account", false, &manifest->account) < 0 ||
        take_text(r, source, "region", false, &manifest->region) < 0 ||
        take_text(r, source, "arn", false, &manifest->arn) < 0 ||
        take_text(r, source, "table_id", false, &manifest->table_id) < 0)
        return -1;
    if (take_time(r, consistency, "from", &manifest->consistency_from) < 0 ||
        take_time(r, consistency, "to", &manifest->consistency_to) < 0 ||
        take_time(r, object, "created_at", &manifest->created_at) < 0)
        return -1;
    return 0;
}

static int take_sums(struct reading *r, const json_t *object, struct manifest *manifest,
                     const struct sums *sums)
{
    struct fingerprint fingerprint;

    if (take_count(r, object, "items", &manifest->items) < 0 ||
        take_count(r, object, "bytes", &manifest->bytes) < 0 ||
        take_count(r, object, "stored_bytes", &manifest->stored_bytes) < 0 ||
        take_fingerprint(r, object, manifest->items, &manifest->fingerprint, &fingerprint) < 0)
        return -1;
    if (manifest->items != sums->items || manifest->bytes != sums->bytes ||
        manifest->stored_bytes != sums->stored)
        return damaged(r, "say something else than the sum of the files", "items, bytes or stored_bytes");
    if (!fingerprint_equal(&fingerprint, &sums->fingerprint))
        return damaged(r, "is not the sum of the files' fingerprints", "fingerprint");
    return 0;
}

static int take_all(struct reading *r, const json_t *object, struct manifest *manifest)
{
    struct sums sums = {0};

    if (!json_is_object(object))
        return damaged(r, "is not an object", "it");
    if (take_head(r, object, manifest) < 0 || take_origin(r, object, manifest) < 0 ||
        take_files(r, object, manifest, &sums) < 0)
        return -1;
    return take_sums(r, object, manifest, &sums);
}

int manifest_parse(struct bytes text, struct arena *arena, struct manifest **ret_manifest, struct err *err)
{
    static const struct json_limits limits = {.max_depth = 8};
    struct manifest *manifest = arena_make(arena, struct manifest);
    struct reading reading = {arena, err};
    json_auto_t *object = NULL;

    if (!manifest)
        return err_set(err, ERR_NO_MEMORY, "no memory for a manifest");
    if (json_parse(text, &limits, &object, err) < 0) {
        if (err->code == ERR_INVALID_JSON) {
            err->code = ERR_RECOVERY_POINT_DAMAGED;
            err->pointer[0] = '\0'; /* it would point into the request */
        }
        return err_wrap(err, "manifest.json");
    }
    if (take_all(&reading, object, manifest) < 0)
        return -1;
    *ret_manifest = manifest;
    return 0;
}
