#include "jobs/table_make.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "jobs/capsule.h"
#include "jobs/settings.h"
#include "store/plans.h"

#define STATE "table"
#define LOOK_MS 1500
#define PATIENCE_MS (3600LL * 1000) /* an empty table is made in seconds, with many indexes in minutes */
/* What CreateTable has said yes to may not show at once: neither DescribeTable nor ListTagsOfResource reads
 * consistently (Amazon DynamoDB API Reference, DescribeTable and TagResource). */
#define APPEAR_MS 30000
#define CLOCK_SLACK_MS 2000 /* CreationDateTime may be in whole seconds */

/* -- the request -- */

static bool taken(const struct table_make *make, const char *setting)
{
    return capsule_value(make->capsule, setting) && !(make->skipped && make->skipped(make->arg, setting));
}

static int put_indexes(json_t *request, const json_t *indexes, struct err *err)
{
    json_t *definitions = json_object_get(request, "AttributeDefinitions");
    const json_t *index;
    size_t i;

    json_array_foreach(indexes, i, index) {
        bool local = str_is(json_get_text(index, "type"), "local");
        const char *member = local ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes";

        if (!json_object_get(request, member))
            json_object_set_new(request, member, json_array());
        if (setting_add_attributes(definitions, index, err) < 0)
            return -1;
        if (!json_get_text(index, "name") || !json_get_text(index, "hash"))
            return err_set(err, ERR_RECOVERY_POINT_DAMAGED, "an index of the capsule cannot be read");
        if (json_array_append_new(json_object_get(request, member), setting_index_request(index)) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for an index");
    }
    return 0;
}

static void put_rest(json_t *request, const struct table_make *make)
{
    const json_t *sse = taken(make, "sse") ? capsule_value(make->capsule, "sse") : NULL;
    const char *class =
        taken(make, "table_class") ? json_string_value(capsule_value(make->capsule, "table_class")) : NULL;
    json_t *tags = json_object_get(request, "Tags");
    json_t *value;
    const char *key;

    if (class && !str_is(class, "STANDARD"))
        json_object_set_new(request, "TableClass", json_string(class));
    if (json_is_object(sse))
        json_object_set_new(request, "SSESpecification",
                            json_pack("{s:b,s:s*,s:s*}", "Enabled", 1, "SSEType", json_get_text(sse, "type"),
                                      "KMSMasterKeyId", json_get_text(sse, "key")));
    if (taken(make, "tags"))
        json_object_foreach((json_t *)(uintptr_t)capsule_value(make->capsule, "tags"), key, value)
            json_array_append_new(tags, json_pack("{s:s,s:O}", "Key", key, "Value", value));
}

int table_make_request(const struct table_make *make, const char *origin, json_t **ret_request,
                       struct err *err)
{
    const json_t *keys = capsule_value(make->capsule, "key_schema");
    json_auto_t *request = NULL;
    struct dynamodb_key key;

    if (capsule_key(make->capsule, &key, err) < 0)
        return -1;
    request = json_pack("{s:s,s:s,s:[],s:o,s:[{s:s,s:s}]}", "TableName", make->name, "BillingMode",
                        "PAY_PER_REQUEST", "AttributeDefinitions", "KeySchema", setting_key_schema(keys),
                        "Tags", "Key", TABLE_TAG, "Value", origin);
    if (!request)
        return err_set(err, ERR_NO_MEMORY, "no memory to create table %s", make->name);
    if (setting_add_attributes(json_object_get(request, "AttributeDefinitions"), keys, err) < 0)
        return -1;
    if (taken(make, "indexes") && put_indexes(request, capsule_value(make->capsule, "indexes"), err) < 0)
        return -1;
    put_rest(request, make);
    *ret_request = TAKE(request);
    return 0;
}

/* -- whose is it -- */

bool table_ready(const struct dynamodb_table *table)
{
    if (!str_is(table->status, "ACTIVE"))
        return false;
    for (size_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].global &&
            (table->indexes[i].backfilling ||
             (table->indexes[i].status[0] && !str_is(table->indexes[i].status, "ACTIVE"))))
            return false;
    return true;
}

bool table_usable(const struct dynamodb_table *table)
{
    return str_is(table->status, "ACTIVE") || str_is(table->status, "UPDATING");
}

static json_t *key_json(const struct dynamodb_key *key)
{
    char types[3] = {key->hash_type, key->range ? key->range_type : 0, 0};

    return json_pack("{s:s,s:s*,s:s}", "hash", key->hash, "range", key->range, "types", types);
}

