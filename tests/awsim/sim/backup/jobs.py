"""Backup jobs: asked for by a call or by a plan's rule, and how they move through their states."""

import uuid

from ..names import Call
from . import contents, copies, documents, lifecycle, points, roles, vaults
from .contents import Failed, Unready
from .errors import invalid, not_found, refused
from .store import by_token, find_job, fits, given, page, within

DAY, MINUTE, RETRY = 86400.0, 60.0, 600.0
LISTED = 30 * DAY
LONGEST_WINDOW = 52560000  # minutes: 100 years
WAITING = ("CREATED", "PENDING")


class Job:
    """`outcome`: how the fault script wants it to end, (kind, message) or None."""

    def __init__(self, place, request, at, created_by=None):
        self.id, self.place, self.request = str(uuid.uuid4()).upper(), place, request
        self.vault_name, self.arn = request["BackupVaultName"], request["ResourceArn"]
        self.kind, self.name = contents.kind_of(self.arn), contents.name_of(self.arn)
        self.role, self.lifecycle = request["IamRoleArn"], request.get("Lifecycle")
        self.session = roles.session_of(self.role)
        self.created, self.completed, self.created_by = round(at, 3), None, created_by
        start = request.get("StartWindowMinutes") or documents.START_WINDOW
        self.start_by = at + start * MINUTE
        self.complete_by = at + (request.get("CompleteWindowMinutes") or documents.COMPLETION_WINDOW) * MINUTE
        self.state, self.message, self.category = "CREATED", None, None
        self.point, self.outcome, self.copy_actions = None, None, ()
        self.ends = None
        managed = self.kind == "S3" or place.managed.get(self.kind)
        self.point_arn = self._own_arn() if managed else None

    def _own_arn(self):
        part = str(uuid.uuid4())
        return self.place.arn("recovery-point", f"{self.name}-{part[:8]}" if self.kind == "S3" else part)

    def shown(self, now):
        done = self.state in ("COMPLETED", "PARTIAL")
        vault = self.place.vaults.get(self.vault_name)
        size = self.point.content.size if self.point and done else 0
        return given(
            AccountId=self.place.account,
            BackupJobId=self.id,
            BackupVaultName=self.vault_name,
            BackupVaultArn=self.place.arn("backup-vault", self.vault_name),
            VaultType="BACKUP_VAULT",
            VaultLockState="LOCKED" if vault and vault.lock else "UNLOCKED",
            RecoveryPointArn=self.point_arn,
            RecoveryPointLifecycle=self.lifecycle,
            EncryptionKeyArn=self.point.vault.key if self.point and self.point.managed else None,
            IsEncrypted=True,
            ResourceArn=self.arn,
            ResourceName=self.name,
            ResourceType=self.kind,
            CreationDate=self.created,
            InitiationDate=self.created,
            CompletionDate=self.completed,
            State=self.state,
            StatusMessage=self.message,
            MessageCategory=self.category,
            PercentDone="100.0" if done else f"{self._percent(now):.1f}",
            BackupSizeInBytes=size,
            BytesTransferred=size,
            IamRoleArn=self.role,
            CreatedBy=self.created_by,
            ExpectedCompletionDate=self.ends if self.state == "RUNNING" else None,
            StartBy=self.start_by,
            BackupOptions=self.request.get("BackupOptions"),
            IsParent=False,
        )

    def _percent(self, now):
        if self.state != "RUNNING" or not self.ends:
            return 0.0
        return max(0.0, 99.9 - 100.0 * (self.ends - now) / max(self.ends - self.created, 1.0))

    def end(self, at, state, message=None, category=None):
        self.state, self.completed = state, at
        self.message, self.category = message, category or ("SUCCESS" if message is None else "FAILURE")


# -- their life ------------------------------------------------------------------------------------


def _begin_life(store, at, job):
    delay = store.seconds("backup_start_delay")
    job.place.backup[job.id] = job
    store.plan(at + delay / 2, _pend, job)
    store.plan(at + delay, _run, job)
    store.plan(job.start_by, _expire, job, WAITING, "Backup job expired before starting.")
    store.plan(job.complete_by, _expire, job, ("RUNNING",), "Backup job expired before completion.")


def scheduled(store, at, plan, rule, selection, arn):
    """The job of a plan's rule for one resource; the fault script sees it as a StartBackupJob of AWS Backup."""
    place, version = plan.place, plan.created_by(rule)
    request = {
        "BackupVaultName": rule["TargetBackupVaultName"],
        "ResourceArn": arn,
        "IamRoleArn": selection.role,
        "StartWindowMinutes": rule["StartWindowMinutes"],
        "CompleteWindowMinutes": rule["CompletionWindowMinutes"],
        "RecoveryPointTags": rule.get("RecoveryPointTags", {}),
    } | ({"Lifecycle": rule["Lifecycle"]} if rule.get("Lifecycle") else {})
    job = Job(place, request, at, version)
    job.copy_actions = tuple(rule.get("CopyActions", ()))
    call = Call("backup", "StartBackupJob", job.name, None, place.region, place.account)
    job.outcome = store.app.faults.outcome(call, {job.name, job.vault_name})
    store.note(place, "backup", "StartBackupJob", job.name, "made")
    _begin_life(store, at, job)


def _pend(_store, _at, job):
    if job.state == "CREATED":
        job.state = "PENDING"


