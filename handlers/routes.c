/* The one table of routes. What is not here is 404. */
#include "handlers/handlers.h"

const struct route routes[] = {
    {"GET", "/v1/me", "getMe", ROLE_ANY, me_get, .status = 200},
    {"GET", "/v1/kinds", "listKinds", ROLE_ANY, kinds_list, .status = 200},
    {"POST", "/v1/plans", "createPlan", ROLE_ANY, plans_create, .status = 200, .by_kind = true, .body = plans_create_fields},
    {"GET", "/v1/plans/{plan_hash}", "getPlan", ROLE_ANY, plans_get, .status = 200, .by_kind = true},
    {"POST", "/v1/jobs", "createJob", ROLE_ANY, jobs_create, .status = 202, .by_kind = true, .body = jobs_create_fields,
     .idempotent = true, .otp = true},
    {"GET", "/v1/jobs/{id}", "getJob", ROLE_VIEWER, jobs_get, .status = 200, .query = "wait"},
    {"GET", "/v1/jobs/{id}/plan", "getJobPlan", ROLE_VIEWER, jobs_plan, .status = 200},
    {"POST", "/v1/jobs/{id}/cancel", "cancelJob", ROLE_ANY, jobs_cancel, .status = 200, .by_kind = true, .body = no_fields,
     .body_optional = true},
    {"POST", "/v1/jobs/{id}/retry", "retryJob", ROLE_ANY, jobs_retry, .status = 202, .by_kind = true,
     .body = jobs_retry_fields, .body_optional = true, .idempotent = true, .otp = true},
    {0},
};
