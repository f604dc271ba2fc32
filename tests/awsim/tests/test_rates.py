"""Throttling by table, and two lies: overlapping pages, and success without effect."""

import pytest

METRIC = {"Namespace": "AWS/DynamoDB", "MetricName": "ThrottledRequests", "Statistic": "Sum"}
ALARM = {"Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
TARGET = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/Sales",
    "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
}


def _puts(keys):
    return {"Sales": [{"PutRequest": {"Item": {"pk": {"S": str(key)}}}} for key in keys]}


def _gets(keys):
    return {"Sales": {"Keys": [{"pk": {"S": str(key)}} for key in keys], "ConsistentRead": True}}


def _rate(world, **rate):
    return world.control("POST", "rates", {"table": "Sales", **rate})


def test_a_batch_beyond_the_rate_is_left_unprocessed_and_then_refused(world, make, ddb, refused):
    make()
    _rate(world, write_units_per_second=0.001)
    left = ddb.batch_write_item(RequestItems=_puts(range(5)))["UnprocessedItems"]
    assert left == _puts(range(1, 5))
    assert refused(ddb.batch_write_item, RequestItems=left) == "ProvisionedThroughputExceededException"
    assert (
        refused(ddb.put_item, TableName="Sales", Item={"pk": {"S": "x"}})
        == "ProvisionedThroughputExceededException"
    )
    assert ddb.scan(TableName="Sales")["Count"] == 1
    world.control("POST", "clock", {"advance": "1h"})
    assert len(ddb.batch_write_item(RequestItems=left)["UnprocessedItems"]["Sales"]) == 3


def test_reads_beyond_the_rate_are_left_or_refused_and_the_reason_is_told(world, make, ddb, refused):
    make()
    ddb.batch_write_item(RequestItems=_puts(range(5)))
    _rate(world, read_units_per_second=0.001)
    answer = ddb.batch_get_item(RequestItems=_gets(range(5)))
    assert len(answer["Responses"]["Sales"]) == 1
    assert answer["UnprocessedKeys"] == _gets(range(1, 5))
    assert refused(ddb.batch_get_item, RequestItems=_gets([1])) == "ProvisionedThroughputExceededException"
    with pytest.raises(ddb.exceptions.ProvisionedThroughputExceededException) as fault:
        ddb.scan(TableName="Sales")
    assert fault.value.response["ThrottlingReasons"] == [
        {
            "reason": "TableReadProvisionedThroughputExceeded",
            "resource": "arn:aws:dynamodb:us-east-1:123456789012:table/Sales",
        }
    ]
    ddb.put_item(TableName="Sales", Item={"pk": {"S": "x"}})
    make("Other")
    ddb.scan(TableName="Other")


def test_a_rate_gives_so_many_units_a_second(world, make, ddb):
    make()
    _rate(world, write_units_per_second=10)
    world.control("POST", "clock", {"advance": "10s"})
    assert 0 < len(ddb.batch_write_item(RequestItems=_puts(range(25)))["UnprocessedItems"]["Sales"]) <= 15
    _rate(world)
    assert ddb.batch_write_item(RequestItems=_puts(range(25)))["UnprocessedItems"] == {}
    assert world.control("GET", "rates") == [{"table": "Sales"}]


@pytest.mark.parametrize("segment", [0, 1])
def test_pages_overlap_when_told(world, make, ddb, segment):
    make()
    ddb.batch_write_item(RequestItems=_puts(range(20)))

    def keys(**more):
        answer = ddb.scan(TableName="Sales", **more)
        assert answer["Count"] == answer["ScannedCount"] == len(answer["Items"])
        return [item["pk"]["S"] for item in answer["Items"]]

    parts = [keys(Segment=number, TotalSegments=2) for number in (0, 1)]
    world.fault("dynamodb", "Scan", "overlap")
    (more,) = keys(Segment=segment, TotalSegments=2)[len(parts[segment]) :]
    assert more in parts[0]


