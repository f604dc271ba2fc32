"""Attribute values: DynamoDB's checks, its normal form, its sizes, and the bytes that order its keys."""

import base64
import binascii
import re
from decimal import Decimal

from .errors import DdbError, invalid, invalid_value

MAX_DEPTH = 32
MAX_ITEM_BYTES = 400 * 1024
MAX_NAME_BYTES = 65535
PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,37}", re.ASCII)
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,9})?", re.ASCII)
MAX_EXPONENT, MIN_EXPONENT, MAX_DIGITS = 125, -130, 38


def number(text):
    """The one spelling DynamoDB gives back: plain decimal, no needless zero or sign."""
    if not isinstance(text, str):
        raise DdbError("SerializationException", "NUMBER_VALUE cannot be converted to String")
    if PLAIN_INTEGER.fullmatch(text):
        return text
    if not NUMBER.fullmatch(text):
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}")
    sign, digits, exponent = Decimal(text).as_tuple()
    digits = "".join(map(str, digits)).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "0"
    exponent += len(digits) - len(significant)
    magnitude = exponent + len(significant) - 1
    if magnitude > MAX_EXPONENT:
        raise invalid(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        )
    if magnitude < MIN_EXPONENT:
        raise invalid(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    if len(significant) > MAX_DIGITS:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    return format(Decimal((sign, tuple(map(int, significant)), exponent)), "f")


def number_size(text):
    digits = text.lstrip("-").replace(".", "").strip("0")
    return 1 + (len(digits) + 1) // 2 + text.startswith("-")


def binary(text):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise DdbError("SerializationException", "Invalid Base64 in a Binary value") from None


def _string(value, _depth):
    if not isinstance(value, str):
        raise DdbError("SerializationException", "The value cannot be converted to String")
    return value, len(value) if value.isascii() else len(value.encode())


def _number(value, _depth):
    plain = number(value)
    return plain, number_size(plain)


def _binary(value, _depth):
    raw = binary(value)
    return base64.b64encode(raw).decode(), len(raw)


def _bool(value, _depth):
    if not isinstance(value, bool):
        raise DdbError("SerializationException", "The value cannot be converted to Boolean")
    return value, 1


def _null(value, _depth):
    if value is not True:
        raise invalid_value("Null attribute value types must have the value of true")
    return True, 1


def _list(value, depth):
    if not isinstance(value, list):
        raise DdbError("SerializationException", "The value cannot be converted to List")
    members = [check(member, depth + 1) for member in value]
    return [member for member, _ in members], 3 + sum(1 + size for _, size in members)


def _map(value, depth):
    if not isinstance(value, dict):
        raise DdbError("SerializationException", "The value cannot be converted to Map")
    members, size = attributes(value, depth + 1)
    return members, 3 + len(members) + size


def _set_of(member_check, empty):
    def check_set(value, depth):
        if not isinstance(value, list):
            raise DdbError("SerializationException", "The value cannot be converted to List")
        if not value:
            raise invalid_value(empty)
        members = [member_check(member, depth) for member in value]
        plain = [member for member, _ in members]
        if len(set(plain)) != len(plain):
            raise invalid_value(f"Input collection [{', '.join(value)}] contains duplicates.")
        return plain, sum(size for _, size in members)

    return check_set


CHECKS = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "BOOL": _bool,
    "NULL": _null,
    "L": _list,
    "M": _map,
    "SS": _set_of(_string, "An string set  may not be empty"),
    "NS": _set_of(_number, "An number set  may not be empty"),
    "BS": _set_of(_binary, "Binary sets should not be empty"),
}


def check(value, depth=1):
    """(normal form, size) of one attribute value, or the refusal DynamoDB would give."""
    if depth > MAX_DEPTH:
        raise invalid(
            "Nesting Levels have exceeded supported limits: "
            "Attributes in the item have nested levels beyond supported limit"
        )
    if not isinstance(value, dict):
        raise DdbError("SerializationException", "Unexpected value type in payload")
    if len(value) > 1:
        raise invalid(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
        )
    for kind, inner in value.items():
        if kind in CHECKS:
            plain, size = CHECKS[kind](inner, depth)
            return {kind: plain}, size
    raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")


def attributes(members, depth=1):
    """(normal form, size) of a map of attributes, the item itself included."""
    plain, total = {}, 0
    for name, value in members.items():
        width = len(name) if name.isascii() else len(name.encode())
        if not 0 < width <= MAX_NAME_BYTES:
            raise invalid(
                f"Attribute name is too large, must be less than {MAX_NAME_BYTES + 1} bytes"
                if width
                else "Empty attribute name"
            )
        plain[name], size = check(value, depth)
        total += size + width
    return plain, total


def order_bytes(value):
    """Bytes that compare as DynamoDB orders values of this key type."""
    ((kind, inner),) = value.items()
    if kind == "S":
        return inner.encode()
    if kind == "B":
        return binary(inner)
    return _number_order(inner)


def _number_order(text):
    sign, digits, exponent = Decimal(text).as_tuple()
    significant = "".join(map(str, digits)).lstrip("0")
    if not significant:
        return b"\x40"
    magnitude = exponent + len(significant) - 1
    absolute = (
        bytes([magnitude - MIN_EXPONENT >> 8, magnitude - MIN_EXPONENT & 0xFF])
        + significant.rstrip("0").encode()
    )
    if sign:
        return b"\x00" + bytes(0xFF - byte for byte in absolute) + b"\xff"
    return b"\x80" + absolute
