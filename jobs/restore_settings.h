/*
 * The settings step of a restore: what the capsule says is put on the table, one setting after the other, and
 * read again from AWS. A setting counts when it reads as wanted after the write, an index when it is ACTIVE
 * and not backfilling. Outcomes: applied, already, skipped, unsupported, unreadable, failed; the last two
 * make the job partial. The state document "settings" holds {name: {found, outcome | sends, sent_at, last,
 * lost}}, where `lost` says that the answer of the last write is not known; the result gets settings[].
 */
#pragma once
#include "engine/work.h"

step_fn restore_settings;

/* Will a restore with this spec put the setting on the table (unless TTL's own rule keeps it off)? */
bool restore_takes_setting(const json_t *spec, const char *name);
