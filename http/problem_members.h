/* The members of an error without status and instance, for objects such as a job's `error`, into an open
 * object. The message of INTERNAL stays inside. Thread rule: any. */
#pragma once
#include "base/err.h"
#include "base/json.h"

void http_problem_members(struct json_writer *w, const struct err *err);
