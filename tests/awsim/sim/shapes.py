"""A value held against its shape in AWS's published models. Each reader takes one form: typed (JSON, CBOR), text, form, XML."""

import base64
import binascii
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from numbers import Real

ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?|\d{4}-\d\d-\d\d")
SPECIAL_FLOATS = ("NaN", "Infinity", "-Infinity")


def name_of(shape, member):
    """What a member is called on the wire."""
    return shape.serialization.get("name", member)


def typed(shape, value):
    """The value with numbers and truths for the texts that a template of CloudFormation may have."""
    if shape.type_name == "structure":
        return {name: typed(shape.members[name], one) if name in shape.members else one for name, one in value.items()}
    if shape.type_name == "list":
        return [typed(shape.member, one) for one in value]
    if shape.type_name in ("integer", "long"):
        return int(value)
    return value in (True, "true") if shape.type_name == "boolean" else value


class Reader:
    """Walks one value; what is wrong with it is in `faults`, each with its place."""

    def __init__(self):
        self.faults = []

    def wrong(self, where, words):
        self.faults.append(f"{where}: {words}" if where else words)

    def bounds(self, shape, size, where):
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and size < low or high is not None and size > high:
            self.wrong(where, f"{size} is not within {low}..{high}")

    def word(self, shape, text, where):
        allowed = shape.metadata.get("enum")
        if allowed and text not in allowed:
            self.wrong(where, f"{text!r} is none of {', '.join(allowed)}")
        self.bounds(shape, len(text), where)

    def moment(self, text, kind, where):
        try:
            if kind == "unixTimestamp":
                float(text)
            elif kind == "rfc822":
                parsedate_to_datetime(text)
            elif not ISO_8601.fullmatch(text):
                raise ValueError(text)
        except (ValueError, TypeError):
            self.wrong(where, f"{text!r} is not a time in the form {kind}")

    def blob(self, shape, text, where):
        try:
            self.bounds(shape, len(base64.b64decode(text, validate=True)), where)
        except (binascii.Error, ValueError):
            self.wrong(where, "is not base64")

    def text(self, shape, text, where, times):
        """A leaf that is written as text: in a form, an element, a header, an address."""
        kind = shape.type_name
        if kind in ("string", "character"):
            self.word(shape, text, where)
        elif kind == "boolean" and text not in ("true", "false"):
            self.wrong(where, f"{text!r} is neither true nor false")
        elif kind in ("integer", "long"):
            if not re.fullmatch(r"-?\d+", text):
                return self.wrong(where, f"{text!r} is not a whole number")
            self.bounds(shape, int(text), where)
        elif kind in ("float", "double"):
            self._float(text, where)
        elif kind == "timestamp":
            self.moment(text, shape.serialization.get("timestampFormat", times), where)
        elif kind == "blob":
            self.blob(shape, text, where)
        elif kind not in ("boolean",):
            self.wrong(where, f"a {kind} cannot stand here")

    def _float(self, text, where):
        try:
            float(text)
        except ValueError:
            self.wrong(where, f"{text!r} is not a number")

    def members(self, shape, given, where, read, skip=()):
        """A structure's members by their names on the wire, `given` without those that are null."""
        names = {name_of(one, name): name for name, one in shape.members.items() if name not in skip}
        for wire, value in given.items():
            if wire not in names:
                self.wrong(where, f"{shape.name} has no member {wire}")
            else:
                read(shape.members[names[wire]], value, f"{where}.{wire}".lstrip("."))
        for name in shape.required_members:
            one = shape.members[name]
            if name not in skip and name_of(one, name) not in given and not self.vanishes(one):
                self.wrong(where, f"{name} is required")
        if shape.metadata.get("union") and len(given) != 1:
            self.wrong(where, f"{shape.name} is a union and has {len(given)} members")

    def vanishes(self, _shape):
        """Whether this form cannot tell an empty value from none."""
        return False

    def all_of(self, shape, values, where, read):
        """A list's members."""
        self.bounds(shape, len(values), where)
        for place, value in enumerate(values):
            read(shape.member, value, f"{where}[{place}]")


class Typed(Reader):
    """JSON, or CBOR once decoded (blobs are bytes there, times have a type of their own)."""

    def read(self, shape, value, where=""):
        if getattr(shape, "is_document_type", False):
            return
        getattr(self, "_" + shape.type_name)(shape, value, where)

    def kind(self, value, kinds, where, words):
        good = isinstance(value, kinds) and not (isinstance(value, bool) and kinds is not bool)
        if not good:
            self.wrong(where, f"{type(value).__name__} instead of {words}")
        return good

    def _structure(self, shape, value, where, skip=()):
        if self.kind(value, dict, where, "an object"):
            given = {name: one for name, one in value.items() if one is not None}
            self.members(shape, given, where, self.read, skip)

    def _map(self, shape, value, where):
        if self.kind(value, dict, where, "an object"):
            self.bounds(shape, len(value), where)
            for key, one in value.items():
                self.word(shape.key, key, f"{where}.{key}")
                self.read(shape.value, one, f"{where}.{key}")

    def _list(self, shape, value, where):
        if self.kind(value, list, where, "a list"):
            self.all_of(shape, value, where, self.read)

    def _string(self, shape, value, where):
        if self.kind(value, str, where, "a string"):
            self.word(shape, value, where)

    _character = _string

    def _integer(self, shape, value, where):
        if self.kind(value, int, where, "a whole number"):
            self.bounds(shape, value, where)

    _long = _integer

    def _float(self, shape, value, where=""):
        if value not in SPECIAL_FLOATS:
            self.kind(value, Real, where, "a number")

    _double = _float

    def _boolean(self, _shape, value, where):
        self.kind(value, bool, where, "a boolean")

    def _blob(self, shape, value, where):
        if isinstance(value, bytes):
            self.bounds(shape, len(value), where)
        elif self.kind(value, str, where, "a string"):
            self.blob(shape, value, where)

    def _timestamp(self, shape, value, where):
        form = shape.serialization.get("timestampFormat", "unixTimestamp")
        if isinstance(value, datetime) or form == "unixTimestamp":
            self.kind(value, (datetime, Real), where, "a time as a number")
        elif self.kind(value, str, where, "a time as text"):
            self.moment(value, form, where)


