/* A plan as a page for people. Thread rule: pure but for the stream. */
#pragma once
#include <jansson.h>
#include <stdio.h>

void plan_page(FILE *to, const json_t *plan);
/* What has to be typed to agree: the name of the first resource that the plan destroys or overwrites. NULL:
 * nothing destructive in it. Borrowed from the plan. */
const char *plan_destroys(const json_t *plan);
