"""Lists: keys in the order of their bytes, pages that go on where the last one ended.

Source: S3 API Reference, ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads.
"""

import base64
import binascii
from urllib.parse import quote

from ..names import model
from .errors import S3Error
from .making import ARCHIVED
from .reading import owner

LONGEST = 1000
AFTER_ALL = "\U0010ffff"


def _shape(name):
    return model("s3").shape_for(name)


def _most(given, name="MaxKeys"):
    most = given.get(name, LONGEST)
    if most < 0:
        raise S3Error(
            "InvalidArgument",
            f"Argument {name} must be an integer between 0 and 2147483647",
            ArgumentName=name,
        )
    return min(most, LONGEST)


def _encoder(given):
    if given.get("EncodingType", "url") != "url":
        raise S3Error(
            "InvalidArgument", "Invalid Encoding Method specified in Request", ArgumentName="encoding-type"
        )
    return (
        (lambda text: quote(text, safe="/", errors="surrogateescape"))
        if "EncodingType" in given
        else lambda text: text
    )


def _pages(keys, given, after, most):
    """([("key" or "prefix", text)], whether more come): keys rolled up at the delimiter, strictly after `after`."""
    prefix, delimiter = given.get("Prefix", ""), given.get("Delimiter", "")
    found, last = [], None
    for key in keys.irange(max(prefix, after)):
        if not key.startswith(prefix):
            break
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        entry = ("key", key) if end < 0 else ("prefix", key[: end + len(delimiter)])
        if entry[1] <= after or entry == last:
            continue
        if len(found) == most:
            return found, True
        last = entry
        found.append(entry)
    return found, False


def _row(ask, version, encode, with_owner):
    shown = {
        "Key": encode(version.key),
        "LastModified": version.modified,
        "ETag": f'"{version.etag}"',
        "Size": version.size,
        "StorageClass": version.storage,
    }
    if version.checksum:
        shown |= {"ChecksumAlgorithm": [version.checksum[0]], "ChecksumType": version.checksum[2]}
    if with_owner:
        shown["Owner"] = owner(ask)
    if "RestoreStatus" in ask.given.get("OptionalObjectAttributes", ()) and version.storage in ARCHIVED:
        now = ask.s3.clock.now()
        running = bool(version.thaw) and now < version.thaw[0]
        there = bool(version.thaw) and version.thaw[0] <= now < version.thaw[1]
        shown["RestoreStatus"] = {
            "IsRestoreInProgress": running,
            "RestoreExpiryDate": version.thaw[1] if there else None,
        }
    return shown


class _Shown:
    """The keys of a bucket that a plain list shows: those whose newest version is no delete marker."""

    def __init__(self, bucket):
        self.bucket = bucket

    def irange(self, first):
        return (key for key in self.bucket.objects.irange(first) if not self.bucket.objects[key][-1].marker)


def _list(ask, after, most, with_owner):
    encode = _encoder(ask.given)
    found, more = _pages(_Shown(ask.bucket), ask.given, after, most) if most else ([], False)
    rows = [_row(ask, ask.bucket.current(text), encode, with_owner) for kind, text in found if kind == "key"]
    prefixes = [{"Prefix": encode(text)} for kind, text in found if kind == "prefix"]
    shown = {
        "Name": ask.bucket.name,
        "Prefix": encode(ask.given.get("Prefix", "")),
        "Delimiter": encode(ask.given["Delimiter"]) if ask.given.get("Delimiter") else None,
        "EncodingType": ask.given.get("EncodingType"),
        "MaxKeys": most,
        "IsTruncated": more,
        "Contents": rows,
        "CommonPrefixes": prefixes,
    }
    return shown, found, encode


def list_objects(ask):
    after = ask.given.get("Marker", "")
    shown, found, encode = _list(ask, after, _most(ask.given), True)
    shown["Marker"] = encode(after)
    if shown["IsTruncated"] and ask.given.get("Delimiter"):
        shown["NextMarker"] = encode(found[-1][1])
    return shown


def _token(text):
    return base64.b64encode(b"1" + text.encode("utf-8", "surrogateescape")).decode()


def _from_token(token):
    try:
        raw = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if raw[:1] != b"1":
        raise S3Error(
            "InvalidArgument",
            "The continuation token provided is incorrect",
            ArgumentName="continuation-token",
        )
    return raw[1:].decode("utf-8", "surrogateescape")


