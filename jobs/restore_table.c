/* The row of restore.table, its judgement, and its end. */
#include "jobs/restore_table.h"

#include "base/cleanup.h"
#include "jobs/names.h"
#include "jobs/restore_settings.h"
#include "jobs/settings.h"
#include "jobs/table_copy.h"

static const struct json_limits json_depth = {.max_depth = 64};

/* -- spec and result -- */

static const struct field setting_name[] = {FIELD_CHOICE("setting", NULL, SETTINGS_CHOICES, "a setting"),
                                            FIELD_END};
static const struct field attribute_name[] = {FIELD_TEXT("attribute", "an attribute", .max_length = 255),
                                              FIELD_END};

static const struct field settings_fields[] = {
    FIELD_LIST("apply", setting_name, 32,
               "also put these on the table, although they take something over from the old one: alarms, "
               "event_source_mappings, kinesis, resource_policy"),
    FIELD_LIST("skip", setting_name, 32, "leave these out"),
    FIELD_FLAG("ttl", NULL, "true: enable TTL although items have expired and will vanish; false: never"),
    FIELD_END,
};

static const struct field index_fields[] = {
    FIELD_TEXT("name", "of the index", REQUIRED, .max_length = 255),
    FIELD_CHOICE("type", "\"global\"", "global local", "local ones share the table's partition key"),
    FIELD_TEXT("hash", "the partition key", REQUIRED, .max_length = 255),
    FIELD_TEXT("range", "the sort key", .max_length = 255),
    FIELD_CHOICE("projection", "\"ALL\"", "ALL KEYS_ONLY INCLUDE", "which attributes it holds"),
    FIELD_LIST("include", attribute_name, 100, "further attributes", .when = {"projection", "INCLUDE"}),
    FIELD_END,
};
static const struct field index_entry[] = {FIELD_OBJECT("index", index_fields, "an index"), FIELD_END};

static const struct field sse_fields[] = {
    FIELD_CHOICE("type", "\"KMS\"", "KMS AWS_OWNED", "whose key encrypts the table"),
    FIELD_TEXT("key", "a KMS key's id, ARN or alias; else AWS's own key for DynamoDB",
               .when = {"type", "KMS"}),
    FIELD_END,
};

static const struct field overrides_fields[] = {
    FIELD_OBJECT("key_schema", copy_key_fields, "the keys; needed when the source does not say them"),
    FIELD_MAP("attributes", "types of key attributes: name to S, N or B"),
    FIELD_CHOICE("billing_mode", NULL, "PAY_PER_REQUEST PROVISIONED", "instead of the source's"),
    FIELD_LIST("indexes", index_entry, 25, "instead of the source's"),
    FIELD_OBJECT("sse", sse_fields, "instead of the source's"),
    FIELD_END,
};

static const struct field spec[] = {
    FIELD_ONE_OF("source", source_fields, "what to restore from", REQUIRED),
    FIELD_TABLE("target_table", "the table to restore into", REQUIRED),
    FIELD_CHOICE("into", "\"new\"", "new empty",
                 "new: the job makes the table; empty: it is there and holds nothing"),
    FIELD_INTEGER("write_units_per_second", 1, 10000000, "at most this many write units a second"),
    FIELD_OBJECT("settings", settings_fields, "which settings to put on the table"),
    FIELD_OBJECT("overrides", overrides_fields, "settings instead of the source's"),
    FIELD_MAP("tags", "kept with the job"),
    FIELD_END,
};

static const struct field outcome_fields[] = {
    FIELD_TEXT("name", "the setting"),
    FIELD_ANY("wanted", "as the source had it"),
    FIELD_ANY("found", "as the table has it now"),
    FIELD_CHOICE("outcome", NULL, "applied already skipped unsupported unreadable failed",
                 "what became of it"),
    FIELD_TEXT("detail", "why"),
    FIELD_END,
};
static const struct field outcome_entry[] = {FIELD_OBJECT("setting", outcome_fields, "one setting"),
                                             FIELD_END};

static const struct field result[] = {
    FIELD_TABLE("table", "the table"),
    FIELD_INTEGER("items", 0, 9e15, "items in it"),
    FIELD_TEXT("fingerprint", "v1:count:sum over the canonical items"),
    FIELD_LIST("settings", outcome_entry, 100, "what became of each setting"),
    FIELD_END,
};

/* -- judgement -- */

/* What is applied and left out at once is a mistake. */
static void check_settings(struct ask *ask)
{
    const json_t *asked = json_object_get(ask->spec, "settings");
    const json_t *a, *b;
    size_t i, j;

    json_array_foreach(json_object_get(asked, "apply"), i, a)
        json_array_foreach(json_object_get(asked, "skip"), j, b)
            if (json_equal(a, b))
                fault_add(ask->faults, "/spec/settings/skip", "%s is in apply as well", json_string_value(a));
}

