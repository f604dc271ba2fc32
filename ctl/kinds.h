/*
 * The kinds of job as the server describes them (GET /v1/kinds), kept below ~/.cache/recoverd per server for
 * help and completion. Thread rule: one thread.
 */
#pragma once
#include "ctl/ctl.h"

/* {"items": [{name, summary, role, mfa, may_destroy, needs_plan, spec, result?}]}; lives as long as the
 * arena. */
enum exit_code kinds_fetch(struct ctl *ctl, const json_t **ret_kinds);
/* What was fetched last from this server; NULL when there is nothing. Says nothing. */
const json_t *kinds_cached(struct ctl *ctl);
/* The cached ones, else those of the server; NULL, silently, when neither can be had. */
const json_t *kinds_for_help(struct ctl *ctl);

const json_t *kinds_find(const json_t *kinds, const char *name); /* NULL when absent */
/* The kind whose name, its dots taken as spaces, the words begin with; *ret_used words. "backup.table" is
 * also one word. NULL when there is none. */
const json_t *kinds_by_words(const json_t *kinds, const char *const *words, size_t count, size_t *ret_used);
/* "backup table"; in arena. */
const char *kind_words(struct arena *arena, const json_t *kind);
