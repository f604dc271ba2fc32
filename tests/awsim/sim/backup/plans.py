"""The calls about plans and their versions."""

from .documents import Plan, Version, check, find, schedule
from .errors import BackupError, not_found, refused
from .schedules import arm
from .store import page


def create_backup_plan(store, call, request):
    place, document = store.of(call), request["BackupPlan"]
    check(document, store.now)
    alive = [plan for plan in place.plans.values() if not plan.deleted]
    token = request.get("CreatorRequestId")
    former = next((plan for plan in alive if token and plan.request_id == token), None)
    if former:
        call.resource, call.effect = former.id, "read"
        return _made(former)
    same = next((plan for plan in alive if plan.given == document), None)
    if same:
        raise BackupError(
            "AlreadyExistsException",
            "Backup plan with the same plan document already exists",
            Arn=same.arn,
            CreatorRequestId=same.request_id or "",
        )
    plan = Plan(place, request, store.now)
    place.plans[plan.id] = plan
    call.resource = plan.id
    if request.get("BackupPlanTags"):
        place.tags[plan.arn] = dict(request["BackupPlanTags"])
    arm(store, plan)
    return _made(plan)


def _made(plan):
    shown = plan.current.shown()
    names = ("BackupPlanId", "BackupPlanArn", "CreationDate", "VersionId", "AdvancedBackupSettings")
    return {name: shown[name] for name in names if name in shown}


def get_backup_plan(store, call, request):
    plan, version = find(store, call, request["BackupPlanId"], request.get("VersionId"))
    shown = version.shown()
    shown.pop("BackupPlanName")
    if count := request.get("MaxScheduledRunsPreview"):
        shown["ScheduledRunsPreview"] = _preview(store, version, count)
    return {"BackupPlan": version.document, **shown}


def _preview(store, version, count):
    runs = []
    for rule in version.document["Rules"]:
        at = schedule(rule).after(store.now)
        while at is not None and len([run for run in runs if run["RuleId"] == rule["RuleId"]]) < count:
            runs.append({"ExecutionTime": at, "RuleId": rule["RuleId"], "RuleExecutionType": "SNAPSHOTS"})
            at = schedule(rule).after(at)
    return sorted(runs, key=lambda run: run["ExecutionTime"])[:count]


def update_backup_plan(store, call, request):
    plan, _ = find(store, call, request["BackupPlanId"])
    if plan.deleted:
        raise not_found("Failed reading Backup plan with provided version")
    check(request["BackupPlan"], store.now)
    plan.renew(request["BackupPlan"], store.now)
    arm(store, plan)
    return _made(plan)


def delete_backup_plan(store, call, request):
    plan, _ = find(store, call, request["BackupPlanId"])
    if plan.selections:
        raise refused("Related backup plan selections must be deleted prior to backup plan deletion")
    plan.deleted = plan.deleted or store.now
    shown = plan.current.shown()
    return {name: shown[name] for name in ("BackupPlanId", "BackupPlanArn", "DeletionDate", "VersionId")}


def list_backup_plans(store, call, request):
    with_deleted = request.get("IncludeDeleted", False)
    found = [plan for plan in store.of(call).plans.values() if with_deleted or not plan.deleted]
    rows, more = page(found[::-1], request, lambda plan: plan.current.shown())
    return {"BackupPlansList": rows, **more}


def list_backup_plan_versions(store, call, request):
    plan, _ = find(store, call, request["BackupPlanId"])
    rows, more = page(plan.versions[::-1], request, Version.shown)
    return {"BackupPlanVersionsList": rows, **more}
