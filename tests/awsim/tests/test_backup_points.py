"""AWS Backup's recovery points, and what is restored and copied of them."""

import json

import people
import pytest
from backup_world import ACCOUNT, ROLE, TABLE, trust

WEEK = {"DeleteAfterDays": 7}
FILES = "arn:aws:s3:::files"
INDEX = {"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}


# -- their life ------------------------------------------------------------------------------------


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
        assert refused(backups.client.update_recovery_point_lifecycle, **here, **other) == "InvalidParameterValueException"


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
    pages = client.get_paginator("list_recovery_points_by_resource").paginate(ResourceArn=TABLE, PaginationConfig={"PageSize": 1})
    assert [page["RecoveryPoints"][0]["RecoveryPointArn"] for page in pages] == [arns[2], arns[0]]
    assert client.list_recovery_points_by_resource(ResourceArn=TABLE, ManagedByAWSBackupOnly=True)["RecoveryPoints"] == []
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
    tags = [backups.ddb.list_tags_of_resource(ResourceArn=TABLE.replace("Sales", name))["Tags"] for name in ("Plain", "Tagged")]
    assert tags == [[], [{"Key": "team", "Value": "sales"}, {"Key": "by", "Value": "hand"}]]
    backups.advanced(False)
    copied = {"point": backups.point(), "CopySourceTagsToRestoredResource": True}
    assert refused(backups.restore, **copied) == "InvalidParameterValueException"


# -- restores --------------------------------------------------------------------------------------


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
    from backup_world import Backups

    make(types=[("g", "S")], GlobalSecondaryIndexes=[INDEX], StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
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
    assert backups.restore(arn, metadata={**metadata["RestoreMetadata"], "targetTableName": "Back"})["Status"] == "COMPLETED"


def test_a_restore_encrypts_as_it_is_told(backups, world):
    arn = backups.point()
    key = world.client("kms").create_key()["KeyMetadata"]
    told = {"TargetTableName": "Own", "encryptionType": "KMS", "kmsMasterKeyArn": key["Arn"]}
    assert backups.restore(arn, metadata=told)["Status"] == "COMPLETED"
    assert backups.ddb.describe_table(TableName="Own")["Table"]["SSEDescription"]["KMSMasterKeyArn"] == key["Arn"]
    backups.restore(arn, metadata={"targetTableName": "Managed", "encryptionType": "KMS"})
    assert "alias/aws/dynamodb" in backups.ddb.describe_table(TableName="Managed")["Table"]["SSEDescription"]["KMSMasterKeyArn"]
    world.client("kms").disable_key(KeyId=key["KeyId"])
    failed = backups.restore(arn, metadata={**told, "TargetTableName": "Third"})
    assert failed["Status"] == "FAILED" and "KMS key" in failed["StatusMessage"]
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
    assert found(ByCreatedAfter=done["CreationDate"]) == [failed["RestoreJobId"]] and found(MaxResults=1) == [failed["RestoreJobId"]]
    of = backups.client.list_restore_jobs_by_protected_resource(ResourceArn=TABLE)["RestoreJobs"]
    assert len(of) == 2


@pytest.mark.parametrize("do", ["job_fails", "job_hollow", "lie"])
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
    else:
        assert backups.restore(arn)["Status"] == "COMPLETED" and backups.keys("Back") == set()


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


# -- buckets ---------------------------------------------------------------------------------------


@pytest.fixture
def files(backups, world):
    """A bucket with versions and two objects; the S3 client."""
    s3 = world.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="files", Key="a b/ü.txt", Body=b"old")
    s3.put_object(Bucket="files", Key="a b/ü.txt", Body=b"one", ContentType="text/plain", Metadata={"m": "1"}, Tagging="t=2")
    s3.put_object(Bucket="files", Key="two", Body=b"two")
    s3.put_object(Bucket="files", Key="gone", Body=b"gone")
    s3.delete_object(Bucket="files", Key="gone")
    return s3


def _content(s3, bucket):
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", ())
    return {one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}


def test_a_bucket_is_restored_as_of_the_job(backups, world, files):
    arn = backups.point(FILES)
    assert arn.startswith(f"arn:aws:backup:us-east-1:{ACCOUNT}:recovery-point:files-")
    files.put_object(Bucket="files", Key="two", Body=b"changed")
    files.put_object(Bucket="files", Key="three", Body=b"new")
    shown = backups.restore(arn, metadata={"DestinationBucketName": "fresh", "NewBucket": "true"})
    assert (shown["Status"], shown["CreatedResourceArn"]) == ("COMPLETED", "arn:aws:s3:::fresh")
    assert _content(files, "fresh") == {"a b/ü.txt": b"one", "two": b"two"}
    head = files.head_object(Bucket="fresh", Key="a b/ü.txt")
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"m": "1"})
    assert files.get_object_tagging(Bucket="fresh", Key="a b/ü.txt")["TagSet"] == [{"Key": "t", "Value": "2"}]
    made = [row["operation"] for row in world.ledger(service="s3", resource="fresh") if row["effect"] == "made"]
    assert made == ["CreateBucket", "PutObject", "PutObject"]


