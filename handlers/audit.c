/* GET /v1/audit, as JSON or NDJSON, and one row. */
#include "handlers/handlers.h"

#include "audit/chain.h"
#include "audit/row_json.h"
#include "handlers/cursors.h"
#include "handlers/lists.h"
#include "store/audit_log.h"

enum { OFFER_JSON, OFFER_NDJSON };

struct listing {
    struct request *req;
    struct audit_query query;
    struct audit_record **rows;
    int64_t *keys;
    size_t count;
    bool more;
};

static int list_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct listing *l = ctx;

    return tx_audit_list(tx, &l->query, l->req->arena, &l->rows, &l->keys, &l->count, &l->more, err);
}

static struct audit_row row_of(const struct audit_record *record)
{
    struct audit_row row = {.seq = record->seq,
                            .ts_ms = record->at,
                            .node = record->node,
                            .actor = record->actor,
                            .issuer = record->issuer,
                            .action = record->action,
                            .object = record->object,
                            .environment = record->environment,
                            .outcome = record->outcome,
                            .request_id = record->request_id,
                            .job_id = record->job_id,
                            .plan_hash = record->plan_hash,
                            .aws_request_id = record->aws_request_id,
                            .address = record->address};

    if (record->detail.len > 0)
        row.detail = record->detail.data; /* the store closes it with NUL */
    memcpy(row.prev_hash, record->prev_hash.bytes, sizeof(row.prev_hash));
    memcpy(row.hash, record->hash.bytes, sizeof(row.hash));
    return row;
}

static int query_of(struct request *req, struct audit_query *ret_query, struct err *err)
{
    struct audit_query query = {0};

    if (list_page_of(req, ROLE_AUDITOR, &query.page, err) < 0 ||
        list_filter(req, "actor", &query.actor, err) < 0 ||
        list_filter(req, "action", &query.action, err) < 0 ||
        list_filter(req, "object", &query.object, err) < 0 ||
        list_filter(req, "environment", &query.environment, err) < 0)
        return -1;
    *ret_query = query;
    return 0;
}

/* How many rows of the page were written. */
static size_t write_rows(struct listing *l, struct json_writer *w, struct http_reply *reply)
{
    bool lines = l->req->offer == OFFER_NDJSON;
    size_t i;

    for (i = 0; i < l->count && (i == 0 || reply->body.len < AUDIT_PAGE_BYTES); i++) {
        struct audit_row row = row_of(l->rows[i]);

        if (lines)
            json_put_begin(w, &reply->body);
        audit_row_write(w, NULL, &row);
        if (lines)
            buffer_add_char(&reply->body, '\n');
    }
    return i;
}

/* NDJSON has no place for a cursor: the next page is a link (RFC 8288). */
static int put_link(struct request *req, struct http_reply *reply, int64_t last_key, struct err *err)
{
    _cleanup_(buffer_done) struct buffer query = BUFFER_INIT(4 * HTTP_TARGET_MAX);
    char cursor[CURSOR_SIZE];

    if (cursor_make(req, last_key, cursor, err) < 0)
        return -1;
    for (size_t i = 0; i < req->http->query_count; i++) {
        const struct http_query *q = &req->http->query[i];

        if (strcmp(q->name, "cursor") == 0)
            continue;
        buffer_printf(&query, "%s=", q->name);
        for (const char *c = q->value; *c; c++)
            if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", *c))
                buffer_add_char(&query, *c);
            else
                buffer_printf(&query, "%%%02X", (unsigned)(unsigned char)*c);
        buffer_add_char(&query, '&');
    }
    if (buffer_ok(&query, "the link to the next page", err) < 0)
        return -1;
    http_reply_header(reply, "Link", "</v1/audit?%scursor=%s>; rel=\"next\"", query.data ? query.data : "",
                      cursor);
    return 0;
}

int audit_list(struct request *req, struct http_reply *reply, struct err *err)
{
    struct listing l = {.req = req};
    struct json_writer w;
    int64_t last;
    size_t written;
    bool more;

    if (query_of(req, &l.query, err) < 0 || request_read(req, list_tx, &l, err) < 0)
        return -1;
    if (req->offer == OFFER_JSON)
        list_begin(reply, &w);
    else
        reply->content_type = "application/x-ndjson";
    written = write_rows(&l, &w, reply);
    more = l.more || written < l.count;
    last = written ? l.keys[written - 1] : 0;
    if (req->offer == OFFER_JSON)
        return list_end(req, &w, more, last, err);
    return more ? put_link(req, reply, last, err) : 0;
}

/* -- one row -- */

struct finding {
    struct request *req;
    int64_t seq;
    struct audit_record *record;
};

static int find_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct finding *f = ctx;

    return tx_audit_get(tx, f->req->params[0], f->seq, f->req->arena, &f->record, err);
}

int audit_get(struct request *req, struct http_reply *reply, struct err *err)
{
    struct finding f = {.req = req};
    struct json_writer w;
    struct audit_row row;

    if (!int_parse(bytes_of(req->params[1]), &f.seq))
        return err_set(err, ERR_NOT_FOUND, "there is no such row");
    if (request_read(req, find_tx, &f, err) < 0)
        return -1;
    /* rows without an environment are the whole server's */
    if (!principal_may(req->principal, ROLE_AUDITOR, f.record->environment ? f.record->environment : "*"))
        return err_set(err, ERR_NOT_FOUND, "there is no such row");
    row = row_of(f.record);
    reply_json(reply, 200, &w);
    audit_row_write(&w, NULL, &row);
    return 0;
}
