/* Lambda's event source mappings: who reads a table's stream. Errors as aws_send, and NO_MEMORY. Thread
 * rule: as the session. Source: Lambda API 2015-03-31. */
#pragma once
#include "aws/call.h"
#include "base/json.h"

/* Every mapping of that stream, as AWS gives it. The caller's array. */
int lambda_mappings_of_stream(struct aws_session *session, const char *stream_arn, json_t **ret_mappings,
                              struct err *err);
/* The members of a mapping that a user sets, but for its two ends and its state. */
#define LAMBDA_MAPPING_SETTINGS 14
extern const char *const lambda_mapping_settings[LAMBDA_MAPPING_SETTINGS];
/* `mapping`: a row as the list gave it, with another EventSourceArn; what only AWS sets is left out, and a
 * State of Disabled becomes Enabled: false. AWS_CONFLICT when the function reads that stream already. Not
 * repeated blindly. */
int lambda_create_mapping(struct aws_session *session, const json_t *mapping, bool *ret_effect_unknown,
                          struct err *err);
