"""A vault's access policy: what it denies to a caller, what it allows another account. Statements with a Condition are not judged."""

import json
from fnmatch import fnmatchcase

ANYBODY = "*"


def fault_in(text):
    """What is wrong with the form of a policy, None when nothing is."""
    try:
        statements = _statements(text)
    except (ValueError, TypeError, AttributeError, KeyError):
        return "not a JSON policy document"
    if not statements:
        return "it has no statement"
    for one in statements:
        if one.get("Effect") not in ("Allow", "Deny") or "Action" not in one and "NotAction" not in one:
            return "a statement needs Effect and Action"
        if "Principal" not in one and "NotPrincipal" not in one:
            return "a statement needs Principal"
    return None


def _statements(text):
    statements = json.loads(text)["Statement"]
    return [dict(one) for one in ([statements] if isinstance(statements, dict) else statements)]


def _list(value):
    return [value] if isinstance(value, str) else list(value or ())


def _names(one, principal, account):
    """Whether a statement is about this caller."""
    who = one.get("Principal")
    texts = _list(who) if isinstance(who, str) else _list((who or {}).get("AWS"))
    root = f"arn:aws:iam::{account}:root"
    return any(text in (ANYBODY, account, root, principal) for text in texts)


def _says(policy, effect, action, principal, account, resource):
    if policy is None:
        return False
    return any(
        one.get("Effect") == effect
        and "Condition" not in one
        and _names(one, principal, account)
        and any(fnmatchcase(action.lower(), text.lower()) for text in _list(one.get("Action")))
        and any(fnmatchcase(resource, text) for text in _list(one.get("Resource", ANYBODY)))
        for one in _statements(policy)
    )


def denies(policy, call, action, resource):
    return _says(policy, "Deny", action, call.principal, call.account, resource)


def lets_in(policy, account, resource):
    """Whether another account may copy into the vault."""
    return _says(policy, "Allow", "backup:CopyIntoBackupVault", None, account, resource) and not _says(
        policy, "Deny", "backup:CopyIntoBackupVault", None, account, resource
    )
