"""What CreateTable demands of keys, indexes and billing."""

from .errors import invalid

MAX_GSI, MAX_LSI = 20, 5


def check_schema(request):
    """Refuses keys, indexes and billing that do not fit together."""
    defined = {one["AttributeName"]: one["AttributeType"] for one in request["AttributeDefinitions"]}
    specs = [request, *request.get("GlobalSecondaryIndexes", ()), *request.get("LocalSecondaryIndexes", ())]
    used = set()
    for spec in specs:
        keys = spec["KeySchema"]
        if [key["KeyType"] for key in keys] not in (["HASH"], ["HASH", "RANGE"]):
            raise invalid("Invalid KeySchema: Some index key attribute have no definition or a wrong role")
        if len({key["AttributeName"] for key in keys}) != len(keys):
            raise invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
        used |= {key["AttributeName"] for key in keys}
    if used - set(defined):
        raise invalid(
            "One or more parameter values were invalid: Some index key attributes are not defined in "
            f"AttributeDefinitions. Keys: {sorted(used)}, AttributeDefinitions: {sorted(defined)}"
        )
    if set(defined) - used:
        raise invalid(
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly "
            "match number of attributes defined in AttributeDefinitions"
        )
    names = [spec["IndexName"] for spec in specs[1:]]
    if len(set(names)) != len(names):
        raise invalid("One or more parameter values were invalid: Duplicate index name")
    if (
        len(request.get("GlobalSecondaryIndexes", ())) > MAX_GSI
        or len(request.get("LocalSecondaryIndexes", ())) > MAX_LSI
    ):
        raise invalid("One or more parameter values were invalid: index count exceeds the per-table limit")
    _check_locals(request)
    parts = (request, *request.get("GlobalSecondaryIndexes", ()))
    check_units(request.get("BillingMode", "PROVISIONED"), [part.get("ProvisionedThroughput") for part in parts])


def _check_locals(request):
    for spec in request.get("LocalSecondaryIndexes", ()):
        if len(request["KeySchema"]) == 1:
            raise invalid(
                "One or more parameter values were invalid: Table KeySchema does not have a range key, "
                "which is required when specifying a LocalSecondaryIndex"
            )
        if spec["KeySchema"][0]["AttributeName"] != request["KeySchema"][0]["AttributeName"]:
            raise invalid(
                "One or more parameter values were invalid: Index KeySchema does not have the same leading "
                "hash key as table KeySchema"
            )


def check_units(mode, throughput):
    """`throughput`: the units of the table and of each global index, None where there are none."""
    if mode == "PROVISIONED" and not all(throughput):
        raise invalid(
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both "
            "be specified when BillingMode is PROVISIONED"
        )
    if mode == "PAY_PER_REQUEST" and any(throughput):
        raise invalid(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can "
            "be specified when BillingMode is PAY_PER_REQUEST"
        )
