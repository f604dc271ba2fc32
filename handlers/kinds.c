/* GET /v1/kinds: every kind from its own row, so that clients need no list of their own. */
#include "handlers/handlers.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"

/* fields_schema writes an object; its dialect is said once for the list. */
static void put_kind(struct json_writer *w, const struct job_kind *kind)
{
    json_put_object(w, NULL);
    json_put_text(w, "name", kind->name);
    json_put_text(w, "summary", kind->summary);
    json_put_text(w, "role", role_name(kind->role));
    json_put_flag(w, "mfa", kind->mfa == MFA_FRESH);
    json_put_flag(w, "may_destroy", kind->may_destroy == DESTROYS_AS_PLANNED);
    json_put_flag(w, "needs_plan", kind->mfa == MFA_FRESH || kind->may_destroy == DESTROYS_AS_PLANNED);
    fields_schema(kind->spec, w, "spec");
    fields_schema(kind->result, w, "result");
    json_put_object_end(w);
}

int kinds_list(struct request *req, struct http_reply *reply, struct err *err)
{
    const struct job_kind *const *kinds = engine_kinds(req->app->engine);
    struct json_writer w;

    (void)err;
    reply_json(reply, 200, &w);
    json_put_object(&w, NULL);
    json_put_text(&w, "schema", DIALECT);
    json_put_array(&w, "items");
    for (size_t i = 0; kinds[i]; i++)
        put_kind(&w, kinds[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    return 0;
}
