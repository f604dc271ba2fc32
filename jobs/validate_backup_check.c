/* validate.backup: every file is read whole. What is damaged is listed, not stumbled over: all of it is
 * reported. */
#include "base/json.h"
#include "jobs/validate_backup_internal.h"

int validate_open(struct work *work, struct source **ret_source, struct err *err)
{
    struct root_options options = root_options_of(work);

    return source_open_damaged(&options, engine_store(work->engine), json_object_get(work->spec, "source"),
                               ret_source, err);
}

/* -- the state of what was checked -- */

struct finding {
    struct work *work;
    const struct source_sums *sums; /* NULL: */
    const char *name, *detail;      /* damage */
};

json_t *validate_nothing(void)
{
    struct fingerprint none = FINGERPRINT_EMPTY;
    char text[FINGERPRINT_SIZE];

    fingerprint_format(&none, text);
    return json_pack("{s:i,s:i,s:i,s:i,s:s,s:[]}", "items", 0, "bytes", 0, "files", 0, "damaged", 0,
                     "fingerprint", text, "damage");
}

static void count_on(json_t *checked, const char *name, int64_t more)
{
    json_object_set_new(checked, name, json_integer(json_get_int(checked, name, 0) + more));
}

static void add_sums(json_t *checked, const struct source_sums *sums)
{
    struct fingerprint sum = FINGERPRINT_EMPTY;
    char text[FINGERPRINT_SIZE];

    fingerprint_parse(bytes_of(json_get_text(checked, "fingerprint")), &sum);
    fingerprint_merge(&sum, &sums->fingerprint);
    fingerprint_format(&sum, text);
    json_object_set_new(checked, "fingerprint", json_string(text));
    count_on(checked, "items", sums->items);
    count_on(checked, "bytes", sums->raw_bytes);
}

static void add_damage(json_t *checked, const struct finding *finding)
{
    json_t *damage = json_object_get(checked, "damage");

    count_on(checked, "damaged", 1);
    if (json_array_size(damage) < RESULT_ARRAY_MAX - 4) /* room for the checks that are no files */
        json_array_append_new(damage,
                              json_pack("{s:s,s:s}", "name", finding->name, "detail", finding->detail));
}

static int record(struct tx *tx, void *ctx, struct err *err)
{
    static const struct json_limits limits = {.max_depth = 8};
    const struct finding *finding = ctx;
    json_auto_t *checked = NULL;
    struct bytes text;
    char *changed;

    if (tx_document_get(tx, finding->work->job->key, "state." CHECKED, finding->work->arena, &text, err) < 0)
        return -1;
    if (text.data && json_parse(text, &limits, &checked, err) < 0)
        return -1;
    if (!checked)
        checked = validate_nothing();
    if (finding->sums) {
        add_sums(checked, finding->sums);
        count_on(checked, "files", 1);
    } else {
        add_damage(checked, finding);
    }
    changed = checked ? json_canonical(finding->work->arena, checked) : NULL;
    if (!changed)
        return err_set(err, ERR_NO_MEMORY, "no memory for what was found");
    return tx_document_put(tx, finding->work->job->key, "state." CHECKED, bytes_of(changed), err);
}

/* -- steps -- */

/* A source that cannot even be opened is damaged as a whole; that is a finding, not a failure of looking. */
int validate_split(struct work *work, struct err *err)
{
    _cleanup_(source_close_p) struct source *source = NULL;
    json_auto_t *seen = NULL;
    struct err failure = ERR_INIT;
    struct finding finding = {.work = work, .name = "recovery point", .detail = failure.message};

    if (validate_open(work, &source, &failure) == 0)
        return source_split(work, source, READ_BACK_PARTS_MAX, err);
    if (failure.code != ERR_RECOVERY_POINT_DAMAGED) {
        *err = failure;
        return -1;
    }
    if (work_state_get(work, CHECKED, &seen, err) < 0)
        return -1;
    return seen ? 0 : work_tx(work, "damage", record, &finding, err); /* told before a crash */
}

static int check_file(struct work *work, struct source *source, const struct source_run *run, struct err *err)
{
    const struct source_file *file = &source->files[run->next];
    struct source_sums sums = {0};
    struct err failure = ERR_INIT;
    struct finding finding = {.work = work, .sums = &sums};
    char cursor[32];
    struct advance advance = {.more = record, .more_ctx = &finding};

    if (source_work_check(work, source, file, SOURCE_ITEMS, &sums, &failure) < 0) {
        if (failure.code != ERR_RECOVERY_POINT_DAMAGED) {
            *err = failure;
            return -1;
        }
        sums = (struct source_sums){0}; /* nothing of a damaged file counts */
        finding = (struct finding){.work = work, .name = file->path, .detail = failure.message};
    }
    work_progress(work, sums.items, sums.raw_bytes);
    source_run_cursor(run, cursor);
    advance.cursor = bytes_of(cursor);
    advance.items = sums.items;
    advance.bytes = sums.raw_bytes;
    return work_advance(work, &advance, err);
}

int validate_files(struct work *work, struct err *err)
{
    _cleanup_(source_close_p) struct source *source = NULL;
    struct source_run run;

    if (validate_open(work, &source, err) < 0 || source_run_of(work, source, &run, err) < 0)
        return -1;
    work_progress_total(work, source->items, false, "items");
    for (; run.next < run.to; run.next++)
        if (check_file(work, source, &run, err) < 0)
            return -1;
    return WORK_DONE;
}
