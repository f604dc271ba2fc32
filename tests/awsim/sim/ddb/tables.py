"""CreateTable, DescribeTable, UpdateTable, DeleteTable, ListTables."""

from contextlib import contextmanager
from datetime import datetime, timezone

from . import encryption
from .errors import DdbError, in_use, invalid, not_found
from .schema import check_schema, check_units
from .store import LiveTable, table_name
from .table import Index

KEEP_AS_GIVEN = ("OnDemandThroughput", "WarmThroughput")


def create_table(store, call, request):
    table = new_table(store, call, request, store.settings.seconds("table_create_delay"))
    return {"TableDescription": describe(store, table)}


def new_table(store, call, request, delay):
    """A table that is CREATING for so long."""
    name = table_name(request["TableName"])
    call.resource = name
    tables = store.tables(call)
    if name in tables:
        raise in_use(f"Table already exists: {name}")
    check_schema(request)
    now = store.clock.now()
    arn = f"arn:aws:dynamodb:{call.region}:{call.account}:table/{name}"
    table = LiveTable(name, arn, request, now, delay)
    apply_settings(table, request, now)
    for is_global, member in ((True, "GlobalSecondaryIndexes"), (False, "LocalSecondaryIndexes")):
        for spec in request.get(member, ()):
            add_index(table, spec, is_global, table.ready)
    table.tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
    if "ResourcePolicy" in request:
        table.settings["policy"] = (request["ResourcePolicy"], str(int(now * 1000)))
    table.clock = store.clock
    tables[name] = table
    return table


def apply_settings(table, request, now):
    """What CreateTable and UpdateTable set alike."""
    kept = table.settings
    if "BillingMode" in request or "billing" not in kept:
        mode = request.get("BillingMode", "PROVISIONED")
        if mode == "PAY_PER_REQUEST" and kept.get("billing") != mode:
            kept["on_demand_since"] = now
        kept["billing"] = mode
    if "ProvisionedThroughput" in request:
        kept["throughput"] = request["ProvisionedThroughput"]
    if kept["billing"] == "PAY_PER_REQUEST":
        kept["throughput"] = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    for member in KEEP_AS_GIVEN:
        if member in request:
            kept[member] = request[member]
    if "DeletionProtectionEnabled" in request:
        kept["protected"] = request["DeletionProtectionEnabled"]
    if "TableClass" in request:
        kept["class"] = (request["TableClass"], now)
    if "SSESpecification" in request:
        kept["sse"] = encryption.describe(table, request["SSESpecification"], now)
    if "StreamSpecification" in request:
        _stream(kept, request["StreamSpecification"], now)


def _stream(kept, spec, now):
    if spec["StreamEnabled"] == bool(kept.get("stream", {}).get("StreamEnabled")):
        raise invalid(
            "Table already has a stream" if spec["StreamEnabled"] else "Table is already without a stream"
        )
    kept["stream"] = spec
    if spec["StreamEnabled"]:
        kept["stream_label"] = datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


def add_index(table, spec, is_global, ready):
    index = Index(spec, table.types, is_global)
    index.spec, index.ready, index.gone = spec, ready, None
    index.added = ready != table.born
    table.indexes[index.name] = index


def _index_status(index, now):
    if index.gone is not None:
        return {"IndexStatus": "DELETING"}
    if now >= index.ready:
        return {"IndexStatus": "ACTIVE"}
    return {"IndexStatus": "CREATING", **({"Backfilling": True} if index.added else {})}


def _describe_index(table, index, now, mode):
    items, size = (
        (len(view.items), view.bytes) if now >= index.ready and (view := table.view(index)) else (0, 0)
    )
    shown = {
        "IndexName": index.name,
        "KeySchema": index.spec["KeySchema"],
        "Projection": index.spec["Projection"],
        "IndexSizeBytes": size,
        "ItemCount": items,
        "IndexArn": f"{table.arn}/index/{index.name}",
    }
    if index.is_global:
        throughput = index.spec.get("ProvisionedThroughput") if mode == "PROVISIONED" else None
        throughput = throughput or {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
        shown |= _index_status(index, now) | {
            "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, **throughput}
        }
        shown |= {member: index.spec[member] for member in KEEP_AS_GIVEN if member in index.spec}
    return shown


def describe(store, table):
    now = store.clock.now()
    kept = table.settings
    items, size = table.count(now, store.settings.seconds("item_count_lag"))
    shown = {
        "TableName": table.name,
        "TableArn": table.arn,
        "TableId": table.id,
        "TableStatus": table.status(now),
        "CreationDateTime": round(table.created, 3),
        "ItemCount": items,
        "TableSizeBytes": size,
        "KeySchema": [
            {"AttributeName": name, "KeyType": role}
            for name, role in zip(table.schema.names, ("HASH", "RANGE"))
        ],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in table.types.items()
        ],
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, **kept["throughput"]},
        "DeletionProtectionEnabled": kept.get("protected", False),
    }
    if "on_demand_since" in kept:
        shown["BillingModeSummary"] = {
            "BillingMode": kept["billing"],
            "LastUpdateToPayPerRequestDateTime": round(kept["on_demand_since"], 3),
        }
    if "class" in kept:
        shown["TableClassSummary"] = {
            "TableClass": kept["class"][0],
            "LastUpdateDateTime": round(kept["class"][1], 3),
        }
    if kept.get("sse"):
        shown["SSEDescription"] = kept["sse"]
        noticed = encryption.inaccessible_since(table, now)
        if noticed is not None:
            shown["TableStatus"] = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
            shown["SSEDescription"] = {**kept["sse"], "InaccessibleEncryptionDateTime": round(noticed, 3)}
    if kept.get("stream", {}).get("StreamEnabled"):
        shown["StreamSpecification"] = kept["stream"]
    if table.stream_arn:
        shown["LatestStreamLabel"], shown["LatestStreamArn"] = kept["stream_label"], table.stream_arn
    if table.restored:
        shown["RestoreSummary"] = {**table.restored, "RestoreInProgress": now < table.born}
    shown |= {member: kept[member] for member in KEEP_AS_GIVEN if member in kept}
    for is_global, member in ((True, "GlobalSecondaryIndexes"), (False, "LocalSecondaryIndexes")):
        found = [
            _describe_index(table, index, now, kept["billing"])
            for index in table.indexes.values()
            if index.is_global == is_global
        ]
        if found:
            shown[member] = found
    return shown


