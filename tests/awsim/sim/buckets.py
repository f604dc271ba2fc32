"""Where buckets are: names are the whole world's, each bucket is in one region, and only that region serves it.

A request's endpoint is that of the region in its host's name; without one, that of its signature's scope, for a client
speaks to its own region. `bucket.localhost` is the global name: DNS leads it to the bucket's region, whatever was signed.
Source: Amazon S3 User Guide, "Virtual hosting of buckets: request redirection", "Making requests"; API reference, CreateBucket.
"""

import re
import uuid
from xml.sax.saxutils import escape

from .guard import HOST, regions
from .s3.store import find
from .wire import Response

GLOBAL_HOST = re.compile(r"(?!localhost)(?P<bucket>[a-z0-9][a-z0-9.-]+)\.localhost(:\d+)?")
REDIRECT = (
    "The bucket you are attempting to access must be addressed using the specified endpoint. "
    "Please send all future requests to this endpoint."
)
CONSTRAINT = re.compile(rb"<(?:\w+:)?LocationConstraint[^>]*>([^<]*)<")


def _error(status, code, message, region, more):
    request = str(uuid.uuid4())
    extra = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in more.items())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>{extra}<RequestId>{request}</RequestId></Error>"
    )
    headers = {"Content-Type": "application/xml", "x-amz-request-id": request}
    if region:
        headers["x-amz-bucket-region"] = region
    return Response(status, headers, body.encode())


def elsewhere(call, sent):
    """The answer to a call whose bucket is in another region than the endpoint; None when it is here. `sent`: as it was signed."""
    name = (call.resource or "").partition("/")[0]
    if call.service != "s3" or not name or call.region not in regions():
        return None
    if call.operation == "CreateBucket":
        return _constraint(call, sent)
    bucket = find(name)
    if bucket is None or call.operation == "GetBucketLocation" and call.region == "us-east-1":
        return None
    here, host = bucket.region_name, sent.headers.get("host", "")
    named = HOST.fullmatch(host)
    if (named[1] if named else call.region) != here:
        if named is None and GLOBAL_HOST.fullmatch(host):
            return _malformed(call.region, here)
        place = {"Endpoint": f"{name}.s3.{here}.amazonaws.com", "Bucket": name}
        return _error(301, "PermanentRedirect", REDIRECT, here, place)
    return _malformed(call.region, here) if call.region != here else None


def _malformed(given, here):
    message = f"The authorization header is malformed; the region '{given}' is wrong; expecting '{here}'"
    return _error(400, "AuthorizationHeaderMalformed", message, here, {"Region": here})


def _constraint(call, sent):
    """us-east-1 makes buckets anywhere, every other region its own; moto tells the cases that concern one region."""
    found = CONSTRAINT.search(sent.body)
    wanted = found[1].decode() if found else None
    if wanted is None or wanted in regions() or wanted == "EU":
        return None
    return _error(
        400, "InvalidLocationConstraint", "The specified location-constraint is not valid", None, {"LocationConstraint": wanted}
    )
