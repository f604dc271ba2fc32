"""Point in time recovery: a window that moves with the clock, and tables as they were within it."""

from .errors import DdbError, invalid
from .journal import Journal
from .restores import Snapshot, restore

DAY = 86400.0
PERIODS = range(1, 36)


def table_of(find, call, text):
    """The table; TableNotFoundException is what backups, PITR and exports call one that is not there."""
    try:
        return find(call, text)
    except DdbError as fault:
        if fault.code == "ResourceNotFoundException":
            raise DdbError("TableNotFoundException", f"Table not found: {call.resource}") from None
        raise


def window(store, table):
    """(earliest, latest) restorable time, None while PITR is off."""
    if "pitr" not in table.settings:
        return None
    (since, days), now = table.settings["pitr"], store.clock.now()
    earliest = max(since, now - days * DAY)
    return earliest, max(earliest, now - store.settings.seconds("pitr_lag"))


def update_continuous_backups(store, call, request):
    table = table_of(store.settled, call, request["TableName"])
    spec = request["PointInTimeRecoverySpecification"]
    if not spec["PointInTimeRecoveryEnabled"]:
        if "RecoveryPeriodInDays" in spec:
            raise invalid("RecoveryPeriodInDays can only be given when point in time recovery is enabled")
        table.settings.pop("pitr", None)
        table.journal = None
        return {"ContinuousBackupsDescription": _shown(store, table)}
    open_window = window(store, table)
    days = spec.get("RecoveryPeriodInDays", table.settings["pitr"][1] if open_window else 35)
    if days not in PERIODS:
        raise invalid(
            f"1 validation error detected: Value '{days}' at 'recoveryPeriodInDays' failed to satisfy "
            "constraint: Member must have value between 1 and 35"
        )
    now = store.clock.now()
    # What a shorter period drops does not come back with a longer one.
    since = max(open_window[0], now - days * DAY) if open_window else now
    table.settings["pitr"] = (since, days)
    if table.journal is None:
        table.journal = Journal()
    table.journal.forget(since)
    return {"ContinuousBackupsDescription": _shown(store, table)}


def describe_continuous_backups(store, call, request):
    return {"ContinuousBackupsDescription": _shown(store, table_of(store.find, call, request["TableName"]))}


def _shown(store, table):
    shown = {"PointInTimeRecoveryStatus": "DISABLED"}
    if open_window := window(store, table):
        shown = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": table.settings["pitr"][1],
            "EarliestRestorableDateTime": round(open_window[0], 3),
            "LatestRestorableDateTime": round(open_window[1], 3),
        }
    return {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": shown}


def restore_table_to_point_in_time(store, call, request):
    source = request.get("SourceTableArn") or request.get("SourceTableName")
    if source is None or {"SourceTableArn", "SourceTableName"} <= set(request):
        raise invalid("Exactly one of SourceTableArn and SourceTableName must be specified")
    table = table_of(store.anywhere, call, source)
    at = _time(store, table, request)
    table.journal.forget(window(store, table)[0])
    snapshot = Snapshot(table, table.journal.items_at(table.items, at))
    return restore(
        store, call, request, snapshot, {"SourceTableArn": table.arn, "RestoreDateTime": round(at, 3)}
    )


def _time(store, table, request):
    """When to restore to, within the window."""
    open_window = window(store, table)
    if open_window is None:
        raise DdbError(
            "PointInTimeRecoveryUnavailableException",
            f"Point in time recovery is not enabled for table '{table.name}'",
        )
    earliest, latest = open_window
    asked = request.get("RestoreDateTime")
    if request.get("UseLatestRestorableTime"):
        if asked is not None:
            raise invalid("RestoreDateTime and UseLatestRestorableTime cannot both be specified")
        return latest
    if asked is None:
        raise invalid("Either RestoreDateTime or UseLatestRestorableTime must be specified")
    # The window is told in milliseconds, and is open at what it tells.
    if not round(earliest, 3) <= asked <= round(latest, 3):
        raise DdbError(
            "InvalidRestoreTimeException",
            "An invalid restore time was specified. RestoreDateTime must be between "
            "EarliestRestorableDateTime and LatestRestorableDateTime.",
        )
    return float(asked)
