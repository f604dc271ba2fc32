#include "aws/autoscaling.h"

#include "aws/json_call.h"
#include "base/cleanup.h"

static struct json_call scaling(const char *operation, const char *resource)
{
    return (struct json_call){
        .service = AWS_AUTOSCALING, .operation = operation, .resource = resource, .control = true};
}

int autoscaling_describe_targets(struct aws_session *session, const char *const *resource_ids, size_t count,
                                 json_t **ret_targets, struct err *err)
{
    struct json_call call = scaling("DescribeScalableTargets", count ? resource_ids[0] : NULL);
    json_auto_t *request = json_pack("{s:s, s:[]}", "ServiceNamespace", "dynamodb", "ResourceIds");
    json_t *ids = json_object_get(request, "ResourceIds");

    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(ids, json_string(resource_ids[i])) != 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for %s", call.operation);
    return aws_json_pages(session, &call, TAKE(request), "NextToken", "ScalableTargets", ret_targets, err);
}

int autoscaling_describe_policies(struct aws_session *session, const char *resource_id, json_t **ret_policies,
                                  struct err *err)
{
    struct json_call call = scaling("DescribeScalingPolicies", resource_id);

    return aws_json_pages(session, &call,
                          json_pack("{s:s, s:s}", "ServiceNamespace", "dynamodb", "ResourceId", resource_id),
                          "NextToken", "ScalingPolicies", ret_policies, err);
}

int autoscaling_register_target(struct aws_session *session, const json_t *target, struct err *err)
{
    static const char *const names[] = {"ServiceNamespace", "ResourceId",  "ScalableDimension",
                                        "MinCapacity",      "MaxCapacity", "SuspendedState"};
    struct json_call call = scaling("RegisterScalableTarget", json_get_text(target, "ResourceId"));
    json_auto_t *request = aws_json_pick(target, names, COUNT_OF(names));
    const char *role = json_get_text(target, "RoleARN");

    if (role &&
        strstr(role, ":role/aws-service-role/")) /* AWS finds its own by itself, and in each account */
        role = NULL;
    if (!request || (role && json_object_set_new(request, "RoleARN", json_string(role)) != 0))
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", call.operation);
    return aws_json_call(session, &call, request, NULL, err);
}

int autoscaling_put_policy(struct aws_session *session, const json_t *policy, struct err *err)
{
    static const char *const names[] = {"PolicyName",
                                        "ServiceNamespace",
                                        "ResourceId",
                                        "ScalableDimension",
                                        "PolicyType",
                                        "StepScalingPolicyConfiguration",
                                        "TargetTrackingScalingPolicyConfiguration",
                                        "PredictiveScalingPolicyConfiguration"};
    struct json_call call = scaling("PutScalingPolicy", json_get_text(policy, "ResourceId"));

    return aws_json_call_take(session, &call, aws_json_pick(policy, names, COUNT_OF(names)), NULL, err);
}
