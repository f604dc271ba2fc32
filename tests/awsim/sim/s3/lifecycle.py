"""Lifecycle rules: what is checked when they are put, and what they do at each midnight (UTC) of the simulated clock.

Source: S3 User Guide, "Lifecycle configuration elements", "Troubleshooting Lifecycle" (days are rounded up to midnight),
"Transitioning objects" (objects below 128 KB stay by default), "Lifecycle and other bucket configurations".
"""

import math
import uuid

from . import lock
from .errors import S3Error
from .store import Version, beside, find

DAY, SMALL = 86400.0, 128 << 10
MAX_RULES = 1000
INFREQUENT = {"STANDARD_IA": 30, "ONEZONE_IA": 30}
# A class is left only for one that stands behind it.
ORDER = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
]
ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionTransitions",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
)


# -- configuration ------------------------------------------------------------------------------


def put_bucket_lifecycle_configuration(ask):
    rules = ask.given.get("LifecycleConfiguration", {}).get("Rules", [])
    if not 1 <= len(rules) <= MAX_RULES:
        raise S3Error("MalformedXML")
    for rule in rules:
        rule.setdefault("ID", uuid.uuid4().hex)
        _check_rule(rule)
    if len({rule["ID"] for rule in rules}) != len(rules):
        raise S3Error("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    bucket = ask.bucket
    bucket.lifecycle = rules
    bucket.smallest = ask.given.get("TransitionDefaultMinimumObjectSize", "all_storage_classes_128K")
    bucket.swept = ask.s3.clock.now()
    ask.s3.watched.add(bucket.name)
    return {"TransitionDefaultMinimumObjectSize": bucket.smallest}


def get_bucket_lifecycle_configuration(ask):
    if not ask.bucket.lifecycle:
        raise S3Error(
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
            status=404,
            BucketName=ask.bucket.name,
        )
    return {"Rules": ask.bucket.lifecycle, "TransitionDefaultMinimumObjectSize": ask.bucket.smallest}


def delete_bucket_lifecycle(ask):
    ask.bucket.lifecycle = None
    ask.s3.watched.discard(ask.bucket.name)
    return {}


def _wrong(message):
    return S3Error("InvalidArgument", message)


def _check_rule(rule):
    if len(rule["ID"]) > 255:
        raise _wrong("ID length should not exceed allowed limit of 255")
    if ("Prefix" in rule) == ("Filter" in rule):
        raise S3Error("MalformedXML")
    if not any(rule.get(name) for name in ACTIONS):
        raise S3Error("InvalidRequest", "At least one action needs to be specified in a rule")
    expiration = rule.get("Expiration")
    if expiration is not None and len(expiration) != 1:
        raise S3Error("MalformedXML")
    for one in [expiration or {}, *rule.get("Transitions", ())]:
        if one.get("Days", 1) < (0 if "StorageClass" in one else 1):
            raise _wrong("'Days' for Expiration action must be a positive integer")
        if "Date" in one and one["Date"] % DAY:
            raise _wrong("'Date' must be at midnight GMT")
    for one in rule.get("Transitions", ()):
        least = INFREQUENT.get(one["StorageClass"], 0)
        if one.get("Days", least) < least:
            raise _wrong(
                f"'Days' in Transition action must be greater than or equal to {least} for storageClass '{one['StorageClass']}'"
            )
    _check_noncurrent(rule)
    if rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation", 1) < 1:
        raise _wrong(
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
        )


def _check_noncurrent(rule):
    for one in [rule.get("NoncurrentVersionExpiration", {}), *rule.get("NoncurrentVersionTransitions", ())]:
        if one.get("NoncurrentDays", 1) < (0 if "StorageClass" in one else 1):
            raise _wrong("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")
        if "NewerNoncurrentVersions" in one and (
            "NoncurrentDays" not in one or not 1 <= one["NewerNoncurrentVersions"] <= 100
        ):
            raise _wrong("'NewerNoncurrentVersions' must be between 1 and 100, beside 'NoncurrentDays'")


# -- what a rule is about -----------------------------------------------------------------------


def _filter(rule):
    """(prefix, tags, more than, less than)"""
    given = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    given = given.get("And", given)
    tags = given.get("Tags", [given["Tag"]] if "Tag" in given else [])
    return given.get("Prefix", ""), tags, given.get("ObjectSizeGreaterThan"), given.get("ObjectSizeLessThan")


def _fits(rule, version):
    prefix, tags, more, less = _filter(rule)
    return (
        rule["Status"] == "Enabled"
        and version.key.startswith(prefix)
        and all(version.tags.get(tag["Key"]) == tag["Value"] for tag in tags)
        and (more is None or version.size > more)
        and (less is None or version.size < less)
    )


def _midnight(at):
    return math.ceil(at / DAY) * DAY


def _due(when, since, day="Days"):
    """When it is time: the midnight after so many days, or the date."""
    return when["Date"] if "Date" in when else _midnight(since + when.get(day, 0) * DAY)


def expiration(bucket, version):
    """The header x-amz-expiration of a current version."""
    from .rest import http_date

    if not bucket.lifecycle or version.noncurrent is not None:
        return None
    found = [
        (_due(rule["Expiration"], version.modified), rule["ID"])
        for rule in bucket.lifecycle
        if set(rule.get("Expiration", ())) & {"Days", "Date"} and _fits(rule, version)
    ]
    return 'expiry-date="{}", rule-id="{}"'.format(http_date(min(found)[0]), min(found)[1]) if found else None


def abort_date(bucket, upload):
    """(when, rule) of the lifecycle's end of an upload, or (None, None)."""
    found = [
        (
            _midnight(upload.started + rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] * DAY),
            rule["ID"],
        )
        for rule in bucket.lifecycle or ()
        if rule.get("AbortIncompleteMultipartUpload")
        and rule["Status"] == "Enabled"
        and upload.key.startswith(_filter(rule)[0])
    ]
    return min(found) if found else (None, None)


