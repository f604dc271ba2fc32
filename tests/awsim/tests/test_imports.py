"""Imports: a new table out of objects, what is bad counted and told, and the way round with an export."""

import gzip
import json

import pytest
import zstandard

KEYS = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
COUNTS = ("ProcessedItemCount", "ImportedItemCount", "ErrorCount")


@pytest.fixture
def s3(world):
    world.settings(import_delay="1h")  # by the simulated clock: the host's is not waited for
    client = world.client("s3")
    client.create_bucket(Bucket="data")
    return client


def _lines(*items):
    return b"".join(json.dumps({"Item": item}).encode() + b"\n" for item in items)


def _item(key, **more):
    return {"pk": {"S": key}, **{name: {"S": value} for name, value in more.items()}}


def _put(s3, **objects):
    for key, body in objects.items():
        s3.put_object(Bucket="data", Key=f"in/{key}", Body=body)


def _import(ddb, name="New", source=None, **more):
    given = {"InputFormat": "DYNAMODB_JSON", "TableCreationParameters": {"TableName": name, **KEYS}, **more}
    place = {"S3Bucket": "data", "S3KeyPrefix": "in/", **(source or {})}
    return ddb.import_table(S3BucketSource=place, **given)["ImportTableDescription"]


def _done(world, ddb, asked):
    world.control("POST", "clock", {"advance": "1h"})
    return ddb.describe_import(ImportArn=asked["ImportArn"])["ImportTableDescription"]


def _items(ddb, name="New"):
    return {item["pk"]["S"]: item for item in ddb.scan(TableName=name, ConsistentRead=True)["Items"]}


def _counts(shown):
    return tuple(shown[name] for name in COUNTS)


def _errors(world, shown):
    """[(key, index, message)] as the log group tells them."""
    logs = world.client("logs")
    assert shown["CloudWatchLogGroupArn"].endswith("log-group:/aws-dynamodb/imports:*")
    stream = shown["ImportArn"].rpartition("/")[2] + "/error"
    events = logs.get_log_events(logGroupName="/aws-dynamodb/imports", logStreamName=stream)["events"]
    found = []
    for event in events:
        told = json.loads(event["message"])
        assert told["importArn"] == shown["ImportArn"] and told["itemS3Pointer"]["bucket"] == "data"
        found.append(
            (told["itemS3Pointer"]["key"], told["itemS3Pointer"]["itemIndex"], told["errorMessages"][0])
        )
    return found


def test_the_table_is_creating_until_the_import_is_over(world, ddb, s3, refused):
    _put(s3, a=_lines(_item("1"), _item("2")), b=_lines(_item("3")), empty=b"")
    asked = _import(ddb)
    assert asked["ImportStatus"] == "IN_PROGRESS" and _counts(asked) == (0, 0, 0)
    assert "EndTime" not in asked and "ProcessedSizeBytes" not in asked
    assert ddb.describe_import(ImportArn=asked["ImportArn"])["ImportTableDescription"] == asked
    assert ddb.describe_table(TableName="New")["Table"]["TableStatus"] == "CREATING"
    assert refused(ddb.scan, TableName="New") == "ResourceNotFoundException"
    shown = _done(world, ddb, asked)
    assert shown["ImportStatus"] == "COMPLETED" and _counts(shown) == (3, 3, 0)
    assert shown["ProcessedSizeBytes"] == len(_lines(_item("1"), _item("2"), _item("3")))
    table = ddb.describe_table(TableName="New")["Table"]
    assert (table["TableStatus"], table["TableId"]) == ("ACTIVE", asked["TableId"])
    assert set(_items(ddb)) == {"1", "2", "3"}


@pytest.mark.parametrize(
    "kind, pack",
    [
        ("GZIP", gzip.compress),
        ("ZSTD", zstandard.compress),
        ("ZSTD", lambda body: zstandard.compress(body[:20]) + zstandard.compress(body[20:])),
        ("GZIP", lambda body: gzip.compress(body[:20]) + gzip.compress(body[20:])),
    ],
)
def test_packed_objects_are_unpacked(world, ddb, s3, kind, pack):
    lines = _lines(_item("1", v="x" * 100), _item("2"))
    _put(s3, a=pack(lines))
    shown = _done(world, ddb, _import(ddb, InputCompressionType=kind))
    assert (shown["ImportStatus"], shown["ProcessedSizeBytes"]) == ("COMPLETED", len(lines))
    assert _items(ddb)["1"]["v"] == {"S": "x" * 100}


