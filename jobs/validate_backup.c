/* The row of validate.backup, its judgement and plan, and the verdict. */
#include "jobs/validate_backup.h"

#include "base/clock.h"
#include "base/json.h"
#include "jobs/table_copy.h"
#include "jobs/table_make.h"
#include "jobs/validate_backup_internal.h"
#include "jobs/verdict.h"

static const struct field overrides_fields[] = {
    FIELD_OBJECT("key_schema", copy_key_fields, "the keys; needed when the source does not say them"),
    FIELD_MAP("attributes", "types of key attributes: name to S, N or B"),
    FIELD_END,
};

static const struct field spec[] = {
    FIELD_ONE_OF("source", source_fields, "what to look at", REQUIRED),
    FIELD_FLAG("prove", "false", "also restore it to a temporary table, compare, and delete that table"),
    FIELD_OBJECT("overrides", overrides_fields, "of the table that a proof fills"),
    FIELD_MAP("tags", "kept with the job"),
    FIELD_END,
};

static int check(struct ask *ask, struct err *err)
{
    return source_check(ask, json_object_get(ask->spec, "source"), "/spec/source", err);
}

/* -- plan -- */

static int64_t stored_bytes(const struct source *source)
{
    int64_t sum = 0;

    for (size_t i = 0; i < source->file_count; i++)
        sum += source->files[i].size;
    return sum;
}

/* The proof's table is made and deleted by the same job, so nothing of it is destructive. */
static int plan_proof(const struct ask *ask, const struct source *source, struct planning *planning,
                      struct err *err)
{
    json_auto_t *capsule = NULL;
    json_t *effect;

    if (copy_settings(source->capsule, ask->spec, &capsule, err) < 0)
        return -1;
    if (!capsule)
        fault_add_code(ask->faults, ERR_KEY_SCHEMA_REQUIRED, "/spec/overrides/key_schema",
                       "the source does not say what the keys are: it cannot be proven by itself");
    effect = json_pack("{s:s,s:s,s:I,s:I,s:b,s:s}", "resource", "table/recoverd-prove-<job>", "action",
                       "create, fill, compare, delete", "count", (json_int_t)source->items, "bytes",
                       (json_int_t)stored_bytes(source), "destructive", 0, "reversible",
                       "the job deletes its own table");
    return json_array_append_new(planning->effects, effect) < 0
               ? err_set(err, ERR_NO_MEMORY, "no memory for a plan")
               : 0;
}

static int plan(struct ask *ask, struct planning *planning, struct err *err)
{
    struct root_options options = {.environment = ask->environment,
                                   .aws = ask->aws,
                                   .arena = ask->arena,
                                   .data_dir = ask->config->data_dir};
    _cleanup_(source_close_p) struct source *source = NULL;
    char identity[HEX_SIZE(32)];
    const char *resource;

    if (source_open_damaged(&options, engine_store(ask->engine), json_object_get(ask->spec, "source"),
                            &source, err) < 0)
        return -1;
    hex_encode(source->identity.bytes, sizeof(source->identity.bytes), identity);
    resource = ask->resource ? ask->resource : source->uri;
    json_object_set_new(planning->identities, resource, json_pack("{s:s}", "manifest_sha256", identity));
    json_array_append_new(planning->effects,
                          json_pack("{s:s,s:s,s:I,s:I,s:b,s:s}", "resource", resource, "action", "read",
                                    "count", (json_int_t)source->file_count, "bytes",
                                    (json_int_t)stored_bytes(source), "destructive", 0, "reversible",
                                    "nothing is changed"));
    if (json_array_size(planning->effects) != 1 || json_object_size(planning->identities) != 1)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    return json_get_bool(ask->spec, "prove", false) ? plan_proof(ask, source, planning, err) : 0;
}

/* -- the verdict -- */

struct judgement {
    struct work *work;
    struct source *source; /* NULL: it could not be opened */
    json_t *checked;
    const char *verdict;
    json_t *checks; /* owned by validate_judge */
};

static bool sums_known(const struct source *source)
{
    for (size_t i = 0; i < source->file_count; i++)
        if (source->files[i].foreign && !source->files[i].exported)
            return false;
    return true;
}

static int judge_damage(struct judgement *j, struct err *err)
{
    const json_t *entry;
    size_t i;

    j->verdict = "damaged";
    json_array_foreach(json_object_get(j->checked, "damage"), i, entry)
        if (verdict_check(j->checks, json_get_text(entry, "name"), false, json_get_text(entry, "detail"),
                          err) < 0)
            return -1;
    return 0;
}

static const char *manifest_detail(const struct source *source, bool known)
{
    if (source->manifest)
        return source->point ? "its SHA-256 is the one in the catalogue; every file is as it says"
                             : "every file is as it says; it is not in this catalogue";
    return known ? "every file has the MD5 and the count of the export's own manifest"
                 : "there is none: nothing says what should be in the file";
}

