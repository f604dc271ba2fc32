/*
 * An environment: an application in one account and region, as configured. Immutable; part of a configuration
 * snapshot. Strings live as long as the snapshot. Thread rule: any thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_list {
    const char *const *names;
    size_t count;
};

struct environment {
    const char *name;
    const char *account; /* 12 digits, or NULL when every endpoint is loopback */
    const char *region;
    struct name_list tables;     /* names or globs */
    const char *recovery_points; /* root uri, without a slash at its end */
    bool allow_unencrypted;
    struct name_list uri_roots;
    const char *profile; /* NULL: the default chain */
    const char *role_arn;
    const char *external_id;
    const char *endpoint_url; /* NULL: AWS's own */
    const char *kms_key;
    int64_t read_units_per_second;                                       /* 0: not set */
    int64_t write_units_per_second;                                      /* 0: not set */
    int64_t rto_critical_ms, rto_full_ms, rpo_tables_ms, rpo_buckets_ms; /* 0: not set */
    const char *const *tag_names;                                        /* pairs by index */
    const char *const *tag_values;
    size_t tag_count;
};

/* Does a configured name stand for several? */
bool is_glob(const char *name);
bool environment_has_globs(const struct environment *environment);
/* Is the table listed, by name or glob? (Tables that its jobs made are the store's to know.) */
bool environment_lists_table(const struct environment *environment, const char *table);
