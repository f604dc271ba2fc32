"""Tables: their life, their identity, and every setting that a capsule would want back."""

import json

import pytest

from conftest import HASH

ITEM = {"pk": {"S": "a"}}
THROUGHPUT = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
BY_G = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
TYPE_G = [{"AttributeName": "g", "AttributeType": "S"}]


def _described(ddb, name="Sales"):
    return ddb.describe_table(TableName=name)["Table"]


def _active(world, ddb):
    """The table once the clock has passed all delays."""
    world.control("POST", "clock", {"advance": "1h"})
    table = _described(ddb)
    assert table["TableStatus"] == "ACTIVE"
    return table


def test_a_table_is_creating_before_it_is_active_and_deleting_before_it_is_gone(world, make, ddb, refused):
    world.settings(table_create_delay="1h")
    assert make()["TableStatus"] == _described(ddb)["TableStatus"] == "CREATING"
    assert refused(ddb.put_item, TableName="Sales", Item=ITEM) == "ResourceNotFoundException"
    assert refused(ddb.delete_table, TableName="Sales") == "ResourceInUseException"
    assert refused(make) == "ResourceInUseException"
    _active(world, ddb)
    ddb.put_item(TableName="Sales", Item=ITEM)
    assert ddb.delete_table(TableName="Sales")["TableDescription"]["TableStatus"] == "DELETING"
    assert refused(ddb.scan, TableName="Sales") == "ResourceNotFoundException"
    assert refused(make) == "ResourceInUseException"
    world.control("POST", "clock", {"advance": "1h"})
    assert refused(ddb.describe_table, TableName="Sales") == "ResourceNotFoundException"
    assert ddb.list_tables()["TableNames"] == []


def test_waiting_is_the_default(world):
    assert world.control("GET", "settings")["table_create_delay"] == "200ms"


def test_a_table_made_again_under_its_name_is_another_table(make, ddb):
    first = make()
    assert first["TableArn"] == "arn:aws:dynamodb:us-east-1:123456789012:table/Sales"
    assert first["TableId"] == _described(ddb)["TableId"] == _described(ddb, first["TableArn"])["TableId"]
    assert ddb.delete_table(TableName="Sales")["TableDescription"]["TableId"] == first["TableId"]
    assert make()["TableId"] != first["TableId"]


def test_tables_are_of_their_region(world, make):
    make()
    assert world.client("dynamodb", region="eu-west-1").list_tables()["TableNames"] == []


def test_tables_are_listed_in_pages(make, ddb):
    for name in ("b.b", "a_a", "C-c"):
        make(name)
    first = ddb.list_tables(Limit=2)
    assert first["TableNames"] + ddb.list_tables(ExclusiveStartTableName=first["LastEvaluatedTableName"])[
        "TableNames"
    ] == ["C-c", "a_a", "b.b"]


