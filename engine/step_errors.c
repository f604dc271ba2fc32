/* The errors of a step: the first 3 and the last 10 with their times, and a count by code. */
#include "base/clock.h"
#include "engine/internal.h"

static json_t *error_value(const struct err *failure)
{
    const struct err_info *info = err_info(failure->code);
    json_t *value =
        json_pack("{s:s,s:s,s:s,s:s,s:b,s:s}", "type", "about:blank", "title", info->title, "code",
                  info->name, "detail", failure->message, "retryable", info->retryable, "hint", info->hint);

    if (!value) /* a message that is no UTF-8: say what we can */
        value = json_pack("{s:s,s:s,s:b}", "title", info->title, "code", info->name, "retryable",
                          info->retryable);
    if (value && failure->aws.operation[0])
        json_object_set_new(value, "aws",
                            json_pack("{s:s,s:s,s:s,s:s}", "service", failure->aws.service, "operation",
                                      failure->aws.operation, "code", failure->aws.code, "request_id",
                                      failure->aws.request_id));
    return value;
}

struct bytes error_json(const struct err *failure, struct arena *arena)
{
    json_auto_t *value = error_value(failure);

    return value ? bytes_of(json_canonical(arena, value)) : (struct bytes){0};
}

static json_t *member(json_t *object, const char *name, json_t *fresh)
{
    json_t *found = json_object_get(object, name);

    if (found) {
        json_decref(fresh);
        return found;
    }
    json_object_set_new(object, name, fresh);
    return fresh;
}

static void record(json_t *errors, const struct err *failure)
{
    json_t *first = member(errors, "first", json_array());
    json_t *last = member(errors, "last", json_array());
    json_t *by_code = member(errors, "by_code", json_object());
    const char *code = err_info(failure->code)->name;
    json_t *value = error_value(failure);
    char at[TIME_SIZE];

    time_format(clock_wall_ms(), at);
    json_object_set_new(value, "at", json_string(at));
    if (json_array_size(first) < STEP_ERRORS_FIRST)
        json_array_append(first, value);
    json_array_append_new(last, value);
    if (json_array_size(last) > STEP_ERRORS_LAST)
        json_array_remove(last, 0);
    json_object_set_new(by_code, code, json_integer(json_get_int(by_code, code, 0) + 1));
}

int tx_step_error(struct tx *tx, const struct step *step, const struct err *failure, bool ended,
                  struct arena *arena, struct err *err)
{
    static const struct json_limits limits = {.max_depth = 16};
    json_auto_t *errors = NULL;
    struct step *now;
    char *text;

    /* read again: other parts of the step write here too */
    if (tx_step_get(tx, step->key, arena, &now, err) < 0)
        return -1;
    if (now->errors.data && json_parse(now->errors, &limits, &errors, err) < 0)
        return -1;
    if (!errors)
        errors = json_object();
    record(errors, failure);
    text = json_canonical(arena, errors);
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for a step's errors");
    return tx_step_set_errors(tx, step->key, bytes_of(text),
                              ended && !now->error_code ? err_info(failure->code)->name : now->error_code,
                              err);
}
