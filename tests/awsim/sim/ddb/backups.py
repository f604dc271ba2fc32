"""On-demand backups, and the one that AWS makes itself when a table with PITR is deleted."""

import uuid

from .errors import DdbError, invalid
from .pitr import DAY, table_of
from .restores import Snapshot, restore
from .settings import describe_ttl
from .tables import describe

SYSTEM_DAYS = 35
DETAILS = ("TableName", "TableId", "TableArn", "KeySchema", "ProvisionedThroughput", "OnDemandThroughput")
FEATURES = ("LocalSecondaryIndexes", "GlobalSecondaryIndexes", "SSEDescription")
INDEX_MEMBERS = ("IndexName", "KeySchema", "Projection", "ProvisionedThroughput", "OnDemandThroughput")


class Backup:
    """The table as it was when the backup was asked for; `ready` is when CREATING ends."""

    def __init__(self, store, table, name, kind, delay):
        now = store.clock.now()
        self.name, self.kind, self.created, self.ready = name, kind, now, now + delay
        self.arn = f"{table.arn}/backup/{int(now * 1000):014d}-{uuid.uuid4().hex[:8]}"
        self.expires = now + SYSTEM_DAYS * DAY if kind == "SYSTEM" else None
        self.snapshot, self.shown = Snapshot(table), describe(store, table)
        self.ttl, self.busy_until = describe_ttl(store, table), now  # while a table is restored from it

    def details(self, now, deleted=False):
        shown = {
            "BackupArn": self.arn,
            "BackupName": self.name,
            "BackupSizeBytes": self.snapshot.bytes if now >= self.ready else 0,
            "BackupStatus": "DELETED" if deleted else "AVAILABLE" if now >= self.ready else "CREATING",
            "BackupType": self.kind,
            "BackupCreationDateTime": round(self.created, 3),
        }
        return shown | ({"BackupExpiryDateTime": round(self.expires, 3)} if self.expires else {})

    def description(self, now, deleted=False):
        source = {name: self.shown[name] for name in DETAILS if name in self.shown} | {
            "TableCreationDateTime": self.shown["CreationDateTime"],
            "TableSizeBytes": self.snapshot.bytes,
            "ItemCount": len(self.snapshot.items),
            "BillingMode": self.snapshot.billing,
        }
        features = {name: self.shown[name] for name in FEATURES if name in self.shown}
        for member in FEATURES[:2]:
            features[member] = [_index(one) for one in features.get(member, ())]
        if "StreamSpecification" in self.shown:
            features["StreamDescription"] = self.shown["StreamSpecification"]
        return {
            "BackupDetails": self.details(now, deleted),
            "SourceTableDetails": source,
            "SourceTableFeatureDetails": features | {"TimeToLiveDescription": self.ttl},
        }

    def summary(self, now):
        details = self.details(now)
        return {name: self.shown[name] for name in ("TableName", "TableId", "TableArn")} | details


def _index(shown):
    return {name: shown[name] for name in INDEX_MEMBERS if name in shown}


def system_backup(store, call, table):
    """What DeleteTable leaves of a table with PITR."""
    backup = Backup(store, table, f"{table.name}$DeletedTableBackup", "SYSTEM", 0)
    _kept(store, call)[backup.arn] = backup


def _kept(store, call):
    """arn -> Backup of the caller's account and region, without those that have expired."""
    kept, now = store.backups.setdefault((call.account, call.region), {}), store.clock.now()
    for arn in [arn for arn, one in kept.items() if one.expires and now >= one.expires]:
        del kept[arn]
    return kept


def _backup(store, call, arn):
    call.resource = arn
    found = _kept(store, call).get(arn)
    if found is None:
        raise DdbError("BackupNotFoundException", f"Backup not found: {arn}")
    return found


def _in_use(backup):
    return DdbError("BackupInUseException", f"Backup is being created, deleted or restored: {backup.arn}")


def create_backup(store, call, request):
    table = table_of(store.find, call, request["TableName"])
    if table.status(store.clock.now()) not in ("ACTIVE", "UPDATING"):
        raise DdbError("TableInUseException", f"Table is being {table.status(store.clock.now()).lower()}")
    backup = Backup(store, table, request["BackupName"], "USER", store.settings.seconds("backup_delay"))
    _kept(store, call)[backup.arn] = backup
    return {"BackupDetails": backup.details(store.clock.now())}


def describe_backup(store, call, request):
    return {"BackupDescription": _backup(store, call, request["BackupArn"]).description(store.clock.now())}


def delete_backup(store, call, request):
    backup, now = _backup(store, call, request["BackupArn"]), store.clock.now()
    if backup.kind == "SYSTEM":
        raise invalid("System backups cannot be deleted")
    if backup.kind == "AWS_BACKUP":
        raise invalid("Backups of AWS Backup cannot be deleted by DynamoDB: use DeleteRecoveryPoint")
    if now < max(backup.ready, backup.busy_until):
        raise _in_use(backup)
    del _kept(store, call)[backup.arn]
    return {"BackupDescription": backup.description(now, deleted=True)}


def list_backups(store, call, request):
    kind, limit = request.get("BackupType", "USER"), request.get("Limit", 100)
    if not 1 <= limit <= 100:
        raise invalid(f"1 validation error detected: Value '{limit}' at 'limit' must be between 1 and 100")
    low, high = request.get("TimeRangeLowerBound", 0), request.get("TimeRangeUpperBound", float("inf"))
    if low >= high:
        raise invalid("TimeRangeLowerBound must be before TimeRangeUpperBound")
    name = request.get("TableName", "").rpartition("/")[2]
    call.resource = name or None
    found = [
        backup
        for backup in _kept(store, call).values()
        if backup.kind != "AWS_BACKUP"  # those are AWS Backup's to list, and to delete
        and kind in ("ALL", backup.kind)
        and name in ("", backup.shown["TableName"])
        and low <= round(backup.created, 3) < high
    ]
    arns = [backup.arn for backup in found]
    start = request.get("ExclusiveStartBackupArn")
    found = found[arns.index(start) + 1 :] if start in arns else found
    answer = {"BackupSummaries": [backup.summary(store.clock.now()) for backup in found[:limit]]}
    if len(found) > limit:
        answer["LastEvaluatedBackupArn"] = found[limit - 1].arn
    return answer


def restore_table_from_backup(store, call, request):
    backup = _backup(store, call, request["BackupArn"])
    if store.clock.now() < backup.ready:
        raise _in_use(backup)
    summary = {
        "SourceBackupArn": backup.arn,
        "SourceTableArn": backup.shown["TableArn"],
        "RestoreDateTime": round(backup.created, 3),
    }
    answer = restore(store, call, request, backup.snapshot, summary)
    backup.busy_until = max(backup.busy_until, store.tables(call)[call.resource].born)
    return answer
