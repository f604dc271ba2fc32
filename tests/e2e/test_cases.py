"""Each case on each peer (peers.py): a table goes away and comes back as it was. The matrix is printed at the end."""
import base64
import gzip
import hashlib
import json
import time

import pytest

from world import fingerprint_of, items_of, lines_of, make_table, plain_items, put_items, wait_until
from peers import end

CASES = {}


def case(name):
    def take(function):
        CASES[name] = function
        return function
    return take


@pytest.mark.parametrize("case", CASES)
def test_case(peer, case, record_property):
    name = f"T{list(CASES).index(case):02d}"
    record_property("cell", CASES[case](peer, name))


# -- what every case holds -----------------------------------------------------------------------------------------


def schema_of(peer, table):
    shown = peer.dynamodb.describe_table(TableName=table)["Table"]
    indexes = {kind: sorted(({k: index[k] for k in ("IndexName", "KeySchema", "Projection")} for index in shown.get(kind, [])),
                            key=lambda index: index["IndexName"]) for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")}
    for index in indexes["LocalSecondaryIndexes"] + indexes["GlobalSecondaryIndexes"]:
        index["Projection"].get("NonKeyAttributes", []).sort()
    return shown["KeySchema"], sorted(shown["AttributeDefinitions"], key=lambda a: a["AttributeName"]), indexes


def assert_restored(peer, job, table, items, schema=None):
    """The table holds exactly these items, the job says so, and it was made once."""
    there = items_of(peer.dynamodb, table)
    assert there == items
    assert job["result"]["table"] == table and job["result"]["items"] == len(items)
    assert job["result"]["fingerprint"] == fingerprint_of(items)
    assert schema is None or schema_of(peer, table) == schema
    assert peer.made("CreateTable", table) == 1
    assert all(row["outcome"] in ("applied", "already", "skipped", "unsupported") for row in job["result"].get("settings", [])), job


def backed_up(peer, table, **spec):
    """-> (recovery point, items), compared with the oracle"""
    items = items_of(peer.dynamodb, table)
    job = peer.server.backup(table, **spec)
    point = peer.server.get(f"/v1/recovery-points/{job['result']['recovery_point']}")
    assert point["status"] == "verified" and point["items"] == job["result"]["items"] == len(items)
    assert point["fingerprint"] == job["result"]["fingerprint"] == fingerprint_of(items)
    return point, items


def round_trip(peer, name, items, backup=None, restore=None, **table):
    make_table(peer.dynamodb, name, **table)
    put_items(peer.dynamodb, name, items)
    point, found = backed_up(peer, name, **(backup or {}))
    assert len(found) == len(items)
    target = f"{name}-back"
    job = peer.server.restore(point["id"], target, **(restore or {}))
    assert_restored(peer, job, target, found, schema_of(peer, name))
    assert peer.server.get(f"/v1/recovery-points/{point['id']}")["status"] == "proven"
    checked = peer.server.run("validate.table", {"table": target})
    assert checked["result"]["verdict"] == "intact", checked
    checked = peer.server.run("validate.backup", {"source": {"recovery_point": point["id"]}})
    assert checked["result"]["verdict"] == "intact", checked


# -- data that bites -----------------------------------------------------------------------------------------------

ODD = ["'", '"', '"}', "\\", "\\u0000", "\0", "\0nul\0", "\t\n\r", "\x1f\x7f", " ", "  ", "/", "a/../b", "%00", "é", "e\u0301", "ß", "日本",
       "😀", "\U0010ffff", "\ue000", "\uffff", "\u2028", "{\"S\":\"x\"}", "null", "-0", "x" * 1000]
NUMBERS = ["0", "-0", "1", "-1", "12345678901234567890123456789012345678", "-12345678901234567890123456789012345678",
           "9.9999999999999999999999999999999999999E+125", "1E125", "-1E125", "1E-130", "-1E-130", "00012.500", "1e2", "100", "0.1",
           "1.00", "3.1415926535897932384626433832795028841"]


def nested(depth):
    value = {"S": "deep"}
    for level in range(depth - 1):
        value = {"L": [value]} if level % 2 else {"M": {"m": value}}
    return value


def key(pk, sk="s", **more):
    return {"pk": pk if isinstance(pk, dict) else {"S": pk}, "sk": sk if isinstance(sk, dict) else {"S": sk}, **more}


def sized(pk, size):
    """An item of exactly so many bytes, as DynamoDB counts them."""
    return key(pk, "s", d={"S": "x" * (size - len(pk) - len("pk" "sk" "s" "d"))})


TYPES = {"s": {"S": ""}, "b": {"B": b""}, "bytes": {"B": bytes(range(256))}, "ss": {"SS": ["", "a", "\0", "😀"]}, "ns": {"NS": ["1", "-1E125", "0"]},
         "bs": {"BS": [b"", b"\0", b"\xff" * 9]}, "m": {"M": {}}, "l": {"L": []}, "t": {"BOOL": True}, "f": {"BOOL": False},
         "null": {"NULL": True}, "name \"\\\0😀": {"M": {" ": {"L": [{"NULL": True}, {"S": ""}]}}}}
PAD = {"pad": {"S": "y" * 90000}}

ROWS = {
    "an empty table": dict(items=[]),
    "one item": dict(items=[key("only")]),
    "items of 400 KB": dict(items=[sized(f"p{i}", 400 * 1024) for i in range(6)]),
    "numbers": dict(items=[key(f"p{i}", n={"N": n}) for i, n in enumerate(NUMBERS)] + [key("set", n={"NS": sorted(set(NUMBERS[2:11]))})]),
    "every type, empty ones too": dict(items=[key("all", **TYPES)] + [key(f"p-{i}", v=v) for i, v in enumerate(TYPES.values())]),
    "nesting 32 deep": dict(items=[key("deep", v=nested(31)), key("shallow", v=nested(1))]),
    "odd keys, paged over them": dict(items=[key(o, p, **PAD) for i, o in enumerate(ODD) for p in ODD[i % 5::9]], backup={"segments": 1}),
    "number keys": dict(items=[key({"N": n}, {"N": m}, **PAD) for n in NUMBERS[3:12] for m in ("0", "1E-130", "-5.5")], types="NN"),
    "binary keys": dict(items=[key({"B": b}, {"B": bytes([i])}, **PAD) for i, b in enumerate([b"\0", b"\xff" * 2000, b"\0\0", b"{\"", b"a+/="] * 5)],
                        types="BB"),
    "no sort key": dict(items=[{"pk": {"S": o}, **PAD} for o in ODD], sort=False),
    "1 segment": dict(items=plain_items(1500), backup={"segments": 1}),
    "16 segments": dict(items=plain_items(1500), backup={"segments": 16}),
    "local and global indexes": dict(
        items=[key(f"p{i}", f"s{i}", a={"S": f"a{i % 7}"}, n={"N": str(i)}, b={"B": bytes([i])}) for i in range(40)] + [key("in no index")],
        attributes={"a": "S", "n": "N", "b": "B"},
        LocalSecondaryIndexes=[{"IndexName": "by-n", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
                                "Projection": {"ProjectionType": "KEYS_ONLY"}}],
        GlobalSecondaryIndexes=[{"IndexName": "by.a", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
                                 "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["n", "b"]}},
                                {"IndexName": "by-b-n", "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
                                 "Projection": {"ProjectionType": "ALL"}}]),
}
for row_name, row in ROWS.items():
    case(row_name)(lambda peer, name, row=row: round_trip(peer, name, **row))


@case("a name with dots and dashes")
def name_with_dots(peer, name):
    round_trip(peer, f"{name}.with..dots_and-dashes.{'x' * 100}", plain_items(30))


# -- while the scan runs -------------------------------------------------------------------------------------------


@case("changed while it is scanned")
def changed_meanwhile(peer, name):
    make_table(peer.dynamodb, name)
    before = [{**item, "text": {"S": "x" * 80000}} for item in plain_items(60)]
    put_items(peer.dynamodb, name, before)
    submitted = peer.server.submit("backup.table", {"table": name, "segments": 1, "read_units_per_second": 500})
    wait_until(lambda: peer.server.get(f"/v1/jobs/{submitted['id']}")["progress"]["done"] > 0, 30, "the first page")
    changed = {**before[1], "text": {"S": "changed"}}
    for item in before[:1]:
        peer.dynamodb.delete_item(TableName=name, Key={k: item[k] for k in ("pk", "sk")})
    put_items(peer.dynamodb, name, [changed] + [key(f"new{i}", "s") for i in range(20)])
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    assert peer.server.get(f"/v1/jobs/{submitted['id']}")["state"] == "running"
    job = peer.server.wait(submitted)
    point = peer.server.get(f"/v1/recovery-points/{job['result']['recovery_point']}")
    assert point["consistency"]["from"][:19] <= moment <= point["consistency"]["to"][:19]
    restored = peer.server.restore(point["id"], f"{name}-back")
    there = items_of(peer.dynamodb, f"{name}-back")
    assert_restored(peer, restored, f"{name}-back", there)
    assert point["fingerprint"] == fingerprint_of(there)
    assert all(item in there for item in before[2:]), "an item that nobody touched is missing"
    assert all(item in before or item == changed or item["pk"]["S"].startswith("new") for item in there)


# -- where to ------------------------------------------------------------------------------------------------------


@case("into an empty table")
def into_empty(peer, name):
    make_table(peer.dynamodb, name)
    put_items(peer.dynamodb, name, plain_items(200))
    point, items = backed_up(peer, name)
    make_table(peer.dynamodb, f"{name}-there")
    assert_restored(peer, peer.server.restore(point["id"], f"{name}-there", into="empty"), f"{name}-there", items)
    refused(peer, 409, "TARGET_NOT_EMPTY", source={"recovery_point": point["id"]}, target_table=f"{name}-there", into="empty")
    make_table(peer.dynamodb, f"{name}-other", sort=False)
    refused(peer, 409, "MISMATCH", source={"recovery_point": point["id"]}, target_table=f"{name}-other", into="empty")
    refused(peer, 409, "TABLE_NOT_FOUND", source={"recovery_point": point["id"]}, target_table=f"{name}-none", into="empty")
    assert items_of(peer.dynamodb, f"{name}-other") == []


def refused(peer, status, code, **spec):
    """A restore that cannot be planned."""
    found, _, problem = peer.server.call("POST", "/v1/plans", {"kind": "restore.table", "environment": "production", "spec": spec})
    assert (found, problem["code"]) == (status, code), problem
    return problem


@case("never into what exists")
def never_into_existing(peer, name):
    make_table(peer.dynamodb, name)
    put_items(peer.dynamodb, name, plain_items(20))
    point, items = backed_up(peer, name)
    source = {"recovery_point": point["id"]}
    refused(peer, 409, "TARGET_EXISTS", source=source, target_table=name)
    problem = refused(peer, 422, "INVALID_SPEC", source=source, target_table=name, into="existing", on_conflict="overwrite")
    assert {error["pointer"] for error in problem["errors"]} >= {"/spec/into"}, problem
    assert items_of(peer.dynamodb, name) == items


# -- where from ----------------------------------------------------------------------------------------------------


@case("a tree by uri on a fresh server")
def tree_by_uri(peer, name):
    make_table(peer.dynamodb, name, types="SN")
    put_items(peer.dynamodb, name, [key(f"p{i}", {"N": str(i)}) for i in range(300)])
    point, items = backed_up(peer, name)
    peer.dynamodb.delete_table(TableName=name)
    fresh = peer.fresh_server() if peer.in_bucket else peer.fresh_server(uri_roots=[peer.server.root])
    try:
        assert fresh.get("/v1/recovery-points")["items"] == []
        job = fresh.restore({"uri": point["location"]}, f"{name}-back")
        assert_restored(peer, job, f"{name}-back", items)
        checked = fresh.run("validate.backup", {"source": {"uri": point["location"]}})
        assert checked["result"]["verdict"] == "intact"
    finally:
        end(fresh)


LINES = plain_items(120) + [key("all", **TYPES)]
KEYS = {"key_schema": {"hash": "pk", "range": "sk"}, "attributes": {"pk": "S", "sk": "S"}}


def from_lines(peer, name, path, data):
    uri, tree = peer.foreign(name)
    tree.write(path, data)
    source = {"uri": f"{uri}/{path}"}
    refused(peer, 422, "KEY_SCHEMA_REQUIRED", source=source, target_table=f"{name}-back")
    job = peer.server.restore(source, f"{name}-back", overrides=KEYS)
    assert_restored(peer, job, f"{name}-back", sorted(items_of(peer.dynamodb, f"{name}-back"), key=repr))
    assert job["result"]["fingerprint"] == fingerprint_of(LINES)
    checked = peer.server.run("validate.backup", {"source": source}, want="partial")
    assert checked["result"]["verdict"] == "unverifiable"


@case("a plain file of lines")
def plain_lines(peer, name):
    from_lines(peer, name, "lines.json", lines_of(LINES))


@case("a gzip file of lines")
def gzip_lines(peer, name):
    from_lines(peer, name, "lines.json.gz", gzip.compress(lines_of(LINES)))


@case("a gzip file of two members, without a last line feed")
def two_members(peer, name):
    data = lines_of(LINES)
    from_lines(peer, name, "two.json.gz", gzip.compress(data[:5000]) + gzip.compress(data[5000:-1]))


@case("AWS's own export")
def aws_export(peer, name):
    uri, tree = peer.foreign(f"{name}/AWSDynamoDB/01693685827463-2d8752fd")
    files = []
    for i, part in enumerate((LINES[:50], LINES[50:], [])):
        data = gzip.compress(lines_of(part))
        tree.write(f"data/file{i}.json.gz", data)
        files.append({"itemCount": len(part), "md5Checksum": base64.b64encode(hashlib.md5(data).digest()).decode(), "etag": "e-1",
                      "dataFileS3Key": f"{name}/AWSDynamoDB/01693685827463-2d8752fd/data/file{i}.json.gz"})
    tree.write("manifest-files.json", b"".join(json.dumps(f).encode() + b"\n" for f in files))
    tree.write("manifest-files.md5", b"x")
    tree.write("manifest-summary.json", json.dumps({
        "version": "2020-06-30", "exportArn": "arn:aws:dynamodb:us-east-1:123456789012:table/T/export/01693685827463-2d8752fd",
        "startTime": "2023-09-02T20:17:07.463Z", "endTime": "2023-09-02T20:20:00.000Z", "tableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/T",
        "tableId": "b116b490-6460-4d4a-9a6b-5d360abf4fb3", "exportTime": "2023-09-02T20:17:07.000Z", "s3Bucket": "b", "s3Prefix": name,
        "s3SseAlgorithm": "AES256", "s3SseKmsKeyId": None, "manifestFilesS3Key": f"{name}/AWSDynamoDB/01693685827463-2d8752fd/manifest-files.json",
        "billedSizeBytes": 0, "itemCount": len(LINES), "outputFormat": "DYNAMODB_JSON", "exportType": "FULL_EXPORT"}).encode())
    refused(peer, 422, "KEY_SCHEMA_REQUIRED", source={"uri": uri}, target_table=f"{name}-back")
    job = peer.server.restore({"uri": uri}, f"{name}-back", overrides=KEYS)
    assert job["result"]["fingerprint"] == fingerprint_of(LINES)
    assert_restored(peer, job, f"{name}-back", items_of(peer.dynamodb, f"{name}-back"))
    checked = peer.server.run("validate.backup", {"source": {"uri": uri}})
    assert checked["result"]["verdict"] == "intact"


@case("lines into an empty table")
def lines_into_empty(peer, name):
    uri, tree = peer.foreign(name)
    tree.write("lines.json", lines_of(LINES))
    make_table(peer.dynamodb, f"{name}-there")
    job = peer.server.restore({"uri": f"{uri}/lines.json"}, f"{name}-there", into="empty")
    assert job["result"]["fingerprint"] == fingerprint_of(items_of(peer.dynamodb, f"{name}-there")) == fingerprint_of(LINES)


# -- settings ------------------------------------------------------------------------------------------------------

# By peer, what becomes of each setting of a table that has them all.
ALL_SET = dict.fromkeys("key_schema indexes table_class tags billing autoscaling stream pitr deletion_protection ttl".split(), "applied")
OUTCOMES = {
    True: {**ALL_SET, "alarms": "skipped", "resource_policy": "skipped", "kinesis": "skipped"},
    False: {**ALL_SET, "stream": "already", "tags": "unsupported", "pitr": "unsupported", "autoscaling": "unsupported"},
}


STREAM = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}


def set_everything(peer, name):
    """A table with every setting that the peer takes. DynamoDB Local takes a stream as well, and then answers 500 when Lambda is asked
    what hangs on it: that is the case of an unreadable setting."""
    dynamodb = peer.dynamodb
    throughput = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 5}
    make_table(dynamodb, name, attributes={"a": "S"}, BillingMode="PROVISIONED", ProvisionedThroughput=throughput, DeletionProtectionEnabled=True,
               TableClass="STANDARD_INFREQUENT_ACCESS", Tags=[{"Key": "team", "Value": "sales"}, {"Key": "ümläut", "Value": ""}],
               **(STREAM if peer.emulated else {}),
               GlobalSecondaryIndexes=[{"IndexName": "by-a", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
                                        "Projection": {"ProjectionType": "ALL"}, "ProvisionedThroughput": throughput}])
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
    if not peer.emulated:
        return
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 20})
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "dynamodb:GetItem", "Resource": arn}]}))
    dynamodb.enable_kinesis_streaming_destination(TableName=name, StreamArn=f"arn:aws:kinesis:us-east-1:123456789012:stream/{name}")
    scaling = peer.aws.client("application-autoscaling")
    target = {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{name}", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    scaling.register_scalable_target(**target, MinCapacity=5, MaxCapacity=50)
    scaling.put_scaling_policy(**target, PolicyName=f"$reads:table/{name}", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={
        "TargetValue": 70.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"}})
    peer.aws.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{name}-errors", MetricName="SystemErrors", Namespace="AWS/DynamoDB", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold", Dimensions=[{"Name": "TableName", "Value": name}])
    wait_until(lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE", 20, name)


@case("settings")
def settings(peer, name):
    dynamodb = peer.dynamodb
    set_everything(peer, name)
    put_items(dynamodb, name, [key(f"p{i}", a={"S": "a"}, expires={"N": str(int(time.time()) + 86400)}) for i in range(10)])
    point, items = backed_up(peer, name)
    job = peer.server.restore(point["id"], f"{name}-back")
    assert_restored(peer, job, f"{name}-back", items, schema_of(peer, name))
    outcomes = {row["name"]: row["outcome"] for row in job["result"]["settings"]}
    expected = OUTCOMES[peer.emulated]
    assert {n: outcomes.get(n) for n in expected} == expected, job["result"]["settings"]
    shown = dynamodb.describe_table(TableName=f"{name}-back")["Table"]
    assert shown["ProvisionedThroughput"]["ReadCapacityUnits"] == 7 and shown["DeletionProtectionEnabled"] is True
    assert dynamodb.describe_time_to_live(TableName=f"{name}-back")["TimeToLiveDescription"]["AttributeName"] == "expires"
    if peer.emulated:
        settings_read_again(peer, f"{name}-back", shown)
    for table in (name, f"{name}-back"):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    return f"{list(outcomes.values()).count('unsupported')} unsupported"


def settings_read_again(peer, table, shown):
    tags = {tag["Key"]: tag["Value"] for tag in peer.dynamodb.list_tags_of_resource(ResourceArn=shown["TableArn"])["Tags"]}
    assert tags.pop("recoverd:job") and tags == {"team": "sales", "ümläut": ""}
    assert shown["StreamSpecification"] == STREAM["StreamSpecification"]
    assert shown["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    pitr = peer.dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert pitr["PointInTimeRecoveryStatus"] == "ENABLED" and pitr["RecoveryPeriodInDays"] == 20
    scaling = peer.aws.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=[f"table/{table}"])["ScalableTargets"]
    assert [(t["MinCapacity"], t["MaxCapacity"]) for t in targets] == [(5, 50)]
    policies = scaling.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId=f"table/{table}")["ScalingPolicies"]
    assert [p["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for p in policies] == [70.0]
    alarms = peer.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert not [a for a in alarms if {"Name": "TableName", "Value": table} in a["Dimensions"] and a["AlarmName"].endswith("errors")]


@case("a setting that cannot be read")
def unreadable(peer, name):
    make_table(peer.dynamodb, name, **({} if peer.emulated else STREAM))
    put_items(peer.dynamodb, name, plain_items(30))
    if peer.emulated:
        peer.aws.faults({"service": "dynamodb", "operation": "DescribeTimeToLive", "do": "error_500", "count": 20})
    items = items_of(peer.dynamodb, name)
    job = peer.server.run("backup.table", {"table": name}, want="partial")
    assert job["result"]["items"] == len(items) and job["result"]["fingerprint"] == fingerprint_of(items)
    assert [c["reason"] for c in job["conditions"]] == ["INCOMPLETE"]
    if peer.emulated:
        peer.aws.clear_faults()
    asked = {} if peer.emulated else {"settings": {"apply": ["event_source_mappings"]}}
    job = peer.server.restore(job["result"]["recovery_point"], f"{name}-back", want="partial", **asked)
    assert items_of(peer.dynamodb, f"{name}-back") == items
    unread = [row["name"] for row in job["result"]["settings"] if row["outcome"] == "unreadable"]
    assert unread == (["ttl"] if peer.emulated else ["event_source_mappings"])


@case("items that have expired")
def expired(peer, name):
    make_table(peer.dynamodb, name)
    soon = int(time.time()) + (-1000 if peer.emulated else 4)  # DynamoDB Local removes what has expired within a second
    put_items(peer.dynamodb, name, [key("old", expires={"N": str(soon)}), key("new", expires={"N": "9999999999"})])
    peer.dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
    point, items = backed_up(peer, name)
    time.sleep(max(0, soon + 1.5 - time.time()))
    job = peer.server.restore(point["id"], f"{name}-back")
    assert_restored(peer, job, f"{name}-back", items)
    assert {r["name"]: r["outcome"] for r in job["result"]["settings"]}["ttl"] == "skipped"
    assert peer.dynamodb.describe_time_to_live(TableName=f"{name}-back")["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    job = peer.server.restore(point["id"], f"{name}-asked", settings={"ttl": True})
    assert {r["name"]: r["outcome"] for r in job["result"]["settings"]}["ttl"] == "applied"


@case("named and skipped settings, overrides")
def named_settings(peer, name):
    set_everything(peer, name)
    point, items = backed_up(peer, name)
    job = peer.server.restore(
        point["id"], f"{name}-back", settings={"apply": ["alarms"], "skip": ["deletion_protection", "stream", "autoscaling"]},
        overrides={"billing_mode": "PAY_PER_REQUEST", "indexes": []})
    outcomes = {row["name"]: row["outcome"] for row in job["result"]["settings"]}
    assert outcomes["deletion_protection"] == "skipped" and outcomes["alarms"] == ("applied" if peer.emulated else "unsupported"), outcomes
    shown = peer.dynamodb.describe_table(TableName=f"{name}-back")["Table"]
    assert not shown.get("GlobalSecondaryIndexes") and not shown.get("StreamSpecification", {}).get("StreamEnabled")
    assert shown["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST" and not shown.get("DeletionProtectionEnabled")
    peer.dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)


# -- proofs --------------------------------------------------------------------------------------------------------


@case("proven in a table that goes away")
def proven(peer, name):
    make_table(peer.dynamodb, name)
    put_items(peer.dynamodb, name, plain_items(300))
    point, items = backed_up(peer, name)
    job = peer.server.run("validate.backup", {"source": {"recovery_point": point["id"]}, "prove": True})
    assert job["result"]["verdict"] == "intact", job
    assert peer.server.get(f"/v1/recovery-points/{point['id']}")["status"] == "proven"
    temporary = f"recoverd-prove-{job['id']}"
    wait_until(lambda: temporary not in peer.dynamodb.list_tables()["TableNames"], 10, "the end of the temporary table")
    assert peer.made("CreateTable", temporary) == 1


@case("a table that differs is told")
def differs(peer, name):
    make_table(peer.dynamodb, name)
    put_items(peer.dynamodb, name, plain_items(100))
    point, items = backed_up(peer, name)
    assert peer.server.run("validate.table", {"table": name, "against": {"recovery_point": point["id"]}})["result"]["verdict"] == "intact"
    peer.dynamodb.put_item(TableName=name, Item={**items[5], "text": {"S": "other"}})
    job = peer.server.run("validate.table", {"table": name, "against": {"recovery_point": point["id"]}}, want="failed")
    assert job["error"]["code"] == "MISMATCH" and job["result"]["verdict"] == "mismatch"
    peer.dynamodb.put_item(TableName=name, Item=items[5])
    peer.dynamodb.delete_item(TableName=name, Key={k: items[6][k] for k in ("pk", "sk")})
    job = peer.server.run("validate.table", {"table": name, "against": {"recovery_point": point["id"]}}, want="failed")
    assert job["error"]["code"] == "MISMATCH"
