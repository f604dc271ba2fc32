"""Objects: put, copied, deleted, tagged."""

from urllib.parse import unquote

from . import conditions, digests, lock, making
from .errors import S3Error
from .reading import by_id, check_active, owner, version_of
from .store import NULL, Version, etag_of

MAX_DELETES = 1000
COPIED_HEADERS = ("metadata", "headers")


def _made(ask, key):
    ask.call.effect = "changed" if ask.bucket.current(key) else "made"


def _shown(ask, version):
    """What every answer to a write says of the new version."""
    shown = {
        "ETag": f'"{version.etag}"',
        "VersionId": ask.bucket.shown_id(version),
        "Expiration": ask.s3.expiration(ask.bucket, version),
        **version.sse,
    }
    if version.checksum:
        algorithm, digest, kind = version.checksum
        shown |= {f"Checksum{algorithm}": digest, "ChecksumType": kind}
    return shown


def checksum_of(found, body):
    """(algorithm, digest, type): the sender's, else the CRC64NVME that S3 adds by itself."""
    algorithm, value = found or ("CRC64NVME", digests.digest("CRC64NVME", body))
    return algorithm, value, "FULL_OBJECT"


def put_object(ask):
    given, bucket, key = ask.given, ask.bucket, ask.given["Key"]
    fields = making.fields(ask)
    locking = lock.wanted(ask)
    lock.demand_digest(ask, locking)
    conditions.check_write(given, bucket.current(key))
    _made(ask, key)
    body = ask.request.body
    version = Version(
        key, ask.s3.clock.now(), body=body, etag=etag_of(body, fields["sse"]), **fields, **locking
    )
    version.checksum = checksum_of(ask.found, body)
    ask.s3.add(bucket, version)
    ask.notify("ObjectCreated:Put", version)
    return _shown(ask, version)


# -- copies -------------------------------------------------------------------------------------


def source_of(ask):
    """(bucket, version) that x-amz-copy-source names, once its conditions have held."""
    path, _, version_id = ask.given["CopySource"].partition("?versionId=")
    name, slash, key = unquote(path).removeprefix("/").partition("/")
    if not slash or not key:
        raise S3Error(
            "InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        )
    bucket = ask.s3.bucket(ask.call, name)
    versions = bucket.versions(key)
    if version_id:
        version = by_id(bucket, key, version_id)
        if version is None:
            raise S3Error("NoSuchVersion", Key=key, VersionId=version_id)
        if version.marker:
            raise S3Error(
                "InvalidRequest",
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            )
    elif not versions or versions[-1].marker:
        raise S3Error("NoSuchKey", Key=key)
    else:
        version = versions[-1]
    conditions.check_source(ask.given, version)
    check_active(
        version,
        ask.s3.clock.now(),
        "ObjectNotInActiveTierError",
        "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier.",
    )
    making.check_readable(version, ask.s3.clock.now())
    return bucket, version


def copy_object(ask):
    given, bucket, key = ask.given, ask.bucket, ask.given["Key"]
    where, source = source_of(ask)
    fields = making.fields(ask)
    replaces = given.get("MetadataDirective", "COPY") == "REPLACE"
    if not replaces:
        fields |= {name: getattr(source, name) for name in COPIED_HEADERS}
    if given.get("TaggingDirective", "COPY") == "COPY":
        fields["tags"] = dict(source.tags)
    changes = replaces or any(
        name in given for name in ("StorageClass", "ServerSideEncryption", "WebsiteRedirectLocation")
    )
    if where is bucket and source is bucket.current(key) and not changes:
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
            "metadata, storage class, website redirect location or encryption attributes.",
        )
    conditions.check_write(given, bucket.current(key))
    _made(ask, key)
    version = Version(
        key,
        ask.s3.clock.now(),
        body=source.body,
        etag=etag_of(source.body, fields["sse"]),
        **fields,
        **lock.wanted(ask),
    )
    algorithm = given.get("ChecksumAlgorithm") or (source.checksum or ("CRC64NVME",))[0]
    version.checksum = (algorithm, digests.digest(algorithm, source.body), "FULL_OBJECT")
    ask.s3.add(bucket, version)
    ask.notify("ObjectCreated:Copy", version)
    shown = _shown(ask, version)
    result = {name: shown.pop(name) for name in list(shown) if name == "ETag" or name.startswith("Checksum")}
    return {
        **shown,
        "CopyObjectResult": {**result, "LastModified": version.modified},
        "CopySourceVersionId": where.shown_id(source),
    }


