"""A new table out of another's content. What AWS takes along is in Snapshot; everything else is lost."""

from sortedcontainers import SortedDict

from . import encryption
from .errors import DdbError, invalid
from .store import LiveTable, table_name
from .tables import add_index, apply_settings, describe

CONCURRENT = 50
INDEX_OVERRIDES = (("GlobalSecondaryIndexOverride", True), ("LocalSecondaryIndexOverride", False))


class Snapshot:
    """Items, keys, indexes, capacity and encryption of a table; `settings` are those of now, also for an older time."""

    def __init__(self, table, items=None):
        self.items = SortedDict(table.items) if items is None else items
        self.request = {
            "KeySchema": [
                {"AttributeName": name, "KeyType": role}
                for name, role in zip(table.schema.names, ("HASH", "RANGE"))
            ],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": kind} for name, kind in table.types.items()
            ],
        }
        self.indexes = {
            index.name: (index.spec, index.is_global)
            for index in table.indexes.values()
            if index.gone is None
        }
        self.billing, self.throughput = table.settings["billing"], table.settings["throughput"]
        self.sse = table.settings.get("sse")
        self.bytes = sum(stored.size for stored in self.items.values())


def restore(store, call, request, snapshot, summary):
    """The answer of both restore calls; the table is CREATING for `restore_delay`."""
    name = table_name(request["TargetTableName"])
    call.resource, now = name, store.clock.now()
    tables = store.tables(call)
    if name in tables:
        raise DdbError("TableAlreadyExistsException", f"Table already exists: {name}")
    _check_room(store, call, now)
    indexes = _indexes(request, snapshot)
    arn = f"arn:aws:dynamodb:{call.region}:{call.account}:table/{name}"
    table = LiveTable(
        name, arn, _with_used_types(snapshot, indexes), now, store.settings.seconds("restore_delay")
    )
    table.settings["sse"] = snapshot.sse
    apply_settings(table, _settings(request, snapshot, indexes), now)
    encryption.must_be_usable(table, now)
    for spec, is_global in indexes:
        add_index(table, spec, is_global, table.ready)
    table.items, table.bytes = SortedDict(snapshot.items), snapshot.bytes
    table.restored, table.clock = summary, store.clock
    tables[name] = table
    return {"TableDescription": describe(store, table)}


def _check_room(store, call, now):
    running = [
        table
        for (account, _), tables in store.places.items()
        for table in tables.values()
        if account == call.account and table.restored and now < table.born
    ]
    if len(running) >= CONCURRENT:
        raise DdbError(
            "LimitExceededException",
            f"Subscriber limit exceeded: Only {CONCURRENT} concurrent restores are allowed for an account",
        )


def _indexes(request, snapshot):
    """[(spec, is_global)]: the snapshot's, or of these the ones that an override names."""
    found = []
    for member, is_global in INDEX_OVERRIDES:
        kept = {name: spec for name, (spec, globally) in snapshot.indexes.items() if globally == is_global}
        if member not in request:
            found += [(spec, is_global) for spec in kept.values()]
            continue
        for given in request[member]:
            found.append((_override(given, kept), is_global))
    return found


def _override(given, kept):
    if "WarmThroughput" in given:
        raise invalid(
            "One or more parameter values were invalid: WarmThroughput is not supported in a restore"
        )
    spec = kept.get(given["IndexName"])
    if spec is None or any(given[part] != spec[part] for part in ("KeySchema", "Projection")):
        raise invalid(
            "One or more parameter values were invalid: Index override must be one of the source table's "
            f"indexes: {given['IndexName']}"
        )
    return {**spec, **given}


def _with_used_types(snapshot, indexes):
    keys = [*snapshot.request["KeySchema"], *(key for spec, _ in indexes for key in spec["KeySchema"])]
    used = {key["AttributeName"] for key in keys}
    definitions = snapshot.request["AttributeDefinitions"]
    return {
        **snapshot.request,
        "AttributeDefinitions": [one for one in definitions if one["AttributeName"] in used],
    }


def _settings(request, snapshot, indexes):
    mode = request.get("BillingModeOverride", snapshot.billing)
    throughput = request.get("ProvisionedThroughputOverride")
    if throughput is None and mode == snapshot.billing == "PROVISIONED":
        throughput = snapshot.throughput
    if mode == "PROVISIONED" and not (
        throughput and all("ProvisionedThroughput" in spec for spec, is_global in indexes if is_global)
    ):
        raise invalid(
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must be "
            "specified for the table and its indexes when BillingModeOverride is PROVISIONED"
        )
    if mode == "PAY_PER_REQUEST" and "ProvisionedThroughputOverride" in request:
        raise invalid(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be "
            "specified when BillingModeOverride is PAY_PER_REQUEST"
        )
    settings = {"BillingMode": mode}
    if throughput and mode == "PROVISIONED":
        settings["ProvisionedThroughput"] = throughput
    for member in ("OnDemandThroughput", "SSESpecification"):
        if member + "Override" in request:
            settings[member] = request[member + "Override"]
    return settings
