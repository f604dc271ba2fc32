/* The row of validate.table, its judgement, its plan, and what it is compared with. */
#include "jobs/validate_table.h"

#include "jobs/names.h"
#include "jobs/validate_table_internal.h"
#include "jobs/verdict.h"

static const struct field against_fields[] = {
    FIELD_ID("recovery_point", "a recovery point"),
    FIELD_URI("uri", "a tree or a file"),
    FIELD_TABLE("table", "another table"),
    FIELD_END,
};

static const struct field spec[] = {
    FIELD_TABLE("table", "the table to look at", REQUIRED),
    FIELD_ONE_OF("against", against_fields,
                 "what it should equal; else the source of the job that made it, else the newest "
                 "recovery point of it"),
    FIELD_MAP("tags", "kept with the job"),
    FIELD_END,
};

static int check(struct ask *ask, struct err *err)
{
    const char *table = json_get_text(ask->spec, "table");
    const json_t *against = json_object_get(ask->spec, "against");
    const char *other = json_get_text(against, "table");

    if (names_table(ask, table, "/spec/table", err) < 0 || names_resource(ask, table, err) < 0 ||
        names_touch_table(ask, table, false, err) < 0)
        return -1;
    if (other)
        return names_table(ask, other, "/spec/against/table", err) < 0
                   ? -1
                   : names_touch_table(ask, other, false, err);
    return against ? source_check(ask, against, "/spec/against", err) : 0;
}

static int plan_table(struct ask *ask, const char *name, struct planning *planning, struct err *err)
{
    struct dynamodb_table table;
    const char *resource = arena_printf(ask->arena, "table/%s", name);

    if (dynamodb_describe_table(ask->aws, name, ask->arena, &table, err) < 0) {
        if (err->code == ERR_AWS_NOT_FOUND)
            err->code = ERR_TABLE_NOT_FOUND;
        return -1;
    }
    if (!resource || json_object_set_new(planning->identities, resource, table_identity(&table)) < 0 ||
        json_array_append_new(planning->effects,
                              json_pack("{s:s,s:s,s:I,s:I,s:b,s:s}", "resource", resource, "action", "read",
                                        "count", (json_int_t)table.items, "bytes", (json_int_t)table.bytes,
                                        "destructive", 0, "reversible", "nothing is changed")) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    json_object_set_new(
        planning->estimates, "read_units",
        json_integer(json_get_int(planning->estimates, "read_units", 0) + table.bytes / 4096 + 1));
    return 0;
}

static int plan(struct ask *ask, struct planning *planning, struct err *err)
{
    const char *other = json_get_text(json_object_get(ask->spec, "against"), "table");

    if (plan_table(ask, json_get_text(ask->spec, "table"), planning, err) < 0)
        return -1;
    return other ? plan_table(ask, other, planning, err) : 0;
}

const struct job_kind validate_table = {
    .name = "validate.table",
    .summary = "Compare a table with its source, a recovery point, or another table",
    .role = ROLE_OPERATOR,
    .mfa = MFA_NONE,
    .may_destroy = DESTROYS_NEVER,
    .spec_version = 1,
    .spec = spec,
    .result = verdict_result,
    .max_attempts = 5,
    .check = check,
    .plan = plan,
    .steps =
        {
            {.name = "prepare", .run = validate_table_prepare},
            {.name = "source", .split = validate_table_other_split, .part = validate_table_other},
            {.name = "scan", .split = validate_table_scan_split, .part = validate_table_scan},
            {.name = "judge", .run = validate_table_judge},
        },
};
