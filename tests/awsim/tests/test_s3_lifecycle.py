"""Lifecycle rules on the simulated clock, and objects in the archive."""

from types import SimpleNamespace

import pytest

BUCKET, KEY = {"Bucket": "aging"}, {"Bucket": "aging", "Key": "k"}
LARGE = b"x" * (128 << 10)


@pytest.fixture
def s3(world):
    client = world.client("s3")
    client.create_bucket(**BUCKET)
    return client


@pytest.fixture
def versioned(s3):
    s3.put_bucket_versioning(**BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


def _rules(s3, *rules, **more):
    full = [
        {"ID": f"rule{place}", "Status": "Enabled", "Filter": {}, **rule} for place, rule in enumerate(rules)
    ]
    s3.put_bucket_lifecycle_configuration(**BUCKET, LifecycleConfiguration={"Rules": full}, **more)


def _later(world, days):
    world.control("POST", "clock", {"advance": f"{days}d"})


def _ids(s3, kind="Versions"):
    return [one["VersionId"] for one in s3.list_object_versions(**BUCKET).get(kind, [])]


def test_an_object_expires_at_the_midnight_after_its_days(world, s3, refused):
    _rules(s3, {"Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}})
    s3.put_object(**BUCKET, Key="logs/1", Body=b"1")
    s3.put_object(**KEY, Body=b"1")
    told = s3.head_object(**BUCKET, Key="logs/1")["Expiration"]
    assert 'rule-id="rule0"' in told and "00:00:00 GMT" in told
    assert "Expiration" not in s3.head_object(**KEY)
    _later(world, 2)
    s3.head_object(**BUCKET, Key="logs/1")
    _later(world, 2)
    assert refused(s3.get_object, **BUCKET, Key="logs/1") == "NoSuchKey"
    s3.head_object(**KEY)
    rows = world.ledger(operation="S3.EXPIRE.OBJECT")
    assert [(row["resource"], row["effect"], row["principal"]) for row in rows] == [
        ("aging/logs/1", "deleted", "s3.amazonaws.com")
    ]


def test_with_versions_a_marker_is_made_and_what_is_noncurrent_goes_later(world, versioned, refused):
    _rules(
        versioned,
        {"Expiration": {"Days": 10}, "NoncurrentVersionExpiration": {"NoncurrentDays": 5}},
    )
    version = versioned.put_object(**KEY, Body=b"1")["VersionId"]
    _later(world, 12)
    assert refused(versioned.get_object, **KEY) == "NoSuchKey"
    assert versioned.get_object(**KEY, VersionId=version)["Body"].read() == b"1"
    assert len(_ids(versioned, "DeleteMarkers")) == 1
    _later(world, 6)
    assert refused(versioned.get_object, **KEY, VersionId=version) == "NoSuchVersion"


def test_a_long_leap_of_the_clock_does_what_each_midnight_would_have_done(world, versioned):
    _rules(
        versioned,
        {"Expiration": {"Days": 10}, "NoncurrentVersionExpiration": {"NoncurrentDays": 5}},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}},
    )
    versioned.put_object(**KEY, Body=b"1")
    _later(world, 40)
    assert _ids(versioned) == [] and _ids(versioned, "DeleteMarkers") == []
    done = [row["operation"] for row in world.ledger(resource="aging") if row["operation"].startswith("S3.")]
    assert done == ["S3.CREATE.DELETEMARKER", "S3.EXPIRE.OBJECT", "S3.EXPIRE.OBJECT"]


def test_the_newest_noncurrent_versions_may_be_kept(world, versioned):
    expire = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}
    _rules(versioned, {"NoncurrentVersionExpiration": expire})
    ids = [versioned.put_object(**KEY, Body=str(n).encode())["VersionId"] for n in range(5)]
    _later(world, 3)
    assert _ids(versioned) == list(reversed(ids[2:]))


