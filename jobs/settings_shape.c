/* What a table is made of: keys, indexes, and what reading and writing it may cost. All from one
 * DescribeTable. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "jobs/settings.h"

int setting_sort(json_t *array, const char *name, struct err *err)
{
    size_t count = json_array_size(array);
    json_auto_t *rest = json_array();

    if (!rest || json_array_extend(rest, array) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory to order a setting");
    json_array_clear(array);
    for (size_t i = 0; i < count; i++) {
        size_t least = 0;

        for (size_t j = 1; j < json_array_size(rest); j++) {
            const char *a = json_get_text(json_array_get(rest, j), name);
            const char *b = json_get_text(json_array_get(rest, least), name);

            if (strcmp(a ? a : "", b ? b : "") < 0)
                least = j;
        }
        if (json_array_append(array, json_array_get(rest, least)) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory to order a setting");
        json_array_remove(rest, least);
    }
    return 0;
}

/* -- keys -- */

static void put_key(json_t *to, const struct dynamodb_key *key)
{
    char type[2] = {key->hash_type, 0};

    json_object_set_new(to, "hash", json_string(key->hash));
    json_object_set_new(to, "hash_type", json_string(type));
    if (!key->range)
        return;
    type[0] = key->range_type;
    json_object_set_new(to, "range", json_string(key->range));
    json_object_set_new(to, "range_type", json_string(type));
}

int setting_read_key_schema(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    json_t *value = json_object();

    if (value)
        put_key(value, &view->table->key);
    return setting_value(value, ret_value, err);
}

json_t *setting_key_schema(const json_t *keys)
{
    json_t *schema =
        json_pack("[{s:s,s:s}]", "AttributeName", json_get_text(keys, "hash"), "KeyType", "HASH");

    if (schema && json_get_text(keys, "range"))
        json_array_append_new(schema, json_pack("{s:s,s:s}", "AttributeName", json_get_text(keys, "range"),
                                                "KeyType", "RANGE"));
    return schema;
}

