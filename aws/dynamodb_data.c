#include "aws/dynamodb.h"
#include "aws/json_call.h"
#include "base/cleanup.h"
#include "base/limits.h"

#define BATCH_PUT_MAX 25
#define BATCH_GET_MAX 100
#define BATCH_BYTES_MAX ((size_t)(80 * MIB)) /* 25 items of ITEM_WIRE_MAX: AWS itself refuses above 16 MB */

static void buffer_end(struct buffer *buffer)
{
    buffer_done(buffer);
}

static void reply_end(struct aws_reply *reply)
{
    aws_reply_done(reply);
}

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
    _cleanup_(buffer_end) struct buffer body = BUFFER_INIT((size_t)(PART_CURSOR_MAX + 8 * KIB));
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

/* -- writing
 * ------------------------------------------------------------------------------------------------------ */

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
    json_array_foreach(value, i, one) sum += json_number_value(json_object_get(one, "CapacityUnits"));
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

static int parse_loose(struct bytes raw, json_t **ret_value)
{
    static const struct json_limits limits = {.max_depth = 100, .allow_duplicates = true};
    struct err ignored = ERR_INIT; /* the caller has one answer for what cannot be read */

    return json_parse(raw, &limits, ret_value, &ignored);
}

/* Marks the item that is equal to `came`; false when there is none left. */
static bool mark(const struct bytes *items, size_t count, const json_t *came, bool *marks)
{
    for (size_t i = 0; i < count; i++) {
        json_auto_t *item = NULL;
        if (marks[i] || parse_loose(items[i], &item) != 0)
            continue;
        if (json_equal(item, came)) {
            marks[i] = true;
            return true;
        }
    }
    return false;
}

/* How many of items came back; all of them when one cannot be told. -1: not readable. */
static long unprocessed(struct bytes raw, const struct bytes *items, size_t count, bool *marks)
{
    json_auto_t *value = NULL;
    const char *table;
    json_t *requests, *request;
    size_t i;
    long found = 0;

    if (parse_loose(raw, &value) != 0 || !json_is_object(value))
        return -1;
    json_object_foreach(value, table, requests)
    {
        json_array_foreach(requests, i, request)
        {
            const json_t *item = json_object_get(json_object_get(request, "PutRequest"), "Item");
            if (!item || !mark(items, count, item, marks)) {
                memset(marks, 1, count * sizeof(*marks));
                return (long)count;
            }
            found++;
        }
    }
    return found;
}

long dynamodb_batch_put(struct aws_session *session, const char *table, const struct bytes *items,
                        size_t count, bool *ret_unprocessed, double *ret_units, struct err *err)
{
    _cleanup_(buffer_end) struct buffer body = BUFFER_INIT(BATCH_BYTES_MAX);
    _cleanup_(reply_end) struct aws_reply reply = AWS_REPLY_INIT;
    bool marks[BATCH_PUT_MAX] = {false};
    struct json_writer w;
    struct json_span left;

    if (count == 0 || count > BATCH_PUT_MAX)
        return err_set(err, ERR_INTERNAL, "a batch of %zu items", count);
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
    long found =
        find_member(answer, "UnprocessedItems", &left) ? unprocessed(left.raw, items, count, marks) : 0;
    if (found < 0)
        return err_set(err, ERR_AWS_LIED, "BatchWriteItem %.100s: UnprocessedItems cannot be read", table);
    if (ret_unprocessed)
        memcpy(ret_unprocessed, marks, count * sizeof(*marks));
    if (ret_units)
        *ret_units = dynamodb_consumed(answer);
    return found;
}

int dynamodb_put_item(struct aws_session *session, const char *table, struct bytes item,
                      const char *condition_key, bool *ret_effect_unknown, double *ret_units, struct err *err)
{
    _cleanup_(buffer_end) struct buffer body = BUFFER_INIT((size_t)(ITEM_WIRE_MAX + 8 * KIB));
    _cleanup_(reply_end) struct aws_reply reply = AWS_REPLY_INIT;
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
    _cleanup_(buffer_end) struct buffer body = BUFFER_INIT((size_t)(8 * MIB));
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
