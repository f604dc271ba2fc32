/*
 * manifest.json of a recovery point's tree (CONTRACT.md section 5): written last, the only list of what
 * belongs to it. Thread rule: pure; memory is the arena's.
 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "store/parts.h"
#include "store/points.h"

#define MANIFEST_FORMAT 1
#define MANIFEST_PATH "manifest.json"

struct manifest_file {
    const char *path;
    int64_t size;
    struct hash sha256;
    bool data; /* then: */
    int64_t raw_size, items;
    const char *fingerprint;
};

struct manifest {
    const char *tool; /* recoverd VERSION */
    const char *id, *environment, *type, *method;
    const char *table; /* of a table point */
    const char *account, *region, *arn, *table_id;
    int64_t consistency_from, consistency_to, created_at;
    int64_t items, bytes, stored_bytes; /* in data files; inflated; of every file listed */
    const char *fingerprint;
    struct manifest_file *files; /* by path */
    size_t file_count;
};

void manifest_write(const struct manifest *manifest, struct buffer *out);
/* Paths must match the layout exactly, files be sorted and unique, sums agree: RECOVERY_POINT_DAMAGED with
 * what and where. */
int manifest_parse(struct bytes text, struct arena *arena, struct manifest **ret_manifest, struct err *err);
