/*
 * Writes items to a table by BatchWriteItem: batches of at most 25 with no key twice (AWS refuses the whole
 * batch otherwise), what comes back as UnprocessedItems is sent again and slows the writer down, what it
 * costs is taken from the table's rate. Puts are repeatable, so a part that ran before may run again. Memory:
 * a batch and its copy in the request, at most PAGE_MAX together; taken from the workers' budget while it is
 * sent. One attempt's.
 */
#pragma once
#include "aws/dynamodb.h"
#include "engine/work.h"

struct table_load;

struct table_load_options {
    struct work *work;
    const char *table;
    const struct dynamodb_key *key;
    int64_t units_per_second; /* 0: no cap */
    const char *ttl;          /* look whether items have expired by this attribute; NULL: do not */
};
int table_load_new(const struct table_load_options *options, struct table_load **ret_load, struct err *err);
/* Another cap from now on. */
void table_load_cap(struct table_load *load, int64_t units_per_second);
void table_load_free(struct table_load *load); /* accepts NULL; what was not flushed is forgotten */
/* Copies the item. AWS_*, ITEM_INVALID (a key is missing; never with the item). */
int table_load_add(struct table_load *load, struct bytes item, struct err *err);
/* When it returns 0, everything that was added is in the table. */
int table_load_flush(struct table_load *load, struct err *err);

struct table_load_sums {
    int64_t items, bytes; /* flushed */
    bool expired;         /* an item was added that TTL would delete at once */
};
struct table_load_sums table_load_sums(const struct table_load *load);

static inline void table_load_free_p(struct table_load **load)
{
    table_load_free(*load);
}

/* Would DynamoDB delete an item whose TTL attribute holds this value ({"N":"..."}) at `now`? Not when it is
 * no number of seconds, in the future, or more than five years old (Developer Guide, "Using time to live").
 */
bool table_load_expired(struct bytes value, int64_t now_s);
