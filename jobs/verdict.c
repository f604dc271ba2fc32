#include "jobs/verdict.h"

static const struct field check_fields[] = {
    FIELD_TEXT("name", "what was looked at: a file, or a property of the whole"),
    FIELD_FLAG("ok", NULL, "is it as it should be"),
    FIELD_TEXT("detail", "what was found"),
    FIELD_END,
};
static const struct field check_entry[] = {FIELD_OBJECT("check", check_fields, "one check"), FIELD_END};

const struct field verdict_result[] = {
    FIELD_CHOICE("verdict", NULL, "intact damaged mismatch unverifiable", "what became of it"),
    FIELD_LIST("checks", check_entry, 100, "what was looked at"),
    FIELD_INTEGER("items", 0, 9e15, "items read"),
    FIELD_TEXT("fingerprint", "v1:count:sum over the canonical items that were read"),
    FIELD_END,
};

int verdict_check(json_t *checks, const char *name, bool ok, const char *detail, struct err *err)
{
    json_t *check = json_pack("{s:s,s:b,s:s}", "name", name, "ok", ok, "detail", detail ? detail : "");

    return json_array_append_new(checks, check) < 0 ? err_set(err, ERR_NO_MEMORY, "no memory for a check")
                                                    : 0;
}

int verdict_tell(struct work *work, const struct verdict *verdict, struct err *err)
{
    json_auto_t *result = json_pack("{s:s,s:O,s:I,s:s*}", "verdict", verdict->word, "checks", verdict->checks,
                                    "items", (json_int_t)verdict->items, "fingerprint", verdict->sum);

    if (!result)
        return err_set(err, ERR_NO_MEMORY, "no memory for a verdict");
    if (work_result(work, result, err) < 0)
        return -1;
    return str_is(verdict->word, "unverifiable")
               ? work_partial(work, verdict->condition, ERR_INCOMPLETE, verdict->why, err)
               : 0;
}
