"""Objects as other services see them, and a random life of versions against a plain model."""

import io
import json
import os
import zipfile
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TORTURE = bool(os.environ.get("TORTURE"))
KEYS = st.sampled_from("ab")


@pytest.fixture
def s3(world):
    client = world.client("s3")
    client.create_bucket(Bucket="shared")
    return client


def test_a_function_takes_its_code_from_a_bucket(world, s3):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return event\n")
    s3.put_object(Bucket="shared", Key="code.zip", Body=packed.getvalue())
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = world.client("iam").create_role(
        RoleName="runs", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust})
    )
    made = world.client("lambda").create_function(
        FunctionName="f",
        Runtime="python3.11",
        Handler="index.handler",
        Role=role["Role"]["Arn"],
        Code={"S3Bucket": "shared", "S3Key": "code.zip"},
    )
    assert made["CodeSize"] == len(packed.getvalue())


def test_a_stack_takes_its_template_from_a_bucket_and_keeps_one_that_is_not_empty(world, s3):
    template = {"Resources": {"Made": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "made-by-stack"}}}}
    s3.put_object(Bucket="shared", Key="t.json", Body=json.dumps(template).encode())
    stacks = world.client("cloudformation")
    stacks.create_stack(StackName="s", TemplateURL="https://shared.s3.amazonaws.com/t.json")
    world.control("POST", "clock", {"advance": "1h"})
    s3.put_object(Bucket="made-by-stack", Key="k", Body=b"1")
    stacks.delete_stack(StackName="s")
    world.control("POST", "clock", {"advance": "1h"})
    assert s3.get_object(Bucket="made-by-stack", Key="k")["Body"].read() == b"1"


def test_a_queue_hears_of_what_becomes_of_objects(world, s3):
    queue = world.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:events"
    events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"]
    s3.put_bucket_notification_configuration(
        Bucket="shared", NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": events}]}
    )
    s3.put_object(Bucket="shared", Key="k", Body=b"12345")
    s3.copy_object(Bucket="shared", Key="copy", CopySource="shared/k")
    s3.delete_object(Bucket="shared", Key="k")
    world.fault("s3", "PutObject", "lie")
    s3.put_object(Bucket="shared", Key="lie", Body=b"1")
    heard = []
    while messages := world.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            heard += [
                (row["eventName"].removeprefix("s3:"), row["s3"]["object"]["key"], row["s3"]["object"].get("size"))
                for row in json.loads(message["Body"]).get("Records", ())
            ]
            world.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert ("ObjectCreated:Put", "k", 5) in heard and ("ObjectCreated:Copy", "copy", 5) in heard
    assert [key for name, key, _ in heard if name.startswith("ObjectRemoved")] == ["k"]
    assert "lie" not in {key for _, key, _ in heard}


def test_cloudwatch_tells_the_size_of_all_versions(world, s3):
    s3.put_bucket_versioning(Bucket="shared", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"12345", b"123"):
        s3.put_object(Bucket="shared", Key="k", Body=body)
    now = datetime.fromisoformat(world.control("GET", "clock")["now"])
    found = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/S3",
        MetricName="BucketSizeBytes",
        Dimensions=[{"Name": "BucketName", "Value": "shared"}, {"Name": "StorageType", "Value": "StandardStorage"}],
        StartTime=now - timedelta(days=2),
        EndTime=now + timedelta(days=1),
        Period=86400,
        Statistics=["Average"],
    )["Datapoints"]
    assert [point["Average"] for point in found] == [8]


# -- a plain model of versions --------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS),
        st.tuples(st.just("put"), KEYS),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("forget"), KEYS, st.integers(0, 5)),
        st.tuples(st.just("versioning"), st.sampled_from(("Enabled", "Suspended"))),
        st.tuples(st.just("copy"), KEYS, KEYS),
    ),
    min_size=4,
    max_size=60 if TORTURE else 20,
)


class Model:
    """{key: [(id, body or None for a marker)], oldest first}, by the words of the User Guide."""

    def __init__(self):
        self.status, self.keys = None, {}

    def add(self, key, version, body):
        held = self.keys.setdefault(key, [])
        if self.status != "Enabled":
            assert version in ("null", None)
            version, held[:] = "null", [one for one in held if one[0] != "null"]
        held.append((version, body))

    def drop(self, key, place):
        held = self.keys.get(key, [])
        return held.pop(place % len(held))[0] if held else None

    def current(self, key):
        held = self.keys.get(key)
        return held[-1][1] if held else None


@settings(
    max_examples=1000 if TORTURE else 25,
    derandomize=not TORTURE,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=STEPS)
def test_versions_are_those_of_a_plain_model(running, steps):
    running.control("POST", "reset")
    s3, model, bucket = running.client("s3"), Model(), {"Bucket": "model"}
    s3.create_bucket(**bucket)
    for place, (what, *more) in enumerate(steps):
        _step(s3, model, bucket, place, what, *more)
    for key in "ab":
        body = model.current(key)
        if body is None:
            with pytest.raises(s3.exceptions.NoSuchKey):
                s3.get_object(**bucket, Key=key)
        else:
            assert s3.get_object(**bucket, Key=key)["Body"].read() == body
    shown = s3.list_object_versions(**bucket)
    rows = [(row["Key"], row["VersionId"], True) for row in shown.get("Versions", [])]
    rows += [(row["Key"], row["VersionId"], False) for row in shown.get("DeleteMarkers", [])]
    held = [(key, version, body is not None) for key, all_ in model.keys.items() for version, body in all_]
    assert sorted(rows) == sorted(held)
    assert [row["Key"] for row in s3.list_objects_v2(**bucket).get("Contents", [])] == [
        key for key in "ab" if model.current(key) is not None
    ]


def _step(s3, model, bucket, place, what, *more):
    if what == "versioning":
        s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": more[0]})
        model.status = more[0]
    elif what == "put":
        body = str(place).encode()
        model.add(more[0], s3.put_object(**bucket, Key=more[0], Body=body).get("VersionId"), body)
    elif what == "copy" and more[0] != more[1] and model.current(more[0]) is not None:
        answer = s3.copy_object(**bucket, Key=more[1], CopySource=f"model/{more[0]}")
        model.add(more[1], answer.get("VersionId"), model.current(more[0]))
    elif what == "delete" and model.status is None:
        s3.delete_object(**bucket, Key=more[0])
        model.keys.pop(more[0], None)
    elif what == "delete":
        model.add(more[0], s3.delete_object(**bucket, Key=more[0])["VersionId"], None)
    elif what == "forget" and (version := model.drop(*more)):
        s3.delete_object(**bucket, Key=more[0], VersionId=version)
