"""Who calls: an account's root, a user of its IAM, or a session of a user or a role; and the policies that bind them."""

from dataclasses import dataclass, field

from moto.iam import iam_backends

ROOT = "arn:aws:iam::{}:root"


@dataclass
class Caller:
    account: str
    arn: str
    kind: str = "root"  # root, user, role
    name: str = ""  # of the user or role
    user_id: str = ""
    session: str | None = None  # the name of a role's session
    role_arn: str | None = None
    policies: tuple = ()  # of the session itself
    mfa_at: float | None = None  # when the session's code was given
    temporary: bool = False
    names: dict = field(default_factory=dict)  # kind of principal: how policies may name this one

    def __post_init__(self):
        self.names.setdefault("AWS", {self.arn, self.role_arn or self.arn, self.user_id or self.arn})


def root(account):
    return Caller(account, ROOT.format(account), user_id=account)


def user(account, found):
    return Caller(account, found.arn, "user", found.name, found.id)


def find_role(account, arn):
    roles = list(iam_backends[account]["aws"].roles.values())  # not every caller holds moto's lock
    return next((role for role in roles if role.arn == arn), None)


def role_of(caller):
    """The role of a session; None when it is gone, or the caller is no role."""
    return find_role(caller.account, caller.role_arn) if caller.kind == "role" else None


def _documents(holder):
    managed = [
        version.document
        for policy in holder.managed_policies.values()
        for version in policy.versions
        if version.version_id == policy.default_version_id
    ]
    return [*holder.policies.values(), *managed]


def identity_policies(caller):
    """What is attached to a user (and its groups) or a role; a list of texts."""
    backend = iam_backends[caller.account]["aws"]
    if caller.kind == "role":
        role = role_of(caller)
        return _documents(role) if role else []
    if caller.name not in backend.users:
        return []
    holders = [backend.users[caller.name], *backend.get_groups_for_user(caller.name)]
    return [document for holder in holders for document in _documents(holder)]


def boundary(caller):
    """The documents of a role's permissions boundary; None without one. moto keeps none of users."""
    role = role_of(caller)
    arn = role.permissions_boundary_arn if role else None
    if not arn:
        return None
    policy = iam_backends[caller.account]["aws"].managed_policies.get(arn)
    return [one.document for one in policy.versions if one.is_default] if policy else []


def _tags(caller):
    backend = iam_backends[caller.account]["aws"]
    role = role_of(caller)
    arn = role.arn if role else caller.arn
    return {tag["Key"]: tag["Value"] for tag in backend.tagger.list_tags_for_resource(arn)["Tags"]}


def context(caller, now):
    """The condition keys that every request of this caller has."""
    found = {
        "aws:principalarn": caller.role_arn or caller.arn,
        "aws:principalaccount": caller.account,
        "aws:principaltype": {"root": "Account", "user": "User", "role": "AssumedRole"}[caller.kind],
        "aws:userid": caller.user_id,
        "aws:currenttime": str(now),
        "aws:epochtime": str(int(now)),
        "aws:sourceip": "127.0.0.1",
        "aws:securetransport": "true",  # AWS would be spoken to by TLS
        "aws:viaawsservice": "false",
    }
    if caller.kind == "user":
        found["aws:username"] = caller.name
    if caller.temporary:
        # A role's session does not tell it on, also when a code was given for it (STS API reference, AssumeRole).
        found["aws:multifactorauthpresent"] = "true" if caller.mfa_at is not None else "false"
    if caller.mfa_at is not None:
        found["aws:multifactorauthage"] = str(int(now - caller.mfa_at))
    return found | {f"aws:principaltag/{key}".lower(): value for key, value in _tags(caller).items()}
