"""How long a recovery point is kept, and when it turns cold."""

from .errors import invalid

DAY = 86400.0
COLD_DAYS, LONGEST, NEVER = 90, 36500, -1


def check(given):
    """Refuses days that do not fit together."""
    if given is None:
        return
    if "DeleteAfterEvent" in given:
        raise invalid("Invalid lifecycle. DeleteAfterEvent is not valid as an input")
    cold, gone = given.get("MoveToColdStorageAfterDays"), given.get("DeleteAfterDays")
    for name, days in (("MoveToColdStorageAfterDays", cold), ("DeleteAfterDays", gone)):
        if days is not None and days != NEVER and not 1 <= days <= LONGEST:
            raise invalid(f"Invalid lifecycle. {name} must be between 1 and {LONGEST}")
    if kept(given) is not None and cold not in (None, NEVER) and gone < cold + COLD_DAYS:
        raise invalid(
            "Error in some rules due to : Invalid lifecycle. DeleteAfterDays cannot be less than 90 days "
            "apart from MoveToColdStorageAfterDays"
        )


def kept(given):
    """The days of retention, None for ever."""
    days = (given or {}).get("DeleteAfterDays")
    return None if days == NEVER else days


def cold_after(given):
    days = (given or {}).get("MoveToColdStorageAfterDays")
    return None if days == NEVER else days


def calculated(given, created, can_be_cold):
    """The CalculatedLifecycle member, {} for what stays as it is for ever."""
    found = {}
    if can_be_cold and cold_after(given) is not None:
        found["MoveToColdStorageAt"] = round(created + cold_after(given) * DAY, 3)
    if kept(given) is not None:
        found["DeleteAt"] = round(created + kept(given) * DAY, 3)
    return found