def describe_table(store, call, request):
    return {"Table": describe(store, store.find(call, request["TableName"]))}


def delete_table(store, call, request):
    table = store.find(call, request["TableName"])
    status = table.status(store.clock.now())
    if status == "DELETING":
        raise in_use(
            f"Attempt to change a resource which is still in use: Table is being deleted: {table.name}"
        )
    if status != "ACTIVE":
        raise in_use(
            "Attempt to change a resource which is still in use: "
            f"Table is being {status.lower()}: {table.name}"
        )
    if table.settings.get("protected"):
        raise invalid(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )
    if table.journal is not None:
        store.leave_backup(store, call, table)
    table.gone = store.clock.now() + store.settings.seconds("table_create_delay")
    return {"TableDescription": describe(store, table)}


def list_tables(store, call, request):
    limit, start = request.get("Limit", 100), request.get("ExclusiveStartTableName", "")
    if not 1 <= limit <= 100:
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            "Member must have value between 1 and 100"
        )
    names = [name for name in sorted(store.tables(call)) if name > start]
    answer = {"TableNames": names[:limit]}
    if len(names) > limit:
        answer["LastEvaluatedTableName"] = answer["TableNames"][-1]
    return answer


def update_table(store, call, request):
    table = store.settled(call, request["TableName"])
    now = store.clock.now()
    if not set(request) - {"TableName", "AttributeDefinitions"}:
        raise invalid(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
            "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"
        )
    kept = table.settings
    if kept["billing"] == "PROVISIONED" and request.get("ProvisionedThroughput") == kept["throughput"]:
        raise invalid(
            "The provisioned throughput for the table will not change. The requested value equals the "
            "current value."
        )
    ready = now + store.settings.seconds("table_update_delay")
    with _all_or_nothing(table):
        for change in request.get("GlobalSecondaryIndexUpdates", ()):
            ((kind, spec),) = change.items()
            INDEX_CHANGES[kind](table, request, spec, ready)
        apply_settings(table, request, now)
        _check_units(table)
    table.ready = ready
    return {"TableDescription": describe(store, table)}


@contextmanager
def _all_or_nothing(table):
    """What a refused update has changed so far is as before."""
    settings, types = dict(table.settings), dict(table.types)
    indexes = [(index, dict(vars(index))) for index in table.indexes.values()]
    try:
        yield
    except DdbError:
        table.settings, table.types, table.indexes = settings, types, {index.name: index for index, _ in indexes}
        for index, fields in indexes:
            vars(index).update(fields)
        raise


def _check_units(table):
    """A table whose capacity is provisioned needs units of its own, and so does each global index."""
    mode = table.settings["billing"]
    specs = [index for index in table.indexes.values() if index.is_global and index.gone is None]
    if mode == "PROVISIONED":
        own = table.settings["throughput"] if table.settings["throughput"]["ReadCapacityUnits"] else None
        check_units(mode, [own, *(index.spec.get("ProvisionedThroughput") for index in specs)])
    for index in specs if mode == "PAY_PER_REQUEST" else ():  # its units are forgotten
        index.spec = {name: value for name, value in index.spec.items() if name != "ProvisionedThroughput"}


def _create_index(table, request, spec, ready):
    if spec["IndexName"] in table.indexes:
        raise invalid(f"Attempting to create an index which already exists: {spec['IndexName']}")
    types = {one["AttributeName"]: one["AttributeType"] for one in request.get("AttributeDefinitions", ())}
    table.types = {**types, **table.types}
    missing = [key["AttributeName"] for key in spec["KeySchema"] if key["AttributeName"] not in table.types]
    if missing:
        raise invalid(f"One or more parameter values were invalid: not in AttributeDefinitions: {missing}")
    add_index(table, spec, True, ready)


def _global_index(table, spec):
    index = table.indexes.get(spec["IndexName"])
    if index is None or not index.is_global:
        raise not_found(f"Requested resource not found: index {spec['IndexName']}")
    return index


def _delete_index(table, _request, spec, ready):
    _global_index(table, spec).gone = ready


def _update_index(table, _request, spec, _ready):
    index = _global_index(table, spec)
    index.spec = {**index.spec, **{name: value for name, value in spec.items() if name != "IndexName"}}


INDEX_CHANGES = {"Create": _create_index, "Delete": _delete_index, "Update": _update_index}
