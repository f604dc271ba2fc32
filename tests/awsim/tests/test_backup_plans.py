"""AWS Backup's plans: versions, schedules on the simulated clock, what they select and what becomes of it."""

from datetime import datetime, timedelta, timezone

import pytest
from backup_world import ACCOUNT, ROLE, TABLE
from sim.backup.cron import Cron

NIGHTLY = {
    "RuleName": "daily",
    "TargetBackupVaultName": "Default",
    "ScheduleExpression": "cron(0 2 * * ? *)",
    "StartWindowMinutes": 60,
    "CompletionWindowMinutes": 180,
}
EVERYTHING = f"arn:aws:dynamodb:*:{ACCOUNT}:table/*"


@pytest.fixture
def planned(backups):
    """Makes a plan of the rules, and a selection when one is given; its id."""

    def planned(*rules, name="plan", select=None):
        made = backups.client.create_backup_plan(BackupPlan={"BackupPlanName": name, "Rules": list(rules)})
        if select is not None:
            choose(made["BackupPlanId"], **select)
        return made["BackupPlanId"]

    def choose(plan, name="all", **spec):
        selection = {"SelectionName": name, "IamRoleArn": ROLE, **spec}
        return backups.client.create_backup_selection(BackupPlanId=plan, BackupSelection=selection)["SelectionId"]

    planned.choose = choose
    return planned


def _jobs(backups, **filters):
    return backups.client.list_backup_jobs(**filters)["BackupJobs"][::-1]