# -- deletes ------------------------------------------------------------------------------------


def _delete(ask, key, version_id, tag):
    """What the answer says: {VersionId, DeleteMarker}; ask.call learns whether anything came of it."""
    s3, bucket, now = ask.s3, ask.bucket, ask.s3.clock.now()
    current = bucket.current(key)
    if version_id is not None:
        version = by_id(bucket, key, version_id)
        conditions.check_delete(tag, version if version and not version.marker else None)
        if version is None:
            return {"VersionId": version_id}
        if not version.marker:
            lock.check_delete(version, now, bool(ask.given.get("BypassGovernanceRetention")))
        s3.drop(bucket, version)
        ask.call.effect = "deleted"
        return {"VersionId": version_id, "DeleteMarker": True if version.marker else None}
    conditions.check_delete(tag, current)
    if not bucket.versioning:
        if current:
            s3.drop(bucket, current)
            ask.call.effect = "deleted"
        return {}
    marker = s3.add(bucket, Version(key, now, marker=True))
    ask.call.effect = "deleted"
    return {"VersionId": marker.id, "DeleteMarker": True}


def delete_object(ask):
    ask.call.effect = None
    gone = _delete(ask, ask.given["Key"], ask.given.get("VersionId"), ask.given.get("IfMatch"))
    if ask.call.effect:
        kind = (
            "DeleteMarkerCreated" if gone.get("DeleteMarker") and "VersionId" not in ask.given else "Delete"
        )
        ask.notify(
            "ObjectRemoved:" + kind,
            Version(ask.given["Key"], ask.s3.clock.now(), id=gone.get("VersionId") or NULL),
        )
    return gone


def delete_objects(ask):
    wanted = ask.given["Delete"]
    if not 1 <= len(wanted["Objects"]) <= MAX_DELETES:
        raise S3Error("MalformedXML")
    ask.call.effect, deleted, errors = None, [], []
    for one in wanted["Objects"]:
        named = {name: one[name] for name in ("Key", "VersionId") if name in one}
        if (why := ask.call.denied.get((one["Key"], one.get("VersionId")))) is not None:
            errors.append({**named, "Code": "AccessDenied", "Message": why})
            continue
        try:
            gone = _delete(ask, one["Key"], one.get("VersionId"), one.get("ETag"))
        except S3Error as fault:
            errors.append({**named, "Code": fault.code, "Message": fault.message})
            continue
        if gone.get("DeleteMarker"):
            named |= {"DeleteMarker": True, "DeleteMarkerVersionId": gone["VersionId"]}
        deleted.append(named)
    return {"Deleted": [] if wanted.get("Quiet") else deleted, "Errors": errors}


# -- tags, ACLs ---------------------------------------------------------------------------------


def put_object_tagging(ask):
    version = version_of(ask)
    version.tags = making.checked_tags(ask.given["Tagging"].get("TagSet", []))
    ask.s3.changed(ask.bucket, version)
    return {"VersionId": ask.bucket.shown_id(version)}


def get_object_tagging(ask):
    version = version_of(ask)
    tags = [{"Key": name, "Value": value} for name, value in version.tags.items()]
    return {"TagSet": tags, "VersionId": ask.bucket.shown_id(version)}


def delete_object_tagging(ask):
    version = version_of(ask)
    version.tags = {}
    ask.s3.changed(ask.bucket, version)
    return {"VersionId": ask.bucket.shown_id(version)}


def get_object_acl(ask):
    version_of(ask)
    return {"Owner": owner(ask), "Grants": [{"Permission": "FULL_CONTROL"}]}


def put_object_acl(ask):
    making.check_acl(ask)
    version_of(ask)
    return {}
