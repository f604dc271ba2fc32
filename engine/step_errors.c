/* The errors of a step: the first 3 and the last 10 with their times, and a count by code. */
#include "base/clock.h"
#include "engine/internal.h"
#include "http/problem_members.h"

static const struct json_limits limits = {.max_depth = DOCUMENT_DEPTH};

struct bytes error_json(const struct err *failure, struct arena *arena)
{
    _cleanup_(buffer_done) struct buffer text = BUFFER_INIT(32 * KIB);
    struct json_writer w;

    json_put_begin(&w, &text);
    json_put_object(&w, NULL);
    http_problem_members(&w, failure);
    json_put_object_end(&w);
    if (text.failed)
        return (struct bytes){0};
    return arena_bytes(arena, buffer_bytes(&text));
}

/* NULL without memory; `fresh` is taken, and may be NULL. */
static json_t *member(json_t *object, const char *name, json_t *fresh)
{
    json_t *found = json_object_get(object, name);

    if (found) {
        json_decref(fresh);
        return found;
    }
    return json_object_set_new(object, name, fresh) == 0 ? fresh : NULL;
}

static bool append(json_t *errors, const char *code, json_t *value)
{
    json_t *first = member(errors, "first", json_array());
    json_t *last = member(errors, "last", json_array());
    json_t *by_code = member(errors, "by_code", json_object());

    if (!first || !last || !by_code)
        return false;
    if (json_array_size(first) < STEP_ERRORS_FIRST && json_array_append(first, value) < 0)
        return false;
    if (json_array_append(last, value) < 0)
        return false;
    if (json_array_size(last) > STEP_ERRORS_LAST)
        json_array_remove(last, 0);
    return json_object_set_new(by_code, code, json_integer(json_get_int(by_code, code, 0) + 1)) == 0;
}

static int record(json_t *errors, const struct err *failure, struct arena *arena, struct err *err)
{
    struct bytes text = error_json(failure, arena);
    json_auto_t *value = NULL;
    char at[TIME_SIZE];

    if (!text.data)
        return err_set(err, ERR_NO_MEMORY, "no memory for a step's errors");
    if (json_parse(text, &limits, &value, err) < 0)
        return -1;
    time_format(clock_wall_ms(), at);
    if (json_object_set_new(value, "at", json_string(at)) < 0 ||
        !append(errors, err_info(failure->code)->name, value))
        return err_set(err, ERR_NO_MEMORY, "no memory for a step's errors");
    return 0;
}

int tx_step_error(struct tx *tx, const struct step *step, const struct err *failure, bool ended,
                  struct arena *arena, struct err *err)
{
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
    if (record(errors, failure, arena, err) < 0)
        return -1;
    text = json_canonical(arena, errors);
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for a step's errors");
    return tx_step_set_errors(tx, step->key, bytes_of(text),
                              ended && !now->error_code ? err_info(failure->code)->name : now->error_code,
                              err);
}
