"""Requests are held against AWS's models: what botocore writes is right, each thing that is wrong is told."""

import json
from datetime import datetime, timezone

import pytest
from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.serialize import create_serializer
from sim.names import model, resolve
from sim.wellformed import faults
from sim.wire import Request

SERVICES = {
    "json": ("dynamodb", "kms", "ssm", "cognito-idp", "application-autoscaling", "logs", "events"),
    "query": ("sts", "iam", "sns", "ses", "cloudformation", "cloudwatch"),
    "rest-json": ("lambda", "apigateway", "backup", "sesv2"),
    "rest-xml": ("s3", "route53"),
    "smithy-rpc-v2-cbor": ("cloudwatch",),
}
NAMES = [(protocol, name) for protocol, names in SERVICES.items() for name in names]
# Its form is ListBuckets', at the host of another kind of bucket.
TWINS = {"ListDirectoryBuckets"}
CREDENTIAL = "AWS4-HMAC-SHA256 Credential=testing/20261123/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def sample(shape, full, depth=0):
    """A value that fits a shape: the smallest, or a full one."""
    low = shape.metadata.get("min") or 0
    if shape.type_name == "structure":
        return _members(shape, full, depth)
    if shape.type_name == "list":
        count = min(2 if full else 1, shape.metadata.get("max") or 2) if depth < 5 else 0
        return [sample(shape.member, full, depth + 1) for _ in range(max(low, count))]
    if shape.type_name == "map":
        if shape.key.metadata.get("enum"):
            return {key: sample(shape.value, full, depth + 1) for key in shape.key.enum[:1]}
        length = max(shape.key.metadata.get("min") or 1, 1)
        count = max(low, int(depth < 5))
        return {chr(97 + n) * length: sample(shape.value, full, depth + 1) for n in range(count)}
    return LEAVES[shape.type_name](shape, low)


def _members(shape, full, depth):
    names = list(shape.members) if full and depth < 3 else list(shape.required_members)
    if shape.metadata.get("union") or not names and 0 < depth < 5:  # a form cannot tell an empty one
        names = list(shape.members)[:1]
    return {name: sample(shape.members[name], full, depth + 1) for name in names}


def _number(shape, low):
    return max(low, min(1, shape.metadata.get("max") or 1))


LEAVES = {
    "string": lambda shape, low: (shape.metadata.get("enum") or ["x" * max(low, 1)])[0],
    "character": lambda shape, low: "x",
    "integer": _number,
    "long": _number,
    "float": lambda shape, low: 1.5,
    "double": lambda shape, low: 1.5,
    "boolean": lambda shape, low: True,
    "blob": lambda shape, low: b"x" * max(low, 1),
    "timestamp": lambda shape, low: datetime(2026, 11, 23, tzinfo=timezone.utc),
}


def written(protocol, operation, members):
    """The request as botocore writes it."""
    known = operation.service_model
    parts = create_serializer(protocol, False).serialize_to_request(members, operation)
    prepare_request_dict(parts, "http://127.0.0.1")
    parts["headers"].setdefault("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")  # which its S3 client adds later
    parts["headers"]["Authorization"] = CREDENTIAL.format(known.signing_name)
    sent = create_request_object(parts).prepare()
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    body = body if isinstance(body, bytes) else body.read()
    headers = {name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in sent.headers.items()}
    return Request(sent.method, sent.url.removeprefix("http://127.0.0.1") or "/", headers, body)


def told(protocol, operation, members, mend=lambda request: None):
    request = written(protocol, operation, members)
    mend(request)
    call = resolve(request)
    found = faults(call, request)
    if call.service == "dynamodb" and protocol == "json":
        from sim.ddb import api

        api.look(call, request.body)
        found = found + call.wrong
    return call.operation, found


@pytest.mark.parametrize("protocol, service", NAMES)
@pytest.mark.parametrize("full", (False, True), ids=("least", "full"))
def test_what_botocore_writes_is_right(protocol, service, full):
    known = model(service)
    wrong = {}
    for name in known.operation_names:
        operation = known.operation_model(name)
        if operation.deprecated or operation.has_event_stream_input or name in TWINS:
            continue
        members = sample(operation.input_shape, full) if operation.input_shape else {}
        resolved, found = told(protocol, operation, members)
        if resolved != name or found:
            wrong[name] = (resolved, found)
    assert wrong == {}


def _change(members, path, value):
    """The members with another value at a path; None takes it away."""
    changed = json.loads(json.dumps(members))
    place = changed
    for part in path[:-1]:
        place = place[part]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


