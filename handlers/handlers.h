/* The handlers that the table of routes names, one file per REST resource. */
#pragma once
#include "handlers/request.h"

extern const struct field jobs_create_fields[], jobs_retry_fields[], plans_create_fields[],
    totp_create_fields[], limits_put_fields[], no_fields[];

handler_fn me_get;
handler_fn totp_get, totp_create, totp_delete;
handler_fn kinds_list;
handler_fn environments_list, environments_get, limits_put;
handler_fn plans_create, plans_get;
handler_fn jobs_create, jobs_list, jobs_get, jobs_plan, jobs_cancel, jobs_retry;
handler_fn points_list, points_get, points_manifest, files_get;
handler_fn audit_list, audit_get;
handler_fn openapi_get;
