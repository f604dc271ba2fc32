"""Point in time recovery: any second of the window and none outside, and what a restore takes along."""

import random

import pytest

ON = {"PointInTimeRecoveryEnabled": True}
OFF = {"PointInTimeRecoveryEnabled": False}
LATEST = {"UseLatestRestorableTime": True}
INDEX = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
THROUGHPUT = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}


def _pitr(ddb, spec, name="Sales", **more):
    return ddb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={**spec, **more})


def _window(ddb, name="Sales"):
    shown = ddb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    shown = shown["PointInTimeRecoveryDescription"]
    return shown["EarliestRestorableDateTime"].timestamp(), shown["LatestRestorableDateTime"].timestamp()


def _restore(ddb, target="Back", **when):
    return ddb.restore_table_to_point_in_time(SourceTableName="Sales", TargetTableName=target, **when)


def _content(ddb, name):
    pages = ddb.get_paginator("scan").paginate(TableName=name)
    return {item["pk"]["S"]: item.get("v") for page in pages for item in page["Items"]}


@pytest.fixture
def fast(world, ddb):
    world.settings(restore_delay="0s", pitr_lag="0s")
    return ddb


def test_the_window_moves_and_is_at_most_the_period(world, make, ddb):
    make()
    _pitr(ddb, ON)
    first, latest = _window(ddb)
    assert first == latest
    world.control("POST", "clock", {"advance": "1h"})
    earliest, latest = _window(ddb)
    assert earliest == first and 3300 <= latest - earliest < 3310
    world.control("POST", "clock", {"advance": "40d"})
    earliest, latest = _window(ddb)
    assert abs(latest + 300 - earliest - 35 * 86400) < 1
    world.settings(pitr_lag="1h")
    assert abs(_window(ddb)[1] + 3300 - latest) < 5


def test_off_and_on_starts_the_window_anew_and_a_shorter_period_cuts_it(world, make, ddb):
    make()
    _pitr(ddb, ON)
    world.control("POST", "clock", {"advance": "20d"})
    _pitr(ddb, ON, RecoveryPeriodInDays=5)
    cut = _window(ddb)[0]
    _pitr(ddb, ON, RecoveryPeriodInDays=35)
    assert abs(_window(ddb)[0] - cut) < 1
    _pitr(ddb, ON)
    assert _window(ddb)[1] - cut > 4 * 86400
    _pitr(ddb, OFF)
    _pitr(ddb, ON)
    earliest, latest = _window(ddb)
    assert earliest == latest > cut + 4 * 86400


def test_what_lies_outside_the_window_is_refused(world, make, ddb, refused):
    make()
    assert refused(_restore, ddb=ddb, **LATEST) == "PointInTimeRecoveryUnavailableException"
    _pitr(ddb, ON)
    world.control("POST", "clock", {"advance": "1h"})
    earliest, latest = _window(ddb)
    for at in (earliest - 1, latest + 60, earliest + 40 * 86400):
        assert refused(_restore, ddb=ddb, RestoreDateTime=at) == "InvalidRestoreTimeException"
    assert refused(_restore, ddb=ddb) == "ValidationException"
    assert refused(_restore, ddb=ddb, RestoreDateTime=latest, **LATEST) == "ValidationException"
    assert refused(_restore, ddb=ddb, target="Sales", **LATEST) == "TableAlreadyExistsException"
    other = {"SourceTableName": "Other", "TargetTableName": "Back", **LATEST}
    assert refused(ddb.restore_table_to_point_in_time, **other) == "TableNotFoundException"
    assert ddb.list_tables()["TableNames"] == ["Sales"]
    _restore(ddb, RestoreDateTime=earliest)


def test_a_restored_table_is_as_it_was_at_that_second(world, make, fast):
    """A random history against a plain model."""
    make()
    dice, plain, moments = random.Random(7), {}, []
    _pitr(fast, ON)
    for _ in range(12):
        for _ in range(dice.randrange(8)):
            key, value = str(dice.randrange(10)), {"N": str(dice.randrange(100))}
            if dice.random() < 0.3:
                fast.delete_item(TableName="Sales", Key={"pk": {"S": key}})
                plain.pop(key, None)
            else:
                fast.put_item(TableName="Sales", Item={"pk": {"S": key}, "v": value})
                plain[key] = value
        world.control("POST", "clock", {"advance": "1d"})
        moments.append((_window(fast)[1], dict(plain)))
    for number, (at, then) in enumerate(moments):
        _restore(fast, f"Back{number}", RestoreDateTime=at)
        assert _content(fast, f"Back{number}") == then, number
    _restore(fast, "Latest", **LATEST)
    assert _content(fast, "Latest") == plain == _content(fast, "Sales")


def test_what_is_written_after_the_request_does_not_reach_the_restored_table(world, make, fast):
    make()
    _pitr(fast, ON)
    fast.put_item(TableName="Sales", Item={"pk": {"S": "a"}})
    _restore(fast, **LATEST)
    fast.put_item(TableName="Sales", Item={"pk": {"S": "b"}})
    fast.put_item(TableName="Back", Item={"pk": {"S": "c"}})
    assert (set(_content(fast, "Back")), set(_content(fast, "Sales"))) == ({"a", "c"}, {"a", "b"})


