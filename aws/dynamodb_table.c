#include "aws/dynamodb.h"
#include "aws/json_call.h"
#include "base/cleanup.h"

static struct json_call table_call(const char *operation, const char *table)
{
    return (struct json_call){
        .service = AWS_DYNAMODB, .operation = operation, .resource = table, .control = true};
}

static char type_of(const json_t *definitions, const char *name)
{
    size_t i;
    json_t *definition;

    json_array_foreach(definitions, i, definition) {
        const char *type = json_get_text(definition, "AttributeType");
        if (str_is(json_get_text(definition, "AttributeName"), name) && type && *type)
            return *type;
    }
    return '?';
}

/* Names stay in the DOM, which lives as long as the arena. */
static void read_key(const json_t *schema, const json_t *definitions, struct dynamodb_key *key)
{
    size_t i;
    json_t *element;

    json_array_foreach(schema, i, element) {
        const char *name = json_get_text(element, "AttributeName");
        if (str_is(json_get_text(element, "KeyType"), "HASH")) {
            key->hash = name;
            key->hash_type = name ? type_of(definitions, name) : '?';
        } else {
            key->range = name;
            key->range_type = name ? type_of(definitions, name) : '?';
        }
    }
}

static int read_indexes(const json_t *raw, const char *member, bool global, struct dynamodb_table *table,
                        struct err *err)
{
    const json_t *list = json_object_get(raw, member);
    size_t i;
    json_t *index;

    json_array_foreach(list, i, index) {
        struct dynamodb_index *to = &table->indexes[table->index_count++];
        const char *status = json_get_text(index, "IndexStatus");
        *to = (struct dynamodb_index){
            .name = json_get_text(index, "IndexName"),
            .arn = json_get_text(index, "IndexArn"),
            .status = status ? status : "",
            .backfilling = json_get_bool(index, "Backfilling", false),
            .global = global,
            .items = json_get_int(index, "ItemCount", 0),
            .bytes = json_get_int(index, "IndexSizeBytes", 0),
        };
        if (!to->name)
            return err_set(err, ERR_AWS_LIED, "an index of table %s has no name", table->name);
        read_key(json_object_get(index, "KeySchema"), json_object_get(raw, "AttributeDefinitions"), &to->key);
    }
    return 0;
}

static void read_billing(const json_t *raw, struct dynamodb_table *table)
{
    const json_t *throughput = json_object_get(raw, "ProvisionedThroughput");
    const json_t *maximum = json_object_get(raw, "OnDemandThroughput");
    const char *mode = json_get_text(json_object_get(raw, "BillingModeSummary"), "BillingMode");

    table->on_demand = str_is(mode, "PAY_PER_REQUEST");
    table->read_units = json_get_int(throughput, "ReadCapacityUnits", 0);
    table->write_units = json_get_int(throughput, "WriteCapacityUnits", 0);
    table->max_read_units = json_get_int(maximum, "MaxReadRequestUnits", -1);
    table->max_write_units = json_get_int(maximum, "MaxWriteRequestUnits", -1);
}

static void read_rest(const json_t *raw, struct dynamodb_table *table)
{
    const json_t *stream = json_object_get(raw, "StreamSpecification");
    const json_t *sse = json_object_get(raw, "SSEDescription");
    const char *class = json_get_text(json_object_get(raw, "TableClassSummary"), "TableClass");

    table->stream_enabled = json_get_bool(stream, "StreamEnabled", false);
    table->stream_view = json_get_text(stream, "StreamViewType");
    table->stream_arn = json_get_text(raw, "LatestStreamArn");
    table->sse_status = json_get_text(sse, "Status");
    table->sse_type = json_get_text(sse, "SSEType");
    table->sse_key = json_get_text(sse, "KMSMasterKeyArn");
    table->table_class = class ? class : "STANDARD";
    table->deletion_protection = json_get_bool(raw, "DeletionProtectionEnabled", false);
}

int dynamodb_read_table(const json_t *raw, struct arena *arena, struct dynamodb_table *ret_table,
                        struct err *err)
{
    struct dynamodb_table table = {
        .name = json_get_text(raw, "TableName"),
        .arn = json_get_text(raw, "TableArn"),
        .table_id = json_get_text(raw, "TableId"),
        .status = json_get_text(raw, "TableStatus"),
        .created_ms = aws_json_time(raw, "CreationDateTime"),
        .items = json_get_int(raw, "ItemCount", 0),
        .bytes = json_get_int(raw, "TableSizeBytes", 0),
        .raw = raw,
    };
    size_t indexes = json_array_size(json_object_get(raw, "GlobalSecondaryIndexes")) +
                     json_array_size(json_object_get(raw, "LocalSecondaryIndexes"));

