/* Names in a spec, judged against the environment (CONTRACT.md section 3, Grants). Faults go to ask->faults.
 */
#pragma once
#include "engine/kind.h"

/* The table is listed in the environment or was made by one of its jobs; else RESOURCE_NOT_IN_ENVIRONMENT at
 * pointer. */
int names_table(struct ask *ask, const char *table, const char *pointer, struct err *err);
/* A table that the job will make: any valid name that no other environment lists. */
int names_new_table(struct ask *ask, const char *table, const char *pointer, struct err *err);
/* Touch names: arn-like, one form for all kinds: "dynamodb:ACCOUNT:REGION:table/NAME", "point:ID". In
 * ask->arena. */
int names_touch_table(struct ask *ask, const char *table, bool write, struct err *err);
int names_touch_point(struct ask *ask, const char *id, bool write, struct err *err);
/* table/NAME */
int names_resource(struct ask *ask, const char *table, struct err *err);
