/* The engine's rows in the audit chain. */
#include <openssl/evp.h>

#include "engine/internal.h"

struct bytes audit_detail(struct bytes detail, struct arena *arena, struct err *err)
{
    uint8_t digest[32];
    char hex[HEX_SIZE(32)];
    struct bytes told;

    if (detail.len <= AUDIT_FIELD_MAX)
        return detail;
    if (EVP_Digest(detail.data, detail.len, digest, NULL, EVP_sha256(), NULL) != 1) {
        err_set(err, ERR_INTERNAL, "sha-256 is not available");
        return (struct bytes){0};
    }
    hex_encode(digest, sizeof(digest), hex);
    told = bytes_of(arena_printf(arena, "{\"bytes\":%zu,\"sha256\":\"%s\"}", detail.len, hex));
    if (!told.data)
        err_set(err, ERR_NO_MEMORY, "no memory for an audit row");
    return told;
}

static int audit_job(struct tx *tx, struct engine *engine, const struct job *job, struct audit_entry entry,
                     const char *request_id, struct bytes detail, struct err *err)
{
    char id[ID_SIZE];
    char plan[HEX_SIZE(32)];

    id_format(&job->id, id);
    hex_encode(job->plan_hash.bytes, 32, plan);
    entry.object = job->resource;
    entry.environment = job->environment;
    entry.request_id = request_id;
    entry.detail = detail.len ? detail.data : NULL;
    entry.job_id = id;
    entry.plan_hash = job->has_plan ? plan : NULL;
    return tx_audit(tx, engine->node, &entry, err);
}

int tx_audit_job(struct tx *tx, struct engine *engine, const struct job *job, enum audit_action action,
                 const char *outcome, const char *request_id, struct bytes detail, struct err *err)
{
    struct audit_entry entry = {.action = action,
                                .outcome = outcome,
                                .actor = job->created_by,
                                .issuer = job->created_issuer,
                                .address = job->created_from};

    return audit_job(tx, engine, job, entry, request_id, detail, err);
}

int tx_audit_job_by(struct tx *tx, struct engine *engine, const struct job *job,
                    const struct principal *principal, enum audit_action action, const char *request_id,
                    struct err *err)
{
    return audit_job(tx, engine, job, audit_entry_by(principal, action, "ok"), request_id, (struct bytes){0},
                     err);
}
