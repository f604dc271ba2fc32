"""What moto's S3 leaves undone: digests that are verified, stored and shown; bodies in aws-chunked form."""

import base64
import binascii
import hashlib
import re
from dataclasses import replace
from urllib.parse import unquote

from awscrt import checksums
from moto.s3.models import s3_backends

from .refusals import error

VIRTUAL_HOST = re.compile(
    r"(?P<bucket>[a-z0-9][a-z0-9.-]+)\.(localhost|s3[.-][a-z0-9.-]*amazonaws\.com)(:\d+)?"
)


def _crc(function, width):
    return lambda body: function(body).to_bytes(width, "big")


ALGORITHMS = {
    "crc32": _crc(checksums.crc32, 4),
    "crc32c": _crc(checksums.crc32c, 4),
    "crc64nvme": _crc(checksums.crc64nvme, 8),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
}
STORING = ("PutObject", "UploadPart")


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.response = error("s3", status, code, message)


def path_style(request):
    """The same request with the bucket in its path."""
    match = VIRTUAL_HOST.fullmatch(request.headers.get("host", ""))
    if match is None:
        return request
    headers = {**request.headers, "host": "127.0.0.1" + (match[3] or "")}
    path, mark, query = request.target.partition("?")
    return replace(request, target=f"/{match['bucket']}{path}{mark}{query}", headers=headers)


def unchunked(request):
    """The request with its real body: aws-chunked framing gone, trailers among the headers."""
    if not request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        return request
    parts, place, body = [], 0, request.body
    while True:
        end = body.index(b"\r\n", place)
        size = int(body[place:end].split(b";")[0], 16)
        place = end + 2
        if size == 0:
            break
        parts.append(body[place : place + size])
        place += size + 2
    headers = {
        name: value
        for name, value in request.headers.items()
        if name not in ("x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer")
    }
    for line in body[place:].decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    encodings = [part.strip() for part in headers.pop("content-encoding", "").split(",")]
    if kept := ",".join(part for part in encodings if part not in ("", "aws-chunked")):
        headers["content-encoding"] = kept
    return replace(request, headers=headers, body=b"".join(parts))


def _decoded(text, length):
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return raw if len(raw) == length else None


def verify(request):
    """{algorithm: digest} that the sender gave; Refused when one does not fit the body."""
    headers, body = request.headers, request.body
    if "content-md5" in headers:
        given = _decoded(headers["content-md5"], 16)
        if given is None:
            raise Refused(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
        if given != hashlib.md5(body, usedforsecurity=False).digest():
            raise Refused(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
    signed = headers.get("x-amz-content-sha256", "")
    if re.fullmatch("[0-9a-fA-F]{64}", signed) and signed.lower() != hashlib.sha256(body).hexdigest():
        raise Refused(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    found = {
        name: headers["x-amz-checksum-" + name] for name in ALGORITHMS if "x-amz-checksum-" + name in headers
    }
    if len(found) > 1:
        raise Refused(
            400,
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    for name, text in found.items():
        right = ALGORITHMS[name](body)
        given = _decoded(text, len(right))
        if given is None:
            raise Refused(400, "InvalidRequest", f"Value for x-amz-checksum-{name} header is invalid.")
        if given != right:
            raise Refused(
                400, "BadDigest", f"The {name.upper()} you specified did not match the calculated checksum."
            )
    return found


def _with_checksum(request, found):
    """The request as moto keeps its checksum: as AWS does, CRC64NVME when the sender gave none."""
    name = next(iter(found), None) or request.headers.get("x-amz-sdk-checksum-algorithm", "crc64nvme").lower()
    value = base64.b64encode(ALGORITHMS[name](request.body)).decode()
    return replace(
        request,
        headers={
            **request.headers,
            "x-amz-sdk-checksum-algorithm": name.upper(),
            "x-amz-checksum-" + name: value,
        },
    )


def _exists(call):
    bucket, _, key = (call.resource or "").partition("/")
    found = s3_backends[call.account]["aws"].buckets.get(bucket)
    return found is not None and key in found.keys


def _check_source(call, request):
    """Refuses a copy whose source is not the one that the sender has seen (moto looks at if-none-match only)."""
    wanted = request.headers.get("x-amz-copy-source-if-match")
    if wanted is None or "x-amz-copy-source" not in request.headers:
        return
    path, _, version = request.headers["x-amz-copy-source"].partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    found = s3_backends[call.account]["aws"].buckets.get(bucket)
    versions = found.keys.getlist(key, []) if found else []
    source = next((one for one in reversed(versions) if version in ("", str(one.version_id))), None)
    tag = getattr(source, "etag", None)
    if tag and wanted != "*" and wanted.strip('"') != tag.strip('"'):
        message = "At least one of the pre-conditions you specified did not hold"
        raise Refused(412, "PreconditionFailed", message)


def answer(moto, call, request):
    """One S3 call through moto, made whole."""
    request = unchunked(request)
    try:
        found = verify(request)
        _check_source(call, request)
    except Refused as refused:
        return refused.response
    if call.operation in STORING and "x-amz-copy-source" not in request.headers:
        request = _with_checksum(request, found)
    with moto.lock:
        if call.operation == "PutObject":
            call.effect = "changed" if _exists(call) else "made"
        response = moto.call(request)
    _show_type(call, response)
    return response


def _show_type(call, response):
    names = {name.lower() for name in response.headers}
    shows = any(name.startswith("x-amz-checksum-") for name in names)
    if shows and "x-amz-checksum-type" not in names and call.operation != "UploadPart":
        response.headers["x-amz-checksum-type"] = "FULL_OBJECT"
