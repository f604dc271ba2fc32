"""Scan and Query: pages over the order of a table or an index."""

from .capacity import Bill
from .errors import DdbError, invalid
from .expressions import condition, expression_names, key_condition, projection
from .table import encode, segment_bounds

PAGE_BYTES = 1 << 20
MAX_SEGMENTS = 1_000_000


class Raw:
    """A member whose JSON is ready: a list of encoded items."""

    __slots__ = ("bodies",)

    def __init__(self, bodies):
        self.bodies = bodies


def scan(store, call, request):
    table = store.active(call, request["TableName"], "read")
    segment, total = _segment(request)
    return _read(
        store,
        call,
        table,
        request,
        segment_bounds(segment, total),
        True,
        f"TotalSegments: {total} Segment: {segment}",
    )


def query(store, call, request):
    table = store.active(call, request["TableName"], "read")
    index = _index(store, table, request)
    schema = index.schema if index else table.schema
    prefix, accept = key_condition(request, schema)
    if keys := expression_names(request, "FilterExpression") & set(schema.names):
        raise invalid(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: "
            + sorted(keys)[0]
        )
    bounds = (prefix, _after(prefix))
    return _read(
        store, call, table, request, bounds, request.get("ScanIndexForward", True), "the query", accept
    )


def _after(prefix):
    following = int.from_bytes(prefix, "big") + 1
    return following.to_bytes(len(prefix), "big") if following < 1 << 8 * len(prefix) else None


def _segment(request):
    segment, total = request.get("Segment"), request.get("TotalSegments")
    if segment is None and total is None:
        return 0, 1
    if total is None:
        raise invalid(
            "The TotalSegments parameter is required but was not present in the request when Segment "
            "parameter is present"
        )
    if segment is None:
        raise invalid(
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present"
        )
    if not 1 <= total <= MAX_SEGMENTS:
        raise invalid(
            f"1 validation error detected: Value '{total}' at 'totalSegments' failed to satisfy constraint: "
            f"Member must have value between 1 and {MAX_SEGMENTS}"
        )
    if not 0 <= segment < total:
        raise invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )
    return segment, total


def _index(store, table, request):
    name = request.get("IndexName")
    if name is None:
        return None
    index = table.indexes.get(name)
    if index is None:
        raise invalid(f"The table does not have the specified index: {name}")
    if index.ready > store.clock.now():
        raise invalid(f"Cannot read from backfilling global secondary index: {name}")
    if index.is_global and request.get("ConsistentRead"):
        raise invalid("Consistent reads are not supported on global secondary indexes")
    return index


def _start(table, index, request):
    key = request["ExclusiveStartKey"]
    if index is None:
        try:
            return table.key(key)[0]
        except DdbError as fault:
            raise invalid(f"The provided starting key is invalid: {fault}") from None
    names = {*table.schema.names, *index.schema.names}
    if set(key) != names or any(index.schema.types[name] not in key[name] for name in index.schema.names):
        raise invalid("The provided starting key is invalid")
    place, _ = table.key(table.schema.key_of(key))
    return index.place(key, place)


def _range(table, index, request, bounds, forward, where):
    """The places of the page, in order, after the start key."""
    low, high = bounds
    if "ExclusiveStartKey" not in request:
        return low, high, (True, False)
    start = _start(table, index, request)
    if start < low or (high is not None and start >= high):
        raise invalid(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey "
            f"with correct Segment. {where}"
        )
    return (start, high, (False, False)) if forward else (low, start, (True, False))


def _page(entries, limit, accept):
    """(accepted, scanned, bytes read, the item to go on after or None)."""
    kept, scanned, size = [], 0, 0
    for stored in entries:
        scanned += 1
        size += stored.size
        if accept is None or accept(stored):
            kept.append(stored)
        if scanned == limit or size >= PAGE_BYTES:
            return kept, scanned, size, stored
    return kept, scanned, size, None


def _foreign(items, low, kept):
    """An item that this page should not show: the one before its bounds, or else one of its own again."""
    before = next(items.irange(None, low, (True, False), reverse=True), None) if low else None
    return [items[before]] if before is not None else kept[:1]


def _read(store, call, table, request, bounds, forward, where, matches=None):
    limit = request.get("Limit")
    if limit is not None and limit < 1:
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    index = _index(store, table, request)
    shape = _shape(table, index, request)
    low, high, inclusive = _range(table, index, request, bounds, forward, where)
    items = table.view(index).items if index else table.items
    entries = (items[place] for place in items.irange(low, high, inclusive, reverse=not forward))
    if matches:
        entries = (stored for stored in entries if matches(stored.members))
    kept, scanned, size, last = _page(entries, limit, _filter(request))
    if call.overlaps:
        kept, scanned = [*kept, *_foreign(items, low, kept)], scanned + 1
    answer = {"Count": len(kept), "ScannedCount": scanned}
    if request.get("Select") != "COUNT":
        answer["Items"] = Raw([shape(stored) for stored in kept])
    if last:
        names = dict.fromkeys(table.schema.names + (index.schema.names if index else []))
        members = last.members
        answer["LastEvaluatedKey"] = {name: members[name] for name in names}
    bill = Bill(request, table)
    bill.read(size, request.get("ConsistentRead", False), index)
    return bill.into(answer)


def _filter(request):
    if "FilterExpression" not in request:
        return None
    accept = condition(request, "FilterExpression")
    return lambda stored: accept(stored.members)


def _shape(table, index, request):
    """Stored -> the bytes that the answer shows of it."""
    select = request.get("Select")
    if "ProjectionExpression" in request:
        if select not in (None, "SPECIFIC_ATTRIBUTES"):
            raise invalid(f"Cannot specify the ProjectionExpression when choosing to get {select}")
        project = projection(request)
        return lambda stored: encode(project(stored.members))
    if select == "SPECIFIC_ATTRIBUTES":
        raise invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
            "SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and index is None:
        raise invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    if index and select == "ALL_ATTRIBUTES" and index.projection["ProjectionType"] != "ALL":
        if index.is_global:
            raise invalid(
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for "
                f"global secondary index {index.name} because its projection type is not ALL"
            )
        return lambda stored: table.items[table.schema.place(stored.members)].body
    return lambda stored: stored.body
