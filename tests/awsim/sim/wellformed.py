"""What in a request AWS's published models do not know: its protocol, members, types, enums and sizes."""

import io
import json
import re
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from botocore.parsers import ResponseParserError, RpcV2CBORParser

from .names import CBOR_PATH, model, routes
from .shapes import Form, Reader, Typed, Xml, name_of, tree_of

JSON_TYPE = re.compile(r"application/x-amz-json-(\d\.\d)")
FORM_TYPE = "application/x-www-form-urlencoded"
# Headers that every operation takes; those of a body's digest are S3's.
COMMON = re.compile(
    r"x-amz-(date|content-sha256|security-token|user-agent|target|decoded-content-length|trailer|te|checksum-\w+|sdk-\w+(-\w+)?)"
)
# What presigning adds to an address, and the SDKs' own hint.
SIGNED_QUERY = re.compile(r"(?i)x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token)|x-id")

UNREADABLE = (ValueError, KeyError, IndexError, RecursionError, ElementTree.ParseError, ResponseParserError)


def faults(call, request):
    """Why no client of AWS could have meant this request, nothing when one could."""
    known = model(call.service) if call.service else None
    if known is None:
        return [f"AWS has no service {call.service}"]
    if call.operation not in known.operation_names:
        return [f"{call.service} has no operation {call.operation}"]
    operation = known.operation_model(call.operation)
    protocol = _protocol(request)
    spoken = known.metadata.get("protocols") or [known.metadata["protocol"]]
    if protocol == "rest":
        protocol = next((one for one in spoken if one.startswith("rest-")), "rest")
    if protocol not in spoken:
        return [f"{call.service} speaks {', '.join(spoken)}, not {protocol}"]
    try:
        return list(PROTOCOLS[protocol](known, operation, request)) + _digest(operation, request)
    except UNREADABLE as fault:
        return [f"the body is not {protocol}: {fault}"]


def _protocol(request):
    if "x-amz-target" in request.headers:
        return "json"
    if CBOR_PATH.fullmatch(request.path):
        return "smithy-rpc-v2-cbor"
    form = request.headers.get("content-type", "").startswith(FORM_TYPE) and request.path == "/"
    return "query" if form or "Action" in dict(request.query) and request.path == "/" else "rest"


def _digest(operation, request):
    """Some operations want a digest of their body."""
    wanted = operation.http_checksum_required or operation.http_checksum.get("requestChecksumRequired")
    has = any(name == "content-md5" or name.startswith("x-amz-checksum-") for name in request.headers)
    has = has or "x-amz-trailer" in request.headers
    return ["a digest of the body is required"] if wanted and not has else []


def _read(reader, shape, value):
    """Of an operation without members nothing may be given."""
    if shape is None:
        return ["it takes no members"] if value else []
    reader.read(shape, value)
    return reader.faults


def _json(known, operation, request):
    version = known.metadata.get("jsonVersion", "1.0")
    found = JSON_TYPE.fullmatch(request.headers.get("content-type", "").partition(";")[0].strip())
    if found is None or found[1] != version:
        yield f"content-type must be application/x-amz-json-{version}"
    wanted = f"{known.metadata['targetPrefix']}.{operation.name}"
    if request.headers["x-amz-target"] != wanted:
        yield f"x-amz-target must be {wanted}"
    if (request.method, request.path) != ("POST", "/"):
        yield "it must be a POST of /"
    if operation.service_model.service_name != "dynamodb":  # whose handlers read the body anyway, see dynamodb()
        yield from _read(Typed(), operation.input_shape, json.loads(request.body))


def dynamodb(shape, members):
    """Of a request of DynamoDB, without what its items hold."""
    return _read(Typed(), shape, members)


def _cbor(_known, operation, request):
    if request.headers.get("smithy-protocol") != "rpc-v2-cbor":
        yield "smithy-protocol must be rpc-v2-cbor"
    parser = RpcV2CBORParser()
    members = {}
    if request.body:
        members = parser.parse_data_item(io.BufferedReader(io.BytesIO(request.body)))
    yield from _read(Typed(), operation.input_shape, members)


def _query(known, operation, request):
    pairs = request.query
    if request.method == "POST":
        if not request.headers.get("content-type", "").startswith(FORM_TYPE):
            yield f"content-type must be {FORM_TYPE}"
        pairs = _pairs(request.body.decode())
    pairs = [(name, text) for name, text in pairs if not SIGNED_QUERY.fullmatch(name)]
    tree, twice = tree_of(pairs)
    if twice:
        yield f"{twice} stands twice"
        return
    tree.pop("Action")
    if tree.pop("Version", None) != known.api_version:
        yield f"Version must be {known.api_version}"
    yield from _read(Form(), operation.input_shape, tree)


def _pairs(text):
    return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))


# -- rest: labels, query, headers, and what is left in the body -------------------------------------------


