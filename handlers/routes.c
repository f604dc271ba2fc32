/* The one table of routes. What is not here is 404. */
#include "handlers/handlers.h"

#define JOB_FILTERS "environment* kind* state* resource* since until parent_id limit cursor view"
#define POINT_FILTERS "environment* resource* type* method* status* since until limit cursor"
#define AUDIT_FILTERS "actor* action* object* environment* since until limit cursor"

const struct route routes[] = {
    {"GET", "/v1/me", "getMe", ROLE_ANY, me_get, .status = 200},
    {"GET", "/v1/me/totp", "getTotp", ROLE_ANY, totp_get, .status = 200},
    {"POST", "/v1/me/totp", "enrolTotp", ROLE_ANY, totp_create, .status = 201, .body = totp_create_fields,
     .body_optional = true, .otp = true},
    {"DELETE", "/v1/me/totp", "removeTotp", ROLE_ANY, totp_delete, .status = 204, .otp = true},
    {"GET", "/v1/kinds", "listKinds", ROLE_ANY, kinds_list, .status = 200},

    {"GET", "/v1/environments", "listEnvironments", ROLE_VIEWER, environments_list, .status = 200},
    {"GET", "/v1/environments/{name}", "getEnvironment", ROLE_VIEWER, environments_get, .status = 200},
    {"PUT", "/v1/environments/{name}/limits", "putLimits", ROLE_OPERATOR, limits_put, .status = 200,
     .body = limits_put_fields, .if_match = true},

    {"POST", "/v1/plans", "createPlan", ROLE_ANY, plans_create, .status = 200, .by_kind = true,
     .body = plans_create_fields},
    {"GET", "/v1/plans/{plan_hash}", "getPlan", ROLE_ANY, plans_get, .status = 200, .by_kind = true},
    {"POST", "/v1/jobs", "createJob", ROLE_ANY, jobs_create, .status = 202, .by_kind = true,
     .body = jobs_create_fields, .query = "wait", .idempotent = true, .otp = true},
    {"GET", "/v1/jobs", "listJobs", ROLE_VIEWER, jobs_list, .status = 200, .query = JOB_FILTERS},
    {"GET", "/v1/jobs/{id}", "getJob", ROLE_VIEWER, jobs_get, .status = 200, .query = "wait"},
    {"GET", "/v1/jobs/{id}/plan", "getJobPlan", ROLE_VIEWER, jobs_plan, .status = 200},
    {"POST", "/v1/jobs/{id}/cancel", "cancelJob", ROLE_ANY, jobs_cancel, .status = 200, .by_kind = true,
     .body = no_fields, .query = "wait", .body_optional = true},
    {"POST", "/v1/jobs/{id}/retry", "retryJob", ROLE_ANY, jobs_retry, .status = 202, .by_kind = true,
     .body = jobs_retry_fields, .query = "wait", .body_optional = true, .idempotent = true, .otp = true},

    {"GET", "/v1/recovery-points", "listRecoveryPoints", ROLE_VIEWER, points_list, .status = 200,
     .query = POINT_FILTERS},
    {"GET", "/v1/recovery-points/{id}", "getRecoveryPoint", ROLE_VIEWER, points_get, .status = 200},
    {"GET", "/v1/recovery-points/{id}/manifest", "getManifest", ROLE_VIEWER, points_manifest, .status = 200},
    {"GET", "/v1/recovery-points/{id}/files/{path...}", "getFile", ROLE_DATA_READER, files_get, .status = 200,
     .produces = "application/octet-stream application/gzip application/json"},

    {"GET", "/v1/audit", "listAudit", ROLE_AUDITOR, audit_list, .status = 200, .query = AUDIT_FILTERS,
     .produces = "application/json application/x-ndjson"},
    {"GET", "/v1/audit/{node}/{seq}", "getAuditRow", ROLE_AUDITOR, audit_get, .status = 200},

    {"GET", "/openapi.yaml", "getOpenapi", ROLE_PUBLIC, openapi_get, .status = 200,
     .produces = "application/yaml"},
    {0},
};
