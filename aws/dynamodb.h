/*
 * DynamoDB, API version 2012-08-10: one small function an operation, single calls (waiting is the caller's).
 * Items, keys and cursors go in and out as raw bytes of JSON, never as a DOM: LastEvaluatedKey is sent back
 * as it came. Requests about a table whose answers are small give the answer parsed by jansson; the caller
 * owns it (json_auto_t). Errors: as aws_send. An operation that a peer does not know is AWS_UNSUPPORTED; a
 * table that is not there AWS_NOT_FOUND; one that is being changed, or exists already, AWS_CONFLICT; too many
 * table operations AWS_LIMIT. Table names may be ARNs. Thread rule: as the session. Source: botocore's model
 * of dynamodb, 1.44.5.
 */
#pragma once
#include "aws/call.h"
#include "base/arena.h"
#include "base/json.h"

/* -- tables -- */

struct dynamodb_key {
    const char *hash;  /* attribute names */
    char hash_type;    /* S, N, B */
    const char *range; /* NULL without */
    char range_type;
};

struct dynamodb_index {
    const char *name;
    const char *arn;
    const char *status; /* "" for a local one */
    bool backfilling;
    bool global;
    struct dynamodb_key key;
    int64_t items;
    int64_t bytes;
};

struct dynamodb_table {
    const char *name;
    const char *arn;
    const char *table_id; /* NULL: this peer has none */
    const char *status;   /* ACTIVE, CREATING ... */
    int64_t created_ms;
    struct dynamodb_key key;
    int64_t items;
    int64_t bytes;
    bool on_demand;
    int64_t read_units, write_units;         /* provisioned; 0 on demand */
    int64_t max_read_units, max_write_units; /* on demand; -1: no maximum */
    struct dynamodb_index *indexes;
    size_t index_count;
    bool stream_enabled;
    const char *stream_view; /* NULL without a stream */
    const char *stream_arn;
    const char *sse_status; /* NULL: AWS's own key */
    const char *sse_type;   /* KMS, AES256 */
    const char *sse_key;
    const char *table_class; /* STANDARD when the answer is silent */
    bool deletion_protection;
    const json_t *raw; /* the whole Table member; lives as long as the arena */
};

/* Everything in arena. AWS_LIED when the answer has no name, status or key. */
int dynamodb_describe_table(struct aws_session *session, const char *table, struct arena *arena,
                            struct dynamodb_table *ret_table, struct err *err);
/* The same from a Table member that came another way (CreateTable, a capsule). `raw` is borrowed: the caller
 * keeps it. */
int dynamodb_read_table(const json_t *raw, struct arena *arena, struct dynamodb_table *ret_table,
                        struct err *err);
/* request: the operation's whole input. ret_effect_unknown (may be NULL) is set with an error: look before
 * repeating. */
int dynamodb_create_table(struct aws_session *session, const json_t *request, bool *ret_effect_unknown,
                          struct err *err);
int dynamodb_update_table(struct aws_session *session, const json_t *request, struct err *err);
int dynamodb_delete_table(struct aws_session *session, const char *table, struct err *err);
/* One page; names in arena. *start (NULL first) becomes the next page's, NULL at the end. */
int dynamodb_list_tables(struct aws_session *session, struct arena *arena, const char **start,
                         const char ***ret_names, size_t *ret_count, struct err *err);
/* The same in another region of the account; NULL: the environment's. */
int dynamodb_list_tables_in(struct aws_session *session, const char *region, struct arena *arena,
                            const char **start, const char ***ret_names, size_t *ret_count, struct err *err);
/* Those that the environment lists by name or glob, over all pages, at most `max`. In arena. Filled
 * also on failure, as far as it came. */
int dynamodb_tables_of(struct aws_session *session, const struct environment *environment, size_t max,
                       struct arena *arena, struct name_list *ret_tables, struct err *err);

/* -- data -- */