json_t *table_identity(const struct dynamodb_table *table)
{
    json_t *identity = json_pack("{s:s*,s:o}", "arn", table->arn, "keys", key_json(&table->key));

    if (identity && table->table_id)
        json_object_set_new(identity, "table_id", json_string(table->table_id));
    else if (identity)
        json_object_set_new(identity, "created_at", json_integer(table->created_ms));
    return identity;
}

bool table_same(const json_t *state, const struct dynamodb_table *table)
{
    const char *id = json_get_text(state, "table_id");

    if (id && table->table_id)
        return str_is(id, table->table_id);
    return json_get_int(state, "created_at", -1) == table->created_ms;
}

enum tag { TAG_OURS, TAG_ANOTHER, TAG_UNREADABLE };

/* By these codes a peer, or a policy, says that tags are not to be read. All others may go away. */
static bool hides_tags(enum err_code code)
{
    return code == ERR_AWS_UNSUPPORTED || code == ERR_AWS_ACCESS_DENIED || code == ERR_AWS_REFUSED ||
           code == ERR_AWS_NOT_FOUND;
}

static int read_tag(struct aws_session *aws, const struct dynamodb_table *table, const char *origin,
                    enum tag *ret_tag, struct err *err)
{
    json_auto_t *tags = NULL;
    struct err failed = ERR_INIT;
    const json_t *tag;
    size_t i;

    *ret_tag = TAG_UNREADABLE;
    if (!table->arn)
        return 0;
    if (dynamodb_list_tags(aws, table->arn, &tags, &failed) < 0) {
        if (hides_tags(failed.code))
            return 0;
        *err = failed;
        return -1;
    }
    *ret_tag = TAG_ANOTHER;
    json_array_foreach(tags, i, tag)
        if (str_is(json_get_text(tag, "Key"), TABLE_TAG) && str_is(json_get_text(tag, "Value"), origin))
            *ret_tag = TAG_OURS;
    return 0;
}

/* Made after we asked, with the keys that we asked for. */
static bool fits_intent(const json_t *state, const struct dynamodb_table *table)
{
    int64_t intent_at = json_get_int(state, "intent_at", 0);
    json_auto_t *keys = key_json(&table->key);

    return intent_at > 0 && table->created_ms + CLOCK_SLACK_MS >= intent_at &&
           json_equal(keys, json_object_get(state, "keys"));
}

int table_is_made(struct aws_session *aws, const json_t *state, const char *origin,
                  const struct dynamodb_table *table, bool *ret_made, struct err *err)
{
    enum tag tag;

    *ret_made = false;
    if (!state || !str_is(json_get_text(state, "name"), table->name))
        return 0;
    if (json_get_bool(state, "made", false)) {
        *ret_made = table_same(state, table);
        return 0;
    }
    if (read_tag(aws, table, origin, &tag, err) < 0)
        return -1;
    *ret_made = tag == TAG_OURS || (tag == TAG_UNREADABLE && fits_intent(state, table));
    return 0;
}

const char *table_object(struct work *work, const char *table)
{
    const char *account = work->environment->account ? work->environment->account : "";
    const char *partition = aws_partition(work->environment->region);
    const char *object =
        arena_printf(work->arena, "arn:%s:dynamodb:%s:%s:table/%s", partition ? partition : "aws",
                     work->environment->region, account, table);

    return object ? object : table;
}

/* -- making -- */

/* 1: there, 0: not there, and *ret_table is empty. */
static int look(struct work *work, const char *name, struct dynamodb_table *ret_table, struct err *err)
{
    struct err failed = ERR_INIT;

    *ret_table = (struct dynamodb_table){0};
    if (dynamodb_describe_table(work->aws, name, work->arena, ret_table, &failed) == 0)
        return 1;
    if (failed.code == ERR_AWS_NOT_FOUND)
        return 0;
    *err = failed;
    return -1;
}

static int remember_tx(struct tx *tx, void *ctx, struct err *err)
{
    return tx_made_table_put(tx, ctx, err);
}

/* The table belongs to this environment from now on, and its identity to the job. */
static int remember(struct work *work, json_t *state, const struct dynamodb_table *table, struct err *err)
{
    struct made_table made = {.environment = work->environment->name,
                              .table = table->name,
                              .arn = table->arn ? table->arn : "",
                              .table_id = table->table_id,
                              .job = work->job->origin_id,
                              .created_at = clock_wall_ms()};

    json_object_set_new(state, "made", json_true());
    json_object_set_new(state, "created_at", json_integer(table->created_ms));
    if (table->arn)
        json_object_set_new(state, "arn", json_string(table->arn));
    if (table->table_id)
        json_object_set_new(state, "table_id", json_string(table->table_id));
    if (work_tx(work, "made table", remember_tx, &made, err) < 0)
        return -1;
    return work_state_put(work, STATE, state, err);
}

