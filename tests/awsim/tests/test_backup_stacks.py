"""AWS Backup by CloudFormation: the vault, plan and selection of a template are real, and go with the stack."""

import json

import pytest
from backup_world import ACCOUNT, TABLE, trust

TEMPLATE = {
    "Parameters": {"Days": {"Type": "String", "Default": "7"}},
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "planned", "AssumeRolePolicyDocument": json.loads(trust())},
        },
        "Vault": {
            "Type": "AWS::Backup::BackupVault",
            "Properties": {
                "BackupVaultName": "planned",
                "BackupVaultTags": {"by": "stack"},
                "LockConfiguration": {"MinRetentionDays": "1"},
            },
        },
        "Plan": {
            "Type": "AWS::Backup::BackupPlan",
            "Properties": {
                "BackupPlan": {
                    "BackupPlanName": "planned",
                    "BackupPlanRule": [
                        {
                            "RuleName": "daily",
                            "TargetBackupVault": {"Ref": "Vault"},
                            "ScheduleExpression": "cron(0 2 * * ? *)",
                            "Lifecycle": {"DeleteAfterDays": {"Ref": "Days"}},
                        }
                    ],
                }
            },
        },
        "Selection": {
            "Type": "AWS::Backup::BackupSelection",
            "Properties": {
                "BackupPlanId": {"Ref": "Plan"},
                "BackupSelection": {
                    "SelectionName": "tables",
                    "IamRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Resources": [TABLE],
                },
            },
        },
    },
    "Outputs": {"Vault": {"Value": {"Fn::GetAtt": ["Vault", "BackupVaultArn"]}}},
}


@pytest.fixture
def stacks(world):
    world.settings(stack_delay="0s")
    return world.client("cloudformation")


def _body(**more):
    return json.dumps({**TEMPLATE, "Resources": {**TEMPLATE["Resources"], **more}})


def test_a_stack_makes_a_plan_that_runs(backups, stacks, world):
    stacks.create_stack(StackName="plan", TemplateBody=_body(), Capabilities=["CAPABILITY_NAMED_IAM"])
    (stack,) = stacks.describe_stacks(StackName="plan")["Stacks"]
    arn = f"arn:aws:backup:us-east-1:{ACCOUNT}:backup-vault:planned"
    assert (stack["StackStatus"], stack["Outputs"][0]["OutputValue"]) == ("CREATE_COMPLETE", arn)
    assert backups.client.describe_backup_vault(BackupVaultName="planned")["MinRetentionDays"] == 1
    assert backups.client.list_tags(ResourceArn=arn)["Tags"] == {"by": "stack"}
    backups.later("1d")
    (job,) = backups.client.list_backup_jobs()["BackupJobs"]
    assert (job["State"], job["RecoveryPointLifecycle"]) == ("COMPLETED", {"DeleteAfterDays": 7})
    rows = world.ledger(service="backup", operation="CreateBackupPlan")
    assert [(row["principal"], row["effect"]) for row in rows] == [("cloudformation.amazonaws.com", "made")]
    changed = {"ParameterKey": "Days", "ParameterValue": "9"}
    stacks.update_stack(
        StackName="plan", UsePreviousTemplate=True, Parameters=[changed], Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    (plan,) = backups.client.list_backup_plans()["BackupPlansList"]
    rule = backups.client.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]["Rules"][0]
    assert rule["Lifecycle"] == {"DeleteAfterDays": 9}


def test_what_a_stack_made_goes_with_it(backups, stacks):
    stacks.create_stack(StackName="plan", TemplateBody=_body(), Capabilities=["CAPABILITY_NAMED_IAM"])
    stacks.delete_stack(StackName="plan")
    assert backups.client.list_backup_plans()["BackupPlansList"] == []
    assert [one["BackupVaultName"] for one in backups.client.list_backup_vaults()["BackupVaultList"]] == ["Default"]


def test_what_aws_backup_refuses_is_no_success_of_a_stack(backups, stacks, world):
    selection = json.loads(json.dumps(TEMPLATE["Resources"]["Selection"]))
    selection["Properties"]["BackupSelection"]["IamRoleArn"] = f"arn:aws:iam::{ACCOUNT}:role/none"
    with pytest.raises(Exception, match="cannot be assumed by AWS Backup"):
        stacks.create_stack(
            StackName="plan", TemplateBody=_body(Selection=selection), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