def list_objects_v2(ask):
    given = ask.given
    after = (
        _from_token(given["ContinuationToken"])
        if "ContinuationToken" in given
        else given.get("StartAfter", "")
    )
    shown, found, encode = _list(ask, after, _most(given), given.get("FetchOwner", False))
    shown |= {"KeyCount": len(found), "ContinuationToken": given.get("ContinuationToken")}
    if "StartAfter" in given:
        shown["StartAfter"] = encode(given["StartAfter"])
    if shown["IsTruncated"]:
        shown["NextContinuationToken"] = _token(found[-1][1])
    return shown


# -- versions -----------------------------------------------------------------------------------


def _version_row(ask, version, encode):
    shown = {
        "VersionId": version.id,
        "IsLatest": version is ask.bucket.versions(version.key)[-1],
        "Owner": owner(ask),
    }
    if version.marker:
        return (
            "DeleteMarker",
            _shape("DeleteMarkerEntry"),
            {"Key": encode(version.key), "LastModified": version.modified, **shown},
        )
    return "Version", _shape("ObjectVersion"), _row(ask, version, encode, True) | shown


def _entries(ask, key_marker, id_marker):
    """Prefixes and versions, newest first below each key, after the markers."""
    bucket = ask.bucket
    if id_marker is not None:
        versions = bucket.versions(key_marker)[::-1]
        ids = [version.id for version in versions]
        # A marker that was deleted since then hides nothing: its key's versions are shown, if need be again.
        after = ids.index(id_marker) + 1 if id_marker in ids else 0
        yield from (("version", version) for version in versions[after:])
    rest, _ = _pages(bucket.objects, ask.given, key_marker, len(bucket.objects) + 1)
    for kind, text in rest:
        if kind == "prefix":
            yield kind, text
        else:
            yield from (("version", version) for version in reversed(bucket.versions(text)))


def list_object_versions(ask):
    given = ask.given
    most, encode = _most(given), _encoder(given)
    key_marker, id_marker = given.get("KeyMarker", ""), given.get("VersionIdMarker") or None
    if id_marker and not key_marker:
        raise S3Error(
            "InvalidArgument",
            "A version-id marker cannot be specified without a key marker.",
            ArgumentName="version-id-marker",
        )
    shown = {
        "Name": ask.bucket.name,
        "Prefix": encode(given.get("Prefix", "")),
        "Delimiter": encode(given["Delimiter"]) if given.get("Delimiter") else None,
        "KeyMarker": encode(key_marker),
        "VersionIdMarker": id_marker or "",
        "EncodingType": given.get("EncodingType"),
        "MaxKeys": most,
        "IsTruncated": False,
        "CommonPrefixes": [],
        "Entries": [],
    }
    last = None
    for kind, one in _entries(ask, key_marker, id_marker) if most else ():
        if len(shown["Entries"]) + len(shown["CommonPrefixes"]) == most:
            shown["IsTruncated"] = True
            shown["NextKeyMarker"] = encode(last.key if hasattr(last, "key") else last)
            shown["NextVersionIdMarker"] = getattr(last, "id", None)
            break
        last = one
        if kind == "prefix":
            shown["CommonPrefixes"].append({"Prefix": encode(one)})
        else:
            shown["Entries"].append(_version_row(ask, one, encode))
    return shown


# -- uploads ------------------------------------------------------------------------------------


def list_multipart_uploads(ask):
    given = ask.given
    most, encode, prefix = _most(given, "MaxUploads"), _encoder(given), given.get("Prefix", "")
    marker = (given.get("KeyMarker", ""), given.get("UploadIdMarker", "") or AFTER_ALL)
    found = sorted(
        (
            one
            for one in ask.bucket.uploads.values()
            if one.key.startswith(prefix) and (one.key, one.id) > marker
        ),
        key=lambda one: (one.key, one.id),
    )
    page = found[:most]
    rows = [
        {
            "UploadId": one.id,
            "Key": encode(one.key),
            "Initiated": one.started,
            "StorageClass": one.fields["storage"],
            "Owner": owner(ask),
            "Initiator": owner(ask),
            "ChecksumAlgorithm": one.algorithm,
            "ChecksumType": one.kind if one.algorithm else None,
        }
        for one in page
    ]
    more = len(found) > len(page)
    return {
        "Bucket": ask.bucket.name,
        "KeyMarker": encode(given.get("KeyMarker", "")),
        "UploadIdMarker": given.get("UploadIdMarker", ""),
        "NextKeyMarker": encode(page[-1].key) if more and page else None,
        "NextUploadIdMarker": page[-1].id if more and page else None,
        "Prefix": encode(prefix),
        "EncodingType": given.get("EncodingType"),
        "MaxUploads": most,
        "IsTruncated": more,
        "Uploads": rows,
    }
