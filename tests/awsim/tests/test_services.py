"""The other services that a table's capsule needs, and who the caller is."""

import io
import zipfile

TABLE = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/Sales",
    "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
}
METRIC = {
    "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
    "TargetValue": 70.0,
}


def test_the_account_is_123456789012_and_testing_is_its_root(world):
    identity = world.client("sts").get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:root")


def test_a_user_of_its_iam_is_that_user(world):
    iam = world.client("iam")
    iam.create_user(UserName="backup")
    key = iam.create_access_key(UserName="backup")["AccessKey"]
    theirs = {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    assert (
        world.client("sts", **theirs).get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/backup"
    )
    world.client("dynamodb", **theirs).list_tables()
    assert world.ledger(operation="ListTables")[0]["principal"] == "arn:aws:iam::123456789012:user/backup"


def test_autoscaling_targets_and_policies_are_kept(world):
    scaling = world.client("application-autoscaling")
    scaling.register_scalable_target(**TABLE, MinCapacity=5, MaxCapacity=50)
    scaling.put_scaling_policy(
        **TABLE,
        PolicyName="reads",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=METRIC,
    )
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=["table/Sales"])[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (5, 50)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId="table/Sales")[
        "ScalingPolicies"
    ]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.0
    assert (
        scaling.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=["table/Other"])[
            "ScalableTargets"
        ]
        == []
    )


def test_alarms_are_kept(world):
    alarms = world.client("cloudwatch")
    alarms.put_metric_alarm(
        AlarmName="sales-throttles",
        Namespace="AWS/DynamoDB",
        MetricName="ThrottledRequests",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
        Dimensions=[{"Name": "TableName", "Value": "Sales"}],
    )
    (alarm,) = alarms.describe_alarms()["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["Dimensions"][0]["Value"]) == ("sales-throttles", "Sales")
    assert world.ledger(service="cloudwatch", operation="PutMetricAlarm")[0]["status"] == 200


def test_alarms_answer_in_the_json_and_the_query_protocol_too(world):
    for body, headers in (
        (
            b"{}",
            {
                "X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms",
                "Content-Type": "application/x-amz-json-1.0",
            },
        ),
        (b"Action=DescribeAlarms&Version=2010-08-01", {"Content-Type": "application/x-www-form-urlencoded"}),
    ):
        status, _, answer = world.raw("POST", "/", body, headers, "monitoring")
        assert status == 200 and b"MetricAlarms" in answer


def test_a_table_without_consumers_has_no_event_source_mappings(world):
    functions = world.client("lambda")
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Sales/stream/2026-11-23T00:00:00.000"
    assert functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"] == []
    (row,) = world.ledger(service="lambda")
    assert (row["operation"], row["effect"]) == ("ListEventSourceMappings", "read")


def test_a_stream_can_feed_a_function(world, make, ddb):
    make(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    stream = ddb.describe_table(TableName="Sales")["Table"]["LatestStreamArn"]
    role = world.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("main.py", "def handler(event, context): pass")
    world.settings(function_update_delay="0s")
    functions = world.client("lambda")
    functions.create_function(
        FunctionName="watch",
        Runtime="python3.12",
        Role=role,
        Handler="main.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    made = functions.create_event_source_mapping(
        FunctionName="watch", EventSourceArn=stream, StartingPosition="LATEST", BatchSize=10
    )
    (found,) = functions.list_event_source_mappings(EventSourceArn=stream)["EventSourceMappings"]
    assert (found["UUID"], found["BatchSize"]) == (made["UUID"], 10)
    functions.delete_event_source_mapping(UUID=made["UUID"])
    assert functions.list_event_source_mappings(EventSourceArn=stream)["EventSourceMappings"] == []


def test_what_is_not_there_is_said_to_be_unknown(world, refused):
    assert refused(world.client("dynamodbstreams").list_streams) == "UnknownOperationException"
