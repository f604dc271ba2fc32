/* backup.table, first step: what is backed up, and the recovery point that it becomes. */
#include "aws/dynamodb.h"
#include "jobs/backup_table_internal.h"
#include "jobs/capsule.h"

/* arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME: the part with this number, or NULL. In arena. */
static char *arn_part(struct arena *arena, const char *arn, int number)
{
    for (; arn && number > 0; number--) {
        arn = strchr(arn, ':');
        arn = arn ? arn + 1 : NULL;
    }
    return arn ? arena_strndup(arena, arn, strcspn(arn, ":")) : NULL;
}

struct preparing {
    struct work *work;
    struct recovery_point *point;
    struct bytes tree, source, capsule;
    bool unreadable;
};

static int begin(struct tx *tx, void *ctx, struct err *err)
{
    struct preparing *p = ctx;
    int64_t job = p->work->job->key;

    if (tx_point_insert(tx, p->point, err) < 0 || tx_document_put(tx, job, "state.tree", p->tree, err) < 0 ||
        tx_document_put(tx, job, "state.source", p->source, err) < 0)
        return -1;
    return tx_document_put(tx, job, "state.capsule", p->capsule, err);
}

static int text_of(struct work *work, const json_t *value, struct bytes *ret_text, struct err *err)
{
    *ret_text = bytes_of(value ? json_canonical(work->arena, value) : NULL);
    if (!ret_text->data)
        return err_set(err, ERR_NO_MEMORY, "no memory for a recovery point");
    return ret_text->len <= DOCUMENT_MAX
               ? 0
               : err_set(err, ERR_LIMIT_EXCEEDED, "the table's settings exceed %lld bytes", DOCUMENT_MAX);
}

static int fill_point(struct work *work, const struct dynamodb_table *table, struct recovery_point *point,
                      struct err *err)
{
    struct arena *arena = work->arena;
    const json_t *tags = json_object_get(work->spec, "tags");
    char at[TIME_SIZE];

    *point = (struct recovery_point){.id = id_new(),
                                     .environment = work->environment->name,
                                     .type = "table",
                                     .method = "scan",
                                     .origin = "recoverd",
                                     .table_id = table->table_id,
                                     .arn = table->arn,
                                     .status = POINT_WRITING,
                                     .trust = "unsigned",
                                     .job = work->job->origin_id,
                                     .note = work->job->note,
                                     .items = -1};
    point->consistency_from = point->created_at = clock_wall_ms();
    time_format_folder(point->created_at, at);
    point->resource = arena_printf(arena, "table/%s", table->name);
    point->account = arn_part(arena, table->arn, 4);
    point->region = arn_part(arena, table->arn, 3);
    point->location = arena_printf(arena, "%s/%s/%s-%s", work->environment->recovery_points,
                                   work->environment->name, at, work->origin);
    point->encryption = str_starts(work->environment->recovery_points, "file:") ? "none"
                        : work->environment->kms_key                            ? "aws:kms"
                                                                                : "AES256";
    if (json_object_size(tags) > 0 && text_of(work, tags, &point->tags, err) < 0)
        return -1;
    return point->resource && point->location ? 0
                                              : err_set(err, ERR_NO_MEMORY, "no memory for a recovery point");
}

static int fill_states(struct preparing *p, const struct dynamodb_table *table, const json_t *capsule,
                       struct err *err)
{
    const struct recovery_point *point = p->point;
    json_auto_t *tree = NULL, *source = NULL;
    char id[ID_SIZE];

    id_format(&point->id, id);
    tree = json_pack("{s:s,s:s,s:I}", "point", id, "location", point->location, "from",
                     (json_int_t)point->consistency_from);
    source = json_pack("{s:s,s:s,s:s*,s:I,s:s*,s:s*,s:I,s:I,s:I,s:b}", "table", table->name, "arn",
                       table->arn, "table_id", table->table_id, "created_ms", (json_int_t)table->created_ms,
                       "account", point->account, "region", point->region, "items", (json_int_t)table->items,
                       "bytes", (json_int_t)table->bytes, "read_units",
                       (json_int_t)(table->on_demand ? 0 : table->read_units), "unreadable", p->unreadable);
    return text_of(p->work, tree, &p->tree, err) < 0 || text_of(p->work, source, &p->source, err) < 0 ||
                   text_of(p->work, capsule, &p->capsule, err) < 0
               ? -1
               : 0;
}

/* Read from AWS, then all of it in one transaction: after a crash there is a recovery point with all its
 * states, or none. */
static int read_and_begin(struct work *work, struct err *err)
{
    const char *name = json_get_text(work->spec, "table");
    struct recovery_point point;
    struct preparing preparing = {.work = work, .point = &point};
    struct dynamodb_table table;
    json_auto_t *capsule = NULL;
    bool unreadable = false;
    /* A setting that cannot be read for a moment is no reason for a backup without it. */
    bool patient = work->part->attempts + 1 < work->kind->max_attempts;

    if (backup_describe(work->aws, name, work->arena, &table, err) < 0 ||
        capsule_read(&(struct capsule_options){work->aws, work->environment, name, patient}, &capsule,
                     &unreadable, err) < 0)
        return -1;
    preparing.unreadable = unreadable;
    if (fill_point(work, &table, &point, err) < 0 || fill_states(&preparing, &table, capsule, err) < 0)
        return -1;
    return work_tx(work, "begin recovery point", begin, &preparing, err);
}

int backup_prepare(struct work *work, struct err *err)
{
    json_auto_t *tree = NULL, *members = NULL;

    if (work_state_get(work, "tree", &tree, err) < 0)
        return -1;
    if (!tree && (read_and_begin(work, err) < 0 || backup_state(work, "tree", &tree, err) < 0))
        return -1;
    members = json_pack("{s:s}", "recovery_point", json_get_text(tree, "point"));
    if (!members)
        return err_set(err, ERR_NO_MEMORY, "no memory for a result");
    return work_result(work, members, err);
}
