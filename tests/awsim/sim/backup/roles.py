"""The role in which AWS Backup works: in the caller's account, there, and ready to be assumed by it."""

import json

from moto.iam import iam_backends

from .errors import BackupError, invalid, missing
from .store import SERVICE


def passed(call, arn):
    """Refuses a role that the caller cannot pass, or AWS Backup not assume."""
    if not arn:
        raise missing("IamRoleArn is required")
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise invalid(f"Invalid IAM role ARN: {arn}")
    if parts[4] != call.account:
        raise BackupError("AccessDeniedException", "Cross-account pass role is not allowed.")
    if not assumable(call.account, arn):
        raise invalid(words(arn))


def words(arn):
    return f"IAM Role {arn} cannot be assumed by AWS Backup"


def assumable(account, arn):
    roles = list(iam_backends[account]["aws"].roles.values())
    role = next((role for role in roles if role.arn == arn), None)
    return role is not None and _trusts(role.assume_role_policy_document)


def _trusts(document):
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError):
        return False
    statements = [statements] if isinstance(statements, dict) else statements
    return any(
        one.get("Effect") == "Allow"
        and "sts:AssumeRole" in _list(one.get("Action"))
        and isinstance(one.get("Principal"), dict)
        and SERVICE in _list(one["Principal"].get("Service"))
        for one in statements
    ) and not any(one.get("Effect") == "Deny" for one in statements)


def _list(value):
    return [value] if isinstance(value, str) else list(value or ())