def test_a_restore_overwrites_no_object(backups, files):
    arn = backups.point(FILES)
    files.put_object(Bucket="files", Key="two", Body=b"changed")
    files.delete_object(Bucket="files", Key="a b/ü.txt")
    assert backups.restore(arn, metadata={"DestinationBucketName": "files"})["Status"] == "COMPLETED"
    assert _content(files, "files") == {"a b/ü.txt": b"one", "two": b"changed"}


def test_single_objects_are_restored_and_encrypted_as_told(backups, files):
    arn = backups.point(FILES)
    items = json.dumps(["s3://files/two"])
    told = {"DestinationBucketName": "fresh", "NewBucket": "true", "ItemsToRestore": items, "EncryptionType": "SSE-KMS"}
    assert backups.restore(arn, metadata=told)["Status"] == "COMPLETED"
    assert list(_content(files, "fresh")) == ["two"]
    assert files.head_object(Bucket="fresh", Key="two")["ServerSideEncryption"] == "aws:kms"


@pytest.mark.parametrize(
    "told, words",
    [
        ({"DestinationBucketName": "files", "NewBucket": "true"}, "bucket"),
        ({"DestinationBucketName": "none-such"}, "does not exist"),
    ],
)
def test_a_bucket_that_does_not_fit_fails_the_restore(backups, files, told, words):
    shown = backups.restore(backups.point(FILES), metadata=told)
    assert shown["Status"] == "FAILED" and words in shown["StatusMessage"]


def test_restore_metadata_of_buckets_has_its_own_rules(backups, files, refused):
    arn = backups.point(FILES)
    for wrong in ({}, {"NewBucket": "maybe"}, {"ItemsToRestore": "x"}, {"ItemsToRestore": "[]"}, {"KMSKey": "k"}, {"targetTableName": "Back"}):
        given = {"point": arn, "metadata": {"DestinationBucketName": "files", **wrong} if wrong else {}}
        assert refused(backups.restore, **given) == "InvalidParameterValueException", wrong


def test_a_bucket_without_versions_cannot_be_backed_up(backups, world):
    world.client("s3").create_bucket(Bucket="files")
    shown = backups.back_up(FILES)
    assert shown["State"] == "FAILED" and "ersioning" in shown["StatusMessage"]


# -- copies ----------------------------------------------------------------------------------------


def test_a_copy_in_another_region_restores_there_after_the_source_has_gone(backups, world):
    world.settings(copy_delay="30m")
    backups.advanced()
    far = world.client("backup", region="eu-west-1")
    vault = far.create_backup_vault(BackupVaultName="far")["BackupVaultArn"]
    arn = backups.point()
    job = backups.client.start_copy_job(RecoveryPointArn=arn, SourceBackupVaultName="Default", DestinationBackupVaultArn=vault, IamRoleArn=ROLE)
    backups.later("10m")
    shown = backups.client.describe_copy_job(CopyJobId=job["CopyJobId"])["CopyJob"]
    assert (shown["State"], backups.points("far", far)[0]["Status"]) == ("RUNNING", "CREATING")
    backups.later("1h")
    shown = backups.client.describe_copy_job(CopyJobId=job["CopyJobId"])["CopyJob"]
    copied = shown["DestinationRecoveryPointArn"]
    assert shown["State"] == "COMPLETED" and copied.startswith(f"arn:aws:backup:eu-west-1:{ACCOUNT}:recovery-point:")
    backups.client.delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=arn)
    backups.later("1h")
    made = far.start_restore_job(RecoveryPointArn=copied, IamRoleArn=ROLE, Metadata={"targetTableName": "Back"})
    backups.later("1h")
    assert far.describe_restore_job(RestoreJobId=made["RestoreJobId"])["Status"] == "COMPLETED"
    assert backups.keys("Back", world.client("dynamodb", region="eu-west-1")) == {"a", "b"}
    rows = world.ledger(service="backup", operation="CopyJobCompleted")
    assert [(row["resource"], row["effect"]) for row in rows] == [(copied, "made")]