def test_an_item_that_the_table_refuses_is_skipped_counted_and_told(world, ddb, s3):
    bad = (
        {"other": {"S": "1"}},
        {"pk": {"N": "1"}},
        _item("big", v="x" * (400 << 10)),
        {**_item("s"), "v": {"SS": []}},
    )
    _put(s3, a=_lines(_item("1"), *bad, _item("2")))
    shown = _done(world, ddb, _import(ddb))
    assert (shown["ImportStatus"], shown["FailureCode"]) == ("FAILED", "ItemValidationError")
    assert _counts(shown) == (6, 2, 4)
    assert set(_items(ddb)) == {"1", "2"}
    errors = _errors(world, shown)
    assert [(key, index) for key, index, _ in errors] == [("in/a", place) for place in (1, 2, 3, 4)]
    assert "Missing the key pk in the item" in errors[0][2]


@pytest.mark.parametrize(
    "line",
    [b'{"Item":', b'{"pk": {"S": "1"}}', b"[]", b'{"Item": {"pk": {"S": 1}}}', b'{"Item": []}', b"\xff", b'{"Item": {"pk": {"S": "\\ud800"}}}'],
)
def test_a_line_that_is_no_item_ends_its_object(world, ddb, s3, line):
    _put(s3, a=_lines(_item("1")) + line + b"\n" + _lines(_item("2")), b=_lines(_item("3")))
    shown = _done(world, ddb, _import(ddb))
    assert shown["ImportStatus"] == "FAILED" and _counts(shown) == (3, 2, 1)
    assert set(_items(ddb)) == {"1", "3"}
    assert [(key, index) for key, index, _ in _errors(world, shown)] == [("in/a", 1)]


def test_an_object_that_is_not_packed_as_told_is_one_error(world, ddb, s3):
    _put(s3, a=_lines(_item("1")), b=gzip.compress(_lines(_item("2"))))
    shown = _done(world, ddb, _import(ddb, InputCompressionType="GZIP"))
    assert shown["ImportStatus"] == "FAILED" and _counts(shown) == (2, 1, 1)
    assert set(_items(ddb)) == {"2"}


def test_of_items_with_one_key_the_last_stays_and_each_is_counted(world, ddb, s3):
    _put(s3, a=_lines(_item("1", v="a"), _item("1", v="b")), b=_lines(_item("1", v="c")))
    shown = _done(world, ddb, _import(ddb))
    assert shown["ImportStatus"] == "COMPLETED" and _counts(shown) == (3, 3, 0)
    assert _items(ddb) == {"1": _item("1", v="c")}


def test_csv_gives_strings_except_for_keys(world, ddb, s3):
    _put(s3, a=b'pk,n,v\nx,1,"a,b"\ny,2,\n\n')
    params = {
        "TableName": "New",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [*KEYS["KeySchema"], {"AttributeName": "n", "KeyType": "RANGE"}],
        "AttributeDefinitions": [*KEYS["AttributeDefinitions"], {"AttributeName": "n", "AttributeType": "N"}],
    }
    csv = {"InputFormat": "CSV", "TableCreationParameters": params}
    _done(world, ddb, _import(ddb, **csv))
    assert _items(ddb) == {
        "x": {"pk": {"S": "x"}, "n": {"N": "1"}, "v": {"S": "a,b"}},
        "y": {"pk": {"S": "y"}, "n": {"N": "2"}},
    }
    s3.put_object(Bucket="data", Key="other/1", Body=b"z;3\nbad;no number\n")
    options = {"InputFormatOptions": {"Csv": {"Delimiter": ";", "HeaderList": ["pk", "n"]}}}
    csv["TableCreationParameters"] = {**params, "TableName": "Other"}
    shown = _done(world, ddb, _import(ddb, source={"S3KeyPrefix": "other/"}, **csv, **options))
    assert _counts(shown) == (2, 1, 1) and set(_items(ddb, "Other")) == {"z"}


