/* validate.backup with `prove`: the end of the proof. The copy itself is jobs/table_copy.h's. */
#include "base/json.h"
#include "jobs/table_copy.h"
#include "jobs/validate_backup_internal.h"
#include "jobs/verdict.h"

static int tell(struct work *work, bool ok, const char *detail, struct err *err)
{
    json_auto_t *checks = NULL, *members = NULL;

    if (work_state_get(work, "checks", &checks, err) < 0)
        return -1;
    if (!checks)
        checks = json_array();
    if (verdict_check(checks, "proof", ok, detail, err) < 0)
        return -1;
    members = json_pack("{s:O}", "checks", checks);
    return members ? work_result(work, members, err) : err_set(err, ERR_NO_MEMORY, "no memory for a result");
}

int validate_compare(struct work *work, struct err *err)
{
    _cleanup_(source_close_p) struct source *source = NULL;
    struct err failure = ERR_INIT;

    if (!copy_wanted(work))
        return WORK_DONE;
    if (copy_compare(work, &failure) < 0) {
        *err = failure;
        if (failure.code != ERR_MISMATCH)
            return -1;
        failure = ERR_INIT;
        tell(work, false, err->message,
             &failure); /* that it does not match is what the job fails with, told or not */
        return -1;
    }
    if (validate_open(work, &source, err) < 0 || copy_tell_proven(work, source, err) < 0)
        return -1;
    return tell(work, true,
                "restored to a table of its own and read again: every item is there, and no other", err);
}
