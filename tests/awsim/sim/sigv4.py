"""Signature Version 4 as the receiver computes it, by botocore's own signer.

Source: AWS General Reference, "Create a signed AWS API request"; S3 API Reference, "Authenticating requests".
"""

import calendar
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
FIELDS = ("Credential", "SignedHeaders", "Signature")
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EMPTY = hashlib.sha256(b"").hexdigest()
STAMP, STAMP_FORM = re.compile(r"\d{8}T\d{6}Z", re.A), "%Y%m%dT%H%M%SZ"
PRESIGN_LIMIT = 7 * 86400


class Incomplete(Exception):
    """The request says that it is signed, and lacks a part of what that takes."""


@dataclass
class Claim:
    """What a request says about its signature."""

    access_key: str
    day: str
    region: str
    service: str
    names: list
    signature: str
    stamp: str
    token: str | None
    lifetime: int | None = None  # seconds; of presigned URLs only

    @property
    def at(self):
        return float(calendar.timegm(time.strptime(self.stamp, STAMP_FORM)))


def claim(request):
    """The Claim of a request, None when it is not signed at all; Incomplete."""
    query = dict(request.query)
    if "X-Amz-Algorithm" in query or "X-Amz-Signature" in query:
        return _presigned(query)
    header = request.headers.get("authorization")
    return _in_header(request, header) if header is not None else None


def _in_header(request, header):
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise Incomplete(f"Unsupported AWS 'algorithm': '{algorithm}'")
    given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    for name in FIELDS:
        if not given.get(name):
            raise Incomplete(f"Authorization header requires '{name}' parameter.")
    stamp = request.headers.get("x-amz-date") or _http_date(request.headers.get("date"))
    return _claim(
        given["Credential"],
        given["SignedHeaders"],
        given["Signature"],
        stamp,
        request.headers.get("x-amz-security-token"),
    )


def _http_date(text):
    try:
        return parsedate_to_datetime(text).strftime(STAMP_FORM)
    except (TypeError, ValueError):
        return None


def _presigned(query):
    needed = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date", "X-Amz-Expires")
    for name in needed:
        if not query.get(name):
            raise Incomplete(f"AWS query-string parameters must include '{name}'.")
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise Incomplete(f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    found = _claim(
        query["X-Amz-Credential"],
        query["X-Amz-SignedHeaders"],
        query["X-Amz-Signature"],
        query["X-Amz-Date"],
        query.get("X-Amz-Security-Token"),
    )
    if not query["X-Amz-Expires"].isdigit() or not 1 <= int(query["X-Amz-Expires"]) <= PRESIGN_LIMIT:
        raise Incomplete("X-Amz-Expires must be a number of seconds, at most a week")
    found.lifetime = int(query["X-Amz-Expires"])
    return found


def _claim(credential, names, signature, stamp, token):
    parts = credential.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request":
        raise Incomplete(f"Credential must have exactly 5 slash-delimited elements, found '{len(parts)}'.")
    if not stamp or not _is_stamp(stamp):
        raise Incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    if not stamp.startswith(parts[1]):
        raise Incomplete(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {stamp}"
        )
    return Claim(*parts[:4], names.lower().split(";"), signature, stamp, token)


def _is_stamp(text):
    try:
        return bool(STAMP.fullmatch(text) and time.strptime(text, STAMP_FORM))
    except ValueError:
        return False


def _text(value):
    """A header's value as the sender's text: bytes above 127 are UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def _payload(request, found):
    if found.service != "s3":
        return hashlib.sha256(request.body).hexdigest()
    return (
        UNSIGNED_PAYLOAD if found.lifetime else request.headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD)
    )


def _signer(secret, found):
    kind = S3SigV4Auth if found.service == "s3" else SigV4Auth
    signer = kind(Credentials(found.access_key, secret), found.service, found.region)
    # botocore leaves out headers that it would not sign itself; here those that the sender named are signed.
    signer.headers_to_sign = lambda request: request.headers
    return signer


def _as_signed(request, found):
    """The AWSRequest that the sender must have signed; None when it lacks a header that it names."""
    if any(name not in request.headers for name in found.names):
        return None
    headers = {name: _text(request.headers[name]) for name in found.names}
    path = request.target.partition("?")[0]
    if found.service == "s3":
        path = quote(unquote(path, errors="surrogateescape"), safe="/-_.~", errors="surrogateescape")
    signed = AWSRequest(request.method, "http://awsim" + path, headers=headers)
    parts = (part.partition("=") for part in request.query_string.split("&") if part)
    signed.params = [(unquote(name), unquote(value)) for name, _, value in parts if name != "X-Amz-Signature"]
    signed.context["timestamp"] = found.stamp
    return signed


def fits(request, found, secret):
    """Whether the signature is that of this request with this secret."""
    signed = _as_signed(request, found)
    if signed is None:
        return False
    signer = _signer(secret, found)
    # The signer would take a header's word for the body; for other services than S3 the body itself counts.
    signer.payload = lambda _request: ""
    lines = signer.canonical_request(signed).rpartition("\n")[0]
    text = signer.string_to_sign(signed, f"{lines}\n{_payload(request, found)}")
    return hmac.compare_digest(signer.signature(text, signed).encode(), found.signature.encode())


def chunks_fit(request, found, secret):
    """Whether each chunk of a STREAMING-AWS4-HMAC-SHA256-PAYLOAD body carries the signature that follows the last."""
    try:
        return _each_chunk_fits(request, found, secret)
    except ValueError:  # these are no frames
        return False


def _each_chunk_fits(request, found, secret):
    signer, former, place = _signer(secret, found), found.signature, 0
    context = AWSRequest("PUT", "http://awsim/")
    context.context["timestamp"] = found.stamp
    while place < len(request.body):
        end = request.body.index(b"\r\n", place)
        size, _, more = request.body[place:end].decode("latin-1").partition(";")
        chunk = request.body[end + 2 : end + 2 + int(size, 16)]
        text = "\n".join(
            (
                ALGORITHM + "-PAYLOAD",
                found.stamp,
                signer.credential_scope(context),
                former,
                EMPTY,
                hashlib.sha256(chunk).hexdigest(),
            )
        )
        former = signer.signature(text, context)
        if not hmac.compare_digest(f"chunk-signature={former}".encode(), more.encode()):
            return False
        if not chunk:
            return True
        place = end + 2 + len(chunk) + 2
    return False
