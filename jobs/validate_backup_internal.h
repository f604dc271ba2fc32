/*
 * Between the files of validate.backup. Durable state `checked`: {items, bytes, files, fingerprint, damaged,
 * damage: [{name, detail}]}, changed in the transaction that moves a part's cursor, so that each file counts
 * once; `checks`: what the verdict listed, to which a proof adds its own.
 */
#pragma once
#include "base/cleanup.h"
#include "engine/engine.h"
#include "engine/work.h"
#include "jobs/source.h"

#define CHECKED "checked"

step_fn validate_split;
step_fn validate_files;
step_fn validate_judge;
step_fn validate_compare;

/* The state document `checked` before the first file; the caller's, NULL without memory. */
json_t *validate_nothing(void);
/* The job's source, also a damaged one. */
int validate_open(struct work *work, struct source **ret_source, struct err *err);