@pytest.mark.parametrize(
    "expression, zone, expected",
    [
        ("cron(0 2 * * ? *)", "Etc/UTC", ["2026-03-01T02:00", "2026-03-02T02:00", "2026-03-03T02:00"]),
        ("cron(0 3 ? * SUN *)", "Etc/UTC", ["2026-03-01T03:00", "2026-03-08T03:00"]),
        ("cron(0 4 1 * ? *)", "Etc/UTC", ["2026-03-01T04:00", "2026-04-01T04:00", "2026-05-01T04:00"]),
        (
            "cron(15/20 8-9 ? * MON-WED *)",
            "Etc/UTC",
            ["2026-03-02T08:15", "2026-03-02T08:35", "2026-03-02T08:55", "2026-03-02T09:15"],
        ),
        ("cron(0 12 L * ? *)", "Etc/UTC", ["2026-03-31T12:00", "2026-04-30T12:00"]),
        (
            "cron(0 12 1W * ? *)",
            "Etc/UTC",
            ["2026-03-02T12:00", "2026-04-01T12:00", "2026-05-01T12:00", "2026-06-01T12:00"],
        ),
        ("cron(0 12 15W 8 ? *)", "Etc/UTC", ["2026-08-14T12:00"]),
        ("cron(0 12 ? * 6#3 *)", "Etc/UTC", ["2026-03-20T12:00", "2026-04-17T12:00"]),
        ("cron(0 12 ? * FRIL *)", "Etc/UTC", ["2026-03-27T12:00", "2026-04-24T12:00"]),
        ("cron(0 0 29 2 ? *)", "Etc/UTC", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(30 2 * * ? *)", "Europe/Berlin", ["2026-03-01T01:30"]),
        # The clocks go forward on the 29th: half past two is left out; then it is summer time.
        ("cron(30 2 29-30 3 ? *)", "Europe/Berlin", ["2026-03-30T00:30", "2027-03-29T00:30"]),
    ],
)
def test_schedules_are_those_of_aws(expression, zone, expected):
    at = datetime(2026, 3, 1, tzinfo=timezone.utc).timestamp()
    cron, found = Cron(expression, zone), []
    for _ in expected:
        at = cron.after(at)
        found.append(datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M"))
    assert found == expected


@pytest.mark.parametrize(
    "wrong",
    [
        "rate(1 day)",
        "cron(0 2 * * *)",
        "cron(0 2 * * * *)",
        "cron(0 2 ? * ? *)",
        "cron(60 2 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 2 32 * ? *)",
        "cron(0 2 ? * XXX *)",
        "cron(5-2 2 * * ? *)",
        "cron(0 2/0 * * ? *)",
        "cron(0/30 * * * ? *)",
    ],
)
def test_what_is_no_schedule_of_aws_backup_is_refused(planned, refused, wrong):
    assert refused(lambda: planned({**NIGHTLY, "ScheduleExpression": wrong})) == "InvalidParameterValueException"


def test_a_rule_runs_at_its_times_for_every_selected_resource(backups, make, planned):
    make("Other")
    plan = planned(NIGHTLY, select={"Resources": [EVERYTHING]})
    backups.later("3d")
    jobs = _jobs(backups)
    assert [job["ResourceName"] for job in jobs] in (["Sales", "Other"] * 3, ["Other", "Sales"] * 3)
    for job in jobs:
        created = job["CreationDate"].astimezone(timezone.utc)
        assert (created.hour, created.minute, job["State"]) == (2, 0, "COMPLETED")
        assert job["StartBy"] - job["CreationDate"] == timedelta(minutes=60)
        by = job["CreatedBy"]
        assert (by["BackupPlanId"], by["BackupRuleName"], by["BackupRuleCron"]) == (plan, "daily", "cron(0 2 * * ? *)")
    assert len({job["CreationDate"].date() for job in jobs}) == 3
    listed = backups.client.list_recovery_points_by_backup_vault(BackupVaultName="Default", ByBackupPlanId=plan)
    assert len(listed["RecoveryPoints"]) == 6
    shown = backups.client.get_backup_plan(BackupPlanId=plan)
    assert shown["LastExecutionDate"] == jobs[-1]["CreationDate"]


def test_a_run_without_a_selection_makes_nothing_and_a_deleted_selection_no_more(backups, planned):
    plan = planned(NIGHTLY)
    backups.later("2d")
    assert _jobs(backups) == []
    chosen = planned.choose(plan, Resources=[TABLE])
    backups.later("2d")
    assert len(_jobs(backups)) == 2
    backups.client.delete_backup_selection(BackupPlanId=plan, SelectionId=chosen)
    backups.later("2d")
    assert len(_jobs(backups)) == 2


def test_a_plan_has_versions_and_the_latest_one_runs(backups, planned, refused):
    client, plan = backups.client, planned(NIGHTLY, select={"Resources": [TABLE]})
    first = client.get_backup_plan(BackupPlanId=plan)
    changed = {**NIGHTLY, "ScheduleExpression": "cron(0 5 * * ? *)", "RuleName": "later"}
    client.update_backup_plan(BackupPlanId=plan, BackupPlan={"BackupPlanName": "new", "Rules": [changed]})
    old = client.get_backup_plan(BackupPlanId=plan, VersionId=first["VersionId"])
    assert old["BackupPlan"] == first["BackupPlan"]
    assert client.get_backup_plan(BackupPlanId=plan)["BackupPlan"]["BackupPlanName"] == "new"
    versions = client.list_backup_plan_versions(BackupPlanId=plan)["BackupPlanVersionsList"]
    assert [one["BackupPlanName"] for one in versions] == ["new", "plan"]
    assert refused(client.get_backup_plan, BackupPlanId=plan, VersionId="none") == "ResourceNotFoundException"
    backups.later("1d")
    assert [job["CreatedBy"]["BackupRuleName"] for job in _jobs(backups)] == ["later"]


def test_a_plan_goes_when_its_selections_have_gone(backups, planned, refused):
    client, plan = backups.client, planned(NIGHTLY, select={"Resources": [TABLE]})
    assert refused(client.delete_backup_plan, BackupPlanId=plan) == "InvalidRequestException"
    (selection,) = client.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]
    client.delete_backup_selection(BackupPlanId=plan, SelectionId=selection["SelectionId"])
    client.delete_backup_plan(BackupPlanId=plan)
    assert client.list_backup_plans()["BackupPlansList"] == []
    (shown,) = client.list_backup_plans(IncludeDeleted=True)["BackupPlansList"]
    assert shown["DeletionDate"] >= shown["CreationDate"]
    assert refused(planned.choose, plan=plan, Resources=[TABLE]) == "InvalidParameterValueException"
    backups.later("2d")
    assert _jobs(backups) == []


def test_the_same_plan_twice_is_refused_but_by_its_request_id(backups, planned, refused):
    document = {"BackupPlanName": "plan", "Rules": [NIGHTLY]}
    create = backups.client.create_backup_plan
    made = create(BackupPlan=document, CreatorRequestId="one")
    assert create(BackupPlan=document, CreatorRequestId="one")["BackupPlanId"] == made["BackupPlanId"]
    assert refused(create, BackupPlan=document) == "AlreadyExistsException"
    create(BackupPlan={**document, "BackupPlanName": "other"})


def test_what_a_rule_leaves_out_has_awss_defaults(backups, planned):
    shown = backups.client.get_backup_plan(
        BackupPlanId=planned({"RuleName": "bare", "TargetBackupVaultName": "Default"}), MaxScheduledRunsPreview=2
    )
    (rule,) = shown["BackupPlan"]["Rules"]
    assert (rule["ScheduleExpression"], rule["ScheduleExpressionTimezone"]) == ("cron(0 5 ? * * *)", "Etc/UTC")
    assert (rule["StartWindowMinutes"], rule["CompletionWindowMinutes"]) == (480, 10080)
    assert [run["ExecutionTime"].astimezone(timezone.utc).hour for run in shown["ScheduledRunsPreview"]] == [5, 5]


@pytest.mark.parametrize(
    "wrong",
    [
        {"StartWindowMinutes": 59},
        {"CompletionWindowMinutes": 100},
        {"Lifecycle": {"MoveToColdStorageAfterDays": 10, "DeleteAfterDays": 99}},
        {"CopyActions": [{"DestinationBackupVaultArn": "arn", "Lifecycle": {"DeleteAfterDays": 0}}]},
        {"ScheduleExpressionTimezone": "Europe/Atlantis"},
    ],
)
def test_a_rule_that_cannot_be_is_refused(planned, refused, wrong):
    assert refused(lambda: planned({**NIGHTLY, **wrong})) == "InvalidParameterValueException"
    assert refused(lambda: planned(NIGHTLY, NIGHTLY)) == "InvalidParameterValueException"
    assert refused(lambda: planned()) == "InvalidParameterValueException"


@pytest.mark.parametrize(
    "spec, expected",
    [
        ({"Resources": [TABLE]}, {"Sales"}),
        ({"Resources": [EVERYTHING]}, {"Sales", "Gold", "Red"}),
        ({"Resources": [EVERYTHING], "NotResources": ["arn:aws:dynamodb:*:*:table/G*"]}, {"Sales", "Red"}),
        ({"Resources": ["arn:aws:s3:::*"]}, {"attachments"}),
        ({"Resources": ["*"]}, {"Sales", "Gold", "Red", "attachments"}),
        (
            {"ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}]},
            {"Gold", "Red"},
        ),
        (
            {
                "Resources": [EVERYTHING],
                "ListOfTags": [
                    {"ConditionType": "STRINGEQUALS", "ConditionKey": "tier", "ConditionValue": "gold"},
                    {"ConditionType": "STRINGEQUALS", "ConditionKey": "tier", "ConditionValue": "none"},
                ],
            },
            {"Gold"},
        ),
        (
            {
                "Resources": ["*"],
                "Conditions": {
                    "StringEquals": [{"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "yes"}],
                    "StringNotEquals": [{"ConditionKey": "aws:ResourceTag/tier", "ConditionValue": "red"}],
                },
            },
            {"Gold"},
        ),
        (
            {
                "Resources": ["*"],
                "Conditions": {"StringLike": [{"ConditionKey": "aws:ResourceTag/tier", "ConditionValue": "r*"}]},
            },
            {"Red"},
        ),
        (
            {
                "Resources": ["*"],
                "Conditions": {"StringNotLike": [{"ConditionKey": "aws:ResourceTag/tier", "ConditionValue": "*"}]},
            },
            {"Sales", "attachments"},
        ),
    ],
)
def test_a_selection_takes_in_what_it_says(backups, world, make, planned, spec, expected):
    for name, tier in (("Gold", "gold"), ("Red", "red")):
        make(name, Tags=[{"Key": "backup", "Value": "yes"}, {"Key": "tier", "Value": tier}])
    s3 = world.client("s3")
    s3.create_bucket(Bucket="attachments")
    s3.put_bucket_versioning(Bucket="attachments", VersioningConfiguration={"Status": "Enabled"})
    planned(NIGHTLY, select=spec)
    backups.later("1d")
    assert {job["ResourceName"] for job in _jobs(backups)} == expected
    assert len(_jobs(backups)) == len(expected)


def test_what_a_region_has_not_opted_in_to_is_taken_only_by_its_arn(backups, planned):
    backups.client.update_region_settings(ResourceTypeOptInPreference={"DynamoDB": False})
    planned(NIGHTLY, name="any", select={"Resources": ["*"]})
    backups.later("1d")
    assert _jobs(backups) == []
    planned(NIGHTLY, name="named", select={"Resources": [EVERYTHING]})
    backups.later("1d")
    assert len(_jobs(backups)) == 1


def test_selections_that_cannot_be_are_refused(backups, planned, refused):
    plan = planned(NIGHTLY)
    wrong = "InvalidParameterValueException"
    assert refused(planned.choose, plan=plan) == wrong
    assert refused(planned.choose, plan=plan, Resources=["Sales"]) == wrong
    assert refused(planned.choose, plan="none", Resources=[TABLE]) == wrong
    bad = {"StringEquals": [{"ConditionKey": "backup", "ConditionValue": "yes"}]}
    assert refused(planned.choose, plan=plan, Resources=["*"], Conditions=bad) == wrong
    assert refused(planned.choose, plan=plan, Resources=["arn:a*"] * 31) == wrong
    assert refused(planned.choose, plan=plan, Resources=[TABLE], IamRoleArn=ROLE + "-none") == wrong
    chosen = planned.choose(plan, Resources=[TABLE])
    assert refused(planned.choose, plan=plan, Resources=[TABLE]) == "AlreadyExistsException"
    shown = backups.client.get_backup_selection(BackupPlanId=plan, SelectionId=chosen)
    assert (shown["BackupSelection"]["Resources"], shown["BackupSelection"]["IamRoleArn"]) == ([TABLE], ROLE)
    assert (
        refused(backups.client.get_backup_selection, BackupPlanId=plan, SelectionId="x") == "ResourceNotFoundException"
    )


def test_a_rule_says_how_long_its_points_stay_and_their_tags(backups, planned):
    backups.advanced()
    planned(
        {**NIGHTLY, "Lifecycle": {"DeleteAfterDays": 2}, "RecoveryPointTags": {"by": "plan"}},
        select={"Resources": [TABLE]},
    )
    backups.later("1d")
    (point,) = backups.points()
    assert backups.client.list_tags(ResourceArn=point["RecoveryPointArn"])["Tags"] == {"by": "plan"}
    backups.later("30d")
    assert len(backups.points()) == 2


def test_a_rule_copies_what_it_made(backups, world, planned):
    backups.advanced()
    far = world.client("backup", region="eu-west-1")
    arn = far.create_backup_vault(BackupVaultName="far")["BackupVaultArn"]
    action = {"DestinationBackupVaultArn": arn, "Lifecycle": {"DeleteAfterDays": 90}}
    planned({**NIGHTLY, "CopyActions": [action]}, select={"Resources": [TABLE]})
    backups.later("1d")
    (point,) = backups.points("far", far)
    assert point["SourceBackupVaultArn"] == backups.vault and point["Lifecycle"] == {"DeleteAfterDays": 90}
    (job,) = backups.client.list_copy_jobs()["CopyJobs"]
    assert (job["State"], job["CreatedByBackupJobId"]) == ("COMPLETED", _jobs(backups)[0]["BackupJobId"])


def test_the_fault_script_reaches_the_jobs_of_a_plan(backups, world, planned):
    world.fault("backup", "StartBackupJob", "job_fails", table="Sales", skip=1, message="no")
    planned(NIGHTLY, select={"Resources": [TABLE]})
    backups.later("3d")
    assert [job["State"] for job in _jobs(backups)] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert [row["principal"] for row in world.ledger(operation="StartBackupJob")] == ["backup.amazonaws.com"] * 3
