/* A recovery point as CONTRACT.md section 3 shows it, and how one is found. Thread rule: the request's
 * thread. */
#pragma once
#include "handlers/request.h"

void point_write(struct json_writer *w, const char *name, const struct recovery_point *point);
/* The point of the first parameter, where the caller has `role`. NOT_FOUND when he does not see its
 * environment (or, as a viewer would, has no part in it), FORBIDDEN when he sees it with too small a role. */
int request_point(struct request *req, enum role role, struct recovery_point **ret_point, struct err *err);
