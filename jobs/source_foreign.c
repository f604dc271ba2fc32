/*
 * Sources that recoverd did not write: one file of lines {"Item":...}, plain or gzip, or the folder of an AWS
 * export
 * ("DynamoDB table export output format" of the Amazon DynamoDB Developer Guide), whose manifests are
 * believed only as far as the files bear them out.
 */
#include <openssl/evp.h>

#include "base/json.h"
#include "base/str.h"
#include "item/sha256.h"
#include "jobs/source_internal.h"

#define SUMMARY_PATH "manifest-summary.json"
#define LIST_PATH "manifest-files.json"
#define MD5_BYTES 16

static const struct json_limits limits = {.max_depth = 8};

/* -- identity: what is planned is what is restored -- */

static int add_identity(struct sha256 *sha, const struct source_file *file, struct err *err)
{
    char size[32];

    snprintf(size, sizeof(size), " %lld\n", (long long)file->size);
    return sha256_add(sha, file->path, strlen(file->path), err) < 0 ||
                   sha256_add(sha, size, strlen(size), err) < 0
               ? -1
               : 0;
}

static int identify(struct source *source, struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);

    if (!sha)
        return -1;
    for (size_t i = 0; i < source->file_count; i++)
        if (add_identity(sha, &source->files[i], err) < 0)
            return -1;
    return sha256_end(sha, source->identity.bytes, err);
}

/* -- AWS's export -- */

static int damaged(struct err *err, const char *what)
{
    return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s", what);
}

static int parse(struct bytes text, const char *path, json_t **ret_value, struct err *err)
{
    if (json_parse(text, &limits, ret_value, err) == 0)
        return 0;
    if (err->code == ERR_INVALID_JSON) {
        err->code = ERR_RECOVERY_POINT_DAMAGED;
        err->pointer[0] = '\0';
    }
    return err_wrap(err, "%s", path);
}

/* Base64, or hex; what else a checksum file may hold vouches for nothing. */
static bool read_md5(struct bytes text, unsigned char ret_md5[MD5_BYTES])
{
    unsigned char bytes[3 * MD5_BYTES];

    while (text.len > 0 && strchr(" \r\n", text.data[text.len - 1]))
        text.len--;
    if (text.len == 24 && base64_decode(text, bytes) == MD5_BYTES) {
        memcpy(ret_md5, bytes, MD5_BYTES);
        return true;
    }
    return text.len == 2 * MD5_BYTES && hex_decode(text, ret_md5, MD5_BYTES);
}

static int check_sum(struct source *source, const char *path, struct bytes text, const char *sum_path,
                     struct err *err)
{
    _cleanup_(buffer_done) struct buffer sum = BUFFER_INIT(4 * KIB);
    unsigned char wanted[MD5_BYTES], found[EVP_MAX_MD_SIZE];
    struct err none = ERR_INIT;

    if (root_get_buffer(source->root, sum_path, &sum, &none) < 0)
        return none.code == ERR_NOT_FOUND || none.code == ERR_LIMIT_EXCEEDED
                   ? 0
                   : err_set(err, none.code, "%s", none.message);
    if (!read_md5(buffer_bytes(&sum), wanted))
        return 0;
    if (EVP_Digest(text.data, text.len, found, NULL, EVP_md5(), NULL) != 1)
        return source_no_memory(err);
    return memcmp(wanted, found, MD5_BYTES)
               ? err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s has not the MD5 that %s says", path, sum_path)
               : 0;
}

/* AWS writes the sum of each manifest beside it: .checksum by the Developer Guide, .md5 in older exports. */
static int check_sums(struct source *source, const char *path, struct bytes text, struct err *err)
{
    static const char *const endings[] = {"checksum", "md5"};

    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        char sum_path[64];

        snprintf(sum_path, sizeof(sum_path), "%.*s.%s", (int)(strlen(path) - strlen(".json")), path,
                 endings[i]);
        if (check_sum(source, path, text, sum_path, err) < 0)
            return -1;
    }
    return 0;
}

static int read_summary(struct source *source, int64_t *ret_items, struct err *err)
{
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(MIB);
    json_auto_t *summary = NULL;
    const char *format, *type;

    if (root_get_buffer(source->root, SUMMARY_PATH, &text, err) < 0 ||
        check_sums(source, SUMMARY_PATH, buffer_bytes(&text), err) < 0 ||
        parse(buffer_bytes(&text), SUMMARY_PATH, &summary, err) < 0)
        return -1;
    format = json_get_text(summary, "outputFormat");
    type = json_get_text(summary, "exportType");
    if (!str_is(format, "DYNAMODB_JSON"))
        return err_set(err, ERR_UNSUPPORTED_HERE,
                       "the export is in the format %.20s; only DYNAMODB_JSON is read",
                       format ? format : "(none)");
    if (type && !str_is(type, "FULL_EXPORT"))
        return err_set(err, ERR_UNSUPPORTED_HERE, "the export is a %.30s; only full exports can be restored",
                       type);
    *ret_items = json_get_int(summary, "itemCount", -1);
    return *ret_items >= 0 ? 0 : damaged(err, SUMMARY_PATH ": no itemCount");
}

/* The key is the one that AWS wrote to; the export may have been copied elsewhere since: the last name stays.
 */
static const char *path_of(struct arena *arena, const char *key)
{
    const char *slash = key ? strrchr(key, '/') : NULL;

    return key ? arena_printf(arena, "data/%s", slash ? slash + 1 : key) : NULL;
}

