"""Who sends a request, and whether AWS would let it in: the key, its session, the scope, the date, the signature."""

import re
import time
from functools import cache

from . import sigv4
from .denials import Denied, family
from .names import SERVICES, model, session, signing_name

MINUTES = {"s3": 15}
GLOBAL = {"iam", "route53", "cloudfront", "organizations"}
HOST = re.compile(
    r"(?:.+\.)?(?:[a-z0-9-]+)\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:localhost|amazonaws\.com)(?::\d+)?"
)
STREAMED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


@cache
def regions():
    return frozenset(session().get_available_regions("dynamodb"))


def check(call, request, identity):
    """The Key that the request is rightly signed with; Denied."""
    try:
        claim = sigv4.claim(request)
    except sigv4.Incomplete as fault:
        raise Denied("incomplete", str(fault)) from None
    if claim is None:
        raise Denied("missing")
    _check_scope(call, request, claim)
    key, clock = identity.find_key(claim.access_key), identity.clock
    if key is None or (key.token is not None and claim.token is None):
        raise Denied("unknown_key")
    if claim.token != key.token:
        raise Denied("wrong_token")
    _check_date(call, claim, clock)
    _check_headers(call, request, claim)
    if not sigv4.fits(request, claim, key.secret):
        raise Denied("signature")
    if request.headers.get("x-amz-content-sha256") == STREAMED and not sigv4.chunks_fit(
        request, claim, key.secret
    ):
        raise Denied("signature")
    if key.expires is not None and clock.now() >= key.expires:
        raise Denied("expired")
    return key


def _check_scope(call, request, claim):
    expected = signing_name(call, request)
    if claim.service != expected:
        call.service = SERVICES.get(expected, expected)  # it refuses in its own words
        raise Denied("scope", _scope_words(call, "service", claim.service, expected))
    named = HOST.fullmatch(request.headers.get("host", ""))
    wanted = "us-east-1" if call.service in GLOBAL else named[1] if named else None
    if claim.region != wanted if wanted else claim.region not in regions():
        raise Denied("scope", _scope_words(call, "region", claim.region, wanted or "us-east-1"))


def _scope_words(call, part, given, expected):
    kind = family(call)
    if kind == "s3":
        return f"The authorization header is malformed; the {part} '{given}' is wrong; expecting '{expected}'"
    if part == "service":
        return f"Credential should be scoped to correct service: '{expected}'. "
    return (
        f"Credential should be scoped to a valid region, not '{given}'. "
        if kind == "query"
        else ("Credential should be scoped to a valid region. ")
    )


def _check_date(call, claim, clock):
    """By any clock that the client may follow: the host's, the simulated one."""
    now, limit = clock.now(), MINUTES.get(call.service, 5) * 60
    ends = claim.at + (limit if claim.lifetime is None else claim.lifetime)
    if any(claim.at - limit <= at <= ends for at in clock.times()):
        return
    if all(at < claim.at for at in clock.times()):
        bound = f"{_stamp(now + limit)} ({_stamp(now)} + {limit // 60} min.)"
        raise Denied("date", f"Signature not yet current: {claim.stamp} is still later than {bound}")
    if claim.lifetime is not None:
        raise Denied("url_expired", f"Signature expired: {claim.stamp} is now earlier than {_stamp(now)}")
    bound = f"{_stamp(now - limit)} ({_stamp(now)} - {limit // 60} min.)"
    raise Denied("date", f"Signature expired: {claim.stamp} is now earlier than {bound}")


def _stamp(at):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))


def _check_headers(call, request, claim):
    """Host is signed always; S3 wants every x-amz- header signed, and the body's hash among them."""
    if "host" not in claim.names:
        raise Denied("unsigned_header")
    if call.service != "s3":
        return
    if claim.lifetime is None and "x-amz-content-sha256" not in request.headers:
        raise Denied("incomplete", "Missing required header for this request: x-amz-content-sha256")
    if any(name.startswith("x-amz-") and name not in claim.names for name in request.headers):
        raise Denied("unsigned_header")


def unsigned_call(call):
    """Whether AWS takes this operation without a signature."""
    known = model(call.service) if call.service else None
    if known is None or call.operation not in known.operation_names:
        return False
    return known.operation_model(call.operation).auth_type == "none"