# -- as time goes on ----------------------------------------------------------------------------


def settle(s3):
    """Each midnight since the last look, one after the other: what one does, the next builds on."""
    for name in list(s3.watched):
        fake, now = find(name), s3.clock.now()
        bucket = beside(fake) if fake else None
        if bucket is None or not bucket.lifecycle:  # gone, or another one by now
            s3.watched.discard(name)
            continue
        midnight = _midnight(bucket.swept + 0.001)
        while midnight <= now:
            bucket.swept = midnight
            _sweep(s3, bucket, midnight)
            midnight += DAY


def _sweep(s3, bucket, now):
    for rule in bucket.lifecycle:
        for key in list(bucket.objects):
            _one_key(s3, bucket, rule, key, now)
    for upload in list(bucket.uploads.values()):
        at, _ = abort_date(bucket, upload)
        if at and now >= at:
            del bucket.uploads[upload.id]
            s3.note(bucket, "S3.DELETE.UPLOAD", upload.key, "deleted")


def _one_key(s3, bucket, rule, key, now):
    versions = bucket.versions(key)
    for version in list(versions[:-1]):
        _noncurrent(s3, bucket, rule, version, now)
    versions = bucket.versions(key)
    if not versions:
        return
    newest = versions[-1]
    if newest.marker:
        _lone_marker(s3, bucket, rule, newest, now)
    elif _fits(rule, newest) and not _expired(s3, bucket, rule, newest, now):
        _moved(s3, bucket, newest, rule.get("Transitions", ()), newest.modified, "Days", now, rule)


def _lone_marker(s3, bucket, rule, marker, now):
    """A delete marker with nothing below it goes with ExpiredObjectDeleteMarker, or when its days are over."""
    wanted = rule.get("Expiration", {})
    if (
        len(bucket.versions(marker.key)) > 1
        or rule["Status"] != "Enabled"
        or not marker.key.startswith(_filter(rule)[0])
        or _filter(rule)[1]
    ):
        return
    if wanted.get("ExpiredObjectDeleteMarker") or ("Days" in wanted and now >= _due(wanted, marker.modified)):
        s3.drop(bucket, marker)
        s3.note(bucket, "S3.EXPIRE.OBJECT", marker.key, "deleted")


def _expired(s3, bucket, rule, version, now):
    wanted = rule.get("Expiration", {})
    if not set(wanted) & {"Days", "Date"} or now < _due(wanted, version.modified):
        return False
    if not bucket.versioning:
        s3.drop(bucket, version)
        s3.note(bucket, "S3.EXPIRE.OBJECT", version.key, "deleted")
    else:
        s3.add(bucket, Version(version.key, now, marker=True), now)
        s3.note(bucket, "S3.CREATE.DELETEMARKER", version.key, "deleted")
    return True


def _newer_noncurrent(bucket, version):
    versions = bucket.versions(version.key)
    return len(versions) - 2 - versions.index(version)


def _noncurrent(s3, bucket, rule, version, now):
    if not _fits(rule, version):
        return
    wanted = rule.get("NoncurrentVersionExpiration")
    if wanted and now >= _due(wanted, version.noncurrent, "NoncurrentDays"):
        kept = _newer_noncurrent(bucket, version) < wanted.get("NewerNoncurrentVersions", 0)
        if not kept and not lock.is_locked(version, now):
            s3.drop(bucket, version)
            s3.note(bucket, "S3.EXPIRE.OBJECT", version.key, "deleted")
            return
    if not version.marker:
        moves = [
            one
            for one in rule.get("NoncurrentVersionTransitions", ())
            if _newer_noncurrent(bucket, version) >= one.get("NewerNoncurrentVersions", 0)
        ]
        _moved(s3, bucket, version, moves, version.noncurrent, "NoncurrentDays", now, rule)


def _moved(s3, bucket, version, moves, since, days, now, rule):
    due = [one["StorageClass"] for one in moves if now >= _due(one, since, days)]
    target = max(due, key=ORDER.index, default=version.storage)
    if ORDER.index(target) <= ORDER.index(version.storage) or _too_small(bucket, rule, version, target):
        return
    version.storage = target
    s3.note(bucket, f"S3.TRANSITION_{target}.OBJECT", version.key, "changed")


def _too_small(bucket, rule, version, target):
    _, _, more, less = _filter(rule)
    if version.size >= SMALL or more is not None or less is not None:
        return False
    return bucket.smallest == "all_storage_classes_128K" or target not in ("GLACIER", "DEEP_ARCHIVE")
