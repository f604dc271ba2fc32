#include "store/states.h"

#include "base/cleanup.h"

static const char *const job_states[JOB_STATE_COUNT] = {
    [JOB_AWAITING_APPROVAL] = "awaiting_approval",
    [JOB_QUEUED] = "queued",
    [JOB_RUNNING] = "running",
    [JOB_SUCCEEDED] = "succeeded",
    [JOB_PARTIAL] = "partial",
    [JOB_FAILED] = "failed",
    [JOB_CANCELLED] = "cancelled",
};

#define BIT(state) (1u << (state))
static const unsigned job_moves[JOB_STATE_COUNT] = {
    [JOB_AWAITING_APPROVAL] = BIT(JOB_QUEUED) | BIT(JOB_CANCELLED),
    [JOB_QUEUED] = BIT(JOB_RUNNING) | BIT(JOB_FAILED) | BIT(JOB_CANCELLED),
    [JOB_RUNNING] = BIT(JOB_SUCCEEDED) | BIT(JOB_PARTIAL) | BIT(JOB_FAILED) | BIT(JOB_CANCELLED),
};

static const char *const step_states[] = {
    [STEP_WAITING] = "waiting", [STEP_RUNNING] = "running",     [STEP_DONE] = "done",
    [STEP_FAILED] = "failed",   [STEP_CANCELLED] = "cancelled", [STEP_SKIPPED] = "skipped",
};

static const char *const part_states[] = {
    [PART_WAITING] = "waiting", [PART_READY] = "ready",   [PART_RUNNING] = "running",
    [PART_DONE] = "done",       [PART_FAILED] = "failed", [PART_CANCELLED] = "cancelled",
};

static const char *const point_statuses[POINT_STATUS_COUNT] = {
    [POINT_WRITING] = "writing", [POINT_AVAILABLE] = "available", [POINT_VERIFIED] = "verified",
    [POINT_PROVEN] = "proven",   [POINT_DAMAGED] = "damaged",     [POINT_FAILED] = "failed",
    [POINT_ORPHAN] = "orphan",   [POINT_ARCHIVED] = "archived",   [POINT_EXPIRED] = "expired",
    [POINT_DELETED] = "deleted",
};

/* The index of a name, or -1. */
static int find(const char *const *names, size_t count, struct bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_is(name, names[i]))
            return (int)i;
    return -1;
}

const char *job_state_name(enum job_state state)
{
    return job_states[state];
}

bool job_state_parse(const char *name, enum job_state *ret_state)
{
    int at = find(job_states, COUNT_OF(job_states), bytes_of(name));

    if (at >= 0)
        *ret_state = (enum job_state)at;
    return at >= 0;
}

bool job_move_allowed(enum job_state from, enum job_state to)
{
    return job_moves[from] & BIT(to);
}

const char *step_state_name(enum step_state state)
{
    return step_states[state];
}

const char *part_state_name(enum part_state state)
{
    return part_states[state];
}

const char *point_status_name(enum point_status status)
{
    return point_statuses[status];
}

bool point_status_parse(const char *name, enum point_status *ret_status)
{
    int at = find(point_statuses, COUNT_OF(point_statuses), bytes_of(name));

    if (at >= 0)
        *ret_status = (enum point_status)at;
    return at >= 0;
}

/* The schema's CHECKs let no other word in; the first state stands for what cannot be. */
static int read_state(struct query *query, const char *const *names, size_t count)
{
    int at = find(names, count, q_borrow(query));

    return at < 0 ? 0 : at;
}

enum job_state q_job_state(struct query *query)
{
    return (enum job_state)read_state(query, job_states, COUNT_OF(job_states));
}

enum step_state q_step_state(struct query *query)
{
    return (enum step_state)read_state(query, step_states, COUNT_OF(step_states));
}

enum part_state q_part_state(struct query *query)
{
    return (enum part_state)read_state(query, part_states, COUNT_OF(part_states));
}

enum point_status q_point_status(struct query *query)
{
    return (enum point_status)read_state(query, point_statuses, COUNT_OF(point_statuses));
}
