/* What the steps of a copy stand on: the source, the settings, and which files are whose. */
#include "jobs/table_copy.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "jobs/capsule.h"
#include "jobs/table_copy_internal.h"

static const struct json_limits json_depth = {.max_depth = 64};

const struct field copy_key_fields[] = {
    FIELD_TEXT("hash", "the partition key", REQUIRED, .max_length = 255),
    FIELD_TEXT("range", "the sort key", .max_length = 255),
    FIELD_END,
};

bool copy_wanted(const struct work *work)
{
    return json_get_text(work->spec, "target_table") || json_get_bool(work->spec, "prove", false);
}

const char *copy_target(const struct work *work)
{
    const char *target = json_get_text(work->spec, "target_table");

    return target ? target : arena_printf(work->arena, "recoverd-prove-%s", work->origin);
}

bool copy_skips(const void *spec, const char *setting)
{
    const json_t *asked = json_object_get(spec, "settings");
    const json_t *name;
    size_t i;

    json_array_foreach(json_object_get(asked, "skip"), i, name)
        if (str_is(json_string_value(name), setting))
            return true;
    return false;
}

/* -- settings with overrides -- */

/* The type of a key attribute: as the overrides say, else as any key of the source had it. */
static const char *type_of(const json_t *capsule, const json_t *overrides, const char *name)
{
    const char *said = json_get_text(json_object_get(overrides, "attributes"), name);
    const json_t *keys = capsule_value(capsule, "key_schema");
    const json_t *indexes = capsule_value(capsule, "indexes");
    size_t count = json_array_size(indexes);

    for (size_t i = 0; !said && i <= count; i++) {
        const json_t *of = i == 0 ? keys : json_array_get(indexes, i - 1);

        if (str_is(json_get_text(of, "hash"), name))
            said = json_get_text(of, "hash_type");
        else if (str_is(json_get_text(of, "range"), name))
            said = json_get_text(of, "range_type");
    }
    return said;
}

static int put_key(json_t *to, const char *member, const char *type_member, const json_t *capsule,
                   const json_t *overrides, const char *name, struct err *err)
{
    const char *type = name ? type_of(capsule, overrides, name) : NULL;

    if (!name)
        return 0;
    if (!type || !type[0] || type[1] || !strchr("SNB", type[0]))
        return err_set_at(err, ERR_INVALID_SPEC, "/spec/overrides/attributes",
                          "the key attribute %s needs its type, S, N or B, in attributes", name);
    json_object_set_new(to, member, json_string(name));
    return json_object_set_new(to, type_member, json_string(type));
}

static int put_keys(json_t *to, const json_t *from, const json_t *capsule, const json_t *overrides,
                    struct err *err)
{
    if (!to)
        return err_set(err, ERR_NO_MEMORY, "no memory for overrides");
    if (put_key(to, "hash", "hash_type", capsule, overrides, json_get_text(from, "hash"), err) < 0)
        return -1;
    return put_key(to, "range", "range_type", capsule, overrides, json_get_text(from, "range"), err);
}

static int override_keys(json_t *capsule, const json_t *overrides, struct err *err)
{
    json_t *keys = json_object();

    if (put_keys(keys, json_object_get(overrides, "key_schema"), capsule, overrides, err) < 0) {
        json_decref(keys);
        return -1;
    }
    return capsule_set(capsule, "key_schema", keys, err);
}

