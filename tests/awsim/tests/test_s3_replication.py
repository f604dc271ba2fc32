"""Replication: copies with a lag, statuses, metrics; what is not replicated."""

from datetime import datetime, timedelta

import pytest

ROLE = "arn:aws:iam::123456789012:role/replication"
KEY = {"Bucket": "source", "Key": "k"}
COPY = {"Bucket": "target", "Key": "k"}


@pytest.fixture
def s3(world):
    client = world.client("s3")
    client.create_bucket(Bucket="source")
    place = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    world.client("s3", region="eu-west-1").create_bucket(Bucket="target", **place)
    for bucket in ("source", "target"):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    world.settings(replication_lag="10m")
    return client


@pytest.fixture
def there(world):
    return world.client("s3", region="eu-west-1")


def _rule(**more):
    destination = {"Bucket": "arn:aws:s3:::target", **more.pop("Destination", {})}
    markers = {"DeleteMarkerReplication": {"Status": "Disabled"}}
    return {
        "ID": "all",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {},
        **markers,
        **more,
        "Destination": destination,
    }


def _replicate(s3, *rules):
    s3.put_bucket_replication(Bucket="source", ReplicationConfiguration={"Role": ROLE, "Rules": list(rules)})


def _later(world, by="10m"):
    world.control("POST", "clock", {"advance": by})


def test_a_version_is_copied_under_its_own_id_after_a_while(world, s3, there, refused):
    s3.put_object(**KEY, Body=b"0")
    _replicate(s3, _rule())
    said = {"Metadata": {"a": "1"}, "ContentType": "text/plain", "Tagging": "t=1"}
    version = s3.put_object(**KEY, Body=b"1", **said)["VersionId"]
    assert s3.head_object(**KEY)["ReplicationStatus"] == "PENDING"
    assert refused(there.get_object, **COPY) == "NoSuchKey"
    _later(world)
    assert s3.head_object(**KEY)["ReplicationStatus"] == "COMPLETED"
    copy = there.get_object(**COPY)
    assert (copy["Body"].read(), copy["VersionId"], copy["ReplicationStatus"]) == (b"1", version, "REPLICA")
    assert (copy["Metadata"], copy["ContentType"]) == ({"a": "1"}, "text/plain")
    assert copy["LastModified"] == s3.head_object(**KEY)["LastModified"]
    assert there.get_object_tagging(**COPY)["TagSet"] == [{"Key": "t", "Value": "1"}]
    # What was there before the rule is not copied.
    assert len(there.list_object_versions(Bucket="target")["Versions"]) == 1
    assert [row["resource"] for row in world.ledger(operation="REPLICATE")] == ["target/k"]


def test_deletes_of_versions_are_never_copied_and_markers_only_when_asked(world, s3, there, refused):
    _replicate(s3, _rule())
    version = s3.put_object(**KEY, Body=b"1")["VersionId"]
    _later(world)
    s3.delete_object(**KEY)
    s3.delete_object(**KEY, VersionId=version)
    _later(world)
    assert there.get_object(**COPY)["VersionId"] == version
    _replicate(s3, _rule(DeleteMarkerReplication={"Status": "Enabled"}))
    s3.put_object(**KEY, Body=b"2")
    s3.delete_object(**KEY)
    _later(world)
    assert refused(there.get_object, **COPY) == "NoSuchKey"


def test_a_rule_takes_what_its_filter_says_and_the_highest_priority_decides(world, s3, there, refused):
    both = {"And": {"Prefix": "p/", "Tags": [{"Key": "t", "Value": "1"}]}}
    infrequent = {
        "ID": "cold",
        "Priority": 2,
        "Filter": {"Prefix": "p/c"},
        "Destination": {"StorageClass": "STANDARD_IA"},
    }
    _replicate(s3, _rule(Filter=both), _rule(**infrequent))
    for key, tag in (("p/a", "t=1"), ("p/b", "t=2"), ("p/c", "t=1"), ("q", "t=1")):
        s3.put_object(Bucket="source", Key=key, Body=b"1", Tagging=tag)
    _later(world)
    found = {one["Key"]: one["StorageClass"] for one in there.list_objects_v2(Bucket="target")["Contents"]}
    assert found == {"p/a": "STANDARD", "p/c": "STANDARD_IA"}
    assert "ReplicationStatus" not in s3.head_object(Bucket="source", Key="q")


def test_objects_under_kms_are_copied_only_when_the_rule_selects_them(world, s3, there, refused):
    _replicate(s3, _rule())
    s3.put_object(**KEY, Body=b"1", ServerSideEncryption="aws:kms")
    assert "ReplicationStatus" not in s3.head_object(**KEY)
    selected = {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}}
    _replicate(
        s3,
        _rule(
            **selected,
            Destination={
                "EncryptionConfiguration": {"ReplicaKmsKeyID": "arn:aws:kms:eu-west-1:123456789012:key/a"}
            },
        ),
    )
    s3.put_object(**KEY, Body=b"2", ServerSideEncryption="aws:kms")
    _later(world)
    assert there.head_object(**COPY)["SSEKMSKeyId"] == "arn:aws:kms:eu-west-1:123456789012:key/a"


