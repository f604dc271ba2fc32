#include "jobs/capsule.h"

#include "base/cleanup.h"
#include "jobs/settings.h"

/* Codes that say nothing about the setting: the attempt ends, and is made again or not as they say. */
static bool ends_attempt(enum err_code code)
{
    return code == ERR_CANCELLED || code == ERR_DRAINING || code == ERR_LEASE_LOST || code == ERR_NO_MEMORY ||
           code == ERR_AWS_CREDENTIALS || code == ERR_LIMIT_EXCEEDED;
}

/* 0: *ret_entry is {value} or {unsupported} or {unreadable}. */
static int read_setting(const struct setting_view *view, const struct setting *setting, bool patient,
                        json_t **ret_entry, struct err *err)
{
    struct err failed = ERR_INIT;
    json_t *value = NULL;

    if (setting->read(view, &value, &failed) == 0)
        return setting_value(json_pack("{s:o}", "value", value), ret_entry, err);
    if (ends_attempt(failed.code) || (patient && err_info(failed.code)->retryable)) {
        *err = failed;
        return -1;
    }
    if (failed.code == ERR_AWS_UNSUPPORTED)
        return setting_value(json_pack("{s:b}", "unsupported", 1), ret_entry, err);
    return setting_value(json_pack("{s:{s:s,s:s}}", "unreadable", "code", err_info(failed.code)->name,
                                   "message", failed.message),
                         ret_entry, err);
}

int capsule_read(const struct capsule_options *options, json_t **ret_capsule, bool *ret_unreadable,
                 struct err *err)
{
    struct aws_session *aws = options->aws;
    const char *table = options->table;
    _cleanup_(arena_free_p) struct arena *arena = arena_new((size_t)(4 * CAPSULE_MAX));
    struct dynamodb_table described;
    struct setting_view view = {aws, arena, &described};
    json_auto_t *capsule = NULL;
    json_t *all;

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for the settings of table %s", table);
    if (dynamodb_describe_table(aws, table, arena, &described, err) < 0)
        return err_wrap(err, "settings of table %s", table);
    capsule = json_pack("{s:i,s:s,s:s*,s:s,s:{}}", "format", CAPSULE_FORMAT, "table", described.name, "arn",
                        described.arn, "region", options->environment->region, "settings");
    all = json_object_get(capsule, "settings");
    *ret_unreadable = false;
    for (const struct setting *s = settings; s->name; s++) {
        json_t *entry = NULL;

        if (read_setting(&view, s, options->patient, &entry, err) < 0)
            return err_wrap(err, "setting %s of table %s", s->name, table);
        *ret_unreadable |= json_object_get(entry, "unreadable") != NULL;
        if (json_object_set_new(all, s->name, entry) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for the settings of table %s", table);
    }
    *ret_capsule = TAKE(capsule);
    return 0;
}

static bool is_key_type(const char *type)
{
    return type && type[0] && !type[1] && strchr("SNB", type[0]);
}

int capsule_key(const json_t *capsule, struct dynamodb_key *ret_key, struct err *err)
{
    const json_t *value = capsule_value(capsule, "key_schema");
    const char *hash = json_get_text(value, "hash"), *range = json_get_text(value, "range");
    const char *hash_type = json_get_text(value, "hash_type"),
               *range_type = json_get_text(value, "range_type");

    if (!hash || !*hash || !is_key_type(hash_type) || (range && (!*range || !is_key_type(range_type))))
        return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "capsule.json has no key schema");
    *ret_key = (struct dynamodb_key){hash, hash_type[0], range, range ? range_type[0] : 0};
    return 0;
}

int capsule_check(const json_t *capsule, struct err *err)
{
    struct dynamodb_key key;
    const char *name;
    json_t *entry;

    if (!json_is_object(capsule) || json_get_int(capsule, "format", 0) != CAPSULE_FORMAT ||
        !json_is_object(json_object_get(capsule, "settings")))
        return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "capsule.json is not of format %d", CAPSULE_FORMAT);
    json_object_foreach(json_object_get(capsule, "settings"), name, entry)
        if (!json_is_object(entry))
            return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "capsule.json: setting %.64s is no object", name);
    return capsule_key(capsule, &key, err);
}

const json_t *capsule_value(const json_t *capsule, const char *name)
{
    return json_object_get(json_object_get(json_object_get(capsule, "settings"), name), "value");
}

enum capsule_state capsule_state(const json_t *capsule, const char *name)
{
    const json_t *entry = json_object_get(json_object_get(capsule, "settings"), name);

    if (json_object_get(entry, "value"))
        return CAPSULE_READ;
    if (json_object_get(entry, "unreadable"))
        return CAPSULE_UNREADABLE;
    return entry ? CAPSULE_UNSUPPORTED : CAPSULE_ABSENT;
}

int capsule_set(json_t *capsule, const char *name, json_t *value, struct err *err)
{
    if (!value || json_object_set_new(json_object_get(capsule, "settings"), name,
                                      json_pack("{s:o}", "value", value)) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for the settings of a table");
    return 0;
}

int capsule_new(json_t **ret_capsule, struct err *err)
{
    json_t *capsule = json_pack("{s:i,s:{}}", "format", CAPSULE_FORMAT, "settings");

    if (!capsule)
        return err_set(err, ERR_NO_MEMORY, "no memory for the settings of a table");
    *ret_capsule = capsule;
    return 0;
}
