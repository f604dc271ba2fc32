"""Object Lock: what may not be deleted, by whom, until when; and what a put must carry."""

from datetime import datetime, timedelta

import pytest

BUCKET, KEY = {"Bucket": "locked"}, {"Bucket": "locked", "Key": "k"}
NO_CHECKSUMS = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
DENIED = "AccessDenied"


@pytest.fixture
def s3(world):
    client = world.client("s3")
    client.create_bucket(**BUCKET, ObjectLockEnabledForBucket=True)
    return client


@pytest.fixture
def at(world):
    """The simulated time, so many days from now, in whole seconds."""
    now = datetime.fromisoformat(world.control("GET", "clock")["now"]).replace(microsecond=0)
    return lambda days: now + timedelta(days=days)


def _later(world, by):
    world.control("POST", "clock", {"advance": by})


def _default(s3, mode="COMPLIANCE", **period):
    rule = {"DefaultRetention": {"Mode": mode, **(period or {"Days": 30})}}
    s3.put_object_lock_configuration(
        **BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )


def test_such_a_bucket_keeps_versions_for_good(s3, refused):
    assert s3.get_bucket_versioning(**BUCKET)["Status"] == "Enabled"
    suspend = {"VersioningConfiguration": {"Status": "Suspended"}}
    assert refused(s3.put_bucket_versioning, **BUCKET, **suspend) == "InvalidBucketState"


def test_the_default_locks_every_new_version(world, s3, refused):
    before = s3.put_object(**KEY, Body=b"0")["VersionId"]
    _default(s3)
    version = s3.put_object(**KEY, Body=b"1")["VersionId"]
    head = s3.head_object(**KEY)
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert head["ObjectLockRetainUntilDate"] - head["LastModified"] == pytest.approx(
        timedelta(days=30), abs=timedelta(seconds=2)
    )
    assert refused(s3.delete_object, **KEY, VersionId=version, BypassGovernanceRetention=True) == DENIED
    s3.delete_object(**KEY, VersionId=before)
    assert s3.delete_object(**KEY)["DeleteMarker"]
    assert s3.get_object(**KEY, VersionId=version)["Body"].read() == b"1"
    _later(world, "31d")
    s3.delete_object(**KEY, VersionId=version)
    assert refused(s3.get_object, **KEY, VersionId=version) == "NoSuchVersion"


def test_of_many_deletes_the_locked_one_is_told(s3):
    _default(s3)
    version = s3.put_object(**KEY, Body=b"1")["VersionId"]
    told = s3.delete_objects(**BUCKET, Delete={"Objects": [{"Key": "k", "VersionId": version}, {"Key": "k"}]})
    assert [(one["VersionId"], one["Code"]) for one in told["Errors"]] == [(version, DENIED)]
    assert len(told["Deleted"]) == 1


