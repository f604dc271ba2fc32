#include "aws/s3_internal.h"
#include "aws/xml.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"

#define LIST_PAGES_MAX 100000

/* What a listing remembers from page to page. */
struct listing {
    struct s3_bucket *bucket;
    const char *prefix;
    bool (*each)(void *arg, const struct s3_object *object);
    void *arg;
    struct buffer last_key; /* the greatest one that was given out */
    struct buffer token;    /* of the next page */
    bool stopped;
    bool moved; /* this page had a new key */
};

/* encoding-type=url: percent, and a plus for a space. */
static const char *decode_key(struct arena *arena, const char *text)
{
    char *key = arena_strdup(arena, text);
    char *to = key;

    for (const char *p = key; p && *p; p++) {
        uint8_t byte;
        if (*p == '%' && p[1] && p[2] && hex_decode((struct bytes){p + 1, 2}, &byte, 1) && byte) {
            *to++ = (char)byte;
            p += 2;
        } else {
            *to++ = *p == '+' ? ' ' : *p;
        }
    }
    if (to)
        *to = '\0';
    return key;
}

static int ask(struct listing *listing, struct aws_reply *reply, struct err *err)
{
    _cleanup_(buffer_done) struct buffer query = BUFFER_INIT((size_t)(16 * KIB));
    struct aws_call call = {.operation = "ListObjectsV2", .method = "GET"};

    buffer_add_str(&query, "list-type=2&encoding-type=url&prefix=");
    uri_encode(&query, bytes_of(listing->prefix), false);
    if (listing->token.len > 0) {
        buffer_add_str(&query, "&continuation-token=");
        uri_encode(&query, buffer_bytes(&listing->token), false);
    }
    if (buffer_ok(&query, "the listing's query", err) != 0)
        return -1;
    return s3_send(listing->bucket, NULL, query.data, &call, reply, err);
}

static int give_out(struct listing *listing, const struct xml_node *row, bool encoded, struct arena *arena,
                    struct err *err)
{
    const char *raw = xml_text(row, "Key");
    const char *key = raw && encoded ? decode_key(arena, raw) : raw;
    const char *size = xml_text(row, "Size"), *modified = xml_text(row, "LastModified");
    struct s3_object object = {.key = key, .etag = xml_text(row, "ETag")};

    if (!key || !size || !int_parse(bytes_of(size), &object.size) || object.size < 0)
        return err_set(err, ERR_AWS_LIED, "a row of the listing of %s has no key or size",
                       listing->bucket->name);
    if (!str_starts(key, listing->prefix))
        return err_set(err, ERR_AWS_LIED, "the listing of %s has a key that was not asked for",
                       listing->bucket->name);
    int order = listing->last_key.len > 0 ? strcmp(key, listing->last_key.data) : 1;
    if (order < 0 && listing->moved)
        return err_set(err, ERR_AWS_LIED, "the listing of %s is not in order", listing->bucket->name);
    if (order <= 0)
        return 0; /* given out already: some servers begin a page with rows of the one before */
    if (modified)
        time_parse(bytes_of(modified), &object.modified_ms);
    buffer_clear(&listing->last_key);
    buffer_add_str(&listing->last_key, key);
    listing->moved = true;
    listing->stopped = !listing->each(listing->arg, &object);
    return 0;
}

static int take_page(struct listing *listing, struct bytes body, struct arena *arena, bool *ret_more,
                     struct err *err)
{
    struct xml_node *root = NULL;

    if (xml_parse(body, arena, &root, err) != 0)
        return -1;
    if (strcmp(root->name, "ListBucketResult") != 0)
        return err_set(err, ERR_AWS_LIED, "the listing of %s is something else", listing->bucket->name);
    bool encoded = str_is(xml_text(root, "EncodingType"), "url");
    listing->moved = false;
    for (const struct xml_node *row = xml_child(root, "Contents"); row && !listing->stopped;
         row = xml_again(row)) {
        if (give_out(listing, row, encoded, arena, err) != 0)
            return -1;
    }
    const char *token = xml_text(root, "NextContinuationToken");
    *ret_more = str_is(xml_text(root, "IsTruncated"), "true");
    if (!*ret_more || listing->stopped)
        return 0;
    bool same = token && bytes_is(buffer_bytes(&listing->token), token);
    if (!token || !*token || (same && !listing->moved))
        return err_set(err, ERR_AWS_LIED, "the listing of %s does not move on", listing->bucket->name);
    buffer_clear(&listing->token);
    buffer_add_str(&listing->token, token);
    return buffer_ok(&listing->token, "the listing's token", err);
}

int s3_list(struct s3_bucket *bucket, const char *prefix,
            bool (*each)(void *arg, const struct s3_object *object), void *arg, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new((size_t)(32 * MIB));
    struct listing listing = {.bucket = bucket,
                              .prefix = prefix,
                              .each = each,
                              .arg = arg,
                              .last_key = BUFFER_INIT(8192),
                              .token = BUFFER_INIT(8192)};
    int rc = arena ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a listing");
    bool more = true;
    int still = 0;

    for (int page = 0; rc == 0 && more && !listing.stopped; page++) {
        struct aws_reply reply = AWS_REPLY_INIT;
        arena_reset(arena);
        rc = ask(&listing, &reply, err);
        if (rc == 0)
            rc = take_page(&listing, buffer_bytes(&reply.answer.body), arena, &more, err);
        aws_reply_done(&reply);
        still = listing.moved ? 0 : still + 1;
        if (rc == 0 && more && (page >= LIST_PAGES_MAX || still > 3))
            rc = err_set(err, ERR_AWS_LIED, "the listing of %s does not end", bucket->name);
    }
    buffer_done(&listing.last_key);
    buffer_done(&listing.token);
    return rc;
}
