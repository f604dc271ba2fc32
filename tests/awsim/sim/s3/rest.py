"""S3's REST protocol by AWS's own model: the members of a request, the bytes of an answer."""

import re
import uuid
import xml.etree.ElementTree as tree
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import unquote

from ..names import model
from ..state import rfc3339
from ..wire import Response
from .errors import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# The model does not name the root elements of answers.
ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
UNPRINTABLE = re.compile('[&<>"\x00-\x1f\x7f\ufffe\uffff]')
KEPT = {"\t", "\n"}


# -- requests -----------------------------------------------------------------------------------


def members(operation, request):
    """What the sender gave, by the names of AWS's model; S3Error for what has no right form."""
    shape = model("s3").operation_model(operation).input_shape
    given, query = {}, dict(request.query)
    path = request.path.removeprefix("/").partition("/")
    found = {"Bucket": unquote(path[0]), "Key": unquote(path[2], errors="surrogateescape")}
    for name, member in shape.members.items():
        where = member.serialization
        place, wire_name = where.get("location"), where.get("name", name)
        if place == "uri":
            given[name] = found[name]
        elif place == "querystring" and wire_name in query:
            given[name] = _scalar(member, query[wire_name], wire_name)
        elif place == "header" and wire_name.lower() in request.headers:
            given[name] = _header(member, request.headers[wire_name.lower()], wire_name)
        elif place == "headers":
            prefix = wire_name.lower()
            given[name] = {
                header[len(prefix) :]: value
                for header, value in request.headers.items()
                if header.startswith(prefix)
            }
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "structure" and request.body:
        given[payload] = parse_xml(request.body, shape.members[payload])
    elif payload and shape.members[payload].type_name == "structure" and payload in shape.required_members:
        raise S3Error("MissingRequestBodyError", "Request Body is empty")
    return given


def parse_xml(body, shape):
    try:
        root = tree.fromstring(body)
    except tree.ParseError:
        raise S3Error("MalformedXML") from None
    return _structure(root, shape)


def _plain(node):
    return node.tag.rpartition("}")[2]


def _structure(node, shape):
    found = {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        nodes = [child for child in node if _plain(child) == wire_name]
        if member.type_name == "list":
            flat = member.serialization.get("flattened")
            if not flat and nodes:
                nodes = list(nodes[0])
            elif not flat:
                continue
            elif not nodes:
                nodes = [
                    child
                    for child in node
                    if _plain(child) == member.member.serialization.get("name", wire_name)
                ]
            if nodes or not flat:
                found[name] = [_value(child, member.member) for child in nodes]
        elif nodes:
            found[name] = _value(nodes[0], member)
    if any(name not in found for name in shape.required_members):
        raise S3Error("MalformedXML")
    return found


def _value(node, shape):
    if shape.type_name == "structure":
        return _structure(node, shape)
    if shape.type_name == "list":
        return [_value(child, shape.member) for child in node]
    return _scalar(shape, (node.text or "").strip() if shape.type_name != "string" else node.text or "", None)


def _scalar(shape, text, wire_name):
    try:
        if shape.type_name in ("integer", "long"):
            return int(text)
        if shape.type_name == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if shape.type_name == "timestamp":
            return moment(text)
    except (ValueError, KeyError):
        if wire_name is None:
            raise S3Error("MalformedXML") from None
        raise S3Error(
            "InvalidArgument", f"Provided {wire_name} has not the right form", ArgumentName=wire_name
        ) from None
    if wire_name is None and getattr(shape, "enum", None) and text not in shape.enum:
        raise S3Error("MalformedXML")
    return text


def _header(shape, text, wire_name):
    if shape.type_name == "list":
        return [part.strip() for part in text.split(",")]
    return _scalar(shape, text, wire_name)


def moment(text):
    """Seconds since 1970 of a time as ISO 8601 or as HTTP writes it."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        found = parsedate_to_datetime(text)
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()


# -- answers ------------------------------------------------------------------------------------


def response(operation, result, status=None):
    """The Response of a result; `Body` is sent as it is, members of value None are left out."""
    known = model("s3").operation_model(operation)
    headers = {"x-amz-request-id": uuid.uuid4().hex[:16].upper(), "x-amz-id-2": uuid.uuid4().hex}
    status = status or int(known.http.get("responseCode", 200))
    shape = known.output_shape
    if shape is None:
        return Response(status, headers)
    result = {name: value for name, value in result.items() if value is not None}
    inside = []
    for name, member in shape.members.items():
        where = member.serialization
        if where.get("location") == "header" and name in result:
            headers[where["name"]] = _shown_header(member, result[name])
        elif where.get("location") == "headers":
            headers |= {where["name"] + key: value for key, value in result.get(name, {}).items()}
        elif "location" not in where:
            inside.append(name)
    payload = shape.serialization.get("payload")
    if payload == "Body":
        return Response(status, headers, result.get("Body", b""))
    if payload:
        member = shape.members[payload]
        text = _element(member.serialization.get("name", payload), member, result[payload], root=True)
    elif inside and operation in ROOTS:
        text = f'<{ROOTS[operation]} xmlns="{NAMESPACE}">{_inner(shape, result, inside)}</{ROOTS[operation]}>'
    else:
        return Response(status, headers)
    headers["Content-Type"] = "application/xml"
    return Response(
        status,
        headers,
        ('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode("utf-8", "surrogateescape"),
    )


def _shown_header(shape, value):
    if shape.type_name == "timestamp":
        if shape.serialization.get("timestampFormat") == "iso8601":
            return rfc3339(value)
        return http_date(value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    return str(value)


def http_date(at):
    return format_datetime(datetime.fromtimestamp(int(at), timezone.utc), usegmt=True)


def _inner(shape, value, names=None):
    parts = []
    for name in names or shape.members:
        member = shape.members[name]
        if name in value and value[name] is not None:
            wire_name = member.serialization.get("name", name)
            parts.append(
                _listed(member, value[name], wire_name)
                if member.type_name == "list"
                else _element(wire_name, member, value[name])
            )
    # Versions and delete markers stand in one order.
    return "".join(parts) + "".join(_element(name, kind, one) for name, kind, one in value.get("Entries", ()))


def _listed(shape, values, wire_name):
    if shape.serialization.get("flattened"):
        return "".join(_element(wire_name, shape.member, one) for one in values)
    inner = shape.member.serialization.get("name", "member")
    return (
        f"<{wire_name}>" + "".join(_element(inner, shape.member, one) for one in values) + f"</{wire_name}>"
    )


def _element(name, shape, value, root=False):
    mark = f' xmlns="{NAMESPACE}"' if root else ""
    if shape.type_name == "structure":
        text = _inner(shape, value)
    elif shape.type_name == "timestamp":
        text = rfc3339(int(value))
    elif shape.type_name == "boolean":
        text = "true" if value else "false"
    else:
        text = UNPRINTABLE.sub(lambda one: one[0] if one[0] in KEPT else f"&#{ord(one[0])};", str(value))
    return f"<{name}{mark}>{text}</{name}>"