def _rest(body):
    def read(known, operation, request):
        shape, reader = operation.input_shape, Reader()
        members = dict(shape.members) if shape else {}
        placed = {name: one for name, one in members.items() if "location" in one.serialization}
        by = {place: _located(placed, place) for place in ("uri", "querystring", "header", "headers")}
        required = set(shape.required_members) if shape else set()
        _labels(known, operation, request, reader, by["uri"])
        _arguments(operation, request, reader, by["querystring"], required)
        _headers(request, reader, by["header"], by["headers"], required)
        if shape is None or set(members) == set(placed):
            if request.body not in (b"", b"{}"):
                reader.wrong("", "it takes no body")
        else:
            reader.faults += body(operation, shape, set(placed), request)
        return reader.faults

    return read


def _located(placed, place):
    return {
        name_of(one, name): (name, one)
        for name, one in placed.items()
        if one.serialization["location"] == place
    }


def _labels(known, operation, request, reader, labels):
    pattern = next(route[1] for route in routes(known.service_name) if route[4] == operation.name)
    found = pattern.fullmatch(request.path)
    for label, (_, shape) in labels.items():
        text = found and found.groupdict().get(label)
        if not text:
            reader.wrong(label, "is required in the address")
        else:
            reader.text(shape, unquote(text), label, "iso8601")


def _arguments(operation, request, reader, known, required):
    literal = operation.http["requestUri"].partition("?")[2]
    fixed = {part.partition("=")[0] for part in literal.split("&") if part}
    free = any(shape.type_name == "map" for _, shape in known.values())
    given = {}
    for name, text in request.query:
        if name in known:
            given.setdefault(name, []).append(text)
        elif name not in fixed and not free and not SIGNED_QUERY.fullmatch(name):
            reader.wrong(name, f"{operation.name} has no such argument")
    for name, (member, shape) in known.items():
        texts, listed = given.get(name), shape.type_name == "list"
        if texts is None:
            if member in required and shape.type_name != "map":
                reader.wrong(name, "is required")
        elif len(texts) > 1 and not listed:
            reader.wrong(name, "stands twice")
        else:
            for text in texts:
                reader.text(shape.member if listed else shape, text, name, "iso8601")


def _headers(request, reader, known, prefixes, required):
    lower = {name.lower(): found for name, found in known.items()}
    starts = tuple(name.lower() for name in prefixes)
    for name, text in request.headers.items():
        if name in lower:
            _header(reader, lower[name][1], text, name)
        elif name.startswith("x-amz-") and not COMMON.fullmatch(name) and not (starts and name.startswith(starts)):
            reader.wrong(name, "the operation has no such header")
    for name, (member, _) in lower.items():
        if member in required and name not in request.headers:
            reader.wrong(name, "is required")


def _header(reader, shape, text, name):
    if shape.type_name == "list":
        for part in text.split(","):
            reader.text(shape.member, part.strip(), name, "rfc822")
    elif not shape.serialization.get("jsonvalue"):
        reader.text(shape, text, name, "rfc822")


def _payload(shape):
    """The member that is the whole body, None when the body holds members."""
    name = shape.serialization.get("payload")
    return shape.members[name] if name else None


def _json_body(_operation, shape, placed, request):
    payload, reader = _payload(shape), Typed()
    if payload is not None and payload.type_name in ("blob", "string"):
        return []
    if not request.body:
        needs = set(shape.required_members) - placed
        return [f"a body with {', '.join(sorted(needs))} is required"] if needs else []
    if not request.headers.get("content-type", "").startswith(("application/json", "application/x-amz-json-")):
        reader.wrong("", "content-type must be application/json")
    value = json.loads(request.body)
    if payload is not None:
        reader.read(payload, value)
    else:
        reader._structure(shape, value, "", placed)
    return reader.faults


def _xml_body(operation, shape, placed, request):
    payload, reader = _payload(shape), Xml()
    if payload is not None and payload.type_name in ("blob", "string"):
        return []
    if not request.body:
        needs = set(shape.required_members) - placed
        return [f"a body with {', '.join(sorted(needs))} is required"] if needs else []
    root = ElementTree.fromstring(request.body)
    whole = payload if payload is not None else shape
    wanted = whole.serialization.get("name") or whole.name
    space, _, name = root.tag.rpartition("}")
    if name != wanted:
        reader.wrong("", f"the body's element is {name}, not {wanted}")
    own = (whole.serialization.get("xmlNamespace") or {}).get("uri")
    if own and space.lstrip("{") != own and (space or operation.service_model.service_name != "s3"):
        reader.wrong("", f"the body's namespace is {space.lstrip('{')!r}, not {own}")
    if payload is not None:
        reader.read(payload, root)
    else:
        reader.structure(shape, root, "", placed)
    return reader.faults


PROTOCOLS = {
    "json": _json,
    "query": _query,
    "smithy-rpc-v2-cbor": _cbor,
    "rest-json": _rest(_json_body),
    "rest-xml": _rest(_xml_body),
}
