/*
 * The settings of a table, each one row of one table: how it is read into the form that a capsule holds, how
 * it is put on another table, and whether a restore does so unasked (CONTRACT.md section 4). Values name no
 * table and no ARN of the table they came from, so that equal settings of two tables are equal JSON; lists
 * are sorted.
 *
 *   key_schema            {hash, hash_type, range?, range_type?}
 *   indexes               [{name, type, hash, hash_type, range?, range_type?, projection, include?}]
 *   table_class           STANDARD
 *   sse                   null | {type, key?}
 *   tags                  {k: v}
 *   billing               {mode, read?, write?, indexes?}
 *   on_demand_maximum     null | {read?, write?, indexes?}
 *   autoscaling           {targets: [..], policies: [..]}
 *   stream                null | {view}
 *   pitr                  {enabled, days?}
 *   contributor_insights  {enabled, mode?, indexes?}
 *   deletion_protection   bool
 *   ttl                   null | attribute
 *   recorded only: event_source_mappings, kinesis, alarms, resource_policy, replicas
 */
#pragma once
#include "aws/dynamodb.h"
#include "engine/work.h"

/* What stands for the table itself inside a value. */
#define SETTING_TABLE "{table}"
#define SETTING_TABLE_ARN "{table_arn}"

/* A table as it is now. `table` was described a moment ago; everything in arena. */
struct setting_view {
    struct aws_session *aws;
    struct arena *arena;
    const struct dynamodb_table *table;
};

/* When a restore puts it on the table. */
enum setting_use {
    SETTING_WITH_TABLE, /* goes with CreateTable */
    SETTING_AFTER,      /* by default, after loading */
    SETTING_WHEN_NAMED, /* only recorded, unless `apply` names it: it would take something over from the old
                           table */
    SETTING_NEVER,      /* only recorded */
};

struct setting {
    const char *name;
    enum setting_use use;
    const char *action; /* IAM: of the write */
    /* *ret_value: the caller's; JSON null when it is not set. AWS_UNSUPPORTED when the peer does not know it.
     */
    int (*read)(const struct setting_view *view, json_t **ret_value, struct err *err);
    /* One step towards `wanted`; `found` is not equal to it. May be called again with the next `found`. NULL:
     * it cannot be changed on a table that exists. Repeatable. */
    int (*apply)(const struct setting_view *view, const json_t *wanted, const json_t *found, struct err *err);
    /* Is what was found what is wanted? NULL: equal JSON. */
    bool (*same)(const json_t *wanted, const json_t *found);
};
bool setting_same(const struct setting *setting, const json_t *wanted, const json_t *found);
/* Is there anything in it: neither absent nor null nor an empty list? */
bool setting_is_set(const json_t *value);

/* In the order in which they are applied: what goes with CreateTable first, TTL last. Ends with a NULL name.
 */
extern const struct setting settings[];
const struct setting *setting_find(const char *name); /* NULL when unknown */
/* Space-separated names of all that may be in `apply` or `skip`: choices of a field. */
#define SETTINGS_CHOICES                                                                                     \
    "indexes billing on_demand_maximum table_class sse tags autoscaling stream event_source_mappings "       \
    "kinesis pitr "                                                                                          \
    "contributor_insights alarms resource_policy deletion_protection ttl"

/* -- rows whose functions live in files of their own -- */

int setting_read_key_schema(const struct setting_view *view, json_t **ret_value, struct err *err);
int setting_read_indexes(const struct setting_view *view, json_t **ret_value, struct err *err);
int setting_apply_indexes(const struct setting_view *view, const json_t *wanted, const json_t *found,
                          struct err *err);
int setting_read_billing(const struct setting_view *view, json_t **ret_value, struct err *err);
int setting_apply_billing(const struct setting_view *view, const json_t *wanted, const json_t *found,
                          struct err *err);
int setting_read_maximum(const struct setting_view *view, json_t **ret_value, struct err *err);
int setting_apply_maximum(const struct setting_view *view, const json_t *wanted, const json_t *found,
                          struct err *err);
int setting_read_autoscaling(const struct setting_view *view, json_t **ret_value, struct err *err);
int setting_apply_autoscaling(const struct setting_view *view, const json_t *wanted, const json_t *found,
                              struct err *err);
int setting_read_insights(const struct setting_view *view, json_t **ret_value, struct err *err);
int setting_apply_insights(const struct setting_view *view, const json_t *wanted, const json_t *found,
                           struct err *err);
int setting_read_mappings(const struct setting_view *view, json_t **ret_value, struct err *err);
int setting_apply_mappings(const struct setting_view *view, const json_t *wanted, const json_t *found,
                           struct err *err);
int setting_read_kinesis(const struct setting_view *view, json_t **ret_value, struct err *err);
int setting_apply_kinesis(const struct setting_view *view, const json_t *wanted, const json_t *found,
                          struct err *err);
int setting_read_alarms(const struct setting_view *view, json_t **ret_value, struct err *err);
int setting_apply_alarms(const struct setting_view *view, const json_t *wanted, const json_t *found,
                         struct err *err);

/* -- what those files share -- */

/* Hands `value` over, NULL being "no memory". */
int setting_value(json_t *value, json_t **ret_value, struct err *err);
/* Orders an array of objects by the text of `name`. */
int setting_sort(json_t *array, const char *name, struct err *err);
/* Takes `request` (NULL: no memory) and sends UpdateTable. */
int setting_update(const struct setting_view *view, json_t *request, struct err *err);
/* CreateTable's or UpdateTable's form of a global or local index; the caller's, NULL without memory. */
json_t *setting_index_request(const json_t *index);
/* Adds {AttributeName, AttributeType} of the keys of a table or index to definitions, once each. */
int setting_add_attributes(json_t *definitions, const json_t *keys, struct err *err);
/* KeySchema of a table or index. */
json_t *setting_key_schema(const json_t *keys);