static int judge_whole(struct judgement *j, struct err *err)
{
    const struct source *source = j->source;
    bool known = sums_known(source);
    const char *files = arena_printf(
        j->work->arena, "%lld files read to their end, %lld items, each of them well-formed",
        (long long)json_get_int(j->checked, "files", 0), (long long)json_get_int(j->checked, "items", 0));

    j->verdict = known ? "intact" : "unverifiable";
    if (verdict_check(j->checks, "files", true, files, err) < 0 ||
        verdict_check(j->checks, "manifest", known, manifest_detail(source, known), err) < 0)
        return -1;
    return source->manifest
               ? verdict_check(j->checks, "fingerprint", true, source->manifest->fingerprint, err)
               : 0;
}

struct lookup {
    struct judgement *j;
    struct id id;
    const char *folder; /* NULL: by id */
};

/* A point that cannot be opened is still found in the catalogue, by what the spec says. What is proven stays
 * so: it was compared item by item, and its bytes have not changed since. */
static int tell_point(struct tx *tx, void *ctx, struct err *err)
{
    struct lookup *l = ctx;
    struct arena *arena = l->j->work->arena;
    struct recovery_point *point = NULL;
    struct err none = ERR_INIT;
    bool damaged = str_is(l->j->verdict, "damaged");
    int found = l->folder ? tx_point_by_location(tx, l->folder, arena, &point, &none)
                          : tx_point_by_id(tx, &l->id, arena, &point, &none);

    if (found < 0)
        return none.code == ERR_NOT_FOUND ? 0 : err_set(err, none.code, "%s", none.message);
    if (!damaged && point->status == POINT_PROVEN)
        return 0;
    return tx_point_set_status(tx, &point->id, damaged ? POINT_DAMAGED : POINT_VERIFIED, clock_wall_ms(),
                               err);
}

static int tell_catalogue(struct judgement *j, struct err *err)
{
    const json_t *source = json_object_get(j->work->spec, "source");
    const char *id = json_get_text(source, "recovery_point"), *uri = json_get_text(source, "uri");
    struct lookup l = {.j = j};

    if (id && !id_parse(bytes_of(id), &l.id))
        return err_set(err, ERR_INTERNAL, "a recovery point's id was not checked");
    if (!id && !(l.folder = source_folder(j->work->arena, uri)))
        return err_set(err, ERR_NO_MEMORY, "no memory for a verdict");
    return work_tx(j->work, "verdict", tell_point, &l, err);
}

static int tell(struct judgement *j, struct err *err)
{
    /* the sum over what is left of a damaged point would only mislead */
    const char *sum = str_is(j->verdict, "damaged") ? NULL : json_get_text(j->checked, "fingerprint");
    struct verdict told = {j->verdict, j->checks,  json_get_int(j->checked, "items", 0),
                           sum,        "Verified", "nothing says what should be in the source"};
    const json_t *first = json_array_get(j->checks, 0);

    if (tell_catalogue(j, err) < 0 || work_state_put(j->work, "checks", j->checks, err) < 0 ||
        verdict_tell(j->work, &told, err) < 0)
        return -1;
    if (str_is(j->verdict, "damaged"))
        return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "%lld damaged; the first: %s",
                       (long long)json_get_int(j->checked, "damaged", 0), json_get_text(first, "detail"));
    return 0;
}

int validate_judge(struct work *work, struct err *err)
{
    _cleanup_(source_close_p) struct source *source = NULL;
    json_auto_t *checked = NULL, *checks = json_array();
    struct judgement j = {.work = work, .checks = checks};

    if (work_state_get(work, CHECKED, &checked, err) < 0)
        return -1;
    if (!checked) /* no file at all: an empty table */
        checked = validate_nothing();
    if (!checked || !checks)
        return err_set(err, ERR_NO_MEMORY, "no memory for a verdict");
    j.checked = checked;
    if (json_get_int(checked, "damaged", 0) > 0) {
        if (judge_damage(&j, err) < 0)
            return -1;
    } else {
        if (validate_open(work, &source, err) < 0)
            return -1;
        j.source = source;
        if (judge_whole(&j, err) < 0)
            return -1;
    }
    return tell(&j, err);
}

const struct job_kind validate_backup = {
    .name = "validate.backup",
    .summary = "Check a recovery point or a file",
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
            {.name = "check", .split = validate_split, .part = validate_files},
            {.name = "judge", .run = validate_judge},
            /* a proof; without one these have nothing to do */
            {.name = "create", .run = copy_create},
            {.name = "load", .split = copy_load_split, .part = copy_load_files},
            {.name = "sum", .split = copy_sum_split, .part = copy_sum_segment},
            {.name = "compare", .run = validate_compare},
            {.name = "clean", .run = table_unmake, .always = true},
        },
};
