"""Exports: the files that AWS writes, at the asked time, after a while."""

import base64
import gzip
import hashlib
import json

import pytest

from conftest import HASH

ON = {"PointInTimeRecoveryEnabled": True}


@pytest.fixture
def table(world, ddb, make):
    """A table with PITR, a bucket, and a way to export."""
    world.settings(export_delay="1m")
    world.client("s3").create_bucket(Bucket="backups")
    arn = make()["TableArn"]
    ddb.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification=ON)
    return arn


def _export(ddb, arn, bucket="backups", **more):
    answer = ddb.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket, S3Prefix="nightly", **more)
    return answer["ExportDescription"]


def _put(ddb, *keys, v="1"):
    for key in keys:
        ddb.put_item(TableName="Sales", Item={"pk": {"S": key}, "v": {"N": v}})


def _later(world, by="1m"):
    world.control("POST", "clock", {"advance": by})


def _now(ddb):
    return ddb.describe_continuous_backups(TableName="Sales")["ContinuousBackupsDescription"][
        "PointInTimeRecoveryDescription"
    ]["LatestRestorableDateTime"].timestamp()


def _read(world, key):
    return world.client("s3").get_object(Bucket="backups", Key=key)["Body"].read()


def _lines(world, shown):
    """The data's lines; every count and checksum on the way to them is right."""
    summary = _read(world, shown["ExportManifest"])
    told = json.loads(summary)
    rows = _read(world, told["manifestFilesS3Key"])
    for name, body in ((shown["ExportManifest"], summary), (told["manifestFilesS3Key"], rows)):
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        assert base64.b64decode(_read(world, name.replace(".json", ".checksum"))) == digest
    found = []
    for row in map(json.loads, rows.splitlines()):
        body = _read(world, row["dataFileS3Key"])
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        assert base64.b64decode(row["md5Checksum"]) == digest
        lines = gzip.decompress(body).splitlines()
        assert len(lines) == row["itemCount"]
        found += map(json.loads, lines)
    assert len(found) == told["itemCount"] == shown["ItemCount"]
    assert told["exportArn"] == shown["ExportArn"]
    return found


def _done(world, ddb, export):
    _later(world)
    return ddb.describe_export(ExportArn=export["ExportArn"])["ExportDescription"]


def test_an_export_is_under_way_before_its_files_are_there(world, ddb, table):
    _put(ddb, "a", "b")
    export = _export(ddb, table)
    assert (export["ExportStatus"], export["ExportType"]) == ("IN_PROGRESS", "FULL_EXPORT")
    base = f"nightly/AWSDynamoDB/{export['ExportArn'].rpartition('/')[2]}"
    s3 = world.client("s3")

    def keys():
        return [one["Key"] for one in s3.list_objects_v2(Bucket="backups")["Contents"]]

    assert keys() == [base + "/_started"]
    _later(world)
    assert {base + "/manifest-summary.json", base + "/manifest-files.checksum"} <= set(keys())
    assert sum(key.startswith(base + "/data/") for key in keys()) == 4
    shown = _done(world, ddb, export)
    assert (shown["ExportStatus"], shown["ExportManifest"]) == ("COMPLETED", base + "/manifest-summary.json")
    assert sorted(line["Item"]["pk"]["S"] for line in _lines(world, shown)) == ["a", "b"]


def test_an_export_holds_what_the_table_held_at_the_asked_time(world, ddb, table):
    world.settings(pitr_lag="0s")
    _put(ddb, "a")
    _later(world)
    at = _now(ddb)
    _later(world)
    _put(ddb, "b")
    ddb.delete_item(TableName="Sales", Key={"pk": {"S": "a"}})
    then, now = (_done(world, ddb, _export(ddb, table, **more)) for more in ({"ExportTime": at}, {}))
    assert [line["Item"]["pk"]["S"] for line in _lines(world, then)] == ["a"]
    assert [line["Item"]["pk"]["S"] for line in _lines(world, now)] == ["b"]


