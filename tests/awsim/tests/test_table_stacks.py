"""Tables of CloudFormation's templates are DynamoDB's, with their settings, and go with the stack."""

import json

import pytest

PROPERTIES = {
    "TableName": "Planned",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
    "Tags": [{"Key": "by", "Value": "stack"}],
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "true", "RecoveryPeriodInDays": "9"},
    "TimeToLiveSpecification": {"AttributeName": "t", "Enabled": True},
    "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
    "SSESpecification": {"SSEEnabled": True},
}


def _body(**more):
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {**PROPERTIES, **more}}
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}}, "Name": {"Value": {"Ref": "Table"}}}
    return json.dumps({"Resources": {"Table": table}, "Outputs": outputs})


@pytest.fixture
def stacks(world):
    world.settings(stack_delay="0s", table_create_delay="1h", table_update_delay="1h")
    return world.client("cloudformation")


def test_a_stacks_table_is_dynamodbs(world, stacks):
    stacks.create_stack(StackName="sale", TemplateBody=_body())
    ddb = world.client("dynamodb")
    table = ddb.describe_table(TableName="Planned")["Table"]
    (stack,) = stacks.describe_stacks(StackName="sale")["Stacks"]
    assert {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]} == {
        "Arn": table["TableArn"],
        "Name": "Planned",
    }
    assert (table["TableStatus"], table["SSEDescription"]["SSEType"]) == ("ACTIVE", "KMS")
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert ddb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == PROPERTIES["Tags"]
    pitr = ddb.describe_continuous_backups(TableName="Planned")["ContinuousBackupsDescription"]
    assert pitr["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == 9
    assert ddb.describe_time_to_live(TableName="Planned")["TimeToLiveDescription"]["AttributeName"] == "t"
    ddb.put_item(TableName="Planned", Item={"pk": {"S": "a"}})
    made = [row for row in world.ledger(service="dynamodb", resource="Planned") if row["effect"] == "made"]
    assert [row["operation"] for row in made] == ["CreateTable", "PutItem"]
    stacks.update_stack(StackName="sale", TemplateBody=_body(DeletionProtectionEnabled=True))
    assert ddb.describe_table(TableName="Planned")["Table"]["DeletionProtectionEnabled"]
    units = {"ReadCapacityUnits": "5", "WriteCapacityUnits": 6}
    stacks.update_stack(StackName="sale", TemplateBody=_body(BillingMode="PROVISIONED", ProvisionedThroughput=units))
    shown = ddb.describe_table(TableName="Planned")["Table"]
    assert (shown["ProvisionedThroughput"]["ReadCapacityUnits"], shown["DeletionProtectionEnabled"]) == (5, True)
    stacks.update_stack(StackName="sale", TemplateBody=_body(DeletionProtectionEnabled=False))
    stacks.delete_stack(StackName="sale")
    assert ddb.describe_table(TableName="Planned")["Table"]["TableStatus"] == "DELETING"
    assert len(ddb.list_backups(BackupType="SYSTEM")["BackupSummaries"]) == 1


@pytest.mark.parametrize("more, words", [({"Tags": []}, "updates no Tags"), ({"BillingMode": "PROVISIONED"}, "must both be specified")])
def test_an_update_that_cannot_be_is_no_success(world, stacks, more, words):
    stacks.create_stack(StackName="sale", TemplateBody=_body())
    with pytest.raises(Exception, match=words):
        stacks.update_stack(StackName="sale", TemplateBody=_body(**more))


def test_what_dynamodb_refuses_is_no_success_of_a_stack(world, stacks):
    with pytest.raises(Exception, match="AttributeDefinitions"):
        stacks.create_stack(StackName="sale", TemplateBody=_body(AttributeDefinitions=[]))
    assert world.client("dynamodb").list_tables()["TableNames"] == []
