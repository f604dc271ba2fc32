"""A backup plan: its document in versions, its rules, and what a rule must be."""

import base64
import uuid

from . import lifecycle
from .cron import Cron
from .errors import BackupError, invalid, not_found
from .store import given

SCHEDULE, ZONE = "cron(0 5 ? * * *)", "Etc/UTC"
START_WINDOW, COMPLETION_WINDOW, SHORTEST = 480, 10080, 60  # minutes
HOUR = 3600.0
PREVIEWED = 50  # occurrences of a schedule that are looked at for its frequency
NAME_LENGTH = 50


class Version:
    """A plan's document as it was made or changed; `at` is when."""

    def __init__(self, plan, document, now):
        self.id = base64.b64encode(str(uuid.uuid4()).encode()).decode()
        self.plan, self.at = plan, now
        self.document = {**document, "Rules": [_complete(rule) for rule in document["Rules"]]}

    def shown(self):
        plan = self.plan
        return given(
            BackupPlanArn=plan.arn,
            BackupPlanId=plan.id,
            CreationDate=self.at,
            DeletionDate=plan.deleted,
            VersionId=self.id,
            BackupPlanName=self.document["BackupPlanName"],
            CreatorRequestId=plan.request_id,
            LastExecutionDate=plan.last_execution,
            AdvancedBackupSettings=self.document.get("AdvancedBackupSettings"),
        )


class Plan:
    def __init__(self, place, request, now):
        self.id, self.place = str(uuid.uuid4()), place
        self.arn = place.arn("backup-plan", self.id)
        self.request_id = request.get("CreatorRequestId")
        self.deleted, self.last_execution, self.selections = None, None, {}
        self.given, self.versions = None, []
        self.renew(request["BackupPlan"], now)

    def renew(self, document, now):
        self.given = document
        self.versions.append(Version(self, document, now))

    @property
    def current(self):
        return self.versions[-1]

    def rule(self, rule_id):
        """The rule of the plan as it is now, None once it is gone."""
        rules = [] if self.deleted else self.current.document["Rules"]
        return next((rule for rule in rules if rule["RuleId"] == rule_id), None)

    def created_by(self, rule):
        return {
            "BackupPlanId": self.id,
            "BackupPlanArn": self.arn,
            "BackupPlanName": self.current.document["BackupPlanName"],
            "BackupPlanVersion": self.current.id,
            "BackupRuleId": rule["RuleId"],
            "BackupRuleName": rule["RuleName"],
            "BackupRuleCron": rule["ScheduleExpression"],
            "BackupRuleTimezone": rule["ScheduleExpressionTimezone"],
        }


def _complete(rule):
    return {
        "ScheduleExpression": SCHEDULE,
        "ScheduleExpressionTimezone": ZONE,
        "StartWindowMinutes": START_WINDOW,
        "CompletionWindowMinutes": COMPLETION_WINDOW,
        **rule,
        "RuleId": str(uuid.uuid4()),
    }


def schedule(rule):
    try:
        return Cron(rule["ScheduleExpression"], rule["ScheduleExpressionTimezone"])
    except ValueError as fault:
        raise invalid(f"Error in some rules due to : Invalid schedule expression. {fault}") from None


def check(document, now):
    if not 1 <= len(document["BackupPlanName"]) <= NAME_LENGTH:
        raise invalid("BackupPlanName must have 1 to 50 characters")
    if not document["Rules"]:
        raise invalid("A backup plan must have at least one rule")
    names = [rule["RuleName"] for rule in document["Rules"]]
    if len(set(names)) != len(names):
        raise invalid("Error in some rules due to : Duplicate rule name")
    for rule in document["Rules"]:
        _check_rule(_complete(rule), now)


def _check_rule(rule, now):
    if rule.get("EnableContinuousBackup"):
        raise BackupError("UnknownOperationException", "awsim has no continuous backups")
    start, complete = rule["StartWindowMinutes"], rule["CompletionWindowMinutes"]
    check_windows(start, complete)
    lifecycle.check(rule.get("Lifecycle"))
    for action in rule.get("CopyActions", ()):
        lifecycle.check(action.get("Lifecycle"))
    cron, before = schedule(rule), None
    at = cron.after(now)
    for _ in range(PREVIEWED):
        if at is None:
            break
        if before is not None and at - before < HOUR:
            raise invalid("Error in some rules due to : Invalid schedule expression. It is more frequent than hourly")
        at, before = cron.after(at), at


def check_windows(start, complete):
    if start is not None and start < SHORTEST:
        raise invalid(f"StartWindowMinutes must be at least {SHORTEST}")
    if complete is not None and complete < (start or START_WINDOW) + SHORTEST:
        raise invalid(f"CompletionWindowMinutes must be at least StartWindowMinutes and {SHORTEST} more")


def find(store, call, plan_id, version_id=None):
    plan = store.of(call).plans.get(plan_id)
    versions = plan.versions if plan else []
    found = [one for one in versions if version_id in (None, one.id)]
    if not found:
        raise not_found("Failed reading Backup plan with provided version")
    call.resource = plan_id
    return plan, found[-1]
