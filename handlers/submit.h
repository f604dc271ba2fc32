/* What POST /v1/plans, /v1/jobs and /v1/jobs/{id}/retry have in common. Not for other rooms. */
#pragma once
#include "handlers/request.h"

/* Members and headers of the request as a submit; idempotency and Recoverd-OTP where the route takes them. */
int submit_of(struct request *req, struct submit *ret_submit, struct err *err);
/* The job's role and place are the engine's to judge; what a refusal names is noted here. */
void submit_note_place(struct request *req, const struct submit *submit);
