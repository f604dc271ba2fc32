#include "handlers/point_json.h"

static void put_source(struct json_writer *w, const struct recovery_point *point)
{
    json_put_object(w, "source");
    json_put_text(w, "account", point->account);
    json_put_text(w, "region", point->region);
    json_put_text(w, "arn", point->arn);
    json_put_text(w, "table_id", point->table_id);
    json_put_object_end(w);
}

static void put_consistency(struct json_writer *w, const struct recovery_point *point)
{
    json_put_object(w, "consistency");
    json_put_time(w, "from", point->consistency_from);
    json_put_time(w, "to", point->consistency_to);
    json_put_object_end(w);
}

void point_write(struct json_writer *w, const char *name, const struct recovery_point *point)
{
    json_put_object(w, name);
    json_put_id(w, "id", &point->id);
    json_put_text(w, "environment", point->environment);
    json_put_text(w, "type", point->type);
    json_put_text(w, "method", point->method);
    json_put_text(w, "origin", point->origin);
    json_put_text(w, "resource", point->resource);
    put_source(w, point);
    json_put_text(w, "location", point->location);
    json_put_text(w, "status", point_status_name(point->status));
    json_put_text(w, "trust", point->trust);
    put_consistency(w, point);
    if (point->items >= 0)
        json_put_int(w, "items", point->items);
    json_put_int(w, "bytes", point->bytes);
    json_put_int(w, "stored_bytes", point->stored_bytes);
    json_put_text_opt(w, "fingerprint", point->fingerprint);
    if (point->has_manifest)
        json_put_hash(w, "manifest_sha256", &point->manifest_sha256);
    json_put_id_opt(w, "job_id", &point->job);
    json_put_time(w, "created_at", point->created_at);
    json_put_time_opt(w, "verified_at", point->verified_at);
    json_put_time_opt(w, "proven_at", point->proven_at);
    json_put_text(w, "encryption", point->encryption ? point->encryption : "none");
    json_put_raw(w, "tags", point->tags.len > 0 ? point->tags : BYTES("{}"));
    json_put_text_opt(w, "note", point->note);
    json_put_int(w, "version", point->version);
    json_put_object_end(w);
}

struct finding {
    struct request *req;
    struct id id;
    struct recovery_point *point;
};

static int find_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct finding *finding = ctx;

    return tx_point_by_id(tx, &finding->id, finding->req->arena, &finding->point, err);
}

int request_point(struct request *req, enum role role, struct recovery_point **ret_point, struct err *err)
{
    struct finding finding = {.req = req};

    if (request_id_param(req, &finding.id, err) < 0 || request_read(req, find_tx, &finding, err) < 0)
        return -1;
    if (!principal_sees(req->principal, finding.point->environment) ||
        (role == ROLE_VIEWER && !principal_may(req->principal, role, finding.point->environment)))
        return err_set(err, ERR_NOT_FOUND, "no such recovery point");
    req->environment = finding.point->environment;
    req->object = finding.point->resource;
    if (request_role(req, role, finding.point->environment, err) < 0)
        return -1;
    *ret_point = finding.point;
    return 0;
}
