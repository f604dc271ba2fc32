#include "aws/dynamodb.h"
#include "aws/json_call.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "item/canonical.h"

#define BATCH_PUT_MAX 25
#define BATCH_GET_MAX 100
#define BATCH_BYTES_MAX ((size_t)(80 * MIB)) /* 25 items of ITEM_WIRE_MAX: AWS itself refuses above 16 MB */

static int send_items(struct aws_session *session, const char *operation, const char *table,
                      const struct buffer *body, struct aws_reply *reply, struct err *err)
{
    struct aws_call call = {.service = AWS_DYNAMODB,
                            .operation = operation,
                            .resource = table,
                            .body = buffer_bytes(body),
                            .items = true};

    if (buffer_ok(body, operation, err) != 0)
        return -1;
    return aws_send(session, &call, reply, err);
}

int dynamodb_scan(struct aws_session *session, const struct dynamodb_scan *scan, struct aws_reply *reply,
                  struct err *err)
{
    _cleanup_(buffer_done) struct buffer body = BUFFER_INIT((size_t)(PART_CURSOR_MAX + 8 * KIB));
    struct json_writer w;

    json_put_begin(&w, &body);
    json_put_object(&w, NULL);
    json_put_text(&w, "TableName", scan->table);
    if (scan->total_segments > 1) {
        json_put_int(&w, "Segment", scan->segment);
        json_put_int(&w, "TotalSegments", scan->total_segments);
    }
    if (scan->start_key.len > 0)
        json_put_raw(&w, "ExclusiveStartKey", scan->start_key);
    if (scan->limit > 0)
        json_put_int(&w, "Limit", scan->limit);
    if (scan->consistent)
        json_put_flag(&w, "ConsistentRead", true);
    json_put_text_opt(&w, "Select", scan->select);
    json_put_text(&w, "ReturnConsumedCapacity", "TOTAL");
    json_put_object_end(&w);
    return send_items(session, "Scan", scan->table, &body, reply, err);
}

/* -- writing -- */

/* Sum of CapacityUnits in one object or an array of them. */
static double units_of(struct bytes raw)
{
    struct err ignored = ERR_INIT; /* capacity is advice: an answer without it still counts */
    json_auto_t *value = NULL;
    static const struct json_limits limits = {.max_depth = 16, .allow_duplicates = true};
    double sum = 0;
    size_t i;
    json_t *one;

    if (json_parse(raw, &limits, &value, &ignored) != 0)
        return 0;
    if (json_is_object(value))
        return json_number_value(json_object_get(value, "CapacityUnits"));
    json_array_foreach(value, i, one)
        sum += json_number_value(json_object_get(one, "CapacityUnits"));
    return sum;
}

/* A member of the answer's object, without a DOM of its items. */
static bool find_member(struct bytes answer, const char *name, struct json_span *ret_value)
{
    struct err ignored = ERR_INIT; /* no such member, then */
    struct json_walk walk;
    struct bytes found;

    if (json_walk_open(&walk, answer, &ignored) != 0 || !walk.object)
        return false;
    while (json_walk_next(&walk, &found, ret_value, &ignored) == 1) {
        if (bytes_is(found, name))
            return true;
    }
    return false;
}

double dynamodb_consumed(struct bytes answer)
{
    struct json_span value;

    return find_member(answer, "ConsumedCapacity", &value) ? units_of(value.raw) : 0;
}

/* -- what comes back as UnprocessedItems: matched by canonical form, whatever spelling it comes in -- */

struct batch {
    const struct bytes *items;
    size_t count;
    uint8_t digests[BATCH_PUT_MAX][SHA256_BYTES];
    bool back[BATCH_PUT_MAX];
    long found;
    struct item_scratch *scratch;
};

/* One write request that came back: it must be one of those that were sent, and come once. */
static bool mark(struct batch *batch, struct bytes request)
{
    uint8_t digest[SHA256_BYTES];
    struct err ignored = ERR_INIT; /* the caller has one answer for all that was not sent */
    struct json_span put, item;

    if (!find_member(request, "PutRequest", &put) || !find_member(put.raw, "Item", &item) ||
        item_digest(batch->scratch, item.raw, digest, NULL, &ignored) < 0)
        return false;
    for (size_t i = 0; i < batch->count; i++)
        if (!batch->back[i] && !memcmp(batch->digests[i], digest, sizeof(digest))) {
            batch->back[i] = true;
            batch->found++;
            return true;
        }
    return false;
}

static bool mark_all(struct batch *batch, struct bytes requests)
{
    struct err ignored = ERR_INIT; /* as above */
    struct json_walk walk;
    struct json_span request;
    struct bytes none;
    int more;

    if (json_walk_open(&walk, requests, &ignored) != 0 || walk.object)
        return false;
    while ((more = json_walk_next(&walk, &none, &request, &ignored)) > 0)
        if (!mark(batch, request.raw))
            return false;
    return more == 0;
}

/* The tables of UnprocessedItems: only the one that was written to can be there. */
static bool mark_tables(struct batch *batch, const char *table, struct bytes raw)
{
    struct err ignored = ERR_INIT; /* as above */
    struct json_walk walk;
    struct json_span requests;
    struct bytes name;
    int more;

    if (json_walk_open(&walk, raw, &ignored) != 0 || !walk.object)
        return false;
    while ((more = json_walk_next(&walk, &name, &requests, &ignored)) > 0)
        if (!bytes_is(name, table) || !mark_all(batch, requests.raw))
            return false;
    return more == 0;
}

