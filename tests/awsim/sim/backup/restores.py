"""Restore jobs: the metadata's rules, and the real table or bucket that comes of them."""

import uuid

from . import points, roles, targets, vaults
from .contents import Failed
from .errors import invalid, not_found, refused
from .store import by_token, find_job, fits, given, page, within


class Restore:
    def __init__(self, place, request, point, metadata, at):
        self.id, self.place, self.request = str(uuid.uuid4()).upper(), place, request
        self.point, self.metadata, self.role = point, metadata, request["IamRoleArn"]
        self.session = roles.session_of(self.role)
        self.created, self.completed = round(at, 3), None
        self.state, self.message, self.outcome = "PENDING", None, None
        self.target = self.made_arn = None

    def shown(self):
        done = self.state == "COMPLETED"
        return given(
            AccountId=self.place.account,
            RestoreJobId=self.id,
            RecoveryPointArn=self.point.arn,
            SourceResourceArn=self.point.content.arn,
            BackupVaultArn=self.point.vault.arn,
            CreationDate=self.created,
            CompletionDate=self.completed,
            Status=self.state,
            StatusMessage=self.message,
            PercentDone="100.00%" if done else "0.00%",
            BackupSizeInBytes=self.point.content.size,
            IamRoleArn=self.role,
            CreatedResourceArn=self.made_arn if done else None,
            ResourceType=self.point.content.kind,
            RecoveryPointCreationDate=self.point.created,
            IsParent=False,
        )


# -- their life ------------------------------------------------------------------------------------


def _run(store, at, job):
    if job.outcome and job.outcome[0] == "job_expires":
        return
    point, delay = job.point, store.seconds("restore_delay")
    job.state = "RUNNING"
    store.note(job.place, "backup", "RestoreStarted", job.id, "changed", job.session)
    try:
        if job.outcome and job.outcome[0] == "job_fails":
            raise Failed(job.outcome[1])
        roles.work(store, job.place, job.role, *targets.writing(job))
        content = point.content.spoilt(job.outcome)
        tags = job.place.tags.get(point.arn, {}) if job.request.get("CopySourceTagsToRestoredResource") else {}
        job.made_arn = targets.make(store, at, job, content, tags)
    except Failed as fault:
        _end(at, job, "FAILED", fault.message)
        return
    store.plan(at + delay, _complete, job)


def _complete(store, at, job):
    job.point.last_restore = at
    _end(at, job, "COMPLETED")
    store.note(job.place, "backup", "RestoreCompleted", job.made_arn, "changed", job.session)


def _end(at, job, state, message=None):
    job.state, job.completed, job.message = state, at, message
    job.point.users -= 1


# -- calls -----------------------------------------------------------------------------------------


def get_recovery_point_restore_metadata(store, call, request):
    point = points.find(store, call, request)
    return {
        "BackupVaultArn": point.vault.arn,
        "RecoveryPointArn": point.arn,
        "RestoreMetadata": targets.metadata_of(point.content),
        "ResourceType": point.content.kind,
    }


def start_restore_job(store, call, request):
    place, arn = store.of(call), request["RecoveryPointArn"]
    call.resource = arn
    if former := by_token(place.restore, request):
        call.effect = "read"
        return {"RestoreJobId": former.id}
    point = points.anywhere(store, call, arn)
    if point is None:
        raise not_found(f"Cannot find Recovery point: {arn}")
    vaults.allowed(store, call, point.vault, "StartRestoreJob")
    if point.status not in ("COMPLETED", "PARTIAL"):
        raise refused(f"Recovery point is {point.status}: {arn}")
    if request.get("ResourceType", point.content.kind) != point.content.kind:
        raise invalid(f"ResourceType does not match the recovery point's: {point.content.kind}")
    if request.get("CopySourceTagsToRestoredResource") and not point.managed:
        raise invalid("CopySourceTagsToRestoredResource is only for recovery points that AWS Backup manages")
    metadata = targets.checked(point.content.kind, request["Metadata"])
    roles.passed(call, request.get("IamRoleArn"))
    job = Restore(place, request, point, metadata, store.now)
    job.outcome, point.users, call.effect = call.outcome, point.users + 1, "made"
    place.restore[job.id] = job
    store.plan(store.now + store.seconds("backup_start_delay"), _run, job)
    return {"RestoreJobId": job.id}


def describe_restore_job(store, call, request):
    return find_job(store, call, "restore", request["RestoreJobId"]).shown()


def get_restore_job_metadata(store, call, request):
    job = find_job(store, call, "restore", request["RestoreJobId"])
    return {"RestoreJobId": job.id, "Metadata": job.request["Metadata"]}


def _listed(store, call, request, more):
    found = [
        job
        for job in reversed(store.of(call).restore.values())
        if within(request, job.created, job.completed)
        and fits(
            request,
            ByAccountId=job.place.account,
            ByResourceType=job.point.content.kind,
            ByStatus=job.state,
            ByRestoreTestingPlanArn=None,
            ByParentJobId=None,
        )
        and more(job)
    ]
    rows, token = page(found, request, Restore.shown)
    return {"RestoreJobs": rows, **token}


def list_restore_jobs(store, call, request):
    return _listed(store, call, request, lambda job: True)


def list_restore_jobs_by_protected_resource(store, call, request):
    def wanted(job):
        return job.point.content.arn == request["ResourceArn"] and fits(
            request,
            ByRecoveryPointCreationDateAfter=lambda at: job.point.created > at,
            ByRecoveryPointCreationDateBefore=lambda at: job.point.created < at,
        )

    return _listed(store, call, request, wanted)
