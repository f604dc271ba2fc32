#include "jobs/table_load.h"

#include "base/cleanup.h"
#include "item/keys.h"
#include "item/scan.h"

#define BATCH_ITEMS 25
#define BATCH_BYTES ((size_t)(PAGE_MAX / 4))
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 20000
#define STUCK_TRIES 14 /* without one item taken: about two minutes */
#define FIVE_YEARS_S (5LL * 365 * 86400)

struct table_load {
    struct table_load_options options;
    struct item_key_names keys, ttl;
    struct item_scratch *scratch;
    struct buffer text, key;
    size_t at[BATCH_ITEMS], len[BATCH_ITEMS];
    uint32_t marks[BATCH_ITEMS]; /* of the keys: two items with one mark go into two batches */
    size_t count;
    struct table_load_sums sums;
};

int table_load_new(const struct table_load_options *options, struct table_load **ret_load, struct err *err)
{
    struct table_load *load = calloc(1, sizeof(*load));

    if (!load)
        return err_set(err, ERR_NO_MEMORY, "no memory to write to table %s", options->table);
    load->options = *options;
    load->keys =
        (struct item_key_names){{options->key->hash, options->key->range}, options->key->range ? 2 : 1};
    load->ttl = (struct item_key_names){{options->ttl, NULL}, 1};
    load->text = BUFFER_INIT(BATCH_BYTES + (size_t)ITEM_WIRE_MAX);
    load->text.secret = true;
    load->key = BUFFER_INIT(ITEM_KEY_OBJECT_MAX);
    load->scratch = item_scratch_new(err);
    if (!load->scratch) {
        table_load_free(load);
        return -1;
    }
    *ret_load = load;
    return 0;
}

void table_load_cap(struct table_load *load, int64_t units_per_second)
{
    load->options.units_per_second = units_per_second;
}

void table_load_free(struct table_load *load)
{
    if (!load)
        return;
    buffer_done(&load->text);
    buffer_done(&load->key);
    item_scratch_free(load->scratch);
    free(load);
}

struct table_load_sums table_load_sums(const struct table_load *load)
{
    return load->sums;
}

/* -- sending -- */

static int64_t backoff_ms(int tries)
{
    int64_t ceiling = BACKOFF_FIRST_MS;
    uint32_t random;

    for (int i = 0; i < tries && ceiling < BACKOFF_MAX_MS; i++)
        ceiling *= 2;
    if (ceiling > BACKOFF_MAX_MS)
        ceiling = BACKOFF_MAX_MS;
    random_bytes(&random, sizeof(random));
    return 1 + (int64_t)((double)ceiling * random / UINT32_MAX);
}

/* Sends once; the items that came back stay at the front. -1 or how many those are. */
static long send_once(struct table_load *load, struct bytes *items, size_t count, struct err *err)
{
    const struct table_load_options *o = &load->options;
    bool back[BATCH_ITEMS] = {false};
    double units = 0;
    long left;
    size_t kept = 0;

    left = dynamodb_batch_put(o->work->aws, o->table, items, count, back, &units, err);
    if (left < 0)
        return -1;
    if (work_rate_take(o->work, o->table, true, units, (double)o->units_per_second, err) < 0)
        return -1;
    for (size_t i = 0; left > 0 && i < count; i++)
        if (back[i])
            items[kept++] = items[i];
    return (long)kept;
}

/* Until nothing comes back. */
static int send_all(struct table_load *load, struct bytes *items, size_t count, struct err *err)
{
    struct work *work = load->options.work;
    int tries = 0;

    while (count > 0) {
        long left = work_go(work, err) < 0 ? -1 : send_once(load, items, count, err);

        if (left < 0)
            return -1;
        tries = (size_t)left < count ? 0 : tries + 1;
        count = (size_t)left;
        if (tries > STUCK_TRIES)
            return err_set(err, ERR_AWS_THROTTLED, "BatchWriteItem %s takes no item any more",
                           load->options.table);
        if (count > 0 && work_sleep(work, backoff_ms(tries), err) < 0)
            return -1;
    }
    return 0;
}

int table_load_flush(struct table_load *load, struct err *err)
{
    struct work *work = load->options.work;
    struct bytes items[BATCH_ITEMS];
    int64_t memory = 2 * (int64_t)load->text.len; /* the batch, and its copy in the request */
    int result;

    if (load->count == 0)
        return 0;
    for (size_t i = 0; i < load->count; i++)
        items[i] = (struct bytes){load->text.data + load->at[i], load->len[i]};
    /* Taken only while sending, so that no writer holds some while it waits for more. */
    if (work_memory_take(work, memory, err) < 0)
        return -1;
    result = send_all(load, items, load->count, err);
    work_memory_give(work, memory);
    if (result < 0)
        return -1;
    load->sums.items += (int64_t)load->count;
    load->sums.bytes += (int64_t)load->text.len;
    work_progress(work, (int64_t)load->count, (int64_t)load->text.len);
    load->count = 0;
    buffer_clear(&load->text);
    return 0;
}

/* -- gathering -- */

bool table_load_expired(struct bytes value, int64_t now_s)
{
    struct scan scan = scan_of(value);
    struct bytes name, inner;
    int64_t seconds;
    const char *end;

    if (!scan_take(&scan, '{') || scan_member(&scan, true, &name) != 1 || !bytes_is(name, "N") ||
        !scan_string(&scan, &inner))
        return false;
    end = inner.len ? memchr(inner.data, '.', inner.len) : NULL;
    if (end)
        inner.len = (size_t)(end - inner.data);
    return int_parse(inner, &seconds) && seconds < now_s && seconds > now_s - FIVE_YEARS_S;
}

static void look_at_ttl(struct table_load *load, struct bytes item)
{
    struct bytes value[ITEM_KEYS_MAX];
    struct err ignored = ERR_INIT; /* an item without the attribute never expires */

    if (!load->options.ttl || load->sums.expired || item_keys_find(item, &load->ttl, value, &ignored) < 0)
        return;
    load->sums.expired = table_load_expired(value[0], aws_now_ms(load->options.work->aws->aws) / 1000);
}

static bool has_mark(const struct table_load *load, uint32_t mark)
{
    for (size_t i = 0; i < load->count; i++)
        if (load->marks[i] == mark)
            return true;
    return false;
}

int table_load_add(struct table_load *load, struct bytes item, struct err *err)
{
    uint32_t mark;

    if (item_keys_mark(load->scratch, item, &load->keys, &load->key, &mark, err) < 0)
        return -1;
    if ((load->count == BATCH_ITEMS || load->text.len + item.len > BATCH_BYTES || has_mark(load, mark)) &&
        table_load_flush(load, err) < 0)
        return -1;
    look_at_ttl(load, item);
    load->at[load->count] = load->text.len;
    load->len[load->count] = item.len;
    load->marks[load->count] = mark;
    buffer_add_bytes(&load->text, item);
    load->count++;
    return buffer_ok(&load->text, "a batch of items", err);
}
