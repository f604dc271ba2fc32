"""Recovery points: what they show, how they age on the simulated clock, how they go."""

from . import contents, lifecycle, vaults
from .errors import BackupError, invalid, not_found, refused
from .store import fits, given, page

MANAGED = "arn:aws:backup:"
BUSY = ("CREATING", "DELETING")


class Point:
    """`job` made it, by backup or by copy. It is in `vault.points` as long as it is there at all."""

    def __init__(self, job, vault, arn, content, at, source_vault_arn=None):
        self.arn = self.id = arn
        self.vault, self.content, self.role = vault, content, job.role
        self.created, self.completed, self.status = round(at, 3), None, "CREATING"
        self.lifecycle, self.created_by = job.lifecycle, job.created_by
        self.source_vault_arn, self.message = source_vault_arn, None
        self.storage, self.last_restore, self.users = "WARM", None, 0

    @property
    def managed(self):
        """Whether AWS Backup keeps it itself, and not DynamoDB."""
        return self.arn.startswith(MANAGED)

    @property
    def can_be_cold(self):
        return self.managed and self.content.kind == "DynamoDB"

    def ages(self):
        return lifecycle.calculated(self.lifecycle, self.created, self.can_be_cold)

    def row(self):
        return given(
            RecoveryPointArn=self.arn,
            BackupVaultName=self.vault.name,
            BackupVaultArn=self.vault.arn,
            SourceBackupVaultArn=self.source_vault_arn,
            ResourceArn=self.content.arn,
            ResourceType=self.content.kind,
            ResourceName=self.content.name,
            CreatedBy=self.created_by,
            IamRoleArn=self.role,
            Status=self.status,
            StatusMessage=self.message,
            CreationDate=self.created,
            InitiationDate=self.created,
            CompletionDate=self.completed,
            BackupSizeInBytes=self.content.size if self.completed else 0,
            CalculatedLifecycle=self.ages() or None,
            Lifecycle=self.lifecycle,
            EncryptionKeyArn=self.vault.key if self.managed else None,
            IsEncrypted=True,
            LastRestoreTime=self.last_restore,
            IsParent=False,
            VaultType="BACKUP_VAULT",
        )

    def shown(self):
        return {**self.row(), "StorageClass": self.storage}

    def of_resource(self):
        return given(
            RecoveryPointArn=self.arn,
            CreationDate=self.created,
            Status=self.status,
            EncryptionKeyArn=self.vault.key if self.managed else None,
            BackupSizeBytes=self.content.size if self.completed else 0,
            BackupVaultName=self.vault.name,
            IsParent=False,
            ResourceName=self.content.name,
            VaultType="BACKUP_VAULT",
        )


# -- their life ------------------------------------------------------------------------------------


def settle_in(store, at, point, status):
    """The job is done: the point can be used, and ages from now on."""
    point.completed, point.status = at, status
    _plan_ageing(store, point)


def _plan_ageing(store, point):
    for at in point.ages().values():
        store.plan(at, _age, point)


def _age(store, at, point):
    """Also in a locked vault: what the lifecycle says happens."""
    if point.vault.points.get(point.arn) is not point:
        return
    ages, place = point.ages(), store.place(point.vault.account, point.vault.region)
    if "MoveToColdStorageAt" in ages and at >= ages["MoveToColdStorageAt"] and point.storage == "WARM":
        point.storage = "COLD"
        store.note(place, "backup", "BackupTransitionedToCold", point.arn, "changed")
    if "DeleteAt" in ages and at >= ages["DeleteAt"]:
        _gone(store, at, point)


def _gone(store, _at, point):
    if point.vault.points.get(point.arn) is not point:
        return
    place = store.place(point.vault.account, point.vault.region)
    discard(store, place, point)
    store.note(place, "backup", "BackupDeleted", point.arn, "deleted")


def discard(store, place, point):
    del point.vault.points[point.arn]
    place.tags.pop(point.arn, None)
    contents.drop(store, place, point.content)


# -- calls -----------------------------------------------------------------------------------------


def find(store, call, request):
    """The point of the caller's vault."""
    vault = vaults.find(store, call, request["BackupVaultName"])
    return in_vault(call, vault, request["RecoveryPointArn"])


def in_vault(call, vault, arn):
    call.resource = arn
    point = vault.points.get(arn)
    if point is None:
        raise not_found(f"Cannot find Recovery point: {arn}")
    return point


def describe_recovery_point(store, call, request):
    return find(store, call, request).shown()


def _everywhere(store, call):
    """Of all vaults of the caller's account and region, the newest first."""
    found = [point for vault in store.of(call).vaults.values() for point in vault.points.values()]
    return sorted(found, key=lambda point: (-point.created, point.arn))


def anywhere(store, call, arn):
    """The point of any vault of the caller's account and region; None."""
    return next((point for point in _everywhere(store, call) if point.arn == arn), None)


def list_recovery_points_by_backup_vault(store, call, request):
    vault = vaults.find(store, call, request["BackupVaultName"])
    found = [
        point
        for point in _everywhere(store, call)
        if point.vault is vault
        and fits(
            request,
            ByResourceArn=point.content.arn,
            ByResourceType=point.content.kind,
            ByBackupPlanId=(point.created_by or {}).get("BackupPlanId"),
            ByCreatedBefore=lambda at, created=point.created: created < at,
            ByCreatedAfter=lambda at, created=point.created: created > at,
            ByParentRecoveryPointArn=None,
        )
    ]
    rows, more = page(found, request, Point.row)
    return {"RecoveryPoints": rows, **more}


def list_recovery_points_by_resource(store, call, request):
    arn, managed = request["ResourceArn"], request.get("ManagedByAWSBackupOnly", False)
    found = [point for point in _everywhere(store, call) if point.content.arn == arn and (point.managed or not managed)]
    rows, more = page(found, request, Point.of_resource)
    return {"RecoveryPoints": rows, **more}


def _unlocked(vault):
    if vault.lock is not None:
        raise refused(vaults.LOCKED)


def delete_recovery_point(store, call, request):
    point = find(store, call, request)
    vaults.allowed(store, call, point.vault, "DeleteRecoveryPoint")
    _unlocked(point.vault)
    if point.status in BUSY:
        raise BackupError(
            "InvalidResourceStateException", f"Recovery point is {point.status}: {point.arn}", Context=point.status
        )
    if point.users:
        raise refused(f"Recovery point is being restored or copied: {point.arn}")
    point.status = "DELETING"
    store.plan(store.now + store.seconds("table_update_delay"), _gone, point)


def update_recovery_point_lifecycle(store, call, request):
    point, wanted = find(store, call, request), request.get("Lifecycle", {})
    vaults.allowed(store, call, point.vault, "UpdateRecoveryPointLifecycle")
    _unlocked(point.vault)
    lifecycle.check(wanted)
    if point.status in BUSY:
        raise refused(f"Recovery point is {point.status}: {point.arn}")
    if point.storage == "COLD" and lifecycle.cold_after(wanted) != lifecycle.cold_after(point.lifecycle):
        raise invalid("Invalid lifecycle. The recovery point has been moved to cold storage")
    point.lifecycle = {name: days for name, days in wanted.items() if days != lifecycle.NEVER} or None
    _plan_ageing(store, point)
    return given(
        BackupVaultArn=point.vault.arn,
        RecoveryPointArn=point.arn,
        Lifecycle=wanted,
        CalculatedLifecycle=point.ages(),
    )


def disassociate_recovery_point(store, call, request):
    point = find(store, call, request)
    raise invalid(f"Recovery point is not of a continuous backup: {point.arn}")
