#include "http/problem.h"

static void write_errors(struct json_writer *w, const struct err *err, const struct faults *faults)
{
    bool listed = faults && faults->count > 0;

    if (!listed && err->pointer[0] == '\0')
        return;
    json_put_array(w, "errors");
    for (size_t i = 0; listed && i < faults->count; i++) {
        json_put_object(w, NULL);
        json_put_text(w, "pointer", faults->list[i].place);
        json_put_text(w, "detail", faults->list[i].detail);
        json_put_object_end(w);
    }
    if (!listed) {
        json_put_object(w, NULL);
        json_put_text(w, "pointer", err->pointer);
        json_put_text(w, "detail", err->message);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void write_aws(struct json_writer *w, const struct err_aws *aws)
{
    const char *const members[][2] = {{"service", aws->service},
                                      {"operation", aws->operation},
                                      {"code", aws->code},
                                      {"request_id", aws->request_id}};

    if (aws->service[0] == '\0' && aws->code[0] == '\0')
        return;
    json_put_object(w, "aws");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        json_put_text_opt(w, members[i][0], members[i][1][0] ? members[i][1] : NULL);
    json_put_object_end(w);
}

static void write_head(struct json_writer *w, const struct err *err, int status)
{
    const struct err_info *info = err_info(err->code);
    char type[96];

    snprintf(type, sizeof(type), "/problems/%s", info->name);
    json_put_text(w, "type", type);
    json_put_text(w, "title", info->title);
    if (status > 0)
        json_put_int(w, "status", status);
    if (err->message[0] && err->code != ERR_INTERNAL && err->code != ERR_NONE)
        json_put_text(w, "detail", err->message);
    json_put_text(w, "code", info->name);
    json_put_flag(w, "retryable", info->retryable);
    if (info->hint[0])
        json_put_text(w, "hint", info->hint);
}

void http_problem_members(struct json_writer *w, const struct err *err)
{
    write_head(w, err, 0);
    write_errors(w, err, NULL);
    write_aws(w, &err->aws);
}

static void write_body(struct buffer *out, const struct http_request *request, const struct err *err,
                       const struct http_problem_extra *extra)
{
    struct json_writer w;

    json_put_begin(&w, out);
    json_put_object(&w, NULL);
    write_head(&w, err, err_info(err->code)->status);
    json_put_text_opt(&w, "instance", request->path);
    json_put_text(&w, "request_id", request->id);
    write_errors(&w, err, extra->faults);
    write_aws(&w, &err->aws);
    if (extra->members)
        extra->members(&w, extra->members_arg);
    json_put_object_end(&w);
}

/* 429 and 503 always say when to come again. */
static int retry_after(const struct err *err, int status)
{
    if (err->retry_after_s > 0)
        return err->retry_after_s;
    return status == 429 || status == 503 ? 1 : 0;
}

void http_problem(struct http_reply *reply, const struct http_request *request, const struct err *err,
                  const struct http_problem_extra *extra)
{
    static const struct http_problem_extra nothing = {0};
    bool close = reply->close;
    int wait_s;

    extra = extra ? extra : &nothing;
    http_reply_reset(reply);
    reply->close = close;
    reply->status = err_info(err->code)->status;
    reply->content_type = "application/problem+json";
    write_body(&reply->body, request, err, extra);
    if (reply->body.failed)
        buffer_clear(&reply->body);
    for (size_t i = 0; i < extra->www_authenticate_count; i++)
        http_reply_header(reply, "WWW-Authenticate", "%s", extra->www_authenticate[i]);
    if (extra->allow)
        http_reply_header(reply, "Allow", "%s", extra->allow);
    wait_s = retry_after(err, reply->status);
    if (wait_s > 0)
        http_reply_header(reply, "Retry-After", "%d", wait_s);
}
