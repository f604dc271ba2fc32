"""Vaults: create, describe, list, delete; their access policy; Vault Lock in both modes, on the simulated clock."""

import uuid

from . import policies
from .errors import BackupError, invalid, not_found, refused
from .store import fits, given, page

DAY = 86400.0
COOLING_OFF, FOREVER = 3, 36500
OUT_OF_RANGE = (
    "{} job failed. The retention specified in the job is not within the range specified for the target Backup Vault."
)
LOCKED = "RecoveryPoint cannot be deleted or updated (Backup vault configured with Lock)"


class Vault:
    def __init__(self, place, name, now, request):
        self.name = self.id = name
        self.account, self.region = place.account, place.region
        self.arn, self.created = place.arn("backup-vault", name), now
        self.own_key = request.get("EncryptionKeyArn")
        managed = uuid.uuid5(uuid.NAMESPACE_DNS, f"aws/backup.{place.account}.{place.region}")
        self.key = self.own_key or f"arn:aws:kms:{place.region}:{place.account}:key/{managed}"
        self.request_id, self.policy = request.get("CreatorRequestId"), None
        self.points = {}
        self.lock, self.lock_date = None, None  # (least, most) days of retention; when it can no longer be undone

    def immutable(self, now):
        return self.lock is not None and self.lock_date is not None and now >= self.lock_date

    def allows(self, days):
        """Whether a recovery point that is kept so many days (None: forever) may come in."""
        least, most = self.lock or (None, None)
        return (least is None or days is None or days >= least) and (
            most is None or (days is not None and days <= most)
        )

    def shown(self):
        least, most = self.lock or (None, None)
        return given(
            BackupVaultName=self.name,
            BackupVaultArn=self.arn,
            VaultType="BACKUP_VAULT",
            VaultState="AVAILABLE",
            EncryptionKeyArn=self.key,
            EncryptionKeyType="CUSTOMER_MANAGED_KMS_KEY" if self.own_key else "AWS_OWNED_KMS_KEY",
            CreationDate=self.created,
            CreatorRequestId=self.request_id,
            NumberOfRecoveryPoints=len(self.points),
            Locked=self.lock is not None,
            MinRetentionDays=least,
            MaxRetentionDays=most,
            LockDate=self.lock_date,
        )


def find(store, call, name):
    """The caller's vault."""
    found = store.of(call).vaults.get(name)
    if found is None:
        raise not_found(f"Failed reading Backup vault with provided name: {name}")
    return found


def allowed(store, call, vault, action):
    """Refuses what the vault's access policy denies to the caller."""
    if policies.denies(vault.policy, call, f"backup:{action}", vault.arn, store.now):
        raise BackupError(
            "AccessDeniedException",
            f"User: {call.principal} is not authorized to perform: backup:{action} on resource: {vault.arn} "
            "with an explicit deny in a resource-based policy",
        )


def create_backup_vault(store, call, request):
    place, name = store.of(call), request["BackupVaultName"]
    call.resource = name
    former = place.vaults.get(name)
    if former and former.request_id and former.request_id == request.get("CreatorRequestId"):
        call.effect = "read"
        return _made(former)
    if former:
        raise BackupError(
            "AlreadyExistsException",
            "Backup vault with the same name already exists",
            CreatorRequestId=former.request_id or "",
            Arn=former.arn,
        )
    vault = place.vaults[name] = Vault(place, name, store.now, request)
    if request.get("BackupVaultTags"):
        place.tags[vault.arn] = dict(request["BackupVaultTags"])
    return _made(vault)


def _made(vault):
    return {name: vault.shown()[name] for name in ("BackupVaultName", "BackupVaultArn", "CreationDate")}


def describe_backup_vault(store, call, request):
    return find(store, call, request["BackupVaultName"]).shown()


def list_backup_vaults(store, call, request):
    found = [
        vault
        for _, vault in sorted(store.of(call).vaults.items())
        if fits(request, ByVaultType="BACKUP_VAULT", ByShared=False)
    ]
    rows, more = page(found, request, Vault.shown)
    return {"BackupVaultList": rows, **more}


def delete_backup_vault(store, call, request):
    vault = find(store, call, request["BackupVaultName"])
    allowed(store, call, vault, "DeleteBackupVault")
    if vault.points:
        raise refused("Backup vault cannot be deleted because it contains recovery points.")
    place = store.of(call)
    del place.vaults[vault.name]
    place.tags.pop(vault.arn, None)


# -- access policy ---------------------------------------------------------------------------------


def put_backup_vault_access_policy(store, call, request):
    vault = find(store, call, request["BackupVaultName"])
    allowed(store, call, vault, "PutBackupVaultAccessPolicy")
    text = request.get("Policy")
    if text is None:
        vault.policy = None
        return
    if fault := policies.fault_in(text):
        raise invalid(f"Provided policy is not valid: {fault}")
    vault.policy = text


def get_backup_vault_access_policy(store, call, request):
    vault = find(store, call, request["BackupVaultName"])
    if vault.policy is None:
        raise not_found(f"The specified vault has no access policy: {vault.name}")
    return {"BackupVaultName": vault.name, "BackupVaultArn": vault.arn, "Policy": vault.policy}


def delete_backup_vault_access_policy(store, call, request):
    vault = find(store, call, request["BackupVaultName"])
    allowed(store, call, vault, "DeleteBackupVaultAccessPolicy")
    vault.policy = None


# -- lock ------------------------------------------------------------------------------------------


def put_backup_vault_lock_configuration(store, call, request):
    vault = find(store, call, request["BackupVaultName"])
    least, most = request.get("MinRetentionDays"), request.get("MaxRetentionDays")
    changeable = request.get("ChangeableForDays")
    for name, days, lowest in (
        ("MinRetentionDays", least, 1),
        ("MaxRetentionDays", most, 1),
        ("ChangeableForDays", changeable, COOLING_OFF),
    ):
        if days is not None and not lowest <= days <= FOREVER:
            raise invalid(f"{name} must be between {lowest} and {FOREVER} days")
    if least is not None and most is not None and least > most:
        raise invalid("MinRetentionDays cannot be greater than MaxRetentionDays")
    _still_changeable(store, vault)
    vault.lock = (least, most)
    vault.lock_date = None if changeable is None else store.now + changeable * DAY


def delete_backup_vault_lock_configuration(store, call, request):
    vault = find(store, call, request["BackupVaultName"])
    _still_changeable(store, vault)
    vault.lock = vault.lock_date = None


def _still_changeable(store, vault):
    if vault.immutable(store.now):
        raise refused("Vault Lock configuration is immutable: its lock date has passed")


def by_arn(store, arn):
    """The vault that an ARN names, in whatever account and region; None when there is none."""
    parts = arn.split(":")
    if len(parts) != 7 or parts[:3] != ["arn", "aws", "backup"] or parts[5] != "backup-vault":
        raise invalid(f"Invalid backup vault ARN: {arn}")
    place = store.places.get((parts[4], parts[3]))
    return place.vaults.get(parts[6]) if place else None
