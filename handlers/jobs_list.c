/* GET /v1/jobs */
#include "handlers/handlers.h"

#include "handlers/job_json.h"
#include "handlers/lists.h"

struct listing {
    struct request *req;
    struct job_query query;
    bool full;
    struct job_view *views;
    size_t count;
    bool more;
};

static bool is_state(const char *word)
{
    enum job_state state;

    return job_state_parse(word, &state);
}

static int list_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct listing *listing = ctx;
    struct arena *arena = listing->req->arena;
    struct job **jobs;

    if (tx_jobs_list(tx, &listing->query, arena, &jobs, &listing->count, &listing->more, err) < 0)
        return -1;
    listing->views = arena_array(arena, struct job_view, listing->count + 1);
    if (!listing->views)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    for (size_t i = 0; i < listing->count; i++)
        if (job_view_read(tx, jobs[i], listing->full, arena, &listing->views[i], err) < 0)
            return -1;
    return 0;
}

static int query_of(struct request *req, struct job_query *ret_query, struct err *err)
{
    const char *parent = request_query(req, "parent_id");
    struct job_query query = {0};

    if (list_page_of(req, ROLE_VIEWER, &query.page, err) < 0 ||
        list_filter(req, "environment", &query.environment, err) < 0 ||
        list_filter(req, "kind", &query.kind, err) < 0 ||
        list_filter(req, "resource", &query.resource, err) < 0 ||
        list_filter_words(req, "state", is_state, &query.state, err) < 0)
        return -1;
    if (parent && !id_parse(bytes_of(parent), &query.parent_id))
        return err_set(err, ERR_INVALID_QUERY, "parent_id must be an id");
    *ret_query = query;
    return 0;
}

static int view_of(const struct request *req, bool *ret_full, struct err *err)
{
    const char *view = request_query(req, "view");

    *ret_full = str_is(view, "full");
    if (view && !*ret_full)
        return err_set(err, ERR_INVALID_QUERY, "view can only be full");
    return 0;
}

int jobs_list(struct request *req, struct http_reply *reply, struct err *err)
{
    struct listing listing = {.req = req};
    struct json_writer w;

    if (view_of(req, &listing.full, err) < 0 || query_of(req, &listing.query, err) < 0 ||
        request_read(req, list_tx, &listing, err) < 0)
        return -1;
    list_begin(reply, &w);
    for (size_t i = 0; i < listing.count; i++)
        job_view_write(&w, NULL, &listing.views[i]);
    return list_end(req, &w, listing.more, listing.count ? listing.views[listing.count - 1].job->key : 0,
                    err);
}
