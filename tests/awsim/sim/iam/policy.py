"""Policy documents: which of their statements a request meets, and what follows.

Source: IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic", "AWS JSON policy elements: Principal".
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache

from .conditions import fits, hold, listed

ALLOW, DENY = "Allow", "Deny"


@dataclass
class Need:
    """One thing that a call must be allowed to do; its own condition keys, and the policy of the resource, if it has one."""

    action: str
    resource: str
    context: dict = field(default_factory=dict)
    owner: str | None = None  # the resource's account; None: the caller's
    policy: str | None = None  # the resource's own
    delegates: bool = True  # whether the account's IAM may allow it without the resource's policy (KMS: no)
    once: object = None  # called when it is allowed: what AWS then makes, for good


@lru_cache(512)
def statements(document):
    """The statements of a document; none of a text that is not one."""
    try:
        parsed = json.loads(document or "{}")
    except ValueError:
        return ()
    return tuple(listed(parsed.get("Statement", []))) if isinstance(parsed, dict) else ()


def _among(statement, name, meets):
    """Whether an element `name` or its opposite `NotName` takes in what `meets` a pattern; None: it has neither."""
    if name in statement:
        return any(meets(one) for one in listed(statement[name]))
    if "Not" + name in statement:
        return not any(meets(one) for one in listed(statement["Not" + name]))
    return None


def applies(statement, need, context):
    """Whether a statement is about this need: its action, its resource, its conditions."""
    action = _among(statement, "Action", lambda one: fits(one, need.action, fold=True))
    resource = _among(statement, "Resource", lambda one: fits(one, need.resource, context))
    return bool(action) and resource is not False and hold(statement.get("Condition"), context)


def verdict(documents, need, context):
    """DENY, ALLOW or None: what an identity's documents say."""
    met = [one["Effect"] for doc in documents for one in statements(doc) if applies(one, need, context)]
    return DENY if DENY in met else ALLOW if met else None


def _level(element, caller):
    """How a Principal element names the caller: `self`, `account` (it leaves it to that account's IAM), or None."""
    if element == "*":
        return "self"
    found = None
    for kind, names in element.items():
        for name in listed(names):
            if name in caller.names.get(kind, ()) or (kind == "AWS" and name == "*"):
                return "self"
            if kind == "AWS" and name in (caller.account, f"arn:aws:iam::{caller.account}:root"):
                found = "self" if caller.kind == "root" else "account"
    return found


def resource_verdict(document, need, context, caller):
    """DENY, or how the resource's policy allows it (`self`, `account`), or None."""
    best = None
    for statement in statements(document):
        if "Principal" in statement:
            level = _level(statement["Principal"], caller)
        else:
            level = "account" if _level(statement.get("NotPrincipal", "*"), caller) is None else None
        if level is None or not applies(statement, need, context):
            continue
        if statement["Effect"] == DENY:
            return DENY
        best = "self" if "self" in (best, level) else level
    return best
