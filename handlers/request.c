#include "handlers/request.h"

#include "http/header.h"
#include "item/sha256.h"

#define REPLY_USUAL 2000

int request_id_param(struct request *req, struct id *ret_id, struct err *err)
{
    if (id_parse(bytes_of(req->params[0]), ret_id))
        return 0;
    return err_set(err, ERR_NOT_FOUND, "there is nothing with this id");
}

int request_hash_param(struct request *req, struct hash *ret_hash, struct err *err)
{
    if (hex_decode(bytes_of(req->params[0]), ret_hash->bytes, sizeof(ret_hash->bytes)))
        return 0;
    return err_set(err, ERR_NOT_FOUND, "there is nothing with this hash");
}

int request_role(struct request *req, enum role role, const char *environment, struct err *err)
{
    if (principal_may(req->principal, role, environment))
        return 0;
    req->environment = environment;
    return err_set(err, ERR_FORBIDDEN, "this needs the role %s@%s", role_name(role), environment);
}

int request_environment(struct request *req, const char *name, enum role role,
                        const struct environment **ret_environment, struct err *err)
{
    const struct environment *environment = config_environment(req->config, name);

    if (!environment || !principal_sees(req->principal, name))
        return err_set(err, ERR_NOT_FOUND, "no environment %.64s among yours", name);
    if (request_role(req, role, environment->name, err) < 0)
        return -1;
    *ret_environment = environment;
    return 0;
}

const char *request_query(const struct request *req, const char *name)
{
    return http_request_query(req->http, name);
}

const char *request_header_text(struct request *req, const char *name)
{
    struct bytes value = http_request_header(req->http, name);

    return value.data ? arena_strndup(req->arena, value.data, value.len) : NULL;
}

int request_job(struct request *req, struct job **ret_job, struct err *err)
{
    struct id id;

    if (request_id_param(req, &id, err) < 0 ||
        engine_job(req->app->engine, req->principal, &id, req->arena, ret_job, err) < 0)
        return -1;
    req->environment = (*ret_job)->environment;
    req->object = req->params[0];
    return 0;
}

static int add_part(struct sha256 *sha, const char *text, struct err *err)
{
    uint64_t len = strlen(text);
    uint8_t prefix[8];

    for (int i = 0; i < 8; i++)
        prefix[i] = (uint8_t)(len >> (56 - 8 * i));
    return sha256_add(sha, prefix, sizeof(prefix), err) < 0 ? -1 : sha256_add(sha, text, len, err);
}

int request_idempotency(struct request *req, struct hash *ret_scope, struct hash *ret_body, struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = NULL;
    char key[IDEMPOTENCY_KEY_MAX + 1];

    *ret_scope = *ret_body = (struct hash){0};
    if (http_idempotency_key(http_request_header(req->http, "Idempotency-Key"), key, err) < 0)
        return -1;
    if (!key[0])
        return 0;
    sha = sha256_new(err);
    if (!sha)
        return -1;
    const char *const parts[] = {req->principal->issuer, req->principal->subject, req->route->method,
                                 req->http->path, key};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (add_part(sha, parts[i], err) < 0)
            return -1;
    if (sha256_end(sha, ret_scope->bytes, err) < 0)
        return -1;
    return sha256_once(sha, req->http->body, ret_body->bytes, err);
}

void reply_json(struct http_reply *reply, int status, struct json_writer *ret_writer)
{
    reply->status = status;
    reply->content_type = "application/json";
    buffer_reserve(&reply->body, REPLY_USUAL); /* it then need not grow */
    json_put_begin(ret_writer, &reply->body);
}

void reply_etag_version(struct http_reply *reply, int64_t version)
{
    char tag[32];

    snprintf(tag, sizeof(tag), "%lld", (long long)version);
    http_reply_etag(reply, tag);
}

void reply_location_job(struct http_reply *reply, const struct id *id)
{
    char text[ID_SIZE];

    id_format(id, text);
    http_reply_header(reply, "Location", "/v1/jobs/%s", text);
}

void json_put_id(struct json_writer *w, const char *name, const struct id *id)
{
    char text[ID_SIZE];

    id_format(id, text);
    json_put_text(w, name, text);
}

void json_put_id_opt(struct json_writer *w, const char *name, const struct id *id)
{
    if (!id_is_zero(id))
        json_put_id(w, name, id);
}

void json_put_hash(struct json_writer *w, const char *name, const struct hash *hash)
{
    char text[HEX_SIZE(32)];

    hex_encode(hash->bytes, sizeof(hash->bytes), text);
    json_put_text(w, name, text);
}

int request_read(struct request *req, store_fn *fn, void *ctx, struct err *err)
{
    return store_read(req->app->store, fn, ctx, err);
}