static const char *left(struct work *work, const char *name)
{
    const char *text = arena_printf(work->arena, "table %s", name);

    return text ? text : name;
}

/* What was certainly not made is not waited for, nor left behind. */
static int not_asked(struct work *work, const char *name, json_t *state, struct err *err)
{
    json_object_del(state, "asked_at");
    return work_state_put(work, STATE, state, err) < 0 ? -1
                                                       : work_not_left_behind(work, left(work, name), err);
}

static int send_create(struct work *work, const struct table_make *make, json_t *state, struct err *err)
{
    json_auto_t *request = NULL;
    struct err failed = ERR_INIT;
    struct effect effect = {.action = "dynamodb:CreateTable",
                            .object = table_object(work, make->name),
                            .name = STATE,
                            .state = state};
    bool unknown = false, first = !json_object_get(state, "asked_at");
    int result;

    if (first)
        json_object_set_new(state, "asked_at", json_integer(aws_now_ms(work->aws->aws)));
    if (table_make_request(make, work->origin, &request, err) < 0 ||
        work_left_behind(work, left(work, make->name), err) < 0 || work_intent(work, &effect, err) < 0)
        return -1;
    result = dynamodb_create_table(work->aws, request, &unknown, &failed);
    if (work_outcome(work, &effect, result < 0 ? &failed : NULL, NULL, err) < 0)
        return -1;
    if (result == 0 || failed.code == ERR_AWS_CONFLICT)
        return 0;
    if (first && !unknown && not_asked(work, make->name, state, err) < 0)
        return -1;
    *err = failed; /* what it did is looked at when the step runs again */
    return -1;
}

static int new_state(struct work *work, const struct table_make *make, json_t **ret_state, struct err *err)
{
    json_int_t now = aws_now_ms(work->aws->aws);
    struct dynamodb_key key;

    if (capsule_key(make->capsule, &key, err) < 0)
        return -1;
    *ret_state = json_pack("{s:s,s:I,s:o,s:s,s:I}", "name", make->name, "intent_at", now, "keys",
                           key_json(&key), "job", work->id, "since", now);
    return *ret_state ? 0 : err_set(err, ERR_NO_MEMORY, "no memory to create table %s", make->name);
}

static int foreign(const char *name, struct err *err)
{
    return err_set(err, ERR_TARGET_EXISTS, "table %s is there already, and this job did not make it", name);
}

/* A table that fits what was asked for, so young that its tags may not be there yet. */
static bool may_be_ours(struct work *work, const json_t *state, const struct dynamodb_table *table)
{
    return !json_get_bool(state, "made", false) && fits_intent(state, table) &&
           aws_now_ms(work->aws->aws) - table->created_ms < APPEAR_MS;
}

/* The table was asked for: find it, or ask again when it is not there. 1: it is there and ours; 0: not yet.
 */
static int find_or_create(struct work *work, const struct table_make *make, json_t *state,
                          struct dynamodb_table *ret_table, struct err *err)
{
    int there = look(work, make->name, ret_table, err);
    bool ours = false;

    if (there < 0 || (there && table_is_made(work->aws, state, work->origin, ret_table, &ours, err) < 0))
        return -1;
    if (there && !ours && may_be_ours(work, state, ret_table))
        return 0;
    if (there && !ours) {
        if (work_not_left_behind(work, left(work, make->name), err) < 0)
            return -1;
        return json_get_bool(state, "made", false)
                   ? err_set(err, ERR_TABLE_REPLACED, "table %s is another one than the job made", make->name)
                   : foreign(make->name, err);
    }
    if (there && !json_get_bool(state, "made", false))
        return remember(work, state, ret_table, err) < 0 ? -1 : 1;
    if (there)
        return 1;
    if (json_get_bool(state, "made", false))
        return err_set(err, ERR_TABLE_NOT_FOUND, "table %s, which the job made, is gone", make->name);
    return send_create(work, make, state, err) < 0 ? -1 : 0;
}

/* Each job has an hour of its own to wait: a retry may come days after the one that asked first. */
static int begin_wait(struct work *work, json_t *state, struct err *err)
{
    if (str_is(json_get_text(state, "job"), work->id))
        return 0;
    json_object_set_new(state, "job", json_string(work->id));
    json_object_set_new(state, "since", json_integer(aws_now_ms(work->aws->aws)));
    return work_state_put(work, STATE, state, err);
}

/* By AWS's clock, as the intent is. */
static int64_t waited_ms(struct work *work, const json_t *state)
{
    int64_t asked = json_get_int(state, "asked_at", 0), since = json_get_int(state, "since", 0);

    return aws_now_ms(work->aws->aws) - (asked > since ? asked : since);
}

