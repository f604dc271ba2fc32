"""Roots in buckets that keep, lock, archive or replicate what is put there."""
import datetime
import random
import subprocess

import pytest

from peers import end
from world import RECOVERD, Server, items_of, make_table, put_items, wait_until

BUCKET = "points"
COMPLIANCE = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}}


def large_items(count=300):
    """Their file is above the 128 KiB below which lifecycle rules leave objects where they are."""
    noise = random.Random(5)
    return [{"pk": {"S": f"p{i}"}, "sk": {"S": "s"}, "text": {"S": noise.randbytes(600).hex()}} for i in range(count)]


class Bucket:
    """The root's bucket, as AWS shows it; `kind`: plain, enabled, suspended, locked."""

    def __init__(self, aws, kind):
        self.s3, self.kind = aws.client("s3"), kind
        self.s3.create_bucket(Bucket=BUCKET, **({"ObjectLockEnabledForBucket": True} if kind == "locked" else {}))
        if kind == "locked":
            self.s3.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=COMPLIANCE)
        for status in {"enabled": ["Enabled"], "suspended": ["Enabled", "Suspended"]}.get(kind, ()):
            self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})

    def keys(self):
        return [row["Key"] for row in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def versions(self):
        """-> (versions, delete markers), of all keys"""
        page = self.s3.list_object_versions(Bucket=BUCKET)
        assert not page["IsTruncated"]
        return page.get("Versions", []), page.get("DeleteMarkers", [])

    def code_of_deleting(self, row):
        """'' when the version is gone for good now."""
        try:
            self.s3.delete_object(Bucket=BUCKET, Key=row["Key"], VersionId=row["VersionId"])
        except self.s3.exceptions.ClientError as refused:
            return refused.response["Error"]["Code"]
        return ""


@pytest.fixture(params=["enabled", "suspended", "locked"])
def bucket(request, aws):
    return Bucket(aws, request.param)


@pytest.fixture
def locked(aws):
    return Bucket(aws, "locked")


@pytest.fixture
def sales(aws):
    dynamodb = aws.client("dynamodb")
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", large_items())
    return items_of(dynamodb, "Sales")


@pytest.fixture
def server(aws, request):
    server = Server(aws.url, root=f"s3://{BUCKET}/recoverd", **{"uri_roots": [f"s3://{BUCKET}/foreign"], **getattr(request, "param", {})})
    yield server
    end(server)


def test_the_whole_way_works_in_a_bucket_that_keeps_what_it_gets(aws, bucket, sales, server):
    server.start()
    point = server.backup("Sales")["result"]["recovery_point"]
    server.run("validate.backup", {"source": {"recovery_point": point}})
    server.run("validate.backup", {"source": {"recovery_point": point}, "prove": True}, plan=False)
    server.restore(point, "Back")
    assert items_of(aws.client("dynamodb"), "Back") == sales
    assert server.get(f"/v1/recovery-points/{point}")["status"] == "proven"
    puts = aws.ledger(service="s3", operation="PutObject")
    assert {row["status"] for row in puts} == {200} and len(puts) == len(bucket.keys()), puts
    if bucket.kind == "locked":
        for row in bucket.versions()[0]:
            head = bucket.s3.head_object(Bucket=BUCKET, Key=row["Key"])
            assert head["ObjectLockMode"] == "COMPLIANCE" and bucket.code_of_deleting(row) == "AccessDenied"


def test_a_backup_that_fails_half_way_is_mended_by_its_retry(aws, bucket, sales, server):
    """What it had written is gone on with: nothing is swept, and no file has a second version."""
    server.start()
    aws.faults({"service": "s3", "operation": "PutObject", "do": "denied", "skip": 1, "count": 10000})
    job = server.wait(server.submit("backup.table", {"table": "Sales", "segments": 4}), want="failed")
    assert job["error"]["code"] == "AWS_ACCESS_DENIED"
    aws.clear_faults()
    status, _, again = server.call("POST", f"/v1/jobs/{job['id']}/retry", {})
    assert status == 202, again
    again = server.wait(again)
    point = server.get(f"/v1/recovery-points/{again['result']['recovery_point']}")
    assert point["status"] == "verified" and point["items"] == len(sales)
    server.restore(point["id"], "Back")
    assert items_of(aws.client("dynamodb"), "Back") == sales
    versions, markers = bucket.versions()
    assert markers == [] and sorted(row["Key"] for row in versions) == sorted(bucket.keys())


@pytest.mark.parametrize("fault", ["reset_after", "conflict", "error_503"])
def test_what_was_put_once_has_one_version(aws, bucket, sales, server, fault):
    """An answer that is lost, another writer's conflict: the file is looked for, or sent again, and never kept twice."""
    server.start()
    aws.faults({"service": "s3", "operation": "PutObject", "do": fault, "skip": 1, "count": 2})
    point = server.backup("Sales")["result"]["recovery_point"]
    versions, markers = bucket.versions()
    assert markers == [] and sorted(row["Key"] for row in versions) == sorted(bucket.keys())
    made = [row["resource"] for row in aws.effects("PutObject")]
    assert len(made) == len(set(made)) == len(versions)
    server.run("validate.backup", {"source": {"recovery_point": point}})


def test_a_file_in_the_way_is_swept_once_and_is_not_part_of_the_point(aws, bucket, sales, server):
    """Someone puts a file below the tree while the backup is under way: the manifest does not list it."""
    server.start()
    aws.faults({"service": "dynamodb", "operation": "Scan", "do": "delay", "ms": 3000, "count": 4})
    job = server.submit("backup.table", {"table": "Sales", "segments": 1})
    folder = wait_until(lambda: next((key.rpartition("/tables/")[0] for key in bucket.keys() if "/tables/" in key), None)
                        or writing(server), 20, "the tree")
    stray = f"{folder}/tables/Sales/data/9-9.json.gz"
    bucket.s3.put_object(Bucket=BUCKET, Key=stray, Body=b"stray")
    point = server.wait(job)["result"]["recovery_point"]
    assert stray not in bucket.keys()
    files = [row["resource"] for row in aws.ledger(service="s3", operation="DeleteObject")]
    assert files == [f"{BUCKET}/{stray}"]
    server.run("validate.backup", {"source": {"recovery_point": point}})
    versions, markers = bucket.versions()
    kept = [row for row in versions if row["Key"] == stray]
    assert [row["Key"] for row in markers] == [stray]
    assert [bucket.code_of_deleting(row) for row in kept] == {"enabled": [""], "suspended": [], "locked": ["AccessDenied"]}[bucket.kind]


def writing(server):
    """Where the point that is being written lies, in the bucket's terms."""
    points = server.get("/v1/recovery-points")["items"]
    return points and points[0]["location"].removeprefix(f"s3://{BUCKET}/").rstrip("/")


# -- what a check says -----------------------------------------------------------------------------------------------


def online(server):
    """-> the line about the root"""
    done = subprocess.run([RECOVERD, "--config", server.config, "--check", "--online"], env=server.env, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(line for line in done.stdout.splitlines() if f": root s3://{BUCKET}/recoverd: " in line)


@pytest.mark.parametrize("kind,says", [("plain", None), ("suspended", None), ("enabled", "a lifecycle rule"), ("locked", "(COMPLIANCE)")])
def test_a_check_says_what_a_delete_leaves_behind(aws, sales, server, kind, says):
    bucket = Bucket(aws, kind)
    line = online(server.start())
    assert line.startswith("ok    production: root ") and "written once, read, listed and deleted" in line
    assert ("what is deleted stays as a version" in line) == bool(says) and (says or "") in line, line
    versions, markers = bucket.versions()
    assert bucket.keys() == [] and len(versions) == (1 if says else 0) and len(markers) == (0 if kind == "plain" else 1)
    if kind == "locked":
        until = bucket.s3.get_object_retention(Bucket=BUCKET, Key=versions[0]["Key"], VersionId=versions[0]["VersionId"])["Retention"]
        assert until["RetainUntilDate"].strftime("until %Y-%m-%dT%H:%M:") in line
        assert bucket.code_of_deleting(versions[0]) == "AccessDenied"
        aws.own("POST", "clock", {"advance": "31d"})
        assert bucket.code_of_deleting(versions[0]) == ""


# -- archived, replicated --------------------------------------------------------------------------------------------


def test_a_file_in_the_archive_is_named_and_read_again_once_it_is_back(aws, sales, server):
    bucket = Bucket(aws, "enabled")
    server.start()
    point = server.backup("Sales", segments=1)["result"]["recovery_point"]
    rule = {"ID": "cold", "Status": "Enabled", "Filter": {"Prefix": "recoverd/"}, "Transitions": [{"Days": 0, "StorageClass": "GLACIER"}]}
    bucket.s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    aws.own("POST", "clock", {"advance": "1d"})
    archived = [row["Key"] for row in bucket.s3.list_objects_v2(Bucket=BUCKET)["Contents"] if row["StorageClass"] == "GLACIER"]
    assert archived and all(key.endswith(".json.gz") for key in archived)
    for job in (server.run("validate.backup", {"source": {"recovery_point": point}}, want="failed"),
                server.restore(point, "Back", want="failed")):
        error = job["error"]
        assert error["code"] == "AWS_ARCHIVED" and "RestoreObject" in error["hint"], error
        assert (error["aws"]["operation"], error["aws"]["code"]) == ("GetObject", "InvalidObjectState")
        assert any(key in error["detail"] for key in archived), error
    assert server.get(f"/v1/recovery-points/{point}")["status"] != "damaged"
    assert "Back" not in aws.client("dynamodb").list_tables()["TableNames"]
    for key in archived:
        bucket.s3.restore_object(Bucket=BUCKET, Key=key, RestoreRequest={"Days": 3})
    aws.own("POST", "clock", {"advance": "6h"})
    server.run("validate.backup", {"source": {"recovery_point": point}})
    server.restore(point, "Back")
    assert items_of(aws.client("dynamodb"), "Back") == sales


@pytest.mark.parametrize("server", [{"uri_roots": ["s3://replica/recoverd"]}], indirect=True, ids=["replica"])
def test_a_root_that_replicates_can_be_restored_from_in_the_other_region(aws, sales, server):
    bucket = Bucket(aws, "enabled")
    aws.own("POST", "settings", {"replication_lag": "1m"})
    bucket.s3.create_bucket(Bucket="replica", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    bucket.s3.put_bucket_versioning(Bucket="replica", VersioningConfiguration={"Status": "Enabled"})
    rule = {"ID": "all", "Status": "Enabled", "Priority": 1, "Filter": {}, "DeleteMarkerReplication": {"Status": "Enabled"},
            "Destination": {"Bucket": "arn:aws:s3:::replica", "Metrics": {"Status": "Enabled"}}}
    role = "arn:aws:iam::123456789012:role/replication"
    bucket.s3.put_bucket_replication(Bucket=BUCKET, ReplicationConfiguration={"Role": role, "Rules": [rule]})
    server.start()
    point = server.get(f"/v1/recovery-points/{server.backup('Sales')['result']['recovery_point']}")
    statuses = {bucket.s3.head_object(Bucket=BUCKET, Key=key)["ReplicationStatus"] for key in bucket.keys()}
    assert statuses == {"PENDING"}
    aws.own("POST", "clock", {"advance": "2m"})
    statuses = {bucket.s3.head_object(Bucket=BUCKET, Key=key)["ReplicationStatus"] for key in bucket.keys()}
    assert statuses == {"COMPLETED"}
    assert [row["Key"] for row in bucket.s3.list_objects_v2(Bucket="replica")["Contents"]] == bucket.keys()
    copy = {"uri": point["location"].replace(f"s3://{BUCKET}/", "s3://replica/")}
    server.run("validate.backup", {"source": copy})
    server.restore(copy, "Back")
    assert items_of(aws.client("dynamodb"), "Back") == sales


def test_times_in_a_check_are_those_of_the_bucket(aws, sales, server, locked):
    """AWS's clock counts, not this machine's: the lock of a bucket ends by it."""
    aws.own("POST", "clock", {"advance": "2m"})
    line = online(server.start())
    told = datetime.datetime.fromisoformat(line.partition("locked until ")[2].partition(" ")[0])
    now = datetime.datetime.fromisoformat(aws.own("GET", "clock")["now"])
    assert datetime.timedelta(days=29, hours=23) < told - now < datetime.timedelta(days=30)
