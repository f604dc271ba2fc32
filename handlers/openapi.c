/* GET /openapi.yaml: the document that the binary carries. */
#include "handlers/handlers.h"

#include "item/sha256.h"

int openapi_get(struct request *req, struct http_reply *reply, struct err *err)
{
    _cleanup_(sha256_free_p) struct sha256 *sha = sha256_new(err);
    struct hash hash;
    char etag[HEX_SIZE(32)];

    if (!sha || sha256_once(sha, req->app->openapi, hash.bytes, err) < 0)
        return -1;
    hex_encode(hash.bytes, sizeof(hash.bytes), etag);
    http_reply_etag(reply, etag);
    reply->content_type = "application/yaml";
    reply->cache_control = "no-cache";
    buffer_add_bytes(&reply->body, req->app->openapi);
    return 0;
}
