/* The engine's rows in the audit chain. */
#include "engine/internal.h"

int tx_audit_job(struct tx *tx, struct engine *engine, const struct job *job, enum audit_action action,
                 const char *outcome, const char *request_id, struct bytes detail, struct err *err)
{
    struct audit_entry entry = {.action = action,
                                .outcome = outcome,
                                .actor = job->created_by,
                                .issuer = job->created_issuer,
                                .address = job->created_from,
                                .object = job->resource,
                                .environment = job->environment,
                                .request_id = request_id,
                                .detail = detail.len ? detail.data : NULL};
    char id[ID_SIZE];
    char plan[HEX_SIZE(32)];

    id_format(&job->id, id);
    hex_encode(job->plan_hash.bytes, 32, plan);
    entry.job_id = id;
    entry.plan_hash = job->has_plan ? plan : NULL;
    return tx_audit(tx, engine->node, &entry, err);
}
