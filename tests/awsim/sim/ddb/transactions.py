"""TransactWriteItems and TransactGetItems: all or nothing, twice the capacity, once for each client token."""

from .capacity import Bill
from .errors import DdbError, invalid
from .expressions import check_placeholders, projection, update
from .items import NOTHING, held, with_bills

MOST, MAX_BYTES, TOKEN_LIFE = 100, 4 << 20, 600.0
TWICE = "Transaction request cannot include multiple operations on one item"


class _Bills:
    """One bill for each table of the transaction."""

    def __init__(self, request):
        self.request, self.of = request, {}

    def bill(self, table):
        return self.of.setdefault(table.name, Bill(self.request, table, factor=2))

    def into(self, answer):
        return with_bills(answer, self.of.values())


def transact_get_items(store, call, request):
    planned, reasons, places = [], [], set()
    for part in _parts(request):
        get = part["Get"]
        table = store.active(call, get["TableName"], "read")
        try:
            place, _ = table.key(get["Key"])
        except DdbError as fault:
            reasons.append({"Code": "ValidationError", "Message": fault.message})
            continue
        reasons.append({"Code": "None"})
        _once(places, table, place)
        planned.append((table, place, projection(get)))
    _cancel(reasons)
    found, bills = [], _Bills(request)
    for table, place, shown in planned:
        stored = table.items.get(place)
        bills.bill(table).read(stored.size if stored else 0, True)
        found.append({"Item": shown(stored.members)} if stored else {})
    return bills.into({"Responses": found})


def transact_write_items(store, call, request):
    """All conditions are judged before anything is written."""
    planned, reasons, places = [], [], set()
    for part in _parts(request):
        ((kind, action),) = part.items()
        table = store.active(call, action["TableName"], "write")
        place, stored = _planned(table, kind, action, reasons)
        _once(places, table, place)
        planned.append((table, kind, place, stored))
    _check_size(planned)
    if _replayed(store, call, request):
        return _as_read(request, planned)
    _cancel(reasons)
    call.effect = "changed"
    _remember(store, call, request)
    return _written(request, planned)


def _cancel(reasons):
    """Refuses the whole when a part of it has a reason."""
    if any(reason["Code"] != "None" for reason in reasons):
        codes = ", ".join(reason["Code"] for reason in reasons)
        raise DdbError(
            "TransactionCanceledException",
            f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
            CancellationReasons=reasons,
        )


def _written(request, planned):
    bills = _Bills(request)
    for table, kind, place, stored in planned:
        old = table.items.get(place)
        bills.bill(table).write(old, old if kind == "ConditionCheck" else stored)
        if kind == "Delete":
            table.delete(place)
        elif kind != "ConditionCheck":
            table.put(place, stored)
    return bills.into({})


def _as_read(request, planned):
    """A token seen before: nothing is written, the items are read."""
    bills = _Bills(request)
    for table, _, place, _ in planned:
        stored = table.items.get(place)
        bills.bill(table).read(stored.size if stored else 0, True)
    return bills.into({})


def _replayed(store, call, request):
    """Whether this token has done this within its life; a token stands for one request."""
    token, now = request.get("ClientRequestToken"), store.clock.now()
    done = store.tokens.get((call.account, call.region, token))
    if token is None or done is None or now >= done[0] + TOKEN_LIFE:
        return False
    if done[1] != request["TransactItems"]:
        raise DdbError(
            "IdempotentParameterMismatchException",
            "The token was used within the last ten minutes with other parameters",
        )
    call.effect = "read"
    return True


def _remember(store, call, request):
    """The SDKs give every request a token: those that are over are forgotten, the oldest stand first."""
    tokens, now = store.tokens, store.clock.now()
    while tokens and now >= next(iter(tokens.values()))[0] + TOKEN_LIFE:
        del tokens[next(iter(tokens))]
    if "ClientRequestToken" in request:
        tokens[call.account, call.region, request["ClientRequestToken"]] = (now, request["TransactItems"])


def _once(places, table, place):
    if (table.name, place) in places:
        raise invalid(TWICE)
    places.add((table.name, place))


def _check_size(planned):
    size = sum(stored.size for _, _, _, stored in planned if stored)
    if size > MAX_BYTES:
        raise invalid(f"Transaction payload size cannot exceed 4MB. Payload Size: {size}")


def _planned(table, kind, action, reasons):
    """(place, the item to be written or None); why it cannot be done goes to the reasons."""
    if kind == "Put":
        place, stored = _of_put(table, action["Item"], reasons)
        if stored is None:
            return place, None
    else:
        (place, key), stored = table.key(action["Key"]), None
    try:
        old = held(table, place, action)
        if kind == "Update":
            stored = table.item(update(action, table, {**(old.members if old else NOTHING), **key}))[2]
        reasons.append({"Code": "None"})
    except DdbError as fault:
        failed = fault.code == "ConditionalCheckFailedException"
        code = "ConditionalCheckFailed" if failed else "ValidationError"
        reasons.append({"Code": code, "Message": fault.message, **fault.extra})
    return place, stored


def _of_put(table, item, reasons):
    """An index's key of a wrong type cancels the transaction; every other fault of an item refuses the call."""
    try:
        place, _, stored = table.item(item)
    except DdbError as fault:
        if "Index Key" not in fault.message:
            raise
        reasons.append({"Code": "ValidationError", "Message": fault.message})
        return table.key({name: item[name] for name in table.schema.names})[0], None
    return place, stored


def _parts(request):
    parts = request["TransactItems"]
    if not 1 <= len(parts) <= MOST:
        raise invalid(f"Member must have length less than or equal to {MOST}")
    if any(len(part) != 1 for part in parts):
        raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    for part in parts:
        for action in part.values():
            check_placeholders(action)
    return parts