def _foreign_vault(world, key=True, policy=True):
    """A vault of another account; its ARN and client."""
    theirs = people.root(people.OTHER)
    client, kms = world.client("backup", **theirs), world.client("kms", **theirs)
    more = {"EncryptionKeyArn": kms.create_key()["KeyMetadata"]["Arn"]} if key else {}
    arn = client.create_backup_vault(BackupVaultName="theirs", **more)["BackupVaultArn"]
    if policy:
        allow = people.allow("backup:CopyIntoBackupVault", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        client.put_backup_vault_access_policy(BackupVaultName="theirs", Policy=people.policy(allow))
    return arn, client


def _own_key(backups, world):
    key = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    backups.client.create_backup_vault(BackupVaultName="keyed", EncryptionKeyArn=key)


@pytest.mark.parametrize("key, policy, state", [(True, True, "COMPLETED"), (True, False, "FAILED"), (False, True, "FAILED")])
def test_another_accounts_vault_takes_copies_that_it_allows(backups, world, key, policy, state):
    backups.advanced()
    _own_key(backups, world)
    to, client = _foreign_vault(world, key, policy)
    arn = backups.point(vault="keyed")
    shown = backups.copy(arn, to, SourceBackupVaultName="keyed")
    assert shown["State"] == state, shown
    points = backups.points("theirs", client)
    assert len(points) == (state == "COMPLETED")
    if points:
        assert points[0]["RecoveryPointArn"].split(":")[4] == people.OTHER
    else:
        assert ("default Backup service managed key" if policy else "ccess denied") in shown["StatusMessage"]


def test_copies_that_cannot_be_are_refused_or_fail(backups, world, refused):
    far = world.client("backup", region="eu-west-1").create_backup_vault(BackupVaultName="far")["BackupVaultArn"]
    old = backups.point()
    assert "does not support" in backups.copy(old, far)["StatusMessage"]
    backups.advanced()
    arn = backups.point()
    assert "does not exist" in backups.copy(arn, far + "none")["StatusMessage"]
    assert refused(backups.copy, point=arn, to=backups.vault) == "InvalidParameterValueException"
    assert refused(backups.copy, point=arn, to="far") == "InvalidParameterValueException"
    assert refused(backups.copy, point=arn + "x", to=far) == "ResourceNotFoundException"
    assert refused(backups.copy, point=arn, to=far, SourceBackupVaultName="none") == "ResourceNotFoundException"
    assert refused(backups.copy, point=arn, to=far, IamRoleArn=ROLE + "x") == "InvalidParameterValueException"
    lock = {"MinRetentionDays": 30}
    world.client("backup", region="eu-west-1").put_backup_vault_lock_configuration(BackupVaultName="far", **lock)
    assert "not within the range" in backups.copy(arn, far, Lifecycle=WEEK)["StatusMessage"]
    states = {job["State"] for job in backups.client.list_copy_jobs(ByState="FAILED")["CopyJobs"]}
    assert states == {"FAILED"} and backups.client.list_copy_jobs(ByState="COMPLETED")["CopyJobs"] == []
    assert backups.copy(arn, far)["State"] == "COMPLETED"


@pytest.mark.parametrize("do, state, held", [("job_partial", "PARTIAL", 1), ("job_hollow", "COMPLETED", 0), ("job_fails", "FAILED", None)])
def test_the_fault_script_spoils_a_copy(backups, world, do, state, held):
    backups.advanced()
    arn = backups.point()
    backups.client.create_backup_vault(BackupVaultName="second")
    world.fault("backup", "StartCopyJob", do)
    shown = backups.copy(arn, backups.vault.replace("Default", "second"), IdempotencyToken="one")
    assert shown["State"] == state
    if held is not None:
        backups.restore(shown["DestinationRecoveryPointArn"])
        assert len(backups.keys("Back")) == held


# -- who may ---------------------------------------------------------------------------------------


def test_where_policies_count_the_role_must_be_passed_and_allowed(backups, world, refused):
    arn = backups.point()
    run = people.user(world, "ann", people.allow("backup:*"))
    passing = people.user(world, "bob", people.allow(["backup:*", "iam:PassRole"]))
    world.control("POST", "iam", {"enforce": True})
    given = {"RecoveryPointArn": arn, "IamRoleArn": ROLE, "Metadata": {"targetTableName": "Back"}}
    assert refused(world.client("backup", **run).start_restore_job, **given) == "AccessDeniedException"
    client = world.client("backup", **passing)
    job = client.start_restore_job(**given)["RestoreJobId"]
    backups.later("1h")
    shown = client.describe_restore_job(RestoreJobId=job)
    assert shown["Status"] == "FAILED" and "dynamodb:RestoreTableFromBackup" in shown["StatusMessage"]
    allowed = people.policy(people.allow(["dynamodb:RestoreTableFromBackup", "dynamodb:CreateBackup"]))
    world.client("iam").put_role_policy(RoleName="backup", PolicyName="p", PolicyDocument=allowed)
    job = client.start_restore_job(**given)["RestoreJobId"]
    backups.later("1h")
    assert client.describe_restore_job(RestoreJobId=job)["Status"] == "COMPLETED"


def test_a_role_that_trusts_somebody_else_or_denies_is_refused(backups, world, refused):
    iam = world.client("iam")
    deny = json.loads(trust())
    deny["Statement"].append({**deny["Statement"][0], "Effect": "Deny"})
    for name, document in (("lambda", trust("lambda.amazonaws.com")), ("denies", json.dumps(deny))):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        given = {"IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}
        assert refused(backups.start, **given) == "InvalidParameterValueException"