def test_an_incremental_export_has_one_line_for_each_key_that_differs(world, ddb, table):
    world.settings(pitr_lag="0s")
    _put(ddb, "gone", "changed", "same")
    _later(world, "1h")
    start = _now(ddb)
    _later(world)
    ddb.delete_item(TableName="Sales", Key={"pk": {"S": "gone"}})
    _put(ddb, "changed", v="2")
    _put(ddb, "changed", "new", v="3")
    _put(ddb, "short")
    ddb.delete_item(TableName="Sales", Key={"pk": {"S": "short"}})
    _later(world, "1h")
    end = _now(ddb)
    _later(world)
    _put(ddb, "after", "changed", v="9")
    found = {}
    for view in ("NEW_AND_OLD_IMAGES", "NEW_IMAGE"):
        spec = {"ExportFromTime": start, "ExportToTime": end, "ExportViewType": view}
        export = _export(ddb, table, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=spec)
        for line in _lines(world, _done(world, ddb, export)):
            assert start * 1e6 <= int(line["Metadata"]["WriteTimestampMicros"]["N"]) < end * 1e6
            images = tuple(line.get(name, {}).get("v", {}).get("N") for name in ("OldImage", "NewImage"))
            found[view, line["Keys"]["pk"]["S"]] = images
    assert found == {
        ("NEW_AND_OLD_IMAGES", "gone"): ("1", None),
        ("NEW_AND_OLD_IMAGES", "changed"): ("1", "3"),
        ("NEW_AND_OLD_IMAGES", "new"): (None, "3"),
        ("NEW_IMAGE", "gone"): (None, None),
        ("NEW_IMAGE", "changed"): (None, "3"),
        ("NEW_IMAGE", "new"): (None, "3"),
    }


def test_wrong_times_and_tables_without_pitr_are_refused(world, ddb, make, table, refused):
    now = _now(ddb)
    wrong = "InvalidExportTimeException"
    assert refused(_export, ddb=ddb, arn=table, ExportTime=now - 3600) == wrong
    assert refused(_export, ddb=ddb, arn=table, ExportTime=now + 3600) == wrong
    _later(world, "2d")
    for length in (60, 90000):
        spec = {"ExportFromTime": now, "ExportToTime": now + length}
        more = {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": spec}
        assert refused(_export, ddb=ddb, arn=table, **more) == "ValidationException"
    other = make("Other")["TableArn"]
    assert refused(_export, ddb=ddb, arn=other) == "PointInTimeRecoveryUnavailableException"
    assert refused(_export, ddb=ddb, arn=table + "None") == "TableNotFoundException"
    assert refused(_export, ddb=ddb, arn=table, ExportFormat="ION") == "UnknownOperationException"
    assert (
        refused(ddb.describe_export, ExportArn=table + "/export/none-such-export")
        == "ExportNotFoundException"
    )


def test_a_token_stands_for_one_request_for_eight_hours(world, ddb, table, refused):
    first = _export(ddb, table, ClientToken="one")
    assert _export(ddb, table, ClientToken="one")["ExportArn"] == first["ExportArn"]
    conflict = {"ClientToken": "one", "S3SseAlgorithm": "AES256"}
    assert refused(_export, ddb=ddb, arn=table, **conflict) == "ExportConflictException"
    assert len(ddb.list_exports()["ExportSummaries"]) == 1
    _later(world, "8h")
    assert _export(ddb, table, ClientToken="one")["ExportArn"] != first["ExportArn"]
    listed = ddb.list_exports(TableArn=table, MaxResults=1)
    assert listed["ExportSummaries"][0]["ExportArn"] == first["ExportArn"]
    rest = ddb.list_exports(TableArn=table, NextToken=listed["NextToken"])
    assert [one["ExportStatus"] for one in rest["ExportSummaries"]] == ["IN_PROGRESS"]


def test_a_token_and_an_export_are_of_their_region(world, ddb, table, refused):
    mine = _export(ddb, table, ClientToken="one")["ExportArn"]
    there = world.client("dynamodb", region="eu-west-1")
    types = [{"AttributeName": "pk", "AttributeType": "S"}]
    arn = there.create_table(TableName="Sales", KeySchema=HASH, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")["TableDescription"]["TableArn"]
    there.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification=ON)
    assert _export(there, arn, ClientToken="one")["ExportArn"] != mine
    assert refused(there.describe_export, ExportArn=mine) == "ExportNotFoundException"


@pytest.mark.parametrize(
    "more, code",
    [({"bucket": "none-such"}, "S3NoSuchBucket"), ({"S3BucketOwner": "999999999999"}, "S3AccessDenied")],
)
def test_an_export_to_where_it_may_not_write_fails(world, ddb, table, more, code):
    shown = _done(world, ddb, _export(ddb, table, **more))
    assert (shown["ExportStatus"], shown["FailureCode"]) == ("FAILED", code)
    assert "ExportManifest" not in shown
