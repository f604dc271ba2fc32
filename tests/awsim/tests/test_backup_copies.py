"""AWS Backup's copies to other vaults, and whom its roles serve."""

import json

import people
import pytest
from backup_world import ACCOUNT, ROLE, trust

WEEK = {"DeleteAfterDays": 7}


def test_a_copy_in_another_region_restores_there_after_the_source_has_gone(backups, world):
    world.settings(copy_delay="30m")
    backups.advanced()
    far = world.client("backup", region="eu-west-1")
    vault = far.create_backup_vault(BackupVaultName="far")["BackupVaultArn"]
    arn = backups.point()
    job = backups.client.start_copy_job(
        RecoveryPointArn=arn, SourceBackupVaultName="Default", DestinationBackupVaultArn=vault, IamRoleArn=ROLE
    )
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


@pytest.mark.parametrize(
    "key, policy, state", [(True, True, "COMPLETED"), (True, False, "FAILED"), (False, True, "FAILED")]
)
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


@pytest.mark.parametrize(
    "do, state, held", [("job_partial", "PARTIAL", 1), ("job_hollow", "COMPLETED", 0), ("job_fails", "FAILED", None)]
)
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


def test_policies_name_vaults_plans_and_points(backups, world, refused):
    """Each call needs its action on its resource, and nothing more."""
    backups.advanced()
    arn = backups.point()
    rule = {"RuleName": "r", "TargetBackupVaultName": "Default"}
    plan = backups.client.create_backup_plan(BackupPlan={"BackupPlanName": "p", "Rules": [rule]})
    select = {
        "BackupPlanId": plan["BackupPlanId"],
        "BackupSelection": {"SelectionName": "s", "IamRoleArn": ROLE, "Resources": ["*"]},
    }
    pass_on = people.allow("iam:PassRole", ROLE)
    calls = [
        (
            "list_recovery_points_by_backup_vault",
            {"BackupVaultName": "Default"},
            "ListRecoveryPointsByBackupVault",
            backups.vault,
            (),
        ),
        ("describe_backup_vault", {"BackupVaultName": "Default"}, "DescribeBackupVault", backups.vault, ()),
        (
            "describe_recovery_point",
            {"BackupVaultName": "Default", "RecoveryPointArn": arn},
            "DescribeRecoveryPoint",
            arn,
            (),
        ),
        ("get_backup_plan", {"BackupPlanId": plan["BackupPlanId"]}, "GetBackupPlan", plan["BackupPlanArn"], ()),
        ("create_backup_selection", select, "CreateBackupSelection", plan["BackupPlanArn"], (pass_on,)),
        ("list_backup_jobs", {}, "ListBackupJobs", "*", ()),
    ]
    world.control("POST", "iam", {"enforce": True})
    for number, (call, given, action, resource, more) in enumerate(calls):
        keys = people.user(world, f"may{number}", people.allow(f"backup:{action}", resource), *more)
        getattr(world.client("backup", **keys), call)(**given)
        other = people.user(
            world, f"not{number}", people.allow("backup:*", resource.replace("*", backups.vault) + "x"), *more
        )
        assert refused(getattr(world.client("backup", **other), call), **given) == "AccessDeniedException"
    without = people.user(world, "without", people.allow("backup:*"))
    assert refused(world.client("backup", **without).create_backup_selection, **select) == "AccessDeniedException"
