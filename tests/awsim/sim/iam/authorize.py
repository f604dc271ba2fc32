"""Whether a caller may do what a call needs, and AWS's words when he may not.

Source: IAM User Guide, "Policy evaluation logic", "Troubleshoot access denied error messages".
"""

from ..denials import Denied
from ..s3.store import find
from . import callers
from .needs import needs
from .needs_s3 import deleted_keys, policy_of
from .policy import ALLOW, DENY, Need, resource_verdict, verdict

PLAIN = "Access Denied"
# Headers of an object that are shown to those who may ask for them (S3 API reference, GetObject: Permissions).
LOCK_HEADERS = {
    "s3:GetObjectRetention": ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"),
    "s3:GetObjectLegalHold": ("x-amz-object-lock-legal-hold",),
}


class Refusal(Exception):
    """Why a Need is not met: the words behind `resource: ARN `."""


def _implicit(kind, need):
    return f"because no {kind} allows the {need.action} action"


def _explicit(kind):
    article = "an" if kind[0] in "aeiou" else "a"
    return f"with an explicit deny in {article} {kind}"


def _bounds(caller, need, context):
    """Refusal when what bounds an identity (its session's policies, its boundary) does not allow it."""
    for kind, documents in (("session policy", caller.policies), ("permissions boundary", callers.boundary(caller))):
        if documents is None or (kind == "session policy" and not documents):
            continue
        said = verdict(documents, need, context)
        if said == DENY:
            raise Refusal(_explicit(kind))
        if said != ALLOW:
            raise Refusal(_implicit(kind, need))


def identity_allows(caller, need, context):
    """Whether the caller's own policies allow it; Refusal when one denies it or bounds it."""
    if caller.kind == "root":
        return True
    said = verdict(callers.identity_policies(caller), need, context)
    if said == DENY:
        raise Refusal(_explicit("identity-based policy"))
    if said == ALLOW:
        _bounds(caller, need, context)
    return said == ALLOW


def judge(caller, need, now, enforced=True):
    """Refusal, or nothing. Without `enforced` whatever a caller's own account allows him counts as allowed."""
    context = {**callers.context(caller, now), **need.context}
    foreign = need.owner not in (None, caller.account)
    by_resource = resource_verdict(need.policy, need, context, caller) if need.policy else None
    if by_resource == DENY:
        raise Refusal(_explicit("resource-based policy"))
    if by_resource == "self" and not foreign and enforced:
        if verdict(callers.identity_policies(caller), need, context) == DENY:
            raise Refusal(_explicit("identity-based policy"))
        return
    allowed = identity_allows(caller, need, context) if enforced else True
    if not allowed:
        raise Refusal(_implicit("identity-based policy", need))
    if by_resource is None and (foreign or not need.delegates):
        raise Refusal(_implicit("resource-based policy", need))


def words(caller, need, why, service):
    if service == "s3" and need.owner not in (None, caller.account):
        return PLAIN  # S3 does not tell strangers why
    resource = f'"{need.resource}"' if need.action.startswith("s3:") else need.resource
    return f"User: {caller.arn} is not authorized to perform: {need.action} on resource: {resource} {why}"


class Gate:
    """`enforced`: whether callers need policies of their own; resources of another account always need theirs."""

    def __init__(self, enforced, clock, store, lock):
        self.as_started, self.enforced = enforced, enforced
        self.clock, self.store, self.lock = clock, store, lock

    def reset(self):
        self.enforced = self.as_started

    def check(self, call, request):
        """Denied, or nothing."""
        caller = call.caller
        if not self.enforced and not _may_be_foreign(call, request, caller):
            return
        with self.lock:  # moto's, whose users, roles and buckets are looked at
            self._judge(call, request, caller)

    def _judge(self, call, request, caller):
        asked = self._needs(call, request)
        several = deleted_keys(request.body) if call.operation == "DeleteObjects" else []
        for number, need in enumerate(asked):
            if not self.enforced and need.owner in (None, caller.account):
                continue
            try:
                self._meet(call, caller, need)
            except Denied as denied:
                if number >= len(several):
                    raise
                call.denied[several[number]] = denied.message  # each key of a deletion for itself
        for need in asked if self.enforced else ():
            if need.once:
                need.once()
        if asked and asked[0].owner and call.service in ("s3", "dynamodb"):
            call.account = asked[0].owner  # it is served where the resource is

    def _needs(self, call, request):
        try:
            return needs(call, request, self.store)
        except (AttributeError, IndexError, KeyError, TypeError):  # members of a wrong form: for the service to refuse
            return [Need(f"{call.service}:{call.operation}", "*")]

    def _meet(self, call, caller, need):
        try:
            judge(caller, need, self.clock.now(), self.enforced)
        except Refusal as refusal:
            raise Denied("access", words(caller, need, str(refusal), call.service)) from None

    def shown(self, call, response):
        """The answer as this caller may see it: of an object no more than he may ask for apart."""
        if not self.enforced or call.operation not in ("GetObject", "HeadObject"):
            return response
        with self.lock:
            return self._as_allowed(call, response)

    def _as_allowed(self, call, response):
        bucket, _, key = call.resource.partition("/")
        there = find(bucket)
        if response.status == 404 and there is not None:
            refusal = self._refusal(call, there, "s3:ListBucket", f"arn:aws:s3:::{bucket}")
            return refusal.response(call) if refusal else response  # who may not list is not told that it is missing
        for action, names in LOCK_HEADERS.items():
            if any(name in response.headers for name in names) and self._refusal(call, there, action, f"arn:aws:s3:::{bucket}/{key}"):
                response.headers = {name: value for name, value in response.headers.items() if name not in names}
        return response

    def _refusal(self, call, bucket, action, resource):
        """Denied when the caller may not do this as well; None when he may."""
        need = Need(action, resource, {}, bucket.account_id, policy_of(bucket))
        try:
            judge(call.caller, need, self.clock.now())
        except Refusal as refusal:
            return Denied("access", words(call.caller, need, str(refusal), "s3"))
        return None


def _may_be_foreign(call, request, caller):
    """Without enforcement only what names another account's resource needs a look."""
    if call.service == "s3":
        bucket = find((call.resource or "").partition("/")[0])
        foreign = bucket is not None and bucket.account_id != caller.account and call.operation != "CreateBucket"
        return foreign or "x-amz-copy-source" in request.headers
    return call.service == "dynamodb" and b"arn:aws:dynamodb:" in request.body
