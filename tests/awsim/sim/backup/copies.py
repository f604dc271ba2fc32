"""Copy jobs: to another vault, in whatever region and account, by a call or by a plan's rule."""

import uuid

from ..names import Call
from . import lifecycle, points, policies, roles, vaults
from .contents import Failed
from .errors import invalid, refused
from .store import by_token, find_job, fits, given, page, within

DEFAULT_KEY = (
    "Copy job failed because the destination Backup vault is encrypted with the default Backup service managed key. "
    "The contents of this vault cannot be copied. Only the contents of a Backup vault encrypted by an AWS KMS key "
    "may be copied."
)


class Copy:
    """`source`: the recovery point; `by`: the backup job that wanted it, if any."""

    def __init__(self, place, request, source, at, by=None):
        self.id, self.place, self.request = str(uuid.uuid4()).upper(), place, request
        self.source, self.to_arn, self.role = source, request["DestinationBackupVaultArn"], request["IamRoleArn"]
        self.session = roles.session_of(self.role)
        self.lifecycle, self.by = request.get("Lifecycle"), by
        self.created_by = by.created_by if by else None
        self.created, self.completed = round(at, 3), None
        self.state, self.message, self.category, self.outcome = "CREATED", None, None, None
        self.point = None

    def shown(self):
        done = self.state in ("COMPLETED", "PARTIAL")
        return given(
            AccountId=self.place.account,
            CopyJobId=self.id,
            SourceBackupVaultArn=self.source.vault.arn,
            SourceRecoveryPointArn=self.source.arn,
            DestinationBackupVaultArn=self.to_arn,
            DestinationVaultType="BACKUP_VAULT",
            DestinationRecoveryPointArn=self.point.arn if self.point else None,
            DestinationEncryptionKeyArn=self.point.vault.key if self.point else None,
            DestinationRecoveryPointLifecycle=self.lifecycle,
            ResourceArn=self.source.content.arn,
            ResourceName=self.source.content.name,
            ResourceType=self.source.content.kind,
            CreationDate=self.created,
            CompletionDate=self.completed,
            State=self.state,
            StatusMessage=self.message,
            MessageCategory=self.category,
            BackupSizeInBytes=self.source.content.size if done else 0,
            IamRoleArn=self.role,
            CreatedBy=self.created_by,
            CreatedByBackupJobId=self.by.id if self.by else None,
            IsParent=False,
        )


# -- their life ------------------------------------------------------------------------------------


def _begin_life(store, at, job):
    job.source.users += 1
    job.place.copy[job.id] = job
    store.plan(at + store.seconds("backup_start_delay"), _run, job)


def scheduled(store, at, backup, action):
    """The copy that a plan's rule wants of what its backup job made."""
    request = {
        "DestinationBackupVaultArn": action["DestinationBackupVaultArn"],
        "IamRoleArn": backup.role,
    } | ({"Lifecycle": action["Lifecycle"]} if action.get("Lifecycle") else {})
    job, place = Copy(backup.place, request, backup.point, at, backup), backup.place
    call = Call("backup", "StartCopyJob", backup.point.arn, None, place.region, place.account)
    job.outcome = store.app.faults.outcome(call, {backup.name, backup.vault_name, backup.point.arn})
    store.note(place, "backup", "StartCopyJob", backup.point.arn, "made")
    _begin_life(store, at, job)


def _run(store, at, job):
    if job.outcome and job.outcome[0] == "job_expires":
        return
    job.state = "RUNNING"
    try:
        vault = _free(store, job)
    except Failed as fault:
        _end(at, job, "FAILED", fault.message, fault.category)
        return
    place = store.place(vault.account, vault.region)
    content = job.source.content.spoilt(job.outcome)
    arn = place.arn("recovery-point", str(uuid.uuid4()))
    job.point = points.Point(job, vault, arn, content, at, job.source.vault.arn)
    vault.points[arn] = job.point
    if tags := job.place.tags.get(job.source.arn):
        place.tags[arn] = dict(tags)
    store.note(job.place, "backup", "CopyJobStarted", job.id, "changed", job.session)
    store.plan(at + store.seconds("copy_delay"), _complete, job)


