/* Application Auto Scaling of a table and its indexes: targets and policies, read and written. Errors as
 * aws_send, and NO_MEMORY. Thread rule: as the session. */
#pragma once
#include "aws/call.h"
#include "base/json.h"

/* Arrays as AWS gives them (ScalableTargets, ScalingPolicies) for "table/NAME" and each
 * "table/NAME/index/..." among `resource_ids`. The caller's. */
int autoscaling_describe_targets(struct aws_session *session, const char *const *resource_ids, size_t count,
                                 json_t **ret_targets, struct err *err);
int autoscaling_describe_policies(struct aws_session *session, const char *resource_id, json_t **ret_policies,
                                  struct err *err);
/* `target` and `policy`: a row as describe gave it, with another ResourceId if the table is another; what
 * only AWS sets (ARNs, times, alarms, RoleARN of AWS's own service role) is left out. Both are repeatable. */
int autoscaling_register_target(struct aws_session *session, const json_t *target, struct err *err);
int autoscaling_put_policy(struct aws_session *session, const json_t *policy, struct err *err);
