#include "jobs/source.h"

#include <stdlib.h>

#include "base/json.h"
#include "engine/engine.h"
#include "engine/work.h"
#include "item/sha256.h"
#include "jobs/names.h"
#include "jobs/source_internal.h"

const struct field source_fields[] = {
    FIELD_ID("recovery_point", "a recovery point of the catalogue"),
    FIELD_URI("uri",
              "a recovery point's folder, an AWS export, or a file of lines {\"Item\":...}, plain or gzip"),
    FIELD_END,
};

int source_no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "no memory for a source");
}

/* -- who may, judged before anything is read -- */

char *source_folder(struct arena *arena, const char *uri)
{
    size_t len = strlen(uri);

    if (str_ends(uri, "/" MANIFEST_PATH))
        len -= strlen("/" MANIFEST_PATH);
    while (len > 0 && uri[len - 1] == '/')
        len--;
    return arena_strndup(arena, uri, len);
}

struct lookup {
    struct arena *arena;
    struct id id;
    const char *location; /* NULL: by id */
    struct recovery_point *point;
};

static int find(struct tx *tx, void *ctx, struct err *err)
{
    struct lookup *l = ctx;
    struct err none = ERR_INIT;
    int found = l->location ? tx_point_by_location(tx, l->location, l->arena, &l->point, &none)
                            : tx_point_by_id(tx, &l->id, l->arena, &l->point, &none);

    if (found == 0)
        return 0;
    l->point = NULL;
    return none.code == ERR_NOT_FOUND ? 0 : err_set(err, none.code, "%s", none.message);
}

static int touch_point(struct ask *ask, const struct recovery_point *point, struct err *err)
{
    char id[ID_SIZE];

    id_format(&point->id, id);
    if (!ask->resource)
        ask->resource = point->resource;
    return names_touch_point(ask, id, false, err);
}

static int check_point(struct ask *ask, const char *text, const char *pointer, struct err *err)
{
    struct lookup l = {.arena = ask->arena};

    if (!id_parse(bytes_of(text), &l.id))
        return err_set(err, ERR_INTERNAL, "a recovery point's id was not checked");
    if (store_read(engine_store(ask->engine), find, &l, err) < 0)
        return -1;
    /* What the caller may not use is not there for him. */
    if (!l.point || !principal_may(ask->principal, ask->kind->role, l.point->environment)) {
        fault_add_code(ask->faults, ERR_RECOVERY_POINT_NOT_FOUND, pointer, "no recovery point %s", text);
        return 0;
    }
    return touch_point(ask, l.point, err);
}

static int check_uri(struct ask *ask, const char *uri, const char *pointer, struct err *err)
{
    struct lookup l = {.arena = ask->arena, .location = source_folder(ask->arena, uri)};

    if (!l.location)
        return source_no_memory(err);
    if (root_allowed(ask, uri, pointer) < 0)
        return 0; /* the fault is told with the others */
    if (store_read(engine_store(ask->engine), find, &l, err) < 0)
        return -1;
    return l.point ? touch_point(ask, l.point, err) : 0;
}

int source_check(struct ask *ask, const json_t *source, const char *pointer, struct err *err)
{
    const char *point = json_get_text(source, "recovery_point");
    const char *uri = json_get_text(source, "uri");
    char *at = arena_printf(ask->arena, "%s/%s", pointer, point ? "recovery_point" : "uri");

    if (!at)
        return source_no_memory(err);
    return point ? check_point(ask, point, at, err) : check_uri(ask, uri ? uri : "", at, err);
}

/* -- what is in a tree -- */

static int damaged(struct err *err, const char *path, const char *what)
{
    return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%s %s", path, what);
}

static int digest_of(struct bytes content, uint8_t ret_digest[SHA256_BYTES], struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);

    return sha ? sha256_once(sha, content, ret_digest, err) : -1;
}

/* manifest.json, as the catalogue knows it. NOT_FOUND when there is none. */
static int read_manifest(struct source *source, struct arena *arena, struct err *err)
{
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(MANIFEST_MAX + 1);
    const struct recovery_point *point = source->point;
    char id[ID_SIZE];

    if (root_get_buffer(source->root, MANIFEST_PATH, &text, err) < 0 ||
        digest_of(buffer_bytes(&text), source->identity.bytes, err) < 0)
        return -1;
    if (point && point->has_manifest &&
        memcmp(&point->manifest_sha256, &source->identity, sizeof(source->identity)))
        return damaged(err, MANIFEST_PATH, "is not the one that the catalogue knows");
    if (manifest_parse(buffer_bytes(&text), arena, &source->manifest, err) < 0)
        return -1;
    if (!point)
        return 0;
    id_format(&point->id, id);
    return str_is(source->manifest->id, id)
               ? 0
               : damaged(err, MANIFEST_PATH, "belongs to another recovery point");
}

static bool belongs_without_entry(const char *path)
{
    return str_is(path, MANIFEST_PATH) || str_is(path, MANIFEST_PATH ".sig");
}