static int add_attribute(json_t *definitions, const char *name, const char *type, struct err *err)
{
    const json_t *other;
    size_t i;

    if (!name || !type)
        return 0;
    json_array_foreach(definitions, i, other)
        if (str_is(json_get_text(other, "AttributeName"), name))
            return str_is(json_get_text(other, "AttributeType"), type)
                       ? 0
                       : err_set(err, ERR_INVALID_SPEC, "the key attribute %s has two types", name);
    if (json_array_append_new(definitions,
                              json_pack("{s:s,s:s}", "AttributeName", name, "AttributeType", type)) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for the keys of a table");
    return 0;
}

int setting_add_attributes(json_t *definitions, const json_t *keys, struct err *err)
{
    if (add_attribute(definitions, json_get_text(keys, "hash"), json_get_text(keys, "hash_type"), err) < 0)
        return -1;
    return add_attribute(definitions, json_get_text(keys, "range"), json_get_text(keys, "range_type"), err);
}

/* -- indexes -- */

static const json_t *raw_index(const struct dynamodb_table *table, const struct dynamodb_index *index)
{
    const json_t *list =
        json_object_get(table->raw, index->global ? "GlobalSecondaryIndexes" : "LocalSecondaryIndexes");
    const json_t *raw;
    size_t i;

    json_array_foreach(list, i, raw)
        if (str_is(json_get_text(raw, "IndexName"), index->name))
            return raw;
    return NULL;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* NonKeyAttributes are a set: AWS gives them in any order. */
static int put_projection(const struct setting_view *view, json_t *to, const json_t *projection,
                          struct err *err)
{
    const json_t *names = json_object_get(projection, "NonKeyAttributes");
    const char *type = json_get_text(projection, "ProjectionType");
    size_t count = json_array_size(names);
    const char **sorted = arena_array(view->arena, const char *, count + 1);
    json_t *include = json_array();

    if (!sorted || !include) {
        json_decref(include);
        return err_set(err, ERR_NO_MEMORY, "no memory for an index");
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        sorted[i] = name ? name : "";
    }
    qsort(sorted, count, sizeof(*sorted), compare_text);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(include, json_string(sorted[i]));
    json_object_set_new(to, "projection", json_string(type ? type : "ALL"));
    if (count > 0)
        return json_object_set_new(to, "include", include);
    json_decref(include);
    return 0;
}

int setting_read_indexes(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    json_auto_t *list = json_array();

    for (size_t i = 0; list && i < view->table->index_count; i++) {
        const struct dynamodb_index *index = &view->table->indexes[i];
        json_t *one = json_pack("{s:s,s:s}", "name", index->name, "type", index->global ? "global" : "local");

        if (json_array_append_new(list, one) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for an index");
        put_key(one, &index->key);
        if (put_projection(view, one, json_object_get(raw_index(view->table, index), "Projection"), err) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for an index");
    }
    if (list && setting_sort(list, "name", err) < 0)
        return -1;
    return setting_value(TAKE(list), ret_value, err);
}

json_t *setting_index_request(const json_t *index)
{
    const char *projection = json_get_text(index, "projection");
    json_t *projected = json_pack("{s:s}", "ProjectionType", projection ? projection : "ALL");
    json_t *include = json_object_get(index, "include");

    if (projected && json_array_size(include) > 0)
        json_object_set(projected, "NonKeyAttributes", include);
    return json_pack("{s:s,s:o,s:o}", "IndexName", json_get_text(index, "name"), "KeySchema",
                     setting_key_schema(index), "Projection", projected);
}

static const json_t *index_named(const json_t *list, const char *name)
{
    const json_t *index;
    size_t i;

    json_array_foreach(list, i, index)
        if (str_is(json_get_text(index, "name"), name))
            return index;
    return NULL;
}

static int make_index(const struct setting_view *view, const json_t *index, struct err *err)
{
    json_auto_t *definitions = json_array();
    json_auto_t *keys = NULL;
    json_t *request;

    if (!definitions || setting_read_key_schema(view, &keys, err) < 0 ||
        setting_add_attributes(definitions, keys, err) < 0 ||
        setting_add_attributes(definitions, index, err) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for an index");
    request = setting_index_request(index);
    if (request && !view->table->on_demand)
        json_object_set_new(request, "ProvisionedThroughput",
                            json_pack("{s:I,s:I}", "ReadCapacityUnits", (json_int_t)view->table->read_units,
                                      "WriteCapacityUnits", (json_int_t)view->table->write_units));
    return setting_update(view,
                          json_pack("{s:s,s:O,s:[{s:o}]}", "TableName", view->table->name,
                                    "AttributeDefinitions", definitions, "GlobalSecondaryIndexUpdates",
                                    "Create", request),
                          err);
}

/* AWS takes one new index at a time; local ones are made with their table or never, which is told when
 * every global one is there. */
int setting_apply_indexes(const struct setting_view *view, const json_t *wanted, const json_t *found,
                          struct err *err)
{
    const char *local = NULL;
    const json_t *index;
    size_t i;

    json_array_foreach(wanted, i, index) {
        const char *name = json_get_text(index, "name");

        if (index_named(found, name))
            continue;
        if (!str_is(json_get_text(index, "type"), "local"))
            return make_index(view, index, err);
        local = name;
    }
    if (local)
        return err_set(err, ERR_SETTING_FAILED, "the local index %s can only be made together with its table",
                       local);
    return err_set(err, ERR_SETTING_FAILED, "the table has other indexes than the source");
}

/* -- billing -- */

static json_t *units_of(int64_t read, int64_t write, int64_t none)
{
    json_t *units = json_object();

    if (units && read != none)
        json_object_set_new(units, "read", json_integer(read));
    if (units && write != none)
        json_object_set_new(units, "write", json_integer(write));
    return units;
}

/* {index: {read, write}} of the global ones. */
static json_t *index_units(const struct dynamodb_table *table, const char *member, const char *read,
                           const char *write, int64_t none)
{
    json_t *all = json_object();

    for (size_t i = 0; all && i < table->index_count; i++) {
        const json_t *units = json_object_get(raw_index(table, &table->indexes[i]), member);
        int64_t r = json_get_int(units, read, none), w = json_get_int(units, write, none);

        if (table->indexes[i].global && units && (r != none || w != none))
            json_object_set_new(all, table->indexes[i].name, units_of(r, w, none));
    }
    return all;
}

int setting_read_billing(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    const struct dynamodb_table *table = view->table;

    if (table->on_demand)
        return setting_value(json_pack("{s:s}", "mode", "PAY_PER_REQUEST"), ret_value, err);
    return setting_value(
        json_pack("{s:s,s:I,s:I,s:o}", "mode", "PROVISIONED", "read", (json_int_t)table->read_units, "write",
                  (json_int_t)table->write_units, "indexes",
                  index_units(table, "ProvisionedThroughput", "ReadCapacityUnits", "WriteCapacityUnits", -1)),
        ret_value, err);
}

static json_t *provisioned(const json_t *units)
{
    return json_pack("{s:I,s:I}", "ReadCapacityUnits", (json_int_t)json_get_int(units, "read", 1),
                     "WriteCapacityUnits", (json_int_t)json_get_int(units, "write", 1));
}

int setting_apply_billing(const struct setting_view *view, const json_t *wanted, const json_t *found,
                          struct err *err)
{
    const char *mode = json_get_text(wanted, "mode");
    json_t *request = json_pack("{s:s,s:s*}", "TableName", view->table->name, "BillingMode", mode);
    json_t *updates = json_array();

    (void)found;
    if (request && updates && str_is(mode, "PROVISIONED")) {
        json_object_set_new(request, "ProvisionedThroughput", provisioned(wanted));
        for (size_t i = 0; i < view->table->index_count; i++) {
            const struct dynamodb_index *index = &view->table->indexes[i];
            const json_t *units = json_object_get(json_object_get(wanted, "indexes"), index->name);

            if (index->global) /* every global index needs its own; the table's where the capsule has none */
                json_array_append_new(updates, json_pack("{s:{s:s,s:o}}", "Update", "IndexName", index->name,
                                                         "ProvisionedThroughput",
                                                         provisioned(units ? units : wanted)));
        }
    }
    if (request && json_array_size(updates) > 0)
        json_object_set(request, "GlobalSecondaryIndexUpdates", updates);
    json_decref(updates);
    return setting_update(view, request, err);
}

int setting_read_maximum(const struct setting_view *view, json_t **ret_value, struct err *err)
{
    const struct dynamodb_table *table = view->table;
    json_auto_t *indexes =
        index_units(table, "OnDemandThroughput", "MaxReadRequestUnits", "MaxWriteRequestUnits", -1);
    json_t *value;

    if (!table->on_demand ||
        (table->max_read_units < 0 && table->max_write_units < 0 && json_object_size(indexes) == 0))
        return setting_value(json_null(), ret_value, err);
    value = units_of(table->max_read_units, table->max_write_units, -1);
    if (value && json_object_size(indexes) > 0)
        json_object_set(value, "indexes", indexes);
    return setting_value(value, ret_value, err);
}

/* -1 takes a maximum away. */
static json_t *maximum(const json_t *units)
{
    return json_pack("{s:I,s:I}", "MaxReadRequestUnits", (json_int_t)json_get_int(units, "read", -1),
                     "MaxWriteRequestUnits", (json_int_t)json_get_int(units, "write", -1));
}

int setting_apply_maximum(const struct setting_view *view, const json_t *wanted, const json_t *found,
                          struct err *err)
{
    json_t *request =
        json_pack("{s:s,s:o}", "TableName", view->table->name, "OnDemandThroughput", maximum(wanted));
    json_t *updates = json_array();
    const char *name;
    json_t *units;

    (void)found;
    json_object_foreach(json_object_get(wanted, "indexes"), name, units)
        json_array_append_new(updates, json_pack("{s:{s:s,s:o}}", "Update", "IndexName", name,
                                                 "OnDemandThroughput", maximum(units)));
    if (request && json_array_size(updates) > 0)
        json_object_set(request, "GlobalSecondaryIndexUpdates", updates);
    json_decref(updates);
    return setting_update(view, request, err);
}