def test_a_restore_takes_keys_indexes_capacity_and_encryption_and_nothing_else(world, make, ddb):
    more = {"types": [("g", "S")], "GlobalSecondaryIndexes": [INDEX], "SSESpecification": {"Enabled": True}}
    more |= {"Tags": [{"Key": "owner", "Value": "sales"}], "DeletionProtectionEnabled": True}
    made = make(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}, **more)
    ddb.update_time_to_live(
        TableName="Sales", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ends"}
    )
    _pitr(ddb, ON)
    ddb.put_item(TableName="Sales", Item={"pk": {"S": "a"}, "g": {"S": "x"}})
    world.settings(pitr_lag="0s", restore_delay="1h")
    at = _window(ddb)[1]
    answer = _restore(ddb, RestoreDateTime=at)["TableDescription"]
    assert answer["TableStatus"] == "CREATING"
    assert answer["RestoreSummary"]["SourceTableArn"] == made["TableArn"]
    assert abs(answer["RestoreSummary"]["RestoreDateTime"].timestamp() - at) < 0.01
    assert answer["RestoreSummary"]["RestoreInProgress"]
    world.control("POST", "clock", {"advance": "1h"})
    table = ddb.describe_table(TableName="Back")["Table"]
    assert (table["TableStatus"], table["RestoreSummary"]["RestoreInProgress"]) == ("ACTIVE", False)
    assert table["SSEDescription"]["Status"] == "ENABLED" and table["TableId"] != made["TableId"]
    assert table["GlobalSecondaryIndexes"][0]["ItemCount"] == 1
    assert not table["DeletionProtectionEnabled"] and "StreamSpecification" not in table
    assert ddb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == []
    assert ddb.describe_time_to_live(TableName="Back")["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "DISABLED"
    }
    backups = ddb.describe_continuous_backups(TableName="Back")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"


def test_overrides_are_taken_and_wrong_ones_refused(make, fast, refused):
    make(types=[("g", "S")], GlobalSecondaryIndexes=[INDEX])
    _pitr(fast, ON)
    other = {**INDEX, "IndexName": "by-h"}
    assert (
        refused(_restore, ddb=fast, GlobalSecondaryIndexOverride=[other], **LATEST) == "ValidationException"
    )
    warm = {**INDEX, "WarmThroughput": {"ReadUnitsPerSecond": 1, "WriteUnitsPerSecond": 1}}
    assert refused(_restore, ddb=fast, GlobalSecondaryIndexOverride=[warm], **LATEST) == "ValidationException"
    assert refused(_restore, ddb=fast, BillingModeOverride="PROVISIONED", **LATEST) == "ValidationException"
    provisioned = {"BillingModeOverride": "PROVISIONED", "ProvisionedThroughputOverride": THROUGHPUT}
    table = _restore(fast, GlobalSecondaryIndexOverride=[], **provisioned, **LATEST)["TableDescription"]
    assert "GlobalSecondaryIndexes" not in table
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert table["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]


def test_a_restore_may_go_to_another_region(world, make, fast):
    arn = make()["TableArn"]
    _pitr(fast, ON)
    fast.put_item(TableName="Sales", Item={"pk": {"S": "a"}})
    there = world.client("dynamodb", region="eu-west-1")
    there.restore_table_to_point_in_time(SourceTableArn=arn, TargetTableName="Sales", **LATEST)
    assert set(_content(there, "Sales")) == {"a"}


def test_fifty_restores_may_run_at_once(world, make, ddb, refused):
    make()
    _pitr(ddb, ON)
    world.settings(restore_delay="1h")
    for number in range(50):
        _restore(ddb, f"Back{number}", **LATEST)
    assert refused(_restore, ddb=ddb, target="Back50", **LATEST) == "LimitExceededException"
    world.control("POST", "clock", {"advance": "1h"})
    _restore(ddb, "Back50", **LATEST)


def test_a_deleted_table_with_pitr_leaves_a_system_backup_for_35_days(world, make, fast, refused):
    make()
    make("Other")
    _pitr(fast, ON)
    fast.put_item(TableName="Sales", Item={"pk": {"S": "a"}})
    for name in ("Sales", "Other"):
        fast.delete_table(TableName=name)
    assert fast.list_backups()["BackupSummaries"] == []
    (left,) = fast.list_backups(BackupType="SYSTEM")["BackupSummaries"]
    assert (left["BackupName"], left["TableName"]) == ("Sales$DeletedTableBackup", "Sales")
    assert refused(fast.delete_backup, BackupArn=left["BackupArn"]) == "ValidationException"
    fast.restore_table_from_backup(TargetTableName="Sales", BackupArn=left["BackupArn"])
    assert set(_content(fast, "Sales")) == {"a"}
    world.control("POST", "clock", {"advance": "35d"})
    assert fast.list_backups(BackupType="ALL")["BackupSummaries"] == []


def test_the_ledger_and_the_lie_know_restores(world, make, fast):
    make()
    _pitr(fast, ON)
    world.fault("dynamodb", "RestoreTableToPointInTime", "lie", table="Back")
    _restore(fast, **LATEST)
    assert fast.list_tables()["TableNames"] == ["Sales"]
    _restore(fast, **LATEST)
    rows = world.ledger(operation="RestoreTableToPointInTime")
    assert [(row["resource"], row["effect"]) for row in rows] == [("Back", None), ("Back", "made")]