static int unprocessed(struct batch *batch, const char *table, struct bytes raw, struct err *err)
{
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = item_scratch_new(err);

    if (!scratch)
        return -1;
    batch->scratch = scratch;
    for (size_t i = 0; i < batch->count; i++)
        if (item_digest(scratch, batch->items[i], batch->digests[i], NULL, err) < 0)
            return -1;
    if (mark_tables(batch, table, raw))
        return 0;
    return err_set(err, ERR_AWS_LIED,
                   "BatchWriteItem %.100s: UnprocessedItems holds something that was not sent", table);
}

/* About what the request will have, so that it need not move as it grows. */
static size_t batch_size(const struct bytes *items, size_t count)
{
    size_t size = 512;

    for (size_t i = 0; i < count; i++)
        size += items[i].len + sizeof("{\"PutRequest\":{\"Item\":}},");
    return size;
}

long dynamodb_batch_put(struct aws_session *session, const char *table, const struct bytes *items,
                        size_t count, bool *ret_unprocessed, double *ret_units, struct err *err)
{
    _cleanup_(buffer_done) struct buffer body = BUFFER_INIT(BATCH_BYTES_MAX);
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    struct batch batch = {.items = items, .count = count};
    struct json_writer w;
    struct json_span left;

    if (count == 0 || count > BATCH_PUT_MAX)
        return err_set(err, ERR_INTERNAL, "a batch of %zu items", count);
    buffer_reserve(&body, batch_size(items, count));
    json_put_begin(&w, &body);
    json_put_object(&w, NULL);
    json_put_object(&w, "RequestItems");
    json_put_array(&w, table);
    for (size_t i = 0; i < count; i++) {
        json_put_object(&w, NULL);
        json_put_object(&w, "PutRequest");
        json_put_raw(&w, "Item", items[i]);
        json_put_object_end(&w);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    json_put_text(&w, "ReturnConsumedCapacity", "TOTAL");
    json_put_object_end(&w);
    if (send_items(session, "BatchWriteItem", table, &body, &reply, err) != 0)
        return -1;
    struct bytes answer = buffer_bytes(&reply.answer.body);
    if (!find_member(answer, "UnprocessedItems", &left)) /* "empty when there are none", never absent */
        return err_set(err, ERR_AWS_LIED, "BatchWriteItem %.100s answered without UnprocessedItems", table);
    if (!bytes_is(left.raw, "{}") && unprocessed(&batch, table, left.raw, err) < 0)
        return -1;
    if (ret_unprocessed)
        memcpy(ret_unprocessed, batch.back, count * sizeof(*batch.back));
    if (ret_units)
        *ret_units = dynamodb_consumed(answer);
    return batch.found;
}

int dynamodb_put_item(struct aws_session *session, const char *table, struct bytes item,
                      const char *condition_key, bool *ret_effect_unknown, double *ret_units, struct err *err)
{
    _cleanup_(buffer_done) struct buffer body = BUFFER_INIT((size_t)(ITEM_WIRE_MAX + 8 * KIB));
    _cleanup_(aws_reply_done) struct aws_reply reply = AWS_REPLY_INIT;
    struct json_writer w;

    json_put_begin(&w, &body);
    json_put_object(&w, NULL);
    json_put_text(&w, "TableName", table);
    json_put_raw(&w, "Item", item);
    if (condition_key) {
        json_put_text(&w, "ConditionExpression", "attribute_not_exists(#k)");
        json_put_object(&w, "ExpressionAttributeNames");
        json_put_text(&w, "#k", condition_key);
        json_put_object_end(&w);
    }
    json_put_text(&w, "ReturnConsumedCapacity", "TOTAL");
    json_put_object_end(&w);
    int rc = send_items(session, "PutItem", table, &body, &reply, err);
    if (ret_effect_unknown)
        *ret_effect_unknown = reply.effect_unknown;
    if (rc == 0 && ret_units)
        *ret_units = dynamodb_consumed(buffer_bytes(&reply.answer.body));
    return rc;
}

int dynamodb_batch_get(struct aws_session *session, const char *table, const struct bytes *keys, size_t count,
                       bool consistent, struct aws_reply *reply, struct err *err)
{
    _cleanup_(buffer_done) struct buffer body = BUFFER_INIT((size_t)(8 * MIB));
    struct json_writer w;

    if (count == 0 || count > BATCH_GET_MAX)
        return err_set(err, ERR_INTERNAL, "a batch of %zu keys", count);
    json_put_begin(&w, &body);
    json_put_object(&w, NULL);
    json_put_object(&w, "RequestItems");
    json_put_object(&w, table);
    json_put_array(&w, "Keys");
    for (size_t i = 0; i < count; i++)
        json_put_raw(&w, NULL, keys[i]);
    json_put_array_end(&w);
    if (consistent)
        json_put_flag(&w, "ConsistentRead", true);
    json_put_object_end(&w);
    json_put_object_end(&w);
    json_put_text(&w, "ReturnConsumedCapacity", "TOTAL");
    json_put_object_end(&w);
    return send_items(session, "BatchGetItem", table, &body, reply, err);
}
