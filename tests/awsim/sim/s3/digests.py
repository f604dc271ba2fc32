"""Bodies: aws-chunked framing taken off, every digest that the sender gave verified.

Source: S3 User Guide, "Checking object integrity"; S3 API Reference, "Error responses".
"""

import base64
import binascii
import hashlib
import re
from dataclasses import replace

from awscrt import checksums

from ..names import model
from .errors import S3Error

TRAILING = re.compile(r"x-amz-checksum-([a-z0-9]+)")
UNSUPPORTED = ("xxhash64", "xxhash3", "xxhash128")


def _crc(function, width):
    return lambda body: function(body).to_bytes(width, "big")


def _hash(name):
    return lambda body: hashlib.new(name, body, usedforsecurity=False).digest()


ALGORITHMS = {
    "CRC32": _crc(checksums.crc32, 4),
    "CRC32C": _crc(checksums.crc32c, 4),
    "CRC64NVME": _crc(checksums.crc64nvme, 8),
    "SHA1": _hash("sha1"),
    "SHA256": _hash("sha256"),
    "SHA512": _hash("sha512"),
    "MD5": _hash("md5"),
}


def digest(name, body):
    return base64.b64encode(ALGORITHMS[name](body)).decode()


def unchunked(request):
    """The request with its real body: aws-chunked framing gone, trailers among the headers."""
    headers = request.headers
    if not headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        if request.method == "PUT" and "transfer-encoding" in headers:
            raise S3Error("NotImplemented", Header="Transfer-Encoding")
        return request
    parts, place, body = [], 0, request.body
    try:
        while True:
            end = body.index(b"\r\n", place)
            size = int(body[place:end].split(b";")[0], 16)
            place = end + 2
            if size == 0:
                break
            parts.append(body[place : place + size])
            if len(parts[-1]) != size:
                raise S3Error("IncompleteBody")
            place += size + 2
    except ValueError:
        raise S3Error("IncompleteBody") from None
    whole = b"".join(parts)
    if "x-amz-decoded-content-length" not in headers:
        raise S3Error("MissingContentLength")
    if headers["x-amz-decoded-content-length"] != str(len(whole)):
        raise S3Error("IncompleteBody", "The request body terminated unexpectedly")
    return replace(request, headers=_with_trailers(headers, body[place:]), body=whole)


def _with_trailers(headers, tail):
    framing = ("x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer")
    kept = {name: value for name, value in headers.items() if name not in framing}
    trailers = {}
    for line in tail.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and name.lower() != "x-amz-trailer-signature":
            trailers[name.lower()] = value.strip()
    announced = [name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",") if name.strip()]
    if sorted(announced) != sorted(trailers):
        raise S3Error("MalformedTrailerError")
    encodings = [part.strip() for part in kept.pop("content-encoding", "").split(",")]
    if left := ",".join(part for part in encodings if part not in ("", "aws-chunked")):
        kept["content-encoding"] = left
    return kept | trailers


def _decoded(text, length):
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == length else None


def check_md5(request):
    """Content-MD5 and the body's hash in the signature."""
    headers, body = request.headers, request.body
    if "content-md5" in headers:
        given = _decoded(headers["content-md5"], 16)
        if given is None:
            raise S3Error("InvalidDigest")
        if given != hashlib.md5(body, usedforsecurity=False).digest():
            raise S3Error("BadDigest")
    signed = headers.get("x-amz-content-sha256", "")
    if re.fullmatch("[0-9a-fA-F]{64}", signed) and signed.lower() != hashlib.sha256(body).hexdigest():
        raise S3Error(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


def verify(request):
    """(algorithm, digest) that the sender gave, or None; what does not fit the body is refused."""
    headers, body = request.headers, request.body
    found = {
        match[1].upper(): value
        for name, value in headers.items()
        if (match := TRAILING.fullmatch(name)) and match[1] not in ("mode", "type", "algorithm")
    }
    if any(name.lower() in UNSUPPORTED for name in found):
        raise S3Error("NotImplemented")
    if len(found) > 1:
        raise S3Error(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    wanted = headers.get("x-amz-sdk-checksum-algorithm", "").upper()
    if wanted and not found:
        raise S3Error(
            "InvalidRequest",
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
        )
    for name, text in found.items():
        if name not in ALGORITHMS or (wanted and wanted != name):
            raise S3Error("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
        right = ALGORITHMS[name](body)
        given = _decoded(text, len(right))
        if given is None:
            raise S3Error("InvalidRequest", f"Value for x-amz-checksum-{name.lower()} header is invalid.")
        if given != right:
            raise S3Error("BadDigest", f"The {name} you specified did not match the calculated checksum.")
        return name, text
    return None


def demand(operation, request, found):
    """Some operations are taken only with a digest of their body, by AWS's model."""
    needs = model("s3").operation_model(operation).http_checksum.get("requestChecksumRequired")
    if needs and not found and "content-md5" not in request.headers:
        raise S3Error(
            "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        )


def combined(name, parts):
    """The composite checksum of parts: the digest of their digests, and how many."""
    whole = b"".join(base64.b64decode(one) for one in parts)
    return f"{digest(name, whole)}-{len(parts)}"