static int override_indexes(json_t *capsule, const json_t *overrides, struct err *err)
{
    json_auto_t *list = json_array();
    const json_t *index;
    size_t i;

    json_array_foreach(json_object_get(overrides, "indexes"), i, index) {
        json_t *one =
            json_pack("{s:s*,s:s*,s:s*}", "name", json_get_text(index, "name"), "type",
                      json_get_text(index, "type"), "projection", json_get_text(index, "projection"));

        if (json_array_append_new(list, one) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for overrides");
        if (put_keys(one, index, capsule, overrides, err) < 0)
            return -1;
        if (json_object_get(index, "include"))
            json_object_set(one, "include", json_object_get(index, "include"));
    }
    if (setting_sort(list, "name", err) < 0)
        return -1;
    return capsule_set(capsule, "indexes", TAKE(list), err);
}

static int override_billing(json_t *capsule, const char *mode, struct err *err)
{
    const json_t *was = capsule_value(capsule, "billing");

    if (str_is(mode, json_get_text(was, "mode")))
        return 0;
    if (str_is(mode, "PROVISIONED"))
        return err_set_at(err, ERR_INVALID_SPEC, "/spec/overrides/billing_mode",
                          "the source was not provisioned, so there are no units to take from it");
    return capsule_set(capsule, "billing", json_pack("{s:s}", "mode", mode), err);
}

static int override_all(json_t *capsule, const json_t *overrides, struct err *err)
{
    const json_t *sse = json_object_get(overrides, "sse");
    const char *mode = json_get_text(overrides, "billing_mode");

    if (json_object_get(overrides, "key_schema") && override_keys(capsule, overrides, err) < 0)
        return -1;
    if (json_object_get(overrides, "indexes") && override_indexes(capsule, overrides, err) < 0)
        return -1;
    if (mode && override_billing(capsule, mode, err) < 0)
        return -1;
    if (!sse)
        return 0;
    return capsule_set(capsule, "sse",
                       str_is(json_get_text(sse, "type"), "KMS")
                           ? json_pack("{s:s,s:s*}", "type", "KMS", "key", json_get_text(sse, "key"))
                           : json_null(),
                       err);
}

int copy_settings(struct bytes capsule, const json_t *spec, json_t **ret_capsule, struct err *err)
{
    const json_t *overrides = json_object_get(spec, "overrides");
    json_auto_t *wanted = NULL;

    if (!capsule.data && !json_object_get(overrides, "key_schema")) {
        *ret_capsule = NULL;
        return 0;
    }
    if (!capsule.data) {
        if (capsule_new(&wanted, err) < 0)
            return -1;
    } else if (json_parse(capsule, &json_depth, &wanted, err) < 0) {
        if (err->code == ERR_INVALID_JSON)
            err->code = ERR_RECOVERY_POINT_DAMAGED;
        err->pointer[0] = 0; /* it points into the capsule, not into the request */
        return err_wrap(err, "capsule.json");
    } else if (capsule_check(wanted, err) < 0) {
        return -1;
    }
    if (override_all(wanted, overrides, err) < 0)
        return -1;
    *ret_capsule = TAKE(wanted);
    return 0;
}

/* -- the source -- */

void copy_close(struct copy *copy)
{
    source_close(TAKE(copy->source));
    json_decref(TAKE(copy->capsule));
}

/* The first step says what the source is; the others must find the same. */
static int same_source(struct copy *copy, struct err *err)
{
    json_auto_t *state = NULL;
    char now[HEX_SIZE(32)];

    hex_encode(copy->source->identity.bytes, 32, now);
    if (work_state_get(copy->work, "source", &state, err) < 0)
        return -1;
    if (!state) {
        state = json_pack("{s:s}", "identity", now);
        return state ? work_state_put(copy->work, "source", state, err)
                     : err_set(err, ERR_NO_MEMORY, "no memory for a source");
    }
    if (!str_is(json_get_text(state, "identity"), now))
        return err_set(err, ERR_SOURCE_UNREADABLE, "the source is not what it was when the job began");
    return 0;
}

int copy_open(struct work *work, struct copy *ret_copy, struct err *err)
{
    struct root_options options = root_options_of(work);
    _cleanup_(copy_close) struct copy copy = {.work = work, .target = copy_target(work)};

    if (!copy.target)
        return err_set(err, ERR_NO_MEMORY, "no memory for a copy");
    if (source_open(&options, engine_store(work->engine), json_object_get(work->spec, "source"), &copy.source,
                    err) < 0 ||
        same_source(&copy, err) < 0 ||
        copy_settings(copy.source->capsule, work->spec, &copy.capsule, err) < 0)
        return -1;
    *ret_copy = copy;
    copy.source = NULL;
    copy.capsule = NULL;
    return 0;
}

struct proven {
    struct work *work;
    const struct id *point;
};

static int proven_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct proven *p = ctx;
    struct recovery_point *point;

    if (tx_point_by_id(tx, p->point, p->work->arena, &point, err) < 0)
        return -1;
    if (point->status != POINT_AVAILABLE && point->status != POINT_VERIFIED && point->status != POINT_PROVEN)
        return 0;
    return tx_point_set_status(tx, p->point, POINT_PROVEN, clock_wall_ms(), err);
}

int copy_tell_proven(struct work *work, const struct source *source, struct err *err)
{
    struct proven proven = {work, source->point ? &source->point->id : NULL};

    return source->point ? work_tx(work, "proven", proven_tx, &proven, err) : 0;
}

int copy_file_sum(struct copy *copy, size_t number, struct fingerprint *ret_sum, struct err *err)
{
    const struct source_file *file = &copy->source->files[number];
    char *name = arena_printf(copy->work->arena, "file.%zu", number);
    json_auto_t *state = NULL;
    const char *text = file->foreign ? NULL : file->expected.fingerprint;

    if (!name)
        return err_set(err, ERR_NO_MEMORY, "no memory for a fingerprint");
    if (file->foreign) {
        if (work_state_get(copy->work, name, &state, err) < 0)
            return -1;
        text = json_get_text(state, "fingerprint");
    }
    if (!text || !fingerprint_parse(bytes_of(text), ret_sum))
        return err_set(err, file->foreign ? ERR_INTERNAL : ERR_RECOVERY_POINT_DAMAGED,
                       "%s: its fingerprint is not known", file->path);
    return 0;
}

int copy_file_remember(struct copy *copy, size_t number, const struct fingerprint *sum, struct err *err)
{
    char *name = arena_printf(copy->work->arena, "file.%zu", number);
    char text[FINGERPRINT_SIZE];
    json_auto_t *state = NULL;

    fingerprint_format(sum, text);
    state = json_pack("{s:s}", "fingerprint", text);
    if (!name || !state)
        return err_set(err, ERR_NO_MEMORY, "no memory for a fingerprint");
    return work_state_put(copy->work, name, state, err);
}

int copy_expected(struct copy *copy, struct fingerprint *ret_sum, struct err *err)
{
    struct fingerprint total = FINGERPRINT_EMPTY;

    for (size_t i = 0; i < copy->source->file_count; i++) {
        struct fingerprint sum;

        if (copy_file_sum(copy, i, &sum, err) < 0)
            return -1;
        fingerprint_merge(&total, &sum);
    }
    *ret_sum = total;
    return 0;
}