def test_what_is_locked_does_not_expire(world, refused):
    s3 = world.client("s3")
    s3.create_bucket(**BUCKET, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
    s3.put_object_lock_configuration(
        **BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    _rules(s3, {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}})
    version = s3.put_object(**KEY, Body=b"1")["VersionId"]
    s3.delete_object(**KEY)
    _later(world, 20)
    assert _ids(s3) == [version]
    _later(world, 20)
    assert _ids(s3) == []


def test_a_bucket_made_again_has_no_rules():
    """Also when nothing was asked between its end and its beginning."""
    from sim.s3 import lifecycle
    from sim.s3.store import Bucket

    asked = SimpleNamespace(watched={"again"}, clock=SimpleNamespace(now=lambda: 86400.0 * 30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "find", lambda name: SimpleNamespace(awsim=Bucket(None)))
        lifecycle.settle(asked)
    assert asked.watched == set()


def test_unfinished_uploads_are_aborted(world, s3, refused):
    _rules(s3, {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}})
    upload = s3.create_multipart_upload(**KEY)
    assert upload["AbortRuleId"] == "rule0" and upload["AbortDate"].hour == 0
    _later(world, 1)
    s3.list_parts(**KEY, UploadId=upload["UploadId"])
    _later(world, 3)
    assert refused(s3.list_parts, **KEY, UploadId=upload["UploadId"]) == "NoSuchUpload"


def test_a_rule_is_about_what_its_filter_says(world, s3):
    both = {"And": {"Prefix": "p/", "Tags": [{"Key": "t", "Value": "1"}], "ObjectSizeGreaterThan": 1}}
    _rules(s3, {"Filter": both, "Expiration": {"Days": 1}}, {"Status": "Disabled", "Expiration": {"Days": 1}})
    for key, tag, body in (
        ("p/gone", "t=1", b"xx"),
        ("p/small", "t=1", b"x"),
        ("p/other", "t=2", b"xx"),
        ("q", "t=1", b"xx"),
    ):
        s3.put_object(**BUCKET, Key=key, Tagging=tag, Body=body)
    _later(world, 3)
    assert [one["Key"] for one in s3.list_objects_v2(**BUCKET)["Contents"]] == ["p/other", "p/small", "q"]


def test_small_objects_stay_where_they_are_unless_the_rule_says_otherwise(world, s3):
    to = [{"Days": 1, "StorageClass": "GLACIER"}]

    def classes():
        return {one["Key"]: one["StorageClass"] for one in s3.list_objects_v2(**BUCKET)["Contents"]}

    s3.put_object(**BUCKET, Key="large", Body=LARGE)
    s3.put_object(**BUCKET, Key="small", Body=b"x")
    _rules(s3, {"Transitions": to})
    _later(world, 3)
    assert classes() == {"large": "GLACIER", "small": "STANDARD"}
    _rules(s3, {"Transitions": to}, TransitionDefaultMinimumObjectSize="varies_by_storage_class")
    _later(world, 1)
    assert classes()["small"] == "GLACIER"
    assert [row["resource"] for row in world.ledger(operation="S3.TRANSITION_GLACIER.OBJECT")] == [
        "aging/large",
        "aging/small",
    ]


def test_an_archived_object_is_restored_before_it_is_read(world, s3, refused):
    s3.put_object(**KEY, Body=LARGE)
    assert refused(s3.restore_object, **KEY, RestoreRequest={"Days": 1}) == "InvalidObjectState"
    _rules(s3, {"Transitions": [{"Days": 0, "StorageClass": "GLACIER"}]})
    _later(world, 1)
    assert s3.head_object(**KEY)["StorageClass"] == "GLACIER"
    status, _, body = world.raw("GET", "/aging/k", sign="s3")
    assert status == 403 and b"<Code>InvalidObjectState</Code>" in body
    assert b"<StorageClass>GLACIER</StorageClass>" in body
    assert refused(s3.copy_object, **BUCKET, Key="copy", CopySource="aging/k") == "ObjectNotInActiveTierError"
    restore = {"Days": 2, "GlacierJobParameters": {"Tier": "Standard"}}
    assert s3.restore_object(**KEY, RestoreRequest=restore)["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert refused(s3.restore_object, **KEY, RestoreRequest=restore) == "RestoreAlreadyInProgress"
    assert s3.head_object(**KEY)["Restore"] == 'ongoing-request="true"'
    assert refused(s3.get_object, **KEY) == "InvalidObjectState"
    world.control("POST", "clock", {"advance": "5h"})
    assert 'ongoing-request="false", expiry-date="' in s3.head_object(**KEY)["Restore"]
    assert s3.get_object(**KEY)["Body"].read() == LARGE
    assert s3.restore_object(**KEY, RestoreRequest=restore)["ResponseMetadata"]["HTTPStatusCode"] == 200
    _later(world, 4)
    assert refused(s3.get_object, **KEY) == "InvalidObjectState"


@pytest.mark.parametrize(
    "rule, code",
    [
        ({}, "InvalidRequest"),
        ({"Expiration": {"Days": 0}}, "InvalidArgument"),
        ({"Expiration": {"Date": "2030-01-01T01:00:00Z"}}, "InvalidArgument"),
        ({"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}, "MalformedXML"),
        ({"Expiration": {"Days": 1}, "Status": "On"}, "MalformedXML"),
        ({"Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}]}, "InvalidArgument"),
        ({"NoncurrentVersionExpiration": {"NoncurrentDays": 0}}, "InvalidArgument"),
        ({"Expiration": {"Days": 1}, "ID": "x" * 256}, "InvalidArgument"),
    ],
)
def test_a_wrong_rule_is_refused(s3, refused, rule, code):
    assert refused(_rules, s3=s3) == "MalformedXML"
    with pytest.raises(s3.exceptions.ClientError) as fault:
        _rules(s3, rule)
    assert fault.value.response["Error"]["Code"] == code
    assert refused(s3.get_bucket_lifecycle_configuration, **BUCKET) == "NoSuchLifecycleConfiguration"


def test_rules_are_shown_as_they_were_put_and_can_be_taken_away(world, s3, refused):
    rule = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "p/"}, "Expiration": {"Days": 1}}
    _rules(s3, rule)
    assert s3.get_bucket_lifecycle_configuration(**BUCKET)["Rules"] == [rule]
    assert refused(_two_of_one_name, s3=s3) == "InvalidArgument"
    s3.delete_bucket_lifecycle(**BUCKET)
    s3.put_object(**BUCKET, Key="p/1", Body=b"")
    _later(world, 5)
    s3.head_object(**BUCKET, Key="p/1")


def _two_of_one_name(s3):
    _rules(s3, {"ID": "a", "Expiration": {"Days": 1}}, {"ID": "a", "Expiration": {"Days": 2}})
