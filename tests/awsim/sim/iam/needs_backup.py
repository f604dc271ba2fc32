"""What a call to AWS Backup must be allowed to do. Source: Service Authorization Reference, "AWS Backup"."""

import re
from urllib.parse import unquote

from ..names import json_members, model
from .policy import Need

# (operations, form of the resource's ARN); what is in none is about no resource.
RESOURCES = (
    (
        r"StartRestoreJob|StartCopyJob|(?!List)\w*RecoveryPoint(Lifecycle|RestoreMetadata|FromParent)?",
        "{RecoveryPointArn}",
    ),
    (r"TagResource|UntagResource|ListTags", "{ResourceArn}"),
    (r"CreateBackupPlan", "arn:aws:backup:{region}:{account}:backup-plan:*"),
    (
        r"\w*Backup(Plan|Selection|Selections|PlanVersions|PlanTemplate)",
        "arn:aws:backup:{region}:{account}:backup-plan:{BackupPlanId}",
    ),
    (
        r"StartBackupJob|List\w+ByBackupVault|(?!List)\w*BackupVault(AccessPolicy|LockConfiguration|Notifications)?",
        "arn:aws:backup:{region}:{account}:backup-vault:{BackupVaultName}",
    ),
)


def needs(call, request):
    given = _given(call, request)
    place = {"region": call.region, "account": call.account}
    resource = "*"
    for pattern, form in RESOURCES:
        if re.fullmatch(pattern, call.operation):
            resource = form.format(**place, **given)
            break
    role = given.get("IamRoleArn") or given.get("BackupSelection", {}).get("IamRoleArn")
    passed = [Need("iam:PassRole", role)] if role else []
    return [Need(f"backup:{call.operation}", resource), *passed]


def _given(call, request):
    """The members of body and path."""
    operation = model("backup").operation_model(call.operation)
    pattern = re.escape(operation.http["requestUri"].rstrip("/"))
    path = re.fullmatch(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern) + "/?", request.path)
    given, shape = json_members(request.body), operation.input_shape
    for name, member in shape.members.items() if shape and path else ():
        if member.serialization.get("location") == "uri":
            given[name] = unquote(path[member.serialization["name"]])
    return given
