"""Object Lock: retention, legal hold, the bucket's default, and who may not delete.

Source: S3 User Guide, "Locking objects with Object Lock"; S3 API Reference of each operation.
"""

from datetime import datetime, timezone

from .errors import S3Error
from .reading import version_of

DAY = 86400.0
NEEDS_DIGEST = (
    "Content-MD5 OR x-amz-checksum- HTTP header is required for Put {} requests with Object Lock parameters"
)


def _past():
    return S3Error("InvalidArgument", "The retain until date must be in the future!")


def _protected():
    return S3Error("AccessDenied", "Access Denied because object protected by object lock.")


def check_locked_bucket(bucket):
    if not bucket.fake.object_lock_enabled:
        raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")


def default(bucket, now):
    """(mode, until) that the bucket gives to every new version, or (None, None)."""
    fake = bucket.fake
    if not fake.object_lock_enabled or not fake.default_lock_mode:
        return None, None
    if fake.default_lock_days:
        return fake.default_lock_mode, now + int(fake.default_lock_days) * DAY
    made = datetime.fromtimestamp(now, timezone.utc)
    years = int(fake.default_lock_years)
    day = 28 if (made.month, made.day) == (2, 29) else made.day
    return fake.default_lock_mode, made.replace(year=made.year + years, day=day).timestamp()


def wanted(ask):
    """{field: value} of a new version: what the request says, else the bucket's default."""
    given, bucket, now = ask.given, ask.bucket, ask.s3.clock.now()
    mode, until = given.get("ObjectLockMode"), given.get("ObjectLockRetainUntilDate")
    hold = given.get("ObjectLockLegalHoldStatus")
    if mode or until or hold:
        check_locked_bucket(bucket)
    if bool(mode) != bool(until):
        raise S3Error(
            "InvalidArgument",
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )
    if mode and mode not in ("GOVERNANCE", "COMPLIANCE"):
        raise S3Error("InvalidArgument", "Unknown wormMode directive.")
    if until and until <= now:
        raise _past()
    if hold and hold not in ("ON", "OFF"):
        raise S3Error("InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'")
    if not mode:
        mode, until = default(bucket, now)
    return {"mode": mode, "until": until, "hold": hold}


def demand_digest(ask, fields, what="Object"):
    """A put that will be locked is taken only with a digest of its body (API Reference, PutObject)."""
    if (fields["mode"] or fields["hold"]) and not ask.found and "content-md5" not in ask.request.headers:
        raise S3Error("InvalidRequest", NEEDS_DIGEST.format(what))


def is_locked(version, now, bypass=False):
    if version.hold == "ON":
        return True
    return bool(version.until) and now < version.until and not (version.mode == "GOVERNANCE" and bypass)


def check_delete(version, now, bypass):
    if is_locked(version, now, bypass):
        raise _protected()


def shown(version):
    return {
        "ObjectLockMode": version.mode,
        "ObjectLockRetainUntilDate": version.until,
        "ObjectLockLegalHoldStatus": version.hold,
    }


# -- operations ---------------------------------------------------------------------------------


def put_object_retention(ask):
    """Longer is always right; shorter, weaker or none only under GOVERNANCE, with the bypass."""
    check_locked_bucket(ask.bucket)
    version, now = version_of(ask), ask.s3.clock.now()
    given = ask.given.get("Retention", {})
    mode, until = given.get("Mode"), given.get("RetainUntilDate")
    if bool(mode) != bool(until):
        raise S3Error("MalformedXML")
    if until and until <= now:
        raise _past()
    weaker = (until or 0) < (version.until or 0) or (version.mode == "COMPLIANCE" and mode != "COMPLIANCE")
    weaker = weaker or (version.mode == "GOVERNANCE" and mode is None)
    held = version.until and now < version.until
    if held and weaker and not (version.mode == "GOVERNANCE" and ask.given.get("BypassGovernanceRetention")):
        raise _protected()
    version.mode, version.until = mode, until
    ask.s3.changed(ask.bucket, version)
    return {}


def get_object_retention(ask):
    check_locked_bucket(ask.bucket)
    version = version_of(ask)
    if not version.mode:
        raise _no_lock()
    return {"Retention": {"Mode": version.mode, "RetainUntilDate": version.until}}


def _no_lock():
    return S3Error(
        "NoSuchObjectLockConfiguration",
        "The specified object does not have a ObjectLock configuration",
        status=404,
    )


def put_object_legal_hold(ask):
    check_locked_bucket(ask.bucket)
    version = version_of(ask)
    version.hold = ask.given.get("LegalHold", {}).get("Status")
    if version.hold is None:
        raise S3Error("MalformedXML")
    ask.s3.changed(ask.bucket, version)
    return {}


def get_object_legal_hold(ask):
    check_locked_bucket(ask.bucket)
    version = version_of(ask)
    if not version.hold:
        raise _no_lock()
    return {"LegalHold": {"Status": version.hold}}


def put_object_lock_configuration(ask):
    """Also of a bucket that stands already, when its versions are kept (User Guide, since November 2023)."""
    fake, given = ask.bucket.fake, ask.given.get("ObjectLockConfiguration", {})
    if ask.bucket.versioning != "Enabled":
        raise S3Error(
            "InvalidBucketState",
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
        )
    if given.get("ObjectLockEnabled") != "Enabled":
        raise S3Error("MalformedXML")
    rule = given.get("Rule", {}).get("DefaultRetention")
    if rule is not None:
        _check_default(rule)
    fake.object_lock_enabled = True
    fake.default_lock_mode = rule["Mode"] if rule else None
    fake.default_lock_days, fake.default_lock_years = (rule or {}).get("Days"), (rule or {}).get("Years")
    return {}


def _check_default(rule):
    days, years = rule.get("Days"), rule.get("Years")
    if "Mode" not in rule or (days is None) == (years is None):
        raise S3Error("MalformedXML")
    if (days if years is None else years) <= 0:
        raise S3Error("InvalidArgument", "Default retention period must be a positive integer value.")
    if (days or 0) > 36500 or (years or 0) > 100:
        raise S3Error(
            "InvalidArgument", "Default retention period must be smaller than or equal to 100 years."
        )


def get_object_lock_configuration(ask):
    fake = ask.bucket.fake
    if not fake.object_lock_enabled:
        raise S3Error(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
            status=404,
            BucketName=fake.name,
        )
    shown_rule = {}
    if fake.default_lock_mode:
        period = {"Days": fake.default_lock_days, "Years": fake.default_lock_years}
        retention = {
            "Mode": fake.default_lock_mode,
            **{name: int(value) for name, value in period.items() if value},
        }
        shown_rule = {"Rule": {"DefaultRetention": retention}}
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **shown_rule}}
