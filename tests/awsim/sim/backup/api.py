"""AWS Backup's REST protocol: the request's members out of path, query and body, checked against its model; the answer."""

import json
import re
import uuid
from datetime import datetime
from functools import cache
from urllib.parse import unquote

from botocore.utils import parse_timestamp
from botocore.validate import ParamValidator

from ..names import model
from ..wire import Response
from . import copies, jobs, plans, points, resources, restores, selections, vaults
from .errors import BackupError, invalid, missing

MODULES = (vaults, plans, selections, jobs, points, restores, copies, resources)
# What moto keeps well enough, and nothing here depends on.
MOTO = {"CreateReportPlan", "DescribeReportPlan", "DeleteReportPlan", "ListReportPlans"}
CONVERT = {"integer": int, "long": int, "timestamp": parse_timestamp}
BOOLEANS = {"true": True, "false": False}


@cache
def handler(operation):
    """The function of an operation, None when awsim has none."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    if operation not in model("backup").operation_names:
        return None
    return next((getattr(module, name) for module in MODULES if hasattr(module, name)), None)


@cache
def _path(operation):
    path = re.escape(model("backup").operation_model(operation).http["requestUri"].rstrip("/"))
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", path) + "/?")


def serves(call):
    return call.service == "backup" and call.operation not in MOTO


def answer(store, call, request):
    """The Response of one call; `call` learns its resource and effect."""
    try:
        function = handler(call.operation)
        if function is None:
            raise BackupError("UnknownOperationException", "An unknown operation was requested.")
        members = _members(call.operation, request)
        with store.lock:
            found = function(store, call, members) or {}
    except BackupError as fault:
        call.effect = None
        return fault.response()
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid.uuid4())}
    return Response(200, headers, json.dumps(found).encode())


def perform(store, call, members):
    """A call of another service on behalf of its caller, which holds the store's lock."""
    _check(members, model("backup").operation_model(call.operation).input_shape)
    return handler(call.operation)(store, call, members) or {}


def _members(operation, request):
    shape = model("backup").operation_model(operation).input_shape
    if shape is None:
        return {}
    found = _body(request)
    path, query = _path(operation).fullmatch(request.path), dict(request.query)
    for name, member in shape.members.items():
        where = member.serialization
        if where.get("location") == "uri":
            found[name] = unquote(path[where["name"]])
        elif where.get("location") == "querystring" and where["name"] in query:
            found[name] = _converted(member, name, query[where["name"]])
    _check(found, shape)
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in found.items()}


def _body(request):
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise BackupError("SerializationException", "The body is not JSON") from None
    if not isinstance(body, dict):
        raise BackupError("SerializationException", "Start of structure or map expected")
    return {name: value for name, value in body.items() if value is not None}


def _converted(member, name, text):
    try:
        if member.type_name == "boolean":
            return BOOLEANS[text.lower()]
        return CONVERT.get(member.type_name, str)(text)
    except (KeyError, ValueError, RuntimeError):
        raise invalid(f"Value '{text}' at '{name}' is not of the type {member.type_name}") from None


def _check(members, shape):
    report = ParamValidator().validate(members, shape)
    if report.has_errors():
        text = report.generate_report()
        raise (missing if "Missing required parameter" in text else invalid)(text)
    _constrain("", members, shape)


def _constrain(name, value, shape):
    """Patterns, enums and bounds, which botocore leaves to the service."""
    if shape.type_name == "structure":
        for member, inner in value.items():
            _constrain(member, inner, shape.members[member])
    elif shape.type_name == "list":
        for inner in value:
            _constrain(name, inner, shape.member)
    elif shape.type_name == "map":
        for key, inner in value.items():
            _constrain(name, key, shape.key)
            _constrain(name, inner, shape.value)
    elif shape.type_name == "string":
        pattern, allowed = shape.metadata.get("pattern"), getattr(shape, "enum", None)
        if pattern and not re.search(pattern, value) or allowed and value not in allowed:
            raise invalid(f"Invalid parameter. Value '{value}' at '{name}' does not fit {pattern or allowed}")
    elif shape.type_name in ("integer", "long"):
        low, high = (shape.metadata.get(bound) for bound in ("min", "max"))
        if low is not None and value < low or high is not None and value > high:
            raise invalid(f"Invalid parameter. Value '{value}' at '{name}' is not between {low} and {high}")


def named(request):
    """Tables, buckets and vaults that a call names, in its body too: what a fault's `table` may be."""
    try:
        members = _body(request)
    except BackupError:
        members = {}
    texts = [*unquote(request.path).split("/"), *(text for text in members.values() if isinstance(text, str))]
    return {*texts, *(resources.name_of(text) for text in texts if text.startswith("arn:"))}
