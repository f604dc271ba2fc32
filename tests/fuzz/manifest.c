/* Manifests and capsules. A manifest that is taken is written again and taken again, the same in every field;
 * its paths stay in their tree and its sums hold. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"
#include "item/fingerprint.h"
#include "jobs/capsule.h"
#include "jobs/manifest.h"
#include "jobs/settings.h"

static void judge_files(const struct manifest *manifest)
{
    int64_t items = 0, raw = 0, stored = 0;

    for (size_t i = 0; i < manifest->file_count; i++) {
        const struct manifest_file *file = &manifest->files[i];

        HOLDS(str_starts(file->path, "tables/") && !strstr(file->path, "/../") && !strstr(file->path, "//"));
        HOLDS(i == 0 || strcmp(manifest->files[i - 1].path, file->path) < 0);
        HOLDS(file->size >= 0);
        items += file->items;
        raw += file->raw_size;
        stored += file->size;
    }
    HOLDS(items == manifest->items && raw == manifest->bytes && stored == manifest->stored_bytes);
}

static void judge_manifest(struct bytes text)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    _cleanup_(buffer_done) struct buffer once = BUFFER_INIT((size_t)MANIFEST_MAX),
                                         twice = BUFFER_INIT((size_t)MANIFEST_MAX);
    struct manifest *manifest, *again;
    struct err err = ERR_INIT;
    int rc = manifest_parse(text, arena, &manifest, &err);

    judge(rc, &err);
    if (rc < 0)
        return;
    judge_files(manifest);
    manifest_write(manifest, &once);
    HOLDS(manifest_parse(buffer_bytes(&once), arena, &again, &err) == 0);
    manifest_write(again, &twice);
    HOLDS(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
}

static void judge_capsule(struct bytes text)
{
    static const struct json_limits limits = {.max_depth = 24};
    json_auto_t *capsule = NULL;
    struct err err = ERR_INIT;
    struct dynamodb_key key;
    int rc;

    if (json_parse(text, &limits, &capsule, &err) < 0)
        return;
    rc = capsule_check(capsule, &err);
    judge(rc, &err);
    if (rc < 0)
        return;
    HOLDS(capsule_key(capsule, &key, &err) == 0 && key.hash && key.hash[0]);
    for (const struct setting *s = settings; s->name; s++) {
        const json_t *value = capsule_value(capsule, s->name);

        HOLDS(!value == (capsule_state(capsule, s->name) != CAPSULE_READ));
        if (value)
            HOLDS(setting_same(s, value, value) || json_is_null(value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};

    if (input_byte(&in) & 1)
        judge_capsule(input_rest(&in));
    else
        judge_manifest(input_rest(&in));
    return 0;
}
