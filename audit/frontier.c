#include "audit/chain.h"

#include <openssl/evp.h>

#define LEAF 0x00
#define INNER 0x01

static unsigned count_of(uint64_t size)
{
    return (unsigned)__builtin_popcountll(size);
}

static int hash_pair(uint8_t kind, const uint8_t *left, const uint8_t *right, uint8_t *ret_hash,
                     struct err *err)
{
    uint8_t data[1 + 2 * AUDIT_HASH_SIZE];
    size_t len = 1 + AUDIT_HASH_SIZE;

    data[0] = kind;
    memcpy(data + 1, left, AUDIT_HASH_SIZE);
    if (right) {
        memcpy(data + len, right, AUDIT_HASH_SIZE);
        len += AUDIT_HASH_SIZE;
    }
    return EVP_Digest(data, len, ret_hash, NULL, EVP_sha256(), NULL) == 1
               ? 0
               : err_set(err, ERR_INTERNAL, "sha-256 is not available");
}

void audit_frontier_init(struct audit_frontier *frontier)
{
    *frontier = (struct audit_frontier){0};
}

int audit_frontier_add(struct audit_frontier *frontier, const uint8_t row_hash[AUDIT_HASH_SIZE],
                       struct err *err)
{
    uint8_t node[AUDIT_HASH_SIZE];
    unsigned count = count_of(frontier->size);

    if (frontier->size >= INT64_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "the audit trail is full");
    if (hash_pair(LEAF, row_hash, NULL, node, err) < 0)
        return -1;
    /* like a carry: each full subtree at the end joins with the new one of its size */
    for (uint64_t size = frontier->size; size & 1; size >>= 1)
        if (hash_pair(INNER, frontier->nodes[--count], node, node, err) < 0)
            return -1;
    memcpy(frontier->nodes[count], node, sizeof(node));
    frontier->size++;
    return 0;
}

int audit_frontier_root(const struct audit_frontier *frontier, uint8_t ret_root[AUDIT_HASH_SIZE],
                        struct err *err)
{
    unsigned count = count_of(frontier->size);
    uint8_t root[AUDIT_HASH_SIZE];

    if (count == 0) /* the empty tree is the hash of nothing */
        return EVP_Digest("", 0, ret_root, NULL, EVP_sha256(), NULL) == 1
                   ? 0
                   : err_set(err, ERR_INTERNAL, "sha-256 is not available");
    memcpy(root, frontier->nodes[--count], sizeof(root));
    while (count > 0)
        if (hash_pair(INNER, frontier->nodes[--count], root, root, err) < 0)
            return -1;
    memcpy(ret_root, root, sizeof(root));
    return 0;
}

size_t audit_frontier_pack(const struct audit_frontier *frontier, uint8_t ret_data[AUDIT_FRONTIER_BYTES])
{
    size_t len = (size_t)count_of(frontier->size) * AUDIT_HASH_SIZE;

    for (int i = 0; i < 8; i++)
        ret_data[i] = (uint8_t)(frontier->size >> (56 - 8 * i));
    memcpy(ret_data + 8, frontier->nodes, len);
    return 8 + len;
}

int audit_frontier_unpack(struct bytes data, struct audit_frontier *ret_frontier, struct err *err)
{
    uint64_t size = 0;

    for (size_t i = 0; i < 8 && data.len >= 8; i++)
        size = size << 8 | (uint8_t)data.data[i];
    if (data.len < 8 || size > INT64_MAX || data.len != 8 + (size_t)count_of(size) * AUDIT_HASH_SIZE)
        return err_set(err, ERR_STORE_CORRUPT, "the audit frontier has %zu bytes", data.len);
    audit_frontier_init(ret_frontier);
    ret_frontier->size = size;
    memcpy(ret_frontier->nodes, data.data + 8, data.len - 8);
    return 0;
}