def test_without_the_bucket_or_its_owners_leave_no_table_is_left(world, ddb, s3, refused):
    for source, code in (
        ({"S3Bucket": "none-such"}, "S3NoSuchBucket"),
        ({"S3BucketOwner": "999999999999"}, "S3AccessDenied"),
    ):
        shown = _done(world, ddb, _import(ddb, source=source))
        assert (shown["ImportStatus"], shown["FailureCode"]) == ("FAILED", code) and _counts(shown) == (
            0,
            0,
            0,
        )
        assert refused(ddb.describe_table, TableName="New") == "ResourceNotFoundException"


def test_nothing_below_the_prefix_is_an_empty_success(world, ddb, s3):
    _put(s3, a=_lines(_item("1")))
    shown = _done(world, ddb, _import(ddb, source={"S3KeyPrefix": "elsewhere/"}))
    assert shown["ImportStatus"] == "COMPLETED" and _items(ddb) == {}


def test_an_object_in_the_archive_cannot_be_imported(world, ddb, s3, refused):
    s3.put_object(Bucket="data", Key="in/a", Body=_lines(_item("1")), StorageClass="GLACIER")
    assert _done(world, ddb, _import(ddb))["FailureCode"] == "S3InvalidObjectState"
    assert refused(ddb.describe_table, TableName="New") == "ResourceNotFoundException"


def test_a_token_stands_for_the_table_while_the_import_runs(world, ddb, s3, refused):
    first = _import(ddb, ClientToken="one")
    again = _import(ddb, ClientToken="one", InputFormat="CSV")
    assert (again["ImportArn"], again["InputFormat"]) == (first["ImportArn"], "DYNAMODB_JSON")
    assert refused(_import, ddb=ddb, name="Another", ClientToken="one") == "ImportConflictException"
    assert refused(_import, ddb=ddb, ClientToken="two") == "ResourceInUseException"
    _done(world, ddb, first)
    assert refused(_import, ddb=ddb, ClientToken="one") == "ResourceInUseException"
    assert refused(_import, ddb=ddb, name="Another", ClientToken="one") == "ImportConflictException"
    world.control("POST", "clock", {"advance": "7h"})
    assert _import(ddb, name="Another", ClientToken="one")["ImportArn"] != first["ImportArn"]


def test_wrong_requests_are_refused(world, ddb, s3, refused):
    wrong = "ValidationException"
    assert refused(_import, ddb=ddb, ClientToken="a$b") == wrong
    assert refused(_import, ddb=ddb, InputFormatOptions={"Csv": {"Delimiter": ","}}) == wrong
    assert (
        refused(_import, ddb=ddb, InputFormat="CSV", InputFormatOptions={"Csv": {"Delimiter": "#"}}) == wrong
    )
    assert refused(_import, ddb=ddb, InputFormat="XML") == wrong
    assert refused(_import, ddb=ddb, InputFormat="ION") == "UnknownOperationException"
    provisioned = {"TableCreationParameters": {"TableName": "New", **KEYS, "BillingMode": "PROVISIONED"}}
    assert (
        refused(ddb.import_table, S3BucketSource={"S3Bucket": "data"}, InputFormat="CSV", **provisioned)
        == wrong
    )
    there = world.client("dynamodb", region="eu-west-1")
    assert refused(there.describe_import, ImportArn=_import(ddb, "Here")["ImportArn"]) == "ImportNotFoundException"
    unknown = "arn:aws:dynamodb:us-east-1:123456789012:table/New/import/01658528578619-c4d4e311"
    assert refused(ddb.describe_import, ImportArn=unknown) == "ImportNotFoundException"
    assert refused(ddb.describe_import, ImportArn=unknown.replace("New", "N")) == wrong
    assert refused(ddb.list_imports, PageSize=26) == wrong


