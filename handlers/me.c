/* GET /v1/me: who the server thinks you are, and what you may do where. */
#include "handlers/handlers.h"

#include "base/clock.h"

static void put_grants(struct json_writer *w, const struct principal *principal)
{
    json_put_array(w, "grants");
    for (size_t i = 0; i < principal->grant_count; i++) {
        json_put_object(w, NULL);
        json_put_text(w, "role", role_name(principal->grants[i].role));
        json_put_text(w, "environment", principal->grants[i].environment);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

int me_get(struct request *req, struct http_reply *reply, struct err *err)
{
    const struct principal *principal = req->principal;
    int64_t now = clock_wall_ms();
    struct json_writer w;

    (void)err;
    reply_json(reply, 200, &w);
    json_put_object(&w, NULL);
    json_put_text(&w, "identity", principal->identity);
    json_put_text(&w, "issuer", principal->issuer);
    json_put_text(&w, "subject", principal->subject);
    json_put_text(&w, "address", principal->address);
    put_grants(&w, principal);
    json_put_object(&w, "mfa");
    json_put_flag(&w, "fresh", principal_mfa_fresh(principal, now));
    if (principal->mfa_by_token && principal->auth_time_ms > 0 && principal->auth_time_ms <= now)
        json_put_int(&w, "age_seconds", (now - principal->auth_time_ms) / 1000);
    else
        json_put_null(&w, "age_seconds");
    if (principal->mfa_max_age_ms > 0)
        json_put_int(&w, "max_age_seconds", principal->mfa_max_age_ms / 1000);
    json_put_object_end(&w);
    json_put_object_end(&w);
    return 0;
}
