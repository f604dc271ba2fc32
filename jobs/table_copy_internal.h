/* Between the files of jobs/table_copy.h. Not for other files. */
#pragma once
#include "jobs/settings.h"
#include "jobs/table_copy.h"

/* What a file adds up to: by its manifest, or as the first step found it. */
int copy_file_sum(struct copy *copy, size_t number, struct fingerprint *ret_sum, struct err *err);
int copy_file_remember(struct copy *copy, size_t number, const struct fingerprint *sum, struct err *err);

/* MISMATCH when the table has other keys than the capsule says; a NULL capsule says nothing. */
int copy_same_keys(const json_t *capsule, const struct dynamodb_table *table, struct err *err);
int copy_is_empty(struct aws_session *aws, const char *table, bool *ret_empty, struct err *err);
