"""AWS Backup's backup jobs: how they move, end, and what they leave."""

import pytest
from backup_world import ACCOUNT, ROLE, TABLE, trust

DAYS = {"DeleteAfterDays": 7}


def test_a_job_moves_through_its_states_by_the_simulated_clock(backups, world):
    world.settings(backup_start_delay="10m", backup_delay="10m")
    job, seen = backups.start(), []
    for _ in range(6):
        shown = backups.job(job)
        seen.append(shown["State"])
        backups.later("4m")
    assert list(dict.fromkeys(seen)) == ["CREATED", "PENDING", "RUNNING", "COMPLETED"]
    shown = backups.job(job)
    assert (shown["PercentDone"], shown["BackupSizeInBytes"], shown["MessageCategory"]) == ("100.0", 6, "SUCCESS")
    assert (shown["CompletionDate"] - shown["CreationDate"]).total_seconds() == pytest.approx(1200, abs=1)
    assert (shown["StartBy"] - shown["CreationDate"]).total_seconds() == pytest.approx(8 * 3600, abs=1)


def test_a_recovery_point_holds_the_table_as_of_the_job(backups, world):
    world.settings(backup_start_delay="1m", backup_delay="1h")
    backups.advanced()
    job = backups.start()
    backups.put("c")
    backups.later("2m")
    assert backups.job(job)["State"] == "RUNNING"
    assert [point["Status"] for point in backups.points()] == ["CREATING"]
    backups.put("d")
    backups.ddb.delete_item(TableName="Sales", Key={"pk": {"S": "a"}})
    backups.later("1h")
    backups.ddb.delete_table(TableName="Sales")
    backups.restore(backups.job(job)["RecoveryPointArn"])
    assert backups.keys("Back") == {"a", "b", "c"}


@pytest.mark.parametrize(
    "on, start", [(False, TABLE + "/backup/"), (True, f"arn:aws:backup:us-east-1:{ACCOUNT}:recovery-point:")]
)
def test_the_region_setting_decides_who_keeps_a_tables_backup(backups, on, start):
    backups.advanced(on)
    settings = backups.client.describe_region_settings()
    assert settings["ResourceTypeManagementPreference"] == {"DynamoDB": on}
    started = backups.client.start_backup_job(BackupVaultName="Default", ResourceArn=TABLE, IamRoleArn=ROLE)
    assert ("RecoveryPointArn" in started) == on
    backups.later("1h")
    (point,) = backups.points()
    assert point["RecoveryPointArn"].startswith(start)
    assert backups.job(started["BackupJobId"])["RecoveryPointArn"] == point["RecoveryPointArn"]
    assert ("EncryptionKeyArn" in point) == on


def test_dynamodb_knows_the_backup_that_it_keeps_and_leaves_it_alone(backups, refused):
    arn = backups.point()
    shown = backups.ddb.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]
    assert (shown["BackupType"], shown["BackupStatus"]) == ("AWS_BACKUP", "AVAILABLE")
    assert backups.ddb.list_backups(BackupType="ALL")["BackupSummaries"] == []
    assert refused(backups.ddb.delete_backup, BackupArn=arn) == "ValidationException"
    backups.ddb.restore_table_from_backup(TargetTableName="Direct", BackupArn=arn)
    backups.later("1h")
    backups.client.delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=arn)
    backups.later("1h")
    assert refused(backups.ddb.describe_backup, BackupArn=arn) == "BackupNotFoundException"
    assert backups.keys("Direct") == {"a", "b"}


def test_a_token_stands_for_one_job(backups, refused):
    first = backups.start(IdempotencyToken="one")
    assert backups.start(IdempotencyToken="one") == first
    assert refused(backups.start, IdempotencyToken="one", Lifecycle=DAYS) == "InvalidParameterValueException"
    assert backups.start() != first
    assert len(backups.client.list_backup_jobs()["BackupJobs"]) == 2


