#include "item/fingerprint.h"

#include <endian.h>

static void sum_add(unsigned char sum[SHA256_BYTES], const unsigned char other[SHA256_BYTES])
{
    uint64_t carry = 0;
    for (size_t i = SHA256_BYTES; i > 0; i -= 8) {
        uint64_t a, b, total;
        memcpy(&a, sum + i - 8, 8);
        memcpy(&b, other + i - 8, 8);
        uint64_t overflow = __builtin_add_overflow(be64toh(a), be64toh(b), &total);
        overflow |= __builtin_add_overflow(total, carry, &total);
        carry = overflow;
        total = htobe64(total);
        memcpy(sum + i - 8, &total, 8);
    }
}

void fingerprint_add_digest(struct fingerprint *fingerprint, const unsigned char digest[SHA256_BYTES])
{
    sum_add(fingerprint->sum, digest);
    fingerprint->count++;
}

int fingerprint_add(struct fingerprint *fingerprint, struct item_scratch *scratch, struct bytes item,
                    struct err *err)
{
    unsigned char digest[SHA256_BYTES];
    if (item_digest(scratch, item, digest, NULL, err) < 0)
        return -1;
    fingerprint_add_digest(fingerprint, digest);
    return 0;
}

void fingerprint_merge(struct fingerprint *fingerprint, const struct fingerprint *other)
{
    sum_add(fingerprint->sum, other->sum);
    fingerprint->count += other->count;
}

bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return a->count == b->count && memcmp(a->sum, b->sum, SHA256_BYTES) == 0;
}

void fingerprint_format(const struct fingerprint *fingerprint, char ret_text[FINGERPRINT_SIZE])
{
    char hex[HEX_SIZE(SHA256_BYTES)];
    hex_encode(fingerprint->sum, SHA256_BYTES, hex);
    snprintf(ret_text, FINGERPRINT_SIZE, "v1:%llu:%s", (unsigned long long)fingerprint->count, hex);
}

bool fingerprint_parse(struct bytes text, struct fingerprint *ret_fingerprint)
{
    struct fingerprint parsed;
    char again[FINGERPRINT_SIZE];
    const char *colon;
    if (!bytes_starts(text, "v1:") || !(colon = memchr(text.data + 3, ':', text.len - 3)))
        return false;
    size_t digits = (size_t)(colon - text.data - 3);
    if (!uint_parse((struct bytes){text.data + 3, digits}, &parsed.count))
        return false;
    struct bytes hex = {colon + 1, text.len - 3 - digits - 1};
    if (!hex_decode(hex, parsed.sum, SHA256_BYTES))
        return false;
    fingerprint_format(&parsed, again);
    if (!bytes_is(text, again))
        return false;
    *ret_fingerprint = parsed;
    return true;
}
