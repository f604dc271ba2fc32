"""The role in which AWS Backup works: in the caller's account, there, and ready to be assumed by it."""

from ..iam import authorize, callers
from ..iam.policy import DENY, Need, resource_verdict
from .contents import Failed
from .errors import BackupError, invalid, missing
from .store import SERVICE


def passed(call, arn):
    """Refuses a role that the caller cannot pass, or AWS Backup not assume. iam:PassRole itself is judged before."""
    if not arn:
        raise missing("IamRoleArn is required")
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise invalid(f"Invalid IAM role ARN: {arn}")
    if parts[4] != call.account:
        raise BackupError("AccessDeniedException", "Cross-account pass role is not allowed.")
    if not _assumable(call.account, arn):
        raise invalid(_words(arn))


def _words(arn):
    return f"IAM Role {arn} cannot be assumed by AWS Backup"


def _assumable(account, arn):
    """Whether its trust policy lets AWS Backup in."""
    role = callers.find_role(account, arn)
    service = callers.Caller(account, SERVICE, "service", names={"Service": {SERVICE}})
    trust = role and role.assume_role_policy_document
    return bool(trust) and resource_verdict(trust, Need("sts:AssumeRole", arn), {}, service) not in (None, DENY)


def work(store, place, arn, action, resource):
    """Failed when AWS Backup cannot work in the role; where policies are enforced, when the role may not do it."""
    if not _assumable(place.account, arn):
        raise Failed(_words(arn), "AccessDenied")
    if not store.app.identity.gate.enforced:
        return
    caller = callers.Caller(place.account, session_of(arn), "role", role_arn=arn, temporary=True)
    caller.name = arn.rpartition("/")[2]
    need = Need(action, resource)
    try:
        authorize.judge(caller, need, store.now)
    except authorize.Refusal as refusal:
        raise Failed(authorize.words(caller, need, str(refusal), "backup"), "AccessDenied") from None


def session_of(arn):
    """Who AWS Backup is in that role."""
    return f"arn:aws:sts::{arn.split(':')[4]}:assumed-role/{arn.rpartition('/')[2]}/AWSBackup"
