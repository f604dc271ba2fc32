#include "audit/chain.h"

#include <openssl/evp.h>

#include "audit/actions.h"
#include "base/cleanup.h"
#include "base/json.h"

#define ABSENT UINT32_MAX
#define DATE_MAX_MS 253402300799999LL /* 9999-12-31T23:59:59.999Z */

static void cleanup_md(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static const struct field_row {
    const char *name;
    size_t offset;
    bool required;
} fields[] = {
#define ROW(name, required) {#name, offsetof(struct audit_row, name), required},
    AUDIT_FIELDS(ROW)
#undef ROW
};

static const char *field_of(const struct audit_row *row, const struct field_row *field)
{
    return *(const char *const *)((const char *)row + field->offset);
}

static bool add_be(EVP_MD_CTX *context, uint64_t value, size_t size)
{
    uint8_t data[8];

    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    return EVP_DigestUpdate(context, data, size) == 1;
}

static bool add_field(EVP_MD_CTX *context, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    return add_be(context, text ? len : ABSENT, 4) && EVP_DigestUpdate(context, text, len) == 1;
}

int audit_row_hash(const struct audit_row *row, uint8_t ret_hash[AUDIT_HASH_SIZE], struct err *err)
{
    static const char domain[] = "audit/v1"; /* with its NUL */
    _cleanup_(cleanup_md) EVP_MD_CTX *context = EVP_MD_CTX_new();

    bool ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(context, domain, sizeof(domain)) == 1 &&
              add_be(context, (uint64_t)row->seq, 8) && add_be(context, (uint64_t)row->ts_ms, 8);
    for (size_t i = 0; ok && i < COUNT_OF(fields); i++)
        ok = add_field(context, field_of(row, &fields[i]));
    ok = ok && EVP_DigestUpdate(context, row->prev_hash, AUDIT_HASH_SIZE) == 1 &&
         EVP_DigestFinal_ex(context, ret_hash, NULL) == 1;
    return ok ? 0 : err_set(err, ERR_INTERNAL, "an audit row could not be hashed");
}

static int field_sound(const struct field_row *field, const char *text, struct err *err)
{
    struct bytes bytes = bytes_of(text);

    if (!text)
        return field->required ? err_set(err, ERR_INTERNAL, "an audit row without %s", field->name) : 0;
    if (bytes.len > AUDIT_FIELD_MAX)
        return err_set(err, ERR_INTERNAL, "an audit row's %s has %zu bytes", field->name, bytes.len);
    if (utf8_valid_until(bytes) != bytes.len)
        return err_set(err, ERR_INTERNAL, "an audit row's %s is not UTF-8", field->name);
    return 0;
}

int audit_row_sound(const struct audit_row *row, struct err *err)
{
    static const struct json_limits limits = {.max_depth = 32, .allow_duplicates = false};

    if (row->seq < 1 || row->ts_ms < 0 || row->ts_ms > DATE_MAX_MS)
        return err_set(err, ERR_INTERNAL, "an audit row with a bad seq or time");
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (field_sound(&fields[i], field_of(row, &fields[i]), err) < 0)
            return -1;
    if (!audit_outcome_fits(row->action, row->outcome))
        return err_set(err, ERR_INTERNAL, "no audit action %s has the outcome %s", row->action, row->outcome);
    if (row->detail && (row->detail[0] != '{' || json_check(bytes_of(row->detail), &limits, err) < 0)) {
        err_clear(err); /* a fault of the caller, not of a request's body */
        return err_set(err, ERR_INTERNAL, "the detail of an audit row %s is not a JSON object", row->action);
    }
    return 0;
}

/* -- verification -- */

void audit_check_begin(struct audit_check *check, const char *node)
{
    *check = (struct audit_check){.node = node, .next_seq = 1};
}

void audit_check_begin_after(struct audit_check *check, const char *node, int64_t seq,
                             const uint8_t hash[AUDIT_HASH_SIZE])
{
    *check = (struct audit_check){.node = node, .next_seq = seq + 1};
    memcpy(check->last_hash, hash, AUDIT_HASH_SIZE);
}

void audit_check_begin_part(struct audit_check *check)
{
    *check = (struct audit_check){.next_seq = 1, .trust_first = true};
}

static const char *fault_text(enum audit_fault fault)
{
    static const char *const texts[] = {
        [AUDIT_SOUND] = "is sound",
        [AUDIT_FAULT_NODE] = "is of another node",
        [AUDIT_FAULT_GAP] = "comes after rows that are missing",
        [AUDIT_FAULT_REPEATED] = "stands twice or out of order",
        [AUDIT_FAULT_LINK] = "does not link to the row before it",
        [AUDIT_FAULT_HASH] = "does not have the hash of its content",
        [AUDIT_FAULT_HEAD] = "is not the end that was expected",
    };
    return texts[fault];
}

static int report(const struct audit_check *check, struct err *err)
{
    return err_set(err, ERR_MISMATCH, "audit row %s/%lld %s", check->node ? check->node : "?",
                   (long long)check->fault_seq, fault_text(check->fault));
}

static enum audit_fault judge(const struct audit_check *check, const struct audit_row *row,
                              const uint8_t *hash)
{
    if (check->node && !str_is(check->node, row->node))
        return AUDIT_FAULT_NODE;
    if (row->seq != check->next_seq)
        return row->seq > check->next_seq ? AUDIT_FAULT_GAP : AUDIT_FAULT_REPEATED;
    if (memcmp(row->prev_hash, check->last_hash, AUDIT_HASH_SIZE) != 0)
        return AUDIT_FAULT_LINK;
    return memcmp(row->hash, hash, AUDIT_HASH_SIZE) != 0 ? AUDIT_FAULT_HASH : AUDIT_SOUND;
}

int audit_check_row(struct audit_check *check, const struct audit_row *row, struct err *err)
{
    uint8_t hash[AUDIT_HASH_SIZE];

    if (check->fault != AUDIT_SOUND)
        return report(check, err);
    if (audit_row_hash(row, hash, err) < 0)
        return -1;
    if (!check->node)
        check->node = row->node;
    /* row 1 has nothing before it, also in a part */
    if (check->trust_first && row->seq > 1) {
        check->next_seq = row->seq;
        memcpy(check->last_hash, row->prev_hash, AUDIT_HASH_SIZE);
    }
    check->trust_first = false;
    check->fault = judge(check, row, hash);
    if (check->fault != AUDIT_SOUND) {
        check->fault_seq = row->seq;
        return report(check, err);
    }
    memcpy(check->last_hash, hash, AUDIT_HASH_SIZE);
    check->next_seq++;
    check->rows++;
    return 0;
}

int audit_check_head(struct audit_check *check, int64_t seq, const uint8_t hash[AUDIT_HASH_SIZE],
                     struct err *err)
{
    if (check->fault == AUDIT_SOUND &&
        (check->next_seq != seq + 1 || memcmp(check->last_hash, hash, AUDIT_HASH_SIZE) != 0)) {
        check->fault = AUDIT_FAULT_HEAD;
        check->fault_seq = check->next_seq - 1;
    }
    return check->fault == AUDIT_SOUND ? 0 : report(check, err);
}
