/* GET /v1/recovery-points and one of them. */
#include "handlers/handlers.h"

#include "handlers/lists.h"
#include "handlers/point_json.h"

struct listing {
    struct request *req;
    struct point_query query;
    struct recovery_point **points;
    size_t count;
    bool more;
};

static bool is_status(const char *word)
{
    enum point_status status;

    return point_status_parse(word, &status);
}

static int list_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct listing *listing = ctx;

    return tx_points_list(tx, &listing->query, listing->req->arena, &listing->points, &listing->count,
                          &listing->more, err);
}

static int query_of(struct request *req, struct point_query *ret_query, struct err *err)
{
    struct point_query query = {0};

    if (list_page_of(req, ROLE_VIEWER, &query.page, err) < 0 ||
        list_filter(req, "environment", &query.environment, err) < 0 ||
        list_filter(req, "resource", &query.resource, err) < 0 ||
        list_filter(req, "type", &query.type, err) < 0 ||
        list_filter(req, "method", &query.method, err) < 0 ||
        list_filter_words(req, "status", is_status, &query.status, err) < 0)
        return -1;
    *ret_query = query;
    return 0;
}

int points_list(struct request *req, struct http_reply *reply, struct err *err)
{
    struct listing listing = {.req = req};
    struct json_writer w;

    if (query_of(req, &listing.query, err) < 0 || request_read(req, list_tx, &listing, err) < 0)
        return -1;
    list_begin(reply, &w);
    for (size_t i = 0; i < listing.count; i++)
        point_write(&w, NULL, listing.points[i]);
    return list_end(req, &w, listing.more, listing.count ? listing.points[listing.count - 1]->key : 0, err);
}

int points_get(struct request *req, struct http_reply *reply, struct err *err)
{
    struct recovery_point *point;
    struct json_writer w;

    if (request_point(req, ROLE_VIEWER, &point, err) < 0)
        return -1;
    reply_json(reply, 200, &w);
    reply_etag_version(reply, point->version);
    point_write(&w, NULL, point);
    return 0;
}
