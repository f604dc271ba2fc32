"""A table's KMS key: what DynamoDB does when it cannot use it any more.

Measured on AWS by others: a change of settings is refused at once, items are still read and written for some five minutes (their data
key is cached), and the table is INACCESSIBLE_ENCRYPTION_CREDENTIALS after a quarter of an hour or more, until the key is usable again.
"""

from .errors import invalid

CACHED, NOTICED = 300, 900
OWN = "alias/aws/"
# (account, region, name of a key, now) -> (its ARN, why it cannot be used or None, since when): set by who plays KMS.
look_up = None


def describe(table, spec, now):
    """The SSEDescription that a SSESpecification makes; None for AWS's own key."""
    if not spec.get("Enabled"):
        return None
    region, account = table.arn.split(":")[3:5]
    key = spec.get("KMSMasterKeyId", OWN + "dynamodb")
    if OWN in key:
        arn = key if key.startswith("arn:") else f"arn:aws:kms:{region}:{account}:{key}"
    else:
        arn, why, _ = look_up(account, region, key, now)
        if why:
            raise invalid(why)
    return {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": arn}


def _trouble(table, now):
    """(why, for how long) the table's key cannot be used; (None, 0) when it can."""
    arn = (table.settings.get("sse") or {}).get("KMSMasterKeyArn", OWN)
    if OWN in arn:
        return None, 0
    region, account = arn.split(":")[3:5]
    _, why, since = look_up(account, region, arn, now)
    return why, now - since


def must_be_usable(table, now):
    why, _ = _trouble(table, now)
    if why:
        raise invalid(why)


def admit(table, now):
    """Refuses items of a table whose key is out of use for so long that no data key is cached."""
    why, lasts = _trouble(table, now)
    if why and lasts >= CACHED:
        raise invalid(why)


def inaccessible_since(table, now):
    """When DynamoDB noticed, None when there is nothing to notice, or not yet."""
    why, lasts = _trouble(table, now)
    return now - lasts + NOTICED if why and lasts >= NOTICED else None
