/* The words of states as they stand in rows. Not for other rooms. */
#pragma once
#include "store/parts.h"
#include "store/points.h"
#include "store/query.h"

const char *part_state_name(enum part_state state);
enum job_state q_job_state(struct query *query);
enum step_state q_step_state(struct query *query);
enum part_state q_part_state(struct query *query);
enum point_status q_point_status(struct query *query);