def test_fifty_run_at_once(world, ddb, s3, refused):
    for place in range(50):
        _import(ddb, f"New{place}")
    assert refused(_import, ddb=ddb) == "LimitExceededException"
    world.control("POST", "clock", {"advance": "1h"})
    _import(ddb)


def test_imports_are_listed_newest_first(world, ddb, s3):
    arns = []
    for place in range(3):
        arns.append(_import(ddb, f"New{place}")["ImportArn"])
        world.control("POST", "clock", {"advance": "1h"})
    first = ddb.list_imports(PageSize=2)
    rest = ddb.list_imports(PageSize=2, NextToken=first["NextToken"])
    shown = first["ImportSummaryList"] + rest["ImportSummaryList"]
    assert [one["ImportArn"] for one in shown] == arns[::-1] and "NextToken" not in rest
    one = ddb.list_imports(TableArn=arns[1].partition("/import/")[0])["ImportSummaryList"]
    assert [row["ImportArn"] for row in one] == [arns[1]] and one[0]["ImportStatus"] == "COMPLETED"
    world.control("POST", "clock", {"advance": "91d"})
    assert ddb.list_imports()["ImportSummaryList"] == []


def test_indexes_are_made_and_filled(world, ddb, s3):
    _put(s3, a=_lines(_item("1", g="x"), _item("2")))
    index = {
        "IndexName": "by-g",
        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    params = {
        "TableName": "New",
        **KEYS,
        "AttributeDefinitions": [*KEYS["AttributeDefinitions"], {"AttributeName": "g", "AttributeType": "S"}],
        "GlobalSecondaryIndexes": [index],
    }
    _done(world, ddb, _import(ddb, TableCreationParameters=params))
    found = ddb.scan(TableName="New", IndexName="by-g")["Items"]
    assert found == [{"pk": {"S": "1"}, "g": {"S": "x"}}]


def test_a_lie_imports_nothing(world, ddb, s3, refused):
    _put(s3, a=_lines(_item("1")))
    world.fault("dynamodb", "ImportTable", "lie")
    asked = _import(ddb)
    world.control("POST", "clock", {"advance": "1h"})
    assert refused(ddb.describe_import, ImportArn=asked["ImportArn"]) == "ImportNotFoundException"
    assert refused(ddb.describe_table, TableName="New") == "ResourceNotFoundException"


def test_what_was_exported_comes_back_whole(world, ddb, make, s3):
    """Every type, many items, over an export of AWS's form; the log says nothing of errors."""
    arn = make()["TableArn"]
    on = {"PointInTimeRecoveryEnabled": True}
    ddb.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification=on)
    every = {
        "pk": {"S": "every"},
        "n": {"N": "-12.5"},
        "b": {"B": b"\x00\xff"},
        "t": {"BOOL": True},
        "z": {"NULL": True},
        "l": {"L": [{"S": "é😀"}, {"N": "1"}]},
        "m": {"M": {"a": {"SS": ["x", "y"]}, "e": {"S": ""}}},
        "ns": {"NS": ["1", "2"]},
        "bs": {"BS": [b"\x01"]},
    }
    ddb.put_item(TableName="Sales", Item=every)
    for place in range(200):
        ddb.put_item(TableName="Sales", Item=_item(f"k{place}", v=str(place)))
    export = ddb.export_table_to_point_in_time(TableArn=arn, S3Bucket="data", S3Prefix="out")[
        "ExportDescription"
    ]
    world.control("POST", "clock", {"advance": "1h"})
    export = ddb.describe_export(ExportArn=export["ExportArn"])["ExportDescription"]
    prefix = export["ExportManifest"].rpartition("/")[0] + "/data/"
    shown = _done(world, ddb, _import(ddb, source={"S3KeyPrefix": prefix}, InputCompressionType="GZIP"))
    assert shown["ImportStatus"] == "COMPLETED" and shown["ImportedItemCount"] == export["ItemCount"] == 201
    assert _items(ddb) == _items(ddb, "Sales")
    made = [row for row in world.ledger(operation="ImportTable") if row["effect"] == "made"]
    assert [row["resource"] for row in made] == ["New"]