    read_key(json_object_get(raw, "KeySchema"), json_object_get(raw, "AttributeDefinitions"), &table.key);
    if (!table.name || !table.status)
        return err_set(err, ERR_AWS_LIED, "the description of a table has no name or status");
    if (!table.key.hash || !strchr("SNB", table.key.hash_type) ||
        (table.key.range && !strchr("SNB", table.key.range_type)))
        return err_set(err, ERR_AWS_LIED, "the description of table %.100s has no key", table.name);
    table.indexes = arena_array(arena, struct dynamodb_index, indexes + 1);
    if (!table.indexes)
        return err_set(err, ERR_NO_MEMORY, "no memory for the description of a table");
    if (read_indexes(raw, "GlobalSecondaryIndexes", true, &table, err) != 0 ||
        read_indexes(raw, "LocalSecondaryIndexes", false, &table, err) != 0)
        return -1;
    read_billing(raw, &table);
    read_rest(raw, &table);
    *ret_table = table;
    return 0;
}

int dynamodb_describe_table(struct aws_session *session, const char *table, struct arena *arena,
                            struct dynamodb_table *ret_table, struct err *err)
{
    struct json_call call = table_call("DescribeTable", table);
    json_t *answer = NULL;

    if (aws_json_call_take(session, &call, json_pack("{s:s}", "TableName", table), &answer, err) != 0)
        return -1;
    if (arena_defer(arena, json_decref_p, answer) != 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for the description of a table");
    const json_t *raw = json_object_get(answer, "Table");
    if (!raw)
        return err_set(err, ERR_AWS_LIED, "DescribeTable %.100s answered without a table", table);
    return dynamodb_read_table(raw, arena, ret_table, err);
}

int dynamodb_create_table(struct aws_session *session, const json_t *request, bool *ret_effect_unknown,
                          struct err *err)
{
    struct json_call call = table_call("CreateTable", json_get_text(request, "TableName"));

    call.once = true; /* a second one would meet the first one's table and call it a conflict */
    call.ret_effect_unknown = ret_effect_unknown;
    return aws_json_call(session, &call, request, NULL, err);
}

int dynamodb_update_table(struct aws_session *session, const json_t *request, struct err *err)
{
    struct json_call call = table_call("UpdateTable", json_get_text(request, "TableName"));

    return aws_json_call(session, &call, request, NULL, err);
}

int dynamodb_delete_table(struct aws_session *session, const char *table, struct err *err)
{
    struct json_call call = table_call("DeleteTable", table);

    return aws_json_call_take(session, &call, json_pack("{s:s}", "TableName", table), NULL, err);
}

int dynamodb_list_tables(struct aws_session *session, struct arena *arena, const char **start,
                         const char ***ret_names, size_t *ret_count, struct err *err)
{
    return dynamodb_list_tables_in(session, NULL, arena, start, ret_names, ret_count, err);
}

int dynamodb_list_tables_in(struct aws_session *session, const char *region, struct arena *arena,
                            const char **start, const char ***ret_names, size_t *ret_count, struct err *err)
{
    struct json_call call = table_call("ListTables", NULL);
    json_auto_t *answer = NULL;
    size_t i;
    json_t *name;

    call.region = region;
    if (aws_json_call_take(session, &call, json_pack("{s:s*}", "ExclusiveStartTableName", *start), &answer,
                           err) != 0)
        return -1;
    const json_t *list = json_object_get(answer, "TableNames");
    const char *last = json_get_text(answer, "LastEvaluatedTableName");
    if (!json_is_array(list))
        return err_set(err, ERR_AWS_LIED, "ListTables answered without TableNames");
    if (last && str_is(last, *start))
        return err_set(err, ERR_AWS_LIED, "ListTables: the same page comes again and again");
    const char **names = arena_array(arena, const char *, json_array_size(list) + 1);
    char *next = arena_strdup(arena, last);
    size_t count = 0;
    if (!names || (last && !next))
        return err_set(err, ERR_NO_MEMORY, "no memory for the names of tables");
    json_array_foreach(list, i, name) {
        if (!json_is_string(name))
            return err_set(err, ERR_AWS_LIED, "ListTables: a name is not text");
        names[count] = arena_strdup(arena, json_string_value(name));
        if (!names[count++])
            return err_set(err, ERR_NO_MEMORY, "no memory for the names of tables");
    }
    *start = next;
    *ret_names = names;
    *ret_count = count;
    return 0;
}

int dynamodb_tables_of(struct aws_session *session, const struct environment *environment, size_t max,
                       struct arena *arena, struct name_list *ret_tables, struct err *err)
{
    const char **found = arena_array(arena, const char *, max), **names;
    const char *start = NULL;
    size_t count;

    *ret_tables = (struct name_list){.names = found};
    if (!found)
        return err_set(err, ERR_NO_MEMORY, "no memory for the names of tables");
    do {
        if (dynamodb_list_tables(session, arena, &start, &names, &count, err) < 0)
            return -1;
        for (size_t i = 0; i < count && ret_tables->count < max; i++)
            if (environment_lists_table(environment, names[i]))
                found[ret_tables->count++] = names[i];
    } while (start && ret_tables->count < max);
    return 0;
}
