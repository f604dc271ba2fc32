#include "handlers/submit.h"

#include "handlers/job_json.h"

static bool hash_of(const char *text, struct hash *ret_hash)
{
    return text && hex_decode(bytes_of(text), ret_hash->bytes, sizeof(ret_hash->bytes));
}

void submit_note_place(struct request *req, const struct submit *submit)
{
    const struct environment *environment =
        submit->environment ? config_environment(req->config, submit->environment) : NULL;

    if (environment && principal_sees(req->principal, environment->name))
        req->environment = environment->name;
}

int submit_of(struct request *req, struct submit *ret_submit, struct err *err)
{
    struct submit submit = {.principal = req->principal,
                            .arena = req->arena,
                            .faults = &req->faults,
                            .request_id = req->http->id,
                            .answer = job_answer};

    submit.kind = json_get_text(req->body, "kind");
    submit.environment = json_get_text(req->body, "environment");
    submit.spec = json_object_get(req->body, "spec");
    submit.note = json_get_text(req->body, "note");
    submit.has_plan_hash = hash_of(json_get_text(req->body, "plan_hash"), &submit.plan_hash);
    if (submit.spec && !json_is_object(submit.spec)) {
        fault_add(&req->faults, "/spec", "must be an object");
        return faults_end(&req->faults, ERR_INVALID_BODY, err);
    }
    if (req->route->otp)
        submit.otp = request_header_text(req, "Recoverd-OTP");
    if (req->route->idempotent &&
        request_idempotency(req, &submit.idempotency_scope, &submit.body_sha256, err) < 0)
        return -1;
    submit_note_place(req, &submit);
    *ret_submit = submit;
    return 0;
}
