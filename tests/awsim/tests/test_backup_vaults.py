"""AWS Backup's vaults: their life, their policy, their lock, their tags."""

import json

import people
import pytest
from backup_world import ACCOUNT, TABLE

LOCKED = {"MinRetentionDays": 7, "MaxRetentionDays": 30}
WEEK = {"DeleteAfterDays": 7}


def _policy(effect, action, principal="*", **more):
    statement = {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _lock(backups, vault="Default", **more):
    backups.client.put_backup_vault_lock_configuration(BackupVaultName=vault, **more)


def test_a_vault_is_made_shown_listed_and_deleted(backups, refused):
    client = backups.client
    made = client.create_backup_vault(BackupVaultName="nightly", BackupVaultTags={"a": "1"}, CreatorRequestId="one")
    assert made["BackupVaultArn"] == f"arn:aws:backup:us-east-1:{ACCOUNT}:backup-vault:nightly"
    assert (
        client.create_backup_vault(BackupVaultName="nightly", CreatorRequestId="one")["CreationDate"]
        == made["CreationDate"]
    )
    assert refused(client.create_backup_vault, BackupVaultName="nightly") == "AlreadyExistsException"
    assert refused(client.create_backup_vault, BackupVaultName="a b") == "InvalidParameterValueException"
    shown = client.describe_backup_vault(BackupVaultName="nightly")
    assert (shown["NumberOfRecoveryPoints"], shown["Locked"], shown["VaultState"]) == (0, False, "AVAILABLE")
    pages = client.get_paginator("list_backup_vaults").paginate(PaginationConfig={"PageSize": 1})
    assert [page["BackupVaultList"][0]["BackupVaultName"] for page in pages] == ["Default", "nightly"]
    client.delete_backup_vault(BackupVaultName="nightly")
    assert refused(client.describe_backup_vault, BackupVaultName="nightly") == "ResourceNotFoundException"
    assert refused(client.delete_backup_vault, BackupVaultName="nightly") == "ResourceNotFoundException"


def test_a_vault_is_of_its_account_and_region(backups, world, refused):
    for client in (world.client("backup", region="eu-west-1"), world.client("backup", **people.root(people.OTHER))):
        assert refused(client.describe_backup_vault, BackupVaultName="Default") == "ResourceNotFoundException"
        assert client.list_backup_vaults()["BackupVaultList"] == []


def test_a_vault_that_is_not_empty_is_not_deleted(backups, refused):
    arn = backups.point()
    assert backups.client.describe_backup_vault(BackupVaultName="Default")["NumberOfRecoveryPoints"] == 1
    assert refused(backups.client.delete_backup_vault, BackupVaultName="Default") == "InvalidRequestException"
    backups.client.delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=arn)
    backups.later("1h")
    backups.client.delete_backup_vault(BackupVaultName="Default")


@pytest.mark.parametrize("compliance", [False, True])
def test_a_locked_vault_keeps_its_points_until_the_lock_goes(backups, world, refused, compliance):
    arn = backups.point(Lifecycle=WEEK)
    here = {"BackupVaultName": "Default", "RecoveryPointArn": arn}
    _lock(backups, **LOCKED, **({"ChangeableForDays": 3} if compliance else {}))
    shown = backups.client.describe_backup_vault(BackupVaultName="Default")
    assert (shown["Locked"], shown["MinRetentionDays"], shown["MaxRetentionDays"]) == (True, 7, 30)
    assert ("LockDate" in shown) == compliance
    assert refused(backups.client.delete_recovery_point, **here) == "InvalidRequestException"
    longer = {"Lifecycle": {"DeleteAfterDays": 20}}
    assert refused(backups.client.update_recovery_point_lifecycle, **here, **longer) == "InvalidRequestException"
    backups.later("71h")
    _lock(backups, MinRetentionDays=5, **({"ChangeableForDays": 3} if compliance else {}))
    backups.later("71h")
    gone = backups.client.delete_backup_vault_lock_configuration
    if compliance:
        backups.later("2h")
        assert refused(gone, BackupVaultName="Default") == "InvalidRequestException"
        assert refused(_lock, backups=backups, MinRetentionDays=1) == "InvalidRequestException"
        assert refused(backups.client.delete_recovery_point, **here) == "InvalidRequestException"
        backups.later("7d")
        assert backups.points() == []
    else:
        gone(BackupVaultName="Default")
        backups.client.delete_recovery_point(**here)


