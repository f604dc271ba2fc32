"""A vault's access policy: its form, what it denies to a caller, whether it lets another account's copies in."""

import json

from ..iam import callers
from ..iam.policy import DENY, Need, resource_verdict, statements


def fault_in(text):
    """What is wrong with the form of a policy, None when nothing is."""
    try:
        json.loads(text)
    except ValueError:
        return "it is not JSON"
    found = statements(text)
    if not found:
        return "it has no statement"
    for one in found:
        if one.get("Effect") not in ("Allow", "Deny") or not {"Action", "NotAction"} & set(one):
            return "a statement needs Effect and Action"
        if not {"Principal", "NotPrincipal"} & set(one):
            return "a statement needs Principal"
    return None


def denies(policy, call, action, arn, now):
    if policy is None or call.caller is None:
        return False
    return resource_verdict(policy, Need(action, arn), callers.context(call.caller, now), call.caller) == DENY


def lets_in(policy, account, arn, now):
    """Whether another account may copy into the vault."""
    caller = callers.root(account)
    need = Need("backup:CopyIntoBackupVault", arn)
    verdict = policy and resource_verdict(policy, need, callers.context(caller, now), caller)
    return verdict not in (None, DENY)