struct dynamodb_scan {
    const char *table;
    int segment;
    int total_segments;     /* 0 or 1: whole */
    struct bytes start_key; /* raw JSON object; len 0: from the beginning */
    int limit;              /* 0: AWS's */
    bool consistent;
    const char *select; /* COUNT; NULL: everything */
};
/* The whole answer stays in reply->answer.body: Items, Count, ScannedCount, LastEvaluatedKey,
 * ConsumedCapacity. */
int dynamodb_scan(struct aws_session *session, const struct dynamodb_scan *scan, struct aws_reply *reply,
                  struct err *err);

/* items: raw JSON objects (attribute maps), at most 25. Puts are idempotent, so it is retried; the answer is
 * kept in no part of it. ret_unprocessed (count flags, may be NULL) says which items came back as
 * UnprocessedItems. Returns their number, or -1; AWS_LIED when the answer does not say, or when something
 * comes back that was not sent, or twice. */
long dynamodb_batch_put(struct aws_session *session, const char *table, const struct bytes *items,
                        size_t count, bool *ret_unprocessed, double *ret_units, struct err *err);
/* Put only where no item has the key: AWS_CONDITION when there is one. condition_key: the hash key's
 * attribute name; NULL: unconditionally. ret_effect_unknown (may be NULL): a condition failed after an
 * attempt whose fate is unknown. */
int dynamodb_put_item(struct aws_session *session, const char *table, struct bytes item,
                      const char *condition_key, bool *ret_effect_unknown, double *ret_units,
                      struct err *err);
/* keys: raw JSON objects, at most 100. The answer (Responses, UnprocessedKeys) stays in reply->answer.body.
 */
int dynamodb_batch_get(struct aws_session *session, const char *table, const struct bytes *keys, size_t count,
                       bool consistent, struct aws_reply *reply, struct err *err);
/* ConsumedCapacity of an answer, summed over tables; 0 without. */
double dynamodb_consumed(struct bytes answer);

/* -- settings -- */

/* ret_attribute: in arena, NULL unless ENABLED or ENABLING; ret_status may be NULL. */
int dynamodb_describe_ttl(struct aws_session *session, const char *table, struct arena *arena,
                          const char **ret_status, const char **ret_attribute, struct err *err);
int dynamodb_update_ttl(struct aws_session *session, const char *table, const char *attribute, bool enabled,
                        struct err *err);

struct dynamodb_pitr {
    bool enabled;
    int64_t period_days; /* 0: the answer is silent */
    int64_t earliest_ms; /* 0 without */
    int64_t latest_ms;
};
int dynamodb_describe_pitr(struct aws_session *session, const char *table, struct dynamodb_pitr *ret_pitr,
                           struct err *err);
int dynamodb_update_pitr(struct aws_session *session, const char *table, bool enabled, int64_t period_days,
                         struct err *err);

/* All pages: an array of {Key, Value}. AWS's own (aws:...) are left out. */
int dynamodb_list_tags(struct aws_session *session, const char *arn, json_t **ret_tags, struct err *err);
int dynamodb_tag(struct aws_session *session, const char *arn, const json_t *tags, struct err *err);
/* NULL policy: there is none. In arena. */
int dynamodb_get_policy(struct aws_session *session, const char *arn, struct arena *arena,
                        const char **ret_policy, struct err *err);
int dynamodb_put_policy(struct aws_session *session, const char *arn, const char *policy, struct err *err);
/* index NULL: the table. The answer: ContributorInsightsStatus, ContributorInsightsMode ... */
int dynamodb_describe_insights(struct aws_session *session, const char *table, const char *index,
                               json_t **ret_answer, struct err *err);
int dynamodb_update_insights(struct aws_session *session, const char *table, const char *index, bool enable,
                             const char *mode, struct err *err);
/* Array of {StreamArn, DestinationStatus, ApproximateCreationDateTimePrecision}. */
int dynamodb_describe_kinesis(struct aws_session *session, const char *table, json_t **ret_destinations,
                              struct err *err);
int dynamodb_enable_kinesis(struct aws_session *session, const char *table, const char *stream_arn,
                            const char *precision, struct err *err);