static int take_line(struct arena *arena, struct bytes line, struct source_file *ret_file, struct err *err)
{
    json_auto_t *entry = NULL;
    unsigned char md5[32];
    const char *sum;

    if (parse(line, LIST_PATH, &entry, err) < 0)
        return -1;
    sum = json_get_text(entry, "md5Checksum");
    *ret_file = (struct source_file){.path = path_of(arena, json_get_text(entry, "dataFileS3Key")),
                                     .foreign = true,
                                     .exported = true,
                                     .size = -1,
                                     .exported_items = json_get_int(entry, "itemCount", -1)};
    if (!ret_file->path || !root_path_ok(ret_file->path) || ret_file->exported_items < 0 || !sum ||
        strlen(sum) != 24 || base64_decode(bytes_of(sum), md5) != (long)sizeof(ret_file->md5))
        return damaged(err, LIST_PATH ": a line without dataFileS3Key, itemCount and md5Checksum");
    ret_file->plain = !str_ends(ret_file->path, ".gz");
    memcpy(ret_file->md5, md5, sizeof(ret_file->md5));
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct source_file *)a)->path, ((const struct source_file *)b)->path);
}

static size_t count_lines(struct bytes text)
{
    size_t count = 1;

    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    return count;
}

static int read_list(struct source *source, struct arena *arena, struct err *err)
{
    _cleanup_(buffer_done) struct buffer buffer = BUFFER_INIT(MANIFEST_MAX);
    struct bytes text;

    if (root_get_buffer(source->root, LIST_PATH, &buffer, err) < 0 ||
        check_sums(source, LIST_PATH, buffer_bytes(&buffer), err) < 0)
        return -1;
    text = buffer_bytes(&buffer);
    source->files = arena_array(arena, struct source_file, count_lines(text));
    if (!source->files)
        return source_no_memory(err);
    while (text.len > 0) {
        const char *feed = memchr(text.data, '\n', text.len);
        struct bytes line = {text.data, feed ? (size_t)(feed - text.data) : text.len};
        size_t used = line.len + (feed ? 1 : 0);

        text.data += used;
        text.len -= used;
        if (line.len > 0 && take_line(arena, line, &source->files[source->file_count++], err) < 0)
            return -1;
    }
    qsort(source->files, source->file_count, sizeof(source->files[0]), by_path);
    return 0;
}

static int compare_file(const void *path, const void *file)
{
    return strcmp(path, ((const struct source_file *)file)->path);
}

/* Sizes come from the listing: the export's manifests do not say them. */
static int take_sizes(struct source *source, struct err *err)
{
    struct root_file *found;
    size_t count;

    if (root_list(source->root, "data/", &found, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct source_file *file = source->file_count
                                       ? bsearch(found[i].path, source->files, source->file_count,
                                                 sizeof(source->files[0]), compare_file)
                                       : NULL;
        if (!file)
            return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s is not in the export's manifest",
                           found[i].path);
        file->size = found[i].size;
    }
    return 0;
}

static int check_list(const struct source *source, int64_t items, struct err *err)
{
    int64_t sum = 0;

    for (size_t i = 0; i < source->file_count; i++) {
        const struct source_file *file = &source->files[i];

        if (file->size < 0)
            return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s is missing", file->path);
        if (i > 0 && !strcmp(file->path, source->files[i - 1].path))
            return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s is listed twice", file->path);
        if (__builtin_add_overflow(sum, file->exported_items, &sum))
            return damaged(err, LIST_PATH ": the counts are too large");
    }
    return sum == items ? 0 : damaged(err, SUMMARY_PATH ": the files add up to another itemCount");
}

int source_read_export(struct source *source, struct arena *arena, struct err *err)
{
    int64_t items;

    if (read_summary(source, &items, err) < 0)
        return -1;
    if (read_list(source, arena, err) < 0 || take_sizes(source, err) < 0 ||
        check_list(source, items, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            err->code = ERR_RECOVERY_POINT_DAMAGED;
        return -1;
    }
    source->items = items;
    return identify(source, err);
}

/* -- one file -- */

static int open_file(struct source *source, const struct root_options *options, const char *folder,
                     const char *name, struct err *err)
{
    _cleanup_(root_read_close_p) struct root_reader *reader = NULL;
    struct source_file *file = arena_make(options->arena, struct source_file);

    if (!file)
        return source_no_memory(err);
    file->path = arena_strdup(options->arena, name);
    file->foreign = true;
    file->plain = !str_ends(name, ".gz");
    if (!file->path)
        return source_no_memory(err);
    if (root_open(options, folder, &source->root, err) < 0 ||
        root_read_open(source->root, file->path, &reader, &file->size, err) < 0)
        return -1;
    source->files = file;
    source->file_count = 1;
    return identify(source, err);
}

static int open_either(struct source *source, const struct root_options *options, const char *uri,
                       struct err *err)
{
    const char *slash = strrchr(uri, '/');
    bool summary = str_ends(uri, "/" SUMMARY_PATH);
    char *folder = slash ? arena_strndup(options->arena, uri, (size_t)(slash - uri)) : NULL;

    if (!folder)
        return source_no_memory(err);
    if (!summary && (str_ends(uri, ".json") || str_ends(uri, ".gz")))
        return open_file(source, options, folder, slash + 1, err);
    if (root_open(options, summary ? folder : uri, &source->root, err) < 0)
        return -1;
    return source_read_export(source, options->arena, err);
}

int source_open_foreign(struct source *source, const struct root_options *options, const char *uri,
                        struct err *err)
{
    if (open_either(source, options, uri, err) == 0)
        return 0;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    err_clear(err); /* said in the words of a source */
    return err_set(
        err, ERR_RECOVERY_POINT_NOT_FOUND,
        "at %.200s there is neither a recovery point nor an export of AWS nor a file .json or .json.gz", uri);
}
