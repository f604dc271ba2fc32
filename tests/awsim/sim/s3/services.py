"""S3 as other services see it: moto's own read and write through its backend, DynamoDB's exports and imports through ours."""

import re
from datetime import datetime, time, timezone
from urllib.parse import quote

from moto.core.utils import utcnow
from moto.cloudwatch.models import MetricDatum
from moto.s3.models import S3Backend, s3_backends

from ..names import Call
from ..wire import Request
from . import objects
from .api import Ask, answer
from .errors import S3Error
from .events import as_key
from .reading import check_active
from .store import beside, find

REAL_DELETE = S3Backend.delete_bucket


def mend_moto(s3):
    """moto's services ask its S3Backend for objects: they get ours."""

    def get_object(backend, bucket_name, key_name, version_id=None, *_more, **_named):
        bucket = beside(backend.get_bucket(bucket_name))
        versions = [one for one in bucket.versions(key_name) if version_id in (None, one.id)]
        return as_key(versions[-1]) if versions and not versions[-1].marker else None

    def put_object(backend, bucket_name, key_name, value, *_more, **_named):
        bucket = beside(backend.get_bucket(bucket_name))
        call = Call(
            "s3", "PutObject", f"{bucket_name}/{key_name}", None, bucket.fake.region_name, backend.account_id
        )
        request = Request("PUT", "/", {}, value if isinstance(value, bytes) else value.encode())
        ask = Ask(s3, call, {"Bucket": bucket_name, "Key": key_name}, request, None, bucket)
        objects.put_object(ask)
        return as_key(bucket.current(key_name))

    def delete_bucket(backend, bucket_name):
        return None if beside(backend.get_bucket(bucket_name)).objects else REAL_DELETE(backend, bucket_name)

    S3Backend.get_object, S3Backend.put_object = get_object, put_object
    S3Backend.delete_bucket = delete_bucket
    S3Backend.get_cloudwatch_metrics = classmethod(lambda cls, account_id, region: _metrics(account_id))


def _metrics(account):
    """How large each bucket is, all versions together; once a day, as of its start."""
    day = datetime.combine(utcnow().date(), time(), timezone.utc).replace(tzinfo=None)
    found = []
    for name, fake in s3_backends[account]["aws"].buckets.items():
        versions = [one for versions in beside(fake).objects.values() for one in versions]
        for metric, kind, value, unit in (
            ("BucketSizeBytes", "StandardStorage", sum(one.size for one in versions), "Bytes"),
            ("NumberOfObjects", "AllStorageTypes", len(versions), "Count"),
        ):
            dimensions = [{"Name": "StorageType", "Value": kind}, {"Name": "BucketName", "Value": name}]
            found.append(MetricDatum("AWS/S3", metric, value, dimensions, day, unit))
    return found


def put_for(s3):
    """A service's own write: None, or (code, message) of the refusal."""

    def put(account, region, bucket, key, body, headers):
        headers = {"host": "127.0.0.1", "x-amz-content-sha256": "UNSIGNED-PAYLOAD", **headers}
        call = Call("s3", "PutObject", f"{bucket}/{key}", None, region, account)
        response = answer(s3, call, Request("PUT", f"/{bucket}/{quote(key)}", headers, body))
        if response.status == 200:
            return None
        text = response.body.decode()
        code, message = (re.search(f"<{part}>(.*?)</{part}>", text)[1] for part in ("Code", "Message"))
        return "S3" + code, message

    return put


def read_for(s3):
    """A service's own look below a prefix: ([(key, body)], None), or (None, (code, message)) of the refusal."""

    def read(_account, owner, name, prefix):
        with s3.lock:
            fake = find(name)
            if fake is None:
                return None, (
                    "S3NoSuchBucket",
                    "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket)",
                )
            if fake.account_id != owner:
                return None, (
                    "S3AccessDenied",
                    "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)",
                )
            bucket, found = beside(fake), []
            for key in bucket.objects.irange(prefix):
                if not key.startswith(prefix):
                    break
                if version := bucket.current(key):
                    found.append(version)
            try:
                for version in found:
                    check_active(version, s3.clock.now())
            except S3Error as fault:
                return None, ("S3" + fault.code, fault.message)
            return [(version.key, version.body) for version in found], None

    return read
