"""AWS Backup's recovery points: how they age, go, and are listed."""

import pytest
from backup_world import TABLE

WEEK = {"DeleteAfterDays": 7}


def test_a_point_goes_when_its_days_are_over(backups, world, refused):
    arn = backups.point(Lifecycle=WEEK)
    here = {"BackupVaultName": "Default", "RecoveryPointArn": arn}
    shown = backups.client.describe_recovery_point(**here)
    assert (shown["CalculatedLifecycle"]["DeleteAt"] - shown["CreationDate"]).total_seconds() == 7 * 86400
    backups.later("6d")
    assert backups.client.describe_recovery_point(**here)["Status"] == "COMPLETED"
    backups.later("1d")
    assert refused(backups.client.describe_recovery_point, **here) == "ResourceNotFoundException"
    (row,) = world.ledger(service="backup", operation="BackupDeleted")
    assert (row["resource"], row["effect"]) == (arn, "deleted")
    assert refused(backups.ddb.describe_backup, BackupArn=arn) == "BackupNotFoundException"


@pytest.mark.parametrize("on", [False, True])
def test_only_a_point_that_aws_backup_manages_turns_cold(backups, on, refused):
    backups.advanced(on)
    arn = backups.point(Lifecycle={"MoveToColdStorageAfterDays": 1, "DeleteAfterDays": 100})
    here = {"BackupVaultName": "Default", "RecoveryPointArn": arn}
    assert backups.client.describe_recovery_point(**here)["StorageClass"] == "WARM"
    backups.later("2d")
    shown = backups.client.describe_recovery_point(**here)
    assert shown["StorageClass"] == ("COLD" if on else "WARM")
    assert ("MoveToColdStorageAt" in shown["CalculatedLifecycle"]) == on
    if on:
        other = {"Lifecycle": {"MoveToColdStorageAfterDays": 5, "DeleteAfterDays": 100}}
        assert (
            refused(backups.client.update_recovery_point_lifecycle, **here, **other) == "InvalidParameterValueException"
        )


def test_a_lifecycle_can_be_changed_and_taken_away(backups):
    here = {"BackupVaultName": "Default", "RecoveryPointArn": backups.point(Lifecycle=WEEK)}
    backups.client.update_recovery_point_lifecycle(**here, Lifecycle={"DeleteAfterDays": 9})
    backups.later("8d")
    backups.client.update_recovery_point_lifecycle(**here, Lifecycle={"DeleteAfterDays": -1})
    backups.later("90d")
    assert "CalculatedLifecycle" not in backups.client.describe_recovery_point(**here)


def test_a_deleted_point_is_deleting_and_then_gone(backups, world, refused):
    world.settings(table_update_delay="10m")
    here = {"BackupVaultName": "Default", "RecoveryPointArn": backups.point()}
    backups.client.delete_recovery_point(**here)
    assert backups.client.describe_recovery_point(**here)["Status"] == "DELETING"
    assert refused(backups.client.delete_recovery_point, **here) == "InvalidResourceStateException"
    assert refused(backups.client.delete_backup_vault, BackupVaultName="Default") == "InvalidRequestException"
    backups.later("11m")
    assert refused(backups.client.delete_recovery_point, **here) == "ResourceNotFoundException"


def test_points_and_resources_are_listed(backups, world, make):
    make("Other")
    other = TABLE.replace("Sales", "Other")
    client, arns = backups.client, [backups.point(arn) for arn in (TABLE, other, TABLE)]
    listed = client.list_recovery_points_by_backup_vault(BackupVaultName="Default", ByResourceArn=TABLE)
    assert [point["RecoveryPointArn"] for point in listed["RecoveryPoints"]] == [arns[2], arns[0]]
    pages = client.get_paginator("list_recovery_points_by_resource").paginate(
        ResourceArn=TABLE, PaginationConfig={"PageSize": 1}
    )
    assert [page["RecoveryPoints"][0]["RecoveryPointArn"] for page in pages] == [arns[2], arns[0]]
    assert (
        client.list_recovery_points_by_resource(ResourceArn=TABLE, ManagedByAWSBackupOnly=True)["RecoveryPoints"] == []
    )
    found = {one["ResourceArn"]: one["LastRecoveryPointArn"] for one in client.list_protected_resources()["Results"]}
    assert found == {TABLE: arns[2], other: arns[1]}
    (one,) = client.list_protected_resources_by_backup_vault(BackupVaultName="Default", MaxResults=1)["Results"]
    assert one["ResourceArn"] == other
    backups.restore(arns[0])
    assert client.describe_protected_resource(ResourceArn=TABLE)["LatestRestoreJobCreationDate"]


def test_a_tables_tags_go_into_the_point_and_back_when_asked(backups, refused):
    backups.advanced()
    backups.ddb.tag_resource(ResourceArn=TABLE, Tags=[{"Key": "team", "Value": "sales"}])
    arn = backups.point(RecoveryPointTags={"by": "hand"})
    assert backups.client.list_tags(ResourceArn=arn)["Tags"] == {"team": "sales", "by": "hand"}
    backups.restore(arn, "Plain")
    backups.restore(arn, "Tagged", CopySourceTagsToRestoredResource=True)
    tags = [
        backups.ddb.list_tags_of_resource(ResourceArn=TABLE.replace("Sales", name))["Tags"]
        for name in ("Plain", "Tagged")
    ]
    assert tags == [[], [{"Key": "team", "Value": "sales"}, {"Key": "by", "Value": "hand"}]]
    backups.advanced(False)
    copied = {"point": backups.point(), "CopySourceTagsToRestoredResource": True}
    assert refused(backups.restore, **copied) == "InvalidParameterValueException"