/* Both lists are by path: each file of the manifest is there in its size, and nothing else is. */
static int compare_tree(struct source *source, struct err *err)
{
    const struct manifest *m = source->manifest;
    struct root_file *found;
    size_t count, next = 0;

    if (root_list(source->root, "", &found, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (belongs_without_entry(found[i].path))
            continue;
        if (next == m->file_count || strcmp(m->files[next].path, found[i].path) > 0)
            return damaged(err, found[i].path, "is not in the manifest");
        if (strcmp(m->files[next].path, found[i].path) < 0)
            return damaged(err, m->files[next].path, "is missing");
        if (m->files[next].size != found[i].size)
            return damaged(err, found[i].path, "has not the size that the manifest says");
        next++;
    }
    return next == m->file_count ? 0 : damaged(err, m->files[next].path, "is missing");
}

static int take_capsule(struct source *source, const struct manifest_file *file, struct err *err)
{
    uint8_t digest[SHA256_BYTES];

    if (root_get(source->root, file->path, CAPSULE_MAX, &source->capsule, err) < 0) {
        if (err->code == ERR_LIMIT_EXCEEDED || err->code == ERR_NOT_FOUND)
            err->code = ERR_RECOVERY_POINT_DAMAGED;
        return -1;
    }
    if (digest_of(source->capsule, digest, err) < 0)
        return -1;
    return memcmp(digest, file->sha256.bytes, sizeof(digest))
               ? damaged(err, file->path, "has another SHA-256 than the manifest says")
               : 0;
}

static int take_files(struct source *source, struct arena *arena, struct err *err)
{
    const struct manifest *m = source->manifest;

    source->files = arena_array(arena, struct source_file, m->file_count);
    if (!source->files)
        return source_no_memory(err);
    for (size_t i = 0; i < m->file_count; i++) {
        const struct manifest_file *file = &m->files[i];

        if (file->data)
            source->files[source->file_count++] =
                (struct source_file){.path = file->path, .size = file->size, .expected = *file};
        else if (take_capsule(source, file, err) < 0)
            return -1;
    }
    source->items = m->items;
    return 0;
}

static int read_tree(struct source *source, struct arena *arena, struct err *err)
{
    return read_manifest(source, arena, err) < 0 || compare_tree(source, err) < 0
               ? -1
               : take_files(source, arena, err);
}

/* -- opening -- */

static int usable(const struct recovery_point *point, bool also_damaged, struct err *err)
{
    switch (point->status) {
    case POINT_AVAILABLE:
    case POINT_VERIFIED:
    case POINT_PROVEN:
        return 0;
    case POINT_DAMAGED:
        return also_damaged
                   ? 0
                   : err_set(err, ERR_RECOVERY_POINT_DAMAGED, "the recovery point was found to be damaged");
    default:
        return err_set(err, ERR_RECOVERY_POINT_UNUSABLE, "the recovery point is %s",
                       point_status_name(point->status));
    }
}

static int open_point(struct source *source, const struct root_options *options, struct lookup *l,
                      bool also_damaged, struct err *err)
{
    source->point = l->point;
    if (!source->point)
        return err_set(err, ERR_RECOVERY_POINT_NOT_FOUND, "there is no such recovery point");
    source->uri = source->point->location;
    if (usable(source->point, also_damaged, err) < 0 ||
        root_open(options, source->point->location, &source->root, err) < 0)
        return -1;
    if (read_tree(source, options->arena, err) == 0)
        return 0;
    if (err->code == ERR_NOT_FOUND) /* the catalogue says that it is complete */
        err->code = ERR_RECOVERY_POINT_DAMAGED;
    return -1;
}

/* Is the uri the folder of a tree of ours, or its manifest.json? 1: it is open; 0: no. */
static int open_tree(struct source *source, const struct root_options *options, const char *uri,
                     struct err *err)
{
    if (root_open(options, uri, &source->root, err) < 0)
        return -1;
    if (read_tree(source, options->arena, err) == 0)
        return 1;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    err_clear(err); /* another kind of source may be there */
    root_close(TAKE(source->root));
    return 0;
}

static int open_uri(struct source *source, const struct root_options *options, struct store *store,
                    const char *uri, bool also_damaged, struct err *err)
{
    char *folder = source_folder(options->arena, uri);
    struct lookup l = {.arena = options->arena, .location = folder};
    int tree;

    if (!folder)
        return source_no_memory(err);
    if (store_read(store, find, &l, err) < 0)
        return -1;
    if (l.point)
        return open_point(source, options, &l, also_damaged, err);
    source->uri = folder;
    tree = str_ends(folder, ".json") || str_ends(folder, ".gz") ? 0 : open_tree(source, options, folder, err);
    return tree ? (tree < 0 ? -1 : 0) : source_open_foreign(source, options, folder, err);
}

static int open_any(struct source *source, const struct root_options *options, struct store *store,
                    const json_t *spec, bool also_damaged, struct err *err)
{
    const char *id = json_get_text(spec, "recovery_point");
    const char *uri = json_get_text(spec, "uri");
    struct lookup l = {.arena = options->arena};

    if (uri)
        return open_uri(source, options, store, uri, also_damaged, err);
    if (!id || !id_parse(bytes_of(id), &l.id))
        return err_set(err, ERR_RECOVERY_POINT_NOT_FOUND, "the source names no recovery point");
    if (store_read(store, find, &l, err) < 0)
        return -1;
    return open_point(source, options, &l, also_damaged, err);
}

static int source_open_as(const struct root_options *options, struct store *store, const json_t *spec,
                          bool also_damaged, struct source **ret_source, struct err *err)
{
    _cleanup_(source_close_p) struct source *source = calloc(1, sizeof(*source));

    if (!source)
        return source_no_memory(err);
    source->items = -1;
    if (open_any(source, options, store, spec, also_damaged, err) < 0)
        return -1;
    *ret_source = TAKE(source);
    return 0;
}

int source_open(const struct root_options *options, struct store *store, const json_t *source,
                struct source **ret_source, struct err *err)
{
    return source_open_as(options, store, source, false, ret_source, err);
}

int source_open_damaged(const struct root_options *options, struct store *store, const json_t *source,
                        struct source **ret_source, struct err *err)
{
    return source_open_as(options, store, source, true, ret_source, err);
}

void source_close(struct source *source)
{
    if (!source)
        return;
    root_close(source->root);
    free(source);
}
