"""Multipart uploads: parts with digests, put together by AWS's rules.

Source: S3 User Guide, "Uploading and copying objects using multipart upload" and "Checking object integrity".
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, field

from . import conditions, digests, lock, making
from .errors import S3Error
from .lifecycle import abort_date
from .objects import _made, _shown, source_of
from .reading import owner
from .store import Version

SMALLEST, MOST = 5 << 20, 10_000
FULL_ONLY, COMPOSITE_ONLY = {"CRC64NVME"}, {"SHA1", "SHA256", "SHA512", "MD5"}
COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass
class Part:
    body: bytes
    etag: str
    checksum: tuple | None
    modified: float


@dataclass
class Upload:
    id: str
    key: str
    started: float
    fields: dict
    locking: dict
    algorithm: str | None
    kind: str
    parts: dict = field(default_factory=dict)


def create_multipart_upload(ask):
    given, now = ask.given, ask.s3.clock.now()
    algorithm, kind = given.get("ChecksumAlgorithm"), given.get("ChecksumType")
    if algorithm and algorithm not in digests.ALGORITHMS:
        raise S3Error("NotImplemented" if algorithm.lower() in digests.UNSUPPORTED else "InvalidRequest")
    if kind and not algorithm:
        raise S3Error(
            "InvalidRequest",
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )
    if (kind == "FULL_OBJECT" and algorithm in COMPOSITE_ONLY) or (
        kind == "COMPOSITE" and algorithm in FULL_ONLY
    ):
        raise S3Error(
            "InvalidRequest",
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
        )
    kind = kind or ("FULL_OBJECT" if algorithm in (None, *FULL_ONLY) else "COMPOSITE")
    upload = Upload(
        secrets.token_urlsafe(48), given["Key"], now, making.fields(ask), lock.wanted(ask), algorithm, kind
    )
    ask.bucket.uploads[upload.id] = upload
    at, rule = abort_date(ask.bucket, upload)
    return {
        "Bucket": ask.bucket.name,
        "Key": upload.key,
        "UploadId": upload.id,
        "AbortDate": at,
        "AbortRuleId": rule,
        "ChecksumAlgorithm": algorithm,
        "ChecksumType": kind if algorithm else None,
        **upload.fields["sse"],
    }


def _upload(ask):
    upload = ask.bucket.uploads.get(ask.given["UploadId"])
    if upload is None or upload.key != ask.given["Key"]:
        raise S3Error("NoSuchUpload", UploadId=ask.given["UploadId"])
    return upload


def _keep(ask, upload, body, found):
    number = ask.given["PartNumber"]
    if not 1 <= number <= MOST:
        raise S3Error(
            "InvalidArgument",
            f"Part number must be an integer between 1 and {MOST}, inclusive",
            ArgumentName="partNumber",
        )
    etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    upload.parts[number] = Part(body, etag, found, ask.s3.clock.now())
    ask.call.effect = "changed"
    shown = {"ETag": f'"{etag}"', **upload.fields["sse"]}
    return shown | ({f"Checksum{found[0]}": found[1]} if found else {})


def upload_part(ask):
    upload = _upload(ask)
    given = ask.found[0] if ask.found else None
    if upload.algorithm and given != upload.algorithm and (given or upload.kind == "COMPOSITE"):
        raise S3Error(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {(given or 'null').lower()}",
        )
    lock.demand_digest(ask, upload.locking, "Part")
    found = ask.found
    if found is None and upload.algorithm:
        found = upload.algorithm, digests.digest(upload.algorithm, ask.request.body)
    return _keep(ask, upload, ask.request.body, found)


def upload_part_copy(ask):
    upload, (where, source) = _upload(ask), source_of(ask)
    body = source.body
    if "CopySourceRange" in ask.given:
        match = COPY_RANGE.fullmatch(ask.given["CopySourceRange"])
        if not match or int(match[1]) > int(match[2]):
            raise S3Error(
                "InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last"
            )
        if int(match[2]) >= source.size:
            raise S3Error(
                "InvalidArgument", f"Range specified is not valid for source object of size: {source.size}"
            )
        body = body[int(match[1]) : int(match[2]) + 1]
    found = (upload.algorithm, digests.digest(upload.algorithm, body)) if upload.algorithm else None
    shown = _keep(ask, upload, body, found)
    result = {name: shown.pop(name) for name in list(shown) if name == "ETag" or name.startswith("Checksum")}
    result["LastModified"] = ask.s3.clock.now()
    return {**shown, "CopyPartResult": result, "CopySourceVersionId": where.shown_id(source)}


# -- completion ---------------------------------------------------------------------------------


def _chosen(upload, wanted):
    """[(number, Part)] that the sender lists, each as it was uploaded."""
    if not wanted:
        raise S3Error("MalformedXML")
    numbers = [one.get("PartNumber") for one in wanted]
    if None in numbers:
        raise S3Error("MalformedXML")
    if any(after <= before for before, after in zip(numbers, numbers[1:])):
        raise S3Error("InvalidPartOrder")
    found = []
    for one, number in zip(wanted, numbers):
        part = upload.parts.get(number)
        if part is None or one.get("ETag", "").strip('"') != part.etag:
            raise S3Error("InvalidPart", PartNumber=number)
        _check_part(upload, one, number, part)
        found.append((number, part))
    for number, part in found[:-1]:
        if len(part.body) < SMALLEST:
            raise S3Error(
                "EntityTooSmall", ProposedSize=len(part.body), MinSizeAllowed=SMALLEST, PartNumber=number
            )
    return found


def _check_part(upload, one, number, part):
    given = {
        name.removeprefix("Checksum"): value for name, value in one.items() if name.startswith("Checksum")
    }
    if part.checksum and given and given.get(part.checksum[0]) != part.checksum[1]:
        raise S3Error("InvalidPart", PartNumber=number)
    if upload.algorithm and upload.kind == "COMPOSITE" and upload.algorithm not in given:
        raise S3Error(
            "InvalidRequest",
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include the "
            f"checksum for each part. It was missing for part {number} in the request.",
        )


def _checksum(ask, upload, parts, body):
    """(algorithm, digest, type) of the whole; what the sender says of it must fit."""
    algorithm = upload.algorithm or "CRC64NVME"
    if upload.kind == "COMPOSITE":
        if [number for number, _ in parts] != list(range(1, len(parts) + 1)):
            raise S3Error("InternalError", "We encountered an internal error. Please try again.", status=500)
        value = digests.combined(algorithm, [part.checksum[1] for _, part in parts])
    else:
        value = digests.digest(algorithm, body)
    if ask.given.get("ChecksumType", upload.kind) != upload.kind:
        raise S3Error(
            "InvalidRequest",
            f"The upload was created using the {upload.kind} checksum mode. The complete request must use the same checksum mode.",
        )
    said = ask.given.get(f"Checksum{algorithm}")
    if said is not None and said != value:
        raise S3Error(
            "BadDigest", f"The {algorithm.lower()} you specified did not match the calculated checksum."
        )
    return algorithm, value, upload.kind


def complete_multipart_upload(ask):
    given, bucket = ask.given, ask.bucket
    upload = _upload(ask)
    parts = _chosen(upload, given.get("MultipartUpload", {}).get("Parts"))
    body = b"".join(part.body for _, part in parts)
    if "MpuObjectSize" in given and int(given["MpuObjectSize"]) != len(body):
        raise S3Error(
            "InvalidRequest",
            f"The provided 'x-amz-mp-object-size' header does not match what was computed: {len(body)}",
        )
    checksum = _checksum(ask, upload, parts, body)
    conditions.check_write(given, bucket.current(upload.key))
    _made(ask, upload.key)
    tags = b"".join(bytes.fromhex(part.etag) for _, part in parts)
    version = Version(
        upload.key,
        ask.s3.clock.now(),
        body=body,
        etag=f"{hashlib.md5(tags, usedforsecurity=False).hexdigest()}-{len(parts)}",
        checksum=checksum,
        parts=[(number, len(part.body), part.checksum and part.checksum[1]) for number, part in parts],
        **upload.fields,
        **upload.locking,
    )
    ask.s3.add(bucket, version)
    del bucket.uploads[upload.id]
    ask.notify("ObjectCreated:CompleteMultipartUpload", version)
    location = f"http://s3.{bucket.fake.region_name}.amazonaws.com/{bucket.name}/{upload.key}"
    return {**_shown(ask, version), "Bucket": bucket.name, "Key": upload.key, "Location": location}


def abort_multipart_upload(ask):
    del ask.bucket.uploads[_upload(ask).id]
    ask.call.effect = "deleted"
    return {}


# -- lists --------------------------------------------------------------------------------------


def list_parts(ask):
    upload, given = _upload(ask), ask.given
    after, most = int(given.get("PartNumberMarker") or 0), min(given.get("MaxParts", 1000), 1000)
    numbers = [number for number in sorted(upload.parts) if number > after]
    page = numbers[:most]
    rows = []
    for number in page:
        part = upload.parts[number]
        row = {
            "PartNumber": number,
            "LastModified": part.modified,
            "ETag": f'"{part.etag}"',
            "Size": len(part.body),
        }
        rows.append(row | ({f"Checksum{part.checksum[0]}": part.checksum[1]} if part.checksum else {}))
    at, rule = abort_date(ask.bucket, upload)
    return {
        "Bucket": ask.bucket.name,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": after,
        "NextPartNumberMarker": page[-1] if page else 0,
        "MaxParts": most,
        "IsTruncated": len(numbers) > len(page),
        "Parts": rows,
        "StorageClass": upload.fields["storage"],
        "Owner": owner(ask),
        "Initiator": owner(ask),
        "AbortDate": at,
        "AbortRuleId": rule,
        "ChecksumAlgorithm": upload.algorithm,
        "ChecksumType": upload.kind if upload.algorithm else None,
    }
