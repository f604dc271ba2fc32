"""KMS: a key that is disabled or pending deletion refuses, whoever uses it (DynamoDB and SSM too); its deletion comes."""

import uuid

from moto.kms import kms_backends
from moto.kms.exceptions import JsonRESTError
from moto.kms.models import KmsBackend

from ..ddb import encryption
from .registry import Refused, after, before, install, rewrite

USES = ("encrypt", "decrypt", "sign", "verify", "generate_mac", "verify_mac", "get_public_key")
INVALID_STATE = "KMSInvalidStateException"
CRYPTOGRAPHIC = (
    "Encrypt",
    "Decrypt",
    "ReEncrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "Sign",
    "Verify",
    "GenerateMac",
    "VerifyMac",
    "GetPublicKey",
)
EVERY = (
    "DescribeKey",
    "ListKeys",
    "EnableKey",
    "DisableKey",
    "CancelKeyDeletion",
    "ScheduleKeyDeletion",
    "CreateAlias",
    "UpdateAlias",
    "GetKeyPolicy",
    "ListAliases",
    *CRYPTOGRAPHIC,
)


def backend_of(account, region):
    return kms_backends[account][region]


def find(account, region, name):
    """The key that an id, an ARN or an alias names, None when there is none."""
    backend = backend_of(account, region)
    if name.startswith("arn:") and name.split(":")[3] != region:
        return None
    try:
        return backend.keys.get(backend.any_id_to_key_id(name))
    except (AttributeError, KeyError):
        return None


def sweep(account, region, now):
    """Keys whose waiting period is over are gone."""
    backend = backend_of(account, region)
    for key in list(backend.keys.values()):
        if key.deletion_date is not None and key.deletion_date.timestamp() <= now:
            backend.delete_key(key.id)


def trouble(key):
    """(code, message) of why a key cannot be used, None when it can."""
    if key.key_state == "Disabled":
        return "DisabledException", f"{key.arn} is disabled."
    if key.key_state == "PendingDeletion":
        return INVALID_STATE, f"{key.arn} is pending deletion."
    return None


def trouble_with(account, region, name, now):
    """The same for a key by any of its names."""
    sweep(account, region, now)
    key = find(account, region, name)
    if key is None:
        kind = "Alias" if "alias/" in name else "Key"
        arn = name if name.startswith("arn:") else f"arn:aws:kms:{region}:{account}:{'' if kind == 'Alias' else 'key/'}{name}"
        words = f"Alias {arn} is not found." if kind == "Alias" else f"Key '{arn}' does not exist"
        return "NotFoundException", words
    return trouble(key)


@install
def _refuse_unusable(app):
    """Every use goes through these methods of moto's; each names its key, or finds it in what is to be decrypted."""
    if getattr(KmsBackend, "refuses", False):
        return
    KmsBackend.refuses = True
    for name in ("disable_key", "schedule_key_deletion"):
        setattr(KmsBackend, name, _dated(getattr(KmsBackend, name), app.clock))
    for name in USES:
        if hasattr(KmsBackend, name):
            setattr(KmsBackend, name, _guarded(getattr(KmsBackend, name)))


def _dated(method, clock):
    """Remembers since when a key is out of use."""

    def dated(self, key_id, *more):
        key = self.keys[key_id]
        key.since = clock.now() if key.enabled else getattr(key, "since", clock.now())
        return method(self, key_id, *more)

    return dated


def _guarded(method):
    def guarded(self, *positional, **named):
        found = method(self, *positional, **named)
        used = named.get("key_id") or (positional[0] if positional and isinstance(positional[0], str) else None)
        if method.__name__ == "decrypt":
            used = found[1]  # the key is told by the ciphertext
        why = trouble(self.keys[self.any_id_to_key_id(used)]) if used else None
        if why:
            raise JsonRESTError(*why)
        return found

    guarded.__name__ = method.__name__
    return guarded


@before("kms", *EVERY)
def _sweep(deed):
    sweep(deed.call.account, deed.call.region, deed.now)


def _key(deed):
    return find(deed.call.account, deed.call.region, deed.given.get("KeyId") or deed.given.get("TargetKeyId") or "")


@before("kms", "EnableKey", "DisableKey", "CreateAlias", "UpdateAlias", "ScheduleKeyDeletion")
def _not_when_pending(deed):
    key = _key(deed)
    if key is not None and key.key_state == "PendingDeletion":
        raise Refused(400, INVALID_STATE, f"{key.arn} is pending deletion.")


@before("kms", "ScheduleKeyDeletion")
def _window(deed):
    days = deed.given.get("PendingWindowInDays", 30)
    if not 7 <= days <= 30:
        bound = "greater than or equal to 7" if days < 7 else "less than or equal to 30"
        words = f"Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value {bound}"
        raise Refused(400, "ValidationException", f"1 validation error detected: {words}")


@before("kms", "CancelKeyDeletion")
def _only_when_pending(deed):
    key = _key(deed)
    if key is not None and key.key_state != "PendingDeletion":
        raise Refused(400, INVALID_STATE, f"{key.arn} is not pending deletion.")


@after("kms", "ScheduleKeyDeletion", "CancelKeyDeletion")
def _tell_arn(deed, response):
    key = _key(deed)
    more = {"KeyState": key.key_state, "PendingWindowInDays": deed.given.get("PendingWindowInDays", 30)}
    told = {"KeyId": key.arn, **(more if deed.call.operation == "ScheduleKeyDeletion" else {})}
    rewrite(response, lambda members: members.update(told))


# -- in DynamoDB's words -----------------------------------------------------------------------------------

KINDS = {"DisabledException": "KMS key disabled error"}


@install
def _tell_dynamodb(_app):
    encryption.look_up = _for_dynamodb


def _for_dynamodb(account, region, name, now):
    """(ARN, why it cannot be used or None, since when); S3's own code asks moto's keys itself."""
    why, key = trouble_with(account, region, name, now), find(account, region, name)
    if why is None:
        return key.arn, None, now
    code, words = why
    tail = f"(Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: {uuid.uuid4()}; Proxy: null)"
    since = getattr(key, "since", 0.0) if key else 0.0
    return name, f"{KINDS.get(code, 'KMS validation error')}: com.amazonaws.services.kms.model.{code}: {words} {tail}", since
