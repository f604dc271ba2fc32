"""DynamoDB's JSON protocol: target to operation, checks of form, the answer's bytes and their crc."""

import json
import re
import uuid
import zlib
from functools import cache

from botocore.session import Session
from botocore.validate import ParamValidator

from .. import wellformed
from . import backups, exports, imports, items, pitr, scan, settings, tables, transactions
from .errors import DdbError, invalid
from .expressions import check_placeholders
from .table import encode

TARGET = "DynamoDB_20120810."
CONTENT_TYPE = "application/x-amz-json-1.0"
MODULES = (items, scan, settings, tables, pitr, backups, exports, imports, transactions)
# Members that hold items: their own checks are in values.py, and faster.
ITEM_MEMBERS = {"Item", "Key", "ExclusiveStartKey", "ExpressionAttributeValues"}
LEGACY = {
    "AttributesToGet",
    "AttributeUpdates",
    "ConditionalOperator",
    "Expected",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
}


@cache
def model():
    return Session().get_service_model("dynamodb")


@cache
def handler(operation):
    """The function of an operation, None when awsim has none."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    if operation not in model().operation_names:
        return None
    return next((getattr(module, name) for module in MODULES if hasattr(module, name)), None)


def _parse(body):
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise DdbError("SerializationException", "The body is not JSON") from None
    if not isinstance(request, dict):
        raise DdbError("SerializationException", "Start of structure or map expected")
    return request


def members(body):
    """A body's members, none when it has no right form."""
    try:
        return _parse(body)
    except DdbError:
        return {}


def _hollow(value):
    """A request without what its items hold."""
    if isinstance(value, list):
        return [_hollow(one) for one in value]
    if not isinstance(value, dict):
        return value
    hollow = {}
    for name, inner in value.items():
        if name in ITEM_MEMBERS and isinstance(inner, dict):
            hollow[name] = {}
        elif name == "Keys" and isinstance(inner, list):
            hollow[name] = [{} if isinstance(key, dict) else key for key in inner]
        elif name == "RequestItems" and isinstance(inner, dict):
            hollow[name] = {table: _hollow(part) for table, part in inner.items()}
        else:
            hollow[name] = _hollow(inner)
    return hollow


def look(call, body):
    """Finds what AWS's model does not know in a request that was not served."""
    if not call.looked_at and call.operation in model().operation_names:
        shape = model().operation_model(call.operation).input_shape
        call.wrong += wellformed.dynamodb(shape, _hollow(members(body)))


def check(call, request):
    """The request against AWS's published model of the operation."""
    shape = model().operation_model(call.operation).input_shape
    formal = _hollow(request)
    call.looked_at, call.wrong = True, call.wrong + wellformed.dynamodb(shape, formal)
    if legacy := LEGACY & set(request):
        raise DdbError("UnknownOperationException", f"awsim has no legacy parameters: {sorted(legacy)}")
    report = ParamValidator().validate(formal, shape)
    if report.has_errors():
        raise invalid("1 validation error detected: " + report.generate_report())
    for name, value in formal.items():
        allowed = getattr(shape.members[name], "enum", None)
        if allowed and value not in allowed:
            raise invalid(
                f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(allowed)}]"
            )


def _encode(answer):
    """JSON of an answer in which lists of items are ready already."""
    parts = []
    for name, value in answer.items():
        if isinstance(value, scan.Raw):
            text = b"[" + b",".join(value.bodies) + b"]"
        elif name == "Responses" and isinstance(value, dict):
            text = _encode(value)
        else:
            text = encode(value)
        parts.append(encode(name) + b":" + text)
    return b"{" + b",".join(parts) + b"}"


def answer(store, call, body):
    """(status, headers, body) of one call; `call` learns its resource and effect."""
    try:
        status, reply = 200, _answer(store, call, body)
    except DdbError as fault:
        status, reply = fault.status, encode(fault.body())
        call.wrong += [fault.message] if fault.code == "SerializationException" else []
    except UnicodeEncodeError:
        status, reply = (
            400,
            encode(DdbError("SerializationException", "A string is not valid Unicode").body()),
        )
    if status != 200:
        call.effect = None
    headers = {
        "Content-Type": CONTENT_TYPE,
        "x-amzn-RequestId": uuid.uuid4().hex.upper(),
        "x-amz-crc32": str(zlib.crc32(reply)),
    }
    return status, headers, reply


def _answer(store, call, body):
    function = handler(call.operation)
    if function is None:
        raise DdbError("UnknownOperationException", "An unknown operation was requested.")
    request = {name: value for name, value in _parse(body).items() if value is not None}
    check(call, request)
    check_placeholders(request)
    with store.lock:
        found = function(store, call, request)
    return _encode(found or {})
