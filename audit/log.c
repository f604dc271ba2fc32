#include "audit/log.h"

#include "audit/chain.h"
#include "base/clock.h"
#include "base/cleanup.h"

struct audit_entry audit_entry_by(const struct principal *principal, enum audit_action action,
                                  const char *outcome)
{
    struct audit_entry entry = {.action = action, .outcome = outcome, .actor = "recoverd"};

    if (principal) {
        entry.actor = principal->identity;
        entry.issuer = principal->issuer;
        entry.address = principal->address;
    }
    return entry;
}

static struct audit_row row_of(const struct audit_entry *entry, const char *node)
{
    const struct audit_action_info *info = audit_action_info(entry->action);

    return (struct audit_row){.ts_ms = clock_wall_ms(),
                              .node = node,
                              .actor = entry->actor,
                              .issuer = entry->issuer,
                              .action = info ? info->word : NULL,
                              .object = entry->object,
                              .environment = entry->environment,
                              .outcome = entry->outcome,
                              .request_id = entry->request_id,
                              .job_id = entry->job_id,
                              .plan_hash = entry->plan_hash,
                              .aws_request_id = entry->aws_request_id,
                              .address = entry->address,
                              .detail = entry->detail};
}

static struct audit_record record_of(const struct audit_row *row)
{
    struct audit_record record = {.node = row->node,
                                  .seq = row->seq,
                                  .at = row->ts_ms,
                                  .actor = row->actor,
                                  .issuer = row->issuer,
                                  .action = row->action,
                                  .object = row->object,
                                  .environment = row->environment,
                                  .outcome = row->outcome,
                                  .request_id = row->request_id,
                                  .job_id = row->job_id,
                                  .plan_hash = row->plan_hash,
                                  .aws_request_id = row->aws_request_id,
                                  .address = row->address,
                                  .detail = bytes_of(row->detail)};

    memcpy(record.prev_hash.bytes, row->prev_hash, AUDIT_HASH_SIZE);
    memcpy(record.hash.bytes, row->hash, AUDIT_HASH_SIZE);
    return record;
}

/* The stored frontier with the row's hash in it, packed. Where it does not count the rows that the chain has,
 * rows are gone from the end: to go on would number new ones like them and hide it. */
static int next_frontier(const struct audit_head *head, const uint8_t *row_hash,
                         uint8_t packed[AUDIT_FRONTIER_BYTES], struct bytes *ret_packed, struct err *err)
{
    struct audit_frontier frontier;

    audit_frontier_init(&frontier);
    if (head->frontier.data && audit_frontier_unpack(head->frontier, &frontier, err) < 0)
        return -1;
    if (frontier.size != (uint64_t)head->seq)
        return err_set(err, ERR_STORE_CORRUPT, "the audit trail ends at row %lld, and has had %llu rows",
                       (long long)head->seq, (unsigned long long)frontier.size);
    if (audit_frontier_add(&frontier, row_hash, err) < 0)
        return -1;
    *ret_packed = (struct bytes){(const char *)packed, audit_frontier_pack(&frontier, packed)};
    return 0;
}

static int append(struct tx *tx, struct audit_row *row, struct arena *arena, struct err *err)
{
    uint8_t packed[AUDIT_FRONTIER_BYTES];
    struct audit_record record;
    struct audit_head head;
    struct bytes frontier;

    if (tx_audit_head(tx, row->node, arena, &head, err) < 0)
        return -1;
    row->seq = head.seq + 1;
    memcpy(row->prev_hash, head.hash.bytes, AUDIT_HASH_SIZE);
    if (audit_row_hash(row, row->hash, err) < 0 || audit_row_sound(row, err) < 0 ||
        next_frontier(&head, row->hash, packed, &frontier, err) < 0)
        return -1;
    record = record_of(row);
    return tx_audit_insert(tx, &record, frontier, err);
}

int tx_audit(struct tx *tx, const char *node, const struct audit_entry *entry, struct err *err)
{
    _cleanup_(arena_free_p) struct arena *arena = arena_new(4 * KIB);
    struct audit_row row = row_of(entry, node);

    if (!arena)
        return err_set(err, ERR_NO_MEMORY, "no memory for an audit row");
    return append(tx, &row, arena, err);
}
