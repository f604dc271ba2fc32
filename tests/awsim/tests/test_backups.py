"""On-demand backups: the content as of the request, states, lists, restores."""

import pytest

INDEX = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}


def _backup(ddb, name="nightly", table="Sales"):
    return ddb.create_backup(TableName=table, BackupName=name)["BackupDetails"]


def _keys(ddb, name):
    return {item["pk"]["S"] for item in ddb.scan(TableName=name)["Items"]}


@pytest.fixture
def fast(world, ddb):
    world.settings(backup_delay="0s", restore_delay="0s")
    return ddb


def test_a_backup_holds_what_the_table_held_when_it_was_asked_for(make, fast):
    make()
    fast.put_item(TableName="Sales", Item={"pk": {"S": "a"}})
    arn = _backup(fast)["BackupArn"]
    fast.put_item(TableName="Sales", Item={"pk": {"S": "b"}})
    fast.delete_item(TableName="Sales", Key={"pk": {"S": "a"}})
    table = fast.restore_table_from_backup(TargetTableName="Back", BackupArn=arn)["TableDescription"]
    assert table["RestoreSummary"]["SourceBackupArn"] == arn
    assert (_keys(fast, "Back"), _keys(fast, "Sales")) == ({"a"}, {"b"})
    fast.delete_table(TableName="Sales")
    fast.restore_table_from_backup(TargetTableName="Again", BackupArn=arn)
    assert _keys(fast, "Again") == {"a"}


def test_a_backup_is_creating_before_it_is_available(world, make, ddb, refused):
    make()
    world.settings(backup_delay="1h", restore_delay="1h")
    made = _backup(ddb)
    assert made["BackupStatus"] == "CREATING"
    restore = {"TargetTableName": "Back", "BackupArn": made["BackupArn"]}
    assert refused(ddb.restore_table_from_backup, **restore) == "BackupInUseException"
    assert refused(ddb.delete_backup, BackupArn=made["BackupArn"]) == "BackupInUseException"
    world.control("POST", "clock", {"advance": "1h"})
    shown = ddb.describe_backup(BackupArn=made["BackupArn"])["BackupDescription"]
    assert shown["BackupDetails"]["BackupStatus"] == "AVAILABLE"
    ddb.restore_table_from_backup(**restore)
    assert refused(ddb.restore_table_from_backup, **restore) == "TableAlreadyExistsException"
    assert refused(ddb.delete_backup, BackupArn=made["BackupArn"]) == "BackupInUseException"
    world.control("POST", "clock", {"advance": "1h"})
    gone = ddb.delete_backup(BackupArn=made["BackupArn"])["BackupDescription"]
    assert gone["BackupDetails"]["BackupStatus"] == "DELETED"
    assert refused(ddb.describe_backup, BackupArn=made["BackupArn"]) == "BackupNotFoundException"
    assert refused(ddb.restore_table_from_backup, **restore) == "BackupNotFoundException"


def test_a_backup_describes_the_table_as_it_was(make, fast):
    table = make(types=[("g", "S")], GlobalSecondaryIndexes=[INDEX])
    fast.put_item(TableName="Sales", Item={"pk": {"S": "a"}})
    arn = _backup(fast)["BackupArn"]
    assert arn.startswith(table["TableArn"] + "/backup/")
    fast.put_item(TableName="Sales", Item={"pk": {"S": "b"}})
    shown = fast.describe_backup(BackupArn=arn)["BackupDescription"]
    assert shown["SourceTableDetails"]["TableId"] == table["TableId"]
    assert (shown["SourceTableDetails"]["ItemCount"], shown["SourceTableDetails"]["TableSizeBytes"]) == (1, 3)
    assert shown["SourceTableDetails"]["BillingMode"] == "PAY_PER_REQUEST"
    features = shown["SourceTableFeatureDetails"]
    assert features["GlobalSecondaryIndexes"][0]["IndexName"] == "by-g"
    assert features["TimeToLiveDescription"] == {"TimeToLiveStatus": "DISABLED"}


def test_two_requests_make_two_backups_of_one_name_and_lists_find_them(world, make, fast, refused):
    make()
    make("Other")
    arns = []
    for table in ("Sales", "Sales", "Other"):
        arns.append(_backup(fast, table=table)["BackupArn"])
        world.control("POST", "clock", {"advance": "1h"})
    assert len(set(arns)) == 3

    def found(**filters):
        return [one["BackupArn"] for one in fast.list_backups(**filters)["BackupSummaries"]]

    assert found() == arns and found(TableName="Sales") == arns[:2]
    created = fast.list_backups()["BackupSummaries"][1]["BackupCreationDateTime"]
    assert found(TimeRangeLowerBound=created) == arns[1:] and found(TimeRangeUpperBound=created) == arns[:1]
    first = fast.list_backups(Limit=2)
    assert first["LastEvaluatedBackupArn"] == arns[1]
    assert found(Limit=2, ExclusiveStartBackupArn=arns[1]) == arns[2:]
    assert found(BackupType="SYSTEM") == [] and found(BackupType="ALL") == arns
    assert refused(_backup, ddb=fast, table="None") == "TableNotFoundException"


def test_an_update_waits_for_no_backup_and_a_table_in_creation_has_none(world, make, ddb, refused):
    world.settings(table_create_delay="1h")
    make()
    assert refused(_backup, ddb=ddb) == "TableInUseException"
    world.control("POST", "clock", {"advance": "1h"})
    _backup(ddb)