def _free(store, job):
    """The vault to copy into, when nothing stands against it; Failed."""
    if job.outcome and job.outcome[0] == "job_fails":
        raise Failed(job.outcome[1])
    roles.work(store, job.place, job.role, "backup:CopyFromBackupVault", job.source.vault.arn)
    if not job.source.managed:
        raise Failed(
            "Copy job failed. The recovery point's resource type does not support copying.", "InvalidParameters"
        )
    vault = vaults.by_arn(store, job.to_arn)
    if vault is None:
        raise Failed(f"Copy job failed. The destination Backup vault does not exist: {job.to_arn}")
    if vault.account != job.place.account:
        if not policies.lets_in(vault.policy, job.place.account, vault.arn, store.now):
            raise Failed(
                "Access denied: the destination vault's policy does not allow backup:CopyIntoBackupVault",
                "AccessDenied",
            )
        if not vault.own_key or not job.source.vault.own_key:
            raise Failed(DEFAULT_KEY)
    if not vault.allows(lifecycle.kept(job.lifecycle)):
        raise Failed(vaults.OUT_OF_RANGE.format("Copy"), "InvalidParameters")
    return vault


def _complete(store, at, job):
    partial = job.outcome is not None and job.outcome[0] == "job_partial"
    points.settle_in(store, at, job.point, "PARTIAL" if partial else "COMPLETED")
    _end(at, job, job.point.status, "Some items were not copied." if partial else None)
    store.note(job.place, "backup", "CopyJobCompleted", job.point.arn, "made", job.session)


def _end(at, job, state, message=None, category=None):
    job.state, job.completed = state, at
    job.message, job.category = message, category or ("SUCCESS" if message is None else "FAILURE")
    job.source.users -= 1


# -- calls -----------------------------------------------------------------------------------------


def start_copy_job(store, call, request):
    place, vault = store.of(call), vaults.find(store, call, request["SourceBackupVaultName"])
    if former := by_token(place.copy, request):
        call.resource, call.effect = former.source.arn, "read"
        return _started(former)
    point = points.in_vault(call, vault, request["RecoveryPointArn"])
    vaults.allowed(store, call, vault, "StartCopyJob")
    vaults.by_arn(store, request["DestinationBackupVaultArn"])  # its form only: the job finds out the rest
    if request["DestinationBackupVaultArn"] == vault.arn:
        raise invalid("The destination Backup vault is the source Backup vault")
    lifecycle.check(request.get("Lifecycle"))
    if point.status not in ("COMPLETED", "PARTIAL"):
        raise refused(f"Recovery point is {point.status}: {point.arn}")
    if point.storage == "COLD":
        raise refused(f"Recovery point is in cold storage: {point.arn}")
    roles.passed(call, request["IamRoleArn"])
    job = Copy(place, request, point, store.now)
    job.outcome, call.effect = call.outcome, "made"
    _begin_life(store, store.now, job)
    return _started(job)


def _started(job):
    return {"CopyJobId": job.id, "CreationDate": round(job.created, 3), "IsParent": False}


def describe_copy_job(store, call, request):
    return {"CopyJob": find_job(store, call, "copy", request["CopyJobId"]).shown()}


def list_copy_jobs(store, call, request):
    found = [
        job
        for job in reversed(store.of(call).copy.values())
        if within(request, job.created, job.completed)
        and fits(
            request,
            ByResourceArn=job.source.content.arn,
            ByState=job.state,
            ByResourceType=job.source.content.kind,
            ByDestinationVaultArn=job.to_arn,
            ByAccountId=job.place.account,
            ByParentJobId=None,
            ByMessageCategory=job.category,
            BySourceRecoveryPointArn=job.source.arn,
        )
    ]
    rows, more = page(found, request, Copy.shown)
    return {"CopyJobs": rows, **more}