class Form(Reader):
    """The query protocol: names with dots and numbers."""

    def vanishes(self, shape):
        return shape.type_name == "map" or shape.type_name == "structure" and not shape.required_members

    def read(self, shape, tree, where=""):
        kind = shape.type_name
        if kind in ("structure", "list", "map"):
            return getattr(self, "_" + kind)(shape, tree, where)
        if isinstance(tree, dict):
            return self.wrong(where, f"a {kind} has no members")
        self.text(shape, tree, where, "iso8601")

    def _structure(self, shape, tree, where):
        if not isinstance(tree, dict):
            return self.wrong(where, "text instead of members")
        self.members(shape, self._own(shape, tree), where, self.read)

    def _own(self, shape, tree):
        """A flattened list may stand under its member's name."""
        names = dict(tree)
        for name, member in shape.members.items():
            if member.type_name == "list" and member.serialization.get("flattened"):
                inner = member.member.serialization.get("name")
                if inner in names:
                    names[name_of(member, name)] = names.pop(inner)
        return names

    def _list(self, shape, tree, where):
        if tree == "":
            return self.bounds(shape, 0, where)
        if not shape.serialization.get("flattened"):
            tree = self._below(tree, name_of(shape.member, "member"), where)
        self.all_of(shape, self._numbered(tree, where), where, self.read)

    def _below(self, tree, name, where):
        if not isinstance(tree, dict) or set(tree) != {name}:
            self.wrong(where, f"its members must stand below {name}")
            return {}
        return tree[name]

    def _numbered(self, tree, where):
        if not isinstance(tree, dict) or sorted(tree) != sorted(str(n + 1) for n in range(len(tree))):
            self.wrong(where, "its members are not numbered from 1")
            return []
        return [tree[str(n + 1)] for n in range(len(tree))]

    def _map(self, shape, tree, where):
        if not shape.serialization.get("flattened"):
            tree = self._below(tree, "entry", where)
        entries = self._numbered(tree, where)
        self.bounds(shape, len(entries), where)
        names = (name_of(shape.key, "key"), name_of(shape.value, "value"))
        for place, entry in enumerate(entries, 1):
            if not isinstance(entry, dict) or set(entry) != set(names):
                self.wrong(f"{where}.{place}", f"must have {names[0]} and {names[1]}")
                continue
            self.read(shape.key, entry[names[0]], f"{where}.{place}.{names[0]}")
            self.read(shape.value, entry[names[1]], f"{where}.{place}.{names[1]}")


def tree_of(pairs):
    """(name.with.dots, text) pairs as members of members, or the name that stands twice."""
    tree = {}
    for name, text in pairs:
        *path, last = name.split(".")
        place = tree
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                return None, name
        if last in place:
            return None, name
        place[last] = text
    return tree, None


class Xml(Reader):
    """An element of a body."""

    def read(self, shape, element, where=""):
        kind = shape.type_name
        if kind in ("structure", "list", "map"):
            return getattr(self, "_" + kind)(shape, element, where)
        if len(element):
            return self.wrong(where, f"a {kind} has no elements")
        self.text(shape, element.text or "", where, "iso8601")

    def structure(self, shape, element, where, skip=()):
        attributes = {
            name: one for name, one in shape.members.items() if one.serialization.get("xmlAttribute")
        }
        for name, one in attributes.items():
            if name in shape.required_members and not element.attrib:
                self.wrong(where, f"the attribute {name_of(one, name)} is required")
        given = {}
        for child in element:
            given.setdefault(_local(child.tag), []).append(child)
        flat = {
            name_of(one, name) for name, one in shape.members.items() if one.serialization.get("flattened")
        }
        for name, found in given.items():
            if name not in flat:
                if len(found) > 1:
                    self.wrong(f"{where}.{name}", "stands more than once")
                given[name] = found[0]
        self.members(shape, given, where, self.read, {*attributes, *skip})

    _structure = structure

    def _list(self, shape, element, where):
        if shape.serialization.get("flattened"):
            return self.all_of(shape, element, where, self.read)
        name = name_of(shape.member, "member")
        for child in element:
            if _local(child.tag) != name:
                self.wrong(where, f"{_local(child.tag)} instead of {name}")
        self.all_of(shape, list(element), where, self.read)

    def _map(self, shape, element, where):
        entries = element if shape.serialization.get("flattened") else list(element)
        for entry in entries:
            names = {_local(child.tag) for child in entry}
            if names != {name_of(shape.key, "key"), name_of(shape.value, "value")}:
                self.wrong(where, "an entry must have a key and a value")
                continue
            for child in entry:
                part = shape.key if _local(child.tag) == name_of(shape.key, "key") else shape.value
                self.read(part, child, f"{where}.{_local(child.tag)}")


def _local(tag):
    return tag.rpartition("}")[2]
