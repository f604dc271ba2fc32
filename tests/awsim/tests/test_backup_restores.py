"""What AWS Backup restores of a table, and what it refuses."""

import pytest
from backup_world import ACCOUNT, ROLE, TABLE, Backups

INDEX = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


@pytest.mark.parametrize("on", [False, True])
def test_a_restore_makes_a_real_table_and_takes_its_time(backups, world, on):
    backups.advanced(on)
    world.settings(restore_delay="30m", backup_start_delay="1m")
    arn = backups.point()
    backups.put("c")
    given = {"RecoveryPointArn": arn, "IamRoleArn": ROLE, "Metadata": {"targetTableName": "Back"}}
    job = backups.client.start_restore_job(**given, IdempotencyToken="one")["RestoreJobId"]
    assert backups.client.start_restore_job(**given, IdempotencyToken="one")["RestoreJobId"] == job
    seen = []
    for _ in range(3):
        shown = backups.client.describe_restore_job(RestoreJobId=job)
        seen.append((shown["Status"], shown.get("CreatedResourceArn")))
        backups.later("20m")
        if seen[-1][0] == "PENDING":
            status = backups.ddb.describe_table(TableName="Back")["Table"]["TableStatus"]
            assert status == "CREATING"
    made = TABLE.replace("Sales", "Back")
    assert seen == [("PENDING", None), ("RUNNING", None), ("COMPLETED", made)]
    table = backups.ddb.describe_table(TableName="Back")["Table"]
    assert (table["TableStatus"], table["RestoreSummary"]["SourceBackupArn"]) == ("ACTIVE", arn)
    assert backups.keys("Back") == {"a", "b"}
    rows = world.ledger(service="dynamodb", resource="Back")
    (row,) = [row for row in rows if row["effect"] == "made"]
    assert row["operation"] == ("RestoreTableFromAwsBackup" if on else "RestoreTableFromBackup")
    assert backups.client.get_restore_job_metadata(RestoreJobId=job)["Metadata"] == {"targetTableName": "Back"}