def test_a_lie_about_a_version_that_waits_lets_it_wait_on(world, s3, there):
    _replicate(s3, _rule())
    s3.put_object(**KEY, Body=b"1")
    for operation in ("DeleteObject", "PutObjectTagging"):
        world.fault("s3", operation, "lie")
    s3.delete_object(**KEY)
    s3.put_object_tagging(**KEY, Tagging={"TagSet": [{"Key": "t", "Value": "1"}]})
    _later(world)
    assert s3.head_object(**KEY)["ReplicationStatus"] == "COMPLETED"
    assert there.get_object_tagging(**COPY)["TagSet"] == s3.get_object_tagging(**KEY)["TagSet"] == []


def test_what_changes_about_a_version_is_copied_too(world, s3, there):
    _replicate(s3, _rule())
    s3.put_object(**KEY, Body=b"1", Tagging="t=1")
    _later(world)
    s3.put_object_tagging(**KEY, Tagging={"TagSet": [{"Key": "t", "Value": "2"}]})
    assert s3.head_object(**KEY)["ReplicationStatus"] == "PENDING"
    _later(world)
    assert there.get_object_tagging(**COPY)["TagSet"] == [{"Key": "t", "Value": "2"}]
    assert s3.head_object(**KEY)["ReplicationStatus"] == "COMPLETED"


def test_a_lock_travels_and_fails_where_there_is_none(world, s3, there, refused):
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    until = datetime.fromisoformat(world.control("GET", "clock")["now"]) + timedelta(days=3)
    lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
    s3.put_bucket_replication(Bucket="locked", ReplicationConfiguration={"Role": ROLE, "Rules": [_rule()]})
    s3.put_object(Bucket="locked", Key="k", Body=b"1", **lock)
    _later(world)
    assert s3.head_object(Bucket="locked", Key="k")["ReplicationStatus"] == "FAILED"
    s3.put_object_lock_configuration(
        Bucket="target", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    )
    version = s3.put_object(Bucket="locked", Key="k", Body=b"2", **lock)["VersionId"]
    _later(world)
    assert refused(there.delete_object, **COPY, VersionId=version) == "AccessDenied"


def test_it_fails_when_the_target_is_not_fit_any_more(world, s3, there):
    _replicate(s3, _rule(Destination={"Metrics": {"Status": "Enabled"}}))
    s3.put_object(**KEY, Body=b"1")
    there.put_bucket_versioning(Bucket="target", VersioningConfiguration={"Status": "Suspended"})
    _later(world)
    assert s3.head_object(**KEY)["ReplicationStatus"] == "FAILED"
    assert _metric(world, "us-east-1", "OperationsFailedReplication", "Sum") == 1


def _metric(world, region, name, statistic):
    now = datetime.fromisoformat(world.control("GET", "clock")["now"])
    names = {"SourceBucket": "source", "DestinationBucket": "target", "RuleId": "all"}
    points = world.client("cloudwatch", region=region).get_metric_statistics(
        Namespace="AWS/S3",
        MetricName=name,
        Dimensions=[{"Name": name, "Value": value} for name, value in names.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=[statistic],
    )["Datapoints"]
    return points[0][statistic] if points else None


def test_cloudwatch_tells_how_far_it_is_behind_where_the_rule_wants_it(world, s3, there):
    _replicate(s3, _rule())
    s3.put_object(**KEY, Body=b"12345")
    assert _metric(world, "eu-west-1", "ReplicationLatency", "Maximum") is None
    _replicate(s3, _rule(Destination={"Metrics": {"Status": "Enabled"}}))
    s3.put_object(**KEY, Body=b"1234567")
    assert _metric(world, "eu-west-1", "OperationsPendingReplication", "Maximum") == 2
    assert _metric(world, "eu-west-1", "BytesPendingReplication", "Maximum") == 12
    _later(world)
    assert _metric(world, "eu-west-1", "ReplicationLatency", "Maximum") == pytest.approx(600, abs=2)
    assert _metric(world, "eu-west-1", "OperationsPendingReplication", "Minimum") == 0
    assert _metric(world, "us-east-1", "ReplicationLatency", "Maximum") is None


def test_both_buckets_must_keep_versions(world, s3, refused):
    s3.create_bucket(Bucket="plain")
    wrong = {**_rule(), "Destination": {"Bucket": "arn:aws:s3:::plain"}}
    assert refused(lambda: _replicate(s3, wrong)) == "InvalidRequest"
    nowhere = {**_rule(), "Destination": {"Bucket": "arn:aws:s3:::none-such"}}
    assert refused(lambda: _replicate(s3, nowhere)) == "InvalidRequest"
    config = {"ReplicationConfiguration": {"Role": ROLE, "Rules": [_rule()]}}
    assert refused(s3.put_bucket_replication, Bucket="plain", **config) == "InvalidRequest"
    assert refused(lambda: _replicate(s3, _rule(), _rule(ID="b"))) == "InvalidRequest"
    assert refused(s3.get_bucket_replication, Bucket="source") == "ReplicationConfigurationNotFoundError"
    _replicate(s3, _rule())
    assert s3.get_bucket_replication(Bucket="source")["ReplicationConfiguration"]["Rules"] == [_rule()]
    suspend = {"VersioningConfiguration": {"Status": "Suspended"}}
    assert refused(s3.put_bucket_versioning, Bucket="source", **suspend) == "InvalidBucketState"
    s3.delete_bucket_replication(Bucket="source")
    s3.put_object(**KEY, Body=b"1")
    assert "ReplicationStatus" not in s3.head_object(**KEY)