ALARM = {
    "AlarmName": "a",
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "Dimensions": [{"Name": "TableName", "Value": "Sales"}],
}
VERSIONS = {"Bucket": "b", "VersioningConfiguration": {"Status": "Enabled"}}
RECORD = {
    "HostedZoneId": "Z1",
    "ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {"Name": "a.b", "Type": "A", "TTL": 60}}]},
}
MAPPING = {"EventSourceArn": "arn:a", "FunctionName": "f", "BatchSize": 10, "StartingPosition": "LATEST"}
CREATE = {"TableName": "Sales", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PROVISIONED"}
SECRET = {"Name": "p", "Value": "v", "Type": "String"}
# protocol, service, operation, members, where, what stands there instead (None: nothing), what is told
WRONG = [
    ("json", "dynamodb", "CreateTable", CREATE, ["TableName"], None, "required"),
    ("json", "dynamodb", "CreateTable", CREATE, ["KeySchema", 0, "KeyType"], "SORT", "none of"),
    ("json", "dynamodb", "CreateTable", CREATE, ["KeySchema"], [], "not within"),
    ("json", "dynamodb", "CreateTable", CREATE, ["TableName"], 5, "instead of a string"),
    ("json", "ssm", "PutParameter", SECRET, ["Type"], "Secret", "none of"),
    ("json", "ssm", "PutParameter", SECRET, ["Overwrite"], "true", "instead of a boolean"),
    ("json", "kms", "ScheduleKeyDeletion", {"KeyId": "k"}, ["PendingWindowInDays"], True, "whole number"),
    ("query", "cloudwatch", "PutMetricAlarm", ALARM, ["AlarmName"], None, "required"),
    ("query", "cloudwatch", "PutMetricAlarm", ALARM, ["EvaluationPeriods"], "many", "whole number"),
    ("query", "cloudwatch", "PutMetricAlarm", ALARM, ["EvaluationPeriods"], 0, "not within"),
    ("query", "cloudwatch", "PutMetricAlarm", ALARM, ["ComparisonOperator"], "Above", "none of"),
    ("smithy-rpc-v2-cbor", "cloudwatch", "PutMetricAlarm", ALARM, ["AlarmName"], None, "required"),
    ("smithy-rpc-v2-cbor", "cloudwatch", "PutMetricAlarm", ALARM, ["ComparisonOperator"], "Above", "none of"),
    ("rest-json", "lambda", "CreateEventSourceMapping", MAPPING, ["FunctionName"], None, "required"),
    ("rest-json", "lambda", "CreateEventSourceMapping", MAPPING, ["StartingPosition"], "NEWEST", "none of"),
    ("rest-json", "lambda", "CreateEventSourceMapping", MAPPING, ["BatchSize"], 20000, "not within"),
    ("rest-json", "lambda", "ListEventSourceMappings", {"MaxItems": 5}, ["MaxItems"], 0, "not within"),
    ("rest-xml", "s3", "PutBucketVersioning", VERSIONS, ["VersioningConfiguration", "Status"], "On", "none of"),
    ("rest-xml", "route53", "ChangeResourceRecordSets", RECORD, ["ChangeBatch", "Changes"], [], "not within"),
    ("rest-xml", "route53", "ChangeResourceRecordSets", RECORD, ["ChangeBatch", "Changes", 0, "Action"], "PUT", "none of"),
    (
        "rest-xml",
        "route53",
        "ChangeResourceRecordSets",
        RECORD,
        ["ChangeBatch", "Changes", 0, "ResourceRecordSet", "TTL"],
        -1,
        "not within",
    ),
]


def _id(row):
    return f"{row[0]} {row[2]} {row[4][-1]} {row[6]}"


@pytest.mark.parametrize("row", WRONG, ids=_id)
def test_a_wrong_member_is_told(row):
    protocol, service, name, members, path, value, words = row
    operation = model(service).operation_model(name)
    assert told(protocol, operation, members) == (name, [])
    _, (found, *_) = told(protocol, operation, _change(members, path, value))
    assert words in found and str(path[-1]) in found


def _header(name, value):
    def mend(request):
        request.headers.pop(name, None)
        if value is not None:
            request.headers[name] = value

    return mend


def _body(old, new):
    def mend(request):
        assert old in request.body
        request.body = request.body.replace(old, new)

    return mend


def _target(old, new):
    def mend(request):
        assert old in request.target
        request.target = request.target.replace(old, new)
        request.__post_init__()

    return mend


PUT = {"Bucket": "b", "Key": "k", "Body": b"x"}
# What no serializer of botocore would write: protocol, service, operation, members, the change on the wire, what is told.
ON_THE_WIRE = [
    ("json", "ssm", "PutParameter", SECRET, _header("content-type", "application/json"), "content-type"),
    ("json", "ssm", "PutParameter", SECRET, _header("content-type", "application/x-amz-json-1.0"), "content-type"),
    ("json", "ssm", "PutParameter", SECRET, _header("x-amz-target", "AmazonSSM.PutParameters"), "no operation"),
    ("json", "ssm", "PutParameter", SECRET, _header("x-amz-target", "SSM.PutParameter"), "x-amz-target"),
    ("json", "ssm", "PutParameter", SECRET, _body(b"{", b"[{"), "the body is not json"),
    ("json", "dynamodb", "CreateTable", CREATE, _body(b"TableName", b"tableName"), "no member"),
    ("query", "cloudwatch", "PutMetricAlarm", ALARM, _body(b"2010-08-01", b"2010-08-02"), "Version"),
    ("query", "cloudwatch", "PutMetricAlarm", ALARM, _body(b"member.1", b"member.2"), "numbered"),
    ("query", "cloudwatch", "PutMetricAlarm", ALARM, _body(b"Dimensions.member", b"Dimensions.entry"), "below member"),
    ("query", "cloudwatch", "PutMetricAlarm", ALARM, _body(b"AlarmName=a", b"AlarmName=a&AlarmName=b"), "twice"),
    ("query", "cloudwatch", "PutMetricAlarm", ALARM, _body(b"AlarmName", b"Alarm"), "no member"),
    ("smithy-rpc-v2-cbor", "cloudwatch", "PutMetricAlarm", ALARM, _header("smithy-protocol", None), "smithy-protocol"),
    ("smithy-rpc-v2-cbor", "cloudwatch", "PutMetricAlarm", ALARM, _body(b"AlarmName", b"AlarmNome"), "no member"),
    ("smithy-rpc-v2-cbor", "cloudwatch", "PutMetricAlarm", ALARM, _body(b"AlarmName", b"\xff" * 9), "the body is not smithy"),
    ("rest-json", "lambda", "CreateEventSourceMapping", MAPPING, _header("content-type", None), "content-type"),
    ("rest-json", "lambda", "CreateEventSourceMapping", MAPPING, _body(b"BatchSize", b"Batchsize"), "no member"),
    ("rest-json", "lambda", "ListEventSourceMappings", {"MaxItems": 5}, _target("MaxItems", "Max"), "no such argument"),
    ("rest-json", "lambda", "ListEventSourceMappings", {"MaxItems": 5}, _target("=5", "=5&MaxItems=6"), "twice"),
    ("rest-xml", "s3", "PutBucketVersioning", VERSIONS, _body(b"Status", b"State"), "no member"),
    ("rest-xml", "s3", "PutBucketVersioning", VERSIONS, _header("content-md5", None), "digest"),
    ("rest-xml", "s3", "PutObject", PUT, _header("x-amz-acll", "private"), "no such header"),
    ("rest-xml", "s3", "PutObject", PUT, _header("x-amz-acl", "open"), "none of"),
    ("rest-xml", "s3", "PutObject", PUT, _header("x-amz-object-lock-retain-until-date", "tomorrow"), "not a time"),
    ("rest-xml", "s3", "PutObject", PUT, _target("/b/k", "/b/k?acll"), "no such argument"),
    ("rest-xml", "route53", "ChangeResourceRecordSets", RECORD, _body(b"2013-04-01", b"2012-12-12"), "namespace"),
    ("rest-xml", "route53", "ChangeResourceRecordSets", RECORD, _body(b"ChangeBatch>", b"Batch>"), "no member"),
]


@pytest.mark.parametrize("row", ON_THE_WIRE, ids=lambda row: f"{row[0]} {row[2]} {row[5]}")
def test_a_wrong_wire_is_told(row):
    protocol, service, name, members, mend, words = row
    _, found = told(protocol, model(service).operation_model(name), members, mend)
    assert any(words in one for one in found), found


def test_the_ledger_tells_it_and_it_outlives_a_reset(world):
    world.control("POST", "wrong")
    functions = world.client("lambda", parameter_validation=False)
    functions.list_event_source_mappings(MaxItems=5)
    assert world.control("POST", "wrong") == []
    functions.list_event_source_mappings(MaxItems=0)
    (row,) = world.ledger(service="lambda", since=1)
    assert row["wrong"] == ["MaxItems: 0 is not within 1..10000"]
    world.control("POST", "reset")
    (kept,) = world.control("POST", "wrong")
    assert (kept["operation"], kept["wrong"]) == ("ListEventSourceMappings", row["wrong"])
    assert world.control("POST", "wrong") == []


def test_a_refused_or_faulty_call_is_looked_at_too(world):
    world.control("POST", "wrong")
    world.fault("dynamodb", "ListTables", "throttle")
    assert world.dynamodb("ListTables", b'{"Limit": 1000}')[0] == 400
    assert world.dynamodb("ListTables", b'{"Limit": 1000}')[0] == 400
    assert [row["wrong"] for row in world.control("POST", "wrong")] == [["Limit: 1000 is not within 1..100"]] * 2


def test_an_item_that_is_none_is_told(world, make):
    make()
    world.control("POST", "wrong")
    world.dynamodb("PutItem", b'{"TableName": "Sales", "Item": {"pk": {"S": 5}}}')
    (row,) = world.control("POST", "wrong")
    assert row["wrong"] == ["The value cannot be converted to String"]
