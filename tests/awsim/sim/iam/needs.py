"""What a call must be allowed to do, whichever service it is of.

Source: Service Authorization Reference; where an action binds no resource, or the table here does not know one, it is "*",
which only a statement for every resource takes in.
"""

import re
import zlib

from moto.iam import iam_backends

from ..names import form_of, json_members
from . import needs_backup, needs_dynamodb, needs_s3
from .policy import Need

# Services whose actions have another prefix than botocore's name.
PREFIXES = {
    "resourcegroupstaggingapi": "tag",
    "stepfunctions": "states",
    "sesv2": "ses",
    "elbv2": "elasticloadbalancing",
}
# Nobody is ever refused these, whatever a policy says (STS API reference).
ALWAYS = {"sts:GetCallerIdentity", "sts:GetSessionToken", "sts:GetAccessKeyInfo"}
# Judged with the role's trust policy, by sts.py.
ELSEWHERE = re.compile(r"sts:AssumeRole.*")
SCALING = "dynamodb.application-autoscaling.amazonaws.com"
SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
# service -> ((operations, member that names the resource, ARN without its partition and service), ..)
RESOURCES = {
    "application-autoscaling": (
        (r"(Put|Delete|Register|Deregister)\w+", "ResourceId", "{region}:{account}:scalable-target/{id}"),
    ),
    "cloudwatch": (
        (r"PutMetricAlarm|DeleteAlarms|SetAlarmState", "AlarmName", "{region}:{account}:alarm:{name}"),
        (r"DescribeAlarms", "", "{region}:{account}:alarm:*"),
        (r"(Put|Get)Dashboard", "DashboardName", ":{account}:dashboard/{name}"),
    ),
    "iam": (
        (r"\w+Role\w*", "RoleName", ":{account}:role/{name}"),
        (r"\w+(User|AccessKey|LoginProfile)\w*", "UserName", ":{account}:user/{name}"),
        (r"\w+Group\w*", "GroupName", ":{account}:group/{name}"),
    ),
    "kms": ((r"(?!List|CreateKey)\w+", "KeyId", "{region}:{account}:key/{name}"),),
    "lambda": (
        (
            r"(?!List(Functions|EventSourceMappings|Layers)|CreateEventSourceMapping)\w+",
            "FunctionName",
            "{region}:{account}:function:{name}",
        ),
    ),
    "logs": ((r"\w+", "logGroupName", "{region}:{account}:log-group:{name}"),),
    "events": ((r"\w+Rule|\w+Targets|\w+TargetsByRule", "Name", "{region}:{account}:rule/{name}"),),
    "secretsmanager": ((r"(?!ListSecrets)\w+", "SecretId", "{region}:{account}:secret:{name}"),),
    "sns": ((r"\w+", "TopicArn", "{region}:{account}:{name}"), (r"CreateTopic", "Name", "{region}:{account}:{name}")),
    "ssm": ((r"(Get|Put|Delete|Label)Parameter\w*", "Name", "{region}:{account}:parameter/{name}"),),
    "cognito-idp": ((r"\w+", "UserPoolId", "{region}:{account}:userpool/{name}"),),
    "cloudformation": ((r"\w+", "StackName", "{region}:{account}:stack/{name}/*"),),
    "route53": ((r"\w+", "", "::hostedzone/{name}"),),
    "kinesis": ((r"\w+", "StreamName", "{region}:{account}:stream/{name}"),),
}


def members(call, request):
    """The members that a call's body or address holds."""
    form = form_of(request)
    return form if form is not None else json_members(request.body)


def _resource(call, given):
    """The ARN that a call of the plainer services is about."""
    for pattern, member, form in RESOURCES.get(call.service, ()):
        if not re.fullmatch(pattern, call.operation):
            continue
        name = given.get(member) if member else (call.resource or "").rpartition("/")[2] or "*"
        if name is None and call.service == "lambda":
            name = (call.resource or "").partition("/")[0] or None
        if not isinstance(name, str) or not name:
            continue
        if name.startswith("arn:"):
            return name
        number = f"{zlib.crc32(name.encode()):012x}"
        place = {"region": call.region, "account": call.account, "name": name.lstrip("/"), "id": number}
        return f"arn:aws:{call.service}:" + form.format(**place)
    return "*"


def service_role(account, service, name):
    """The Need to make a role that AWS's service takes for itself; none when the account has it."""
    backend = iam_backends[account]["aws"]
    if any(role.name == name for role in backend.roles.values()):
        return []
    return [
        Need(
            "iam:CreateServiceLinkedRole",
            f"arn:aws:iam::{account}:role/aws-service-role/{service}/{name}",
            {"iam:awsservicename": service},
            once=lambda: _make_role(backend, service, name),
        )
    ]


def _make_role(backend, service, name):
    made = backend.create_service_linked_role(service, "", "")
    made.name = name


def _beside(call, given):
    """What AWS asks for beside the operation's own action."""
    if call.operation == "RegisterScalableTarget" and given.get("ServiceNamespace") == "dynamodb" and not given.get("RoleARN"):
        return service_role(call.account, SCALING, SCALING_ROLE)
    role = given.get("Role") if call.service == "lambda" else given.get("RoleArn") or given.get("IamRoleArn")
    passes = re.fullmatch(r"(Create|Update|Start|Put|Register)\w+", call.operation) and call.service != "sts"
    return [Need("iam:PassRole", role)] if passes and isinstance(role, str) else []


def needs(call, request, store):
    if call.service == "s3":
        return needs_s3.needs(call, request)
    if call.service == "backup":
        return needs_backup.needs(call, request)
    given = members(call, request)
    if call.service == "dynamodb":
        return needs_dynamodb.needs(call, given, store, service_role)
    action = f"{PREFIXES.get(call.service, call.service)}:{call.operation}"
    if action in ALWAYS or ELSEWHERE.fullmatch(action):
        return []
    context = {"lambda:functionarn": given["FunctionName"]} if isinstance(given.get("FunctionName"), str) else {}
    return [Need(action, _resource(call, given), context), *_beside(call, given)]