static int look_again(struct work *work, const json_t *state, const struct dynamodb_table *table,
                      struct err *err)
{
    if (waited_ms(work, state) < PATIENCE_MS)
        return work_again(work, LOOK_MS, "aws");
    return err_set(err, ERR_TABLE_NOT_ACTIVE, "table %s is %s, an hour after it was asked for",
                   json_get_text(state, "name"), table->status ? table->status : "not there");
}

int table_make(struct work *work, const struct table_make *make, struct dynamodb_table *ret_table,
               struct err *err)
{
    json_auto_t *state = NULL;
    int there;

    if (work_state_get(work, STATE, &state, err) < 0)
        return -1;
    if (!state) {
        there = look(work, make->name, ret_table, err);
        if (there != 0)
            return there < 0 ? -1 : foreign(make->name, err);
        if (new_state(work, make, &state, err) < 0 || send_create(work, make, state, err) < 0)
            return -1;
        return work_again(work, LOOK_MS / 3, "aws");
    }
    there = begin_wait(work, state, err) < 0 ? -1 : find_or_create(work, make, state, ret_table, err);
    if (there < 0)
        return -1;
    if (there == 0 || !table_ready(ret_table))
        return look_again(work, state, ret_table, err);
    return WORK_DONE;
}

int table_made(struct work *work, struct dynamodb_table *ret_table, struct err *err)
{
    json_auto_t *state = NULL;
    int there;

    if (work_state_get(work, STATE, &state, err) < 0)
        return -1;
    if (!state)
        return err_set(err, ERR_INTERNAL, "the job has not looked at its table yet");
    there = look(work, json_get_text(state, "name"), ret_table, err);
    if (there < 0)
        return -1;
    if (there == 0)
        return err_set(err, ERR_TABLE_NOT_FOUND, "table %s is gone", json_get_text(state, "name"));
    if (!table_same(state, ret_table))
        return err_set(err, ERR_TABLE_REPLACED, "table %s is another one than before",
                       json_get_text(state, "name"));
    return 0;
}

/* -- deleting -- */

struct forgetting {
    const char *environment, *table;
};

static int forget_tx(struct tx *tx, void *ctx, struct err *err)
{
    struct forgetting *f = ctx;

    return tx_made_table_forget(tx, f->environment, f->table, err);
}

static int gone(struct work *work, const char *name, struct err *err)
{
    struct forgetting f = {work->environment->name, name};

    if (work_tx(work, "forget table", forget_tx, &f, err) < 0)
        return -1;
    return work_not_left_behind(work, left(work, name), err) < 0 ? -1 : WORK_DONE;
}

static int send_delete(struct work *work, const char *name, struct err *err)
{
    struct effect effect = {.action = "dynamodb:DeleteTable", .object = table_object(work, name)};
    struct err failed = ERR_INIT;
    int result;

    if (work_intent(work, &effect, err) < 0)
        return -1;
    result = dynamodb_delete_table(work->aws, name, &failed);
    if (work_outcome(work, &effect, result < 0 ? &failed : NULL, NULL, err) < 0)
        return -1;
    if (result < 0 && failed.code != ERR_AWS_NOT_FOUND && failed.code != ERR_AWS_CONFLICT) {
        *err = failed;
        return -1;
    }
    return 0;
}

/* A table that was asked for a moment ago, and was never seen. */
static bool may_appear(struct work *work, const json_t *state)
{
    int64_t asked = json_get_int(state, "asked_at", 0);

    return asked > 0 && !json_get_bool(state, "made", false) &&
           aws_now_ms(work->aws->aws) - asked < APPEAR_MS;
}

int table_unmake(struct work *work, struct err *err)
{
    json_auto_t *state = NULL;
    struct dynamodb_table table;
    bool ours = false;
    const char *name;
    int there;

    if (work_state_get(work, STATE, &state, err) < 0)
        return -1;
    name = json_get_text(state, "name");
    if (!name)
        return WORK_DONE;
    there = look(work, name, &table, err);
    if (there < 0 || (there && table_is_made(work->aws, state, work->origin, &table, &ours, err) < 0))
        return -1;
    if (there ? !ours && may_be_ours(work, state, &table) : may_appear(work, state))
        return work_again(work, LOOK_MS, "aws");
    if (!ours) /* another one's is not ours to delete */
        return gone(work, name, err);
    if (clock_wall_ms() - work->step->started_at > PATIENCE_MS)
        return err_set(err, ERR_TABLE_NOT_ACTIVE, "table %s is %s, an hour after it was to be deleted", name,
                       table.status);
    if (str_is(table.status, "ACTIVE") && send_delete(work, name, err) < 0)
        return -1;
    return work_again(work, LOOK_MS, "aws"); /* also while it is CREATING: AWS refuses until it is done */
}