def test_everything_given_at_creation_is_described(world, make, ddb):
    kms = world.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/backups", TargetKeyId=key["KeyId"])
    arn = make(
        DeletionProtectionEnabled=True,
        TableClass="STANDARD_INFREQUENT_ACCESS",
        sk="N",
        OnDemandThroughput={"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50},
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/backups"},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        Tags=[{"Key": "owner", "Value": "sales"}],
        types=[("g", "S"), ("l", "B")],
        GlobalSecondaryIndexes=[BY_G],
        LocalSecondaryIndexes=[
            {
                "IndexName": "by-l",
                "KeySchema": [*HASH, {"AttributeName": "l", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v"]},
            }
        ],
    )["TableArn"]
    table = _described(ddb)
    assert table["DeletionProtectionEnabled"] is True
    assert table["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    assert table["OnDemandThroughput"] == {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50}
    assert table["SSEDescription"] == {
        "Status": "ENABLED",
        "SSEType": "KMS",
        "KMSMasterKeyArn": key["Arn"],
    }
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert table["LatestStreamArn"] == f"{arn}/stream/{table['LatestStreamLabel']}"
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    assert table["GlobalSecondaryIndexes"][0]["IndexArn"] == f"{arn}/index/by-g"
    assert table["LocalSecondaryIndexes"][0]["Projection"]["NonKeyAttributes"] == ["v"]
    assert ddb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "sales"}]


def test_a_protected_table_stays(make, ddb, refused):
    make(DeletionProtectionEnabled=True)
    assert refused(ddb.delete_table, TableName="Sales") == "ValidationException"
    ddb.update_table(TableName="Sales", DeletionProtectionEnabled=False)
    ddb.delete_table(TableName="Sales")


def test_an_update_takes_time_and_keeps(world, make, ddb, refused):
    make(OnDemandThroughput={"MaxReadRequestUnits": 100})
    world.settings(table_update_delay="1h")
    ddb.update_table(TableName="Sales", BillingMode="PROVISIONED", ProvisionedThroughput=THROUGHPUT)
    assert _described(ddb)["TableStatus"] == "UPDATING"
    ddb.put_item(TableName="Sales", Item=ITEM)
    assert refused(ddb.update_table, TableName="Sales", TableClass="STANDARD") == "ResourceInUseException"
    table = _active(world, ddb)
    assert (
        table["ProvisionedThroughput"]["ReadCapacityUnits"],
        table["BillingModeSummary"]["BillingMode"],
    ) == (5, "PROVISIONED")
    assert (
        refused(ddb.update_table, TableName="Sales", ProvisionedThroughput=THROUGHPUT)
        == "ValidationException"
    )
    assert refused(ddb.update_table, TableName="Sales") == "ValidationException"


def test_a_refused_update_changes_nothing(make, ddb, refused):
    make(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    before = _described(ddb)
    changes = {"AttributeDefinitions": TYPE_G, "GlobalSecondaryIndexUpdates": [{"Create": BY_G}], "TableClass": "STANDARD_INFREQUENT_ACCESS"}
    again = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
    assert refused(ddb.update_table, TableName="Sales", **changes, **again) == "ValidationException"
    assert _described(ddb) == before


def test_provisioned_capacity_has_units_for_the_table_and_each_global_index(make, ddb, refused):
    make(types=[("g", "S")], GlobalSecondaryIndexes=[BY_G])
    turn = {"TableName": "Sales", "BillingMode": "PROVISIONED"}
    own, index = {"ProvisionedThroughput": THROUGHPUT}, {"IndexName": "by-g", "ProvisionedThroughput": THROUGHPUT}
    assert refused(ddb.update_table, **turn) == "ValidationException"
    assert refused(ddb.update_table, **turn, **own) == "ValidationException"
    assert _described(ddb)["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    for _ in range(2):  # what was given before it was on demand is forgotten
        ddb.update_table(**turn, **own, GlobalSecondaryIndexUpdates=[{"Update": index}])
        assert _described(ddb)["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"] == 6
        ddb.update_table(TableName="Sales", BillingMode="PAY_PER_REQUEST")
        assert refused(ddb.update_table, **turn, **own) == "ValidationException"


def test_an_index_is_backfilled_before_it_is_active_and_can_go_again(world, make, ddb, refused):
    make()
    ddb.put_item(TableName="Sales", Item={**ITEM, "g": {"S": "x"}})
    world.settings(table_update_delay="1h")
    ddb.update_table(
        TableName="Sales", AttributeDefinitions=TYPE_G, GlobalSecondaryIndexUpdates=[{"Create": BY_G}]
    )
    (index,) = _described(ddb)["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["Backfilling"]) == ("CREATING", True)
    assert refused(ddb.scan, TableName="Sales", IndexName="by-g") == "ValidationException"
    (index,) = _active(world, ddb)["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["ItemCount"], "Backfilling" in index) == ("ACTIVE", 1, False)
    ddb.update_table(TableName="Sales", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-g"}}])
    assert _described(ddb)["GlobalSecondaryIndexes"][0]["IndexStatus"] == "DELETING"
    table = _active(world, ddb)
    assert "GlobalSecondaryIndexes" not in table and len(table["AttributeDefinitions"]) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"AttributeDefinitions": TYPE_G},
        {"AttributeDefinitions": []},
        {"BillingMode": "PROVISIONED"},
        {"ProvisionedThroughput": THROUGHPUT},
        {"TableName": "a"},
        {"TableName": "a/b c"},
        {"BillingMode": "FREE"},
        {"TableClass": "NONE"},
        {"LocalSecondaryIndexes": [{**BY_G}]},
    ],
)
def test_a_table_that_makes_no_sense_is_refused(ddb, refused, given):
    right = {
        "TableName": "Sales",
        "KeySchema": HASH,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    }
    assert refused(ddb.create_table, **{**right, **given}) == "ValidationException"


def test_unknown_members_and_operations_are_refused(world):
    status, _, body = world.dynamodb("DescribeTable", '{"TableName":"Sales","Zork":1}')
    assert status == 400 and "ValidationException" in json.loads(body)["__type"]
    status, _, body = world.dynamodb("ExecuteStatement", '{"Statement":"SELECT"}')
    assert status == 400 and "UnknownOperationException" in json.loads(body)["__type"]


def test_counts_lag_as_long_as_they_are_told_to(world, make, ddb):
    make()
    ddb.put_item(TableName="Sales", Item=ITEM)
    assert (_described(ddb)["ItemCount"], _described(ddb)["TableSizeBytes"]) == (1, 3)
    world.settings(item_count_lag="6h")
    ddb.delete_item(TableName="Sales", Key=ITEM)
    assert _described(ddb)["ItemCount"] == 1


def test_tags_come_and_go(make, ddb):
    arn = make()["TableArn"]
    ddb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ddb.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert ddb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_time_to_live_is_kept(make, ddb, refused):
    make()

    def turn(on, name="expires"):
        return ddb.update_time_to_live(
            TableName="Sales", TimeToLiveSpecification={"Enabled": on, "AttributeName": name}
        )

    turn(True)
    shown = {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert ddb.describe_time_to_live(TableName="Sales")["TimeToLiveDescription"] == shown
    assert refused(turn, on=True) == refused(turn, on=False, name="other") == "ValidationException"
    turn(False)
    assert ddb.describe_time_to_live(TableName="Sales")["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "DISABLED"
    }


def test_point_in_time_recovery_has_a_period_and_a_window(make, ddb, refused):
    make()

    def turn(**spec):
        return ddb.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification=spec)

    def pitr():
        return ddb.describe_continuous_backups(TableName="Sales")["ContinuousBackupsDescription"][
            "PointInTimeRecoveryDescription"
        ]

    assert pitr() == {"PointInTimeRecoveryStatus": "DISABLED"}
    turn(PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=7)
    assert pitr()["RecoveryPeriodInDays"] == 7
    assert pitr()["EarliestRestorableDateTime"] <= pitr()["LatestRestorableDateTime"]
    assert refused(turn, PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=36) == "ValidationException"
    turn(PointInTimeRecoveryEnabled=False)
    assert pitr() == {"PointInTimeRecoveryStatus": "DISABLED"}
    assert refused(ddb.describe_continuous_backups, TableName="None-such") == "TableNotFoundException"


def test_a_resource_policy_has_revisions(make, ddb, refused):
    arn = make()["TableArn"]
    first = ddb.put_resource_policy(ResourceArn=arn, Policy="{}")["RevisionId"]
    assert ddb.put_resource_policy(ResourceArn=arn, Policy="{}")["RevisionId"] == first
    second = ddb.put_resource_policy(
        ResourceArn=arn, Policy='{"Version":"2012-10-17"}', ExpectedRevisionId=first
    )["RevisionId"]
    assert second != first
    assert (
        refused(ddb.put_resource_policy, ResourceArn=arn, Policy="{}", ExpectedRevisionId=first)
        == "PolicyNotFoundException"
    )
    assert ddb.get_resource_policy(ResourceArn=arn)["RevisionId"] == second
    ddb.delete_resource_policy(ResourceArn=arn)
    assert refused(ddb.get_resource_policy, ResourceArn=arn) == "PolicyNotFoundException"


def test_contributor_insights_keep_their_state(make, ddb, refused):
    make(types=[("g", "S")], GlobalSecondaryIndexes=[BY_G])

    def status(**index):
        return ddb.describe_contributor_insights(TableName="Sales", **index)["ContributorInsightsStatus"]

    assert status() == status(IndexName="by-g") == "DISABLED"
    ddb.update_contributor_insights(TableName="Sales", ContributorInsightsAction="ENABLE", IndexName="by-g")
    assert (status(), status(IndexName="by-g")) == ("DISABLED", "ENABLED")
    assert len(ddb.list_contributor_insights(TableName="Sales")["ContributorInsightsSummaries"]) == 1
    ddb.update_contributor_insights(TableName="Sales", ContributorInsightsAction="DISABLE", IndexName="by-g")
    assert status(IndexName="by-g") == "DISABLED"
    assert (
        refused(ddb.describe_contributor_insights, TableName="Sales", IndexName="other")
        == "ResourceNotFoundException"
    )


def test_kinesis_destinations_keep_their_state(make, ddb, refused):
    make()
    given = {"TableName": "Sales", "StreamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/changes"}

    def shown():
        return [
            (one["DestinationStatus"], one.get("ApproximateCreationDateTimePrecision"))
            for one in ddb.describe_kinesis_streaming_destination(TableName="Sales")[
                "KinesisDataStreamDestinations"
            ]
        ]

    assert shown() == []
    ddb.enable_kinesis_streaming_destination(**given)
    assert shown() == [("ACTIVE", None)]
    assert refused(ddb.enable_kinesis_streaming_destination, **given) == "ResourceInUseException"
    ddb.update_kinesis_streaming_destination(
        **given, UpdateKinesisStreamingConfiguration={"ApproximateCreationDateTimePrecision": "MICROSECOND"}
    )
    assert shown() == [("ACTIVE", "MICROSECOND")]
    ddb.disable_kinesis_streaming_destination(**given)
    assert shown() == [("DISABLED", "MICROSECOND")]
