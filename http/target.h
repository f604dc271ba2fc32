/*
 * The request target (RFC 9112 3.2.1, origin form only) to decoded path segments and query. The path is split
 * on `/` first and each segment decoded afterwards, so that an encoded slash can never make a new segment: it
 * is refused. Pure. Thread rule: any.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "http/request.h"

/* Fills path, segments and query of the request in its arena. MALFORMED_REQUEST for a bad path, INVALID_QUERY
 * for a bad query, NO_MEMORY. */
int target_parse(struct bytes target, struct http_request *request, struct err *err);
