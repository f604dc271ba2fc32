"""RestoreObject: an archived version is readable for some days, once its tier has had its time.

Source: S3 User Guide, "Understanding archive retrieval options" (the typical times; the slower end of each).
"""

import math

from .errors import S3Error
from .making import ARCHIVED
from .reading import thawed, version_of

HOUR, DAY = 3600.0, 86400.0
TIMES = {
    ("GLACIER", "Expedited"): 5 * 60.0,
    ("GLACIER", "Standard"): 5 * HOUR,
    ("GLACIER", "Bulk"): 12 * HOUR,
    ("DEEP_ARCHIVE", "Standard"): 12 * HOUR,
    ("DEEP_ARCHIVE", "Bulk"): 48 * HOUR,
}


def restore_object(ask):
    version, now = version_of(ask), ask.s3.clock.now()
    wanted = ask.given.get("RestoreRequest", {})
    if version.storage not in ARCHIVED:
        raise S3Error(
            "InvalidObjectState",
            "Restore is not allowed for the object's current storage class",
            StorageClass=version.storage,
        )
    if "Days" not in wanted or wanted["Days"] < 1:
        raise S3Error("MalformedXML")
    tier = wanted.get("GlacierJobParameters", {}).get("Tier") or wanted.get("Tier", "Standard")
    if (version.storage, tier) not in TIMES:
        raise S3Error("InvalidArgument", f"Retrieval option {tier} is not supported by this storage class")
    if version.thaw and now < version.thaw[0]:
        raise S3Error("RestoreAlreadyInProgress", "Object restore is already in progress", status=409)
    again = thawed(version, now)
    ready = version.thaw[0] if again else now + TIMES[version.storage, tier]
    version.thaw = (ready, math.ceil((max(now, ready) + wanted["Days"] * DAY) / DAY) * DAY)
    ask.call.effect = "changed"
    ask.status = 200 if again else 202
    return {}
