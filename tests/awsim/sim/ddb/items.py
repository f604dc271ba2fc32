"""Reads and writes of single items and of batches."""

from .capacity import Bill
from .errors import DdbError, invalid
from .expressions import condition, projection, update
from .scan import Raw
from .table import encode

BATCH_WRITES, BATCH_GETS = 25, 100
BATCH_BYTES = 16 << 20
NOTHING = {}


def _failed(request, members):
    shown = {}
    if members and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        shown["Item"] = members
    return DdbError("ConditionalCheckFailedException", "The conditional request failed", **shown)


def held(table, place, request):
    """The stored item (or None), once the condition has held."""
    old = table.items.get(place)
    if "ConditionExpression" in request:
        members = old.members if old else NOTHING
        if not condition(request)(members):
            raise _failed(request, members)
    return old


def _changed(table, request, place, old, new):
    """Writes and bills; `new` None deletes."""
    bill = Bill(request, table)
    bill.write(old, new)
    if new:
        table.put(place, new)
    else:
        table.delete(place)
    return bill


def _return_old(request, old, answer):
    wanted = request.get("ReturnValues", "NONE")
    if wanted not in ("NONE", "ALL_OLD"):
        raise invalid("Return values set to invalid value")
    if wanted == "ALL_OLD" and old:
        answer["Attributes"] = old.members
    return answer


def put_item(store, call, request):
    table = store.active(call, request["TableName"], "write")
    place, _, stored = table.item(request["Item"])
    old = held(table, place, request)
    answer = _return_old(request, old, {})
    call.effect = "changed" if old else "made"
    return _changed(table, request, place, old, stored).into(answer)


def delete_item(store, call, request):
    table = store.active(call, request["TableName"], "write")
    place, _ = table.key(request["Key"])
    old = held(table, place, request)
    answer = _return_old(request, old, {})
    return _changed(table, request, place, old, None).into(answer)


def update_item(store, call, request):
    table = store.active(call, request["TableName"], "write")
    place, key = table.key(request["Key"])
    old = held(table, place, request)
    before = old.members if old else NOTHING
    after = update(request, table, {**before, **key}) if "UpdateExpression" in request else {**before, **key}
    if any(after.get(name) != value for name, value in key.items()):
        raise invalid(
            "One or more parameter values were invalid: Cannot update attribute. "
            "This attribute is part of the key"
        )
    _, after, stored = table.item(after)
    call.effect = "changed" if old else "made"
    answer = _updated(request.get("ReturnValues", "NONE"), before, after)
    return _changed(table, request, place, old, stored).into(answer)


def _updated(wanted, before, after):
    touched = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    shown = {
        "NONE": None,
        "ALL_OLD": before,
        "ALL_NEW": after,
        "UPDATED_OLD": {name: before[name] for name in touched if name in before},
        "UPDATED_NEW": {name: after[name] for name in touched if name in after},
    }
    if wanted not in shown:
        raise invalid("Return values set to invalid value")
    return {"Attributes": shown[wanted]} if shown[wanted] else {}


def get_item(store, call, request):
    table = store.active(call, request["TableName"], "read")
    place, _ = table.key(request["Key"])
    stored = table.items.get(place)
    bill = Bill(request, table)
    bill.read(stored.size if stored else 0, request.get("ConsistentRead", False))
    return bill.into({"Item": projection(request)(stored.members)} if stored else {})


def batch_get_item(store, call, request):
    asked = request["RequestItems"]
    total = sum(len(part["Keys"]) for part in asked.values())
    if not 1 <= total <= BATCH_GETS:
        raise invalid("Too many items requested for the BatchGetItem call")
    answer, unprocessed, bills, size = {}, {}, [], 0
    for name, part in asked.items():
        table = store.active(call, name)
        places = [table.key(key)[0] for key in part["Keys"]]
        if len(set(places)) != len(places):
            raise invalid("Provided list of item keys contains duplicates")
        project = projection(part)
        bill, found = Bill(request, table), []
        for count, (place, key) in enumerate(zip(places, part["Keys"])):
            stored = table.items.get(place)
            full = size + (stored.size if stored else 0) > BATCH_BYTES
            if full or call.leaves(count, len(places)) or not table.meter.has("read"):
                unprocessed.setdefault(name, {**part, "Keys": []})["Keys"].append(key)
                continue
            bill.read(stored.size if stored else 0, part.get("ConsistentRead", False))
            if stored:
                size += stored.size
                found.append(
                    encode(project(stored.members)) if "ProjectionExpression" in part else stored.body
                )
        answer[name] = Raw(found)
        bills.append(bill)
    _admit_some(store, call, unprocessed, "Keys", total, "read")
    return with_bills({"Responses": answer, "UnprocessedKeys": unprocessed}, bills)


def _admit_some(store, call, unprocessed, member, total, kind):
    """A batch of which the rates let nothing through is refused as a whole."""
    left = sum(len(part[member] if member else part) for part in unprocessed.values())
    if left == total:
        for name in unprocessed:
            store.active(call, name, kind)


def with_bills(answer, bills):
    shown = [part for bill in bills if (part := bill.shown())]
    return {**answer, "ConsumedCapacity": shown} if shown else answer


def _write_of(table, write):
    """(place, Stored or None) of one WriteRequest."""
    if set(write) == {"PutRequest"}:
        place, _, stored = table.item(write["PutRequest"]["Item"])
        return place, stored
    if set(write) == {"DeleteRequest"}:
        return table.key(write["DeleteRequest"]["Key"])[0], None
    raise invalid(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
        "datatypes"
    )


def batch_write_item(store, call, request):
    asked = request["RequestItems"]
    total = sum(len(writes) for writes in asked.values())
    if not asked or not all(asked.values()):
        raise invalid("The batch write request list for a table cannot be null or empty")
    if total > BATCH_WRITES:
        raise invalid("Too many items requested for the BatchWriteItem call")
    if call.body_bytes > BATCH_BYTES:
        raise invalid("The total size of the batch write request exceeds 16 MB")
    planned = []
    for name, writes in asked.items():
        table = store.active(call, name)
        parsed = [_write_of(table, write) for write in writes]
        if len({place for place, _ in parsed}) != len(parsed):
            raise invalid("Provided list of item keys contains duplicates")
        planned.append((name, table, parsed))
    unprocessed, bills = {}, []
    for name, table, parsed in planned:
        bill = Bill(request, table)
        for count, (place, stored) in enumerate(parsed):
            if call.leaves(count, len(parsed)) or not table.meter.has("write"):
                unprocessed.setdefault(name, []).append(asked[name][count])
                continue
            bill.write(table.items.get(place), stored)
            if stored:
                table.put(place, stored)
            else:
                table.delete(place)
        bills.append(bill)
    _admit_some(store, call, unprocessed, None, total, "write")
    call.effect = "changed"
    return with_bills({"UnprocessedItems": unprocessed}, bills)