def test_a_lie_says_that_all_is_well_and_does_nothing(world, make, ddb):
    make()
    ddb.put_item(TableName="Sales", Item={"pk": {"S": "a"}})
    for operation, given in (
        ("put_item", {"Item": {"pk": {"S": "b"}}}),
        ("delete_item", {"Key": {"pk": {"S": "a"}}}),
        ("delete_table", {}),
        ("update_time_to_live", {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "ends"}}),
    ):
        name = ddb.meta.method_to_api_mapping[operation]
        world.fault("dynamodb", name, "lie")
        assert (
            getattr(ddb, operation)(TableName="Sales", **given)["ResponseMetadata"]["HTTPStatusCode"] == 200
        )
        assert world.ledger(operation=name)[-1]["effect"] is None
    world.fault("dynamodb", "CreateTable", "lie")
    assert make("Other")["TableName"] == "Other"
    assert ddb.list_tables()["TableNames"] == ["Sales"]
    assert ddb.scan(TableName="Sales")["Items"] == [{"pk": {"S": "a"}}]
    assert (
        ddb.describe_time_to_live(TableName="Sales")["TimeToLiveDescription"]["TimeToLiveStatus"]
        == "DISABLED"
    )


def test_a_lie_of_a_restore_keeps_no_backup_in_use(world, make, ddb):
    world.settings(backup_delay="0s", restore_delay="1h")
    make()
    arn = ddb.create_backup(TableName="Sales", BackupName="nightly")["BackupDetails"]["BackupArn"]
    world.fault("dynamodb", "RestoreTableFromBackup", "lie")
    ddb.restore_table_from_backup(TargetTableName="Back", BackupArn=arn)
    ddb.delete_backup(BackupArn=arn)


@pytest.mark.parametrize(
    "service, operation, given, ask, shown",
    [
        ("ssm", "put_parameter", {"Name": "/a", "Value": "1", "Type": "String"}, "describe_parameters", "Parameters"),
        ("kms", "create_key", {}, "list_keys", "Keys"),
        ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}, "list_roles", "Roles"),
        ("sns", "create_topic", {"Name": "t"}, "list_topics", "Topics"),
        ("ses", "verify_email_identity", {"EmailAddress": "ann@sale.test"}, "list_identities", "Identities"),
        ("route53", "create_hosted_zone", {"Name": "sale.test", "CallerReference": "1"}, "list_hosted_zones", "HostedZones"),
        ("apigateway", "create_rest_api", {"name": "sale"}, "get_rest_apis", "items"),
        ("logs", "create_log_group", {"logGroupName": "g"}, "describe_log_groups", "logGroups"),
    ],
)
def test_what_another_service_lies_about_is_not_there(world, service, operation, given, ask, shown):
    client = world.client(service)
    world.fault(service, client.meta.method_to_api_mapping[operation], "lie")
    getattr(client, operation)(**given)
    assert getattr(client, ask)()[shown] == []
    getattr(client, operation)(**given)
    assert len(getattr(client, ask)()[shown]) == 1


def test_a_lie_of_one_service_about_another_is_one_too(world):
    more = world.client("sesv2")
    world.fault("sesv2", "PutAccountDetails", "lie")
    asked = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://sale.test", "UseCaseDescription": "alerts", "ProductionAccessEnabled": True}
    more.put_account_details(**asked)
    assert more.get_account()["ProductionAccessEnabled"] is False
    sns, sqs = world.client("sns"), world.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:q")
    world.fault("sns", "Publish", "lie")
    sns.publish(TopicArn=topic, Message="no")
    sns.publish(TopicArn=topic, Message="yes")
    (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert '"yes"' in message["Body"]


def test_other_services_lie_too(world):
    s3, alarms = world.client("s3"), world.client("cloudwatch")
    scaling = world.client("application-autoscaling")
    s3.create_bucket(Bucket="backups")
    s3.put_object(Bucket="backups", Key="k", Body=b"1")
    for operation in ("PutObject", "DeleteObject", "CreateBucket"):
        world.fault("s3", operation, "lie")
    assert s3.put_object(Bucket="backups", Key="k", Body=b"2")["ETag"]
    s3.delete_object(Bucket="backups", Key="k")
    s3.create_bucket(Bucket="others")
    assert s3.get_object(Bucket="backups", Key="k")["Body"].read() == b"1"
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["backups"]
    world.fault("cloudwatch", "PutMetricAlarm", "lie")
    alarms.put_metric_alarm(AlarmName="a", **METRIC, **ALARM)
    assert alarms.describe_alarms()["MetricAlarms"] == []
    world.fault("application-autoscaling", "RegisterScalableTarget", "lie")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    assert scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"] == []
    alarms.put_metric_alarm(AlarmName="a", **METRIC, **ALARM)
    assert len(alarms.describe_alarms()["MetricAlarms"]) == 1