def _run(store, at, job):
    if job.state not in WAITING or (job.outcome and job.outcome[0] == "job_expires"):
        return
    delay = store.seconds("backup_delay")
    try:
        vault = _free(store, job)
        content = contents.take(store, job.place, job.arn, at, delay)
    except Unready:
        store.plan(at + RETRY, _run, job)
        return
    except Failed as fault:
        job.end(at, "FAILED", fault.message, fault.category)
        return
    content = content.spoilt(job.outcome)
    job.point_arn = content.own_arn or job.point_arn or job._own_arn()
    job.point = points.Point(job, vault, job.point_arn, content, job.created)
    vault.points[job.point_arn] = job.point
    tags = {**content.tags, **job.request.get("RecoveryPointTags", {})}
    if tags and job.point.managed:
        job.place.tags[job.point_arn] = tags
    job.state, job.ends = "RUNNING", at + delay
    store.note(job.place, "backup", "BackupJobStarted", job.id, "changed", job.session)
    store.plan(job.ends, _complete, job)


def _free(store, job):
    """The vault, when nothing stands against the job; Failed."""
    if job.outcome and job.outcome[0] == "job_fails":
        raise Failed(job.outcome[1])
    roles.work(store, job.place, job.role, *contents.reading(job.place, job.arn))
    vault = job.place.vaults.get(job.vault_name)
    if vault is None:
        raise Failed(f"Failed reading Backup vault with provided name: {job.vault_name}")
    if not vault.allows(lifecycle.kept(job.lifecycle)):
        raise Failed(vaults.OUT_OF_RANGE.format("Backup"), "InvalidParameters")
    others = (one for one in job.place.backup.values() if one.arn == job.arn and one is not job)
    if any(one.state == "RUNNING" for one in others):
        raise Failed("Backup job failed because there was a running job for the same resource.")
    return vault


def _complete(store, at, job):
    if job.state != "RUNNING":
        return
    partial = job.outcome is not None and job.outcome[0] == "job_partial"
    points.settle_in(store, at, job.point, "PARTIAL" if partial else "COMPLETED")
    job.end(at, job.point.status, "Some items were not backed up." if partial else None)
    store.note(job.place, "backup", "BackupJobCompleted", job.point_arn, "made", job.session)
    if not partial:
        for action in job.copy_actions:
            copies.scheduled(store, at, job, action)


def _expire(store, at, job, states, message):
    if job.state in states:
        _end_without(store, at, job, "EXPIRED", message)


def _abort(store, at, job):
    if job.state == "ABORTING":
        _end_without(store, at, job, "ABORTED", "Backup job was stopped by user.")


def _end_without(store, at, job, state, message):
    """The job ends, and leaves no recovery point."""
    if job.point and job.point.vault.points.get(job.point_arn) is job.point:
        points.discard(store, job.place, job.point)
    job.point = None
    job.end(at, state, message)


# -- calls -----------------------------------------------------------------------------------------


def _check(store, call, request):
    arn, place = request["ResourceArn"], store.of(call)
    kind = contents.kind_of(arn)
    if kind is None:
        raise invalid(f"Unsupported resource type or invalid ARN: {arn}")
    if kind == "DynamoDB" and arn.split(":")[3:5] != [place.region, place.account]:
        raise invalid(f"The resource is not of this account and Region: {arn}")
    if not contents.exists(store, place, arn):
        raise not_found(f"The resource does not exist: {arn}")
    if not place.opt_in.get(kind):
        raise refused(f"Resource type {kind} is not opted in to in this Region")
    documents.check_windows(request.get("StartWindowMinutes"), request.get("CompleteWindowMinutes"))
    for name in ("StartWindowMinutes", "CompleteWindowMinutes"):
        if request.get(name, 0) > LONGEST_WINDOW:
            raise invalid(f"{name} cannot be more than {LONGEST_WINDOW}")
    lifecycle.check(request.get("Lifecycle"))
    if "LogicallyAirGappedBackupVaultArn" in request or request.get("Index") == "ENABLED":
        raise invalid("awsim has neither logically air-gapped vaults nor indexes")


def start_backup_job(store, call, request):
    place = store.of(call)
    vault = vaults.find(store, call, request["BackupVaultName"])
    call.resource = contents.name_of(request["ResourceArn"])
    if former := by_token(place.backup, request):
        call.effect = "read"
        return _started(former)
    vaults.allowed(store, call, vault, "StartBackupJob")
    _check(store, call, request)
    roles.passed(call, request["IamRoleArn"])
    job = Job(place, request, store.now)
    job.outcome, call.effect = call.outcome, "made"
    _begin_life(store, store.now, job)
    return _started(job)


def _started(job):
    shown = {"BackupJobId": job.id, "CreationDate": round(job.created, 3), "IsParent": False}
    return shown | ({"RecoveryPointArn": job.point_arn} if job.kind == "DynamoDB" and job.point_arn else {})


def describe_backup_job(store, call, request):
    return find_job(store, call, "backup", request["BackupJobId"]).shown(store.now)


def stop_backup_job(store, call, request):
    job = find_job(store, call, "backup", request["BackupJobId"])
    if job.state not in (*WAITING, "RUNNING"):
        raise refused(f"Backup job cannot be stopped in the state {job.state}")
    job.state = "ABORTING"
    store.plan(store.now + store.seconds("backup_start_delay"), _abort, job)


def list_backup_jobs(store, call, request):
    found = [
        job
        for job in reversed(store.of(call).backup.values())
        if job.created >= store.now - LISTED
        and within(request, job.created, job.completed)
        and fits(
            request,
            ByResourceArn=job.arn,
            ByState=job.state,
            ByBackupVaultName=job.vault_name,
            ByResourceType=job.kind,
            ByAccountId=job.place.account,
            ByParentJobId=None,
            ByMessageCategory=job.category,
        )
    ]
    rows, more = page(found, request, lambda job: job.shown(store.now))
    return {"BackupJobs": rows, **more}