def test_the_ledger_tells_what_was_made(backups, world):
    arn = backups.point()
    rows = [(row["operation"], row["effect"]) for row in world.ledger(service="backup", resource="Sales")]
    assert rows == [("StartBackupJob", "made")]
    (made,) = world.ledger(service="backup", operation="BackupJobCompleted")
    assert (made["resource"], made["effect"]) == (arn, "made")
    assert made["principal"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/backup/AWSBackup"
    backups.start(IdempotencyToken="one")
    backups.start(IdempotencyToken="one")
    rows = world.ledger(service="backup", operation="StartBackupJob")
    assert [row["effect"] for row in rows] == ["made", "made", "read"]


def test_what_waits_longer_than_the_start_window_expires(backups, world):
    world.settings(backup_start_delay="110m")
    job = backups.start(StartWindowMinutes=60)
    backups.later("59m")
    assert backups.job(job)["State"] == "PENDING"
    backups.later("3h")
    assert backups.job(job)["State"] == "EXPIRED"
    assert backups.points() == []


def test_what_runs_longer_than_the_completion_window_expires(backups, world):
    world.settings(backup_delay="5h")
    job = backups.start(StartWindowMinutes=60, CompleteWindowMinutes=120)
    backups.later("6h")
    shown = backups.job(job)
    assert (shown["State"], shown["StatusMessage"]) == ("EXPIRED", "Backup job expired before completion.")
    assert backups.points() == []


def test_a_stopped_job_is_aborting_and_then_aborted(backups, world, refused):
    world.settings(backup_start_delay="1m", backup_delay="1h")
    job = backups.start()
    backups.later("5m")
    backups.client.stop_backup_job(BackupJobId=job)
    assert backups.job(job)["State"] == "ABORTING"
    backups.later("2h")
    assert (backups.job(job)["State"], backups.points()) == ("ABORTED", [])
    assert refused(backups.client.stop_backup_job, BackupJobId=job) == "InvalidRequestException"
    assert refused(backups.client.stop_backup_job, BackupJobId="none") == "ResourceNotFoundException"


def test_a_table_that_is_updating_waits_for_its_turn(backups, world):
    world.settings(table_update_delay="30m")
    backups.ddb.update_table(TableName="Sales", DeletionProtectionEnabled=True)
    job = backups.start()
    backups.later("5m")
    assert backups.job(job)["State"] == "PENDING"
    backups.later("1h")
    assert backups.job(job)["State"] == "COMPLETED"


def test_a_table_that_is_gone_when_the_job_runs_fails_it(backups, world):
    world.settings(backup_start_delay="1h")
    job = backups.start()
    backups.ddb.delete_table(TableName="Sales")
    backups.later("2h")
    shown = backups.job(job)
    assert shown["State"] == "FAILED" and "Sales not found" in shown["StatusMessage"]
    assert "RecoveryPointArn" not in shown


def test_two_jobs_of_one_resource_do_not_run_at_once(backups, world):
    world.settings(backup_delay="1h")
    first, second = backups.start(), backups.start()
    backups.later("2h")
    assert [backups.job(job)["State"] for job in (first, second)] == ["COMPLETED", "FAILED"]
    assert "running job for the same resource" in backups.job(second)["StatusMessage"]


def test_a_role_that_is_deleted_meanwhile_fails_the_job(backups, world):
    world.settings(backup_start_delay="1h")
    job = backups.start()
    world.client("iam").delete_role(RoleName="backup")
    backups.later("2h")
    shown = backups.job(job)
    assert (shown["State"], shown["MessageCategory"]) == ("FAILED", "AccessDenied")
    assert "cannot be assumed by AWS Backup" in shown["StatusMessage"]


@pytest.mark.parametrize(
    "wrong, code",
    [
        ({"IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/none"}, "InvalidParameterValueException"),
        ({"IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/lambda"}, "InvalidParameterValueException"),
        ({"IamRoleArn": "arn:aws:iam::999999999999:role/backup"}, "AccessDeniedException"),
        ({"IamRoleArn": "backup"}, "InvalidParameterValueException"),
        ({"vault": "None"}, "ResourceNotFoundException"),
        ({"arn": TABLE + "None"}, "ResourceNotFoundException"),
        ({"arn": TABLE.replace("us-east-1", "eu-west-1")}, "InvalidParameterValueException"),
        ({"arn": "arn:aws:ec2:us-east-1:123456789012:volume/vol-1"}, "InvalidParameterValueException"),
        ({"StartWindowMinutes": 59}, "InvalidParameterValueException"),
        ({"StartWindowMinutes": 60, "CompleteWindowMinutes": 119}, "InvalidParameterValueException"),
        ({"Lifecycle": {"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": 119}}, "InvalidParameterValueException"),
        ({"Lifecycle": {"DeleteAfterDays": 0}}, "InvalidParameterValueException"),
    ],
)
def test_what_aws_backup_refuses_makes_no_job(backups, world, refused, wrong, code):
    world.client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    assert refused(backups.start, **wrong) == code
    assert backups.client.list_backup_jobs()["BackupJobs"] == []
    assert world.ledger(operation="StartBackupJob")[0]["effect"] is None


def test_bad_members_are_refused_in_the_models_words(backups, world):
    def put(body):
        status, headers, _ = world.raw("PUT", "/backup-jobs", body, {"Content-Type": "application/json"}, "backup")
        return status, headers["x-amzn-ErrorType"]

    assert put('{"BackupVaultName": "Default"}') == (400, "MissingParameterValueException")
    whole = f'"ResourceArn": "{TABLE}", "IamRoleArn": "{ROLE}"'
    assert put('{"BackupVaultName": "a b", %s}' % whole) == (400, "InvalidParameterValueException")
    assert put('{"BackupVaultName": 5, %s}' % whole) == (400, "InvalidParameterValueException")
    assert put("[") == (400, "SerializationException")
    status, headers, _ = world.raw("GET", "/backup-jobs/?maxResults=none", b"", {}, "backup")
    assert (status, headers["x-amzn-ErrorType"]) == (400, "InvalidParameterValueException")
    status, headers, _ = world.raw("GET", "/legal-holds/", b"", {}, "backup")
    assert headers["x-amzn-ErrorType"] == "UnknownOperationException"


def test_jobs_are_listed_by_filter_and_by_page(backups, world, make):
    make("Other")
    other = TABLE.replace("Sales", "Other")
    jobs = []
    for arn in (TABLE, other, TABLE):
        jobs.append(backups.start(arn))
        backups.later("1h")
    created = [backups.job(job)["CreationDate"] for job in jobs]

    def found(**filters):
        return [job["BackupJobId"] for job in backups.client.list_backup_jobs(**filters)["BackupJobs"]]

    assert found() == jobs[::-1]
    assert found(ByResourceArn=other) == [jobs[1]] and found(ByState="FAILED") == []
    assert found(ByState="COMPLETED", ByResourceType="DynamoDB") == jobs[::-1]
    assert found(ByCreatedAfter=created[1]) == [jobs[2]] and found(ByCreatedBefore=created[1]) == [jobs[0]]
    assert found(ByCompleteBefore=created[1]) == [jobs[0]] and found(ByBackupVaultName="None") == []
    assert found(ByAccountId=ACCOUNT) == jobs[::-1] and found(ByAccountId="999999999999") == []
    pages = backups.client.get_paginator("list_backup_jobs").paginate(PaginationConfig={"PageSize": 2})
    assert [[job["BackupJobId"] for job in page["BackupJobs"]] for page in pages] == [jobs[:0:-1], jobs[:1]]
    backups.later("30d")
    assert found() == [] and backups.job(jobs[0])["State"] == "COMPLETED"


def test_a_next_token_of_somebody_else_is_refused(backups, refused):
    assert refused(backups.client.list_backup_jobs, NextToken="bm9uZQ==") == "InvalidParameterValueException"
    assert refused(backups.client.list_backup_jobs, MaxResults=1001) == "InvalidParameterValueException"


@pytest.mark.parametrize("do, state", [("job_fails", "FAILED"), ("job_partial", "PARTIAL"), ("job_expires", "EXPIRED")])
def test_the_fault_script_says_how_a_job_ends(backups, world, do, state):
    backups.advanced()
    more = {"message": "The disk of the sky is full"} if do == "job_fails" else {}
    world.fault("backup", "StartBackupJob", do, table="Sales", **more)
    job = backups.start()
    backups.later("9h")
    shown = backups.job(job)
    assert shown["State"] == state
    if do == "job_fails":
        assert shown["StatusMessage"] == more["message"]
    if do == "job_partial":
        backups.restore(shown["RecoveryPointArn"])
        assert len(backups.keys("Back")) == 1 and backups.points()[0]["Status"] == "PARTIAL"
    else:
        assert backups.points() == []


def test_a_hollow_job_claims_to_be_done_and_holds_nothing(backups, world):
    world.fault("backup", "StartBackupJob", "job_hollow")
    backups.advanced()
    assert backups.restore(backups.point())["Status"] == "COMPLETED"
    assert backups.keys("Back") == set()


def test_the_general_faults_reach_aws_backup_too(backups, world, refused):
    world.fault("backup", "StartBackupJob", "throttle", table="Sales")
    assert refused(backups.start) == "ThrottlingException"
    world.fault("backup", "StartBackupJob", "lie", table="Default")
    job = backups.start()
    assert refused(backups.job, job=job) == "ResourceNotFoundException"
    backups.later("1h")
    assert backups.points() == []
    world.fault("backup", "StartBackupJob", "reset_after")
    with pytest.raises(Exception, match="Connection"):
        backups.start(IdempotencyToken="one")
    backups.start(IdempotencyToken="one")
    assert [row["effect"] for row in world.ledger(operation="StartBackupJob")] == [None, None, "made", "read"]
