"""awsim's own calls: the ledger tells the truth, faults strike where they are told to."""

import http.client
import json
import re
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
from botocore.exceptions import ConnectionClosedError, IncompleteReadError, ResponseStreamingError

from conftest import HERE

ITEM = {"pk": {"S": "a"}}
SCAN = ("Scan", '{"TableName":"Sales"}')
CUT = (ConnectionClosedError, IncompleteReadError, ResponseStreamingError)


def _batch(ddb, count):
    return ddb.batch_write_item(
        RequestItems={"Sales": [{"PutRequest": {"Item": {"pk": {"S": str(key)}}}} for key in range(count)]}
    )


def test_the_ledger_has_each_call_with_its_effect(world, make, ddb, refused):
    make()
    ddb.put_item(TableName="Sales", Item=ITEM)
    ddb.put_item(TableName="Sales", Item=ITEM)
    refused(ddb.put_item, TableName="Sales", Item={})
    ddb.scan(TableName="Sales")
    ddb.delete_table(TableName="Sales")
    rows = world.ledger(service="dynamodb", resource="Sales")
    assert [(row["operation"], row["effect"], row["status"]) for row in rows] == [
        ("CreateTable", "made", 200),
        ("PutItem", "made", 200),
        ("PutItem", "changed", 200),
        ("PutItem", None, 400),
        ("Scan", "read", 200),
        ("DeleteTable", "deleted", 200),
    ]
    assert [row["seq"] for row in rows] == list(range(1, 7))
    assert {row["principal"] for row in rows} == {"arn:aws:iam::123456789012:root"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", rows[0]["at"])
    assert [row["seq"] for row in world.ledger(since=4)] == [5, 6]
    assert len(world.ledger(since=rows[0]["at"])) == 6
    assert world.ledger(resource="Other") == world.ledger(since="2999-01-01T00:00:00Z") == []


def test_the_ledger_names_buckets_and_objects(world):
    s3 = world.client("s3")
    s3.create_bucket(Bucket="backups")
    for _ in range(2):
        s3.put_object(Bucket="backups", Key="a/b c", Body=b"")
    s3.copy_object(Bucket="backups", Key="copy", CopySource="backups/a/b c")
    s3.list_objects_v2(Bucket="backups")
    s3.delete_object(Bucket="backups", Key="copy")
    assert [
        (row["operation"], row["resource"], row["effect"]) for row in world.ledger(resource="backups")
    ] == [
        ("CreateBucket", "backups", "made"),
        ("PutObject", "backups/a/b c", "made"),
        ("PutObject", "backups/a/b c", "changed"),
        ("CopyObject", "backups/copy", "made"),
        ("ListObjectsV2", "backups", "read"),
        ("DeleteObject", "backups/copy", "deleted"),
    ]


@pytest.mark.parametrize(
    "service, operation, kind, code",
    [
        ("dynamodb", "list_tables", "throttle", "ThrottlingException"),
        ("dynamodb", "list_tables", "error_500", "InternalServerError"),
        ("dynamodb", "list_tables", "error_503", "ServiceUnavailable"),
        ("dynamodb", "list_tables", "expired_token", "ExpiredTokenException"),
        ("dynamodb", "list_tables", "denied", "AccessDeniedException"),
        ("s3", "list_buckets", "throttle", "SlowDown"),
        ("s3", "list_buckets", "error_500", "InternalError"),
        ("s3", "list_buckets", "denied", "AccessDenied"),
        ("sts", "get_caller_identity", "throttle", "Throttling"),
        ("sts", "get_caller_identity", "expired_token", "ExpiredToken"),
        ("lambda", "list_functions", "throttle", "TooManyRequestsException"),
        ("kms", "list_keys", "throttle", "ThrottlingException"),
    ],
)
def test_a_fault_answers_in_the_words_of_its_service(world, refused, service, operation, kind, code):
    client = world.client(service)
    name = client.meta.method_to_api_mapping[operation]
    world.fault(service, name, kind)
    assert refused(getattr(client, operation)) == code
    getattr(client, operation)()
    assert [row["effect"] for row in world.ledger(operation=name)] == [None, "read"]


def test_a_throttled_scan_speaks_of_throughput(world, make, ddb, refused):
    make()
    world.fault("dynamodb", "Scan", "throttle")
    assert refused(ddb.scan, TableName="Sales") == "ProvisionedThroughputExceededException"


def test_a_fault_counts_by_table_skip_and_count(world, make, ddb):
    make()
    make("Other")
    world.fault("dynamodb", "Scan", "error_500", table="Sales", skip=1, count=2)
    outcomes = []
    for name in ("Sales", "Other", "Sales", "Other", "Sales", "Sales"):
        outcomes.append(world.dynamodb("Scan", json.dumps({"TableName": name}))[0])
    assert outcomes == [200, 200, 500, 200, 500, 200]
    assert world.control("GET", "faults")[0]["left"] == 0
    assert world.control("DELETE", "faults") == []


@pytest.mark.parametrize("kind, effect, status", [("reset_before", None, 0), ("reset_after", "made", 0)])
def test_a_reset_is_before_or_after_the_effect(world, make, ddb, kind, effect, status):
    make()
    world.fault("dynamodb", "PutItem", kind)
    with pytest.raises(ConnectionClosedError):
        ddb.put_item(TableName="Sales", Item=ITEM)
    assert ddb.scan(TableName="Sales")["Count"] == (1 if effect else 0)
    (row,) = world.ledger(operation="PutItem")
    assert (row["effect"], row["status"]) == (effect, status)


def test_a_truncated_answer_ends_before_its_length(world, make, ddb):
    make()
    world.fault("dynamodb", "Scan", "truncate")
    with pytest.raises(http.client.IncompleteRead):
        world.dynamodb(*SCAN)
    assert ddb.scan(TableName="Sales")["Count"] == 0


def test_lies_in_a_scan_are_told_with_the_right_crc_but_for_bad_crc(world, make, ddb):
    make()
    _batch(ddb, 3)
    lies = {
        "bad_crc": lambda crc, answer: not crc and answer["Count"] == 3,
        "wrong_count": lambda crc, answer: crc and answer["Count"] == 4 and len(answer["Items"]) == 3,
        "no_items": lambda crc, answer: crc and answer["Count"] == 3 and "Items" not in answer,
        "error_200": lambda crc, answer: crc and answer["__type"] == "InternalServerError",
    }
    for kind, holds in lies.items():
        world.fault("dynamodb", "Scan", kind)
        status, headers, body = world.dynamodb(*SCAN)
        assert status == 200 and holds(headers["x-amz-crc32"] == str(zlib.crc32(body)), json.loads(body)), (
            kind
        )


def test_an_unprocessed_batch_is_done_in_part(world, make, ddb):
    make()
    for count, left in ((25, 13), (1, 1)):
        world.fault("dynamodb", "BatchWriteItem", "unprocessed")
        assert len(_batch(ddb, count)["UnprocessedItems"]["Sales"]) == left
    assert ddb.scan(TableName="Sales")["Count"] == 12
    world.fault("dynamodb", "BatchGetItem", "unprocessed")
    answer = ddb.batch_get_item(RequestItems={"Sales": {"Keys": [{"pk": {"S": "0"}}, {"pk": {"S": "1"}}]}})
    assert answer["UnprocessedKeys"]["Sales"]["Keys"] == [{"pk": {"S": "1"}}]


def test_a_delay_delays_and_a_skewed_date_is_shown(world, ddb):
    world.fault("dynamodb", "ListTables", "delay", ms=300)
    before = time.monotonic()
    ddb.list_tables()
    assert time.monotonic() - before >= 0.3
    world.fault("dynamodb", "ListTables", "skew", s=-3600)
    wrong, right = (
        parsedate_to_datetime(ddb.list_tables()["ResponseMetadata"]["HTTPHeaders"]["date"]) for _ in range(2)
    )
    assert 3590 < (right - wrong).total_seconds() < 3610


def test_faults_of_s3_spoil_checksums_and_bodies(world):
    s3 = world.client("s3", response_checksum_validation="when_required")
    s3.create_bucket(Bucket="backups")
    s3.put_object(Bucket="backups", Key="k", Body=b"x" * 100)
    right = s3.head_object(Bucket="backups", Key="k", ChecksumMode="ENABLED")
    world.fault("s3", "HeadObject", "bad_crc", table="backups")
    wrong = s3.head_object(Bucket="backups", Key="k", ChecksumMode="ENABLED")
    assert right["ChecksumCRC32"] != wrong["ChecksumCRC32"]
    world.fault("s3", "GetObject", "truncate")
    with pytest.raises(CUT):
        s3.get_object(Bucket="backups", Key="k")["Body"].read()


@pytest.mark.parametrize(
    "call, given",
    [
        ("faults", [{"service": "dynamodb", "operation": "Scan", "do": "explode"}]),
        ("faults", [{"do": "throttle"}]),
        ("faults", {}),
        ("faults", [1]),
        ("faults", [{"service": "dynamodb", "operation": "Scann", "do": "throttle"}]),
        ("faults", [{"service": "dynamo", "operation": "Scan", "do": "throttle"}]),
        ("faults", [{"service": "dynamodb", "operation": "PutItem", "do": "unprocessed"}]),
        ("faults", [{"service": "s3", "operation": "ListObjectsV2", "do": "wrong_count"}]),
        ("faults", [{"service": "backup", "operation": "DescribeBackupJob", "do": "job_fails"}]),
        ("faults", [{"service": "cloudformation", "operation": "CreateStack", "do": "lie"}]),
        ("faults", [{"service": "dynamodb", "operation": "Scan", "do": "throttle", "times": 3}]),
        ("settings", {"table_create_delay": "soon"}),
        ("settings", {"bakup_delay": "1s"}),
        ("settings", []),
        ("rates", {"table": "Sales", "read_units_per_second": 0}),
        ("rates", {"read_units_per_second": 5}),
        ("rates", {"table": "Sales", "units": 5}),
        ("clock", {"advance": "-1s"}),
        ("clock", {"advance": 35}),
        ("clock", {"set": "2030-01-01T00:00:00Z"}),
    ],
)
def test_what_awsim_does_not_know_it_refuses(world, call, given):
    assert "error" in world.control("POST", call, given, expect=400)


def test_what_awsim_cannot_serve_is_an_error_of_its_own_and_written_down(capsys):
    from sim.app import App
    from sim.state import Clock, Ledger
    from sim.wire import Request

    app = App.__new__(App)
    app.latency, app.clock = 0, Clock()
    app.ledger = Ledger(app.clock)  # and nothing else: whatever it asks is missing
    answer = app.answer(Request("GET", "/", {"authorization": "AWS4-HMAC-SHA256 Credential=testing/20261123/us-east-1/s3/aws4_request"}))
    assert answer.status == 500 and b"InternalError" in answer.body
    (row,) = app.ledger.find()
    assert (row["operation"], row["status"], row["effect"]) == ("ListBuckets", 500, None)
    assert "AttributeError" in capsys.readouterr().err


@pytest.mark.parametrize("method, call", [("DELETE", "rates"), ("GET", "none-such"), ("DELETE", "ledger")])
def test_what_is_not_in_this_version_is_absent(world, method, call):
    world.control(method, call, {}, expect=404)


def _now(world):
    return datetime.fromisoformat(world.control("GET", "clock")["now"]).timestamp()


def test_the_clock_runs_with_the_host_and_moves_forward_when_told(world, make, ddb):
    assert abs(_now(world) - time.time()) < 5
    world.control("POST", "clock", {"advance": "35d"})
    world.control("POST", "clock", {"advance": "10s"})
    ahead = 35 * 86400 + 10
    assert abs(_now(world) - time.time() - ahead) < 5
    answer = world.client("s3").create_bucket(Bucket="backups")
    date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    (bucket,) = world.client("s3").list_buckets()["Buckets"]
    for told in (make()["CreationDateTime"].timestamp(), bucket["CreationDate"].timestamp(), date):
        assert abs(told - time.time() - ahead) < 5
    world.control("POST", "reset")
    assert abs(_now(world) - time.time()) < 5


def test_delays_follow_the_clock(world, make, ddb):
    world.settings(table_create_delay="1h")
    make()
    assert ddb.describe_table(TableName="Sales")["Table"]["TableStatus"] == "CREATING"
    world.control("POST", "clock", {"advance": "1h"})
    assert ddb.describe_table(TableName="Sales")["Table"]["TableStatus"] == "ACTIVE"


def test_a_reset_leaves_nothing(world, make, ddb):
    make()
    world.client("s3").create_bucket(Bucket="backups")
    world.fault("dynamodb", "ListTables", "error_500")
    world.control("POST", "reset")
    assert (world.ledger(), world.control("GET", "faults")) == ([], [])
    assert (ddb.list_tables()["TableNames"], world.client("s3").list_buckets()["Buckets"]) == ([], [])


def test_sixteen_segments_at_once_see_each_item_once(world, make, ddb):
    make()
    for first in range(0, 1000, 25):
        ddb.batch_write_item(
            RequestItems={
                "Sales": [
                    {"PutRequest": {"Item": {"pk": {"S": str(key)}}}} for key in range(first, first + 25)
                ]
            }
        )

    def segment(number):
        client = world.client("dynamodb")
        pages = client.get_paginator("scan").paginate(
            TableName="Sales", Segment=number, TotalSegments=16, PaginationConfig={"PageSize": 10}
        )
        return [int(item["pk"]["S"]) for page in pages for item in page["Items"]]

    with ThreadPoolExecutor(16) as pool:
        found = [key for part in pool.map(segment, range(16)) for key in part]
    assert sorted(found) == list(range(1000))


@pytest.mark.parametrize("arguments", [["--host", "0.0.0.0"], ["--host", "10.0.0.1"], ["--latency", "long"]])
def test_it_starts_on_loopback_only(arguments):
    ended = subprocess.run(
        [sys.executable, "-m", "sim", "--port", "0", *arguments], cwd=HERE, capture_output=True, timeout=20
    )
    assert ended.returncode == 2