@pytest.mark.parametrize(
    "lifecycle, state",
    [({"DeleteAfterDays": 6}, "FAILED"), (WEEK, "COMPLETED"), ({"DeleteAfterDays": 31}, "FAILED"), (None, "FAILED")],
)
def test_a_retention_outside_the_locks_range_fails_the_job(backups, lifecycle, state):
    _lock(backups, **LOCKED)
    shown = backups.back_up(**({"Lifecycle": lifecycle} if lifecycle else {}))
    assert shown["State"] == state
    assert len(backups.points()) == (state == "COMPLETED")
    if state == "FAILED":
        assert "not within the range" in shown["StatusMessage"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"MinRetentionDays": 0},
        {"MaxRetentionDays": 36501},
        {"MinRetentionDays": 9, "MaxRetentionDays": 8},
        {"ChangeableForDays": 2},
    ],
)
def test_a_lock_that_cannot_be_is_refused(backups, refused, wrong):
    assert refused(_lock, backups=backups, **wrong) == "InvalidParameterValueException"
    assert not backups.client.describe_backup_vault(BackupVaultName="Default")["Locked"]


def test_an_access_policy_is_kept_and_its_denials_hold(backups, world, refused):
    client, here = backups.client, {"BackupVaultName": "Default"}
    arn = backups.point()
    assert refused(client.get_backup_vault_access_policy, **here) == "ResourceNotFoundException"
    for wrong in (
        "{",
        "{}",
        '{"Statement": [{"Effect": "Deny", "Action": "*"}]}',
        '{"Statement": [{"Principal": "*", "Action": "*"}]}',
    ):
        assert refused(client.put_backup_vault_access_policy, Policy=wrong, **here) == "InvalidParameterValueException"
    text = _policy("Deny", ["backup:Delete*", "backup:StartBackupJob"])
    client.put_backup_vault_access_policy(Policy=text, **here)
    assert client.get_backup_vault_access_policy(**here)["Policy"] == text
    assert refused(client.delete_recovery_point, RecoveryPointArn=arn, **here) == "AccessDeniedException"
    assert refused(backups.start) == "AccessDeniedException"
    assert refused(client.delete_backup_vault_access_policy, **here) == "AccessDeniedException"
    client.put_backup_vault_access_policy(Policy=_policy("Deny", "backup:Delete*", {"AWS": people.OTHER}), **here)
    client.delete_recovery_point(RecoveryPointArn=arn, **here)
    client.delete_backup_vault_access_policy(**here)
    assert refused(client.get_backup_vault_access_policy, **here) == "ResourceNotFoundException"


def test_tags_of_vaults_and_points_are_kept(backups, refused):
    client = backups.client
    backups.advanced()
    arn = backups.point()
    for resource in (backups.vault, arn):
        client.tag_resource(ResourceArn=resource, Tags={"a": "1", "b": "2"})
        client.untag_resource(ResourceArn=resource, TagKeyList=["a"])
        assert client.list_tags(ResourceArn=resource)["Tags"] == {"b": "2"}
    assert refused(client.list_tags, ResourceArn=arn[:-1] + "-") == "ResourceNotFoundException"
    assert refused(client.list_tags, ResourceArn=TABLE) == "InvalidParameterValueException"
    assert refused(client.tag_resource, ResourceArn=arn, Tags={"aws:x": "1"}) == "InvalidParameterValueException"


def test_region_settings_know_what_they_hold(backups, refused):
    update = backups.client.update_region_settings
    assert refused(update, ResourceTypeOptInPreference={"Toaster": True}) == "InvalidParameterValueException"
    update(ResourceTypeOptInPreference={"DynamoDB": False})
    assert backups.client.describe_region_settings()["ResourceTypeOptInPreference"] == {"DynamoDB": False, "S3": True}
    assert refused(backups.start) == "InvalidRequestException"
