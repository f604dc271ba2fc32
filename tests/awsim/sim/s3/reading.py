"""Which version a request means, and what an answer shows of it."""

import re

from . import conditions
from .errors import S3Error
from .making import ARCHIVED, check_readable
from .store import DEFAULT_TYPE

ID = re.compile(r"[A-Za-z0-9._-]{1,1024}")
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
OVERRIDES = {
    "ResponseContentType": "ContentType",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseCacheControl": "CacheControl",
    "ResponseExpires": "Expires",
}


def by_id(bucket, key, version_id):
    """The version of this id, None when there is none."""
    if not ID.fullmatch(version_id):
        raise S3Error(
            "InvalidArgument",
            "Invalid version id specified",
            ArgumentName="versionId",
            ArgumentValue=version_id,
        )
    return next((one for one in bucket.versions(key) if one.id == version_id), None)


def version_of(ask):
    """The version that is asked for; a delete marker is not one."""
    bucket, key, wanted = ask.bucket, ask.given["Key"], ask.given.get("VersionId")
    if wanted is None:
        versions = bucket.versions(key)
        if not versions:
            raise S3Error("NoSuchKey", Key=key)
        if versions[-1].marker:
            headers = {"x-amz-delete-marker": "true", "x-amz-version-id": versions[-1].id}
            raise S3Error("NoSuchKey", headers=headers, Key=key)
        return versions[-1]
    version = by_id(bucket, key, wanted)
    if version is None:
        raise S3Error("NoSuchVersion", Key=key, VersionId=wanted)
    if version.marker:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version.id, "Allow": "DELETE"}
        raise S3Error(
            "MethodNotAllowed", headers=headers, Method=ask.request.method, ResourceType="DeleteMarker"
        )
    return version


def thawed(version, now):
    """Whether an archived version can be read: its restored copy is there."""
    return bool(version.thaw) and version.thaw[0] <= now < version.thaw[1]


def check_active(version, now, code="InvalidObjectState", message=None):
    if version.storage in ARCHIVED and not thawed(version, now):
        raise S3Error(code, message, status=403, StorageClass=version.storage)


def _restore_header(version, now):
    from .rest import http_date

    if not version.thaw or now >= version.thaw[1]:
        return None
    if now < version.thaw[0]:
        return 'ongoing-request="true"'
    return f'ongoing-request="false", expiry-date="{http_date(version.thaw[1])}"'


def _checksum(version):
    algorithm, digest, kind = version.checksum
    return {f"Checksum{algorithm}": digest, "ChecksumType": kind}


def _describe(ask, version):
    now = ask.s3.clock.now()
    shown = {
        "AcceptRanges": "bytes",
        "LastModified": version.modified,
        "ETag": f'"{version.etag}"',
        "ContentType": DEFAULT_TYPE,
        **version.headers,
        "Metadata": version.metadata,
        "VersionId": ask.bucket.shown_id(version),
        "StorageClass": version.storage if version.storage != "STANDARD" else None,
        "ReplicationStatus": version.replication,
        "Restore": _restore_header(version, now),
        "Expiration": ask.s3.expiration(ask.bucket, version),
        "TagCount": len(version.tags) or None,
        "ObjectLockMode": version.mode,
        "ObjectLockRetainUntilDate": version.until,
        "ObjectLockLegalHoldStatus": version.hold,
        **version.sse,
    }
    return shown | {
        name: ask.given[override] for override, name in OVERRIDES.items() if override in ask.given
    }


def _range(given, version):
    """(first, after, is a part), refused when nothing of the object is in it; what is not a range is no range."""
    match, size = RANGE.fullmatch(given.get("Range", "")), version.size
    if "PartNumber" in given:
        return _part(given, version)
    if not match or match[1] == match[2] == "":
        return 0, size, False
    if match[1] == "":
        first, after = max(0, size - int(match[2])), size
        outside = int(match[2]) == 0 or size == 0
    else:
        first, after = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
        if match[2] and int(match[2]) < first:
            return 0, size, False
        outside = first >= size
    if outside:
        raise S3Error("InvalidRange", RangeRequested=given["Range"], ActualObjectSize=size)
    return first, after, True


def _part(given, version):
    number, parts = given["PartNumber"], version.parts or [(1, version.size, None)]
    if number < 1 or number > len(parts):
        raise S3Error("InvalidPartNumber", "The requested partnumber is not satisfiable", status=416)
    first = sum(size for _, size, _ in parts[: number - 1])
    return first, first + parts[number - 1][1], True


def _read(ask, active):
    version = version_of(ask)
    conditions.check_read(ask.given, version)
    if active:
        check_active(version, ask.s3.clock.now())
        check_readable(version, ask.s3.clock.now())
    first, after, is_part = _range(ask.given, version)
    shown = _describe(ask, version)
    shown["ContentLength"] = after - first
    if is_part:
        shown["ContentRange"] = f"bytes {first}-{after - 1}/{version.size}"
    elif ask.given.get("ChecksumMode") == "ENABLED" and version.checksum:
        shown |= _checksum(version)
    if "PartNumber" in ask.given:
        shown["PartsCount"] = len(version.parts) or None
    ask.status = 206 if is_part else 200
    return version, first, after, shown


def get_object(ask):
    version, first, after, shown = _read(ask, True)
    shown["Body"] = version.body if after - first == version.size else version.body[first:after]
    return shown


def head_object(ask):
    return _read(ask, False)[3]


def get_object_attributes(ask):
    version = version_of(ask)
    wanted = ask.given.get("ObjectAttributes", [])
    checksum = _checksum(version) if version.checksum else None
    everything = {
        "ETag": version.etag,
        "Checksum": checksum,
        "ObjectSize": version.size,
        "StorageClass": version.storage,
        "ObjectParts": {"TotalPartsCount": len(version.parts)} if version.parts else None,
    }
    if unknown := [name for name in wanted if name not in everything] or not wanted:
        raise S3Error(
            "InvalidArgument",
            "Invalid attribute name specified.",
            ArgumentName="x-amz-object-attributes",
            ArgumentValue=unknown,
        )
    shown = {name: everything[name] for name in wanted}
    return shown | {"LastModified": version.modified, "VersionId": ask.bucket.shown_id(version)}


def owner(ask):
    return {"ID": ask.bucket.fake.account_id.rjust(64, "0"), "DisplayName": None}
