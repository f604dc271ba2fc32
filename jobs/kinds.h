/*
 * The one table of job kinds: what the engine is given, what GET /v1/kinds and recoverctl show. A kind is its
 * file with its row, its schema in openapi.yaml, its test, and its line here. Constant; any thread.
 */
#pragma once
#include "engine/kind.h"

extern const struct job_kind *const job_kinds[]; /* ends with NULL */
