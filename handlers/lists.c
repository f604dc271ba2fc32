#include "handlers/lists.h"

#include "base/clock.h"
#include "handlers/cursors.h"

static int limit_of(const struct request *req, size_t *ret_limit, struct err *err)
{
    const char *text = request_query(req, "limit");
    uint64_t limit = LIST_DEFAULT;

    if (text && (!uint_parse(bytes_of(text), &limit) || limit == 0))
        return err_set(err, ERR_INVALID_QUERY, "limit must be a number from 1 to %d", LIST_MAX);
    *ret_limit = limit > LIST_MAX ? LIST_MAX : (size_t)limit;
    return 0;
}

static int time_of(const struct request *req, const char *name, int64_t *ret_ms, struct err *err)
{
    const char *text = request_query(req, name);

    *ret_ms = 0;
    if (text && !time_parse(bytes_of(text), ret_ms))
        return err_set(err, ERR_INVALID_QUERY, "%s must be a time of RFC 3339, such as 2026-01-30T14:30:00Z",
                       name);
    return 0;
}

/* One name for each grant that has the role; the store takes doubles. */
static int visible_of(const struct request *req, enum role role, struct list_page *page, struct err *err)
{
    const struct principal *principal = req->principal;
    const char **names = arena_array(req->arena, const char *, principal->grant_count + 1);
    size_t count = 0;

    if (!names)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    page->visible_all = principal_may(principal, role, "*");
    for (size_t i = 0; i < principal->grant_count; i++)
        if (principal_may(principal, role, principal->grants[i].environment))
            names[count++] = principal->grants[i].environment;
    page->visible = (struct filter){names, count};
    return 0;
}

int list_page_of(struct request *req, enum role role, struct list_page *ret_page, struct err *err)
{
    const char *cursor = request_query(req, "cursor");
    struct list_page page = {0};

    if (limit_of(req, &page.limit, err) < 0 || time_of(req, "since", &page.since, err) < 0 ||
        time_of(req, "until", &page.until, err) < 0 || visible_of(req, role, &page, err) < 0)
        return -1;
    if (cursor && cursor_read(req, cursor, &page.before_key, err) < 0)
        return -1;
    *ret_page = page;
    return 0;
}

int list_filter(struct request *req, const char *name, struct filter *ret_filter, struct err *err)
{
    const char **values = arena_array(req->arena, const char *, req->http->query_count + 1);
    size_t count = 0;

    if (!values)
        return err_set(err, ERR_NO_MEMORY, "request arena");
    for (size_t i = 0; i < req->http->query_count; i++) {
        const struct http_query *query = &req->http->query[i];
        bool repeated = false;

        if (strcmp(query->name, name) != 0)
            continue;
        for (size_t k = 0; k < count; k++)
            repeated |= strcmp(values[k], query->value) == 0;
        if (!repeated)
            values[count++] = query->value;
    }
    *ret_filter = (struct filter){values, count};
    return 0;
}

int list_filter_words(struct request *req, const char *name, bool (*known)(const char *word),
                      struct filter *ret_filter, struct err *err)
{
    if (list_filter(req, name, ret_filter, err) < 0)
        return -1;
    for (size_t i = 0; i < ret_filter->count; i++)
        if (!known(ret_filter->values[i]))
            return err_set(err, ERR_INVALID_QUERY, "%s cannot be %.64s", name, ret_filter->values[i]);
    return 0;
}

void list_begin(struct http_reply *reply, struct json_writer *ret_writer)
{
    reply_json(reply, 200, ret_writer);
    json_put_object(ret_writer, NULL);
    json_put_array(ret_writer, "items");
}

int list_end(struct request *req, struct json_writer *w, bool more, int64_t last_key, struct err *err)
{
    char cursor[CURSOR_SIZE];

    json_put_array_end(w);
    if (more && cursor_make(req, last_key, cursor, err) < 0)
        return -1;
    json_put_text(w, "next_cursor", more ? cursor : NULL);
    json_put_object_end(w);
    return 0;
}
