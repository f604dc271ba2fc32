#include <unistd.h>

#include "aws/s3_internal.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"

#define S3_KEY_MAX 1024
#define S3_HEADERS_MAX 20

static void set_region(struct s3_bucket *bucket, const char *region)
{
    const struct aws_endpoint *endpoint = aws_endpoint(bucket->session->aws, AWS_S3);

    str_copy(bucket->region, sizeof(bucket->region), region);
    if (endpoint->custom || !aws_endpoint_elsewhere(endpoint, aws_region(bucket->session->aws), region,
                                                    bucket->base_url, sizeof(bucket->base_url)))
        bucket->base_url[0] = '\0';
}

static bool region_like(const char *text)
{
    size_t len = text ? strlen(text) : 0;

    return len > 0 && len < 40 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

int s3_bucket_init(struct s3_bucket *ret_bucket, struct aws_session *session, const char *name,
                   struct err *err)
{
    size_t len = strlen(name);
    struct s3_bucket bucket = {.session = session};

    if (len < 3 || len > 63 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != len ||
        name[0] == '.' || name[0] == '-' || strstr(name, ".."))
        return err_set(err, ERR_AWS_REFUSED, "no bucket can be called %.80s", name);
    str_copy(bucket.name, sizeof(bucket.name), name);
    set_region(&bucket, aws_region(session->aws));
    bucket.path_style = aws_endpoint(session->aws, AWS_S3)->custom || strchr(name, '.') != NULL;
    *ret_bucket = bucket;
    return 0;
}

/* Did S3 say where the bucket is, and is that news? */
static bool learn_region(struct s3_bucket *bucket, const struct aws_reply *reply)
{
    int status = reply->answer.status;
    const char *region = http_answer_header(&reply->answer, "x-amz-bucket-region");

    if ((status != 301 && status != 307 && status != 400) || !region_like(region) ||
        strcmp(region, bucket->region) == 0)
        return false;
    set_region(bucket, region);
    return true;
}

int s3_send(struct s3_bucket *bucket, const char *key, const char *query, const struct aws_call *call,
            struct aws_reply *reply, struct err *err)
{
    struct aws_call sent = *call; /* points into this frame */
    _cleanup_(buffer_done) struct buffer path = BUFFER_INIT(8192);
    char prefix[80], resource[320];
    struct err failed = ERR_INIT;

    if (key && (strlen(key) == 0 || strlen(key) > S3_KEY_MAX))
        return err_set(err, ERR_AWS_REFUSED, "a key has 1 to %d bytes", S3_KEY_MAX);
    buffer_add_char(&path, '/');
    if (bucket->path_style) {
        buffer_add_str(&path, bucket->name);
        buffer_add_str(&path, key ? "/" : "");
    }
    if (key)
        uri_encode(&path, bytes_of(key), true);
    snprintf(prefix, sizeof(prefix), "%s.", bucket->name);
    snprintf(resource, sizeof(resource), "%s/%.200s", bucket->name, key ? key : "");
    sent.service = AWS_S3;
    sent.resource = resource;
    sent.path = path.data;
    sent.query = query && *query ? query : NULL;
    sent.host_prefix = bucket->path_style ? NULL : prefix;
    if (buffer_ok(&path, "the key", err) != 0)
        return -1;
    for (int tries = 0; tries < 2; tries++) {
        failed = ERR_INIT;
        sent.region = bucket->region;
        sent.base_url = *bucket->base_url ? bucket->base_url : NULL;
        if (aws_send(bucket->session, &sent, reply, &failed) == 0)
            return 0;
        if (!learn_region(bucket, reply))
            break;
    }
    if (err->code == ERR_NONE)
        *err = failed;
    return -1;
}

struct header_list {
    struct http_header list[S3_HEADERS_MAX];
    size_t count;
};

static void add(struct header_list *headers, const char *name, const char *value)
{
    if (value && *value && headers->count < S3_HEADERS_MAX)
        headers->list[headers->count++] = (struct http_header){name, value};
}

/* -- put -- */

struct file_part {
    int fd;
    int64_t begin;
    int64_t at;
    int64_t end;
};

static long read_part(void *arg, char *to, size_t size)
{
    struct file_part *part = arg;
    size_t left = (size_t)(part->end - part->at);
    ssize_t n = left ? pread(part->fd, to, left < size ? left : size, (off_t)part->at) : 0;

    if (n < 0 || (n == 0 && left > 0)) /* shorter than it was said to be */
        return -1;
    part->at += n;
    return (long)n;
}

static bool rewind_part(void *arg)
{
    struct file_part *part = arg;

    part->at = part->begin;
    return true;
}

static void copy_header(const struct http_answer *answer, const char *name, char *to, size_t size)
{
    const char *value = http_answer_header(answer, name);

    str_copy(to, size, value ? value : "");
}

int s3_put(struct s3_bucket *bucket, const struct s3_put *put, struct s3_put_result *ret_result,
           struct err *err)
{
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    struct file_part part = {put->fd, put->offset, put->offset, put->offset + put->len};
    struct aws_stream stream = {read_part, rewind_part, &part, put->len};
    struct header_list headers = {.count = 0};
    char hash[HEX_SIZE(32)], checksum[BASE64_SIZE(32)];

    hex_encode(put->sha256, 32, hash);
    base64_encode(put->sha256, 32, checksum);
    add(&headers, "x-amz-checksum-sha256", checksum);
    add(&headers, "If-None-Match", put->if_none_match ? "*" : NULL);
    add(&headers, "If-Match", put->if_match);
    add(&headers, "x-amz-server-side-encryption", put->sse);
    add(&headers, "x-amz-server-side-encryption-aws-kms-key-id", put->kms_key);
    add(&headers, "x-amz-tagging", put->tagging);
    for (size_t i = 0; i < put->metadata_count && i < 8; i++)
        add(&headers, put->metadata[i].name, put->metadata[i].value);
    struct aws_call call = {.operation = "PutObject",
                            .method = "PUT",
                            .headers = headers.list,
                            .header_count = headers.count,
                            .body = put->body,
                            .payload_hash = hash,
                            .stream = put->body.data ? NULL : &stream,
                            .budget_ms = AWS_BODY_BUDGET_MS,
                            .timeout_ms = -1,
                            .reply_max = (size_t)MIB};
    int rc = s3_send(bucket, put->key, NULL, &call, &reply, err);
    if (!ret_result)
        return rc;
    *ret_result = (struct s3_put_result){.effect_unknown = reply.effect_unknown};
    copy_header(&reply.answer, "etag", ret_result->etag, sizeof(ret_result->etag));
    copy_header(&reply.answer, "x-amz-version-id", ret_result->version_id, sizeof(ret_result->version_id));
    copy_header(&reply.answer, "x-amz-server-side-encryption", ret_result->sse, sizeof(ret_result->sse));
    str_copy(ret_result->request_id, sizeof(ret_result->request_id), reply.request_id);
    return rc;
}

/* -- head and get -- */

static void version_query(struct buffer *query, const char *version_id)
{
    if (!version_id || !*version_id)
        return;
    buffer_add_str(query, "versionId=");
    uri_encode(query, bytes_of(version_id), false);
}

static void read_head(const struct http_answer *answer, struct s3_head *head)
{
    const char *length = http_answer_header(answer, "content-length");
    const char *modified = http_answer_header(answer, "last-modified");
    const char *range = http_answer_header(answer, "content-range"); /* bytes 0-9/100 */
    const char *total = range ? strchr(range, '/') : NULL;
    const char *until = http_answer_header(answer, "x-amz-object-lock-retain-until-date");

    *head = (struct s3_head){.size = -1};
    if (total || length)
        int_parse(bytes_of(total ? total + 1 : length), &head->size);
    if (modified)
        time_parse_http(bytes_of(modified), &head->modified_ms);
    copy_header(answer, "etag", head->etag, sizeof(head->etag));
    copy_header(answer, "x-amz-version-id", head->version_id, sizeof(head->version_id));
    copy_header(answer, "x-amz-server-side-encryption", head->sse, sizeof(head->sse));
    copy_header(answer, "x-amz-server-side-encryption-aws-kms-key-id", head->kms_key, sizeof(head->kms_key));
    copy_header(answer, "x-amz-checksum-sha256", head->checksum_sha256, sizeof(head->checksum_sha256));
    if (until && time_parse(bytes_of(until), &head->retain_until_ms))
        copy_header(answer, "x-amz-object-lock-mode", head->lock_mode, sizeof(head->lock_mode));
    if (strchr(head->checksum_sha256, '-')) /* of parts: not the object's */
        head->checksum_sha256[0] = '\0';
}

static bool write_nowhere(void *arg, const char *data, size_t len)
{
    (void)arg;
    (void)data;
    (void)len;
    return true;
}

/* The answer to a HEAD has no body: what is missing (s3:ListBucket, kms:Decrypt), a GET of one byte says. */
static void ask_why_denied(struct s3_bucket *bucket, const char *key, const char *version_id, struct err *err)
{
    struct http_sink sink = {write_nowhere, NULL};
    struct s3_get get = {.key = key, .version_id = version_id, .len = 1, .sink = &sink, .max = 1};
    struct err said = ERR_INIT;

    if (s3_get(bucket, &get, NULL, &said) != 0 && said.code == ERR_AWS_ACCESS_DENIED)
        *err = said;
}

int s3_head(struct s3_bucket *bucket, const char *key, const char *version_id, struct s3_head *ret_head,
            struct err *err)
{
    struct err failed = ERR_INIT;
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    _cleanup_(buffer_done) struct buffer query = BUFFER_INIT(2048);
    struct http_header headers[] = {{"x-amz-checksum-mode", "ENABLED"}};
    struct aws_call call = {
        .operation = "HeadObject", .method = "HEAD", .headers = headers, .header_count = 1};

    version_query(&query, version_id);
    if (s3_send(bucket, key, query.data, &call, &reply, &failed) != 0) {
        if (failed.code == ERR_AWS_ACCESS_DENIED)
            ask_why_denied(bucket, key, version_id, &failed);
        if (err->code == ERR_NONE)
            *err = failed;
        return -1;
    }
    read_head(&reply.answer, ret_head);
    if (ret_head->size < 0 || !ret_head->etag[0]) /* every object has both: this is about something else */
        return err_set(err, ERR_AWS_LIED, "HeadObject %s answered without a length or an ETag", bucket->name);
    return 0;
}

/* "bytes 0-9/100" */
static bool read_range(const char *text, int64_t *ret_first, int64_t *ret_last, int64_t *ret_total)
{
    const char *dash = text ? strchr(text, '-') : NULL, *slash = dash ? strchr(dash, '/') : NULL;

    return slash && str_starts(text, "bytes ") &&
           int_parse((struct bytes){text + 6, (size_t)(dash - text) - 6}, ret_first) &&
           int_parse((struct bytes){dash + 1, (size_t)(slash - dash) - 1}, ret_last) &&
           int_parse(bytes_of(slash + 1), ret_total);
}

/* Is what came all of the part that was asked for? Judged before a byte is believed by the caller's checksum.
 */
static int check_range(const struct s3_get *get, const struct http_answer *answer, struct err *err)
{
    int64_t first = 0, last = 0, total = 0;
    bool ranged = get->offset > 0 || get->len > 0;

    if (!ranged && answer->status != 206)
        return 0;
    if (!ranged || answer->status != 206 ||
        !read_range(http_answer_header(answer, "content-range"), &first, &last, &total))
        return err_set(err, ERR_AWS_LIED, "%s of an object was asked for, and something else came",
                       ranged ? "a range" : "the whole");
    int64_t end = get->len > 0 && get->len < total - get->offset ? get->offset + get->len : total;
    if (first != get->offset || last != end - 1 || answer->received != end - first)
        return err_set(err, ERR_AWS_LIED,
                       "bytes %lld to %lld of an object of %lld were asked for, %lld from %lld came",
                       (long long)get->offset, (long long)end - 1, (long long)total,
                       (long long)answer->received, (long long)first);
    return 0;
}

int s3_get(struct s3_bucket *bucket, const struct s3_get *get, struct s3_head *ret_head, struct err *err)
{
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    _cleanup_(buffer_done) struct buffer query = BUFFER_INIT(2048);
    struct header_list headers = {.count = 0};
    char range[64] = "";
    long long first = get->offset, last = get->offset + get->len - 1;

    if (get->len > 0)
        snprintf(range, sizeof(range), "bytes=%lld-%lld", first, last);
    else if (get->offset > 0)
        snprintf(range, sizeof(range), "bytes=%lld-", first);
    add(&headers, "Range", range);
    add(&headers, "If-Match", get->if_match);
    add(&headers, "x-amz-checksum-mode", *range ? NULL : "ENABLED");
    version_query(&query, get->version_id);
    struct aws_call call = {.operation = "GetObject",
                            .method = "GET",
                            .headers = headers.list,
                            .header_count = headers.count,
                            .sink = get->sink,
                            .sink_rewind = get->sink_rewind,
                            .budget_ms = AWS_BODY_BUDGET_MS,
                            .timeout_ms = -1,
                            .reply_max = get->max > 0 ? (size_t)get->max : 0};
    if (s3_send(bucket, get->key, query.data, &call, &reply, err) != 0)
        return -1;
    if (ret_head)
        read_head(&reply.answer, ret_head);
    return check_range(get, &reply.answer, err);
}

int s3_delete(struct s3_bucket *bucket, const char *key, const char *version_id, struct err *err)
{
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    _cleanup_(buffer_done) struct buffer query = BUFFER_INIT(2048);
    struct aws_call call = {.operation = "DeleteObject", .method = "DELETE"};

    version_query(&query, version_id);
    return s3_send(bucket, key, query.data, &call, &reply, err);
}