static int check(struct ask *ask, struct err *err)
{
    const char *target = json_get_text(ask->spec, "target_table");
    bool empty = str_is(json_get_text(ask->spec, "into"), "empty");

    check_settings(ask);
    if (source_check(ask, json_object_get(ask->spec, "source"), "/spec/source", err) < 0 ||
        (empty ? names_table : names_new_table)(ask, target, "/spec/target_table", err) < 0 ||
        names_resource(ask, target, err) < 0)
        return -1;
    return names_touch_table(ask, target, true, err);
}

/* -- the end -- */

/* The table is whole: it is not left behind but delivered, and the point it came from is proven. */
static int close_restore(struct work *work, struct err *err)
{
    _cleanup_(copy_close) struct copy copy = {0};
    struct dynamodb_table table;
    char *left;

    if (copy_open(work, &copy, err) < 0 || table_made(work, &table, err) < 0)
        return -1;
    if (!table_ready(&table))
        return work_again(work, 1000, "aws");
    left = arena_printf(work->arena, "table %s", copy.target);
    if (!left)
        return err_set(err, ERR_NO_MEMORY, "no memory to end a restore");
    return copy_tell_proven(work, copy.source, err) < 0 ? -1 : work_not_left_behind(work, left, err);
}

/* Adds "table NAME" to what is left behind, once. */
static int leave(struct tx *tx, const struct job *job, const char *name, struct arena *arena, struct err *err)
{
    json_auto_t *list = NULL;
    struct bytes text;
    char *left = arena_printf(arena, "table %s", name), *changed;
    const json_t *other;
    size_t i;

    if (tx_document_get(tx, job->key, "left_behind", arena, &text, err) < 0)
        return -1;
    if (text.data && json_parse(text, &json_depth, &list, err) < 0)
        return -1;
    if (!list)
        list = json_array();
    json_array_foreach(list, i, other)
        if (str_is(json_string_value(other), left))
            return 0;
    json_array_append_new(list, json_string(left));
    changed = left && list ? json_canonical(arena, list) : NULL;
    if (!changed)
        return err_set(err, ERR_NO_MEMORY, "no memory to end a restore");
    return tx_document_put(tx, job->key, "left_behind", bytes_of(changed), err);
}

/* A retry that ends early has the table of the job before it, which its own steps may not have named. */
static int ended(struct tx *tx, const struct job *job, enum job_state state, struct arena *arena,
                 struct err *err)
{
    json_auto_t *table = NULL;
    struct bytes text;

    if (state != JOB_FAILED && state != JOB_CANCELLED)
        return 0;
    if (tx_document_get(tx, job->key, "state.table", arena, &text, err) < 0)
        return -1;
    if (text.data && json_parse(text, &json_depth, &table, err) < 0)
        return -1;
    return json_get_bool(table, "made", false) ? leave(tx, job, json_get_text(table, "name"), arena, err) : 0;
}

/* The table that the job made is not there any more: there is nothing to go on with. */
static bool anew(const struct job *old)
{
    return str_is(old->error_code, err_info(ERR_TABLE_NOT_FOUND)->name) ||
           str_is(old->error_code, err_info(ERR_TABLE_REPLACED)->name);
}

const struct job_kind restore_table = {
    .name = "restore.table",
    .summary = "Restore one table, and prove that it equals its source",
    .role = ROLE_ADMIN,
    .mfa = MFA_FRESH,
    .may_destroy = DESTROYS_NEVER, /* a new table, or one that holds nothing */
    .spec_version = 1,
    .spec = spec,
    .result = result,
    .max_attempts = 5,
    .takes_over = true,
    .anew = anew,
    .check = check,
    .plan = restore_table_plan,
    .ended = ended,
    .steps =
        {
            {.name = "verify", .split = copy_verify_split, .part = copy_verify_files},
            {.name = "create", .run = copy_create, .replan = true},
            {.name = "load",
             .split = copy_load_split,
             .part = copy_load_files,
             .again = AGAIN_AFTER_MISMATCH},
            /* Before the settings: provisioned units would slow the reading down, and TTL would delete
               meanwhile. */
            {.name = "prove",
             .split = copy_sum_split,
             .part = copy_sum_segment,
             .again = AGAIN_AFTER_MISMATCH},
            {.name = "compare", .run = copy_compare, .again = AGAIN_AFTER_MISMATCH},
            {.name = "settings",
             .run = restore_settings,
             .again = AGAIN_AFTER_MISMATCH | AGAIN_AFTER_PARTIAL},
            {.name = "close", .run = close_restore, .again = AGAIN_AFTER_MISMATCH | AGAIN_AFTER_PARTIAL},
        },
};
