"""One table: its items, kept as the bytes that answers carry, in the order of DynamoDB's hash space."""

import hashlib
import json

from sortedcontainers import SortedDict

from .errors import invalid, invalid_value
from .values import MAX_ITEM_BYTES, attributes, check, order_bytes

MAX_HASH_KEY, MAX_RANGE_KEY = 2048, 1024
HASH_SPACE = 1 << 64
KEY_KINDS = {"S": "string", "B": "binary"}


def encode(members):
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


class KeySchema:
    """The hash and the range attribute of a table or of an index, and their types."""

    def __init__(self, key_schema, types):
        roles = {element["KeyType"]: element["AttributeName"] for element in key_schema}
        self.hash, self.range = roles["HASH"], roles.get("RANGE")
        self.names = [self.hash] + ([self.range] if self.range else [])
        self.types = {name: types[name] for name in self.names}

    def place(self, members):
        """Where these attributes lie: the hash first, then the range key in its order."""
        value = members[self.hash]
        hashed = hashlib.md5(order_bytes(value), usedforsecurity=False).digest()
        return hashed + (order_bytes(members[self.range]) if self.range else b"")

    def key_of(self, members):
        return {name: members[name] for name in self.names}


class Stored:
    """An item at rest; `members` is parsed anew when somebody needs more than its bytes."""

    __slots__ = ("body", "size")

    def __init__(self, body, size):
        self.body, self.size = body, size

    @property
    def members(self):
        return json.loads(self.body)


class Table:
    def __init__(self, name, key_schema, types):
        self.name = name
        self.types = types
        self.schema = KeySchema(key_schema, types)
        self.items = SortedDict()
        self.bytes = 0
        self.indexes = {}
        self._views = {}

    # -- checks ------------------------------------------------------------------------------------

    def item(self, members):
        """(place, normal members, Stored) of an item to be written."""
        for name in self.schema.names:
            if name not in members:
                raise invalid_value(f"Missing the key {name} in the item")
        plain, size = attributes(members)
        self._check_key(plain)
        for index in self.indexes.values():
            self._check_index_key(index, plain)
        if size > MAX_ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        return self.schema.place(plain), plain, Stored(encode(plain), size)

    def key(self, members):
        """(place, normal key) of a Key member."""
        if not isinstance(members, dict) or set(members) != set(self.schema.names):
            raise invalid("The provided key element does not match the schema")
        plain = {name: check(value)[0] for name, value in members.items()}
        for name in self.schema.names:
            if self.schema.types[name] not in plain[name]:
                raise invalid("The provided key element does not match the schema")
        self._check_key(plain)
        return self.schema.place(plain), plain

    def _check_key(self, plain):
        for name, kind in self.schema.types.items():
            ((actual, value),) = plain[name].items()
            if actual != kind:
                raise invalid_value(f"Type mismatch for key {name} expected: {kind} actual: {actual}")
            if value == "":
                raise invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute "
                    f"cannot contain an empty {KEY_KINDS[kind]} value. Key: {name}"
                )
        if len(order_bytes(plain[self.schema.hash])) > MAX_HASH_KEY:
            raise invalid_value("Size of hashkey has exceeded the maximum size limit of2048 bytes")
        if self.schema.range and len(order_bytes(plain[self.schema.range])) > MAX_RANGE_KEY:
            raise invalid_value("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")

    @staticmethod
    def _check_index_key(index, plain):
        for name, kind in index.schema.types.items():
            if name not in plain:
                continue
            ((actual, value),) = plain[name].items()
            if actual != kind:
                raise invalid_value(
                    f"Type mismatch for Index Key {name} Expected: {kind} Actual: {actual} "
                    f"IndexName: {index.name}"
                )
            if value == "":
                raise invalid(
                    "One or more parameter values are not valid. A value specified for a secondary index key "
                    "is not supported. The AttributeValue for a key attribute cannot contain an empty "
                    f"{KEY_KINDS[kind]} value. IndexName: {index.name}, IndexKey: {name}"
                )

    # -- items -------------------------------------------------------------------------------------

    def put(self, place, stored):
        """Returns the item that was there."""
        old = self.items.get(place)
        self.items[place] = stored
        self.bytes += stored.size - (old.size if old else 0)
        for view in self._views.values():
            view.change(place, old, stored)
        return old

    def delete(self, place):
        old = self.items.pop(place, None)
        if old:
            self.bytes -= old.size
            for view in self._views.values():
                view.change(place, old, None)
        return old

    # -- order -------------------------------------------------------------------------------------

    def view(self, index):
        """What the index shows of the items; made when first asked for, then kept with each write."""
        view = self._views.get(index.name)
        if view is None:
            view = self._views[index.name] = View(self.schema, index)
            for place, stored in self.items.items():
                view.change(place, None, stored)
        return view

    def drop_index(self, name):
        del self.indexes[name]
        self._views.pop(name, None)


class View:
    """An index's own items: place -> Stored, and their bytes."""

    def __init__(self, table_schema, index):
        self.table_schema, self.index = table_schema, index
        self.items, self.bytes = SortedDict(), 0

    def change(self, table_place, old, new):
        for stored, sign in ((old, -1), (new, 1)):
            entry = self.index.entry(self.table_schema, table_place, stored) if stored else None
            if entry is None:
                continue
            place, shown = entry
            self.bytes += sign * shown.size
            if sign > 0:
                self.items[place] = shown
            else:
                del self.items[place]


class Index:
    """A secondary index."""

    def __init__(self, spec, types, is_global):
        self.name, self.is_global = spec["IndexName"], is_global
        self.schema = KeySchema(spec["KeySchema"], types)
        self.projection = spec["Projection"]

    def shown(self, table_schema, members):
        if self.projection["ProjectionType"] == "ALL":
            return members
        names = {*table_schema.names, *self.schema.names, *self.projection.get("NonKeyAttributes", ())}
        return {name: value for name, value in members.items() if name in names}

    def place(self, members, table_place):
        hashed = self.schema.place(members)
        return hashed[:16] + hashed[16:].replace(b"\0", b"\0\xff") + b"\0\0" + table_place

    def entry(self, table_schema, table_place, stored):
        """(place, Stored) of an item in this index, None when it lacks the index's keys."""
        members = stored.members
        if any(name not in members for name in self.schema.names):
            return None
        shown = self.shown(table_schema, members)
        if shown is not members:
            stored = Stored(encode(shown), attributes(shown)[1])
        return self.place(members, table_place), stored


def segment_bounds(segment, total):
    """The first place of a segment and the first place after it (None: the end)."""
    first = -(-segment * HASH_SPACE // total)
    after = -(-(segment + 1) * HASH_SPACE // total)
    return first.to_bytes(8, "big"), after.to_bytes(8, "big") if after < HASH_SPACE else None