def test_a_restored_table_has_its_indexes_and_loses_what_aws_loses(world, make, ddb):
    make(
        types=[("g", "S")],
        GlobalSecondaryIndexes=[INDEX],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    backups = Backups(world, ddb)
    backups.advanced()
    ddb.update_time_to_live(TableName="Sales", TimeToLiveSpecification={"Enabled": True, "AttributeName": "t"})
    ddb.put_item(TableName="Sales", Item={"pk": {"S": "a"}, "g": {"S": "x"}})
    assert backups.restore(backups.point())["Status"] == "COMPLETED"
    table = ddb.describe_table(TableName="Back")["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-g"]
    assert "StreamSpecification" not in table
    assert ddb.describe_time_to_live(TableName="Back")["TimeToLiveDescription"] == {"TimeToLiveStatus": "DISABLED"}


def test_the_points_own_metadata_restores_with_another_name(backups):
    arn = backups.point()
    metadata = backups.client.get_recovery_point_restore_metadata(BackupVaultName="Default", RecoveryPointArn=arn)
    assert metadata["ResourceType"] == "DynamoDB"
    assert metadata["RestoreMetadata"] == {"targetTableName": "Sales", "encryptionType": "Default"}
    failed = backups.restore(arn, metadata=metadata["RestoreMetadata"])
    assert (failed["Status"], failed["StatusMessage"]) == ("FAILED", "Table already exists: Sales")
    assert (
        backups.restore(arn, metadata={**metadata["RestoreMetadata"], "targetTableName": "Back"})["Status"]
        == "COMPLETED"
    )


def test_a_restore_encrypts_as_it_is_told(backups, world):
    arn = backups.point()
    key = world.client("kms").create_key()["KeyMetadata"]
    told = {"TargetTableName": "Own", "encryptionType": "KMS", "kmsMasterKeyArn": key["Arn"]}
    assert backups.restore(arn, metadata=told)["Status"] == "COMPLETED"
    assert backups.ddb.describe_table(TableName="Own")["Table"]["SSEDescription"]["KMSMasterKeyArn"] == key["Arn"]
    backups.restore(arn, metadata={"targetTableName": "Managed", "encryptionType": "KMS"})
    assert (
        "alias/aws/dynamodb"
        in backups.ddb.describe_table(TableName="Managed")["Table"]["SSEDescription"]["KMSMasterKeyArn"]
    )
    world.client("kms").disable_key(KeyId=key["KeyId"])
    failed = backups.restore(arn, metadata={**told, "TargetTableName": "Third"})
    assert failed["Status"] == "FAILED" and "KMS key is not there, disabled" in failed["StatusMessage"]
    assert "Third" not in backups.ddb.list_tables()["TableNames"]


@pytest.mark.parametrize(
    "wrong, code",
    [
        ({"metadata": {}}, "InvalidParameterValueException"),
        ({"metadata": {"targetTableName": "Back", "billingMode": "x"}}, "InvalidParameterValueException"),
        ({"metadata": {"targetTableName": "a b"}}, "InvalidParameterValueException"),
        ({"metadata": {"targetTableName": "Back", "encryptionType": "AES"}}, "InvalidParameterValueException"),
        ({"metadata": {"targetTableName": "Back", "kmsMasterKeyArn": "arn"}}, "InvalidParameterValueException"),
        ({"ResourceType": "S3"}, "InvalidParameterValueException"),
        ({"IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/none"}, "InvalidParameterValueException"),
        ({"IamRoleArn": "arn:aws:iam::999999999999:role/backup"}, "AccessDeniedException"),
        ({"point": TABLE + "/backup/01-none"}, "ResourceNotFoundException"),
    ],
)
def test_a_restore_that_cannot_be_is_refused(backups, refused, wrong, code):
    assert refused(backups.restore, **{"point": backups.point(), **wrong}) == code
    assert backups.client.list_restore_jobs()["RestoreJobs"] == []
    assert backups.ddb.list_tables()["TableNames"] == ["Sales"]


def test_a_restore_without_a_role_is_refused(backups, refused):
    given = {"RecoveryPointArn": backups.point(), "Metadata": {"targetTableName": "Back"}}
    assert refused(backups.client.start_restore_job, **given) == "MissingParameterValueException"


def test_restores_are_listed_by_filter(backups):
    arn = backups.point()
    done, failed = backups.restore(arn), backups.restore(arn)
    assert failed["Status"] == "FAILED"

    def found(**filters):
        return [job["RestoreJobId"] for job in backups.client.list_restore_jobs(**filters)["RestoreJobs"]]

    assert found() == [failed["RestoreJobId"], done["RestoreJobId"]]
    assert found(ByStatus="COMPLETED", ByResourceType="DynamoDB") == [done["RestoreJobId"]]
    assert found(ByCreatedAfter=done["CreationDate"]) == [failed["RestoreJobId"]] and found(MaxResults=1) == [
        failed["RestoreJobId"]
    ]
    of = backups.client.list_restore_jobs_by_protected_resource(ResourceArn=TABLE)["RestoreJobs"]
    assert len(of) == 2


@pytest.mark.parametrize("do", ["job_fails", "job_hollow", "job_partial", "job_expires", "lie"])
def test_the_fault_script_spoils_a_restore(backups, world, refused, do):
    backups.advanced()
    arn = backups.point()
    world.fault("backup", "StartRestoreJob", do)
    if do == "lie":
        assert refused(backups.restore, point=arn) == "ResourceNotFoundException"
        assert "Back" not in backups.ddb.list_tables()["TableNames"]
    elif do == "job_fails":
        assert backups.restore(arn)["StatusMessage"] == "An internal error occurred."
        assert "Back" not in backups.ddb.list_tables()["TableNames"]
    elif do == "job_expires":
        given = {"RecoveryPointArn": arn, "IamRoleArn": ROLE, "Metadata": {"targetTableName": "Back"}}
        job = backups.client.start_restore_job(**given)["RestoreJobId"]
        backups.later("30d")
        assert backups.client.describe_restore_job(RestoreJobId=job)["Status"] == "PENDING"
    else:
        assert backups.restore(arn)["Status"] == "COMPLETED"
        assert len(backups.keys("Back")) == (0 if do == "job_hollow" else 1)


def test_a_point_in_use_is_not_deleted(backups, world, refused):
    arn = backups.point()
    world.settings(restore_delay="2h")
    given = {"RecoveryPointArn": arn, "IamRoleArn": ROLE, "Metadata": {"targetTableName": "Back"}}
    backups.client.start_restore_job(**given)
    backups.later("1h")
    here = {"BackupVaultName": "Default", "RecoveryPointArn": arn}
    assert refused(backups.client.delete_recovery_point, **here) == "InvalidRequestException"
    backups.later("2h")
    backups.client.delete_recovery_point(**here)
