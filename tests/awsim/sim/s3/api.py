"""One S3 call: its digests, its members, its handler; what has none here is moto's."""

import re
from dataclasses import dataclass, replace

from . import (
    archive,
    buckets,
    digests,
    lifecycle,
    listing,
    lock,
    objects,
    reading,
    replication,
    rest,
    uploads,
)
from .errors import S3Error
from .events import notify
from .store import beside, find

MODULES = (objects, reading, uploads, listing, lock, lifecycle, replication, archive, buckets)
# `bucket.localhost`, `bucket.s3.eu-west-1.localhost`; `s3.eu-west-1.localhost` names no bucket.
REGIONAL_HOST = re.compile(r"[a-z0-9-]+\.[a-z]{2}(-[a-z]+)+-\d\.(localhost|amazonaws\.com)(:\d+)?")
VIRTUAL_HOST = re.compile(
    r"(?P<bucket>[a-z0-9][a-z0-9.-]*?)(\.s3([.-][a-z0-9-]+)?)?\.(localhost|amazonaws\.com)(?P<port>:\d+)?"
)
# Operations of the model that share a route with their successor.
RENAMED = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
}


@dataclass
class Ask:
    """One request at its handler; `found`: (algorithm, digest) of the body as the sender gave it, or None."""

    s3: object
    call: object
    given: dict
    request: object
    found: tuple | None
    bucket: object
    status: int | None = None

    def notify(self, event, version):
        if not self.call.lies:
            notify(self.bucket.fake, event, version)


def path_style(request):
    """The same request with the bucket in its path."""
    host = request.headers.get("host", "")
    match = VIRTUAL_HOST.fullmatch(host)
    if match is None or REGIONAL_HOST.fullmatch(host):
        return request
    headers = {**request.headers, "host": "127.0.0.1" + (match["port"] or "")}
    path, mark, query = request.target.partition("?")
    return replace(request, target=f"/{match['bucket']}{path}{mark}{query}", headers=headers)


def handler(operation):
    """The function of an operation, None when it is moto's."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    return next((getattr(module, name) for module in MODULES if hasattr(module, name)), None)


def answer(s3, call, request):
    try:
        return _answer(s3, call, request)
    except S3Error as fault:
        return fault.response()


def _answer(s3, call, request):
    call.operation = RENAMED.get(call.operation, call.operation)
    request = digests.unchunked(request)
    digests.check_md5(request)
    function = handler(call.operation)
    if function is None:
        return _moto(s3, call, request)
    found = digests.verify(request) if request.method in ("PUT", "POST") and not _of_whole(call) else None
    digests.demand(call.operation, request, found)
    given = rest.members(call.operation, request)
    with s3.lock:
        bucket = s3.bucket(call, given["Bucket"])
        _check_owner(given.get("ExpectedBucketOwner"), bucket)
        ask = Ask(s3, call, given, request, found, bucket)
        result = function(ask)
    return rest.response(call.operation, result, ask.status)


def _of_whole(call):
    """Digests in these requests are of the object, not of the body."""
    return call.operation == "CompleteMultipartUpload"


def _check_owner(expected, bucket):
    if expected is not None and expected != bucket.fake.account_id:
        raise S3Error("AccessDenied")


def _moto(s3, call, request):
    with s3.lock:
        fake = find((call.resource or "").partition("/")[0])
        if fake is not None:
            _check_owner(request.headers.get("x-amz-expected-bucket-owner"), beside(fake))
        return s3.moto.call(request)