def test_a_put_that_is_locked_wants_a_digest(world, at, refused):
    plain = world.client("s3", **NO_CHECKSUMS)
    plain.create_bucket(**BUCKET, ObjectLockEnabledForBucket=True)
    plain.put_object(**KEY, Body=b"not locked")
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": at(1)}
    assert _words(plain.put_object, **KEY, Body=b"1", **lock) == (
        "InvalidRequest",
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    )
    plain.put_object(**KEY, Body=b"1", ChecksumAlgorithm="SHA256", **lock)
    _default(plain)
    assert refused(plain.put_object, **KEY, Body=b"1") == "InvalidRequest"
    plain.put_object(**KEY, Body=b"", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    upload = {**KEY, "UploadId": plain.create_multipart_upload(**KEY)["UploadId"], "PartNumber": 1}
    assert _words(plain.upload_part, **upload, Body=b"1")[1].startswith(
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests"
    )


def _words(function, **given):
    try:
        function(**given)
    except Exception as fault:
        return fault.response["Error"]["Code"], fault.response["Error"]["Message"]
    raise AssertionError("was not refused")


def test_governance_gives_way_to_the_bypass_only(s3, at, refused):
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": at(10)}
    version = {**KEY, "VersionId": s3.put_object(**KEY, Body=b"1", **lock)["VersionId"]}
    assert refused(s3.delete_object, **version) == DENIED
    shorter = {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": at(5)}}
    assert refused(s3.put_object_retention, **version, **shorter) == DENIED
    assert refused(s3.put_object_retention, **version, Retention={}) == DENIED
    s3.put_object_retention(**version, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": at(20)})
    s3.put_object_retention(**version, **shorter, BypassGovernanceRetention=True)
    assert s3.get_object_retention(**version)["Retention"]["RetainUntilDate"] == at(5)
    s3.delete_object(**version, BypassGovernanceRetention=True)


def test_compliance_gives_way_to_nobody(s3, at, refused):
    lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": at(10)}
    version = {**KEY, "VersionId": s3.put_object(**KEY, Body=b"1", **lock)["VersionId"]}
    for weaker in (
        {"Mode": "COMPLIANCE", "RetainUntilDate": at(5)},
        {"Mode": "GOVERNANCE", "RetainUntilDate": at(20)},
        {},
    ):
        assert (
            refused(s3.put_object_retention, **version, Retention=weaker, BypassGovernanceRetention=True)
            == DENIED
        )
    s3.put_object_retention(**version, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": at(20)})
    assert refused(s3.delete_object, **version, BypassGovernanceRetention=True) == DENIED


def test_a_legal_hold_stands_until_it_is_taken_off(s3, refused):
    version = {
        **KEY,
        "VersionId": s3.put_object(**KEY, Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"],
    }
    assert s3.get_object_legal_hold(**version)["LegalHold"]["Status"] == "ON"
    assert refused(s3.delete_object, **version, BypassGovernanceRetention=True) == DENIED
    s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
    s3.delete_object(**version)


def test_what_is_wrong_about_a_lock_is_refused(s3, at, refused):
    half = {"ObjectLockMode": "GOVERNANCE"}
    assert refused(s3.put_object, **KEY, Body=b"1", **half) == "InvalidArgument"
    past = {**half, "ObjectLockRetainUntilDate": at(-1)}
    assert refused(s3.put_object, **KEY, Body=b"1", **past) == "InvalidArgument"
    s3.put_object(**KEY, Body=b"1")
    assert refused(s3.get_object_retention, **KEY) == "NoSuchObjectLockConfiguration"
    assert refused(s3.get_object_legal_hold, **KEY) == "NoSuchObjectLockConfiguration"
    s3.create_bucket(Bucket="plain")
    plain = {"Bucket": "plain", "Key": "k"}
    lock = {**half, "ObjectLockRetainUntilDate": at(1)}
    assert refused(s3.put_object, **plain, Body=b"1", **lock) == "InvalidRequest"
    assert refused(s3.get_object_lock_configuration, Bucket="plain") == "ObjectLockConfigurationNotFoundError"
    enabled = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
    assert refused(s3.put_object_lock_configuration, Bucket="plain", **enabled) == "InvalidBucketState"
    s3.put_bucket_versioning(Bucket="plain", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(Bucket="plain", **enabled)
    s3.put_object(**plain, Body=b"1", **lock)


def test_the_default_is_shown_as_it_was_put(s3, refused):
    _default(s3, "GOVERNANCE", Years=1)
    shown = s3.get_object_lock_configuration(**BUCKET)["ObjectLockConfiguration"]
    assert shown["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Years": 1}
    for period in ({"Days": 0}, {"Days": 36501}):
        assert refused(_default, s3=s3, **period) == "InvalidArgument"
    assert refused(_default, s3=s3, Days=1, Years=1) == "MalformedXML"


def test_a_copy_and_an_upload_are_locked_by_the_default_too(s3, refused):
    s3.put_object(**BUCKET, Key="source", Body=b"1")
    _default(s3)
    copied = s3.copy_object(**KEY, CopySource="locked/source")["VersionId"]
    upload = s3.create_multipart_upload(**KEY, ChecksumAlgorithm="CRC32")["UploadId"]
    part = s3.upload_part(**KEY, UploadId=upload, PartNumber=1, Body=b"1", ChecksumAlgorithm="CRC32")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}]}
    made = s3.complete_multipart_upload(**KEY, UploadId=upload, MultipartUpload=parts)["VersionId"]
    for version in (copied, made):
        assert refused(s3.delete_object, **KEY, VersionId=version) == DENIED
